import Connections
import Contracts
import FleetRuntime

/// Publishes the outbox; a row goes when its message is confirmed, so a crash between repeats the message.
package struct OutboxRelay: PeriodicJob {
    package let name = "outbox"
    /// How long a claim keeps other relays away.
    static let lease = Duration.seconds(10)
    package static let batch = 200

    let outbox: any Outbox
    let messagePublisher: MessagePublisher
    let signal: AsyncSignal

    package init(_ outbox: any Outbox, messagePublisher: MessagePublisher, signal: AsyncSignal) {
        self.outbox = outbox
        self.messagePublisher = messagePublisher
        self.signal = signal
    }

    /// Asks for a sweep now rather than at the next period.
    package func hurry() {
        signal.fire()
    }

    package func runOnce() async throws -> Int {
        let claimed = try await outbox.claim(Self.batch, for: Self.lease)
        guard !claimed.isEmpty else { return 0 }
        FaultPoint.outboxClaimed.pass()
        try await messagePublisher.send(claimed.inOrder)
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
