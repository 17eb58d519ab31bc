"""Tests that every example compiles for supported providers only and has a short README."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelyard.api import Compiled, compile_text
from modelyard.cli.init import templates
from modelyard.load import load
from modelyard.source import Json
from modelyard.spec import TargetSpec
from tests.examples import (
    FOLDER,
    Example,
    every_example,
    on_aws,
    on_azure,
    on_clusters,
    on_google_cloud,
)

EVERY = list(every_example())
TEMPLATES = templates()

EXPECTED_WARNINGS = {
    "recommender-default": ["W0410"],
    "recommender-aws": ["W0516", "W0410"],
    "recommender-gcp": ["W0516"],
    "fraud-detection-default": ["W0516"],
    "fraud-detection-on-prem": ["W0681"],
    "readmission-default": ["W0681"],
    "readmission-rehearsal": ["W0681"],
    "visual-inspection-default": ["W0946"],
}
"""Expected warnings: an override for one provider, a pinned version at a plant, a hospital with its own backup, and
budgets for an expected month instead of the busiest month.
"""

_WORDS = re.compile(
    r"aws|amazon|(?<![a-z])(s3|eks|ec2|ecr|rds|arn:)|gcp|google|(?<![a-z])(gke|gcs|gs:)|azure|(?<![a-z])aks|abfs"
    r"|karpenter",
    re.IGNORECASE,
)
"""Words that name providers, their services or their addresses."""


def compiled(example: Example) -> Compiled:
    """Compile an example through the public function, as a library user would."""
    inputs = example.inputs()
    return compile_text(
        inputs.spec.content,
        environment=inputs.environment,
        path=inputs.spec.path,
        overlay=None if inputs.overlay is None else inputs.overlay.content,
    )


def codes_of(outcome: Compiled) -> list[str]:
    """Return the codes of an outcome's diagnostics, in order."""
    return [diagnostic.code for diagnostic in outcome.diagnostics]


def providers_named(value: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the paths of all keys and strings that contain a word naming a provider."""
    if isinstance(value, str) and (_WORDS.search(value) or value in {"kubernetes", "local"}):
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            if _WORDS.search(key):
                yield (*path, key)
            yield from providers_named(inner, (*path, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from providers_named(inner, (*path, str(at)))


@pytest.mark.parametrize("example", [*on_clusters(), *on_aws(), *on_google_cloud(), *on_azure()], ids=str)
def test_example_compiles(example: Example) -> None:
    """The output has one project per target, one manifest per workload, and only expected warnings."""
    outcome = compiled(example)

    assert codes_of(outcome) == EXPECTED_WARNINGS.get(str(example), [])
    system = example.compiled().system
    assert system is not None
    for target in system.deployment.targets:
        assert f"{example.stack}/{target.name}/workloads/__main__.py" in outcome.files
        has_infrastructure = f"{example.stack}/{target.name}/infrastructure/__main__.py" in outcome.files
        assert has_infrastructure == (target.provider in {"aws", "gcp", "azure"})
    for section, prefix, target_of in (
        (
            "inference",
            "model",
            {workload.name: workload.target for workload in system.inference.values() if not workload.pool},
        ),
        ("pipelines", "pipeline", {workload.name: workload.target for workload in system.pipelines.values()}),
        ("monitors", "monitor", {workload.name: workload.target for workload in system.monitors.values()}),
    ):
        for name, placement in target_of.items():
            path = f"{example.stack}/{placement}/workloads/manifests/{prefix}-{name}.yaml"
            assert path in outcome.files, f"{section}.{name} came to nothing"


def _adopts(target: TargetSpec) -> bool:
    network = target.options.network
    return network is not None and bool(network.adopted)


def test_examples_cover_aws_features() -> None:
    """Examples cover hybrid systems, an adopted network, an elastic class, and eight `spot-first` accelerators."""
    systems = {str(example): value for example in on_aws() if (value := example.compiled().system)}
    targets = {name: system.deployment.targets for name, system in systems.items()}
    classes = {name: system.compute.values() for name, system in systems.items()}

    assert len({example.name for example in on_aws()}) >= 5
    assert [name for name, system in systems.items() if system.deployment.mode == "hybrid"]
    assert [name for name, value in targets.items() if any(_adopts(item) for item in value)]
    assert [name for name, value in classes.items() if any(item.elastic for item in value)]
    assert [
        name
        for name, value in classes.items()
        if any(
            item.capacity == "spot-first" and item.accelerators and item.accelerators[0].count == 8 for item in value
        )
    ]


def test_examples_are_from_different_industries() -> None:
    """At least eight systems, from most industries, each have an environment that compiles."""
    names = {example.name for example in EVERY}
    systems = [outcome for example in on_clusters() if (outcome := example.compiled().system)]

    assert len(names) >= 8
    assert {example.name for example in on_clusters()} == names
    assert len({system.profile.industry for system in systems}) >= 7
    assert {system.profile.size for system in systems} == {"small", "enterprise"}


@pytest.mark.parametrize("name", sorted({example.name for example in EVERY}))
def test_examples_name_providers_only_under_deployment(name: str) -> None:
    """No word outside `deployment.targets` names a provider in a spec or environment.

    The exceptions are addresses of services that speak the S3 protocol, and the names of environments.
    """
    for path in (FOLDER / name / "system.yaml", *(FOLDER / name).glob("environments/*.yaml")):
        document, _ = load(path.read_bytes(), path.name)
        assert document is not None
        for place in providers_named(document.value):
            inside = place[2:] if place[0] == "environments" else place
            if inside:
                assert inside[0] == "deployment" or inside[-1] == "endpoint", place
                assert inside[-1] in {"provider", "mode", "endpoint"}, place


@pytest.mark.parametrize("name", sorted({example.name for example in EVERY}))
def test_every_readme_fits_one_screen(name: str) -> None:
    """The README has a title and the command, and fits on one screen."""
    text = (FOLDER / name / "README.md").read_text(encoding="utf-8")

    assert text.startswith("# ")
    assert f"modelyard compile examples/{name}" in text
    assert len(text.splitlines()) <= 40


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_compiles(name: str) -> None:
    """The spec that `init` writes from a template compiles without changes."""
    text = TEMPLATES[name].read_text(encoding="utf-8")
    outcome = compile_text(text.replace("name: my-system", "name: renamed", 1))

    assert codes_of(outcome) == []
    assert outcome.ok
    assert text.startswith("# ")
    assert all(b"my-system" not in content for content in outcome.files.values())


def test_specs_are_formatted_for_reading() -> None:
    """Lines have at most 125 characters and no trailing spaces, and every example references its schema."""
    for path in (*FOLDER.glob("*/system.yaml"), *FOLDER.glob("*/environments/*.yaml"), *TEMPLATES.values()):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert [at for at, line in enumerate(lines, 1) if len(line) > 125 or line != line.rstrip()] == [], path
    for path in FOLDER.glob("*/system.yaml"):
        schema = path.read_text(encoding="utf-8").splitlines()[0].partition("$schema=")[2]
        assert Path(path.parent, schema).is_file()


def test_examples_cover_every_rollout_strategy() -> None:
    """Servers are replaced by a second cluster, by a gradual traffic shift, or one Pod at a time."""
    systems = [compiled_system for example in on_clusters() if (compiled_system := example.compiled().system)]
    strategies = {inference.rollout.strategy for system in systems for inference in system.inference.values()}

    assert strategies == {"blue-green", "incremental", "in-place"}
