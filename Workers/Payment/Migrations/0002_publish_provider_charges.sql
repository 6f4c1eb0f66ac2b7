-- What the verification compares the books with: the simulated provider's own memory, and every question put to it.
CREATE VIEW provider_charge_list AS
SELECT idempotency_key, amount_minor, currency, status
FROM simulated_charge;

CREATE VIEW attempt_list AS
SELECT saga_id, operation, outcome, detail, at
FROM attempt;

GRANT SELECT ON provider_charge_list, attempt_list TO turnstile_orchestrator;
