import Connections
import FleetRuntime

/// Asks again for answers that are overdue, a bounded number at a time so that a backlog cannot feed itself.
package struct Watchdog<Store: SagaStore>: Sweep {
    package let name = "watchdog"
    let runner: SagaRunner<Store>
    let mailer: Mailer
    let limit: Int

    package init(_ runner: SagaRunner<Store>, mailer: Mailer, limit: Int) {
        self.runner = runner
        self.mailer = mailer
        self.limit = limit
    }

    package func sweep() async throws -> Int {
        let (messages, sagas) = try await runner.wake(limit)
        if sagas > 0 { FaultPoint.awoken.pass() }
        try await mailer.sendInTurn(messages)
        return sagas
    }
}
