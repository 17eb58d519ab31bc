"""Deploys a system's infrastructure and workloads projects to a simulated AWS and a cluster on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import yaml

from modelyard.disk import Tree, write_trees
from modelyard.emit import stack_files
from modelyard.pipeline import Outcome, compile_system
from modelyard.spec import System
from modelyard_targets import TARGETS
from modelyard_targets.aws.machines import offerings
from modelyard_targets.aws.options import AwsOptions, Vpc
from testbed.charts import ChartRepository
from testbed.clouds.aws.cloud import Cloud
from testbed.kubernetes import nodes
from testbed.kubernetes.kubectl import Kubectl
from testbed.pulumi.stack import PulumiStack
from tests.examples import Example

LARGEST_GROUP = 8
"""The maximum number of nodes to add per group, which is enough to detect Pods that do not fit."""

_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}


@dataclass(frozen=True, slots=True)
class Projects:
    """The two projects of one target. The second one reads outputs of the first."""

    target: str
    namespace: str
    infrastructure: PulumiStack
    workloads: PulumiStack


def system_of(outcome: Outcome) -> System:
    """Return the compiled system of an example, and fail if there is none."""
    assert outcome.system is not None, outcome.diagnostics
    assert not outcome.failed, outcome.diagnostics
    return outcome.system


def target_on_aws(outcome: Outcome) -> str:
    """Return the name of the first AWS target."""
    return next(target.name for target in system_of(outcome).deployment.targets if target.provider == "aws")


def region_of(example: Example) -> str:
    """Return the region of the example's first AWS target."""
    targets = system_of(example.compiled()).deployment.targets
    return next(target.region for target in targets if target.provider == "aws") or ""


def in_networks_of(example: Example, cloud: Cloud) -> Outcome:
    """Create the networks that the example adopts, and then compile the example."""
    outcome = example.compiled()
    inputs = example.inputs()
    options = [target.options for target in system_of(outcome).deployment.targets]
    for network in (one.vpc for one in options if isinstance(one, AwsOptions) and one.vpc.adopt):
        ids = _network(cloud, network)
        assert inputs.overlay is not None
        text = inputs.overlay.content.decode() if isinstance(inputs.overlay.content, bytes) else inputs.overlay.content
        for written_id, found in ids.items():
            assert written_id in text
            text = text.replace(written_id, found)
        inputs = replace(inputs, overlay=replace(inputs.overlay, content=text))
    return compile_system(inputs, TARGETS)


def _network(cloud: Cloud, network: Vpc) -> dict[str, str]:
    """Create a VPC and private subnets, each in a separate zone. Return the created ID for each ID in the spec."""
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock=network.cidr)["Vpc"]["VpcId"]
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
    blocks = IPv4Network(network.cidr).subnets(prefixlen_diff=3)
    made = {network.adopt: vpc}
    for position, (subnet, block) in enumerate(zip(network.subnets, blocks, strict=False)):
        zone = zones[position % len(zones)]
        answer = ec2.create_subnet(VpcId=vpc, CidrBlock=str(block), AvailabilityZone=zone)
        made[subnet] = answer["Subnet"]["SubnetId"]
    return made


def written(outcome: Outcome, out: Path) -> Path:
    """Write all trees of an outcome and return the folder of the first AWS target."""
    assert not outcome.failed, outcome.diagnostics
    trees = [Tree(one.environment, one.target, stack_files(one), "test") for one in outcome.stacks]
    _, problems = write_trees(out, trees)
    assert problems == ()
    return out / outcome.stacks[0].environment / target_on_aws(outcome)


def projects(
    example: Example,
    outcome: Outcome,
    tmp_path: Path,
    cloud: Cloud,
    charts: ChartRepository,
    make: Callable[..., PulumiStack],
) -> Projects:
    """Create the stacks of an example's two projects, as users do with `pulumi stack init`."""
    folder = written(outcome, tmp_path / "build")
    backend = tmp_path / "backend"
    backend.mkdir()
    variables = {**cloud.variables(), "PULUMI_BACKEND_URL": f"file://{backend}"}
    infrastructure = make(folder / "infrastructure", example.stack, **variables)
    workloads = make(folder / "workloads", example.stack, **variables)
    workloads.configure("chartRepository", charts.url)
    return Projects(folder.name, _namespace(system_of(outcome), folder.name), infrastructure, workloads)


def _namespace(system: System, target: str) -> str:
    (found,) = [one for one in system.deployment.targets if one.name == target]
    return found.namespace or system.metadata.name


