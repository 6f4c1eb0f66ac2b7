"""The purchase saga with FastStream and asyncpg: a service per process, one message per transaction.

Queues are quorum queues, messages are persistent and confirmed, and acknowledged after the commit and the answer.

    faststream_saga.py PURCHASES     runs the services, buys, and reports
    faststream_saga.py service NAME  one service
"""

import asyncio
import sys
import time
from typing import Literal
from uuid import UUID

import asyncpg
import psycopg
import shop
import uvloop
from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from pydantic import BaseModel

SERVICES = ["orchestrator", "reservation", "payment", "notification"]
broker = RabbitBroker(shop.AMQP_URL, logger=None, default_channel=Channel(prefetch_count=200))
app = FastStream(broker, logger=None)


class Message(BaseModel):
    kind: Literal["start", "reserve", "reserved", "charge", "captured", "confirm", "confirmed", "notify", "notified"]
    saga: UUID
    event: int
    quantity: int
    buyer: str

    def then(self, kind: str) -> "Message":
        return self.model_copy(update={"kind": kind})


def queue(name: str) -> RabbitQueue:
    return RabbitQueue(name, durable=True, arguments={"x-queue-type": "quorum"})


async def send(message: Message, to: str) -> None:
    await broker.publish(message, queue=queue(to), persist=True, mandatory=True)


class Database:
    pool: asyncpg.Pool

    @classmethod
    async def open(cls) -> None:
        cls.pool = await asyncpg.create_pool(shop.DATABASE_URL, min_size=8, max_size=8)


def subscriber(name: str):
    return broker.subscriber(queue(name), ack_policy=AckPolicy.NACK_ON_ERROR)


def orchestrator() -> None:
    @subscriber("start")
    async def start(message: Message) -> None:
        async with Database.pool.acquire() as connection:
            await connection.execute(
                "INSERT INTO saga (id, event_id, quantity, buyer, state) VALUES ($1, $2, $3, $4, 'reserving') "
                "ON CONFLICT DO NOTHING",
                message.saga, message.event, message.quantity, message.buyer,
            )
        await send(message.then("reserve"), "reservation")

    steps = {
        "reserved": ("reserving", "charging", "charge", "payment"),
        "captured": ("charging", "confirming", "confirm", "reservation"),
        "confirmed": ("confirming", "completed", "notify", "notification"),
    }

    @subscriber("replies")
    async def reply(message: Message) -> None:
        before, after, command, service = steps[message.kind]
        async with Database.pool.acquire() as connection:
            await connection.execute(
                "UPDATE saga SET state = $3, updated_at = now() WHERE id = $1 AND state = $2",
                message.saga, before, after,
            )
        await send(message.then(command), service)


def reservation() -> None:
    @subscriber("reservation")
    async def handle(message: Message) -> None:
        async with Database.pool.acquire() as connection, connection.transaction():
            if message.kind == "reserve":
                await reserve(connection, message)
            else:
                await confirm(connection, message)
        await send(message.then("reserved" if message.kind == "reserve" else "confirmed"), "replies")

    async def reserve(connection: asyncpg.Connection, message: Message) -> None:
        fresh = await connection.fetchval(
            "INSERT INTO reservation (saga_id, event_id, quantity, status) VALUES ($1, $2, $3, 'held') "
            "ON CONFLICT DO NOTHING RETURNING 1",
            message.saga, message.event, message.quantity,
        )
        if fresh:
            await connection.execute(
                "UPDATE stock SET available = available - $2 WHERE event_id = $1", message.event, message.quantity
            )

    async def confirm(connection: asyncpg.Connection, message: Message) -> None:
        await connection.execute("UPDATE reservation SET status = 'confirmed' WHERE saga_id = $1", message.saga)
        await connection.execute(
            "INSERT INTO ticket SELECT $1, g, $2 FROM generate_series(1, $3::int) g ON CONFLICT DO NOTHING",
            message.saga, message.event, message.quantity,
        )


def payment() -> None:
    @subscriber("payment")
    async def charge(message: Message) -> None:
        async with Database.pool.acquire() as connection:
            await connection.execute(
                "INSERT INTO payment VALUES ($1, $2, 'captured') ON CONFLICT DO NOTHING",
                message.saga, message.quantity * shop.PRICE,
            )
        await send(message.then("captured"), "replies")


def notification() -> None:
    @subscriber("notification")
    async def notify(message: Message) -> None:
        async with Database.pool.acquire() as connection:
            await connection.execute(
                "INSERT INTO notification VALUES ($1, $2, 'sent') ON CONFLICT DO NOTHING", message.saga, message.buyer
            )


async def serve(name: str) -> None:
    {"orchestrator": orchestrator, "reservation": reservation, "payment": payment, "notification": notification}[name]()
    await Database.open()
    await app.run()


async def buy(purchases: int) -> None:
    """Starts all purchases, with as many as two hundred waiting for their confirms."""
    async with broker:
        for name in ["start", "replies", *SERVICES[1:]]:
            await broker.declare_queue(queue(name))
        places = asyncio.Semaphore(200)

        async def start(number: int) -> None:
            async with places:
                await send(Message(kind="start", **shop.purchase(number)), "start")

        await asyncio.gather(*(start(number) for number in range(purchases)))


def main() -> None:
    if sys.argv[1] == "service":
        return uvloop.run(serve(sys.argv[2]))
    purchases = int(sys.argv[1])
    shop.create_tables()
    with psycopg.connect(shop.DATABASE_URL, autocommit=True) as connection:
        uvloop.run(buy(0))
        with shop.processes(*([__file__, "service", name] for name in SERVICES)):
            time.sleep(3)  # its users would wait for readiness; what counts begins with the first purchase
            began = time.monotonic()
            uvloop.run(buy(purchases))
            shop.wait_until_told(connection, purchases)
            seconds = time.monotonic() - began
        shop.report(connection, purchases, seconds)


if __name__ == "__main__":
    main()
