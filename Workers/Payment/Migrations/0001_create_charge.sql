-- One row for the payment of one saga, from the first command about it to its end.
--
-- A row without next_check_at is finished and answered. Every other row falls due at that time: its question is put
-- to the provider again, or its answer is sent again.
CREATE TABLE charge (
    saga_id uuid PRIMARY KEY,
    -- What the provider knows the charge by.
    idempotency_key text NOT NULL,
    amount_minor bigint NOT NULL,
    -- XXX, ISO 4217's "no currency", where the payment was closed before anybody asked for it.
    currency text NOT NULL,
    method text NOT NULL,
    status text NOT NULL,
    provider_id text,
    decline_reason text,
    -- Questions without an answer since the status last changed.
    attempts integer NOT NULL DEFAULT 0,
    next_check_at timestamptz,
    -- The command whose answer is owed, and what its reply must echo.
    command text NOT NULL,
    command_id uuid NOT NULL,
    step integer,
    traceparent text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT charge_key_names_its_saga CHECK (idempotency_key = saga_id::text),
    CONSTRAINT charge_amount_is_not_negative CHECK (amount_minor >= 0),
    CONSTRAINT charge_status_is_known CHECK (
        status IN ('open', 'captured', 'declined', 'closing', 'closed', 'refunding', 'refunded')),
    CONSTRAINT charge_captured_has_a_provider_id CHECK (
        (status IN ('captured', 'refunding', 'refunded')) = (provider_id IS NOT NULL)),
    CONSTRAINT charge_declined_has_a_reason CHECK ((status = 'declined') = (decline_reason IS NOT NULL)),
    CONSTRAINT charge_unfinished_is_checked_again CHECK (
        status NOT IN ('open', 'closing', 'refunding') OR next_check_at IS NOT NULL),
    CONSTRAINT charge_unfinished_owes_its_command CHECK (
        CASE status
            WHEN 'open' THEN command = 'charge'
            WHEN 'closing' THEN command IN ('close', 'refund')
            WHEN 'refunding' THEN command = 'refund'
            ELSE command IN ('charge', 'close', 'refund')
        END)
);

CREATE INDEX charge_due ON charge (next_check_at) WHERE next_check_at IS NOT NULL;

-- Every question put to the provider and what came of it; rows are never changed.
CREATE TABLE attempt (
    saga_id uuid NOT NULL,
    operation text NOT NULL,
    outcome text NOT NULL,
    detail text,
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT attempt_operation_is_known CHECK (operation IN ('charge', 'close', 'refund'))
);

CREATE INDEX attempt_of_saga ON attempt (saga_id);

CREATE TABLE inbox (
    message_id uuid CONSTRAINT inbox_pkey PRIMARY KEY,
    replies text NOT NULL,
    handled_at timestamptz NOT NULL DEFAULT now()
);

-- The memory of the simulated provider, as a provider's own database would hold it; no worker's query reads it.
CREATE TABLE simulated_charge (
    idempotency_key text PRIMARY KEY,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    method text NOT NULL,
    status text NOT NULL,
    decline_reason text,
    -- How often the charge was asked for.
    calls integer NOT NULL DEFAULT 0,
    -- What a pending charge waits for: a call, a time, or to be closed; or for nothing that will ever come.
    captures_on_call integer,
    captures_at timestamptz,
    captures_when_closed boolean NOT NULL DEFAULT false,
    captured_at timestamptz,
    refunded_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT simulated_charge_status_is_known CHECK (
        status IN ('pending', 'captured', 'declined', 'closed', 'refunded')),
    CONSTRAINT simulated_charge_captured_has_a_time CHECK (
        (status IN ('captured', 'refunded')) = (captured_at IS NOT NULL)),
    CONSTRAINT simulated_charge_declined_has_a_reason CHECK ((status = 'declined') = (decline_reason IS NOT NULL)),
    CONSTRAINT simulated_charge_refunded_has_a_time CHECK ((status = 'refunded') = (refunded_at IS NOT NULL))
);

-- For the orchestrator's operators: what became of the money.
CREATE VIEW charge_list AS
SELECT saga_id, amount_minor, currency, method, status, provider_id, decline_reason, attempts, next_check_at,
    created_at, updated_at
FROM charge;

DO $$ BEGIN
    CREATE ROLE turnstile_orchestrator LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

GRANT USAGE ON SCHEMA payment TO turnstile_payment, turnstile_orchestrator;
GRANT SELECT, INSERT ON charge, attempt, inbox, simulated_charge TO turnstile_payment;
-- Neither the amount nor the method of a charge can change.
GRANT UPDATE (
    status, provider_id, decline_reason, attempts, next_check_at, command, command_id, step, traceparent, updated_at)
    ON charge TO turnstile_payment;
GRANT UPDATE (replies) ON inbox TO turnstile_payment;
GRANT UPDATE (status, calls, captured_at, refunded_at) ON simulated_charge TO turnstile_payment;
GRANT SELECT ON charge_list TO turnstile_orchestrator;
