"""The golden samples are valid, and hardly anything else is."""

import pytest

import contract
from mutations import general, leaves, members, replacing, without

# What a sample has, and a message may lack.
OPTIONAL = {
    "purchase.start.v1": {"tier", "paymentMethod", "email", "holdSeconds"},
    "event.publish.v1": {"endsAt", "tiers/*/seats"},
    "purchase.rejected.v1": {"problem/errors"},
    "purchase.completed.v1": {"tickets/*/seat"},
    "purchase.refused.v1": {"available"},
    "ticket.issued.v1": {"tickets/*/seat"},
    "notification.send.v1": {"email", "tickets/*/seat"},
    "reservation.reserve.v1": {"seats"},
    "reservation.stock.v1": {"tiers/*/seats", "tiers/*/firstRank"},
    "reservation.refused.v1": {"available"},
    "reservation.confirmed.v1": {"tickets/*/seat"},
}
# Words for people, which may be empty.
PROSE = {f"problem/{name}" for name in ("title", "detail", "errors/*/pointer", "errors/*/detail")}
UPSTREAM = ["purchase.start.v1", "purchase.cancel.v1", "event.publish.v1"]

START = contract.GOLDEN["purchase.start.v1"]
BY_SEATS = without(START, ("quantity",)) | {"seats": ["A-1", "A-2"]}
EVENT = contract.GOLDEN["event.publish.v1"]
# (kind, sample, path, value): each at its limit, and a step beyond.
WITHIN = [
    ("purchase.start.v1", START, ("quantity",), 10),
    ("purchase.start.v1", START, ("holdSeconds",), 3600),
    ("purchase.start.v1", START, ("holdSeconds",), None),
    ("purchase.start.v1", START, ("userId",), "ä" * 128),
    ("purchase.start.v1", START, ("paymentMethod",), "m" * 64),
    ("purchase.start.v1", START, ("email",), "a@b"),
    ("purchase.start.v1", START, ("seats",), None),
    ("purchase.start.v1", BY_SEATS, ("seats",), [f"A-{n}" for n in range(10)]),
    ("purchase.start.v1", START, ("userId",), "\U0001f469\u200d\U0001f692"),
    ("event.publish.v1", EVENT, ("name",), "n" * 200),
    ("event.publish.v1", EVENT, ("startsAt",), "2031-05-01T21:30:00.123456789+02:00"),
    ("event.publish.v1", EVENT, ("endsAt",), None),
    ("event.publish.v1", EVENT, ("venue", "latitude"), -90),
    ("event.publish.v1", EVENT, ("tiers", 0, "capacity"), 1_000_000),
    ("event.publish.v1", EVENT, ("tiers", 0, "price", "minor"), 100_000_000),
]
BEYOND = [
    ("purchase.start.v1", START, ("quantity",), 0),
    ("purchase.start.v1", START, ("quantity",), 11),
    ("purchase.start.v1", START, ("quantity",), 1.5),
    ("purchase.start.v1", START, ("holdSeconds",), 0),
    ("purchase.start.v1", START, ("holdSeconds",), 3601),
    ("purchase.start.v1", START, ("userId",), "ä" * 129),
    ("purchase.start.v1", START, ("userId",), "e" + "\u0301" * 128),
    ("purchase.start.v1", START, ("userId",), "a\u0000b"),
    ("purchase.start.v1", START, ("userId",), "a\nb"),
    ("purchase.start.v1", START, ("userId",), "o\u0092brien"),
    ("purchase.start.v1", START, ("userId",), "a\u2028b"),
    ("purchase.start.v1", START, ("userId",), "a\u202eb"),
    ("purchase.start.v1", START, ("userId",), "a\ufffdb"),
    ("purchase.start.v1", START, ("email",), "o\u0092brien@example.org"),
    ("purchase.start.v1", START, ("paymentMethod",), "m" * 65),
    ("purchase.start.v1", START, ("email",), "@"),
    ("purchase.start.v1", START, ("email",), "a@b@c"),
    ("purchase.start.v1", START, ("email",), "a" * 250 + "@b.cd"),
    ("purchase.start.v1", START, ("eventId",), "not-a-uuid"),
    ("purchase.start.v1", START, ("seats",), ["A-1"]),
    ("purchase.start.v1", START, ("price",), 1),
    ("purchase.start.v1", BY_SEATS, ("seats",), []),
    ("purchase.start.v1", BY_SEATS, ("seats",), ["A-1", "A-1"]),
    ("purchase.start.v1", BY_SEATS, ("seats",), [f"A-{n}" for n in range(11)]),
    ("event.publish.v1", EVENT, ("name",), "n" * 201),
    ("event.publish.v1", EVENT, ("startsAt",), "tomorrow"),
    ("event.publish.v1", EVENT, ("startsAt",), "2031-02-30T19:30:00Z"),
    ("event.publish.v1", EVENT, ("startsAt",), "2031-05-01T25:61:00Z"),
    ("event.publish.v1", EVENT, ("startsAt",), "2031-05-01T19:30:00Zgarbage"),
    ("event.publish.v1", EVENT, ("venue", "latitude"), 90.5),
    ("event.publish.v1", EVENT, ("venue", "country"), "AT"),
    ("event.publish.v1", EVENT, ("tiers",), []),
    ("event.publish.v1", EVENT, ("tiers", 0, "capacity"), 0),
    ("event.publish.v1", EVENT, ("tiers", 0, "capacity"), 1_000_001),
    ("event.publish.v1", EVENT, ("tiers", 0, "price", "minor"), -1),
    ("event.publish.v1", EVENT, ("tiers", 0, "price", "minor"), 100_000_001),
    ("event.publish.v1", EVENT, ("tiers", 0, "price", "currency"), "eur"),
    ("event.publish.v1", EVENT, ("tiers", 1, "seats"), ["A-1", "s" * 33]),
    ("event.publish.v1", EVENT, ("tiers", 1, "seats"), ["A-1", "A-1"]),
]


