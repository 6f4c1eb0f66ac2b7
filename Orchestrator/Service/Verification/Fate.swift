import Contracts
import FoundationEssentials

/// What one saga left in every schema, for judging whether it fits together.
struct Fate: Sendable, Equatable {
    struct Saga: Sendable, Equatable {
        let version: Int
        let state: String
        let isOver: Bool
        /// Whether nothing more is awaited, not even its letter.
        let isSettled: Bool
        let quantity: Int
        let amount: Int
        let currency: String
    }

    struct Hold: Sendable, Equatable {
        let status: String
        let quantity: Int
    }

    struct Charge: Sendable, Equatable {
        let status: String
        let amount: Int
        let currency: String
        /// Whether the payment worker has asked and answered everything.
        let isFinished: Bool
    }

    var saga: Saga?
    var hold: Hold?
    var charge: Charge?
    /// Template and status of each letter.
    var letters: [String: String] = [:]
    var hasTimer = false
}

extension Fate {
    /// What does not fit, by the state in which the saga ended; of an open one only what must never be.
    func violations(of id: SagaID, settled: Bool) -> [Violation] {
        guard let saga else { return orphan.map { [Violation(.nothingIsLost, saga: id, $0)] } ?? [] }
        guard saga.isOver else { return whileOpen(saga, id) }
        switch saga.state {
        case "completed": return completed(saga, id) + letter("purchase-completed", saga, id)
        case "refused": return refused(id, settled: settled) + letter("purchase-refused", saga, id)
        case "refunded": return refunded(saga, id) + letter("purchase-refunded", saga, id)
        default: return [Violation(.everythingEnds, saga: id, "it ended in the state \(saga.state)")]
        }
    }

    private var orphan: String? {
        let traces = [
            hold.map { "a hold (\($0.status))" }, charge.map { "a charge (\($0.status))" },
            letters.isEmpty ? nil : "letters", hasTimer ? "a timer" : nil,
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

    private func completed(_ saga: Saga, _ id: SagaID) -> [Violation] {
        var found: [Violation] = []
        if charge?.status != "captured" {
            found.append(
                .init(.moneyMatchesTickets, saga: id, "it is completed, and its charge is \(status(of: charge))"))
        }
        found += terms(saga, id)
        if hold != Hold(status: "sold", quantity: saga.quantity) {
            found.append(
                .init(
                    .moneyMatchesTickets, saga: id,
                    "it is completed with \(saga.quantity) places, and its hold is \(status(of: hold))"))
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

    private func refunded(_ saga: Saga, _ id: SagaID) -> [Violation] {
        var found: [Violation] = []
        if charge?.status != "refunded" {
            found.append(
                .init(.moneyMatchesTickets, saga: id, "it is refunded, and its charge is \(status(of: charge))"))
        }
        found += terms(saga, id)
        if hold?.status != "void" {
            found.append(.init(.moneyMatchesTickets, saga: id, "it is refunded, and its hold is \(status(of: hold))"))
        }
        return found
    }

    private func terms(_ saga: Saga, _ id: SagaID) -> [Violation] {
        guard let charge, (charge.amount, charge.currency) != (saga.amount, saga.currency) else { return [] }
        return [
            Violation(
                .moneyMatchesTickets, saga: id,
                "its price is \(saga.amount) \(saga.currency), its charge \(charge.amount) \(charge.currency)")
        ]
    }

    private func letter(_ template: String, _ saga: Saga, _ id: SagaID) -> [Violation] {
        guard saga.isSettled, !["delivered", "failed"].contains(letters[template]) else { return [] }
        return [
            Violation(
                .nothingIsLost, saga: id, "it awaits nothing, and its letter is \(letters[template] ?? "missing")")
        ]
    }

    private func status(of hold: Hold?) -> String { hold.map { "\($0.status) with \($0.quantity)" } ?? "missing" }
    private func status(of charge: Charge?) -> String { charge?.status ?? "missing" }
}
