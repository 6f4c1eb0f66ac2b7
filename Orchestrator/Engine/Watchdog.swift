import Connections
import Contracts
import FleetRuntime
import Logging

/// Asks again for answers that are overdue, a bounded number at a time so that a backlog cannot feed itself.
///
/// A saga that cannot be woken, because what is stored of it makes no sense, is put off alone and left to an operator.
package struct Watchdog<Store: SagaStore>: PeriodicJob {
    package let name = "watchdog"
    let runner: SagaRunner<Store>
    let messagePublisher: MessagePublisher
    let limit: Int

    /// How long a saga that cannot be woken is left alone.
    private static var pause: Duration { .seconds(60) }

    package init(_ runner: SagaRunner<Store>, messagePublisher: MessagePublisher, limit: Int) {
        self.runner = runner
        self.messagePublisher = messagePublisher
        self.limit = limit
    }

    package func runOnce() async throws -> Int {
        let (messages, sagas) = try await wake()
        if sagas > 0 { FaultPoint.awoken.pass() }
        try await messagePublisher.sendInTurn(messages)
        return sagas
    }

    /// Wakes what is due; where that fails for good, fewer at a time, down to the one saga at fault.
    private func wake() async throws -> (messages: [OutgoingMessage], sagas: Int) {
        var limit = limit
        while true {
            do {
                return try await runner.wake(limit)
            } catch {
                guard !error.isMendedByWaiting, !(error is Interrupted), !(error is CancellationError) else {
                    throw error
                }
                guard limit == 1 else {
                    limit /= 2
                    continue
                }
                runner.logger.error("a saga cannot be woken, and is put off", metadata: ["error": "\(error)"])
                _ = try await runner.store.putOff(after: Self.pause, because: "the watchdog cannot wake it: \(error)")
                return ([], 1)
            }
        }
    }
}
