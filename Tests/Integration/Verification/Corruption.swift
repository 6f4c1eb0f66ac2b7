import OrchestratorService
import Verification

/// Something that no correct fleet leaves behind, planted in the database of one that sold tickets.
struct Corruption: Sendable, CustomStringConvertible {
    let description: String
    let sql: String
    let promise: Promise
    /// Words of the violation that say what is wrong.
    let words: String
    /// Whether it is wrong only of a fleet that had its time.
    var onlyWhenSettled = false

    static let all: [Corruption] = stock + money + journals + endings + foreign

    private static let stock = [
        Corruption(
            description: "a tier counts a place as held that nobody holds",
            sql: "UPDATE reservation.tier SET held = held + 1 WHERE name = 'Floor'",
            promise: .stockIsConserved, words: "held 1, sold 3; its holds: 0 and 3"),
        Corruption(
            description: "a tier is oversold",
            sql: """
                ALTER TABLE reservation.tier DROP CONSTRAINT tier_is_not_oversold;
                UPDATE reservation.tier SET capacity = 2 WHERE name = 'Floor'
                """,
            promise: .stockIsConserved, words: "capacity 2"),
        Corruption(
            description: "holds name a tier that is not there",
            sql: "UPDATE reservation.hold SET tier = 'Cellar' WHERE status = 'sold' AND tier = 'Floor'",
            promise: .stockIsConserved, words: "it has holds and is not there"),
        Corruption(
            description: "a sold seat belongs to somebody else",
            sql: "UPDATE reservation.seat SET saga_id = gen_random_uuid() WHERE name = 'A-1'",
            promise: .seatsHaveOneHolder, words: "which belongs to saga"),
        Corruption(
            description: "a sold seat is free again",
            sql: "UPDATE reservation.seat SET status = 'free', saga_id = NULL WHERE name = 'A-1'",
            promise: .seatsHaveOneHolder, words: "names the seat A-1, which is free"),
        Corruption(
            description: "a seat is held by a purchase that does not name it",
            sql: """
                UPDATE reservation.seat SET status = 'sold', saga_id = (
                    SELECT saga_id FROM reservation.seat WHERE name = 'A-1') WHERE name = 'A-3'
                """,
            promise: .seatsHaveOneHolder, words: "names other seats"),
        Corruption(
            description: "a ticket of a completed purchase is void",
            sql: """
                UPDATE reservation.ticket SET status = 'void' WHERE id = (
                    SELECT id FROM reservation.ticket WHERE status = 'valid' LIMIT 1)
                """,
            promise: .ticketsFollowHolds, words: "valid tickets of"),
        Corruption(
            description: "a refunded purchase keeps its tickets",
            sql: "UPDATE reservation.ticket SET status = 'valid' WHERE status = 'void'",
            promise: .ticketsFollowHolds, words: "is void, with 1 valid tickets"),
        Corruption(
            description: "two valid tickets are for one seat",
            sql: """
                DROP INDEX reservation.ticket_seat_is_sold_once;
                INSERT INTO reservation.ticket SELECT gen_random_uuid(), saga_id, event_id, tier, seat, 'eve', 'valid'
                FROM reservation.ticket WHERE seat = 'A-1'
                """,
            promise: .effectsHappenOnce, words: "it has 2 valid tickets"),
        Corruption(
            description: "a refused purchase still holds a place",
            sql: "UPDATE reservation.hold SET status = 'held' WHERE status = 'released' AND quantity > 0",
            promise: .nothingIsLost, words: "it is refused, and its hold is held"),
    ]

    static let completed = "(SELECT id FROM orchestrator.saga WHERE state = 'completed' ORDER BY id LIMIT 1)"
    private static let turnedAway = "(SELECT id FROM orchestrator.saga WHERE detail LIKE '%seats-taken%')"

