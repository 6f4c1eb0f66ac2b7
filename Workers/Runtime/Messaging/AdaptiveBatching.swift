/// How fast a lane's messages come, and whether waiting for more of them pays.
///
/// A batch costs a commit, a confirm and an acknowledgement however small it is. So while messages are lively, a lane
/// rests in proportion to its work, and what comes meanwhile shares the next batch. The busier the machine, the longer
/// the work takes, and the fuller the batches become.
struct AdaptiveBatching: Sendable {
    /// From one batch to the next it takes this many times as long as deciding a batch does.
    static let rest = 2
    /// The longest time from one batch to the next.
    static let longest = Duration.milliseconds(100)
    /// Rate and work are measured over at least this long, so that two neighbours are not taken for a crowd.
    static let window = Duration.milliseconds(100)
    /// By how much the work may seem to grow from one window to the next.
    static let growth = 2
    /// How many messages a rest must be likely to bring; while fewer come, nothing waits.
    static let company = 0.8

    let fullBatch: Int
    /// The shortest time from one batch to the next while messages are lively, however quick the work.
    let breath: Duration
    /// When the last batch was taken.
    private(set) var began: ContinuousClock.Instant
    private var count = 0
    private var perSecond = 0.0
    /// What deciding a batch takes, but for accidents.
    private var work: Duration?
    private var interval: Duration
    private var window: Window

    /// What is being measured.
    private struct Window {
        let began: ContinuousClock.Instant
        var messages = 0
        var batches = 0
        var work = Duration.zero
    }

    init(fullBatch: Int, breath: Duration, at now: ContinuousClock.Instant) {
        self.fullBatch = fullBatch
        self.breath = breath
        began = now
        interval = breath
        window = Window(began: now)
    }

    /// The pace after another batch, taken at `began` and decided by now.
    func deciding(_ count: Int, from began: ContinuousClock.Instant, to now: ContinuousClock.Instant)
        -> AdaptiveBatching
    {
        var next = self
        next.began = began
        next.count = count
        next.window.messages += count
        next.window.batches += 1
        next.window.work += now - began
        let elapsed = now - window.began
        if elapsed >= Self.window { next.conclude(after: elapsed, at: now) }
        return next
    }

    /// When the next batch should be taken; nil when a full one may wait already, or few messages come.
    var resumption: ContinuousClock.Instant? {
        guard count < fullBatch, perSecond * (interval / .seconds(1)) >= Self.company else { return nil }
        let filling = Duration.seconds(Double(fullBatch) / perSecond)
        return began + min(filling, interval, Self.longest)
    }

    private mutating func conclude(after elapsed: Duration, at now: ContinuousClock.Instant) {
        perSecond = Double(window.messages) * (Duration.seconds(1) / elapsed)
        let measured = measuredWork
        work = measured
        interval = max(breath, measured * Self.rest)
        window = Window(began: now)
    }

    /// A disk that hung for a moment is no busy machine: what lasts shows in the windows after.
    private var measuredWork: Duration {
        let found = window.work / window.batches
        guard let work else { return found }
        return min(found, max(work * Self.growth, .milliseconds(1)))
    }
}
