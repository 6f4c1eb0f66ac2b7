"""The purchase saga with Celery: a chain of tasks, acknowledged late, over quorum queues with publisher confirms.

    celery_saga.py PURCHASES     runs the workers, buys, and reports
"""

import os
import sys
import time

import psycopg
import shop
from celery import Celery, chain
from celery.signals import worker_process_init
from kombu import Queue
from psycopg_pool import ConnectionPool

QUEUES = ["reservation", "payment", "notification"]

app = Celery("celery_saga", broker=shop.AMQP_URL)
app.conf.update(
    task_queues=[Queue(name, routing_key=name, queue_arguments={"x-queue-type": "quorum"}) for name in QUEUES],
    task_default_queue="reservation",
    task_default_exchange_type="direct",
    task_default_delivery_mode="persistent",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    broker_transport_options={"confirm_publish": True},
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=50,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
)
pool: ConnectionPool | None = None


@worker_process_init.connect
def open_pool(**_: object) -> None:
    global pool
    pool = ConnectionPool(shop.DATABASE_URL, min_size=1, max_size=1, open=True)


@app.task(queue="reservation")
def reserve(saga: str, event: int, quantity: int, buyer: str) -> None:
    with pool.connection() as connection:
        fresh = connection.execute(
            "INSERT INTO saga (id, event_id, quantity, buyer, state) VALUES (%s, %s, %s, %s, 'charging') "
            "ON CONFLICT DO NOTHING RETURNING 1",
            (saga, event, quantity, buyer),
        ).fetchone()
        if fresh:
            connection.execute(
                "UPDATE stock SET available = available - %s WHERE event_id = %s", (quantity, event)
            )
            connection.execute(
                "INSERT INTO reservation (saga_id, event_id, quantity, status) VALUES (%s, %s, %s, 'held')",
                (saga, event, quantity),
            )


@app.task(queue="payment")
def charge(saga: str, amount: int) -> None:
    with pool.connection() as connection:
        connection.execute("INSERT INTO payment VALUES (%s, %s, 'captured') ON CONFLICT DO NOTHING", (saga, amount))
        connection.execute("UPDATE saga SET state = 'confirming', updated_at = now() WHERE id = %s", (saga,))


@app.task(queue="reservation")
def confirm(saga: str, event: int, quantity: int) -> None:
    with pool.connection() as connection:
        connection.execute("UPDATE reservation SET status = 'confirmed' WHERE saga_id = %s", (saga,))
        connection.execute(
            "INSERT INTO ticket SELECT %s, g, %s FROM generate_series(1, %s) g ON CONFLICT DO NOTHING",
            (saga, event, quantity),
        )
        connection.execute("UPDATE saga SET state = 'completed', updated_at = now() WHERE id = %s", (saga,))


@app.task(queue="notification")
def notify(saga: str, buyer: str) -> None:
    with pool.connection() as connection:
        connection.execute("INSERT INTO notification VALUES (%s, %s, 'sent') ON CONFLICT DO NOTHING", (saga, buyer))


def start(saga: str, event: int, quantity: int, buyer: str) -> None:
    chain(
        reserve.si(saga, event, quantity, buyer), charge.si(saga, quantity * shop.PRICE),
        confirm.si(saga, event, quantity), notify.si(saga, buyer),
    ).apply_async()


def main() -> None:
    purchases, processes = int(sys.argv[1]), os.cpu_count() or 1
    shop.create_tables()
    worker = [
        "-m", "celery", "-A", "celery_saga", "worker", "--queues", ",".join(QUEUES), "--concurrency",
        str(processes * 2), "--loglevel", "ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat",
    ]
    with psycopg.connect(shop.DATABASE_URL, autocommit=True) as connection, shop.processes(worker):
        start(*shop.purchase(0).values())
        shop.wait_until_told(connection, 1)
        began = time.monotonic()
        for number in range(1, purchases + 1):
            start(*shop.purchase(number).values())
        shop.wait_until_told(connection, purchases + 1)
        seconds = time.monotonic() - began
        connection.execute("DELETE FROM notification WHERE recipient = 'buyer-0@example.com'")
        shop.report(connection, purchases, seconds)


if __name__ == "__main__":
    main()
