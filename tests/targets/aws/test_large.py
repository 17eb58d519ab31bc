"""Tests an AWS system with 200 models, whose split into projects stays stable as models are added."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from modelyard.stack import Project, Stack
from modelyard.writers.python_text import print_program
from modelyard_targets.aws.lower import lower
from tests.targets.aws.infrastructure import plan_of

MOST: Final = 2000
MODELS: Final = 200
GOLDEN: Final = Path(__file__).parents[2] / "golden" / "registrations"
COMPONENT: Final = "pulumi:pulumi:Stack$modelyard:aws:"

_HEAD: Final = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: large}
governance: {owner: {team: platform, email: platform@acme.example}}
deployment: {mode: cloud, provider: aws, region: eu-central-1, account: "123456789012"}
stores: {lake: {type: object}, runs: {type: database}}
registry: {database: runs, artifacts: lake}
compute: {cpu: {cpu: 2, memory: 8Gi}, large: {cpu: 8, memory: 32Gi}}
"""


def spec(models: int) -> str:
    """Return a spec with the given number of models, each with its own dataset, pipeline, endpoint and monitor."""
    sections = {
        "data": "d%d: {store: lake, path: features/%d, format: parquet, label: left}",
        "models": "m%d: {task: binary-classification, framework: xgboost, card: {purpose: segment %d}}",
        "pipelines": "p%d: {type: training, model: m%d, inputs: [d%d], compute: large}",
        "inference": "e%d: {variants: {one: {model: m%d@champion}}, compute: cpu, capture: {sample: 9%%, store: lake}}",
        "monitors": "w%d: {type: data-drift, watch: inference.e%d, reference: {data: d%d}, checks: {psi: {max: 0.2}}}",
    }
    return _HEAD + "".join(
        f"{name}:\n" + "".join(f"  {line % ((at,) * line.replace('%%', '').count('%d'))}\n" for at in range(models))
        for name, line in sections.items()
    )


@pytest.fixture(scope="module")
def stack() -> Stack:
    """Lower the system and return its stack."""
    return lower(plan_of(spec(MODELS)), "main")


def homes(stack: Stack) -> dict[str, str]:
    """Return the project that contains each role and each manifest file."""
    roles = {
        f"role {call.name}": project.folder
        for project in stack.projects
        for call in project.program.calls
        if call.component == "Identity"
    }
    files = {file.name: project.folder for project in stack.projects for file in project.manifests}
    return {**roles, **files}


def resources(project: Project, each: dict[str, int]) -> int:
    """Count the resources that a project registers: its stack, its Kubernetes objects, and components with children."""
    documents = sum(len(list(file.documents())) for file in project.manifests)
    return 1 + documents + sum(each.get(call.component, 1) for call in project.program.calls)


@pytest.fixture(scope="module")
def each() -> dict[str, int]:
    """Return the maximum number of resources registered by one instance of each component in the golden files."""
    most: Counter[str] = Counter()
    for path in GOLDEN.glob("*.json"):
        for project, registered in json.loads(path.read_text(encoding="utf-8")).items():
            children = Counter(
                resource["parent"] for resource in registered if resource["parent"].startswith(COMPONENT)
            )
            for parent, count in children.items() if "infrastructure" in project else ():
                name = parent.partition("::")[0].removeprefix(COMPONENT)
                most[name] = max(most[name], count + 1)
    return dict(most)


def test_large_system_is_split_into_projects(stack: Stack) -> None:
    folders = [project.folder for project in stack.projects]

    assert "infrastructure-2" in folders
    assert "workloads-2" in folders
    assert folders == sorted(folders, key=lambda folder: (folder.partition("-")[0], len(folder), folder))


def test_no_project_exceeds_the_resource_limit(stack: Stack, each: dict[str, int]) -> None:
    counts = {project.folder: resources(project, each) for project in stack.projects}

    assert each["Identity"] == 4
    assert max(counts.values()) < MOST
    assert sum(counts.values()) > 2 * MOST


def test_adding_a_model_moves_no_other(stack: Stack) -> None:
    """Adding a model leaves all other roles and files in their projects. Moving them would recreate resources."""
    before, after = homes(stack), homes(lower(plan_of(spec(MODELS + 1)), "main"))

    assert len(after) > len(before) > 3 * MODELS
    assert {name: after[name] for name in before} == before


def test_adding_a_model_changes_only_its_projects(stack: Stack) -> None:
    more = lower(plan_of(spec(MODELS + 1)), "main")
    programs = [{project.folder: print_program(project.program) for project in each.projects} for each in (stack, more)]
    changed = {folder for folder in programs[0] if programs[0][folder] != programs[1][folder]}
    new = {home for name, home in homes(more).items() if name not in homes(stack)}

    # the node counts are in the first project and depend on the whole system
    assert changed <= new | {"infrastructure"}
