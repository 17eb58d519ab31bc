"""Creates, changes and deletes resources in the stand-in for AWS without a Pulumi engine."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from testbed.clouds.aws.api import Api
from testbed.clouds.aws.cloud import Cloud
from testbed.clouds.shared.lifecycle import Lifecycle

Inputs = dict[str, Any]

_STAY = (
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",  # deleted with its VPC
    # versioning can only be suspended, and a topic always has a policy
    "aws:s3/bucketVersioning:BucketVersioning",
    # Object Lock cannot be disabled on a bucket
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:secretsmanager/secretVersion:SecretVersion",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
)


@dataclass
class World:
    """The created resources by name. They are deleted in reverse order."""

    lifecycle: Lifecycle[Api]
    made: dict[str, tuple[str, str, Inputs, Inputs]] = field(default_factory=dict[str, tuple[str, str, Inputs, Inputs]])

    def make(self, name: str, kind: str, /, **inputs: Any) -> Inputs:
        """Create a resource and assert that it has all requested properties."""
        checked, failures = self.lifecycle.check(kind, name, {}, inputs, name.encode())
        assert failures == []
        found, state = self.lifecycle.create(kind, checked)
        self.made[name] = (kind, found, checked, state)
        self._steady(name)
        return {**state, "id": found}

    def change(self, name: str, /, **inputs: Any) -> tuple[list[str], Inputs]:
        """Update a resource in place. Return the properties that the provider reports as changed, and the new state."""
        kind, found, before, state = self.made[name]
        checked, _ = self.lifecycle.check(kind, name, before, {**before, **inputs}, b"")
        changed, replaced, _ = self.lifecycle.diff(kind, before, state, checked)
        assert replaced == []
        after = self.lifecycle.update(kind, found, state, checked)
        self.made[name] = (kind, found, checked, after)
        self._steady(name)
        return changed, after

    def replaced_by(self, name: str, /, **inputs: Any) -> list[str]:
        """Return the changed properties that require a replacement."""
        kind, _, before, state = self.made[name]
        return self.lifecycle.diff(kind, before, state, {**before, **inputs})[1]

    def remove(self, name: str) -> None:
        """Delete a resource and check that it is gone."""
        kind, found, inputs, state = self.made[name]
        self.lifecycle.delete(kind, found, state)
        del self.made[name]
        if kind not in _STAY:
            assert self.lifecycle.read(kind, found, state, inputs) is None, name

    def _steady(self, name: str) -> None:
        kind, found, inputs, state = self.made[name]
        seen = self.lifecycle.read(kind, found, state, inputs)
        assert seen is not None
        assert seen[1] == inputs, name
        assert self.lifecycle.diff(kind, seen[1], seen[0], inputs) == ([], [], False), name


def policy_of(*actions: str, resource: str | None = "*", **more: Any) -> str:
    """Return a policy with one statement that allows these actions. `more` adds elements to the statement."""
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
    """Create a VPC with subnets in two zones. Return the VPC and the IDs of the subnets."""
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
    """Delete everything in reverse order, and check that the cloud kept all properties as they were set."""
    for name in reversed(list(world.made)):
        world.remove(name)
    assert cloud.surprises() == {}
