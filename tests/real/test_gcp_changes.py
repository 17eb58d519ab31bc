"""Tests the lifecycle of a system's infrastructure on a simulated Google Cloud.

Covers changes, drift, failures and removal.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from modelyard.disk import Tree, write_trees
from modelyard.emit import stack_files
from testbed.clouds.gcp.cloud import Cloud
from testbed.clouds.shared.orders import Order
from testbed.pulumi.hosted import host
from testbed.pulumi.stack import Failed, PulumiStack
from tests.examples import SYSTEMS, Example
from tests.google_changes import CHANGES, DRIFT, NO_WORKLOADS, PREVIEW, UNAPPLIED, changed_text, edited, original_text
from tests.real.engine import changes_of
from tests.real.joined import Deployed, errors_in, reported

LEADS = Example("leads-on-google", None, SYSTEMS)
POOL = "gcp:container/nodePool:NodePool"
LOGS = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"

_LOGIN = "the password of a database"
_REFUSED = {
    "name of a store": {"lake": "sea"},
    "`vpc`, `region`; names of the system, the environment or the target": {"10.20.0.0/16": "10.30.0.0/16"},
}
_MORE = {
    "{cpu: 1, memory: 2Gi}": "{cpu: 3, memory: 12Gi}",
    "disk: 30Gi": "disk: 200Gi",
    "lake: {type: object,": "lake: {type: object, versioned: false,",
    "metadata:": "profile: {size: enterprise}\nmetadata:",
    "team: growth, email: growth@": "team: sales, email: sales@",
}
"""Changes that are only previewed: of machines, disks, versions of objects, the size of the system and its owner."""

_ANEW = (
    {"10.20.0.0/16": "10.30.0.0/16"},
    {"europe-west4": "europe-west1"},
)
"""Changes that recreate resources, and other resources with them, once nothing is protected."""


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    """Return a Google Cloud project with the secret that the system refers to."""
    cloud = Cloud(tmp_path / "cloud", "acme-leads")
    cloud.secret("token")
    return cloud


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


def test_life_of_the_infrastructure(
    tmp_path: Path, cloud: Cloud, pulumi_stack: Callable[..., PulumiStack], accept: bool
) -> None:
    """Failed runs can be resumed, changes follow the README, and protection prevents removal.

    Previews match what `modelyard diff` expects for each change, and `diff --preview` reports anything a change does
    not explain.
    """
    text, changed = original_text(), changed_text(original_text())
    folder = _folder(text, tmp_path / "first")
    assert _rows(folder) == {*CHANGES, _LOGIN, *_REFUSED}
    stack = pulumi_stack(folder, LEADS.stack, **cloud.variables())

    cloud.orders.give(Order("fail", verb="create", kind="gcp:container/cluster:Cluster"))
    with pytest.raises(Failed, match="a test requested this failure"):
        stack.up()
    assert set(changes_of(stack.up()).values()) == {"create"}
    assert cloud.surprises() == {}

    with host(stack.python) as runs:
        out = count()
        deployed = Deployed(stack, runs, LEADS.compiled, lambda spec: _folder(spec, tmp_path / f"build-{next(out)}"))
        preview = deployed.preview(text, changed)
        assert reported(text, changed, preview, tmp_path) == [NO_WORKLOADS]
        assert reported(changed, changed, preview, tmp_path) == [*UNAPPLIED, NO_WORKLOADS]
        _changes(stack)
        _drifts(cloud, deployed, changed, tmp_path, accept)
        _refuses(deployed, changed, tmp_path)
        _ends(cloud, deployed, changed)


def _changes(stack: PulumiStack) -> None:
    """Apply changes to the spec, and set another password."""
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


def _drifts(cloud: Cloud, deployed: Deployed, changed: str, scratch: Path, accept: bool) -> None:
    """Simulate manual changes that a refresh detects, no spec change explains, and `pulumi up` reverts."""
    stack = deployed.stack
    _drift(cloud)
    drifted = {
        "BucketIAMMember registry-leads-lake-aa8f43-list": "delete",
        "NodePool small-e2-standard-2-on-demand": "update",
        "ProjectBucketConfig leads-main": "update",
    }
    assert changes_of(stack.refresh()) == drifted
    preview = deployed.runs.preview(stack)
    if accept:
        excerpt = {name: part for name, part in json.loads(preview).items() if name in ("steps", "changeSummary")}
        PREVIEW.write_text(f"{json.dumps(excerpt, indent=1)}\n", encoding="utf-8")
    assert reported(changed, changed, preview, scratch) == [DRIFT, NO_WORKLOADS]
    assert changes_of(stack.up()) == {**drifted, "BucketIAMMember registry-leads-lake-aa8f43-list": "create"}


def _refuses(deployed: Deployed, changed: str, scratch: Path) -> None:
    """Preview further changes.

    For changes rejected because of protection, `diff` reports the failed preview.
    """
    assert errors_in(deployed.preview(changed, edited(changed, _MORE))) == ""
    for edits, error in zip(_REFUSED.values(), ('Bucket::lake" cannot be deleted', "unable to replace"), strict=True):
        edited_spec = edited(changed, edits)
        preview = deployed.preview(changed, edited_spec)
        assert error in errors_in(preview)
        (failed, _) = reported(changed, edited_spec, preview, scratch)
        assert failed.startswith("R526 review: the preview of leads-main-infrastructure fails: ")
    deployed.stack.replace(deployed.folder(changed))
    with pytest.raises(Failed, match="protect"):
        deployed.stack.command("destroy", "--yes")


def _drift(cloud: Cloud) -> None:
    """Simulate manual changes in Google Cloud: a missing member, a larger pool, and shorter log retention."""
    (member,) = [
        each for each in cloud.api.all(MEMBER) if "legacyBucketReader" in each and each.endswith("/sa/registry")
    ]
    cloud.remove(MEMBER, member)
    pool, _ = cloud.find(POOL, "small-")
    cloud.edit(POOL, pool, autoscaling={"totalMaxNodeCount": 12})
    (logs,) = cloud.api.all(LOGS)
    cloud.edit(LOGS, logs, retentionDays=7)


def _ends(cloud: Cloud, deployed: Deployed, changed: str) -> None:
    """Remove the protection and destroy everything except the key and the right to decrypt database backups.

    Without protection, previews show all resources that a change recreates.
    """
    stack = deployed.stack
    stack.configure("protect", "false")
    assert set(changes_of(stack.up())) >= {"Cluster leads-main", "DatabaseInstance runs"}
    for edits in _ANEW:
        assert errors_in(deployed.preview(changed, edited(changed, edits))) == ""
    stack.replace(deployed.folder(changed))
    stack.destroy()
    assert stack.resources() == []
    left = cloud.left()
    (agent,) = left.pop("CryptoKeyIAMMember")
    assert agent.endswith("@gcp-sa-cloud-sql.iam.gserviceaccount.com")
    assert left.pop("Secret") == ["projects/acme-leads/secrets/token"]
    assert {kind: len(names) for kind, names in left.items()} == {"KeyRing": 1, "CryptoKey": 1}
    assert len(cloud.api.store.all("backups")) == 1
