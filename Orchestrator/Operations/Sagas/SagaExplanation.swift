import Contracts
import Engine
import FoundationEssentials
import SagaCore
import WireJSON

/// What the database knows of a saga's clock.
package struct SagaClock: Sendable {
    package let now: Date
    package let dueAt: Date
    package let wakeAt: Date?
    package let attempts: Int
    package let maximumAttempts: Int

    package init(now: Date, dueAt: Date, wakeAt: Date?, attempts: Int, maximumAttempts: Int) {
        self.now = now
        self.dueAt = dueAt
        self.wakeAt = wakeAt
        self.attempts = attempts
        self.maximumAttempts = maximumAttempts
    }
}

/// A saga told in plain words: what happened, what it waits for and who owes it, and what comes next.
package struct SagaExplanation: Codable, Sendable {
    package let sagaId: SagaID
    package let state: String
    package let headline: String
    package let lines: [String]
    package let waitsFor: String?
    package let owner: String?
    package let since: Date?
    package let next: String?
    package let needsAttention: String?
    package let traceId: String?
    package let deadLetters: [DeadLetterSummary]
    /// What is wrong with the fleet now and may be why it waits; empty for a saga that waits for nothing.
    package var obstacles: [FleetFault] = []

    package init(_ history: SagaHistory<PurchaseSaga>, _ clock: SagaClock, deadLetters: [DeadLetterSummary]) {
        let saga = history.saga
        let entered = history.timeline.last { $0.from != $0.to.tag }?.at
        let wait = clock.wakeAt == nil ? nil : Wait(saga.state)
        sagaId = saga.id
        state = saga.state.tag
        headline = Self.headline(saga)
        lines = history.timeline.map { "\(WireFormat.text(of: $0.at))  \(Self.sentence($0, saga.request))" }
        waitsFor = wait?.what
        owner = wait?.owner
        since = wait == nil ? nil : entered
        next = wait.map { _ in Self.next(saga.state, history.facts, clock) }
        needsAttention = saga.needsAttention
        traceId = saga.traceID
        self.deadLetters = deadLetters.filter { $0.state == .waiting }
    }

    private static func headline(_ saga: SagaSummary<PurchaseSaga>) -> String {
        let request = saga.request
        let what = request.seats.map { "seats \($0.joined(separator: ", "))" } ?? Self.tickets(request.quantity)
        let end = saga.state.reason.map { "\(saga.state.tag), \($0)" } ?? saga.state.tag
        return "\(request.userId) buys \(what) in \(request.tier) for \(request.amount.readable): \(end)."
    }

    private static func tickets(_ count: Int) -> String { count == 1 ? "1 ticket" : "\(count) tickets" }

    private static func sentence(_ entry: JournalEntry<PurchaseSaga>, _ request: PurchaseRequest) -> String {
        switch entry.input {
        case .start: "The purchase began; the seats were asked for."
        case .reserved(let seats, let deadline):
            seats.isEmpty
                ? "The tickets were held until \(WireFormat.text(of: deadline)); \(request.amount.readable) was asked for."
                : "Seats \(seats.joined(separator: ", ")) were held until \(WireFormat.text(of: deadline)); "
                    + "\(request.amount.readable) was asked for."
        case .reservationRefused(let reason, nil): "The reservation was refused: \(reason)."
        case .reservationRefused(let reason, let left?):
            "The reservation was refused: \(reason), \(left) \(left == 1 ? "place was" : "places were") left."
        case .captured(let charge): "\(request.amount.readable) was captured as charge \(charge)."
        case .declined(let reason): "The payment was declined: \(reason)."
        case .confirmed(let tickets): "\(Self.tickets(tickets.count)) \(tickets.count == 1 ? "was" : "were") issued."
        case .confirmRefused(let reason): "The seats could not be confirmed: \(reason)."
        case .released: "The seats went back on sale."
        case .closed: "The payment was closed without a capture."
        case .refunded: "\(request.amount.readable) was given back."
        case .holdExpired: "The hold ran out."
        case .cancelRequested: "Somebody asked to cancel."
        case .refundRequested: "Somebody asked for a refund."
        case .notified: "The buyer was told."
        case .stepTimedOut: "No answer came in time; the question went out again."
        case .attemptsUsedUp: "No answer came to the last attempt; the purchase turned back."
        }
    }

    private static func next(_ state: PurchaseState, _ facts: PurchaseFacts, _ clock: SagaClock) -> String {
        let time = WireFormat.text(of: max(clock.dueAt, clock.now))
        let again = "At \(time) the watchdog asks again"
        let tries = "attempt \(clock.attempts + 1) of \(clock.maximumAttempts)"
        switch state {
        case .reserving where clock.attempts >= clock.maximumAttempts:
            return "At \(time) the purchase turns back, for its attempts are used up; a redrive gives it new ones."
        case .reserving: return "\(again) (\(tries)); after the last the purchase turns back."
        case .charging:
            let end = facts.deadline.map {
                " Past the hold's deadline \(WireFormat.text(of: $0)) the payment is closed."
            }
            return "\(again).\(end ?? "")"
        case .closing where clock.attempts >= clock.maximumAttempts:
            return "At \(time) the seats are released, for the attempts are used up; the payment goes on being closed."
        case .closing:
            return "\(again) (\(tries)); after the last the seats are released "
                + "and the payment goes on being closed."
        case .confirming, .unwinding, .completed, .refused, .refunded: return "\(again), for as long as it takes."
        }
    }
}

/// What an open saga waits for, and which process owes it.
private struct Wait {
    let what: String
    let owner: String

    private static func words(_ compensation: Compensation) -> String {
        switch compensation {
        case .release: "the seats to be given back"
        case .refund: "the money to be given back"
        case .close: "the payment to be closed"
        }
    }

    init(_ state: PurchaseState) {
        switch state {
        case .reserving: (what, owner) = ("the seats to be held", "reservation")
        case .charging: (what, owner) = ("the payment to be captured", "payment")
        case .confirming: (what, owner) = ("the tickets to be issued", "reservation")
        case .closing: (what, owner) = ("the payment to be closed", "payment")
        case .unwinding(_, let outstanding):
            what = outstanding.map(Self.words).sorted().joined(separator: " and ")
            owner = outstanding == [.release] ? "reservation" : "payment"
        case .completed, .refused, .refunded: (what, owner) = ("the buyer to be told", "notification")
        }
    }
}
