"""Tests the resources, dependencies and protection registered by every example's program under mocks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from modelyard.emit import emit
from modelyard_targets.kube.image import runtime_image
from testbed.clouds.azure import bicep
from tests.examples import SEVERAL_CLOUDS, Example, golden_examples, no_hash, on_clusters, on_this_machine
from tests.stacks.azure import sdk
from tests.stacks.programs import Registration, registrations

GOLDEN = Path(__file__).parents[1] / "golden"
EXAMPLES = tuple(
    each for each in golden_examples() if each.name not in SEVERAL_CLOUDS and each not in on_this_machine()
)  # test_several_clouds.py covers several clouds; this machine needs no programs
STEADY = ("type", "name", "parent", "dependsOn", "protect", "ignoreChanges")
POLICIES = {
    "aws:ec2/vpcEndpoint:VpcEndpoint": "policy",
    "aws:iam/policy:Policy": "policy",
    "aws:iam/role:Role": "assumeRolePolicy",
    "aws:iam/rolePolicy:RolePolicy": "policy",
    "aws:kms/key:Key": "policy",
    "aws:s3/bucketPolicy:BucketPolicy": "policy",
}
"""Resource types on AWS that grant permissions, with the input that contains the policy document."""


@cache
def emitted(root: Path) -> dict[Path, list[Registration]]:
    """Write every project of every example and return their registrations."""
    folders: list[Path] = []
    for example in EXAMPLES:
        for stack in example.compiled().stacks:
            for file in emit(stack):
                path = root / str(example) / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.render())
        folders += sorted(path.parent for path in (root / str(example)).rglob("Pulumi.yaml"))
    return dict(zip(folders, registrations(*folders), strict=True))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder for the examples.

    The hash of the runtime image is fixed, because it is part of Job names and changes with every edit.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime_image, "content_hash", no_hash)
        yield tmp_path_factory.mktemp("examples")


@pytest.mark.parametrize("example", on_clusters(), ids=str)
def test_each_document_is_registered_once_with_few_other_resources(example: Example, root: Path) -> None:
    """Other resources are the stack, the cluster, groups, registry logins, and the components of each add-on."""
    for folder, resources in emitted(root).items():
        if root / str(example) not in folder.parents:
            continue
        documents = [
            document for path in (folder / "manifests").iterdir() for document in yaml.safe_load_all(path.read_text())
        ]
        charts = [each for each in resources if each["type"] == "kubernetes:helm.sh/v4:Chart"]
        expected = {(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in documents}
        names = [(each["type"], each["name"]) for each in resources]
        logins = [each for each in resources if str(each["name"]).rpartition("/")[2].startswith("mlflow-")]

        assert len(expected) == len(documents)
        assert len(set(names)) == len(names)
        assert len(documents) < len(resources) <= len(documents) + 5 + 3 * len(charts) + len(logins)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_registrations_match_golden_files(example: Example, root: Path, accept: bool) -> None:
    """Compares types, names, parents, dependencies and options. Objects are covered by the golden manifests."""
    by_folder = {
        folder.relative_to(root).as_posix(): [{key: each[key] for key in STEADY} for each in registered]
        for folder, registered in emitted(root).items()
        if root / str(example) in folder.parents
    }
    path = GOLDEN / "registrations" / f"{example}.json"
    text = json.dumps(by_folder, indent=1) + "\n"
    if accept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    assert path.read_text() == text


def test_azure_accepts_what_is_registered(root: Path) -> None:
    """All Azure resources match their API's types and the SDK's lists of values."""
    ours = [
        each
        for folder, registered in emitted(root).items()
        if root / "leads-on-azure-default" in folder.parents
        for each in registered
        if each["type"].startswith("azure-native:")
    ]

    assert len(ours) > 80
    assert {each["name"]: wrong for each in ours if (wrong := [*bicep.faults(each), *sdk.faults(each)])} == {}


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_policies_match_golden_files(example: Example, root: Path, accept: bool) -> None:
    """Policy documents in AWS projects are compared by resource type and name."""
    by_folder = {
        folder.relative_to(root / str(example)).as_posix(): policies
        for folder, registered in emitted(root).items()
        if root / str(example) in folder.parents and (policies := _policies(registered))
    }
    path = GOLDEN / "policies" / f"{example}.json"
    text = json.dumps(by_folder, indent=1) + "\n" if by_folder else ""
    if accept and by_folder:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    elif accept:
        path.unlink(missing_ok=True)

    assert (path.read_text() if path.exists() else "") == text


def _policies(registered: list[Registration]) -> dict[str, dict[str, object]]:
    policies: dict[str, dict[str, object]] = {}
    for each in registered:
        document = each["inputs"].get(POLICIES.get(each["type"], ""))
        if document:
            policies.setdefault(each["type"], {})[each["name"]] = json.loads(document)
    return policies
