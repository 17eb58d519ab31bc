"""Tests that the tables of resource-replacing changes are complete and agree with the cloud stand-ins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from modelyard.effects import MOVED, Effects, Fate
from modelyard_targets import TARGETS
from modelyard_targets.components import modules
from testbed.clouds.aws.table import RECORDS as AWS
from testbed.clouds.azure.table import RECORDS as AZURE
from testbed.clouds.gcp.table import RECORDS as GCP

GOLDEN: Final = Path(__file__).resolve().parents[1] / "golden" / "registrations"
CLOUDS: Final = {"aws": AWS, "gcp": GCP, "azure": AZURE}
PREFIXES: Final = {"aws": "aws:", "gcp": "gcp:", "azure": "azure-native:"}
NO_RESOURCES: Final = frozenset({"kubernetes.Manifests", "kubernetes.Object", "kubernetes.Site", "Infrastructure"})
OF_PROVIDERS: Final = frozenset({"region", "location"})
"""Properties that the stand-ins compare in the same way for all resource types."""


def registered_types() -> set[str]:
    """Return the resource types that the golden systems' programs register."""
    projects = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(GOLDEN.glob("*.json")))
    return {resource["type"] for project in projects for listed in project.values() for resource in listed}


def components() -> Iterator[tuple[str, list[str]]]:
    """Yield every component with the names of its arguments."""
    for module, content in modules().items():
        provider = module.partition(".")[0]
        for name, takes in content["classes"].items():
            kind = name if module == "infrastructure" else f"{provider}.{name}"
            yield kind, [*takes["required"], *takes["optional"]]


def effects_of(kind: str) -> Effects:
    """Return the effects of the provider whose tables contain a component."""
    provider = kind.partition(".")[0]
    return TARGETS[provider if provider in CLOUDS else "kubernetes"].effects()


@pytest.mark.parametrize("provider", sorted(CLOUDS))
def test_every_registered_type_of_a_cloud_is_in_its_table(provider: str) -> None:
    known = TARGETS[provider].effects().resources
    own = {kind for kind in registered_types() if kind.startswith(PREFIXES[provider])}

    assert own
    assert own - known.keys() == set()


def test_every_registered_kind_of_object_is_in_the_table() -> None:
    known = TARGETS["kubernetes"].effects()
    own = (kind.removeprefix("kubernetes:") for kind in registered_types() if kind.startswith("kubernetes:"))
    kinds = {"/".join(kind.rsplit(":", 1)) for kind in own if kind != "helm.sh/v4:Chart"}

    assert kinds - known.parts.keys() == set()
    assert kinds - known.resources.keys() == set()


def test_every_component_is_in_the_table_of_its_provider() -> None:
    missing = [kind for kind, _ in components() if kind not in NO_RESOURCES and kind not in effects_of(kind).parts]

    assert missing == []


def test_a_part_names_arguments_of_its_component_and_properties_that_replace() -> None:
    """The tables list only existing arguments and map none to a property that replaces nothing."""
    arguments = dict(components())
    wrong: list[str] = []
    for kind, part in ((kind, part) for name in TARGETS for kind, part in TARGETS[name].effects().parts.items()):
        if "/" in kind:
            continue
        tables = effects_of(kind)
        argument_names = {
            *part.arguments,
            *part.rolls,
            *part.grows,
            *part.spreads,
            *(path for refusal in part.refuses for path in (refusal.path, *refusal.when[:1])),
            *filter(None, (part.pool, part.items)),
        }
        wrong += [f"{kind} takes no {name}" for name in argument_names if name.partition(".")[0] not in arguments[kind]]
        wrong += [
            f"{kind}.{name}: {target} of {part.type}"
            for name, target in part.arguments.items()
            if target != MOVED and tables.fate(kind, name) is not Fate.REPLACED
        ]

    assert wrong == []


@pytest.mark.parametrize("provider", sorted(CLOUDS))
def test_what_replaces_a_resource_is_what_the_stand_in_replaces(provider: str) -> None:
    """The tables match those of the cloud stand-ins, which have their own sources and run real previews."""
    table = TARGETS[provider].effects().resources
    records: dict[str, Any] = dict(CLOUDS[provider])
    differing = {
        kind: sorted(set(table[kind]) ^ fixed - OF_PROVIDERS)
        for kind, record in records.items()
        if kind in table
        and (fixed := {"*"} if record.update is None else set(record.fixed)) | OF_PROVIDERS
        != set(table[kind]) | OF_PROVIDERS
    }

    assert differing == {}
    assert records.keys() - table.keys() == set()
