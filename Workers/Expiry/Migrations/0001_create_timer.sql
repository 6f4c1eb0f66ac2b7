-- Timers that ring once. A cancel that comes before its schedule leaves a row without a time: a tombstone.
-- Every timer is updated once or twice, so pages leave room for the new version.
CREATE TABLE timer (
    saga_id uuid NOT NULL,
    subject text NOT NULL,
    due_at timestamptz,
    -- What the reply echoes of the schedule command; its id makes the reply's id.
    step int,
    command_id uuid,
    traceparent text,
    status text NOT NULL CONSTRAINT timer_status_is_known CHECK (status IN ('scheduled', 'cancelled', 'fired')),
    -- Until then one replica is publishing the reply and the others look away.
    claimed_until timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (saga_id, subject),
    CONSTRAINT timer_has_a_time_or_is_a_tombstone CHECK (
        status = 'cancelled' OR num_nulls(due_at, command_id) = 0),
    CONSTRAINT timer_has_an_end_unless_scheduled CHECK ((ended_at IS NULL) = (status = 'scheduled'))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

-- Only live timers are in it, in the order in which they ring: a look costs the same with ten as with a million.
CREATE INDEX timer_due ON timer (due_at) WHERE status = 'scheduled';

-- Which messages were handled, and the replies that are sent again when one comes again.
CREATE TABLE inbox (
    message_id uuid PRIMARY KEY,
    replies text NOT NULL,
    handled_at timestamptz NOT NULL DEFAULT now()
);

GRANT USAGE ON SCHEMA expiry TO turnstile_expiry;
GRANT SELECT, INSERT, DELETE ON timer TO turnstile_expiry;
GRANT UPDATE (status, claimed_until, ended_at) ON timer TO turnstile_expiry;
GRANT SELECT, INSERT ON inbox TO turnstile_expiry;
