/// The columns that may be changed by hand without a verification seeing it, each with the reason.
///
/// `*.inbox.*` stands for a table in every schema.
enum Unseen {
    static let columns: [String: String] = [
        "*.migration.*": "turnstile migrate and turnstile doctor compare it with the program's own",
        "*.inbox.*": "it only keeps repeats out, and what was answered is in the journal",

        "orchestrator.saga.due_at": "of a purchase that waits for nothing it means nothing",
        "orchestrator.saga.attempts": "of a purchase that waits for nothing it means nothing",
        "orchestrator.saga.traceparent": "it leads to log lines and decides nothing",
        "orchestrator.saga.created_at": "it is only shown",
        "orchestrator.saga.updated_at": "it is only shown",
        "orchestrator.saga_step.message_id": "it only keeps repeats out",
        "orchestrator.saga_step.at": "it is only shown",
        "orchestrator.saga_step.traceparent": "it leads to log lines and decides nothing",
        "orchestrator.event.start_key": "only the client knows its key",
        "orchestrator.event.fingerprint": "what the client sent is not kept beside its hash",
        "orchestrator.event.created_at": "it is only shown",
        "orchestrator.event.places_due_at": "it says when the recommendations are told again, if they must be",
        "orchestrator.request.key": "only the client knows its key",
        "orchestrator.request.kind": "what the client sent is not kept beside its hash",
        "orchestrator.request.fingerprint": "what the client sent is not kept beside its hash",
        "orchestrator.request.forget_at": "an accepted start is kept for ever, whatever stands here later",

        "reservation.tier.version": "it only orders the hints in Redis",
        "reservation.ticket.issued_at": "it is only shown",

        "payment.charge.attempts": "of a finished charge it means nothing",
        "payment.charge.command": "of a finished charge it means nothing",
        "payment.charge.command_id": "of a finished charge it means nothing",
        "payment.charge.step": "of a finished charge it means nothing",
        "payment.charge.traceparent": "it leads to log lines and decides nothing",
        "payment.charge.created_at": "it is only shown",
        "payment.charge.updated_at": "it is only shown",
        "payment.attempt.at": "it is only shown",
        "payment.attempt.operation": "a capture is an answer to a charge and to a close alike",
        "payment.simulated_charge.calls": "it is the simulated provider's own",
        "payment.simulated_charge.captures_on_call": "it is the simulated provider's own",
        "payment.simulated_charge.captures_at": "it is the simulated provider's own",
        "payment.simulated_charge.captures_when_closed": "it is the simulated provider's own",
        "payment.simulated_charge.captured_at": "it is the simulated provider's own",
        "payment.simulated_charge.created_at": "it is the simulated provider's own",

        "notification.notification.subject": "it is the first line of a letter that has gone",
        "notification.notification.attempts": "an attempt may have been begun and never ended",
        "notification.notification.claimed_by": "of a letter that has gone it means nothing",
        "notification.notification.claimed_until": "of a letter that has gone it means nothing",
        "notification.notification.created_at": "it is only shown",
        "notification.attempt.detail": "it is only shown",

        "expiry.timer.due_at": "of a timer that will not ring it means nothing",
        "expiry.timer.step": "of a timer that will not ring it means nothing",
        "expiry.timer.command_id": "of a timer that will not ring it means nothing",
        "expiry.timer.traceparent": "it leads to log lines and decides nothing",
        "expiry.timer.status": "cancelled and fired both say that it will not ring",
        "expiry.timer.claimed_until": "of a timer that will not ring it means nothing",
        "expiry.timer.ended_at": "it is only shown",

        "recommendation.place.published_at": "it only keeps older news from overwriting newer",
        "recommendation.interest.*": "a taste that was added up; nothing is promised of it",

        "orchestrator.dead_letter.queue": "a stranger's message, which is known from nowhere else",
        "orchestrator.dead_letter.fingerprint": "a stranger's message, which is known from nowhere else",
        "orchestrator.dead_letter.kind": "a stranger's message, which is known from nowhere else",
        "orchestrator.dead_letter.saga_id": "a stranger's message, which is known from nowhere else",
        "orchestrator.dead_letter.reason": "a stranger's message, which is known from nowhere else",
        "orchestrator.dead_letter.attempts": "a stranger's message, which is known from nowhere else",
        "orchestrator.dead_letter.times": "a stranger's message, which is known from nowhere else",
        "orchestrator.dead_letter.properties": "a stranger's message, which is known from nowhere else",
        "orchestrator.dead_letter.state": "a stranger's message may wait, also when everything else is done",
        "orchestrator.dead_letter.action_id": "a stranger's message, which is known from nowhere else",
        "orchestrator.dead_letter.first_seen": "it is only shown",
        "orchestrator.dead_letter.last_seen": "it is only shown",
        "orchestrator.dead_letter.id": "it only names the letter",
        "orchestrator.dead_letter.ended_at": "it only says how long the letter is kept",
        "orchestrator.sales_pause.*": "an operator's wish; the audit says who had it and when",
    ]

    /// Tables that a fleet at rest may have nothing in.
    static let empty: Set<String> = [
        "orchestrator.outbox", "orchestrator.dead_letter_return", "orchestrator.undelivered_answer",
        "recommendation.interest",
    ]
}
