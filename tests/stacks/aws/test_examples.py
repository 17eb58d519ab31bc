"""Tests rules for all AWS resources that the examples' programs register.

Component tests check one component each. Here, each rule covers the whole account, so a new component that breaks the
rule is detected.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any, cast

import pytest

from modelyard.emit import emit
from tests.examples import on_aws
from tests.stacks.aws.programs import Found, allowed_everywhere, inputs, of
from tests.stacks.programs import Registration, registrations

KEY = "aws:kms/key:Key"
CLUSTER = "aws:eks/cluster:Cluster"
DATABASE = "aws:rds/instance:Instance"
BUCKET = "aws:s3/bucket:Bucket"
BUCKET_ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BUCKET_ACCESS = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
BUCKET_VERSIONS = "aws:s3/bucketVersioning:BucketVersioning"
IMAGES = "aws:ecr/repository:Repository"
LOGS = "aws:cloudwatch/logGroup:LogGroup"
QUEUE = "aws:sqs/queue:Queue"
TOPIC = "aws:sns/topic:Topic"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
POOL = "aws:eks/nodeGroup:NodeGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
NETWORK = "aws:ec2/vpc:Vpc"

ENCRYPTED_BY = {
    DATABASE: ("kmsKeyId", "masterUserSecretKmsKeyId", "performanceInsightsKmsKeyId"),
    LOGS: ("kmsKeyId",),
    QUEUE: ("kmsMasterKeyId",),
    TOPIC: ("kmsMasterKeyId",),
}
"""For each resource type that stores data, the property with the KMS key. Nested keys have their own assertions."""

HOLDS_DATA = {BUCKET, CLUSTER, DATABASE, IMAGES, KEY, NETWORK}
"""Resource types that are protected because they store data, give access to it, or contain all other resources."""

ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
WIDE = {
    "Account": "an endpoint's policy gives nothing, and lets through what identities of this account may do anyway",
    "AccountPolicies": "a key's own policy has no resource but the key, and gives the account what IAM gives on",
    "AlarmsToTopics": "a key's own policy: alarms of this account",
    "EventsToQueues": "a key's own policy: rules of events of this account",
    "ListProfiles": "IAM lists instance profiles of the account or none",
    "LogGroups": "a key's own policy: groups of this account, by their encryption context",
    "NodeDiskGrants": "a key's own policy: two service roles of this account, for services of AWS",
    "NodeDisks": "a key's own policy: two service roles of this account",
    "ReadGroupsAndMachines": "descriptions of groups and types of machines know no resource",
    "ReadOffers": "descriptions of what EC2 sells know no resource",
    "ReadPrices": "prices know no resource",
}
"""Every statement that allows an action on the resource `*`, and the reason why it cannot list resources."""

AWS_POLICIES = {
    "AmazonEKSClusterPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEKS_CNI_Policy",
    "service-role/AmazonEBSCSIDriverPolicy",
}
"""The only AWS managed policies that may be attached. All are for AWS's own parts of a cluster."""

UNTAGGED = {"aws:autoscaling/tag:Tag", "aws:ec2/tag:Tag"}
"""Resource types that are tags themselves and cannot have any."""


@dataclass(frozen=True, slots=True)
class Made:
    """One infrastructure project of an example."""

    example: str
    folder: Path
    found: Found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Made]:
    """Return every infrastructure project of every AWS example with its registrations."""
    root = tmp_path_factory.mktemp("examples")
    folders: list[tuple[str, Path]] = []
    for example in on_aws():
        for stack in example.compiled().stacks:
            for file in emit(stack):
                path = root / str(example) / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.render())
        at = sorted(path.parent for path in (root / str(example)).glob("*/*/infrastructure*/Pulumi.yaml"))
        folders += [(str(example), folder) for folder in at]
    every = registrations(*(folder for _, folder in folders))
    return [
        Made(example, folder, _told_apart(registered))
        for (example, folder), registered in zip(folders, every, strict=True)
    ]


