/// How much each scenario does, all of it scaled together.
struct Sizes: Sendable {
    /// 1 is the full size; small runs show that everything works, and nothing else.
    let scale: Double
    /// Takes the place of the saturate scenarios' purchases.
    let saturating: Int?
    /// Takes the place of the history's sagas.
    let remembered: Int?
    /// Takes the place of the soak's minutes.
    let minutes: Double?

    private func scaled(_ count: Int, atLeast least: Int) -> Int { max(least, Int(Double(count) * scale)) }

    var purchases: Int { saturating ?? scaled(60_000, atLeast: 500) }
    var events: Int { 64 }
    var hallPurchases: Int { scaled(20_000, atLeast: 500) }
    /// Takes the place of the latency's rates.
    let rates: [Int]
    var latencyRates: [Int] { rates.isEmpty ? [20, 200, 1_000] : rates }
    /// At a low rate a long time, so that a percentile means something.
    func latencySeconds(at rate: Int) -> Int { scaled(rate < 100 ? 60 : 30, atLeast: 5) }
    var webStarts: Int { scaled(40_000, atLeast: 500) }
    var webWaits: Int { scaled(20_000, atLeast: 500) }
    var webReads: Int { scaled(100_000, atLeast: 2_000) }
    var stormStarts: Int { scaled(50_000, atLeast: 2_000) }
    var stormTickets: Int { scaled(1_000, atLeast: 100) }
    var backlog: Int { scaled(100_000, atLeast: 2_000) }
    var liveTimers: Int { scaled(1_000_000, atLeast: 10_000) }
    var dueTogether: Int { scaled(100_000, atLeast: 1_000) }
    var history: Int { remembered ?? scaled(10_000_000, atLeast: 20_000) }
    var soakSeconds: Int { minutes.map { Int($0 * 60) } ?? scaled(900, atLeast: 30) }
    func peerPurchases(_ peer: Peer) -> Int { scaled(peer.purchases, atLeast: 100) }
}
