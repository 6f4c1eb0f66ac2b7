-- What lists show of an event: its body without the names of its seats, of which there may be a hundred thousand.
-- PostgreSQL makes it from the body, so that the two cannot differ, and a list never reads the body.
CREATE FUNCTION event_card(body jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT (body - 'tiers') || jsonb_build_object('tiers', (
        SELECT coalesce(jsonb_agg(
            (tier - 'seats') || jsonb_build_object('isSeated', coalesce(jsonb_typeof(tier -> 'seats') = 'array', false))
            ORDER BY number), '[]')
        FROM jsonb_array_elements(body -> 'tiers') WITH ORDINALITY AS tiers (tier, number)))
$$;

ALTER TABLE event ADD COLUMN card jsonb NOT NULL GENERATED ALWAYS AS (event_card(body)) STORED;
