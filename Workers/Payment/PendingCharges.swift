import Connections
import Contracts
import FleetRuntime
import FoundationEssentials
import Logging
import Postgres

/// Asks the provider again about charges that are due, and sends the answers that the lane could not give.
///
/// An answer is written down, together with the recorded replies of its command; then it is published; only then do the
/// charge's checks end. A crash anywhere between sends the same message again.
package struct PendingCharges<Book: DueCharges, Records: InboxStore>: PeriodicJob
where Book.Transaction == Records.Transaction {
    package let name = "pending charges"
    private static var claimed: FaultPoint { FaultPoint("charges.claimed") }
    private static var recorded: FaultPoint { FaultPoint("charges.recorded") }
    private static var answered: FaultPoint { FaultPoint("charges.answered") }
    private let book: Book
    private let ledger: Records
    private let desk: PaymentGateway
    private let messagePublisher: MessagePublisher
    private let settlement: Settlement<Book>
    private let batch: Int
    /// How long a replica keeps others from the charges it looks at.
    private let lease: Duration
    private let now: @Sendable () -> Date

    package init(
        book: Book, ledger: Records, desk: PaymentGateway, messagePublisher: MessagePublisher,
        pauses: Pauses = Pauses(), batch: Int = 200,
        lease: Duration = .seconds(15), now: @escaping @Sendable () -> Date = { RuntimeEnvironment.date },
        logger: Logger
    ) {
        self.book = book
        self.ledger = ledger
        self.desk = desk
        self.messagePublisher = messagePublisher
        self.settlement = Settlement(book: book, pauses: pauses, logger: logger)
        self.batch = batch
        self.lease = lease
        self.now = now
    }

    package func runOnce() async throws -> Int {
        let claimed = try await ledger.transact { try await book.claim(batch, for: lease, in: $0) }
        guard !claimed.isEmpty else { return 0 }
        Self.claimed.pass()
        let due = claimed.sorted { $0.sagaID < $1.sagaID }
        let findings = await desk.ask(due.filter { !$0.state.isFinished })
        let (finished, replies) = try await ledger.transact { try await record(findings, of: due, in: $0) }
        guard !finished.isEmpty else { return due.count }
        Self.recorded.pass()
        try await messagePublisher.send(replies)
        Self.answered.pass()
        try await ledger.transact { try await book.settle(finished, in: $0) }
        return due.count
    }

    /// Finished charges keep their lease, so that their answers are sent again if this process dies before it has.
    private func record(
        _ findings: [Finding], of due: [Charge], in transaction: Book.Transaction
    ) async throws -> (finished: [Charge], replies: [OutgoingMessage]) {
        let settled = try await settlement.record(findings, whenFinished: lease, in: transaction)
        let finished = due.map { settled[$0.sagaID] ?? $0 }.filter(\.state.isFinished)
        let answers = try finished.compactMap { charge in
            try charge.reply(to: charge.owed, at: now()).map { HandledMessage(id: charge.owed.id, replies: [$0]) }
        }
        if !answers.isEmpty { try await book.amend(answers, in: transaction) }
        return (finished, answers.flatMap(\.replies))
    }
}
