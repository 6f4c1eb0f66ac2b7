"""A hook for Schemathesis: half of the ids that it makes up become ids of things that are there.

An id that is none stays: the request may have been made to be refused for it.
"""

import os
import random
import uuid

import schemathesis

chance = random.Random(20261121)


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    known = known_id(context.operation.path)
    if known and path_parameters and is_id(path_parameters.get("id")) and chance.random() < 0.5:
        path_parameters["id"] = known
    return path_parameters


@schemathesis.hook
def map_body(context, body):
    if context.operation.path.startswith("/ops/pauses"):
        # Nothing that the other tests sell must be paused.
        return {**body, "all": False} if isinstance(body, dict) and body.get("all") is True else body
    if isinstance(body, dict) and is_id(body.get("eventId")) and chance.random() < 0.5:
        body["eventId"] = os.environ["KNOWN_EVENT"]
    return body


def is_id(value) -> bool:
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value
    except ValueError:
        return False


def known_id(path: str) -> str | None:
    if path.startswith("/events/"):
        return os.environ["KNOWN_EVENT"]
    if path.startswith(("/sagas/", "/ops/sagas/")):
        return os.environ["KNOWN_SAGA"]
    return None
