"""Tests that no spec field is ignored: each one changes the output, is refused, or is purely informative."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

import pytest
import yaml

from modelyard.api import compile_text
from modelyard.diagnostics import Diagnostic, Severity
from modelyard.source import Json
from tests.hostile.seeds import TABLES
from tests.schemas.walk import Schema, alone, at, fields, filled, followed, schema_of

Steps = tuple[str | int, ...]

SEEDS = Path(__file__).parent / "fields"

INFORMATIVE = {
    "#/$defs/governance/properties/explainability": "a rule about models, checked while compiling",
    "#/$defs/variable/properties/description": "shown to whoever sets the variable",
    "#/$defs/variable/properties/enum": "a rule about the variable's value, checked while compiling",
    "#/$defs/variable/properties/type": "a rule about the variable's value, checked while compiling",
    "#/$defs/variable/then/properties/max": "a rule about the variable's value, checked while compiling",
    "#/$defs/variable/then/properties/min": "a rule about the variable's value, checked while compiling",
}
"""Fields that inform readers or restrict the spec itself, but change nothing that runs."""

DECISIVE = {
    "#/$defs/deployment/properties/mode": "has to agree with the targets",
    "#/$defs/endpoint/properties/auth/properties/type": "decides whether a token stands beside it",
    "#/$defs/pipeline/properties/type": "decides which fields stand beside it",
    "#/$defs/pipeline/then/else/properties/trainer": "has to agree with the model's framework",
    "#/$defs/secretStore/properties/via": "decides which fields stand beside it",
    "#/$defs/soak/properties/monitor": "decides whether minRows and onFailure stand beside it",
    "#/$defs/stage/properties/after": "has to lead through all stages",
    "#/$defs/step/properties/trainer": "has to agree with the model's framework",
    "#/$defs/targetFields/then/else/then/properties/network": "decides whether access stands beside it",
    "#/$defs/store/properties/type": "decides which fields stand beside it",
    "#/$defs/targetFields/properties/provider": "decides which fields stand beside it",
}
"""Fields that cannot be changed alone, because other fields depend on their value."""

OF_A_CLOUD = (
    *("targetFields", "vpc", "googleVpc", "azureVpc", "awsCluster", "googleCluster", "azureCluster"),
    *("secretStore", "store", "computeClass"),
)
"""Definitions in the schema whose fields are tested again on each cloud, where another target implements them."""

CLOUDS = ("aws", "gcp", "azure")


@dataclass(frozen=True, slots=True)
class Seed:
    """A spec that compiles, together with its output."""

    name: str
    value: dict[str, Json]
    files: dict[str, bytes]


def compiled(value: Json) -> tuple[dict[str, bytes], tuple[Diagnostic, ...]]:
    """Return the output of a spec, and the diagnostics."""
    outcome = compile_text(yaml.safe_dump(value, sort_keys=False, allow_unicode=True), tables=TABLES)
    return dict(outcome.files), outcome.diagnostics


@lru_cache(maxsize=1)
def seeds() -> tuple[Seed, ...]:
    """Return the specs that together use every field, on existing clusters and on clouds."""
    collected: list[Seed] = []
    for path in sorted(SEEDS.glob("*.yaml")):
        value = cast("dict[str, Json]", yaml.safe_load(path.read_text()))
        files, diagnostics = compiled(value)
        assert files, diagnostics
        collected.append(Seed(path.stem, value, files))
    return tuple(collected)


@lru_cache(maxsize=1)
def occurrences() -> dict[str, list[tuple[int, Steps]]]:
    """Return the paths of each field's occurrences in the seeds, keyed by the field's schema location."""
    by_place: dict[str, list[tuple[int, Steps]]] = {}
    for number, seed in enumerate(seeds()):
        for place, path in filled(seed.value):
            by_place.setdefault(place, []).append((number, path))
    return by_place


def leaves() -> Iterator[str]:
    """Yield the locations in the schema of fields that have no subfields."""
    for place, schema in fields().items():
        inside = followed(schema)
        only_value = "const" in inside or len(_list(inside.get("enum"))) == 1
        if not (only_value or _is_section(inside) or place.startswith("#/$defs/environment/")):
            yield place


def _is_section(schema: Schema) -> bool:
    """Return whether a field's value is a mapping of fields or entries with their own schema locations."""
    if "properties" in schema or isinstance(schema.get("additionalProperties"), dict):
        return "oneOf" not in schema and "anyOf" not in schema
    items = schema_of(schema.get("items"))
    return "properties" in followed(items)


def value_at(value: Json, path: Steps) -> Json:
    """Return the part of a spec at a path."""
    for step in path:
        value = cast("dict[str | int, Json]", value)[step]
    return value


def changed(value: dict[str, Json], path: Steps, new: Json) -> dict[str, Json]:
    """Return a copy of the spec with the value at a path replaced."""
    copied = copy.deepcopy(value)
    parent = cast("dict[str | int, Json]", value_at(copied, path[:-1]))
    parent[path[-1]] = new
    return copied


def without(value: dict[str, Json], path: Steps) -> dict[str, Json]:
    """Return a copy of the spec without the field at a path."""
    copied = copy.deepcopy(value)
    del cast("dict[str | int, Json]", value_at(copied, path[:-1]))[path[-1]]
    return copied


