"""AWS resources that several tests create."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from testbed.clouds.aws.api import Api
from testbed.clouds.aws.cloud import Cloud
from tests import stand_ins

Inputs = dict[str, Any]

STAY = (
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",  # deleted with its VPC
    # versioning can only be suspended, and a topic always has a policy
    "aws:s3/bucketVersioning:BucketVersioning",
    # Object Lock cannot be disabled on a bucket
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:secretsmanager/secretVersion:SecretVersion",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
)
"""Resource types whose resources still exist in the cloud after they have been deleted."""


World: TypeAlias = stand_ins.World[Api]


def policy_of(*actions: str, resource: str | None = "*", **more: Any) -> str:
    """Return a policy with a single statement that allows `actions`. `more` adds elements to the statement."""
    about = {} if resource is None else {"Resource": resource}
    statement = {"Effect": "Allow", "Action": list(actions), **about, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust_in(service: str) -> str:
    """Return the policy that lets a service assume a role."""
    return policy_of("sts:AssumeRole", resource=None, Principal={"Service": service})


def a_key(world: World) -> Inputs:
    """Create a KMS key that its account and CloudWatch Logs may use."""
    root = {"AWS": "arn:aws:iam::123456789012:root"}
    logs = {"Service": "logs.eu-central-1.amazonaws.com"}
    statements = [
        {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": logs, "Action": "kms:Encrypt", "Resource": "*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return world.make("key", "aws:kms/key:Key", description="one", enableKeyRotation=True, policy=policy)


def a_network(world: World) -> tuple[Inputs, list[str]]:
    """Create a VPC with subnets in two zones. Return the VPC and the subnet IDs."""
    vpc = world.make("vpc", "aws:ec2/vpc:Vpc", cidrBlock="10.0.0.0/16", enableDnsHostnames=True, enableDnsSupport=True)
    subnets = [
        world.make(
            f"subnet-{zone}",
            "aws:ec2/subnet:Subnet",
            vpcId=vpc["id"],
            cidrBlock=f"10.0.{number}.0/24",
            availabilityZone=f"eu-central-1{zone}",
            tags={"Name": zone},
        )["id"]
        for number, zone in enumerate("ab")
    ]
    return vpc, subnets


def all_ends(world: World, cloud: Cloud) -> None:
    """Delete all resources in reverse order, and check that the cloud stored every property unchanged."""
    for name in reversed(list(world.resources)):
        world.remove(name)
    assert cloud.surprises() == {}
