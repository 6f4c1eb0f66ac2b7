import Connections
import Contracts
import CoreMetrics
import FleetRuntime
import FoundationEssentials

/// Tells the orchestrator of each timer that has come due.
///
/// A crash between telling and marking tells again after the lease, with the same message id. A timer that is cancelled
/// while it is being told may still ring; the saga ignores it.
package struct DueTimers: PeriodicJob {
    package let name = "due timers"
    let timers: any TimerClock
    let messagePublisher: MessagePublisher
    let batch: Int
    /// Long enough to publish a batch many times over, short enough not to be missed after a crash.
    let lease = Duration.seconds(5)
    private static let claimed = FaultPoint("timers.claimed")
    private static let told = FaultPoint("timers.told")
    let lag = Metric.timerLag.timer()

    package init(_ timers: any TimerClock, messagePublisher: MessagePublisher, batch: Int) {
        self.timers = timers
        self.messagePublisher = messagePublisher
        self.batch = batch
    }

    package func runOnce() async throws -> Int {
        let due = try await timers.claimDue(batch, for: lease)
        guard !due.isEmpty else { return 0 }
        Self.claimed.pass()
        try await messagePublisher.send(try due.map { try $0.elapsed(at: RuntimeEnvironment.date) })
        Self.told.pass()
        try await timers.markFired(due.map(\.key))
        record(due)
        return due.count
    }

    private func record(_ due: [FleetTimer]) {
        let now = RuntimeEnvironment.date
        for timer in due { lag.recordSeconds(max(0, now.timeIntervalSince(timer.dueAt))) }
    }
}

extension FleetTimer {
    /// The reply to the command that asked for the timer.
    fileprivate func elapsed(at time: Date) throws -> OutgoingMessage {
        let command = Envelope(
            id: commandID, kind: .schedule, sagaID: key.sagaID, step: step, occurredAt: time, traceparent: traceparent,
            body: Data())
        return try command.reply(TimerElapsed(subject: key.subject, dueAt: dueAt), at: time)
    }
}

/// Forgets timers that ended long ago, a small batch at a time.
package struct EndedTimers: PeriodicJob {
    package let name = "ended timers"
    let timers: any TimerClock
    let batch: Int
    /// Longer than any message that names the timer can be under way.
    let retention = Duration.seconds(7 * 24 * 3_600)

    package init(_ timers: any TimerClock, batch: Int) {
        self.timers = timers
        self.batch = batch
    }

    package func runOnce() async throws -> Int {
        try await timers.forgetEnded(batch, after: retention)
    }
}
