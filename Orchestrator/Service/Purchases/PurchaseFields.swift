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
        "name": .value, "startsAt": .value,
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

    /// A character is a code point, so that no text is longer than it counts.
    mutating func requireText(_ text: String, _ pointer: String, upTo limit: Int) {
        require(
            (1...limit).contains(text.unicodeScalars.count)
                && !text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F },
            pointer, "must have 1 to \(limit) characters, none of them control characters")
    }

    func finish() throws(Problem) {
        guard mistakes.isEmpty else { throw .invalid(mistakes) }
    }
}
