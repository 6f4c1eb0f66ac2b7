import Contracts
import FleetRuntime
import FoundationEssentials

/// What one saga left in every schema, for judging whether it fits together.
struct Reconciliation: Sendable, Equatable {
    struct Saga: Sendable, Equatable {
        let version: Int
        let state: String
        let isOver: Bool
        /// Whether nothing more is awaited, not even its letter.
        let isSettled: Bool
        /// Nil when what it asked for or learnt cannot be read.
        let terms: SagaTerms?
    }

    /// What a saga says of what it left elsewhere.
    struct SagaTerms: Sendable, Equatable {
        let hold: String
        let charge: String
        let chargeID: String?
        let letter: String
        let tickets: String
        let isFiledRightly: Bool
    }

    struct Hold: Sendable, Equatable {
        let status: String
        /// Nil for the tombstone of a release that came before its reserve.
        let terms: String?
    }

    struct Charge: Sendable, Equatable {
        let status: String
        /// Nil for a payment that was closed before anybody asked for it.
        let terms: String?
        let providerID: String?
        /// Whether the payment worker has asked and answered everything.
        let isFinished: Bool
    }

    struct Letter: Sendable, Equatable {
        let status: String
        let terms: String
    }

    var saga: Saga?
    var hold: Hold?
    var charge: Charge?
    /// By template.
    var letters: [String: Letter] = [:]
    var tickets = ""
    /// What each timer is about.
    var timers: [String] = []
}

extension Reconciliation {
    /// What does not fit, by the state in which the saga ended; of an open one only what must never be.
    func violations(of id: SagaID, settled: Bool) -> [Violation] {
        guard let saga else { return orphan.map { [Violation(.nothingIsLost, saga: id, $0)] } ?? [] }
        guard let terms = saga.terms else {
            return [Violation(.journalsReplay, saga: id, "what it asked for or learnt cannot be read")]
        }
        let always = disagreements(with: terms, id)
        guard saga.isOver else { return always + whileOpen(saga, id) }
        let atTheEnd = always + issued(terms, id)
        switch saga.state {
        case "completed": return atTheEnd + completed(terms, id) + letter("purchase-completed", saga, id)
        case "refused": return atTheEnd + refused(id, settled: settled) + letter("purchase-refused", saga, id)
        case "refunded": return atTheEnd + refunded(id) + letter("purchase-refunded", saga, id)
        default: return [Violation(.everythingEnds, saga: id, "it ended in the state \(saga.state)")]
        }
    }

    /// What another schema says of the saga than it says itself, whatever its state.
    private func disagreements(with terms: SagaTerms, _ id: SagaID) -> [Violation] {
        var found: [Violation] = []
        if !terms.isFiledRightly {
            found.append(.init(.nothingIsLost, saga: id, "it is filed under another event or user than it asked for"))
        }
        if let held = hold?.terms, held != terms.hold {
            found.append(.init(.ticketsFollowHolds, saga: id, "it asked for \(terms.hold), and its hold is \(held)"))
        }
        if let charged = charge?.terms, charged != terms.charge {
            found.append(
                .init(.moneyMatchesTickets, saga: id, "its price is \(terms.charge), its charge \(charged)"))
        }
        if let chargeID = terms.chargeID, let charge, chargeID != charge.providerID {
            found.append(
                .init(
                    .moneyMatchesTickets, saga: id,
                    "it was paid by \(chargeID), and its charge is known to the provider as \(charge.providerID ?? "none")"
                ))
        }
        for (template, letter) in letters.sorted(by: { $0.key < $1.key }) where letter.terms != terms.letter {
            found.append(
                .init(.nothingIsLost, saga: id, "its letter \(template) is for another user or address than its own"))
        }
        for timer in timers where timer != "hold" {
            found.append(.init(.nothingIsLost, saga: id, "it has the timer \(timer), which no purchase sets"))
        }
        return found
    }

    private func issued(_ terms: SagaTerms, _ id: SagaID) -> [Violation] {
        guard tickets != terms.tickets else { return [] }
        return [
            Violation(
                .ticketsFollowHolds, saga: id,
                "its buyer was told of the tickets [\(terms.tickets)], and there are [\(tickets)]")
        ]
    }

    private var orphan: String? {
        let traces = [
            hold.map { "a hold (\($0.status))" }, charge.map { "a charge (\($0.status))" },
            letters.isEmpty ? nil : "letters", timers.isEmpty ? nil : "a timer", tickets.isEmpty ? nil : "tickets",
        ].compactMap(\.self)
        return traces.isEmpty ? nil : "no such saga is known, and it left " + traces.joined(separator: ", ")
    }

    private func whileOpen(_ saga: Saga, _ id: SagaID) -> [Violation] {
        guard saga.state == "confirming", hold?.status != "held", hold?.status != "sold" else { return [] }
        return [
            Violation(
                .nothingIsLost, saga: id, "it is paid for and being confirmed, and its hold is \(status(of: hold))")
        ]
    }

    private func completed(_ terms: SagaTerms, _ id: SagaID) -> [Violation] {
        var found: [Violation] = []
        if charge?.status != "captured" {
            found.append(
                .init(.moneyMatchesTickets, saga: id, "it is completed, and its charge is \(status(of: charge))"))
        }
        if hold?.status != "sold" {
            found.append(.init(.moneyMatchesTickets, saga: id, "it is completed, and its hold is \(status(of: hold))"))
        }
        if terms.chargeID == nil {
            found.append(.init(.moneyMatchesTickets, saga: id, "it is completed, and knows no charge"))
        }
        return found
    }

    private func refused(_ id: SagaID, settled: Bool) -> [Violation] {
        var found: [Violation] = []
        switch charge?.status {
        case nil, "declined", "closed", "refunded": break
        case .some where charge?.isFinished == false && !settled: break
        case .some(let status):
            found.append(.init(.moneyMatchesTickets, saga: id, "it is refused, and its charge is \(status)"))
        }
        if let hold, hold.status != "released" {
            found.append(.init(.nothingIsLost, saga: id, "it is refused, and its hold is \(hold.status)"))
        }
        return found
    }

    private func refunded(_ id: SagaID) -> [Violation] {
        var found: [Violation] = []
        if charge?.status != "refunded" {
            found.append(
                .init(.moneyMatchesTickets, saga: id, "it is refunded, and its charge is \(status(of: charge))"))
        }
        if hold?.status != "void" {
            found.append(.init(.moneyMatchesTickets, saga: id, "it is refunded, and its hold is \(status(of: hold))"))
        }
        return found
    }

    private func letter(_ template: String, _ saga: Saga, _ id: SagaID) -> [Violation] {
        guard saga.isSettled, !["delivered", "failed"].contains(letters[template]?.status) else { return [] }
        return [
            Violation(
                .nothingIsLost, saga: id,
                "it awaits nothing, and its letter is \(letters[template]?.status ?? "missing")")
        ]
    }

    private func status(of hold: Hold?) -> String { hold?.status ?? "missing" }
    private func status(of charge: Charge?) -> String { charge?.status ?? "missing" }
}
