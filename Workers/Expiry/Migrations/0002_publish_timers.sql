-- What the verification reads.
CREATE VIEW timer_list AS
SELECT saga_id, subject, due_at, status
FROM timer;

DO $$ BEGIN
    CREATE ROLE turnstile_orchestrator LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

GRANT USAGE ON SCHEMA expiry TO turnstile_orchestrator;
GRANT SELECT ON timer_list TO turnstile_orchestrator;