    private static let money = [
        Corruption(
            description: "a completed purchase has no charge",
            sql: """
                DELETE FROM payment.charge WHERE saga_id = \(completed);
                DELETE FROM payment.simulated_charge WHERE idempotency_key = \(completed)::text
                """,
            promise: .moneyMatchesTickets, words: "it is completed, and its charge is missing"),
        Corruption(
            description: "a completed purchase was refunded",
            sql: """
                UPDATE payment.charge SET status = 'refunded' WHERE saga_id = \(completed);
                UPDATE payment.simulated_charge SET status = 'refunded', refunded_at = now()
                WHERE idempotency_key = \(completed)::text
                """,
            promise: .moneyMatchesTickets, words: "it is completed, and its charge is refunded"),
        Corruption(
            description: "a refused purchase keeps the money",
            sql: """
                INSERT INTO payment.charge (saga_id, idempotency_key, amount_minor, currency, method, status,
                    provider_id, command, command_id)
                SELECT id, id::text, 4500, 'EUR', 'sim_ok', 'captured', 'ch_x', 'charge', id FROM \(turnedAway) s;
                INSERT INTO payment.simulated_charge (idempotency_key, amount_minor, currency, method, status, captured_at)
                SELECT id::text, 4500, 'EUR', 'sim_ok', 'captured', now() FROM \(turnedAway) s
                """,
            promise: .moneyMatchesTickets, words: "it is refused, and its charge is captured"),
        Corruption(
            description: "the provider took money that the books do not know",
            sql: """
                UPDATE payment.simulated_charge SET status = 'captured', decline_reason = NULL, captured_at = now()
                WHERE status = 'declined'
                """,
            promise: .moneyMatchesTickets, words: "the books say declined"),
        Corruption(
            description: "the provider never heard of a refund",
            sql:
                "UPDATE payment.simulated_charge SET status = 'captured', refunded_at = NULL WHERE status = 'refunded'",
            promise: .moneyMatchesTickets, words: "the books say refunded 4500 EUR, the provider says captured"),
        Corruption(
            description: "another amount was charged than the price",
            sql: "UPDATE payment.charge SET amount_minor = 1 WHERE saga_id = \(completed)",
            promise: .moneyMatchesTickets, words: "its charge 1 EUR"),
        Corruption(
            description: "a purchase was charged twice",
            sql: """
                INSERT INTO payment.attempt (saga_id, operation, outcome, detail)
                VALUES (\(completed), 'charge', 'captured', 'another')
                """,
            promise: .effectsHappenOnce, words: "the provider captured it as"),
        Corruption(
            description: "a charge was forgotten",
            sql: "UPDATE payment.charge SET next_check_at = now() - interval '1 hour' WHERE saga_id = \(completed)",
            promise: .everythingEnds, words: "its charge is captured and was to be looked at"),
    ]

    private static let journals = [
        Corruption(
            description: "a journal ends too early",
            sql: """
                DELETE FROM orchestrator.saga_step WHERE (saga_id, version) = (
                    SELECT saga_id, max(version) FROM orchestrator.saga_step WHERE saga_id = \(completed) GROUP BY 1)
                """,
            promise: .journalsReplay, words: "its journal ends in"),
        Corruption(
            description: "a journal has a gap",
            sql: "DELETE FROM orchestrator.saga_step WHERE saga_id = \(completed) AND version = 2",
            promise: .journalsReplay, words: "its journal has a gap"),
        Corruption(
            description: "a journal is gone",
            sql: "DELETE FROM orchestrator.saga_step WHERE saga_id = \(completed)",
            promise: .journalsReplay, words: "it has no journal"),
        Corruption(
            description: "a journal has an input that leads elsewhere",
            sql: """
                UPDATE orchestrator.saga_step SET input = '{"captured":{"chargeID":"x"}}', input_name = 'captured'
                WHERE input_name = 'declined'
                """,
            promise: .journalsReplay, words: "its journal goes by captured to"),
        Corruption(
            description: "a journal has an input that is to be ignored",
            sql: """
                UPDATE orchestrator.saga_step SET input = '{"refunded":{}}', input_name = 'refunded'
                WHERE input_name = 'declined'
                """,
            promise: .journalsReplay, words: "which is to be ignored (impossible)"),
        Corruption(
            description: "a journal left out an effect",
            sql: "UPDATE orchestrator.saga_step SET effects = 'release' WHERE input_name = 'declined'",
            promise: .journalsReplay, words: "the effects \"release\", and a replay"),
        Corruption(
            description: "a journal counts its steps wrongly",
            sql: "UPDATE orchestrator.saga_step SET step = 7 WHERE input_name = 'declined'",
            promise: .journalsReplay, words: "counts steps wrongly"),
        Corruption(
            description: "a journal is garbage",
            sql: "UPDATE orchestrator.saga_step SET input = 'x' WHERE input_name = 'declined'",
            promise: .journalsReplay, words: "cannot be read"),
        Corruption(
            description: "a saga stands where its journal does not lead",
            sql: """
                UPDATE orchestrator.saga SET state = 'refunded', outcome = 'refunded', detail = '{"state":"refunded"}'
                WHERE id = \(completed)
                """,
            promise: .journalsReplay, words: "it stands in refunded"),
        Corruption(
            description: "a saga knows something that no input taught",
            sql: """
                UPDATE orchestrator.saga SET facts = (facts::jsonb || '{"chargeID":"y"}')::text WHERE id = \(completed)
                """,
            promise: .journalsReplay, words: "its inputs taught something else"),
        Corruption(
            description: "a saga that learnt nothing knows a charge",
            sql: """
                UPDATE orchestrator.saga SET facts = (facts::jsonb || '{"chargeID":"y"}')::text WHERE id = \(turnedAway)
                """,
            promise: .journalsReplay, words: "its inputs taught something else"),
    ]

