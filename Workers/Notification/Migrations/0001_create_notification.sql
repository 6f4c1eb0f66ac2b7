-- Letters to buyers: one per saga and template. Every row is updated once soon after it was made, so pages leave room.
CREATE TABLE notification (
    saga_id uuid NOT NULL,
    template text NOT NULL,
    channel text NOT NULL,
    user_id text NOT NULL,
    -- The e-mail address, or the user id where there is none.
    recipient text NOT NULL,
    subject text NOT NULL,
    status text NOT NULL DEFAULT 'pending'
        CONSTRAINT notification_status_is_known CHECK (status IN ('pending', 'delivered', 'failed')),
    -- Attempts begun; the ended ones are in `attempt`.
    attempts int NOT NULL DEFAULT 1,
    -- Who is delivering, and until when others look away.
    claimed_by uuid,
    claimed_until timestamptz,
    -- Why nobody will try again.
    failure text,
    created_at timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz,
    PRIMARY KEY (saga_id, template),
    CONSTRAINT notification_has_a_time_when_delivered CHECK ((delivered_at IS NOT NULL) = (status = 'delivered')),
    CONSTRAINT notification_has_a_reason_when_failed CHECK ((failure IS NOT NULL) = (status = 'failed'))
) WITH (fillfactor = 50);

-- How each attempt ended; rows are only added.
CREATE TABLE attempt (
    saga_id uuid NOT NULL,
    template text NOT NULL,
    number int NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    channel text NOT NULL,
    outcome text NOT NULL
        CONSTRAINT attempt_outcome_is_known CHECK (outcome IN ('delivered', 'refused', 'failed')),
    detail text,
    PRIMARY KEY (saga_id, template, number)
);

-- Which messages were handled, and the replies that are sent again when one comes again.
CREATE TABLE inbox (
    message_id uuid PRIMARY KEY,
    replies text NOT NULL,
    handled_at timestamptz NOT NULL DEFAULT now()
);

GRANT USAGE ON SCHEMA notification TO turnstile_notification;
GRANT SELECT, INSERT ON notification, attempt, inbox TO turnstile_notification;
GRANT UPDATE (channel, recipient, status, attempts, claimed_by, claimed_until, failure, delivered_at)
    ON notification TO turnstile_notification;
