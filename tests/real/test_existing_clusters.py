"""Deploys a system with the real engine to clusters that another team has created in the stand-ins for clouds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelyard.disk import Tree, write_trees
from modelyard.emit import stack_files
from testbed.clouds.aws.cloud import cloud as running_aws
from testbed.clouds.gcp.cloud import Cloud as Google
from testbed.clouds.shared.store import Store
from testbed.pulumi.stack import Failed, PulumiStack
from tests.examples import SYSTEMS, Example
from tests.real.aws_projects import left_in
from tests.real.existing import create_eks_cluster, create_gke_cluster

ZONE = "europe-west3-a"


def _infrastructure(environment: str | None, out: Path) -> Path:
    """Write the system for this environment to disk and return its infrastructure project."""
    outcome = Example("tenant", environment, SYSTEMS).compiled()
    assert not outcome.failed, outcome.diagnostics
    trees = [Tree(stack.environment, stack.target, stack_files(stack), "test") for stack in outcome.stacks]
    _, problems = write_trees(out, trees)
    assert problems == ()
    return out / (environment or "default") / "main" / "infrastructure"


def _lives(stack: PulumiStack) -> None:
    """Check that everything is created once, stays the same, and is deleted only if it is not protected."""
    assert set(stack.preview().changes.values()) == {"create"}
    assert set(stack.up().changes.values()) == {"create"}
    assert stack.up().changed == {}
    assert stack.refresh().changed == {}
    with pytest.raises(Failed, match="protect"):
        stack.destroy()
    stack.configure("protect", "false")
    stack.up()


def test_life_on_an_existing_eks_cluster(tmp_path: Path, pulumi_stack: Callable[..., PulumiStack]) -> None:
    """The cluster has to exist, and it stays as it is when the system is gone."""
    with running_aws(tmp_path / "cloud") as cloud:
        stack = pulumi_stack(_infrastructure(None, tmp_path / "build"), "default", **cloud.variables())
        with pytest.raises(Failed, match="No cluster found for name: platform"):
            stack.preview()
        create_eks_cluster(cloud, "platform")
        before = left_in(cloud)

        _lives(stack)
        assert cloud.surprises() == {}
        pods = Store(cloud.folder / "store.json").all("associations").values()
        assert {(each["namespace"], each["serviceAccount"]) for each in pods} == {
            ("tenant", account) for account in ("fit", "login-runs", "promoter", "registry", "score", "scoring")
        }
        assert all(each.startswith("tenant-main-") for each in set(left_in(cloud)["roles"]) - set(before["roles"]))

        stack.destroy()
        assert stack.resources() == []
        assert left_in(cloud) == before


def test_life_on_an_existing_gke_cluster(tmp_path: Path, pulumi_stack: Callable[..., PulumiStack]) -> None:
    """The cluster has to exist and to have identities for Pods, and it stays as it is when the system is gone."""
    cloud = Google(tmp_path / "cloud", "acme-ml")
    cloud.enable("container.googleapis.com")  # by whoever created the first cluster
    for name in ("token", "pagerduty"):
        cloud.secret(name)
    stack = pulumi_stack(_infrastructure("gke", tmp_path / "build"), "gke", **cloud.variables())
    with pytest.raises(Failed, match=f"locations/{ZONE}/clusters/platform not found"):
        stack.preview()
    create_gke_cluster(cloud, "platform", ZONE, identities=False)
    with pytest.raises(Failed, match=r"--workload-pool=acme-ml\.svc\.id\.goog"):
        stack.preview()
    create_gke_cluster(cloud, "platform", ZONE)
    before = cloud.left()

    _lives(stack)
    assert cloud.surprises() == {}
    members = {
        values["member"].rpartition("/ns/")[2]
        for values in cloud.api.all("gcp:storage/bucketIAMMember:BucketIAMMember").values()
    }
    assert members == {f"tenant-gke/sa/{account}" for account in ("fit", "promoter", "registry", "score", "scoring")}

    stack.destroy()
    assert stack.resources() == []
    kept = ("KeyRing", "CryptoKey", "CryptoKeyIAMMember")  # Google never deletes these
    left = {kind: names for kind, names in cloud.left().items() if kind not in kept}
    assert left == {kind: names for kind, names in before.items() if kind not in kept}
