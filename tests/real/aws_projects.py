"""Deploys a system's infrastructure and workloads projects to a simulated AWS and a loopback cluster."""

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
"""The maximum number of nodes to add per node group, which is enough to detect Pods that do not fit."""

_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}


@dataclass(frozen=True, slots=True)
class Projects:
    """The stacks of a target's two projects. The workloads project reads outputs of the infrastructure project."""

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
    for network in (option.vpc for option in options if isinstance(option, AwsOptions) and option.vpc.adopt):
        ids = _network(cloud, network)
        assert inputs.overlay is not None
        text = inputs.overlay.content.decode() if isinstance(inputs.overlay.content, bytes) else inputs.overlay.content
        for written_id, created_id in ids.items():
            assert written_id in text
            text = text.replace(written_id, created_id)
        inputs = replace(inputs, overlay=replace(inputs.overlay, content=text))
    return compile_system(inputs, TARGETS)


def _network(cloud: Cloud, network: Vpc) -> dict[str, str]:
    """Create a VPC and private subnets, each in its own zone, and return the created ID for each ID in the spec."""
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock=network.cidr)["Vpc"]["VpcId"]
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
    blocks = IPv4Network(network.cidr).subnets(prefixlen_diff=3)
    created = {network.adopt: vpc}
    for position, (subnet, block) in enumerate(zip(network.subnets, blocks, strict=False)):
        zone = zones[position % len(zones)]
        answer = ec2.create_subnet(VpcId=vpc, CidrBlock=str(block), AvailabilityZone=zone)
        created[subnet] = answer["Subnet"]["SubnetId"]
    return created


def written(outcome: Outcome, out: Path) -> Path:
    """Write all output trees of a compiled example, and return the folder of its first AWS target."""
    assert not outcome.failed, outcome.diagnostics
    trees = [Tree(stack.environment, stack.target, stack_files(stack), "test") for stack in outcome.stacks]
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
    """Create the stacks of an example's two projects, like users do with `pulumi stack init`."""
    folder = written(outcome, tmp_path / "build")
    backend = tmp_path / "backend"
    backend.mkdir()
    variables = {**cloud.variables(), "PULUMI_BACKEND_URL": f"file://{backend}"}
    infrastructure = make(folder / "infrastructure", example.stack, **variables)
    workloads = make(folder / "workloads", example.stack, **variables)
    workloads.configure("chartRepository", charts.url)
    return Projects(folder.name, _namespace(system_of(outcome), folder.name), infrastructure, workloads)


def _namespace(system: System, target: str) -> str:
    (match,) = [candidate for candidate in system.deployment.targets if candidate.name == target]
    return match.namespace or system.metadata.name


def add_machines(kubectl: Kubectl, cloud: Cloud, manifests: Path) -> None:
    """Add the nodes an autoscaler would: the maximum number per node group, on its smallest machine type.

    Each Karpenter pool gets one machine of the smallest type.
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
                [
                    (taint["key"], taint.get("value", ""), _EFFECTS[taint["effect"]])
                    for taint in group.get("taints", ())
                ],
            )


def _of_karpenter(manifests: Path) -> Iterator[nodes.Node]:
    file = manifests / "nodes.yaml"
    for pool in yaml.safe_load_all(file.read_text()) if file.exists() else ():
        template = pool["spec"]["template"]
        spec = template["spec"]
        requirements = {entry["key"]: entry["values"] for entry in spec["requirements"]}
        yield _node(
            f"{pool['metadata']['name']}-0",
            min(requirements["node.kubernetes.io/instance-type"], key=_size),
            template["metadata"].get("labels", {}),
            [(entry["key"], entry.get("value", ""), entry["effect"]) for entry in spec.get("taints", ())],
        )


def _size(machine: str) -> tuple[int, int]:
    match = next(candidate for candidate in offerings().machines if candidate.name == machine)
    return match.cpu_millis, match.memory_bytes


def _node(name: str, machine: str, labels: dict[str, str], taints: list[tuple[str, str, str]]) -> nodes.Node:
    """Return a node with the allocatable resources of a machine type."""
    match = next(candidate for candidate in offerings().machines if candidate.name == machine)
    return nodes.Node(
        name,
        cpu=f"{match.cpu_millis}m",
        memory=str(match.memory_bytes),
        resources=(("nvidia.com/gpu", match.accelerator.count),) if match.accelerator else (),
        labels=(*labels.items(), ("node.kubernetes.io/instance-type", machine)),
        taints=tuple(taints),
    )


def groups(cloud: Cloud) -> list[dict[str, Any]]:
    """Return the node groups of all EKS clusters."""
    eks = cloud.client("eks")
    return [
        eks.describe_nodegroup(clusterName=cluster, nodegroupName=group)["nodegroup"]
        for cluster in eks.list_clusters()["clusters"]
        for group in eks.list_nodegroups(clusterName=cluster)["nodegroups"]
    ]


def left_in(cloud: Cloud) -> dict[str, list[str]]:
    """Return resources that still cost money or hold data, by type, except those every new account has."""
    ec2, keys = cloud.client("ec2"), cloud.client("kms")
    resources = {
        "buckets": [entry["Name"] for entry in cloud.client("s3").list_buckets()["Buckets"]],
        "clusters": cloud.client("eks").list_clusters()["clusters"],
        "databases": [
            entry["DBInstanceIdentifier"] for entry in cloud.client("rds").describe_db_instances()["DBInstances"]
        ],
        "networks": [entry["VpcId"] for entry in ec2.describe_vpcs()["Vpcs"] if not entry["IsDefault"]],
        "addresses": [entry["AllocationId"] for entry in ec2.describe_addresses()["Addresses"]],
        "gateways": [
            entry["NatGatewayId"] for entry in ec2.describe_nat_gateways()["NatGateways"] if entry["State"] != "deleted"
        ],
        "templates": [entry["LaunchTemplateId"] for entry in ec2.describe_launch_templates()["LaunchTemplates"]],
        "roles": [entry["RoleName"] for entry in cloud.client("iam").list_roles()["Roles"]],
        "users": [entry["UserName"] for entry in cloud.client("iam").list_users()["Users"]],
        "registries": [
            entry["repositoryName"] for entry in cloud.client("ecr").describe_repositories()["repositories"]
        ],
        "logs": [entry["logGroupName"] for entry in cloud.client("logs").describe_log_groups()["logGroups"]],
        "topics": [entry["TopicArn"] for entry in cloud.client("sns").list_topics()["Topics"]],
        "queues": cloud.client("sqs").list_queues().get("QueueUrls", []),
        "rules": [entry["Name"] for entry in cloud.client("events").list_rules()["Rules"]],
        "alarms": [entry["AlarmName"] for entry in cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]],
        "keys": [
            entry["KeyId"]
            for entry in keys.list_keys()["Keys"]
            if keys.describe_key(KeyId=entry["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"
        ],
    }
    return {kind: names for kind, names in resources.items() if names}
