-- Where operators have stopped selling. No row, no pause.
CREATE TABLE sales_pause (
    -- NULL stands for all events.
    event_id uuid,
    reason text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    action_id uuid NOT NULL REFERENCES operator_action (id),
    CONSTRAINT sales_pause_once UNIQUE NULLS NOT DISTINCT (event_id)
);

GRANT SELECT, INSERT, DELETE ON sales_pause TO turnstile_orchestrator;
