import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres

/// Holds seats for purchases, turns holds into tickets, and gives back what is released.
///
/// A batch locks its stock once, decides every command in memory in the order of arrival, and writes one row per tier;
/// so one hot event sells as fast as many.
package struct ReservationWorker<Store: SeatStore>: CommandHandler {
    /// How often a command waits for stock that may be under way before it is refused.
    private static var waits: Int { 3 }

    private let ledger: Store
    private let changed: ChangedEvents?

    /// The events whose stock a batch changes are noted in `changed`, for whoever wants to tell of them.
    package init(ledger: Store, changed: ChangedEvents? = nil) {
        self.ledger = ledger
        self.changed = changed
    }

    package func handle(_ batch: [Envelope], in transaction: Store.Transaction) async throws -> [Outcome] {
        let orders = batch.map(ReservationCommand.init)
        try await addStock(orders, in: transaction)
        let demand = Demand(orders)
        guard !demand.isEmpty else { return orders.map(outcomeWithoutStock) }
        var office = SeatAllocator(try await ledger.open(demand, in: transaction))
        var outcomes: [Outcome] = []
        outcomes.reserveCapacity(batch.count)
        for (envelope, order) in zip(batch, orders) {
            outcomes.append(try outcome(of: order, in: envelope, at: &office))
        }
        let changes = office.changes
        try await ledger.write(changes, in: transaction)
        changed?.note(changes.tiers.lazy.map(\.id.event))
        return outcomes
    }

    /// Puts the batch's new stock on sale first, so that commands behind and before it find it.
    private func addStock(_ orders: [ReservationCommand], in transaction: Store.Transaction) async throws {
        let events = orders.compactMap { order in if case .stock(let event) = order { event } else { nil } }
        guard !events.isEmpty else { return }
        try await ledger.add(events, in: transaction)
        changed?.note(events.lazy.map(\.eventId))
    }

    private func outcomeWithoutStock(of order: ReservationCommand) -> Outcome {
        if case .unusable(let reason) = order { .deadLetter(reason: reason) } else { .reply([]) }
    }

    private func outcome(of order: ReservationCommand, in envelope: Envelope, at office: inout SeatAllocator) throws
        -> Outcome
    {
        switch order {
        case .reserve(let command, let saga): try outcome(office.reserve(command, for: saga), envelope, office.now)
        case .confirm(let command, let saga): try outcome(office.confirm(command, for: saga), envelope, office.now)
        case .release(let saga): try outcome(office.release(saga), envelope, office.now)
        case .stock, .unusable: outcomeWithoutStock(of: order)
        }
    }

    private func outcome(_ answer: SeatAllocator.Answer, _ envelope: Envelope, _ now: Date) throws -> Outcome {
        switch answer {
        case .reserved(let reply): return .reply([try envelope.reply(reply, at: now)])
        case .refused(let reply): return .reply([try envelope.reply(reply, at: now)])
        case .missing(let reason) where envelope.attempt <= Self.waits:
            return .retry(after: .seconds(1), reason: "stock may be under way: \(reason.rawValue)")
        case .missing(let reason):
            return .reply([try envelope.reply(SeatsRefused(command: .reserve, reason: reason), at: now)])
        case .confirmed(let reply, nil): return .reply([try envelope.reply(reply, at: now)])
        case .confirmed(let reply, let fact?):
            return .reply([try envelope.reply(reply, at: now), try envelope.announcement(fact, at: now)])
        case .released: return .reply([try envelope.reply(SeatsReleased(), at: now)])
        }
    }
}
