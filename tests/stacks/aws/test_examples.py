"""Tests rules that apply to all AWS resources registered by the example programs.

Component tests check one component each. Here, each rule covers all resources of an account, so violations by new
components are detected.
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
from tests.stacks.aws.programs import Resources, allowed_everywhere, inputs, of
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
"""For each resource type that stores data, the property with the ARN of its KMS key. Nested properties have their own
assertions.
"""

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
"""The only policies managed by AWS that may be attached to roles. All are for AWS's own parts of a cluster."""

UNTAGGED = {"aws:autoscaling/tag:Tag", "aws:ec2/tag:Tag"}
"""Resource types that are tags themselves, and therefore cannot have tags."""


@dataclass(frozen=True, slots=True)
class ExampleProject:
    """One infrastructure project of an example."""

    example: str
    folder: Path
    resources: Resources


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> list[ExampleProject]:
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
        ExampleProject(example, folder, _by_unique_name(registered))
        for (example, folder), registered in zip(folders, every, strict=True)
    ]


def _by_unique_name(registered: Sequence[Registration]) -> Resources:
    """Index registrations by type and name, adding the component to names shared by several components."""
    alike = Counter((each["type"], each["name"]) for each in registered)
    by_name: Resources = {}
    for each in registered:
        shared = alike[each["type"], each["name"]] > 1
        name = f"{each['name']} of {each['parent']}" if shared else each["name"]
        by_name[f"{each['type']} {name}"] = {**each, "name": name}
    assert len(by_name) == len(registered)
    return by_name


