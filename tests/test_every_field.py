"""Refuse, never ignore: a field of the schema changes what comes out, is refused by the target, or only informs."""

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
from tests.schemas.walk import Schema, alone, at, fields, filled, followed, schema_of

Steps = tuple[str | int, ...]

SEEDS = Path(__file__).parent / "fields"

INFORMATIVE = {
    "#/$defs/governance/properties/explainability": "a rule about models, checked while compiling",
    "#/$defs/variable/properties/description": "told to whoever sets the variable",
    "#/$defs/variable/properties/enum": "a rule about the variable's value, checked while compiling",
    "#/$defs/variable/properties/type": "a rule about the variable's value, checked while compiling",
    "#/$defs/variable/then/properties/max": "a rule about the variable's value, checked while compiling",
    "#/$defs/variable/then/properties/min": "a rule about the variable's value, checked while compiling",
}
"""Fields that tell readers something or bind the spec itself, and change nothing that runs."""

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
"""Fields of which another value alone makes a wrong spec, since others follow from them."""

OF_AWS = ("#/$defs/targetFields/", "#/$defs/vpc/", "#/$defs/secretStore/", "#/$defs/store/", "#/$defs/computeClass/")
"""Beginnings of the places that are looked at once more on AWS, where another target answers for them."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A spec that compiles, with what it compiles to."""

    name: str
    value: dict[str, Json]
    files: dict[str, bytes]


def compiled(value: Json) -> tuple[dict[str, bytes], tuple[Diagnostic, ...]]:
    """What a spec compiles to, and what is told about it."""
    done = compile_text(yaml.safe_dump(value, sort_keys=False, allow_unicode=True))
    return dict(done.files), done.diagnostics


@lru_cache(maxsize=1)
def seeds() -> tuple[Seed, ...]:
    """The specs that together fill every field: on clusters of one's own, and on AWS."""
    found: list[Seed] = []
    for path in sorted(SEEDS.glob("*.yaml")):
        value = cast("dict[str, Json]", yaml.safe_load(path.read_text()))
        files, told = compiled(value)
        assert files, told
        found.append(Seed(path.stem, value, files))
    return tuple(found)


@lru_cache(maxsize=1)
def occurrences() -> dict[str, list[tuple[int, Steps]]]:
    """For every place of the schema, where the seeds fill it."""
    found: dict[str, list[tuple[int, Steps]]] = {}
    for number, seed in enumerate(seeds()):
        for place, path in filled(seed.value):
            found.setdefault(place, []).append((number, path))
    return found


def leaves() -> Iterator[str]:
    """Places of fields whose value is not itself made of fields."""
    for place, schema in fields().items():
        inside = followed(schema)
        only_value = "const" in inside or len(_list(inside.get("enum"))) == 1
        if not (only_value or _is_section(inside) or place.startswith("#/$defs/environment/")):
            yield place


def _is_section(schema: Schema) -> bool:
    """Whether the value is a mapping of known fields or of named things, which have places of their own."""
    if "properties" in schema or isinstance(schema.get("additionalProperties"), dict):
        return "oneOf" not in schema and "anyOf" not in schema
    items = schema_of(schema.get("items"))
    return "properties" in followed(items)


def value_at(value: Json, path: Steps) -> Json:
    """The value at a path."""
    for step in path:
        value = cast("dict[str | int, Json]", value)[step]
    return value


def changed(value: dict[str, Json], path: Steps, new: Json) -> dict[str, Json]:
    """The spec with one value replaced."""
    copied = copy.deepcopy(value)
    parent = cast("dict[str | int, Json]", value_at(copied, path[:-1]))
    parent[path[-1]] = new
    return copied


def without(value: dict[str, Json], path: Steps) -> dict[str, Json]:
    """The spec with one field left out."""
    copied = copy.deepcopy(value)
    del cast("dict[str | int, Json]", value_at(copied, path[:-1]))[path[-1]]
    return copied


