"""Tests IAM roles, users and their permissions."""

from __future__ import annotations

import pytest

from testbed.clouds.aws.cloud import Cloud
from testbed.clouds.shared.refusal import Refused
from tests.real.stand_in.world import World, all_ends, policy_of, trust_in


def test_identities(world: World, cloud: Cloud) -> None:
    trust = trust_in("ec2.amazonaws.com")
    role = world.make("role", "aws:iam/role:Role", assumeRolePolicy=trust, namePrefix="fraud-", description="nodes")
    assert role["name"].startswith("fraud-")
    managed = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
    world.make("managed", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", role=role["name"], policyArn=managed)
    world.make("inline", "aws:iam/rolePolicy:RolePolicy", role=role["name"], policy=policy_of("s3:GetObject"))
    policy = world.make("policy", "aws:iam/policy:Policy", policy=policy_of("s3:ListBucket"))
    own = policy["arn"]
    world.make("attached", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", role=role["id"], policyArn=own)
    user = world.make("user", "aws:iam/user:User", forceDestroy=False, tags={"workload": "scorer"})
    world.make("shared", "aws:iam/userPolicyAttachment:UserPolicyAttachment", user=user["name"], policyArn=own)
    world.make("rights", "aws:iam/userPolicy:UserPolicy", user=user["name"], policy=policy_of("s3:GetObject"))
    key = world.make("key", "aws:iam/accessKey:AccessKey", user=user["name"])
    assert key["secret"]

    assert world.change("inline", policy=policy_of("s3:PutObject"))[0] == ["policy"]
    assert world.change("policy", policy=policy_of("s3:DeleteObject"))[0] == ["policy"]
    assert world.change("role", description="machines")[0] == ["description"]
    assert world.change("user", tags={"workload": "other"})[0] == ["tags", "tagsAll"]
    assert world.replaced_by("managed", policyArn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy") == ["policyArn"]
    other = world.make("other", "aws:iam/role:Role", assumeRolePolicy=trust)
    world.make("profile", "aws:iam/instanceProfile:InstanceProfile", role=role["name"], tags={"pool": "elastic"})
    assert world.change("profile", role=other["name"])[0] == ["role"]
    with pytest.raises(Refused, match="no Statement"):
        world.make("wrong", "aws:iam/policy:Policy", policy="{}")
    long = policy_of("s3:GetObject" + "?" * 2_000)
    with pytest.raises(Refused, match="of at most 2048"):
        world.make("long", "aws:iam/userPolicy:UserPolicy", user=user["name"], policy=long)
    with pytest.raises(Refused, match="NoSuchEntity"):
        world.make(
            "unknown",
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            role=role["name"],
            policyArn="arn:aws:iam::aws:policy/AmazonEKSNodePolicyThatIsNot",
        )
    with pytest.raises(Refused, match="DeleteConflict"):
        world.remove("role")
    all_ends(world, cloud)


def test_issuers_of_other_clusters(world: World, cloud: Cloud) -> None:
    """An account can have only one OIDC issuer per URL.

    IAM drops the scheme from the URL, which doesn't count as a change.
    """
    inputs = {"url": "https://oidc.example/learn", "clientIdLists": ["sts.amazonaws.com"]}
    issuer = world.make("learn", "aws:iam/openIdConnectProvider:OpenIdConnectProvider", **inputs)

    assert issuer["arn"] == "arn:aws:iam::123456789012:oidc-provider/oidc.example/learn"
    assert world.change("learn", thumbprintLists=["a" * 40])[0] == ["thumbprintLists"]
    assert world.change("learn", tags={"cluster": "learn"})[0] == ["tags", "tagsAll"]
    assert world.replaced_by("learn", url="https://oidc.example/other") == ["url"]
    with pytest.raises(Refused, match="EntityAlreadyExists"):
        world.make("twice", "aws:iam/openIdConnectProvider:OpenIdConnectProvider", **inputs)
    all_ends(world, cloud)
