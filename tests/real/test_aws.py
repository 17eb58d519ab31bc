"""Tests that Pulumi's engine creates, updates and deletes resources in a simulated AWS on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testbed.clouds.aws.cloud import Cloud
from testbed.clouds.aws.cloud import cloud as running_cloud
from testbed.clouds.shared.orders import Order
from testbed.pulumi.stack import Failed, Outcome, PulumiStack
from tests.real.engine import until_all_else_is_done

SMALL = Path(__file__).parent / "programs" / "aws"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """Run a stand-in for AWS."""
    with running_cloud(tmp_path / "cloud") as stand_in:
        yield stand_in


@pytest.fixture
def small(cloud: Cloud, pulumi_stack: Callable[..., PulumiStack]) -> PulumiStack:
    """Return a stack of the small AWS program."""
    return pulumi_stack(SMALL, "test", **cloud.variables())


def _names(outcome: Outcome) -> dict[str, str]:
    """Map each changed resource, identified by type and logical name, to its operation."""
    return {
        " ".join((urn.split("::")[2].rpartition(":")[2], urn.rpartition("::")[2])): operation
        for urn, operation in outcome.changed.items()
    }


def test_up_again_changes_nothing_and_destroy_leaves_nothing(cloud: Cloud, small: PulumiStack) -> None:
    """`pulumi up` applies only configuration changes, and AWS keeps every property unchanged."""
    assert set(small.preview().changes.values()) == {"create"}
    assert set(small.up().changes.values()) == {"create"}
    assert cloud.surprises() == {}
    assert small.up().changed == {}
    assert small.refresh().changed == {}

    small.configure("days", "60")
    assert _names(small.up()) == {"BucketLifecycleConfiguration data": "update"}
    rules = cloud.client("s3").get_bucket_lifecycle_configuration(Bucket="small-data-20261124")["Rules"]
    assert rules[0]["Expiration"] == {"Days": 60}

    assert set(small.destroy().changes.values()) == {"delete"}
    assert small.resources() == []
    assert cloud.client("s3").list_buckets()["Buckets"] == []
    assert [vpc["CidrBlock"] for vpc in cloud.client("ec2").describe_vpcs()["Vpcs"] if not vpc["IsDefault"]] == []


def test_drift_is_detected_and_reverted(cloud: Cloud, small: PulumiStack) -> None:
    """A refresh detects manual changes, and the next `pulumi up` reverts them."""
    small.up()
    cloud.client("s3").put_bucket_versioning(
        Bucket="small-data-20261124", VersioningConfiguration={"Status": "Suspended"}
    )
    ec2 = cloud.client("ec2")
    groups = ec2.describe_security_groups()["SecurityGroups"]
    (web,) = [group for group in groups if group["GroupName"].startswith("web-")]
    ec2.revoke_security_group_ingress(GroupId=web["GroupId"], IpPermissions=web["IpPermissions"])
    (vpc,) = [vpc for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]
    ec2.create_tags(Resources=[vpc["VpcId"]], Tags=[{"Key": "owner", "Value": "somebody"}])

    assert _names(small.refresh()) == {
        "BucketVersioning data": "update",
        "SecurityGroupIngressRule https": "delete",
        "Vpc network": "update",
    }
    assert _names(small.up()) == {
        "BucketVersioning data": "update",
        "SecurityGroupIngressRule https": "create",
        "Vpc network": "update",
    }
    assert cloud.client("s3").get_bucket_versioning(Bucket="small-data-20261124")["Status"] == "Enabled"
    assert small.up().changed == {}


def test_immutable_change_replaces_dependent_resources_too(small: PulumiStack) -> None:
    """Changing the address range replaces the VPC and reattaches the gateway to the new one."""
    small.up()
    small.configure("cidr", "10.1.0.0/16")

    changed = _names(small.up())

    assert changed["InternetGateway gateway"] == "update"
    assert {name for name in changed if name.startswith(("Vpc", "Subnet"))} == {
        "Vpc network",
        "Subnet subnet-0",
        "Subnet subnet-1",
    }
    assert "Bucket data" not in changed
    assert small.up().changed == {}


def test_error_includes_the_reason_from_aws(small: PulumiStack) -> None:
    """If AWS rejects an address range, the engine's error quotes the reason."""
    small.configure("cidr", "10.0.0.0/8")

    with pytest.raises(Failed, match="/16 to /28 are allowed"):
        small.up()


def test_bucket_with_objects_is_not_deleted(cloud: Cloud, small: PulumiStack) -> None:
    """A bucket with objects cannot be deleted until it is empty."""
    small.up()
    s3 = cloud.client("s3")
    version = s3.put_object(Bucket="small-data-20261124", Key="one", Body=b"1")["VersionId"]

    with pytest.raises(Failed, match="BucketNotEmpty"):
        small.destroy()

    s3.delete_object(Bucket="small-data-20261124", Key="one", VersionId=version)
    small.destroy()
    assert small.resources() == []


@pytest.mark.parametrize("after", [False, True])
def test_next_up_completes_a_failed_call(cloud: Cloud, small: PulumiStack, after: bool) -> None:
    """After a failed call, the next `pulumi up` leaves exactly one resource, even if the call created it."""
    cloud.orders.give(Order("fail", verb="create", kind="aws:kms/key:Key", after=after))

    with pytest.raises(Failed, match="a test requested this failure"):
        small.up()

    small.up()
    assert len(cloud.client("kms").list_keys()["Keys"]) == 1
    assert small.up().changed == {}


def test_a_killed_run_is_resumed(cloud: Cloud, small: PulumiStack) -> None:
    """If a run is killed while a call hangs, the next run finishes its work."""
    cloud.orders.give(Order("stall", verb="create", kind="aws:kms/key:Key"))
    running = small.start("up")
    until_all_else_is_done(cloud.orders, running)
    running.kill()
    cloud.orders.clear()

    small.unlock()
    assert "aws:kms/key:Key" in str(small.export()["pending_operations"])
    small.up()

    assert len(cloud.client("kms").list_keys()["Keys"]) == 1
    small.destroy()
    assert small.resources() == []
