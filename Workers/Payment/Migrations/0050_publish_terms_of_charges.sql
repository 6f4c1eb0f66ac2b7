-- The verification also compares by which means the provider was to charge, and why it declined.
CREATE OR REPLACE VIEW provider_charge_list AS
SELECT idempotency_key, amount_minor, currency, status, method, decline_reason
FROM simulated_charge;
