-- What the verification reads: which letters there are and how each attempt ended, without names and addresses.
CREATE VIEW notification_list AS
SELECT saga_id, template, status, created_at
FROM notification;

CREATE VIEW attempt_list AS
SELECT saga_id, template, number, outcome, at
FROM attempt;

DO $$ BEGIN
    CREATE ROLE turnstile_orchestrator LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

GRANT USAGE ON SCHEMA notification TO turnstile_orchestrator;
GRANT SELECT ON notification_list, attempt_list TO turnstile_orchestrator;
