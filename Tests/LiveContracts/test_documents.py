"""Both documents, judged by validators that know nothing of Turnstile."""

import copy

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

import contract


def test_openapi_is_valid_as_a_file_and_as_it_is_served():
    base = (contract.CONTRACTS / "openapi.yaml").as_uri()
    OpenAPIV31SpecValidator(contract.file("openapi.yaml"), base_uri=base).validate()
    OpenAPIV31SpecValidator(contract.served("openapi.json")).validate()


def test_every_request_and_answer_of_openapi_has_an_example_that_its_schema_takes():
    document = contract.served("openapi.json")
    schemas = {"components": {"schemas": document["components"]["schemas"]}}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            answers = [contract.resolve(document, answer) for answer in operation["responses"].values()]
            for part in (*answers, operation.get("requestBody", {})):
                for kind, media in part.get("content", {}).items():
                    if "json" not in kind or media["schema"] == {"type": "object"}:
                        continue
                    assert media["examples"], path
                    judge = Draft202012Validator(media["schema"] | schemas)
                    for example in media["examples"].values():
                        value = contract.resolve(document, example)["value"]
                        assert contract.mistakes(judge, value) == [], (path, example)


@pytest.mark.parametrize("document", ["file", "served"])
def test_asyncapi_is_valid_by_the_schema_of_its_authors(document):
    content = contract.file("asyncapi.yaml") if document == "file" else contract.served("asyncapi.json")
    errors = Draft7Validator(contract.official_asyncapi_schema()).iter_errors(content)
    assert [f"{error.json_path}: {error.message[:200]}" for error in errors] == []


@pytest.mark.parametrize(
    "path, value",
    [
        (("asyncapi",), "2.0.0"),
        (("info", "version"), None),
        (("channels", "commands", "adress"), "x"),
        (("components", "channelBindings", "commandsExchange", "amqp", "is"), "topic"),
        (("components", "channelBindings", "commandsExchange", "amqp", "queue"), {}),
        (("operations", "startPurchase", "action"), "publish"),
        (("operations", "startPurchase", "channel"), None),
    ],
)
def test_the_schema_of_asyncapi_finds_mistakes(path, value):
    broken = copy.deepcopy(contract.file("asyncapi.yaml"))
    place = broken
    for name in path[:-1]:
        place = place[name]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    assert not Draft7Validator(contract.official_asyncapi_schema()).is_valid(broken)


def walk(value, path=()):
    yield path, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from walk(child, (*path, name))


@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json"])
def test_schemas_mean_the_same_in_both_dialects(name):
    """AsyncAPI reads schemas as draft 7, where what stands beside a $ref is ignored, OpenAPI as 2020-12."""
    document = contract.served(name)
    for path, value in walk(document):
        if isinstance(value, dict) and "$ref" in value and "schemas" in path:
            assert list(value) == ["$ref"], path
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
        Draft7Validator.check_schema(schema)


def test_every_operation_of_asyncapi_takes_its_messages_from_its_channel():
    document = contract.served("asyncapi.json")
    told = set()
    for name, operation in document["operations"].items():
        for part in (operation, operation.get("reply", operation)):
            for message in part.get("messages", []):
                assert message["$ref"].startswith(part["channel"]["$ref"] + "/messages/"), name
                told.add(contract.resolve(document, contract.resolve(document, message))["name"])
    assert told == set(contract.messages()) | {"retried", "buried"}


def test_upstream_operations_come_first():
    tags = [operation["tags"][0]["name"] for operation in contract.served("asyncapi.json")["operations"].values()]
    assert tags == sorted(tags, reverse=True) and set(tags) == {"upstream", "fleet"}