def add_machines(kubectl: Kubectl, cloud: Cloud, manifests: Path) -> None:
    """Add the nodes that an autoscaler would add: the maximum number of each node group, on its smallest machine type.

    For each Karpenter pool, add one machine of the smallest type.
    """
    added = [*_of_groups(cloud), *_of_karpenter(manifests)]
    if added:
        nodes.add_nodes(kubectl, added)


def _of_groups(cloud: Cloud) -> Iterator[nodes.Node]:
    for group in groups(cloud):
        for position in range(min(int(group["scalingConfig"]["maxSize"]), LARGEST_GROUP)):
            yield _node(
                f"{group['nodegroupName']}-{position}",
                min(group["instanceTypes"], key=_size),
                {**group.get("labels", {}), "eks.amazonaws.com/nodegroup": group["nodegroupName"]},
                [(one["key"], one.get("value", ""), _EFFECTS[one["effect"]]) for one in group.get("taints", ())],
            )


def _of_karpenter(manifests: Path) -> Iterator[nodes.Node]:
    file = manifests / "nodes.yaml"
    for pool in yaml.safe_load_all(file.read_text()) if file.exists() else ():
        template = pool["spec"]["template"]
        spec = template["spec"]
        wanted = {one["key"]: one["values"] for one in spec["requirements"]}
        yield _node(
            f"{pool['metadata']['name']}-0",
            min(wanted["node.kubernetes.io/instance-type"], key=_size),
            template["metadata"].get("labels", {}),
            [(one["key"], one.get("value", ""), one["effect"]) for one in spec.get("taints", ())],
        )


def _size(machine: str) -> tuple[int, int]:
    found = next(one for one in offerings().machines if one.name == machine)
    return found.cpu_millis, found.memory_bytes


def _node(name: str, machine: str, labels: dict[str, str], taints: list[tuple[str, str, str]]) -> nodes.Node:
    """Return a node with the allocatable resources of its machine."""
    found = next(one for one in offerings().machines if one.name == machine)
    return nodes.Node(
        name,
        cpu=f"{found.cpu_millis}m",
        memory=str(found.memory_bytes),
        resources=(("nvidia.com/gpu", found.accelerator.count),) if found.accelerator else (),
        labels=(*labels.items(), ("node.kubernetes.io/instance-type", machine)),
        taints=tuple(taints),
    )


def groups(cloud: Cloud) -> list[dict[str, Any]]:
    """Return the node groups of all clusters."""
    eks = cloud.client("eks")
    return [
        eks.describe_nodegroup(clusterName=cluster, nodegroupName=group)["nodegroup"]
        for cluster in eks.list_clusters()["clusters"]
        for group in eks.list_nodegroups(clusterName=cluster)["nodegroups"]
    ]


def left_in(cloud: Cloud) -> dict[str, list[str]]:
    """Return the resources by type that still cost money or contain data, except those in every new account."""
    ec2, keys = cloud.client("ec2"), cloud.client("kms")
    found = {
        "buckets": [one["Name"] for one in cloud.client("s3").list_buckets()["Buckets"]],
        "clusters": cloud.client("eks").list_clusters()["clusters"],
        "databases": [
            one["DBInstanceIdentifier"] for one in cloud.client("rds").describe_db_instances()["DBInstances"]
        ],
        "networks": [one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"] if not one["IsDefault"]],
        "addresses": [one["AllocationId"] for one in ec2.describe_addresses()["Addresses"]],
        "gateways": [
            one["NatGatewayId"] for one in ec2.describe_nat_gateways()["NatGateways"] if one["State"] != "deleted"
        ],
        "templates": [one["LaunchTemplateId"] for one in ec2.describe_launch_templates()["LaunchTemplates"]],
        "roles": [one["RoleName"] for one in cloud.client("iam").list_roles()["Roles"]],
        "users": [one["UserName"] for one in cloud.client("iam").list_users()["Users"]],
        "registries": [one["repositoryName"] for one in cloud.client("ecr").describe_repositories()["repositories"]],
        "logs": [one["logGroupName"] for one in cloud.client("logs").describe_log_groups()["logGroups"]],
        "topics": [one["TopicArn"] for one in cloud.client("sns").list_topics()["Topics"]],
        "queues": cloud.client("sqs").list_queues().get("QueueUrls", []),
        "rules": [one["Name"] for one in cloud.client("events").list_rules()["Rules"]],
        "alarms": [one["AlarmName"] for one in cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]],
        "keys": [
            one["KeyId"]
            for one in keys.list_keys()["Keys"]
            if keys.describe_key(KeyId=one["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"
        ],
    }
    return {kind: names for kind, names in found.items() if names}
