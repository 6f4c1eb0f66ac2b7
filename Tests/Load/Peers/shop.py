"""What every peer of the bench has in common: the tables of a shop, the purchases, and the report of a run."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator

import psycopg

DATABASE_URL = os.environ["DATABASE_URL"]
AMQP_URL = os.environ["AMQP_URL"]
EVENTS = 64
TICKETS = 2
PRICE = 1000

SCHEMA = """
CREATE TABLE stock (event_id int PRIMARY KEY, available int NOT NULL CHECK (available >= 0));
CREATE TABLE saga (
    id uuid PRIMARY KEY, event_id int NOT NULL, quantity int NOT NULL, buyer text NOT NULL, state text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE reservation (
    saga_id uuid PRIMARY KEY, event_id int NOT NULL, quantity int NOT NULL, status text NOT NULL,
    expires_at timestamptz NOT NULL DEFAULT now() + interval '15 minutes');
CREATE TABLE payment (saga_id uuid PRIMARY KEY, amount int NOT NULL, status text NOT NULL);
CREATE TABLE ticket (
    saga_id uuid, number int, event_id int NOT NULL, PRIMARY KEY (saga_id, number));
CREATE TABLE notification (saga_id uuid PRIMARY KEY, recipient text NOT NULL, status text NOT NULL);
"""


def create_tables() -> None:
    with psycopg.connect(DATABASE_URL) as connection:
        connection.execute(SCHEMA)
        connection.execute("INSERT INTO stock SELECT g, 1000000 FROM generate_series(1, %s) g", (EVENTS,))


def purchase(number: int) -> dict[str, object]:
    """The purchase of one buyer, over the events in turn."""
    return {
        "saga": str(uuid.uuid4()),
        "event": number % EVENTS + 1,
        "quantity": TICKETS,
        "buyer": f"buyer-{number}@example.com",
    }


@contextlib.contextmanager
def processes(*commands: list[str]) -> Iterator[None]:
    """Runs programs beside this one, and ends them, also when this one is asked to end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("asked to end"))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # whoever started us may have blocked it
    running = [subprocess.Popen([sys.executable, *command], stdout=sys.stderr) for command in commands]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            end(process)


def end(process: subprocess.Popen) -> None:
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until_told(connection: psycopg.Connection, purchases: int, limit: float = 300) -> None:
    """Waits until every buyer has been told of the outcome, the last step of a purchase."""
    deadline = time.monotonic() + limit
    while told(connection) < purchases:
        if time.monotonic() > deadline:
            sys.exit(f"only {told(connection)} of {purchases} purchases were completed in {limit} s")
        time.sleep(0.1)


def told(connection: psycopg.Connection) -> int:
    return connection.execute("SELECT count(*) FROM notification").fetchone()[0]


def completed(connection: psycopg.Connection) -> int:
    """The purchases that are complete in every table; every ticket must have left the stock once."""
    sold, tickets = connection.execute(
        "SELECT (SELECT sum(1000000 - available) FROM stock), (SELECT count(*) FROM ticket)"
    ).fetchone()
    if sold != tickets:
        sys.exit(f"{sold} tickets have left the stock, and {tickets} were issued")
    return connection.execute(
        """
        SELECT count(*) FROM saga
        JOIN reservation ON reservation.saga_id = id AND reservation.status = 'confirmed'
        JOIN payment ON payment.saga_id = id AND payment.status = 'captured'
        JOIN notification ON notification.saga_id = id
        WHERE state = 'completed' AND (SELECT count(*) FROM ticket WHERE saga_id = id) = saga.quantity
        """
    ).fetchone()[0]


def report(connection: psycopg.Connection, purchases: int, seconds: float) -> None:
    """The last line that a peer says: what the bench reads."""
    print(json.dumps({"purchases": purchases, "completed": completed(connection), "seconds": seconds}), flush=True)
