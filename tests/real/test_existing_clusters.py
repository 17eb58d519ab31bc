"""Deploys a system with Pulumi's engine to another team's existing clusters in the cloud stand-ins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelyard.disk import Tree, write_trees
from modelyard.emit import stack_files
from testbed.charts import ChartRepository
from testbed.clouds.aws.cloud import cloud as running_aws
from testbed.clouds.azure.access import CREDENTIAL
from testbed.clouds.azure.cloud import SUBSCRIPTION
from testbed.clouds.gcp.cloud import Cloud as Google
from testbed.clouds.shared.store import Store
from testbed.kubernetes import nodes
from testbed.kubernetes.control_plane import Cluster
from testbed.pulumi.stack import Failed, PulumiStack
from tests.examples import SYSTEMS, Example
from tests.real.aws_projects import left_in
from tests.real.azure_systems import cloud_for
from tests.real.existing import create_aks_cluster, create_eks_cluster, create_gke_cluster

ZONE = "europe-west3-a"


def _written(environment: str | None, out: Path, text: str | None = None) -> Path:
    """Write the system's projects for the given environment to disk, and return their folder."""
    outcome = Example("tenant", environment, SYSTEMS).compiled(text)
    assert not outcome.failed, outcome.diagnostics
    trees = [Tree(stack.environment, stack.target, stack_files(stack), "test") for stack in outcome.stacks]
    _, problems = write_trees(out, trees)
    assert problems == ()
    return out / (environment or "default") / "main"


def _lives(stack: PulumiStack) -> None:
    """Check that all resources are created once and stay unchanged, and then remove their protection."""
    assert set(stack.preview().changes.values()) == {"create"}
    assert set(stack.up().changes.values()) == {"create"}
    assert stack.up().changed == {}
    assert stack.refresh().changed == {}
    stack.configure("protect", "false")
    stack.up()


def test_life_on_an_existing_eks_cluster(tmp_path: Path, pulumi_stack: Callable[..., PulumiStack]) -> None:
    """The cluster must already exist, and removing the system leaves it unchanged."""
    with running_aws(tmp_path / "cloud") as cloud:
        stack = pulumi_stack(_written(None, tmp_path / "build") / "infrastructure", "default", **cloud.variables())
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
    """The cluster must already exist and provide identities for Pods. Removing the system leaves it unchanged."""
    cloud = Google(tmp_path / "cloud", "acme-ml")
    cloud.enable("container.googleapis.com")  # by the team that created the first cluster
    for name in ("token", "pagerduty"):
        cloud.secret(name)
    stack = pulumi_stack(_written("gke", tmp_path / "build") / "infrastructure", "gke", **cloud.variables())
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
    permanent = ("KeyRing", "CryptoKey", "CryptoKeyIAMMember")  # Google never deletes these
    left = {kind: names for kind, names in cloud.left().items() if kind not in permanent}
    assert left == {kind: names for kind, names in before.items() if kind not in permanent}


def test_life_on_an_existing_aks_cluster(tmp_path: Path, pulumi_stack: Callable[..., PulumiStack]) -> None:
    """The cluster must have workload identity enabled. Removing the system leaves it unchanged."""
    spec = (SYSTEMS / "tenant" / "system.yaml").read_text(encoding="utf-8")
    folder = _written("aks", tmp_path / "build", spec.replace("3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b", SUBSCRIPTION))
    cloud = cloud_for(tmp_path / "cloud", folder)
    stack = pulumi_stack(folder / "infrastructure", "aks", **cloud.variables())
    create_aks_cluster(cloud, "platform", "dns", identities=False)
    with pytest.raises(Failed, match="az aks update --name platform --enable-oidc-issuer --enable-workload-identity"):
        stack.preview()
    create_aks_cluster(cloud, "platform", "dns")
    before = cloud.left()

    stack.configure("protect", "false")
    assert set(stack.up().changes.values()) == {"create"}
    assert stack.up().changed == {}
    assert cloud.surprises() == {}
    subjects = {values["subject"] for values in cloud.api.all(CREDENTIAL).values()}
    assert subjects == {
        f"system:serviceaccount:tenant-aks:{account}"
        for account in ("fit", "promoter", "registry", "score", "scoring", "secrets-reader")
    }

    stack.destroy()
    assert stack.resources() == []
    assert cloud.left() == before


def test_two_systems_share_a_cluster(
    tmp_path: Path,
    control_plane: Cluster,
    chart_repository: ChartRepository,
    pulumi_stack: Callable[..., PulumiStack],
) -> None:
    """A second system reuses the first one's add-ons. Creating or removing either doesn't affect the other."""
    spec = (SYSTEMS / "tenant" / "system.yaml").read_text(encoding="utf-8")
    second = spec.replace("{name: tenant,", "{name: other,").replace("prometheus]", "prometheus, external-secrets]")
    kubectl = control_plane.kubectl
    nodes.remove_nodes(kubectl)
    machines = [nodes.Node(f"general-{at}", labels=(("acme.example/pool", "general"),)) for at in range(3)]
    nodes.add_nodes(kubectl, machines)
    with running_aws(tmp_path / "cloud", cluster=control_plane) as cloud:
        create_eks_cluster(cloud, "platform")
        (tmp_path / "backend").mkdir()
        variables = {**cloud.variables(), "PULUMI_BACKEND_URL": f"file://{tmp_path / 'backend'}"}
        stacks: dict[str, tuple[PulumiStack, PulumiStack]] = {}
        for name, text in (("tenant", spec), ("other", second)):
            folder = _written(None, tmp_path / name, text)
            pair = tuple(
                pulumi_stack(folder / part, "default", **variables) for part in ("infrastructure", "workloads")
            )
            for stack in pair:
                stack.configure("protect", "false")
            stacks[name] = (pair[0], pair[1])
            stacks[name][1].configure("chartRepository", chart_repository.url)
            assert set(stacks[name][0].up().changes.values()) == {"create"}
            assert "create" in stacks[name][1].up().changes.values()
        for part in stacks["tenant"]:
            assert part.up().changed == {}
        stores = kubectl.run("get", "clustersecretstore", "--output=name").split()
        assert {each.rpartition("/")[2] for each in stores} == {"secrets-manager.tenant", "secrets-manager.other"}

        for part in reversed(stacks["other"]):
            part.destroy()
            assert part.resources() == []
        for part in stacks["tenant"]:
            assert part.up().changed == {}
        for part in reversed(stacks["tenant"]):
            part.destroy()
            assert part.resources() == []
        assert cloud.client("eks").list_clusters()["clusters"] == ["platform"]
    nodes.remove_nodes(kubectl)
    nodes.add_nodes(kubectl, [nodes.Node(f"large-{at}", resources=(("nvidia.com/gpu", 8),)) for at in range(2)])