def payload(kind, **options):
    return contract.validator(contract.messages()[kind]["payload"], **options)


@pytest.mark.parametrize("kind", contract.GOLDEN)
def test_a_golden_sample_is_valid_and_its_schema_names_all_its_fields(kind):
    assert contract.mistakes(payload(kind, closed=True), contract.GOLDEN[kind]) == []


def test_every_kind_has_a_sample():
    assert set(contract.GOLDEN) == set(contract.messages())


@pytest.mark.parametrize("kind", contract.GOLDEN)
def test_a_sample_that_lacks_a_field_is_invalid_unless_the_field_is_optional(kind):
    sample, schema = contract.GOLDEN[kind], payload(kind)
    for path in members(sample):
        is_optional = general(path) in OPTIONAL.get(kind, set())
        assert schema.is_valid(without(sample, path)) == is_optional, path


@pytest.mark.parametrize("kind", contract.GOLDEN)
def test_a_sample_with_a_value_of_another_type_is_invalid(kind):
    sample, schema = contract.GOLDEN[kind], payload(kind)
    assert not schema.is_valid([]) and not schema.is_valid("text") and not schema.is_valid(None)
    for path, value in leaves(sample):
        for wrong in ([], {}, True, 17 if isinstance(value, str) else "17"):
            assert not schema.is_valid(replacing(sample, path, wrong)), (path, wrong)
        if isinstance(value, str) and general(path) not in PROSE:
            assert not schema.is_valid(replacing(sample, path, "")), path


@pytest.mark.parametrize("kind", UPSTREAM)
def test_a_command_from_upstream_takes_no_other_fields(kind):
    assert not payload(kind).is_valid(contract.GOLDEN[kind] | {"surprise": 1})


@pytest.mark.parametrize("kind, sample, path, value", WITHIN)
def test_a_value_at_its_limit_is_valid(kind, sample, path, value):
    assert contract.mistakes(payload(kind), replacing(sample, path, value)) == []


@pytest.mark.parametrize("kind, sample, path, value", BEYOND)
def test_a_value_beyond_its_limit_is_invalid(kind, sample, path, value):
    assert not payload(kind).is_valid(replacing(sample, path, value))
