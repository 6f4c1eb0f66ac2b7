"""Schemathesis asks every route of the document, rightly and wrongly, and looks for answers that it does not name."""

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import requests

import contract
import fleet
from mutations import replacing
from test_samples import BEYOND, BY_SEATS, EVENT, START, WITHIN

HERE = Path(__file__).parent
ANY_ID = str(uuid.uuid4())


@pytest.fixture(scope="module")
def things() -> dict[str, str]:
    """Ids of things that are there, so that the answers are more than 404."""
    event = fleet.publish_event(tiers=[fleet.tier("Floor", 100_000)])
    wish = {"userId": str(uuid.uuid4()), "eventId": event, "quantity": 1}
    saga = requests.post(f"{fleet.URL}/saga/start", json=wish, headers={"Prefer": "wait=10"}, timeout=30)
    assert saga.status_code == 200, saga.text
    return {"KNOWN_EVENT": event, "KNOWN_SAGA": saga.json()["sagaId"]}


def test_schemathesis_finds_no_server_error_and_no_undocumented_answer(things, tmp_path):
    command = [
        str(Path(sys.executable).parent / "st"),
        "run",
        f"{fleet.URL}/openapi.json",
        f"--header=Authorization:{fleet.OPERATOR['Authorization']}",
        "--checks=all",
        # A wish that is well-formed may still be refused: there is no such event, or it is sold out.
        # After ten wrong keys an address is told to wait, with 429; the test below walks every route without a key.
        "--exclude-checks=positive_data_acceptance,ignored_auth",
        "--phases=examples,coverage,fuzzing,stateful",
        "--max-examples=25",
        "--seed=20261121",
        "--workers=2",
        "--continue-on-failure",
        "--warnings=off",
        "--no-color",
    ]
    environment = os.environ | things | {"SCHEMATHESIS_HOOKS": "known_things", "PYTHONPATH": str(HERE)}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    resume_all()
    print(run.stdout[-20_000:], run.stderr[-2_000:])
    assert run.returncode == 0


def test_every_operators_route_refuses_who_shows_no_key_or_a_wrong_one():
    for path, operations in contract.served("openapi.json")["paths"].items():
        for method, operation in operations.items():
            if "security" not in operation:
                continue
            url = fleet.URL + path.replace("{id}", ANY_ID).replace("{queue}", "payment.commands")
            assert requests.request(method, url, timeout=30).status_code == 401, (method, path)
            wrong = requests.request(method, url, headers={"Authorization": "Bearer wrong"}, timeout=30)
            assert wrong.status_code in (401, 429), (method, path)


def resume_all() -> None:
    """A request that was made up may have paused everything."""
    answer = requests.post(f"{fleet.URL}/ops/pauses/end", json={"all": True}, headers=fleet.OPERATOR, timeout=30)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("kind, sample, path, value", BEYOND)
def test_what_the_schema_refuses_the_service_refuses(kind, sample, path, value, things):
    answer = ask(kind, replacing(sample, path, value), things, keep_event=path == ("eventId",))
    assert answer.status_code == 422, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    pointers = [mistake["pointer"] for mistake in answer.json()["errors"]]
    assert any(pointer.startswith(f"/{path[0]}") for pointer in pointers), pointers


@pytest.mark.parametrize("kind, sample, path, value", WITHIN)
def test_what_the_schema_takes_the_service_takes(kind, sample, path, value, things):
    answer = ask(kind, replacing(sample, path, value), things)
    if answer.status_code == 422:
        # What is refused then is not the value's form, but that this event has no such seats.
        details = {mistake["detail"] for mistake in answer.json()["errors"]}
        assert sample is BY_SEATS and details == {"names no seat of this event"}, answer.text
    else:
        assert answer.status_code in (201, 202), answer.text


def ask(kind, body, things, *, keep_event=False) -> requests.Response:
    if kind == "event.publish.v1":
        return requests.post(f"{fleet.URL}/events", json=body, timeout=60)
    if not keep_event:
        body = body | {"eventId": things["KNOWN_EVENT"]}
    if body["userId"] == START["userId"]:
        body = body | {"userId": str(uuid.uuid4())}
    return requests.post(f"{fleet.URL}/saga/start", json=body, timeout=30)


def test_every_path_refuses_a_method_that_it_does_not_take_and_names_those_it_takes():
    for path, operations in contract.served("openapi.json")["paths"].items():
        place = fleet.URL + path.replace("{id}", str(uuid.uuid4())).replace("{queue}", "payment.commands")
        answer = requests.delete(place, headers=fleet.OPERATOR, timeout=30)
        assert answer.status_code == 405, path
        allowed = {method.lower() for method in answer.headers["Allow"].split(", ")}
        assert allowed - {"head"} == set(operations), path


def test_the_page_for_people_is_there():
    answer = requests.get(f"{fleet.URL}/docs", timeout=30)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "/saga/start" in answer.text and "PublishEvent" in answer.text
    assert requests.head(f"{fleet.URL}/docs", timeout=30).status_code == 200


def test_the_sample_of_an_event_goes_on_sale():
    assert ask("event.publish.v1", EVENT, {}).status_code == 201
