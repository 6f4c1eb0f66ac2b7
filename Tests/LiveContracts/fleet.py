"""A running fleet, as upstream systems and HTTP clients meet it."""

import json
import os
import time
import uuid
from dataclasses import dataclass, field

import pika
import requests

URL = os.environ["TURNSTILE_URL"]
OPERATOR = {"Authorization": f"Bearer {os.environ['OPERATOR_KEY']}"}
KEYS = ["orchestrator", "reservation", "payment", "notification", "expiry", "recommendation"]


def connection() -> pika.BlockingConnection:
    return pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))


def get(path: str) -> dict:
    answer = requests.get(URL + path, timeout=30)
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


def publish_event(**changes) -> str:
    """Puts an event on sale over HTTP, which answers when it can be bought."""
    hall = {"name": "Orpheum", "city": "Graz", "latitude": 47.0707, "longitude": 15.4395}
    event = {"name": "An evening", "startsAt": "2031-05-01T19:30:00Z", "venue": hall, "tiers": [tier("Floor", 1000)]}
    answer = requests.post(f"{URL}/events", json=event | changes, timeout=30)
    assert answer.status_code == 201, answer.text
    return answer.json()["eventId"]


def tier(name: str, capacity: int, **more) -> dict:
    return {"name": name, "price": {"currency": "EUR", "minor": 4500}, "capacity": capacity} | more


def wait_until(condition, seconds: float = 30, what: str = "it"):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.02)
    return result


@dataclass
class Heard:
    """One message as it was on the wire."""

    kind: str
    exchange: str
    routing_key: str
    properties: dict
    headers: dict
    body: dict


@dataclass
class Listener:
    """Hears everything that goes through the exchanges, and is an upstream system with a queue for answers."""

    connection: pika.BlockingConnection = field(default_factory=connection)
    heard: list[Heard] = field(default_factory=list)

    def __post_init__(self):
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()
        self.answers = self.channel.queue_declare("", exclusive=True).method.queue
        tap = self.channel.queue_declare("", exclusive=True).method.queue
        for key in KEYS:
            self.channel.queue_bind(tap, "turnstile.commands", key)
        self.channel.queue_bind(tap, "turnstile.replies", "orchestrator")
        self.channel.queue_bind(tap, "turnstile.events", "#")
        for queue in (tap, self.answers):
            self.channel.basic_consume(queue, self.hear, auto_ack=True)

    def hear(self, _, method, properties, body):
        named = {name: value for name, value in vars(properties).items() if value is not None and name != "headers"}
        self.heard.append(
            Heard(
                kind=properties.type,
                exchange=method.exchange,
                routing_key=method.routing_key,
                properties=named,
                headers=properties.headers or {},
                body=json.loads(body),
            )
        )

    def send(self, kind: str, body: dict, routing_key: str = "orchestrator", **properties) -> str:
        message_id = properties.pop("message_id", str(uuid.uuid4()))
        properties = {"reply_to": self.answers, "content_type": "application/json"} | properties
        self.channel.basic_publish(
            "turnstile.commands",
            routing_key,
            json.dumps(body).encode(),
            pika.BasicProperties(type=kind, message_id=message_id, delivery_mode=2, **properties),
            mandatory=True,
        )
        return message_id

    def answer(self, to: str, *kinds: str, seconds: float = 30) -> Heard:
        """Waits for an answer of one of these kinds to the command that was sent with this id."""

        def found():
            self.connection.process_data_events(time_limit=0.05)
            return next((heard for heard in self.heard if heard.kind in kinds and self.is_answer(heard, to)), None)

        return wait_until(found, seconds, f"the answer {' or '.join(kinds)}")

    def is_answer(self, heard: Heard, to: str) -> bool:
        return heard.routing_key == self.answers and heard.properties.get("correlation_id") == to

    def hear_until(self, condition, what: str, seconds: float = 30):
        def satisfied():
            self.connection.process_data_events(time_limit=0.05)
            return condition()

        return wait_until(satisfied, seconds, what)
