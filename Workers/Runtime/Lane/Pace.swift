/// How fast a lane's messages come, and whether waiting for more of them pays.
///
/// A batch costs a commit, a confirm and an acknowledgement however small it is. While messages come fast, a lane
/// lets them gather; while they come slowly, it takes each at once; between, it takes a breath between batches, which
/// saves more work, and so more waiting, than it costs.
struct Pace: Sendable {
    /// Below this many messages a second nothing waits.
    static let lively = 100.0
    /// The shortest time from one batch to the next while messages are lively.
    static let breath = Duration.milliseconds(8)
    /// From this many messages a second on, a batch should be full.
    static let busy = 1_000.0
    /// The longest that a message waits for that.
    static let longestPause = Duration.milliseconds(100)
    /// A rate is measured over at least this long, so that two neighbours are not taken for a crowd.
    static let window = Duration.milliseconds(100)

    let fullBatch: Int
    /// When the last batch was taken.
    private(set) var began: ContinuousClock.Instant
    private var count = 0
    private var perSecond = 0.0
    private var windowBegan: ContinuousClock.Instant
    private var inWindow = 0

    init(fullBatch: Int, at now: ContinuousClock.Instant) {
        self.fullBatch = fullBatch
        began = now
        windowBegan = now
    }

    /// The pace after another batch.
    func taking(_ count: Int, at now: ContinuousClock.Instant) -> Pace {
        var next = self
        next.began = now
        next.count = count
        next.inWindow += count
        let elapsed = now - windowBegan
        guard elapsed >= Self.window else { return next }
        next.perSecond = Double(next.inWindow) * (Duration.seconds(1) / elapsed)
        next.windowBegan = now
        next.inWindow = 0
        return next
    }

    /// How long to let messages gather for the next batch; nil when a full one waits already, or few come.
    func pause(at now: ContinuousClock.Instant) -> Duration? {
        guard count < fullBatch, perSecond >= Self.lively else { return nil }
        let filling = Duration.seconds(Double(fullBatch) / perSecond)
        let interval = perSecond >= Self.busy ? filling : min(filling, Self.breath)
        let pause = interval - (now - began)
        return pause > .zero ? min(pause, Self.longestPause) : nil
    }
}
