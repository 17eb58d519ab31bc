"""Tests that the stack of a Kubernetes target is complete, valid and deterministic."""

from __future__ import annotations

from typing import get_args

import yaml

from modelyard.plan import Payload, Secret
from modelyard_targets.kube.project.files import FOUNDATION, LOWERINGS, file_of
from modelyard_targets.kubernetes.lower import lower, objects
from tests.crds import problems
from tests.emitted import emitted, files
from tests.plans import plan_of
from tests.specs import VALID_SPEC

WITHOUT_DEFINITION = {"AlertmanagerConfig", "ExternalSecret", "Cluster"}


def test_target_folder_is_complete() -> None:
    paths = set(files(VALID_SPEC))

    assert {
        "README.md",
        "image/Dockerfile",
        "image/requirements.txt",
        "workloads/Pulumi.yaml",
        "workloads/Pulumi.prod.yaml",
        "workloads/__main__.py",
        "workloads/requirements.txt",
        "workloads/modelyard_stacks/__init__.py",
        "workloads/modelyard_stacks/base.py",
        "workloads/modelyard_stacks/documents.py",
        "workloads/modelyard_stacks/kubernetes.py",
        "workloads/manifests/namespace.yaml",
        "workloads/manifests/model-scorer.yaml",
        "workloads/manifests/pipeline-retrain.yaml",
        "workloads/manifests/monitor-drift.yaml",
    } <= paths
    assert "images.txt" not in paths


def test_every_payload_type_except_secrets_has_a_lowering() -> None:
    assert set(get_args(Payload)) - LOWERINGS.types == {Secret}


def test_every_resource_has_a_file() -> None:
    plan = plan_of(VALID_SPEC)
    file_names = {file_of(resource) for resource in plan.resources}

    assert set(FOUNDATION) <= file_names | {"gateway", "nodes"}
    assert {"model-scorer", "pipeline-nightly", "monitor-quality"} <= file_names


def test_every_object_is_valid_and_named_once() -> None:
    manifests = emitted(VALID_SPEC)
    places = [
        (manifest["kind"], manifest["metadata"].get("namespace"), manifest["metadata"]["name"])
        for manifest in manifests
    ]

    assert len(set(places)) == len(places)
    assert [
        problems(manifest)
        for manifest in manifests
        if manifest["kind"] not in WITHOUT_DEFINITION and problems(manifest)
    ] == []


def test_objects_have_their_spec_path() -> None:
    plan = plan_of(VALID_SPEC)
    items = list(objects(plan, "main"))

    assert len(items) == len(emitted(VALID_SPEC))
    assert {item.origin[0] for item in items} >= {
        "deployment",
        "inference",
        "pipelines",
        "monitors",
        "registry",
        "stores",
    }
    assert all(plan.system.key(*item.origin).line > 1 for item in items)


def test_manifest_files_contain_the_emitted_objects() -> None:
    documents = [
        document
        for path, text in files(VALID_SPEC).items()
        if path.startswith("workloads/manifests/")
        for document in yaml.safe_load_all(text)
    ]

    assert documents == emitted(VALID_SPEC)


def test_output_is_deterministic() -> None:
    assert files(VALID_SPEC) == files(VALID_SPEC)


def test_idle_target_has_no_project() -> None:
    text = VALID_SPEC.replace(
        "  placement: {default: main}\n", "    idle: {provider: kubernetes, context: b}\n  placement: {default: main}\n"
    )

    assert lower(plan_of(text), "idle").projects == ()
    assert list(objects(plan_of(text), "idle")) == []
