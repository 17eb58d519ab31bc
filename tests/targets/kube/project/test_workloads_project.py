"""Tests the workloads projects for an existing cluster and for a cluster created by another project."""

from __future__ import annotations

from dataclasses import replace

from modelyard_targets.kube.project.workloads_project import objects_of_placement, workloads_of
from tests.emitted import context
from tests.narrowing import present
from tests.plans import large_spec
from tests.specs import VALID_SPEC
from tests.targets.aws.emitted import context as context_in_aws


def test_every_file_is_in_one_project() -> None:
    workloads = workloads_of(context(large_spec(200), "near"), {})
    names = [manifest.name for project in workloads.projects for manifest in project.manifests]

    assert len(workloads.projects) > 1
    assert sorted(names) == sorted(file.name for file in workloads.files)


def test_objects_are_counted_while_they_are_written() -> None:
    here = context(VALID_SPEC)
    workloads = workloads_of(here, {})
    assert not any(map(workloads.written, workloads.files))

    documents = [
        document for project in workloads.projects for file in project.manifests for document in file.documents()
    ]

    assert len(documents) == len(list(objects_of_placement(here)))
    facts = [present(workloads.written(file)) for file in workloads.files]
    assert sum(count for each in facts for count in each.kinds.values()) == len(documents)


def test_program_includes_the_components_that_it_imports() -> None:
    """If another project creates the cluster, the program includes the component that reads its outputs."""
    (there,), (in_aws, *_) = workloads_of(context(VALID_SPEC), {}).projects, workloads_of(context_in_aws(), {}).projects

    assert there.components == ("base", "documents", "kubernetes")
    assert in_aws.components == ("base", "documents", "infrastructure", "kubernetes")
    assert [(imported.module, imported.name) for imported in in_aws.program.imports] == [
        ("modelyard_stacks", "kubernetes"),
        ("modelyard_stacks.infrastructure", "Infrastructure"),
    ]


def test_every_project_has_the_settings() -> None:
    workloads = workloads_of(context(large_spec(200), "near"), {"context": "here"})

    assert all(project.settings == {"context": "here"} for project in workloads.projects)


def test_build_context_exists_if_the_image_is_needed() -> None:
    here = context(VALID_SPEC)
    empty = replace(here, plan=replace(here.plan, resources=()))

    assert workloads_of(here, {}).image
    assert workloads_of(empty, {}).image == ()
