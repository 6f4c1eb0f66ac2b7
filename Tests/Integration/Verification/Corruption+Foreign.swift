import Verification

extension Corruption {
    /// What belongs to somebody or something else.
    static let foreign = [
        Corruption(
            description: "a ticket is another user's",
            sql: "UPDATE reservation.ticket SET user_id = 'eve' WHERE saga_id = \(completed)",
            promise: .ticketsFollowHolds, words: "its buyer was told of the tickets"),
        Corruption(
            description: "a ticket is for another tier",
            sql: "UPDATE reservation.ticket SET tier = 'Floor' WHERE seat = 'A-1'",
            promise: .ticketsFollowHolds, words: "its buyer was told of the tickets"),
        Corruption(
            description: "the provider would still charge behind a closed payment",
            sql: "UPDATE payment.simulated_charge SET status = 'pending' WHERE status = 'closed'",
            promise: .moneyMatchesTickets, words: "the provider says pending"),
        Corruption(
            description: "a journal calls an input what it is not",
            sql: """
                UPDATE orchestrator.saga_step SET input_name = 'refunded'
                WHERE saga_id = \(completed) AND input_name = 'confirmed'
                """,
            promise: .journalsReplay, words: "its journal calls an input what it is not"),
        Corruption(
            description: "a letter's delivery is gone",
            sql: "DELETE FROM notification.attempt WHERE saga_id = \(completed)",
            promise: .nothingIsLost, words: "and no attempt led to that"),
        Corruption(
            description: "a message of a purchase waits among the dead letters",
            sql: """
                INSERT INTO orchestrator.dead_letter (id, queue, identity, fingerprint, saga_id, reason, attempts,
                    properties, body, first_seen)
                SELECT gen_random_uuid(), 'payment.commands', sha256('x'), 'x', id, 'failed: no reason', 1,
                    '{"headers":{}}', 'x', now() FROM \(completed) s
                """,
            promise: .nothingIsLost, words: "a message to payment.commands waits", onlyWhenSettled: true),
        Corruption(
            description: "a letter went to somebody else",
            sql: "UPDATE notification.notification SET recipient = 'eve@example.com' WHERE saga_id = \(completed)",
            promise: .nothingIsLost, words: "is for another user or address"),
        Corruption(
            description: "a purchase is filed under another user",
            sql: "UPDATE orchestrator.saga SET user_id = 'eve' WHERE id = \(completed)",
            promise: .nothingIsLost, words: "it is filed under another event or user"),
        Corruption(
            description: "a charge was never asked for",
            sql: "DELETE FROM payment.attempt WHERE saga_id = \(completed)",
            promise: .moneyMatchesTickets, words: "not what the answers of the provider say"),
        Corruption(
            description: "there is more stock than was published",
            sql: "UPDATE reservation.tier SET capacity = 5 WHERE name = 'Floor'",
            promise: .stockIsConserved, words: "published with 4 places, it is stocked with 5"),
        Corruption(
            description: "a seat has another name than was published",
            sql: "UPDATE reservation.seat SET name = 'Z-9' WHERE name = 'A-3'",
            promise: .stockIsConserved, words: "its seats are not those that were published"),
        Corruption(
            description: "what a purchase asked for cannot be read",
            sql: "UPDATE orchestrator.saga SET request = 'x' WHERE id = \(completed)",
            promise: .journalsReplay, words: "what it asked for or learnt cannot be read"),
        Corruption(
            description: "what a purchase learnt cannot be read",
            sql: "UPDATE orchestrator.saga SET facts = 'x' WHERE id = \(completed)",
            promise: .journalsReplay, words: "cannot be read"),
        Corruption(
            description: "a purchase stands in a state that is none",
            sql: "UPDATE orchestrator.saga SET detail = 'completed' WHERE id = \(completed)",
            promise: .journalsReplay, words: "it stands in completed (completed)"),
    ]
}
