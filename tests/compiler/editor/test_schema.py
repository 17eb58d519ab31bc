"""Tests that the editor schemas accept the compiler's specs and variables. `tests/real` tests completions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import cast

import jsonschema
import jsonschema_rs
import pytest

from modelyard.cli.main import main
from modelyard.editor.schema import environment_schema, schema_text, system_schema
from modelyard.load import load
from modelyard.shape import Schema, schema_of
from modelyard.source import Json
from tests.schemas.changes import REMOVED, with_value
from tests.schemas.generate import STRANGE
from tests.schemas.walk import SYSTEM, filled, valid_specs

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("examples/*/system.yaml", "tests/fields/*.yaml", "tests/failing/*/system.yaml")
    for path in ROOT.glob(pattern)
)
PATCHES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("examples/*/environments/*.yaml"))
_OPTIONS = jsonschema_rs.RegexOptions()
JUDGED = jsonschema_rs.Draft202012Validator(SYSTEM, pattern_options=_OPTIONS)
SPECS = jsonschema_rs.Draft202012Validator(system_schema(), pattern_options=_OPTIONS)
ENVIRONMENTS = jsonschema_rs.Draft202012Validator(environment_schema(), pattern_options=_OPTIONS)
FOR_THE_COMPILER = {"title", "examples", "x-expected", "x-requires", "x-secret", "x-text-is", "x-default-without"}


def _read(path: str) -> Schema | None:
    document, _ = load((ROOT / path).read_bytes(), path)
    return None if document is None else document.value


@pytest.mark.parametrize("path", FILES)
def test_both_schemas_agree_on_a_file(path: str) -> None:
    """The compiler and editor schemas accept the same files, except that only the latter has environments."""
    spec = _read(path)
    if spec is None or "${" in json.dumps(spec):
        return
    bare = {key: value for key, value in spec.items() if key != "environments"}

    assert SPECS.is_valid(bare) == JUDGED.is_valid(bare)


@pytest.mark.parametrize("name", valid_specs())
def test_both_schemas_agree_when_one_value_is_strange(name: str) -> None:
    """Both schemas still agree after each field in turn is given odd values or removed."""
    spec = {key: value for key, value in valid_specs()[name].items() if key != "environments"}
    judged = 0
    for changed in _changed(spec):
        judged += 1
        assert SPECS.is_valid(changed) == JUDGED.is_valid(changed), changed
    assert judged >= 50


def _changed(spec: Schema) -> Iterator[Schema]:
    paths = dict.fromkeys(path for _, path in filled(spec))
    for number, path in enumerate(paths):
        yield with_value(spec, path, REMOVED)
        for value in islice((*STRANGE, *STRANGE), number % len(STRANGE), number % len(STRANGE) + 4):
            yield with_value(spec, path, value)


@pytest.mark.parametrize("path", [path for path in FILES if path.startswith("examples/")])
def test_examples_fit_the_editor_schema(path: str) -> None:
    """All examples fit the editor schema, including variables and environments."""
    assert [error.message for error in SPECS.iter_errors(_read(path))] == []


@pytest.mark.parametrize("path", PATCHES)
def test_example_environments_fit_the_editor_schema(path: str) -> None:
    assert [error.message for error in ENVIRONMENTS.iter_errors(_read(path))] == []


@pytest.mark.parametrize("name", valid_specs())
def test_environments_accept_every_field_of_a_spec(name: str) -> None:
    sections = schema_of(schema_of(schema_of(SYSTEM["$defs"])["environment"])["properties"])
    spec = {key: value for key, value in valid_specs()[name].items() if key in sections}

    assert [error.message for error in ENVIRONMENTS.iter_errors(spec)] == []


@pytest.mark.parametrize(
    ("environment", "fits"),
    [
        (None, True),
        ({}, True),
        ({"inference": {"score": {"replicas": 3}}}, True),
        ({"inference": {"score": {"replicas": {"max": 3}}}}, True),
        ({"inference": {"score": {"replicas": "${vars.replicas}"}}}, True),
        ({"inference": {"score": None}, "registry": None}, True),
        ({"stores": {"lake": {"adopt": "acme-lake"}, "db": {"adopt": "db.acme.example/mlflow"}}}, True),
        ({"deployment": {"targets": {"main": {"region": "eu-west-1"}}}}, True),
        ({"inference": {"score": {"replcas": 3}}}, False),
        ({"inference": {"score": {"replicas": "many"}}}, False),
        ({"inference": {"score": {"replicas": {"most": 3}}}}, False),
        ({"governance": None}, False),
        ({"governance": {"risk": "severe"}}, False),
        ({"stores": {"lake": {"adopt": "Not a bucket"}}}, False),
        ({"deployment": {"targets": {"main": {"region": "eu-west-1", "vcp": {}}}}}, False),
        ({"monitors": {"m": {"checks": {"psi": 0.2}}}}, False),
        ({"pipelines": {"p": {"inputs": ["Not a name"]}}}, False),
        ({"environments": {}}, False),
        ({"apiVersion": "modelyard.dev/v1alpha1"}, False),
    ],
)
def test_environments_are_patches(environment: Json, fits: bool) -> None:
    """An environment must fit the same schema in the spec as in its own file."""
    spec = {**valid_specs()["short-form"], "environments": {"dev": environment}}

    assert ENVIRONMENTS.is_valid(environment) is fits
    assert SPECS.is_valid(spec) is fits


def test_user_defined_metrics_are_accepted() -> None:
    """The schema suggests metrics, but also accepts ones it doesn't list."""
    spec = with_value(
        valid_specs()["fraud-detection"],
        ("models",),
        {
            "m": {
                "task": "regression",
                "framework": "custom",
                "validation": {"v": {"metric": "profit", "min": 1}},
            }
        },
    )

    assert SPECS.is_valid(spec)


@pytest.mark.parametrize("name", ["system", "environment"])
def test_the_printed_schema_is_complete(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """The printed schema has every definition it refers to, and no keywords used only by the compiler."""
    assert main(["schema", name]) == 0
    printed = capsys.readouterr().out
    schema = cast("Schema", json.loads(printed))

    assert printed == schema_text(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert str(schema["$id"]).endswith(f"/{name}.schema.json")
    parts = [*_parts(schema)]
    references = {str(part["$ref"]) for part in parts if "$ref" in part}
    assert references == {f"#/$defs/{definition_name}" for definition_name in schema_of(schema["$defs"])}
    assert not any(FOR_THE_COMPILER & part.keys() for part in parts[1:])


def _parts(part: Json, is_schema: bool = True) -> Iterator[Schema]:
    """Yield every subschema of a schema. `properties` and `$defs` contain schemas by name."""
    if isinstance(part, list):
        for child in part:
            yield from _parts(child)
    elif isinstance(part, dict):
        if is_schema:
            yield part
        for key, child in part.items():
            if key not in {"defaultSnippets", "default", "enum", "const"} or not is_schema:
                yield from _parts(child, not (is_schema and key in {"properties", "$defs"}))
