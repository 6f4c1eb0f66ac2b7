-- The truth about stock: how many places a tier has, who holds them, which tickets came of it.
-- Locks are taken in one order everywhere: holds by saga, tiers by event and name, seats by event, tier and name.

-- Counts of a tier; one row is written per tier and batch, so half of each page stays free for updates in place.
CREATE TABLE tier (
    event_id uuid NOT NULL,
    name text NOT NULL,
    capacity int NOT NULL CONSTRAINT tier_has_places CHECK (capacity > 0),
    held int NOT NULL DEFAULT 0,
    sold int NOT NULL DEFAULT 0,
    is_seated bool NOT NULL,
    -- How many of the tier's named seats have arrived; they come in parts.
    stocked int NOT NULL DEFAULT 0 CONSTRAINT tier_stocks_only_named_seats CHECK (stocked = 0 OR is_seated),
    -- Raised by every change.
    version bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (event_id, name),
    CONSTRAINT tier_is_not_oversold CHECK (held >= 0 AND sold >= 0 AND held + sold <= capacity)
) WITH (fillfactor = 50);

-- What a saga holds or held. A release that comes before its reserve leaves a row without places: a tombstone.
-- Every hold is updated once soon after it was made, so pages leave room for the new version.
CREATE TABLE hold (
    saga_id uuid PRIMARY KEY,
    event_id uuid,
    tier text,
    quantity int NOT NULL,
    seats text[] NOT NULL DEFAULT '{}',
    status text NOT NULL CONSTRAINT hold_status_is_known CHECK (status IN ('held', 'sold', 'released', 'void')),
    deadline timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT hold_has_places_or_is_a_tombstone CHECK (
        CASE WHEN quantity = 0 THEN status = 'released' AND num_nonnulls(event_id, tier, deadline) = 0
             ELSE quantity > 0 AND num_nulls(event_id, tier, deadline) = 0 END),
    CONSTRAINT hold_names_all_its_seats_or_none CHECK (cardinality(seats) IN (0, quantity))
) WITH (fillfactor = 50);

-- The named seats of seated tiers; rank says how good a seat is, the best first.
CREATE TABLE seat (
    event_id uuid NOT NULL,
    tier text NOT NULL,
    name text NOT NULL,
    rank int NOT NULL,
    status text NOT NULL DEFAULT 'free' CONSTRAINT seat_status_is_known CHECK (status IN ('free', 'held', 'sold')),
    saga_id uuid,
    PRIMARY KEY (event_id, tier, name),
    CONSTRAINT seat_has_a_holder_unless_free CHECK ((saga_id IS NULL) = (status = 'free')),
    CONSTRAINT seat_belongs_to_a_tier FOREIGN KEY (event_id, tier) REFERENCES tier (event_id, name)
) WITH (fillfactor = 80);

CREATE INDEX seat_free_by_rank ON seat (event_id, tier, rank) WHERE status = 'free';

-- Tickets; the id follows from the saga and the ticket's number within it.
CREATE TABLE ticket (
    id uuid PRIMARY KEY,
    saga_id uuid NOT NULL,
    event_id uuid NOT NULL,
    tier text NOT NULL,
    seat text,
    user_id text NOT NULL,
    status text NOT NULL CONSTRAINT ticket_status_is_known CHECK (status IN ('valid', 'void')),
    issued_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX ticket_seat_is_sold_once ON ticket (event_id, tier, seat)
    WHERE status = 'valid' AND seat IS NOT NULL;

-- Which messages were handled, and the replies that are sent again when one comes again.
CREATE TABLE inbox (
    message_id uuid PRIMARY KEY,
    replies text NOT NULL,
    handled_at timestamptz NOT NULL DEFAULT now()
);

-- What others may read.
CREATE VIEW availability AS
SELECT event_id, name AS tier, capacity, capacity - held - sold AS available, version
FROM tier;

CREATE VIEW seat_map AS
SELECT event_id, tier, name, rank, status
FROM seat;

CREATE VIEW ticket_list AS
SELECT id, saga_id, event_id, tier, seat, user_id, status, issued_at
FROM ticket;

-- Roles belong to the whole server, so another database's migration may be making them at this moment.
DO $$ BEGIN
    CREATE ROLE turnstile_reservation LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$ BEGIN
    CREATE ROLE turnstile_orchestrator LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

GRANT USAGE ON SCHEMA reservation TO turnstile_reservation, turnstile_orchestrator;
GRANT SELECT, INSERT ON tier, hold, seat, ticket, inbox TO turnstile_reservation;
GRANT UPDATE (held, sold, stocked, version) ON tier TO turnstile_reservation;
GRANT UPDATE (status) ON hold TO turnstile_reservation;
GRANT UPDATE (status, saga_id) ON seat TO turnstile_reservation;
GRANT UPDATE (status) ON ticket TO turnstile_reservation;
GRANT SELECT ON availability TO turnstile_reservation;
GRANT SELECT ON availability, seat_map, ticket_list TO turnstile_orchestrator;
