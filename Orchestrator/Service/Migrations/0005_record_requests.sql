-- Requests by the ids that their senders chose, of whatever kind: an id is one request's, and its first answer stands.
-- A purchase or event that began is here for ever; what began nothing has a time after which it is forgotten.
CREATE TABLE request (
    key text PRIMARY KEY,
    kind text NOT NULL,
    fingerprint bytea NOT NULL,
    state text NOT NULL,
    -- The saga or event that the request began or is about.
    subject uuid,
    problem text,
    forget_at timestamptz,
    CONSTRAINT request_state_is_known CHECK (state IN ('pending', 'accepted', 'rejected')),
    CONSTRAINT request_rejected_has_its_problem CHECK ((state = 'rejected') = (problem IS NOT NULL))
);
CREATE INDEX request_to_forget ON request (forget_at) WHERE forget_at IS NOT NULL;

INSERT INTO request (key, kind, fingerprint, state, subject)
SELECT start_key, 'purchase.start.v1', coalesce(fingerprint, ''), 'accepted', id FROM saga WHERE start_key IS NOT NULL;
INSERT INTO request (key, kind, fingerprint, state, subject)
SELECT start_key, 'event.publish.v1', coalesce(fingerprint, ''), 'accepted', id FROM event WHERE start_key IS NOT NULL
ON CONFLICT DO NOTHING;
-- A cancel that was taken, as if it were asked again: the fingerprint is that of its body.
INSERT INTO request (key, kind, fingerprint, state, subject, forget_at)
SELECT 'amqp:' || message_id, 'purchase.cancel.v1', sha256(convert_to('{"sagaId":"' || saga_id || '"}', 'UTF8')),
    'accepted', saga_id, now() + interval '7 days'
FROM saga_step WHERE input_name = 'cancel-requested' AND at > now() - interval '7 days'
ON CONFLICT DO NOTHING;

DROP INDEX saga_one_per_start_key;
ALTER TABLE saga DROP COLUMN start_key, DROP COLUMN fingerprint;

GRANT SELECT, INSERT, UPDATE, DELETE ON request TO turnstile_orchestrator;
