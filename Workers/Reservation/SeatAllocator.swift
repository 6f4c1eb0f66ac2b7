import Contracts
import FoundationEssentials

/// Decides reserves, confirms and releases one after another against a stock that was read before; touches nothing.
///
/// What one command takes is gone for the next, so a batch is decided as if its commands had come one by one.
package struct SeatAllocator: Sendable {
    package enum Answer: Sendable, Equatable {
        case reserved(SeatsReserved)
        case refused(SeatsRefused)
        /// What the command names is not there, but stock that is still under way may bring it.
        case missing(SeatsRefused.Reason)
        /// `issued` is nil when the tickets were issued before.
        case confirmed(SeatsConfirmed, issued: TicketIssued?)
        case released
    }

    private let before: Stock
    private var tiers: [TierID: Tier]
    private var holds: [SagaID: Hold]
    private var halls: [TierID: SeatMap]
    private var moves: [TierID: [ExactText: StockChanges.SeatMove]] = [:]
    /// Who the tickets of a sale in this batch are for.
    private var buyers: [SagaID: String] = [:]

    package init(_ stock: Stock) {
        before = stock
        tiers = stock.tiers
        holds = stock.holds
        halls = stock.seats.mapValues(SeatMap.init)
    }

    package var now: Date { before.now }

    // MARK: - Reserve

    package mutating func reserve(_ command: ReserveSeats, for saga: SagaID) -> Answer {
        if let hold = holds[saga] { return answer(for: hold) }
        let id = TierID(event: command.eventId, name: command.tier)
        guard var tier = tiers[id] else { return .missing(.unknownTier) }
        let seats: [String]
        switch choose(command, in: tier) {
        case .chosen(let names): seats = names
        case .refused(let reason): return .refused(SeatsRefused(command: .reserve, reason: reason))
        case .tooFew(let left):
            return .refused(SeatsRefused(command: .reserve, reason: .soldOut, available: left))
        case .missing(let reason): return .missing(reason)
        }
        tier.held += command.quantity
        tiers[id] = tier
        move(seats, of: id, from: .free, to: .held(by: saga))
        let places = Hold.Places(
            tier: id, quantity: command.quantity, seats: seats,
            deadline: now.addingTimeInterval(TimeInterval(command.holdSeconds)))
        let hold = Hold(saga: saga, places: places, status: .held)
        holds[saga] = hold
        return answer(for: hold)
    }

    /// A reserve that comes again under another message id gets the answer of the first.
    private func answer(for hold: Hold) -> Answer {
        switch (hold.status, hold.places) {
        case (.held, let places?), (.sold, let places?):
            .reserved(SeatsReserved(seats: places.seats, deadline: places.deadline))
        case (.released, _), (.void, _), (.held, nil), (.sold, nil):
            .refused(SeatsRefused(command: .reserve, reason: .released))
        }
    }

    private enum Choice {
        case chosen([String])
        case refused(SeatsRefused.Reason)
        case tooFew(left: Int)
        case missing(SeatsRefused.Reason)
    }

    private func choose(_ command: ReserveSeats, in tier: Tier) -> Choice {
        let hall = halls[tier.id] ?? SeatMap([])
        if let names = command.seats {
            guard names.allSatisfy(hall.knows) else {
                return tier.isIncomplete ? .missing(.unknownSeat) : .refused(.unknownSeat)
            }
            guard names.allSatisfy(hall.isFree) else { return .refused(.seatsTaken) }
            return tier.available >= names.count ? .chosen(names) : .tooFew(left: tier.available)
        }
        guard tier.available >= command.quantity else { return .tooFew(left: tier.available) }
        guard tier.isSeated else { return .chosen([]) }
        guard let names = hall.best(command.quantity) else {
            return tier.isIncomplete ? .missing(.soldOut) : .refused(.soldOut)
        }
        return .chosen(names)
    }

    // MARK: - Confirm

    /// Sells what the saga holds, also past its deadline: only a release gives a hold back, never the clock.
    package mutating func confirm(_ command: ConfirmSeats, for saga: SagaID) -> Answer {
        guard var hold = holds[saga], let places = hold.places else { return Self.noHold }
        switch hold.status {
        case .released, .void: return Self.noHold
        case .sold: return .confirmed(SeatsConfirmed(tickets: hold.tickets), issued: nil)
        case .held: break
        }
        hold.status = .sold
        holds[saga] = hold
        buyers[saga] = command.userId
        tiers[places.tier]?.held -= places.quantity
        tiers[places.tier]?.sold += places.quantity
        move(places.seats, of: places.tier, from: .held(by: saga), to: .sold(to: saga))
        let tickets = hold.tickets
        return .confirmed(
            SeatsConfirmed(tickets: tickets),
            issued: TicketIssued(
                sagaId: saga, eventId: places.tier.event, userId: command.userId, tickets: tickets))
    }

    private static let noHold = Answer.refused(SeatsRefused(command: .confirm, reason: .noHold))

    // MARK: - Release

    /// Gives back what the saga holds, or voids its tickets; leaves a tombstone where nothing was reserved yet.
    package mutating func release(_ saga: SagaID) -> Answer {
        guard var hold = holds[saga] else {
            holds[saga] = Hold(saga: saga, places: nil, status: .released)
            return .released
        }
        guard let places = hold.places else { return .released }
        switch hold.status {
        case .released, .void: return .released
        case .held:
            hold.status = .released
            tiers[places.tier]?.held -= places.quantity
            move(places.seats, of: places.tier, from: .held(by: saga), to: .free)
        case .sold:
            hold.status = .void
            tiers[places.tier]?.sold -= places.quantity
            move(places.seats, of: places.tier, from: .sold(to: saga), to: .free)
        }
        holds[saga] = hold
        return .released
    }

    private mutating func move(_ names: [String], of tier: TierID, from old: Seat.State, to new: Seat.State) {
        for name in names {
            halls[tier]?.set(name, to: new)
            let origin = moves[tier]?[ExactText(name)]?.from ?? old
            moves[tier, default: [:]][ExactText(name)] = .init(tier: tier, name: name, from: origin, to: new)
        }
    }

    // MARK: - What to write

    /// Everything that differs from the stock at the beginning, each list in the order in which rows are locked.
    package var changes: StockChanges {
        var changes = StockChanges()
        changes.tiers = tiers.values.filter { $0 != before.tiers[$0.id] }.sorted { $0.id < $1.id }
        for hold in holds.values.sorted(by: { $0.saga < $1.saga }) {
            let old = before.holds[hold.saga]
            if old == nil { changes.newHolds.append(hold) } else if old != hold { changes.changedHolds.append(hold) }
            if let buyer = buyers[hold.saga] {
                changes.newTickets += tickets(of: hold, for: buyer)
            } else if old?.status == .sold, hold.status == .void {
                changes.voidTickets += hold.tickets.map(\.id)
            }
        }
        changes.seats = moves.sorted { $0.key < $1.key }.flatMap { _, moves in
            moves.values.filter { $0.from != $0.to }.sorted { $0.name < $1.name }
        }
        return changes
    }

    private func tickets(of hold: Hold, for buyer: String) -> [StockChanges.NewTicket] {
        guard let places = hold.places else { return [] }
        return hold.tickets.map { ticket in
            .init(
                ticket: ticket, saga: hold.saga, event: places.tier.event, userID: buyer,
                isValid: hold.status == .sold)
        }
    }
}
