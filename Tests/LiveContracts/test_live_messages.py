"""Every kind of message, caught while purchases of all sorts run, is what the contract says."""

import os
import subprocess
import time
import uuid

import pytest
import requests

import contract
import fleet

OUTCOMES = ("purchase.completed.v1", "purchase.refused.v1", "purchase.refunded.v1")


@pytest.fixture(scope="module")
def listener():
    listener = fleet.Listener()
    stories = Stories(listener)
    stories.tell()
    [wrong] = [heard for heard in listener.heard if heard.properties["message_id"] == stories.wrong]
    listener.heard.remove(wrong)
    yield listener
    listener.connection.close()


class Stories:
    """Purchases that end in every way there is."""

    def __init__(self, listener: fleet.Listener):
        self.listener = listener
        self.event = None

    def tell(self):
        self.event = self.put_on_sale()
        completed = self.buy(seats=["A-1"])
        self.expect(completed, "purchase.completed.v1")
        self.expect(self.buy(seats=["A-1"]), "purchase.refused.v1", reason="seats-taken")
        # A short hold has a timer from the start, which its end cancels.
        declined = self.buy(quantity=1, paymentMethod="sim_declined", holdSeconds=30)
        self.expect(declined, "purchase.refused.v1", reason="declined")
        expiring = self.buy(quantity=1, paymentMethod="sim_never", holdSeconds=1)
        self.cancel_while_charging()
        self.reject()
        self.let_a_letter_fail()
        self.listener.send(
            "recommendation.observe.v1",
            {"userId": "ada", "eventId": self.event, "weight": 1},
            routing_key="recommendation",
            app_id="orchestrator",
            timestamp=int(time.time()),
        )
        self.refund(completed)
        self.expect(expiring, "purchase.refused.v1", reason="expired")
        wanted = set(contract.messages())
        self.listener.hear_until(
            lambda: wanted <= {heard.kind for heard in self.listener.heard}, "a message of every kind", seconds=40
        )

    def put_on_sale(self) -> str:
        hall = {"name": "Orpheum", "city": "Graz", "latitude": 47.0707, "longitude": 15.4395}
        tiers = [fleet.tier("Floor", 100), fleet.tier("Balcony", 2, seats=["A-1", "A-2"])]
        event = {"name": "An evening", "startsAt": "2031-05-01T19:30:00Z", "venue": hall, "tiers": tiers}
        command = self.listener.send("event.publish.v1", event)
        return self.listener.answer(command, "event.published.v1").body["eventId"]

    def buy(self, **wish) -> str:
        tier = {} if "seats" in wish else {"tier": "Floor"}
        body = {"userId": str(uuid.uuid4()), "eventId": self.event, "email": "ada@example.com"} | tier | wish
        return self.listener.send("purchase.start.v1", body)

    def saga(self, start: str) -> str:
        return self.listener.answer(start, "purchase.accepted.v1").body["sagaId"]

    def expect(self, start: str, kind: str, **fields):
        outcome = self.listener.answer(start, *OUTCOMES)
        assert outcome.kind == kind and fields.items() <= outcome.body.items(), outcome

    def cancel_while_charging(self):
        start = self.buy(quantity=1, paymentMethod="sim_never")
        saga = self.saga(start)
        fleet.wait_until(lambda: fleet.get(f"/sagas/{saga}")["state"] == "charging")
        self.listener.send("purchase.cancel.v1", {"sagaId": saga})
        self.expect(start, "purchase.refused.v1", reason="cancelled")

    def reject(self):
        self.wrong = self.buy(quantity=11)
        rejected = self.listener.answer(self.wrong, "purchase.rejected.v1")
        assert [mistake["pointer"] for mistake in rejected.body["problem"]["errors"]] == ["/quantity"]

    def let_a_letter_fail(self):
        """The letter's earlier attempts were used up: so its record says, before it is asked for."""
        start = self.buy(quantity=1, paymentMethod="sim_slow:1500")
        saga = self.saga(start)
        statement = f"""
            INSERT INTO notification.notification
                (saga_id, template, channel, user_id, recipient, subject, status, attempts, failure)
            VALUES ('{saga}', 'purchase-completed', 'console', 'ada', 'ada@example.com', 'Your tickets', 'failed', 25,
                'mailbox unavailable')"""
        subprocess.run(["psql", os.environ["DATABASE_URL"], "-qc", statement], check=True)
        self.expect(start, "purchase.completed.v1")

    def refund(self, start: str):
        answer = requests.post(f"{fleet.URL}/sagas/{self.saga(start)}/refund", timeout=30)
        assert answer.status_code == 202, answer.text
        self.listener.answer(start, "purchase.refunded.v1")


@pytest.mark.parametrize("kind", contract.GOLDEN)
def test_a_live_message_is_what_its_schema_says(kind, listener):
    message = contract.messages()[kind]
    payload = contract.validator(message["payload"], closed=True)
    headers = contract.validator(message["headers"], closed=True)
    properties = contract.validator(message["x-properties"])
    heard = [heard for heard in listener.heard if heard.kind == kind]
    assert heard
    for one in heard:
        assert contract.mistakes(payload, one.body) == [], one
        assert contract.mistakes(headers, one.headers) == [], one
        assert contract.mistakes(properties, one.properties) == [], one


def test_a_live_message_came_along_the_way_that_its_channel_says(listener):
    ways = {kind: set() for kind in contract.messages()}
    document = contract.served("asyncapi.json")
    for channel in document["channels"].values():
        binding = contract.resolve(document, channel["bindings"])["amqp"]
        for message in channel.get("messages", {}).values():
            kind = contract.resolve(document, message)["name"]
            if channel["address"] is None:
                ways.setdefault(kind, set()).add(("", listener.answers))
            else:
                ways.setdefault(kind, set()).add((binding.get("exchange", {}).get("name"), channel["address"]))
    for heard in listener.heard:
        assert (heard.exchange, heard.routing_key) in ways[heard.kind], heard
