-- Answers that the queues of upstream systems did not take, until they do. They are few, or the queues' own fault.
CREATE TABLE undelivered_answer (
    queue text NOT NULL,
    message_id uuid NOT NULL,
    kind text,
    saga_id uuid,
    properties text NOT NULL,
    body bytea NOT NULL,
    reason text NOT NULL,
    attempts int NOT NULL DEFAULT 1,
    since timestamptz NOT NULL DEFAULT now(),
    -- When it is sent again; nil once that was given up.
    due_at timestamptz DEFAULT now() + interval '1 second',
    PRIMARY KEY (queue, message_id),
    CONSTRAINT undelivered_answer_reason_is_known
        CHECK (reason IN ('refused', 'no-queue', 'unanswered', 'broken'))
);
CREATE INDEX undelivered_answer_due ON undelivered_answer (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX undelivered_answer_given_up ON undelivered_answer (since) WHERE due_at IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON undelivered_answer TO turnstile_orchestrator;
