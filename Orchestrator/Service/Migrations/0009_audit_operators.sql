-- What operators did, from where, what came of it, and which of the letters that they sent again came back. Rows are
-- only ever added, so that what was once shown stays so whatever becomes of the letters.
ALTER TABLE operator_action ADD COLUMN address text;

CREATE TABLE operator_result (
    action_id uuid PRIMARY KEY REFERENCES operator_action (id),
    at timestamptz NOT NULL DEFAULT now(),
    result text NOT NULL
);
CREATE TRIGGER operator_result_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON operator_result
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE dead_letter_return (
    action_id uuid NOT NULL REFERENCES operator_action (id),
    letter_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (action_id, letter_id)
);
CREATE TRIGGER dead_letter_return_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON dead_letter_return
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO dead_letter_return (action_id, letter_id)
SELECT action_id, id FROM dead_letter WHERE action_id IS NOT NULL AND state = 'waiting';

-- Letters that were sent again or dropped are kept for a while, so that they can be brought back; since when:
ALTER TABLE dead_letter ADD COLUMN ended_at timestamptz;
UPDATE dead_letter SET ended_at = now() WHERE state <> 'waiting';
ALTER TABLE dead_letter ADD CONSTRAINT dead_letter_has_ended_unless_waiting CHECK (
    (ended_at IS NULL) = (state = 'waiting'));
CREATE INDEX dead_letter_ended ON dead_letter (ended_at) WHERE state <> 'waiting';
CREATE INDEX dead_letter_dropped ON dead_letter (queue, fingerprint, id) WHERE state = 'dropped';

GRANT SELECT, INSERT ON operator_result, dead_letter_return TO turnstile_orchestrator;
GRANT DELETE ON dead_letter TO turnstile_orchestrator;

-- For the verification, which must not end at the first text that cannot be read; slow, so only where one was found.
CREATE FUNCTION readable_json(text text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN text::jsonb;
EXCEPTION WHEN data_exception THEN RETURN NULL;
END $$;
CREATE FUNCTION readable_time(text text) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN text::timestamptz;
EXCEPTION WHEN data_exception THEN RETURN NULL;
END $$;