def inputs_of_types(projects: list[ExampleProject], *types: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the inputs of every resource of the given types, by example and name. Fails for unused types."""
    for type_ in types:
        names = [(project, name) for project in projects for name in of(project.resources, type_)]
        assert names, f"no example has a {type_}"
        yield from (
            (f"{project.example} {type_} {name}", inputs(project.resources, type_, name)) for project, name in names
        )


def keys_of(projects: list[ExampleProject]) -> set[str]:
    """Return the ARNs of all keys created by the examples."""
    return {f"arn:aws:kms:::Key/{name}" for project in projects for name in of(project.resources, KEY)}


def test_all_storage_is_encrypted_with_our_keys(projects: list[ExampleProject]) -> None:
    ours = keys_of(projects)
    for type_, fields in ENCRYPTED_BY.items():
        for where, resource in inputs_of_types(projects, type_):
            assert {resource[field] for field in fields} <= ours, where
    for where, resource in inputs_of_types(projects, DATABASE):
        assert resource["storageEncrypted"], where
    for where, resource in inputs_of_types(projects, IMAGES):
        assert {each["kmsKey"] for each in resource["encryptionConfigurations"]} <= ours, where
    for where, resource in inputs_of_types(projects, TEMPLATE):
        disks = [each["ebs"] for each in resource["blockDeviceMappings"]]
        assert disks, where
        assert all(disk["encrypted"] == "true" and disk["kmsKeyId"] in ours for disk in disks), where
    for where, resource in inputs_of_types(projects, CLUSTER):
        assert resource["encryptionConfig"]["provider"]["keyArn"] in ours, where
        assert resource["encryptionConfig"]["resources"] == ["secrets"], where


def test_every_bucket_is_private_encrypted_and_requires_tls(projects: list[ExampleProject]) -> None:
    """Bucket settings are separate resources, so each bucket needs one resource for every kind of setting."""
    for project in projects:
        for name, each in of(project.resources, BUCKET).items():
            bucket = each["inputs"]["bucket"]
            by_type = {
                type_: next(
                    resource["inputs"]
                    for resource in of(project.resources, type_).values()
                    if bucket in resource["inputs"]["bucket"]
                )
                for type_ in (BUCKET_ACCESS, BUCKET_ENCRYPTION, BUCKET_POLICY, BUCKET_VERSIONS)
            }
            (rule,) = by_type[BUCKET_ENCRYPTION]["rules"]
            denied = [each for each in _statements(by_type[BUCKET_POLICY]["policy"]) if each["Effect"] == "Deny"]

            assert rule["applyServerSideEncryptionByDefault"]["kmsMasterKeyId"] in keys_of(projects), name
            assert {key for key, value in by_type[BUCKET_ACCESS].items() if value is True} == {
                "blockPublicAcls",
                "blockPublicPolicy",
                "ignorePublicAcls",
                "restrictPublicBuckets",
            }
            assert any(each.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}} for each in denied), name


def test_nothing_is_reachable_from_the_internet(projects: list[ExampleProject]) -> None:
    """No endpoint or database is public, and no machine has a public IP address."""
    for where, resource in inputs_of_types(projects, CLUSTER):
        assert resource["vpcConfig"]["endpointPrivateAccess"], where
        assert not resource["vpcConfig"]["endpointPublicAccess"], where
    for where, resource in inputs_of_types(projects, DATABASE):
        assert resource["publiclyAccessible"] is False, where
    for where, resource in inputs_of_types(projects, "aws:ec2/subnet:Subnet"):
        assert resource["mapPublicIpOnLaunch"] is False, where
    for project in projects:
        public = {name for name in of(project.resources, "aws:ec2/subnet:Subnet") if "-public" in name}
        for type_ in (CLUSTER, POOL, "aws:rds/subnetGroup:SubnetGroup"):
            for where, each in of(project.resources, type_).items():
                text = json.dumps(each["inputs"])
                assert not any(f'"{name}"' in text for name in public), where


def test_security_groups_accept_only_our_groups_and_network(projects: list[ExampleProject]) -> None:
    """Each rule opens one port, either to one of our groups or to the network's address range. No rules are inline."""
    for project in projects:
        ranges = [each["inputs"]["cidrBlock"] for each in of(project.resources, NETWORK).values()]
        ranges += [
            each["inputs"]["cidrIpv4"]
            for each in of(project.resources, INGRESS).values()
            if not ranges and "cidrIpv4" in each["inputs"]
        ]
        assert all(ip_network(each).is_private for each in ranges)
        groups = {*of(project.resources, GROUP), "sg-cluster"}
        for where, each in of(project.resources, INGRESS).items():
            resource = each["inputs"]
            source = {"cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"} & resource.keys()
            assert resource["fromPort"] == resource["toPort"], where
            assert resource["ipProtocol"] == "tcp", where
            assert resource.get("referencedSecurityGroupId", "sg-cluster") in groups, where
            assert resource.get("cidrIpv4", ranges[0]) in ranges, where
            assert len(source) == 1, where
        for where, each in of(project.resources, GROUP).items():
            assert not each["inputs"].get("ingress"), where
            assert not each["inputs"].get("egress"), where
    for where, resource in inputs_of_types(projects, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"):
        assert (resource["ingress"], resource["egress"]) == ([], []), where


def test_logs_are_enabled_and_have_limited_retention(projects: list[ExampleProject]) -> None:
    """Clusters, databases and networks are logged, and every log group has limited retention."""
    for where, resource in inputs_of_types(projects, CLUSTER):
        assert set(resource["enabledClusterLogTypes"]) == {
            "api",
            "audit",
            "authenticator",
            "controllerManager",
            "scheduler",
        }, where
    for where, resource in inputs_of_types(projects, DATABASE):
        assert set(resource["enabledCloudwatchLogsExports"]) == {"postgresql", "upgrade"}, where
    for where, resource in inputs_of_types(projects, LOGS):
        assert resource["retentionInDays"] >= 30, where
    for project in projects:
        watched = {each["inputs"]["vpcId"] for each in of(project.resources, "aws:ec2/flowLog:FlowLog").values()}
        assert watched == set(of(project.resources, NETWORK)), project.example


def test_resources_with_data_are_protected_and_backed_up(projects: list[ExampleProject]) -> None:
    for project in projects:
        protected = {each["type"] for each in project.resources.values() if each["protect"]}
        assert protected == {each["type"] for each in project.resources.values()} & HOLDS_DATA, project.example
        for where, each in project.resources.items():
            assert not each["protect"] or each["type"] in HOLDS_DATA, where
            assert each["protect"] or each["type"] not in HOLDS_DATA, where
    for where, resource in inputs_of_types(projects, CLUSTER):
        assert resource["deletionProtection"], where
    for where, resource in inputs_of_types(projects, DATABASE):
        assert resource["deletionProtection"], where
        assert not resource["skipFinalSnapshot"], where
        assert resource["finalSnapshotIdentifier"], where
        assert resource["backupRetentionPeriod"] >= 7, where
    for where, resource in inputs_of_types(projects, BUCKET):
        assert not resource["forceDestroy"], where
    for where, resource in inputs_of_types(projects, IMAGES):
        assert not resource["forceDelete"], where
        assert resource["imageTagMutability"] == "IMMUTABLE", where
    for where, resource in inputs_of_types(projects, KEY):
        assert resource["enableKeyRotation"], where
        assert resource["deletionWindowInDays"] == 30, where


def test_statements_for_all_resources_have_a_reason(projects: list[ExampleProject]) -> None:
    """The statements that apply to all resources are exactly those listed with a reason."""
    wide = [
        allowed for project in projects for allowed in allowed_everywhere(_with_policies(project.resources)).values()
    ]

    assert set().union(*wide) == set(WIDE)


def test_no_statement_allows_a_whole_service_or_any_principal(projects: list[ExampleProject]) -> None:
    """No policy allows a whole service or any principal, except key and endpoint policies.

    Key policies allow the account, and allow service roles under a condition. Endpoint policies allow identities in the
    account, and everybody for image layers.
    """
    for project in projects:
        for where, each in project.resources.items():
            for statement in _policies(each):
                if statement["Effect"] != "Allow" or each["type"] in (KEY, ENDPOINT):
                    continue
                assert not [action for action in _list(statement["Action"]) if action.endswith(":*")], where
                assert "*" not in _list(statement.get("Principal", ())), where
                principal = statement.get("Principal", {})
                assert not isinstance(principal, dict) or "*" not in principal.values(), where
    for where, resource in inputs_of_types(projects, ENDPOINT):
        for statement in _statements(resource["policy"]) if "policy" in resource else ():
            narrowed = (
                "aws:PrincipalAccount" in str(statement.get("Condition")) or statement["Action"] == "s3:GetObject"
            )
            assert narrowed, where
    for where, resource in inputs_of_types(projects, KEY):
        for statement in _statements(resource["policy"]):
            if statement["Principal"] == {"AWS": "*"}:
                assert "aws:PrincipalArn" in statement["Condition"]["ArnEquals"], where


def test_aws_managed_policies_are_only_for_cluster_parts(projects: list[ExampleProject]) -> None:
    attachments = inputs_of_types(projects, "aws:iam/rolePolicyAttachment:RolePolicyAttachment")

    assert {each["policyArn"].partition(":policy/")[2] for _, each in attachments} == AWS_POLICIES


def test_every_resource_is_tagged_with_its_owner(projects: list[ExampleProject]) -> None:
    """The AWS provider tags the resources it creates. Node group machines get tags from their launch template."""
    for project in projects:
        (account,) = (each["inputs"] for each in of(project.resources, "pulumi:providers:aws").values())
        tags = json.loads(account["defaultTags"])["tags"]
        assert {"modelyard:system", "modelyard:environment", "modelyard:target", "modelyard:owner"} <= tags.keys()
        for where, each in project.resources.items():
            if each["type"].startswith("aws:") and each["type"] not in UNTAGGED:
                assert each["provider"].startswith("pulumi:pulumi:Stack$pulumi:providers:aws::"), where
        for where, each in of(project.resources, TEMPLATE).items():
            for specification in each["inputs"]["tagSpecifications"]:
                assert tags.items() <= specification["tags"].items(), where


def test_machines_require_metadata_tokens_and_encrypt_disks(projects: list[ExampleProject]) -> None:
    """Covers node groups as well as nodes that Karpenter launches from the workloads project's node classes."""
    for where, template in inputs_of_types(projects, TEMPLATE):
        assert template["metadataOptions"]["httpTokens"] == "required", where
        assert template["metadataOptions"]["httpPutResponseHopLimit"] == 1, where
    classes = list(_node_classes(projects))
    assert classes
    for spec in classes:
        assert spec["metadataOptions"]["httpTokens"] == "required"
        assert spec["metadataOptions"]["httpPutResponseHopLimit"] == 1
        disks = [each["ebs"] for each in spec["blockDeviceMappings"]]
        assert disks
        assert all((disk["encrypted"], disk["kmsKeyID"]) == (True, "the key_arn") for disk in disks)


def _node_classes(projects: list[ExampleProject]) -> Iterator[dict[str, Any]]:
    """Yield the specs of Karpenter's node classes in the workloads projects."""
    programs = [path for project in projects for path in sorted(project.folder.parent.glob("workloads*/__main__.py"))]
    folders = [path.parent for path in programs if "EC2NodeClass" in path.read_text(encoding="utf-8")]
    for registered in registrations(*folders):
        yield from (each["inputs"]["spec"] for each in registered if each["type"].endswith(":EC2NodeClass"))


def _policies(each: dict[str, Any]) -> list[dict[str, Any]]:
    texts = [each["inputs"][field] for field in ("policy", "assumeRolePolicy") if field in each["inputs"]]
    return [statement for text in texts for statement in _statements(text)]


def _with_policies(resources: Resources) -> Resources:
    """Remove image lifecycle policies, which are not IAM policies."""
    return {where: each for where, each in resources.items() if not each["type"].endswith(":LifecyclePolicy")}


def _statements(text: str) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", json.loads(text).get("Statement", []))


def _list(value: str | list[str] | dict[str, Any] | tuple[str, ...]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
