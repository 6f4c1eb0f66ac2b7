-- The verification also asks whether a letter went to the buyer of its purchase, and whether each end had its attempt.
-- Names and addresses stay inside: it compares hashes.
CREATE OR REPLACE VIEW notification_list AS
SELECT saga_id, template, status, created_at, channel, attempts, delivered_at,
    hashtextextended(user_id, 0) AS user_hash, hashtextextended(recipient, 0) AS recipient_hash
FROM notification;

CREATE OR REPLACE VIEW attempt_list AS
SELECT saga_id, template, number, outcome, at, channel
FROM attempt;