def _told_apart(registered: Sequence[Registration]) -> Found:
    """Index registrations by type and name. If several components use a name, the component is added to it."""
    alike = Counter((each["type"], each["name"]) for each in registered)
    found: Found = {}
    for each in registered:
        shared = alike[each["type"], each["name"]] > 1
        name = f"{each['name']} of {each['parent']}" if shared else each["name"]
        found[f"{each['type']} {name}"] = {**each, "name": name}
    assert len(found) == len(registered)
    return found


def asked(made: list[Made], *types: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the inputs of every resource of these types, by example and name. Fail if a type has no resources."""
    for type_ in types:
        names = [(one, name) for one in made for name in of(one.found, type_)]
        assert names, f"no example has a {type_}"
        yield from ((f"{one.example} {type_} {name}", inputs(one.found, type_, name)) for one, name in names)


def keys_of(made: list[Made]) -> set[str]:
    """Return the ARNs of all keys that the examples create."""
    return {f"arn:aws:kms:::Key/{name}" for one in made for name in of(one.found, KEY)}


def test_all_storage_is_encrypted_with_our_keys(made: list[Made]) -> None:
    ours = keys_of(made)
    for type_, fields in ENCRYPTED_BY.items():
        for where, given in asked(made, type_):
            assert {given[field] for field in fields} <= ours, where
    for where, given in asked(made, DATABASE):
        assert given["storageEncrypted"], where
    for where, given in asked(made, IMAGES):
        assert {each["kmsKey"] for each in given["encryptionConfigurations"]} <= ours, where
    for where, given in asked(made, TEMPLATE):
        disks = [each["ebs"] for each in given["blockDeviceMappings"]]
        assert disks, where
        assert all(disk["encrypted"] == "true" and disk["kmsKeyId"] in ours for disk in disks), where
    for where, given in asked(made, CLUSTER):
        assert given["encryptionConfig"]["provider"]["keyArn"] in ours, where
        assert given["encryptionConfig"]["resources"] == ["secrets"], where


def test_every_bucket_is_private_encrypted_and_requires_tls(made: list[Made]) -> None:
    """Bucket settings are separate resources, so each bucket needs one of each."""
    for one in made:
        for name, each in of(one.found, BUCKET).items():
            bucket = each["inputs"]["bucket"]
            by_type = {
                type_: next(
                    given["inputs"] for given in of(one.found, type_).values() if bucket in given["inputs"]["bucket"]
                )
                for type_ in (BUCKET_ACCESS, BUCKET_ENCRYPTION, BUCKET_POLICY, BUCKET_VERSIONS)
            }
            (rule,) = by_type[BUCKET_ENCRYPTION]["rules"]
            denied = [each for each in _statements(by_type[BUCKET_POLICY]["policy"]) if each["Effect"] == "Deny"]

            assert rule["applyServerSideEncryptionByDefault"]["kmsMasterKeyId"] in keys_of(made), name
            assert {key for key, value in by_type[BUCKET_ACCESS].items() if value is True} == {
                "blockPublicAcls",
                "blockPublicPolicy",
                "ignorePublicAcls",
                "restrictPublicBuckets",
            }
            assert any(each.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}} for each in denied), name


def test_nothing_is_reachable_from_the_internet(made: list[Made]) -> None:
    """No endpoint or database is public, and no machine has a public IP address."""
    for where, given in asked(made, CLUSTER):
        assert given["vpcConfig"]["endpointPrivateAccess"], where
        assert not given["vpcConfig"]["endpointPublicAccess"], where
    for where, given in asked(made, DATABASE):
        assert given["publiclyAccessible"] is False, where
    for where, given in asked(made, "aws:ec2/subnet:Subnet"):
        assert given["mapPublicIpOnLaunch"] is False, where
    for one in made:
        public = {name for name in of(one.found, "aws:ec2/subnet:Subnet") if "-public" in name}
        for type_ in (CLUSTER, POOL, "aws:rds/subnetGroup:SubnetGroup"):
            for where, each in of(one.found, type_).items():
                text = json.dumps(each["inputs"])
                assert not any(f'"{name}"' in text for name in public), where


def test_security_groups_accept_only_our_groups_and_network(made: list[Made]) -> None:
    """Each rule opens one port to one of our groups or to the network's range. There are no inline rules."""
    for one in made:
        ranges = [each["inputs"]["cidrBlock"] for each in of(one.found, NETWORK).values()]
        ranges += [
            each["inputs"]["cidrIpv4"]
            for each in of(one.found, INGRESS).values()
            if not ranges and "cidrIpv4" in each["inputs"]
        ]
        assert all(ip_network(each).is_private for each in ranges)
        groups = {*of(one.found, GROUP), "sg-cluster"}
        for where, each in of(one.found, INGRESS).items():
            given = each["inputs"]
            source = {"cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"} & given.keys()
            assert given["fromPort"] == given["toPort"], where
            assert given["ipProtocol"] == "tcp", where
            assert given.get("referencedSecurityGroupId", "sg-cluster") in groups, where
            assert given.get("cidrIpv4", ranges[0]) in ranges, where
            assert len(source) == 1, where
        for where, each in of(one.found, GROUP).items():
            assert not each["inputs"].get("ingress"), where
            assert not each["inputs"].get("egress"), where
    for where, given in asked(made, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"):
        assert (given["ingress"], given["egress"]) == ([], []), where


def test_logs_are_enabled_and_have_limited_retention(made: list[Made]) -> None:
    """Clusters, databases and networks have logs, and every log group has a limited retention."""
    for where, given in asked(made, CLUSTER):
        assert set(given["enabledClusterLogTypes"]) == {
            "api",
            "audit",
            "authenticator",
            "controllerManager",
            "scheduler",
        }, where
    for where, given in asked(made, DATABASE):
        assert set(given["enabledCloudwatchLogsExports"]) == {"postgresql", "upgrade"}, where
    for where, given in asked(made, LOGS):
        assert given["retentionInDays"] >= 30, where
    for one in made:
        watched = {each["inputs"]["vpcId"] for each in of(one.found, "aws:ec2/flowLog:FlowLog").values()}
        assert watched == set(of(one.found, NETWORK)), one.example


def test_resources_with_data_are_protected_and_backed_up(made: list[Made]) -> None:
    for one in made:
        protected = {each["type"] for each in one.found.values() if each["protect"]}
        assert protected == {each["type"] for each in one.found.values()} & HOLDS_DATA, one.example
        for where, each in one.found.items():
            assert not each["protect"] or each["type"] in HOLDS_DATA, where
            assert each["protect"] or each["type"] not in HOLDS_DATA, where
    for where, given in asked(made, CLUSTER):
        assert given["deletionProtection"], where
    for where, given in asked(made, DATABASE):
        assert given["deletionProtection"], where
        assert not given["skipFinalSnapshot"], where
        assert given["finalSnapshotIdentifier"], where
        assert given["backupRetentionPeriod"] >= 7, where
    for where, given in asked(made, BUCKET):
        assert not given["forceDestroy"], where
    for where, given in asked(made, IMAGES):
        assert not given["forceDelete"], where
        assert given["imageTagMutability"] == "IMMUTABLE", where
    for where, given in asked(made, KEY):
        assert given["enableKeyRotation"], where
        assert given["deletionWindowInDays"] == 30, where


def test_statements_for_all_resources_have_a_reason(made: list[Made]) -> None:
    """Every statement has a reason in the list, and every reason has a statement."""
    wide = [allowed for one in made for allowed in allowed_everywhere(_with_policies(one.found)).values()]

    assert set().union(*wide) == set(WIDE)


def test_no_statement_allows_a_whole_service_or_any_principal(made: list[Made]) -> None:
    """The exceptions are key policies and endpoint policies.

    Key policies allow the account, and service roles under a condition. Endpoint policies allow identities of the
    account, and everybody for image layers.
    """
    for one in made:
        for where, each in one.found.items():
            for statement in _policies(each):
                if statement["Effect"] != "Allow" or each["type"] in (KEY, ENDPOINT):
                    continue
                assert not [action for action in _list(statement["Action"]) if action.endswith(":*")], where
                assert "*" not in _list(statement.get("Principal", ())), where
                principal = statement.get("Principal", {})
                assert not isinstance(principal, dict) or "*" not in principal.values(), where
    for where, given in asked(made, ENDPOINT):
        for statement in _statements(given["policy"]) if "policy" in given else ():
            narrowed = (
                "aws:PrincipalAccount" in str(statement.get("Condition")) or statement["Action"] == "s3:GetObject"
            )
            assert narrowed, where
    for where, given in asked(made, KEY):
        for statement in _statements(given["policy"]):
            if statement["Principal"] == {"AWS": "*"}:
                assert "aws:PrincipalArn" in statement["Condition"]["ArnEquals"], where


def test_aws_managed_policies_are_only_for_cluster_parts(made: list[Made]) -> None:
    given = asked(made, "aws:iam/rolePolicyAttachment:RolePolicyAttachment")

    assert {each["policyArn"].partition(":policy/")[2] for _, each in given} == AWS_POLICIES


def test_every_resource_is_tagged_with_its_owner(made: list[Made]) -> None:
    """The AWS provider tags its own resources. Machines of node groups get tags from their launch template."""
    for one in made:
        (account,) = (each["inputs"] for each in of(one.found, "pulumi:providers:aws").values())
        tags = json.loads(account["defaultTags"])["tags"]
        assert {"modelyard:system", "modelyard:environment", "modelyard:target", "modelyard:owner"} <= tags.keys()
        for where, each in one.found.items():
            if each["type"].startswith("aws:") and each["type"] not in UNTAGGED:
                assert each["provider"].startswith("pulumi:pulumi:Stack$pulumi:providers:aws::"), where
        for where, each in of(one.found, TEMPLATE).items():
            for said in each["inputs"]["tagSpecifications"]:
                assert tags.items() <= said["tags"].items(), where


def test_machines_require_metadata_tokens_and_encrypt_disks(made: list[Made]) -> None:
    """The rule covers node groups, and nodes that Karpenter starts from node classes in the workloads project."""
    for where, given in asked(made, TEMPLATE):
        assert given["metadataOptions"]["httpTokens"] == "required", where
        assert given["metadataOptions"]["httpPutResponseHopLimit"] == 1, where
    classes = list(_node_classes(made))
    assert classes
    for spec in classes:
        assert spec["metadataOptions"]["httpTokens"] == "required"
        assert spec["metadataOptions"]["httpPutResponseHopLimit"] == 1
        disks = [each["ebs"] for each in spec["blockDeviceMappings"]]
        assert disks
        assert all((disk["encrypted"], disk["kmsKeyID"]) == (True, "the key_arn") for disk in disks)


def _node_classes(made: list[Made]) -> Iterator[dict[str, Any]]:
    """Yield the specs of Karpenter's node classes in the workloads projects."""
    beside = [path for one in made for path in sorted(one.folder.parent.glob("workloads*/__main__.py"))]
    folders = [path.parent for path in beside if "EC2NodeClass" in path.read_text(encoding="utf-8")]
    for registered in registrations(*folders):
        yield from (each["inputs"]["spec"] for each in registered if each["type"].endswith(":EC2NodeClass"))


def _policies(each: dict[str, Any]) -> list[dict[str, Any]]:
    texts = [each["inputs"][field] for field in ("policy", "assumeRolePolicy") if field in each["inputs"]]
    return [statement for text in texts for statement in _statements(text)]


def _with_policies(found: Found) -> Found:
    """Remove lifecycle policies of images, which are not IAM policies."""
    return {where: each for where, each in found.items() if not each["type"].endswith(":LifecyclePolicy")}


def _statements(text: str) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", json.loads(text).get("Statement", []))


def _list(value: str | list[str] | dict[str, Any] | tuple[str, ...]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
