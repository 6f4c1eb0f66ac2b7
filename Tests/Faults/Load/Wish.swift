import Contracts
import Foundation

/// What one buyer wants and how the payment goes, by the buyer's number: every fate comes by in turn.
struct Wish: Sendable {
    enum Afterwards: Sendable { case nothing, cancel, refund, askAgain }

    let user: String
    let key: String
    let body: Data
    let afterwards: Afterwards

    init(number: Int, session: String, hall: Halls) {
        user = "\(session)-\(number)"
        key = "\(session)-key-\(number)"
        var fields: [String: Any] = ["userId": user, "eventId": hall.floor.description, "tier": "Floor"]
        fields["quantity"] = 1 + number % 3
        var afterwards = Afterwards.nothing
        switch number % 20 {
        case 10: fields["paymentMethod"] = "sim_declined"
        case 11: fields["paymentMethod"] = "sim_timeout_after_charge"
        case 12: fields["paymentMethod"] = "sim_flaky"
        case 13: fields["paymentMethod"] = "sim_slow:500"
        case 14:
            fields["paymentMethod"] = "sim_late"
            fields["holdSeconds"] = 2
        case 15:
            fields["paymentMethod"] = "sim_never"
            afterwards = .cancel
        case 16: afterwards = .refund
        case 17: afterwards = .askAgain
        case 18: fields.merge(["eventId": hall.seated.description, "tier": "Hall"]) { $1 }
        case 19: fields.merge(["eventId": hall.small.description, "tier": "Box", "holdSeconds": 3]) { $1 }
        default: break
        }
        self.afterwards = afterwards
        do {
            body = try JSONSerialization.data(withJSONObject: fields)
        } catch {
            preconditionFailure("a wish is always JSON: \(error)")
        }
    }
}

/// The events that buyers of one fault go to: one that never sells out, one with seats, one that sells out.
struct Halls: Sendable {
    let floor: EventID
    let seated: EventID
    let small: EventID
}