def alternatives(place: str, value: Json, spec: dict[str, Json]) -> Iterator[Json]:
    """Other values for a field: what its schema lists, its neighbours, and names that the spec declares."""
    schema = followed(at(place))
    for part in (schema, *(followed(schema_of(one)) for key in ("oneOf", "anyOf") for one in _list(schema.get(key)))):
        yield from (*_list(part.get("enum")), *([part["const"]] if "const" in part else []))
        yield from _list(part.get("examples"))
        items = followed(schema_of(part.get("items")))
        if isinstance(value, list):
            yield from ([one] for one in (*_list(items.get("enum")), *_list(items.get("examples"))))
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
    inference = {name: schema_of(schema_of(one).get("variants")) for name, one in endpoints}
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
    """`differs`, `refused`, `same`, or what made an alternative no spec at all; in the seeds so called."""
    for number, path in occurrences().get(place, []):
        seed = seeds()[number]
        if not seed.name.startswith(seeds_of):
            continue
        value = value_at(seed.value, path)
        candidates = [changed(seed.value, path, new) for new in alternatives(place, value, seed.value) if new != value]
        for spec in (*candidates, without(seed.value, path)):
            files, told = compiled(spec)
            errors = [one.code for one in told if one.severity is Severity.ERROR]
            if files:
                yield "differs" if files != seed.files else "same"
            elif all(code.startswith(("E05", "E06", "AWS-E")) for code in errors):
                yield "refused"
            else:
                yield f"wrong: {' '.join(dict.fromkeys(errors))}"


@pytest.mark.parametrize("place", sorted(leaves()))
def test_a_field_is_honoured_or_refused(place: str) -> None:
    """Some change of the field alone changes what comes out, or is refused by the target with a reason."""
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


def _on_aws() -> list[str]:
    """The fields that a spec for AWS fills, of the sections for which its target answers."""
    filled_there = {place for place, found in occurrences().items() if any(_is_aws(number) for number, _ in found)}
    return sorted(filled_there & {place for place in leaves() if place.startswith(OF_AWS) and place not in DECISIVE})


def _is_aws(number: int) -> bool:
    return seeds()[number].name.startswith("aws")


@pytest.mark.parametrize("place", _on_aws())
def test_a_field_is_honoured_or_refused_on_aws(place: str) -> None:
    """What one target honours another must not pass over."""
    seen: list[str] = []
    for verdict in verdicts(place, "aws"):
        if verdict in {"differs", "refused"}:
            return
        seen.append(verdict)
    pytest.fail(f"{len(seen)} changes and none of them shows: {', '.join(dict.fromkeys(seen))}")


def test_a_cloud_is_refused_as_a_whole() -> None:
    """A provider without a target is told at its line, once, and nothing comes out."""
    value = copy.deepcopy(seeds()[0].value)
    value["deployment"] = {"mode": "cloud", "provider": "gcp", "region": "europe-west3", "network": "public"}
    files, told = compiled(value)

    assert files == {}
    assert [one.code for one in told if one.severity is Severity.ERROR] == ["E0602"]


@pytest.mark.parametrize("section", sorted(schema_of(at("#/$defs/environment").get("properties"))))
def test_an_environment_patches_every_section(section: str) -> None:
    """What an environment says of a section comes out, or is told; it is never passed over."""
    for seed in seeds():
        if section in seed.value:
            patched = {**seed.value, "environments": {"other": {section: None}}}
            text = yaml.safe_dump(patched, sort_keys=False, allow_unicode=True)
            base, other = compile_text(text), compile_text(text, environment="other")
            assert base.ok
            shown = {path.removeprefix("other/"): data for path, data in other.files.items()}
            assert not other.ok or shown != {path.removeprefix("default/"): data for path, data in base.files.items()}
            return
    pytest.fail("no seed has this section")


def test_the_schema_is_walked() -> None:
    """The walk finds the fields that there are, so that none is left out in silence."""
    assert len(list(leaves())) > 200
    assert alone(at("#/$defs/name"))
