"""Deploys two systems with Pulumi's engine to another team's existing clusters in the stand-ins for clouds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed.charts import ChartRepository
from testbed.clouds.aws.cloud import cloud as running_aws
from testbed.clouds.azure.access import CREDENTIAL
from testbed.clouds.gcp.cloud import Cloud as Google
from testbed.clouds.shared.store import Store
from testbed.kubernetes import nodes
from testbed.kubernetes.control_plane import Cluster
from testbed.pulumi.stack import Failed, PulumiStack
from tests.real.aws_projects import left_in
from tests.real.azure_systems import cloud_for
from tests.real.existing import create_aks_cluster, create_eks_cluster, create_gke_cluster
from tests.real.two_systems import ZONE, hello_folder, projects_of, share_a_cluster, tenant_folder

TENANT = {"fit", "promoter", "registry", "score", "scoring"}
"""The ServiceAccounts of the first system whose Pods have an identity in every cloud."""


@pytest.fixture
def platform(control_plane: Cluster) -> Iterator[Cluster]:
    """Return the test bed's control plane with the owner's machines, and restore its nodes afterwards."""
    kubectl = control_plane.kubectl
    nodes.remove_nodes(kubectl)
    machines = [nodes.Node(f"general-{at}", labels=(("acme.example/pool", "general"),)) for at in range(3)]
    nodes.add_nodes(kubectl, machines)
    yield control_plane
    nodes.remove_nodes(kubectl)
    nodes.add_nodes(kubectl, [nodes.Node(f"large-{at}", resources=(("nvidia.com/gpu", 8),)) for at in range(2)])


def test_two_systems_on_an_existing_eks_cluster(
    tmp_path: Path, platform: Cluster, chart_repository: ChartRepository, pulumi_stack: Callable[..., PulumiStack]
) -> None:
    """The cluster must exist beforehand, and is unchanged after both systems have been removed."""
    with running_aws(tmp_path / "cloud", cluster=platform) as cloud:
        tenant, hello = (
            projects_of(folder(None, tmp_path), cloud.variables(), chart_repository, pulumi_stack)
            for folder in (tenant_folder, hello_folder)
        )
        with pytest.raises(Failed, match="No cluster found for name: platform"):
            tenant.infrastructure.preview()
        create_eks_cluster(cloud, "platform")
        before = left_in(cloud)

        assert set(tenant.infrastructure.up().changes.values()) == {"create"}
        assert cloud.surprises() == {}
        pods = Store(cloud.folder / "store.json").all("associations").values()
        assert {(each["namespace"], each["serviceAccount"]) for each in pods} == {
            ("tenant", account) for account in (*TENANT, "login-runs")
        }
        assert all(each.startswith("tenant-main-") for each in set(left_in(cloud)["roles"]) - set(before["roles"]))

        share_a_cluster(tenant, hello)
        tenant.destroy()
        assert left_in(cloud) == before


def test_two_systems_on_an_existing_gke_cluster(
    tmp_path: Path, platform: Cluster, chart_repository: ChartRepository, pulumi_stack: Callable[..., PulumiStack]
) -> None:
    """The cluster must exist and provide identities for Pods. It is unchanged after both systems have been removed."""
    cloud = Google(tmp_path / "cloud", "acme-ml", cluster=platform)
    cloud.enable("container.googleapis.com")  # by the team that created the first cluster
    for name in ("token", "pagerduty"):
        cloud.secret(name)
    tenant, hello = (
        projects_of(folder("gke", tmp_path), cloud.variables(), chart_repository, pulumi_stack)
        for folder in (tenant_folder, hello_folder)
    )
    with pytest.raises(Failed, match=f"locations/{ZONE}/clusters/platform not found"):
        tenant.infrastructure.preview()
    create_gke_cluster(cloud, "platform", ZONE, identities=False)
    with pytest.raises(Failed, match=r"--workload-pool=acme-ml\.svc\.id\.goog"):
        tenant.infrastructure.preview()
    create_gke_cluster(cloud, "platform", ZONE)
    before = cloud.left()

    assert set(tenant.infrastructure.up().changes.values()) == {"create"}
    assert cloud.surprises() == {}
    members = {
        values["member"].rpartition("/ns/")[2]
        for values in cloud.api.all("gcp:storage/bucketIAMMember:BucketIAMMember").values()
    }
    assert members == {f"tenant-gke/sa/{account}" for account in TENANT}

    share_a_cluster(tenant, hello)
    tenant.destroy()
    permanent = ("KeyRing", "CryptoKey", "CryptoKeyIAMMember")  # Google never deletes these
    left = {kind: names for kind, names in cloud.left().items() if kind not in permanent}
    assert left == {kind: names for kind, names in before.items() if kind not in permanent}


def test_two_systems_on_an_existing_aks_cluster(
    tmp_path: Path, platform: Cluster, chart_repository: ChartRepository, pulumi_stack: Callable[..., PulumiStack]
) -> None:
    """The cluster must have workload identity. It is unchanged after both systems have been removed."""
    folders = [folder("aks", tmp_path) for folder in (tenant_folder, hello_folder)]
    cloud = cloud_for(tmp_path / "cloud", folders[0], platform)
    tenant, hello = (projects_of(folder, cloud.variables(), chart_repository, pulumi_stack) for folder in folders)
    create_aks_cluster(cloud, "platform", "dns", identities=False)
    with pytest.raises(Failed, match="az aks update --name platform --enable-oidc-issuer --enable-workload-identity"):
        tenant.infrastructure.preview()
    create_aks_cluster(cloud, "platform", "dns")
    before = cloud.left()

    assert set(tenant.infrastructure.up().changes.values()) == {"create"}
    assert cloud.surprises() == {}
    subjects = {values["subject"] for values in cloud.api.all(CREDENTIAL).values()}
    assert subjects == {f"system:serviceaccount:tenant-aks:{account}" for account in (*TENANT, "secrets-reader")}

    share_a_cluster(tenant, hello)
    tenant.destroy()
    assert cloud.left() == before
