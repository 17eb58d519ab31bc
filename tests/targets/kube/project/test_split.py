"""Tests how a large system is split into projects, and that its files then stay in their projects."""

from __future__ import annotations

from modelyard.plan import Kind
from modelyard_targets.kube.project.files import FOUNDATION, File, files_of
from modelyard_targets.kube.project.split import split
from modelyard_targets.kubernetes.lower import lower
from modelyard_targets.kubernetes.platform import context_of
from tests.plans import large_spec, plan_of
from tests.specs import VALID_SPEC

LARGE = plan_of(large_spec(200))
FILES = files_of(context_of(LARGE, "far"))


def homes(files: tuple[File, ...]) -> dict[str, int]:
    return {file.name: at for at, group in enumerate(split(files)) for file in group}


def test_an_ordinary_system_is_one_project() -> None:
    (project,) = lower(plan_of(VALID_SPEC), "main").projects

    assert project.folder == "workloads"


def test_every_file_is_in_one_project_and_the_foundation_in_the_first() -> None:
    groups = split(FILES)
    names = [file.name for group in groups for file in group]

    assert len(groups) > 1
    assert sorted(names) == sorted(file.name for file in FILES)
    assert set(FOUNDATION) <= {file.name for file in groups[0]}


def test_no_project_exceeds_the_resource_limit() -> None:
    stack = lower(LARGE, "far")
    sizes = [sum(len(list(file.documents())) for file in project.manifests) for project in stack.projects]

    assert max(sizes) < 2000
    assert sum(sizes) > 1000


def test_adding_a_workload_moves_no_other() -> None:
    """Adding a workload leaves all others in their projects. Moving them would recreate their resources."""
    before = homes(FILES)
    after = homes((*FILES, File("pipeline-new", ())))

    assert {name: after[name] for name in before} == before


def test_additional_project_takes_only_its_share() -> None:
    servers = tuple(resource for resource in LARGE.resources if resource.kind is Kind.MODEL_SERVER)
    more = (*FILES, *(File(f"pool-{at}", servers[:4]) for at in range(60)))
    before, after = homes(FILES), homes(more)
    moved = {name for name in before if before[name] != after[name]}

    assert max(after.values()) > max(before.values())
    assert all(after[name] > max(before.values()) for name in moved)
