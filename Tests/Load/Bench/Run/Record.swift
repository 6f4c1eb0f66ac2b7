import Foundation

/// Times of one kind, summed up.
struct Percentiles: Codable, Sendable {
    let count: Int
    let p50: Double
    let p95: Double
    let p99: Double
    let p999: Double
    let most: Double
    /// Milliseconds at evenly spaced ranks, the last two decades finer: for drawing.
    let curve: [Point]

    struct Point: Codable, Sendable {
        let rank: Double
        let milliseconds: Double
    }

    private static let ranks: [Double] = {
        let body = stride(from: 0, to: 90, by: 1).map { (hundredth: Double) in hundredth / 100 }
        let shoulder = stride(from: 900, to: 990, by: 1).map { (thousandth: Double) in thousandth / 1_000 }
        let tail = stride(from: 9_900, through: 10_000, by: 1).map { (rank: Double) in rank / 10_000 }
        return body + shoulder + tail
    }()

    /// - Parameter times: at least one.
    init(_ times: [Duration]) {
        let sorted = times.map { $0.inMilliseconds }.sorted()
        func at(_ rank: Double) -> Double {
            sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * rank))]
        }
        count = sorted.count
        p50 = at(0.5)
        p95 = at(0.95)
        p99 = at(0.99)
        p999 = at(0.999)
        most = sorted.last ?? 0
        curve = Self.ranks.map { Point(rank: $0, milliseconds: at($0)) }
    }

    var text: String {
        "p50=\(format(p50)) p95=\(format(p95)) p99=\(format(p99)) p99.9=\(format(p999)) max=\(format(most)) ms"
    }
}

/// What a scenario found out about its subject.
struct Findings: Codable, Sendable {
    /// Numbers by name; the unit is part of the name.
    var figures: [String: Double] = [:]
    var latencies: [String: Percentiles] = [:]
    /// Rows over time, for what must stay flat.
    var series: [[String: Double]] = []
    /// Bounds that were missed; a scenario with any has failed.
    var complaints: [String] = []
}

/// What the machine gave meanwhile.
struct Consumption: Codable, Sendable {
    var seconds = 0.0
    /// CPU seconds that the hypervisor withheld.
    var stolen = 0.0
    /// CPU seconds by component; `others` is what the machine did besides.
    var cpu: [String: Double] = [:]
    /// The most memory of each process, in megabytes.
    var memory: [String: Double] = [:]
}

/// Whether the fleet's promises held at the end.
struct Soundness: Codable, Sendable {
    let isSound: Bool
    let sagas: Int
    let seconds: Double
    let broken: [String: Int]
}

/// One scenario on one subject in one round.
struct Record: Codable, Sendable {
    let scenario: String
    let variant: String
    /// `fleet`, `floor` or a peer.
    let subject: String
    let round: Int
    let began: Date
    var findings = Findings()
    var consumption = Consumption()
    var soundness: Soundness?
    var failure: String?
    /// Whether the machine was too little our own for a comparison; such a record does not count.
    var isDisturbed = false

    /// The part of all processors' time that the hypervisor withheld.
    func stolenShare(of cores: Int) -> Double {
        consumption.seconds > 0 ? consumption.stolen / consumption.seconds / Double(cores) : 0
    }

    var isGood: Bool { failure == nil && findings.complaints.isEmpty && soundness?.isSound != false }
}

func format(_ number: Double) -> String { String(format: number < 10 ? "%.2f" : "%.1f", number) }

extension Duration {
    var inMilliseconds: Double {
        Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
    }
}
