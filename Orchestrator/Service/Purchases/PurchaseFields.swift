import Contracts
import FoundationEssentials

extension StartPurchase {
    static let fields = FieldTree.object([
        "userId": .value, "eventId": .value, "tier": .value, "quantity": .value, "seats": .list(.value),
        "paymentMethod": .value, "email": .value, "holdSeconds": .value,
    ])
}

extension CancelPurchase {
    static let fields = FieldTree.object(["sagaId": .value])
}

extension PublishEvent {
    static let fields = FieldTree.object([
        "name": .value, "startsAt": .value, "endsAt": .value,
        "venue": .object(["name": .value, "city": .value, "latitude": .value, "longitude": .value]),
        "tiers": .list(
            .object([
                "name": .value, "price": .object(["currency": .value, "minor": .value]), "capacity": .value,
                "seats": .list(.value),
            ])),
    ])
}

/// Gathers what breaks a rule, each with its place.
struct Inspection {
    private(set) var mistakes: [Problem.Mistake] = []

    mutating func require(_ condition: Bool, _ pointer: String, _ detail: @autoclosure () -> String) {
        if !condition { mistakes.append(Problem.Mistake(pointer: pointer, detail: detail())) }
    }

    mutating func requireText(_ text: String, _ pointer: String, upTo limit: Int) {
        require(TextRule.fits(text, upTo: limit), pointer, TextRule.demand(upTo: limit))
    }

    func finish() throws(Problem) {
        guard mistakes.isEmpty else { throw .invalid(mistakes) }
    }
}
