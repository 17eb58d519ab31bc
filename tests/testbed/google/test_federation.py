"""Tests workload identity pools and their trusted issuers in the Google Cloud stand-in."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.clouds.shared.refusal import Refused
from tests.testbed.google.world import World, enable

POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
BUCKET_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
TRUST = {
    "workloadIdentityPoolId": "shop",
    "workloadIdentityPoolProviderId": "cluster",
    "attributeMapping": {"google.subject": "assertion.sub"},
    "oidc": {"issuerUri": "https://oidc.example/shop", "allowedAudiences": ["sts.googleapis.com"]},
}


@pytest.fixture
def pool(world: World) -> World:
    """Return a project with a workload identity pool."""
    enable(world)
    world.make("shop", POOL, workloadIdentityPoolId="shop", displayName="shop")
    return world


def test_pool_trusts_an_issuer(pool: World) -> None:
    provider = pool.make("cluster", PROVIDER, **TRUST)

    where = "projects/123456789012/locations/global/workloadIdentityPools/shop/providers/cluster"
    assert provider["name"] == where, "with the number of the project, as token exchanges name it"
    oidc = {**TRUST["oidc"], "issuerUri": "https://oidc.example/new"}  # type: ignore[dict-item]
    assert pool.change("cluster", oidc=oidc)[0] == ["oidc"]
    assert pool.replaced_by("cluster", workloadIdentityPoolId="mast") == ["workloadIdentityPoolId"]


def test_members_of_a_pool(pool: World) -> None:
    """Subjects are the values mapped by the pool's provider. GKE's own pool accepts only its own subject format."""
    pool.make("lake", "gcp:storage/bucket:Bucket", name="lake", location="EU")
    pools = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools"
    access = {"bucket": "lake", "role": "roles/storage.objectViewer"}

    assert pool.make("reader", BUCKET_MEMBER, **access, member=f"{pools}/shop/subject/monitor-drift")
    for missing in (f"{pools}/mast/subject/monitor-drift", f"{pools}/acme.svc.id.goog/subject/monitor-drift"):
        with pytest.raises(Refused, match="Identity Pool does not exist"):
            pool.make("other", BUCKET_MEMBER, **access, member=missing)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"workloadIdentityPoolId": "mast"}, "workloadIdentityPools/mast' was not found"),
        ({"workloadIdentityPoolProviderId": "gcp-shop"}, "and not gcp- first"),
        ({"oidc": {"issuerUri": "http://oidc.example"}}, "must be an HTTPS endpoint"),
        ({"oidc": {"allowedAudiences": ["a"]}}, "oidc.issuerUri: the API requires it"),
        ({"oidc": {"issuerUri": "https://oidc.example", "allowedAudiences": ["a"] * 11}}, "At most 10 audiences"),
        ({"attributeMapping": {"attribute.account": "assertion.sub"}}, "must map google.subject"),
        ({"displayName": "x" * 33}, "displayName cannot exceed 32"),
        ({"issuer": "https://oidc.example"}, "issuer: the API knows no such property"),
    ],
)
def test_providers_that_google_refuses(pool: World, change: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused, match=message):
        pool.make("cluster", PROVIDER, **{**TRUST, **change})


def test_deleted_pool_reserves_its_id(pool: World) -> None:
    pool.make("cluster", PROVIDER, **TRUST)
    pool.remove("cluster")
    with pytest.raises(Refused, match="409: Requested entity already exists"):
        pool.make("cluster", PROVIDER, **TRUST)
    pool.remove("shop")
    with pytest.raises(Refused, match="409: Requested entity already exists"):
        pool.make("shop", POOL, workloadIdentityPoolId="shop")

    assert pool.make("again", POOL, workloadIdentityPoolId="shop-2")
