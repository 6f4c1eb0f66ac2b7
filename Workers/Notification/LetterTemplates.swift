import Contracts

/// Writes the letters, in English and plain text.
extension RenderedMessage {
    package init(_ command: SendNotification, for sagaID: SagaID) {
        let (subject, body) = command.text
        self.init(
            key: LetterKey(sagaID: sagaID, template: command.template), userID: command.userId, email: command.email,
            subject: subject, body: "Hello \(command.userId),\n\n\(body)\n\nPurchase \(sagaID)")
    }
}

extension SendNotification {
    fileprivate var text: (subject: String, body: String) {
        switch template {
        case .purchaseCompleted: completed
        case .purchaseRefused: refused
        case .purchaseRefunded: refunded
        }
    }

    private var completed: (subject: String, body: String) {
        let count = tickets.count == 1 ? "1 ticket" : "\(tickets.count) tickets"
        let price = amount.minor == 0 ? "They are free of charge." : "You paid \(amount.readable)."
        let list = tickets.map { "- \($0.tier)\($0.seat.map { ", seat \($0)" } ?? ""): ticket \($0.id)" }
        return (
            "Your \(count)",
            "your purchase is complete. \(price)\n\n\(list.joined(separator: "\n"))"
        )
    }

    private var refused: (subject: String, body: String) {
        (
            "Your purchase was not completed",
            "your purchase was not completed: \(explanation).\nNo money was kept, and no tickets were issued."
        )
    }

    private var refunded: (subject: String, body: String) {
        (
            "Your purchase was refunded",
            "your purchase was undone. \(amount.readable) went back to you, and its tickets are void."
        )
    }

    /// The saga's word for how it ended, in words for people; one that is not known is given as it is.
    private var explanation: String {
        switch reason {
        case "sold-out": "the tickets are sold out"
        case "seats-taken", "seats-lost": "the seats went to somebody else"
        case "unknown-tier", "unknown-seat": "what you chose is not on sale"
        case "declined": "the payment was declined"
        case "expired": "it was not paid in time"
        case "cancelled", "released": "it was cancelled"
        case "timed-out": "it took too long"
        case nil: "no reason was given"
        case .some(let other): other
        }
    }
}
