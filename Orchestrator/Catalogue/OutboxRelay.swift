import Connections
import Contracts
import FleetRuntime

/// Publishes the outbox; a row goes when its message is confirmed, so a crash between repeats the message.
package struct OutboxRelay: Sweep {
    package let name = "outbox"
    /// How long a claim keeps other relays away.
    static let lease = Duration.seconds(10)
    package static let batch = 200

    let outbox: any Outbox
    let mailer: Mailer
    let bell: Bell

    package init(_ outbox: any Outbox, mailer: Mailer, bell: Bell) {
        self.outbox = outbox
        self.mailer = mailer
        self.bell = bell
    }

    /// Asks for a sweep now rather than at the next period.
    package func hurry() {
        bell.ring()
    }

    package func sweep() async throws -> Int {
        let claimed = try await outbox.claim(Self.batch, for: Self.lease)
        guard !claimed.isEmpty else { return 0 }
        FaultPoint.outboxClaimed.pass()
        try await mailer.send(claimed.inOrder)
        FaultPoint.outboxConfirmed.pass()
        try await outbox.remove(claimed.map(\.envelope.id))
        return claimed.count
    }
}

extension [OutgoingMessage] {
    /// Commands first: who hears of an event may act on it, and then its stock must be ahead in the queue.
    fileprivate var inOrder: [OutgoingMessage] {
        filter { $0.destination == .owner } + filter { $0.destination != .owner }
    }
}

extension FaultPoint {
    fileprivate static let outboxClaimed = FaultPoint("outbox.claimed")
    fileprivate static let outboxConfirmed = FaultPoint("outbox.confirmed")
}
