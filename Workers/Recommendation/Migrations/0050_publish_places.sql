-- What the verification compares with the published events.
CREATE VIEW place_list AS
SELECT event_id, name, starts_at, venue_name, city, latitude, longitude
FROM place;

GRANT SELECT ON place_list TO turnstile_orchestrator, turnstile_recommendation;