def alternatives(place: str, value: Json, spec: dict[str, Json]) -> Iterator[Json]:
    """Yield other values for a field, from its schema, neighboring numbers, and names declared in the spec."""
    schema = followed(at(place))
    for part in (
        schema,
        *(followed(schema_of(option)) for key in ("oneOf", "anyOf") for option in _list(schema.get(key))),
    ):
        yield from (*_list(part.get("enum")), *([part["const"]] if "const" in part else []))
        yield from _list(part.get("examples"))
        items = followed(schema_of(part.get("items")))
        if isinstance(value, list):
            yield from ([option] for option in (*_list(items.get("enum")), *_list(items.get("examples"))))
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value - 1, value / 2, value * 2)
    if isinstance(value, list):
        yield from (value[1:], value[:-1])
    if isinstance(value, dict):
        yield {**value, "another": "x"}
    if isinstance(value, str) and "@" in value:
        yield from (value.partition("@")[0] + "@" + version for version in ("another", "5"))
    if isinstance(value, str) and value.endswith("Gi"):
        yield "1Gi"
    if isinstance(value, str) and value.startswith("/"):
        yield "/metadata/labels"
    yield from _names(value, spec)


def _names(value: Json, spec: dict[str, Json]) -> Iterator[Json]:
    endpoints = schema_of(spec.get("inference", {})).items()
    inference = {name: schema_of(schema_of(endpoint).get("variants")) for name, endpoint in endpoints}
    nested = {"targets": schema_of(schema_of(spec["deployment"]).get("targets")), **inference}
    for name, section in (*spec.items(), *nested.items()):
        if isinstance(section, dict) and isinstance(value, str):
            if value in section:
                yield from section
            if value.removeprefix(f"{name}.") in section:
                yield from (f"{name}.{other}" for other in section)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def verdicts(place: str, seeds_of: str = "") -> Iterator[str]:
    """Yield the verdict on each alternative to a field's value in the given seeds.

    A verdict is `differs`, `refused`, `same`, or the errors.
    """
    for number, path in occurrences().get(place, []):
        seed = seeds()[number]
        if not seed.name.startswith(seeds_of):
            continue
        value = value_at(seed.value, path)
        candidates = [changed(seed.value, path, new) for new in alternatives(place, value, seed.value) if new != value]
        for spec in (*candidates, without(seed.value, path)):
            files, diagnostics = compiled(spec)
            errors = [diagnostic.code for diagnostic in diagnostics if diagnostic.severity is Severity.ERROR]
            if files:
                yield "differs" if files != seed.files else "same"
            elif all(code.startswith(("E05", "E06", "AWS-E", "AZURE-E", "GCP-E")) for code in errors):
                yield "refused"
            else:
                yield f"wrong: {' '.join(dict.fromkeys(errors))}"


@pytest.mark.parametrize("place", sorted(leaves()))
def test_every_field_has_an_effect_or_is_refused(place: str) -> None:
    """Changing only this field changes the output or is refused by the target with a reason."""
    if place in INFORMATIVE:
        assert "differs" not in verdicts(place), "it is honoured: take it off the list"
        return
    if place in DECISIVE:
        assert "differs" not in verdicts(place), "it is honoured: take it off the list"
        assert any(verdict.startswith("wrong") for verdict in verdicts(place))
        return
    seen: list[str] = []
    for verdict in verdicts(place):
        if verdict in {"differs", "refused"}:
            return
        seen.append(verdict)
    pytest.fail(f"{len(seen)} changes and none of them shows: {', '.join(dict.fromkeys(seen)) or 'no seed fills it'}")


def _on(cloud: str) -> list[str]:
    """Return the fields in sections implemented by a cloud's target and used by a spec for this cloud."""
    filled_there = {
        place
        for place, paths in occurrences().items()
        if any(seeds()[number].name.startswith(cloud) for number, _ in paths)
    }
    prefixes = tuple(f"#/$defs/{name}/" for name in OF_A_CLOUD)
    return sorted(filled_there & {place for place in leaves() if place.startswith(prefixes) and place not in DECISIVE})


@pytest.mark.parametrize(("cloud", "place"), [(cloud, place) for cloud in CLOUDS for place in _on(cloud)])
def test_every_field_has_an_effect_or_is_refused_on_every_cloud(cloud: str, place: str) -> None:
    """A field that one cloud's target supports must not be ignored by another's."""
    seen: list[str] = []
    for verdict in verdicts(place, cloud):
        if verdict in {"differs", "refused"}:
            return
        seen.append(verdict)
    pytest.fail(f"{len(seen)} changes and none of them shows: {', '.join(dict.fromkeys(seen))}")


@pytest.mark.parametrize("section", sorted(schema_of(at("#/$defs/environment").get("properties"))))
def test_environments_can_change_every_section(section: str) -> None:
    """A section changed by an environment affects the output or is reported, but is never ignored."""
    for seed in seeds():
        if section in seed.value:
            patched = {**seed.value, "environments": {"other": {section: None}}}
            text = yaml.safe_dump(patched, sort_keys=False, allow_unicode=True)
            base, other = (compile_text(text, environment=name, tables=TABLES) for name in (None, "other"))
            assert base.ok
            changed_files = {path.removeprefix("other/"): data for path, data in other.files.items()}
            assert not other.ok or changed_files != {
                path.removeprefix("default/"): data for path, data in base.files.items()
            }
            return
    pytest.fail("no seed has this section")


def test_the_test_covers_every_field_of_the_schema() -> None:
    """The tested locations contain all schema fields, so no field is silently skipped."""
    assert len(list(leaves())) > 200
    assert alone(at("#/$defs/name"))
