import Contracts
import FleetRuntime
import WireJSON

/// One message as the reservation worker understands it, or why it can never be carried out.
enum ReservationCommand: Sendable {
    case reserve(ReserveSeats, SagaID)
    case confirm(ConfirmSeats, SagaID)
    case release(SagaID)
    case stock(StockEvent)
    case unusable(reason: String)

    init(_ envelope: Envelope) {
        do {
            self = try ReservationCommand.read(envelope)
        } catch let flaw as Flaw {
            self = .unusable(reason: flaw.reason)
        } catch {
            self = .unusable(reason: DeadLetterReason.malformedBody(error))
        }
    }

    private struct Flaw: Error {
        let reason: String
    }

    private static func read(_ envelope: Envelope) throws -> ReservationCommand {
        switch envelope.kind {
        case .reserve:
            let command = try envelope.decode(ReserveSeats.self)
            try check(command)
            return .reserve(command, try saga(of: envelope))
        case .confirm:
            let command = try envelope.decode(ConfirmSeats.self)
            try check(command.userId, "userId", atMost: Limits.identifierLength)
            return .confirm(command, try saga(of: envelope))
        case .release:
            _ = try envelope.decode(ReleaseSeats.self)
            return .release(try saga(of: envelope))
        case .stock:
            let command = try envelope.decode(StockEvent.self)
            try check(command)
            return .stock(command)
        case .purchaseStart, .purchaseCancel, .eventPublish, .purchaseAccepted, .purchaseRejected, .charge, .close,
            .refund, .schedule, .unschedule, .notify, .observe, .reserved, .reservationRefused, .confirmed, .released,
            .captured, .declined, .closed, .refunded, .elapsed, .delivered, .notificationFailed, .purchaseStarted,
            .purchaseCompleted, .purchaseRefused, .purchaseRefunded, .eventPublished, .ticketIssued:
            throw Flaw(reason: DeadLetterReason.unexpectedKind(envelope.kind))
        }
    }

    private static func saga(of envelope: Envelope) throws -> SagaID {
        guard let saga = envelope.sagaID else {
            throw Flaw(reason: DeadLetterReason.missingSaga)
        }
        return saga
    }

    private static func check(_ command: ReserveSeats) throws {
        try check(command.tier, "tier", atMost: Limits.textLength)
        try check(command.quantity, "quantity", in: Limits.quantity)
        try check(command.holdSeconds, "holdSeconds", in: Limits.holdSeconds)
        guard let seats = command.seats else { return }
        for seat in seats { try check(seat, "seats", atMost: Limits.seatNameLength) }
        guard Set(seats.map(ExactText.init)).count == command.quantity, seats.count == command.quantity else {
            throw Flaw(
                reason: "invalid-command: seats must be \(command.quantity) different names, as many as quantity")
        }
    }

    private static func check(_ command: StockEvent) throws {
        try check(command.tiers.count, "tiers", in: Limits.tiers)
        for tier in command.tiers {
            try check(tier.name, "name", atMost: Limits.textLength)
            try check(tier.capacity, "capacity", in: Limits.tierCapacity)
            try check(tier.firstRank ?? 0, "firstRank", in: 0...Limits.tierCapacity.upperBound)
            for seat in tier.seats ?? [] { try check(seat, "seats", atMost: Limits.seatNameLength) }
        }
    }

    private static func check(_ number: Int, _ field: String, in range: ClosedRange<Int>) throws {
        guard range.contains(number) else {
            throw Flaw(reason: "invalid-command: \(field) must be from \(range.lowerBound) to \(range.upperBound)")
        }
    }

    /// PostgreSQL cannot hold a NUL character, so a text with one would fail the whole batch.
    private static func check(_ text: String, _ field: String, atMost length: Int) throws {
        guard TextRule.isStorable(text, upTo: length) else {
            throw Flaw(reason: "invalid-command: \(field) must be a text of 1 to \(length) characters without NUL")
        }
    }
}

extension Demand {
    /// What must be looked at to decide these orders.
    init(_ orders: [ReservationCommand]) {
        var sagas: Set<SagaID> = []
        for order in orders {
            switch order {
            case .reserve(let command, let saga):
                sagas.insert(saga)
                want(command)
            case .confirm(_, let saga): sagas.insert(saga)
            case .release(let saga):
                sagas.insert(saga)
                releasing.insert(saga)
            case .stock, .unusable: continue
            }
        }
        self.sagas = sagas.sorted()
    }

    private mutating func want(_ command: ReserveSeats) {
        let tier = TierID(event: command.eventId, name: command.tier)
        tiers.insert(tier)
        if let seats = command.seats {
            named[tier, default: []].formUnion(seats.map(ExactText.init))
        } else {
            unnamed[tier, default: 0] += command.quantity
        }
    }
}
