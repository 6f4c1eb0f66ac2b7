-- Dead letters, taken from their queues so that operators can group, show, replay and drop them.
CREATE TABLE dead_letter (
    id uuid PRIMARY KEY,
    queue text NOT NULL,
    -- What makes a message that comes back the same letter: a hash of its message id and body.
    identity bytea NOT NULL,
    fingerprint text NOT NULL,
    kind text,
    message_id text,
    saga_id uuid,
    reason text NOT NULL,
    attempts int NOT NULL,
    times int NOT NULL DEFAULT 1,
    properties text NOT NULL,
    body bytea NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    action_id uuid,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT dead_letter_once_per_message UNIQUE (queue, identity),
    CONSTRAINT dead_letter_state_is_known CHECK (state IN ('waiting', 'replayed', 'dropped'))
);
CREATE INDEX dead_letter_waiting ON dead_letter (queue, fingerprint, id) WHERE state = 'waiting';
CREATE INDEX dead_letter_by_saga ON dead_letter (saga_id) WHERE saga_id IS NOT NULL;
CREATE INDEX dead_letter_by_action ON dead_letter (action_id) WHERE action_id IS NOT NULL;

-- What operators did, for ever.
CREATE TABLE operator_action (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    operator text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    letters int NOT NULL,
    reason text
);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what operators did is never changed';
END $$;
CREATE TRIGGER operator_action_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON operator_action
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE INDEX saga_needing_attention ON saga (id) WHERE needs_attention IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON dead_letter TO turnstile_orchestrator;
GRANT SELECT, INSERT ON operator_action TO turnstile_orchestrator;
