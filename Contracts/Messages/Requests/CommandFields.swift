import FoundationEssentials
import WireJSON

extension StartPurchase {
    package static let fields = FieldTree.object(
        [
            "userId": .of(String.self), "eventId": .of(EventID.self), "tier": .of(String.self),
            "quantity": .of(Int.self), "seats": .list(.of(String.self)), "paymentMethod": .of(String.self),
            "email": .of(String.self), "holdSeconds": .of(Int.self),
        ], required: ["userId", "eventId"], alternatives: ["quantity", "seats"])
}

extension CancelPurchase {
    package static let fields = FieldTree.object(["sagaId": .of(SagaID.self)], required: ["sagaId"])
}

extension PublishEvent {
    package static let fields = FieldTree.object(
        [
            "name": .of(String.self), "startsAt": .of(Date.self), "endsAt": .of(Date.self), "venue": venue,
            "tiers": .list(tier),
        ], required: ["name", "startsAt", "venue", "tiers"])

    private static let venue = FieldTree.object(
        [
            "name": .of(String.self), "city": .of(String.self), "latitude": .of(Double.self),
            "longitude": .of(Double.self),
        ], required: ["name", "city", "latitude", "longitude"])

    private static let tier = FieldTree.object(
        [
            "name": .of(String.self), "price": price, "capacity": .of(Int.self), "seats": .list(.of(String.self)),
        ], required: ["name", "price", "capacity"])

    private static let price = FieldTree.object(
        ["currency": .of(String.self), "minor": .of(Int64.self)], required: ["currency", "minor"])
}

extension Inspection {
    package mutating func requireText(_ text: String, _ pointer: @autoclosure () -> String, upTo limit: Int) {
        require(TextRule.fits(text, upTo: limit), pointer(), TextRule.demand(upTo: limit))
    }
}
