"""Tests the whole life of a system's infrastructure on a simulated Google Cloud: changes, drift, failures, removal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelyard.disk import Tree, write_trees
from modelyard.emit import stack_files
from testbed.clouds.gcp.cloud import Cloud
from testbed.clouds.shared.orders import Order
from testbed.pulumi.stack import Failed, PulumiStack
from tests.examples import SYSTEMS, Example
from tests.real.engine import changes_of

LEADS = Example("leads-on-google", None, SYSTEMS)
POOL = "gcp:container/nodePool:NodePool"
LOGS = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"

_BEFORE = {"  region: europe-west4\n": '  region: europe-west4\n  version: "1.35"\n'}
_CHANGES = {
    "numbers of replicas and workers": {"    compute: small\n": "    compute: small\n    replicas: {min: 3, max: 6}\n"},
    "machines: `accelerators`, `cpu`, `memory`, `capacity` of a class": {'["L4:1", "A100:1"]': '["L4:1"]'},
    "`retention`, `versioned`, `objectLock` of a bucket; `budget`, permissions of workloads": {
        "lake: {type: object}": "lake: {type: object, retention: 60d}",
        "retain: 7y": "retain: 8y",
    },
    "`size` of a database": {"runs: {type: database}": "runs: {type: database, size: 40Gi}"},
    "`version` of Kubernetes": {value: key for key, value in _BEFORE.items()},
}
_LOGIN = "the password of a database"
_REFUSED = {
    "name of a store": {"lake": "sea"},
    "`vpc`, `region`; names of the system, the environment or the target": {"10.20.0.0/16": "10.30.0.0/16"},
}


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    """Return a project of Google Cloud with the secret that the system refers to."""
    cloud = Cloud(tmp_path / "cloud", "acme-leads")
    cloud.secret("token")
    return cloud


def _edited(text: str, edits: dict[str, str]) -> str:
    for old, new in edits.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def _folder(text: str, out: Path) -> Path:
    """Compile a spec and return the folder of its infrastructure project."""
    outcome = LEADS.compiled(text)
    assert not outcome.failed, outcome.diagnostics
    trees = [Tree(stack.environment, stack.target, stack_files(stack), "test") for stack in outcome.stacks]
    _, problems = write_trees(out, trees)
    assert problems == ()
    return out / "default" / "main" / "infrastructure"


def _rows(folder: Path) -> set[str]:
    """Return the first column of the emitted README's table of changes."""
    readme = (folder.parent / "README.md").read_text()
    table = readme.partition("## What a change does")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines() if line.startswith("| ")]
    return {row for row in rows if row != "change"}


def test_life_of_the_infrastructure(tmp_path: Path, cloud: Cloud, pulumi_stack: Callable[..., PulumiStack]) -> None:
    """A failed run is completed, changes behave as the README documents, and protection prevents the removal."""
    text = _edited((SYSTEMS / "leads-on-google" / "system.yaml").read_text(), _BEFORE)
    folder = _folder(text, tmp_path / "first")
    assert _rows(folder) == {*_CHANGES, _LOGIN, *_REFUSED}
    stack = pulumi_stack(folder, LEADS.stack, **cloud.variables())

    cloud.orders.give(Order("fail", verb="create", kind="gcp:container/cluster:Cluster"))
    with pytest.raises(Failed, match="told to fail"):
        stack.up()
    assert set(changes_of(stack.up()).values()) == {"create"}
    assert cloud.surprises() == {}

    changed_text = text
    for edits in _CHANGES.values():
        changed_text = _edited(changed_text, edits)
    stack.replace(_folder(changed_text, tmp_path / "second"))
    stack.configure("loginVersion", "2")
    assert changes_of(stack.up()) == {
        "Bucket audit": "update",
        "Bucket lake": "update",
        "Cluster leads-main": "update",
        "DatabaseInstance runs": "update",
        "NodePool gpu-a2-highgpu-1g-on-demand": "delete",
        "NodePool gpu-a2-highgpu-1g-spot": "delete",
        "NodePool small-e2-standard-2-on-demand": "update",
        "NodePool system": "update",
        "SecretVersion runs-1": "delete",
        "SecretVersion runs-2": "create",
        "User runs": "update",
    }

    _drift(cloud)
    drifted = {
        "BucketIAMMember registry-leads-lake-aa8f43-list": "delete",
        "NodePool small-e2-standard-2-on-demand": "update",
        "ProjectBucketConfig leads-main": "update",
    }
    assert changes_of(stack.refresh()) == drifted
    assert changes_of(stack.up()) == {**drifted, "BucketIAMMember registry-leads-lake-aa8f43-list": "create"}

    for edits, error in zip(_REFUSED.values(), ('Bucket::lake" cannot be deleted', "unable to replace"), strict=True):
        stack.replace(_folder(_edited(changed_text, edits), tmp_path / error))
        assert error in "\n".join(stack.start("preview").wait(600).errors)
    stack.replace(_folder(changed_text, tmp_path / "third"))
    with pytest.raises(Failed, match="protect"):
        stack.command("destroy", "--yes")
    _ends(cloud, stack)


def _drift(cloud: Cloud) -> None:
    """Simulate manual changes: a member that is gone, a larger pool, and a shorter retention of logs."""
    (member,) = [
        each for each in cloud.api.all(MEMBER) if "legacyBucketReader" in each and each.endswith("/sa/registry")
    ]
    cloud.remove(MEMBER, member)
    pool, _ = cloud.named(POOL, "small-")
    cloud.edit(POOL, pool, autoscaling={"totalMaxNodeCount": 12})
    (logs,) = cloud.api.all(LOGS)
    cloud.edit(LOGS, logs, retentionDays=7)


def _ends(cloud: Cloud, stack: PulumiStack) -> None:
    """Undo the protection, then destroy all but the key and the right to decrypt the database's backups."""
    stack.configure("protect", "false")
    assert set(changes_of(stack.up())) >= {"Cluster leads-main", "DatabaseInstance runs"}
    stack.destroy()
    assert stack.resources() == []
    left = cloud.left()
    (agent,) = left.pop("CryptoKeyIAMMember")
    assert agent.endswith("@gcp-sa-cloud-sql.iam.gserviceaccount.com")
    assert left.pop("Secret") == ["projects/acme-leads/secrets/token"]
    assert {kind: len(names) for kind, names in left.items()} == {"KeyRing": 1, "CryptoKey": 1}
    assert len(cloud.api.store.all("backups")) == 1
