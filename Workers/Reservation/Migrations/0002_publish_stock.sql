-- What the verification reads: the whole stock, who holds what, and nothing that could change it.
CREATE VIEW tier_list AS
SELECT event_id, name AS tier, capacity, held, sold, is_seated, stocked
FROM tier;

CREATE VIEW hold_list AS
SELECT saga_id, event_id, tier, quantity, seats, status, deadline, created_at
FROM hold;

CREATE VIEW seat_list AS
SELECT event_id, tier, name, status, saga_id
FROM seat;

GRANT SELECT ON tier_list, hold_list, seat_list TO turnstile_orchestrator;
