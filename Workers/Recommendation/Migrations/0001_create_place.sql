-- Where events take place, what users like, and the answer to what is on nearby.

-- `cube` is a trusted extension: the owner of the database may create it.
CREATE EXTENSION IF NOT EXISTS cube SCHEMA public;

-- The point on a sphere of the Earth's mean radius, in kilometres from its centre: no seam at 180 degrees, no poles.
-- Unlike `ll_to_earth` of earthdistance it names its functions for good, so a dump can be restored whatever the
-- search path says.
CREATE FUNCTION point_on_earth(latitude double precision, longitude double precision) RETURNS cube
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN cube(ARRAY[
    6371.0088 * cos(radians(latitude)) * cos(radians(longitude)),
    6371.0088 * cos(radians(latitude)) * sin(radians(longitude)),
    6371.0088 * sin(radians(latitude))]);

CREATE TABLE place (
    event_id uuid PRIMARY KEY,
    name text NOT NULL,
    starts_at timestamptz NOT NULL,
    venue_name text NOT NULL,
    city text NOT NULL,
    latitude double precision NOT NULL
        CONSTRAINT place_latitude_is_on_earth CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision NOT NULL
        CONSTRAINT place_longitude_is_on_earth CHECK (longitude BETWEEN -180 AND 180),
    location cube NOT NULL GENERATED ALWAYS AS (point_on_earth(latitude, longitude)) STORED,
    -- When the news was published: older news does not overwrite newer.
    published_at timestamptz NOT NULL
);

CREATE INDEX place_location ON place USING gist (location);

CREATE TABLE interest (
    user_id text NOT NULL,
    event_id uuid NOT NULL,
    weight int NOT NULL CONSTRAINT interest_has_weight CHECK (weight > 0),
    PRIMARY KEY (user_id, event_id)
);

-- Which messages were handled, and the replies that are sent again when one comes again.
CREATE TABLE inbox (
    message_id uuid PRIMARY KEY,
    replies text NOT NULL,
    handled_at timestamptz NOT NULL DEFAULT now()
);

CREATE TYPE nearby_event AS (
    event_id uuid,
    name text,
    starts_at timestamptz,
    venue_name text,
    city text,
    latitude double precision,
    longitude double precision,
    distance_km double precision
);

-- The way over the Earth's surface that belongs to a straight way through it, and the other way round.
CREATE FUNCTION arc_km(chord_km double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 12742.0176::double precision * asin(least(1, chord_km / 12742.0176::double precision));

CREATE FUNCTION chord_km(arc_km double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 12742.0176::double precision * sin(least(arc_km / 12742.0176::double precision, pi() / 2));

-- The events around a point: those to come before those that have begun, the nearest first, at most 200.
-- The index yields places by distance within a cube around the point, a metre wider than the radius, so that rounding
-- loses nobody; it stops at the limit. Without bitmaps even the whole world costs only what is returned.
CREATE FUNCTION events_near(
    latitude double precision, longitude double precision, radius_km double precision, max_rows int
) RETURNS SETOF nearby_event
LANGUAGE sql STABLE STRICT SECURITY DEFINER
SET search_path = recommendation, pg_temp SET enable_bitmapscan = off
BEGIN ATOMIC
    SELECT near.event_id, near.name, near.starts_at, near.venue_name, near.city, near.latitude, near.longitude,
        near.distance_km
    FROM (SELECT point_on_earth(events_near.latitude, events_near.longitude) AS location) AS here
    CROSS JOIN (VALUES (false), (true)) AS era (has_begun)
    CROSS JOIN LATERAL (
        SELECT place.*, arc_km(place.location <-> here.location) AS distance_km
        FROM place
        WHERE place.location <@ cube_enlarge(here.location, chord_km(events_near.radius_km) + 0.001, 3)
            AND (place.starts_at < now()) = era.has_begun
        ORDER BY place.location <-> here.location
        LIMIT least(greatest(events_near.max_rows, 0), 200)
    ) AS near
    WHERE near.distance_km <= events_near.radius_km
        AND events_near.latitude BETWEEN -90 AND 90 AND events_near.longitude BETWEEN -180 AND 180
    ORDER BY era.has_begun, near.distance_km, near.event_id
    LIMIT least(greatest(events_near.max_rows, 0), 200);
END;

-- Roles belong to the whole server, so another database's migration may be making them at this moment.
DO $$ BEGIN
    CREATE ROLE turnstile_orchestrator LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

REVOKE ALL ON FUNCTION events_near FROM PUBLIC;
GRANT USAGE ON SCHEMA recommendation TO turnstile_recommendation, turnstile_orchestrator;
GRANT EXECUTE ON FUNCTION events_near TO turnstile_recommendation, turnstile_orchestrator;
GRANT SELECT, INSERT, UPDATE ON place, interest TO turnstile_recommendation;
GRANT SELECT, INSERT ON inbox TO turnstile_recommendation;