    private static let endings = [
        Corruption(
            description: "a saga is gone",
            sql: """
                DELETE FROM orchestrator.saga_step WHERE saga_id = \(completed);
                DELETE FROM orchestrator.saga WHERE id = \(completed)
                """,
            promise: .nothingIsLost, words: "no such saga is known, and it left a hold (sold), a charge (captured)"),
        Corruption(
            description: "a saga is gone, and its journal is there",
            sql: "DELETE FROM orchestrator.saga WHERE id = \(completed)",
            promise: .nothingIsLost, words: "its journal is there and it is not"),
        Corruption(
            description: "an open saga sleeps for ever",
            sql: """
                ALTER TABLE orchestrator.saga DROP CONSTRAINT saga_open_has_a_wake_time;
                UPDATE orchestrator.saga SET outcome = NULL, wake_at = NULL WHERE id = \(completed)
                """,
            promise: .everythingEnds, words: "nobody will wake it"),
        Corruption(
            description: "nobody woke a saga",
            sql: "UPDATE orchestrator.saga SET wake_at = now() - interval '1 hour' WHERE id = \(completed)",
            promise: .everythingEnds, words: "it was to be woken at"),
        Corruption(
            description: "a finished saga still waits for its letter",
            sql: "UPDATE orchestrator.saga SET wake_at = now() + interval '1 hour', due_at = now() + interval '1 hour' "
                + "WHERE id = \(completed)",
            promise: .everythingEnds, words: "it ended as completed; it was to be woken at", onlyWhenSettled: true),
        Corruption(
            description: "a buyer was never told",
            sql: "DELETE FROM notification.notification WHERE saga_id = \(completed)",
            promise: .nothingIsLost, words: "its letter is missing"),
        Corruption(
            description: "a buyer was told twice",
            sql: """
                INSERT INTO notification.attempt (saga_id, template, number, channel, outcome)
                SELECT saga_id, template, number + 1, channel, outcome FROM notification.attempt
                WHERE saga_id = \(completed)
                """,
            promise: .effectsHappenOnce, words: "was delivered 2 times"),
        Corruption(
            description: "a timer never rang",
            sql: """
                UPDATE expiry.timer SET status = 'scheduled', ended_at = NULL, due_at = now() - interval '1 hour'
                WHERE due_at IS NOT NULL
                """,
            promise: .everythingEnds, words: "its timer hold was to ring"),
        Corruption(
            description: "a message waits in the outbox",
            sql: "INSERT INTO orchestrator.outbox VALUES (gen_random_uuid(), '', now() - interval '1 hour')",
            promise: .nothingIsLost, words: "it waits in the outbox"),
        Corruption(
            description: "a request was accepted for a purchase that is not there",
            sql: """
                INSERT INTO orchestrator.request (key, kind, fingerprint, state, subject)
                VALUES ('http:lost', 'purchase.start.v1', '', 'accepted', gen_random_uuid())
                """,
            promise: .nothingIsLost, words: "what it began is not there"),
        Corruption(
            description: "a cancel was never answered",
            sql: """
                INSERT INTO orchestrator.request (key, kind, fingerprint, state, subject, forget_at)
                VALUES ('amqp:lost', 'purchase.cancel.v1', '', 'pending', gen_random_uuid(), now() + interval '6 days')
                """,
            promise: .nothingIsLost, words: "it was never answered"),
        Corruption(
            description: "an event is on sale without stock",
            sql: "UPDATE orchestrator.event SET is_stocked = false, created_at = now() - interval '1 hour'",
            promise: .nothingIsLost, words: "its stock has not all arrived"),
    ]
}
