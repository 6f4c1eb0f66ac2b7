-- One row per saga. Between its start and its outcome only columns without an index change, so that every step is
-- a heap-only update; wake_at is a lower bound of due_at for the same reason. What SQL never looks into on the way
-- of a purchase is JSON as text: parsing it into jsonb costs more than the rest of the row.
CREATE TABLE saga (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    version int NOT NULL,
    step int NOT NULL,
    state text NOT NULL,
    detail text NOT NULL,
    facts text NOT NULL,
    request text NOT NULL,
    outcome text,
    intent text,
    start_key text,
    fingerprint bytea,
    event_id uuid,
    user_id text,
    wake_at timestamptz,
    due_at timestamptz NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    needs_attention text,
    traceparent text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT saga_state_is_known CHECK (kind <> 'purchase' OR state IN (
        'reserving', 'charging', 'confirming', 'closing', 'unwinding', 'completed', 'refused', 'refunded')),
    CONSTRAINT saga_outcome_is_its_state CHECK (outcome IS NULL OR outcome = state),
    CONSTRAINT saga_open_has_a_wake_time CHECK (outcome IS NOT NULL OR wake_at IS NOT NULL),
    CONSTRAINT saga_intent_ends_with_it CHECK (outcome IS NULL OR intent IS NULL)
) WITH (fillfactor = 70);

CREATE UNIQUE INDEX saga_one_per_start_key ON saga (start_key) WHERE start_key IS NOT NULL;
CREATE UNIQUE INDEX saga_one_open_per_intent ON saga (intent) WHERE intent IS NOT NULL;
CREATE INDEX saga_by_wake_time ON saga (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX saga_by_outcome ON saga (outcome, id);
CREATE INDEX saga_by_event ON saga (event_id, id);
CREATE INDEX saga_by_user ON saga (user_id, id);

-- The journal: every input that was taken, in order. It is the inbox of the orchestrator and the saga's history.
CREATE TABLE saga_step (
    saga_id uuid NOT NULL,
    version int NOT NULL,
    message_id uuid NOT NULL,
    input_name text NOT NULL,
    input text NOT NULL,
    from_state text,
    to_state text NOT NULL,
    detail text NOT NULL,
    step int NOT NULL,
    effects text NOT NULL,
    at timestamptz NOT NULL,
    traceparent text,
    PRIMARY KEY (saga_id, version),
    CONSTRAINT saga_step_once_per_message UNIQUE (message_id)
);

CREATE TABLE event (
    id uuid PRIMARY KEY,
    body jsonb NOT NULL,
    start_key text,
    fingerprint bytea,
    is_stocked boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX event_one_per_start_key ON event (start_key) WHERE start_key IS NOT NULL;
CREATE INDEX event_not_stocked ON event (created_at) WHERE NOT is_stocked;

-- Messages that follow from no message: what an HTTP request changed in the catalogue.
CREATE TABLE outbox (
    message_id uuid PRIMARY KEY,
    message text NOT NULL,
    claimed_until timestamptz NOT NULL DEFAULT '-infinity'
);

GRANT USAGE ON SCHEMA orchestrator TO turnstile_orchestrator;
GRANT SELECT, INSERT, UPDATE ON saga, event TO turnstile_orchestrator;
GRANT SELECT, INSERT ON saga_step TO turnstile_orchestrator;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO turnstile_orchestrator;
GRANT SELECT ON migration TO turnstile_orchestrator;
