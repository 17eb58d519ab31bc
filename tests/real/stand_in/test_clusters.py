"""Tests EKS clusters, access entries, add-ons and node groups."""

from __future__ import annotations

import pytest

from testbed.clouds.aws.cloud import Cloud
from testbed.clouds.shared.refusal import Refused
from tests.real.stand_in.world import Inputs, World, a_key, a_network, all_ends, trust_in


def _cluster(world: World, key: Inputs, subnets: list[str]) -> tuple[Inputs, Inputs]:
    role = world.make("control", "aws:iam/role:Role", assumeRolePolicy=trust_in("eks.amazonaws.com"))
    cluster = world.make(
        "cluster",
        "aws:eks/cluster:Cluster",
        name="fraud",
        version="1.35",
        roleArn=role["arn"],
        vpcConfig={"subnetIds": subnets, "endpointPrivateAccess": True, "endpointPublicAccess": False},
        accessConfig={"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
        encryptionConfig={"provider": {"keyArn": key["arn"]}, "resources": ["secrets"]},
        enabledClusterLogTypes=["api", "audit"],
        deletionProtection=True,
        upgradePolicy={"supportType": "STANDARD"},
        bootstrapSelfManagedAddons=False,
    )
    node = world.make("node", "aws:iam/role:Role", assumeRolePolicy=trust_in("ec2.amazonaws.com"))
    return cluster, node


def _group_of(world: World) -> str:
    return str(world.resources["cluster"][3]["vpcConfig"]["clusterSecurityGroupId"])


def test_clusters(world: World, cloud: Cloud) -> None:
    """Clusters and their associated resources can be created, changed and deleted."""
    key = a_key(world)
    _, subnets = a_network(world)
    _, node = _cluster(world, key, subnets)
    world.make("tag", "aws:ec2/tag:Tag", resourceId=_group_of(world), key="karpenter.sh/discovery", value="fraud")
    principal = "arn:aws:iam::123456789012:role/platform"
    world.make("entry", "aws:eks/accessEntry:AccessEntry", clusterName="fraud", principalArn=principal)
    world.make(
        "right",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        clusterName="fraud",
        principalArn=principal,
        policyArn="arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        accessScope={"type": "cluster"},
    )
    pods = world.make("pods", "aws:iam/role:Role", assumeRolePolicy=trust_in("pods.eks.amazonaws.com"))
    group: Inputs = {
        "clusterName": "fraud",
        "nodeRoleArn": node["arn"],
        "subnetIds": subnets,
        "instanceTypes": ["g6.2xlarge", "g5.2xlarge"],
        "amiType": "AL2023_x86_64_NVIDIA",
        "capacityType": "SPOT",
        "labels": {"modelyard.dev/pool": "gpu"},
        "taints": [{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}],
        "scalingConfig": {"minSize": 0, "maxSize": 4, "desiredSize": 1},
        "updateConfig": {"maxUnavailable": 1},
        "nodeRepairConfig": {"enabled": True},
    }
    with pytest.raises(Refused, match="NodeCreationFailure"):
        world.make("early", "aws:eks/nodeGroup:NodeGroup", **group)
    world.make(
        "network",
        "aws:eks/addon:Addon",
        clusterName="fraud",
        addonName="vpc-cni",
        addonVersion="v1.20.4-eksbuild.2",
        configurationValues='{"enableNetworkPolicy":"true"}',
        podIdentityAssociations=[{"serviceAccount": "aws-node", "roleArn": pods["arn"]}],
        resolveConflictsOnCreate="OVERWRITE",
    )
    with pytest.raises(Refused, match="DEGRADED"):
        world.make("dns", "aws:eks/addon:Addon", clusterName="fraud", addonName="coredns")
    template = world.make(
        "template",
        "aws:ec2/launchTemplate:LaunchTemplate",
        metadataOptions={"httpTokens": "required", "httpPutResponseHopLimit": 1},
        blockDeviceMappings=[
            {"deviceName": "/dev/xvda", "ebs": {"volumeSize": 100, "volumeType": "gp3", "encrypted": "true"}}
        ],
        tagSpecifications=[{"resourceType": "instance", "tags": {"owner": "platform"}}],
        updateDefaultVersion=True,
    )
    version = str(template["latestVersion"])
    with pytest.raises(Refused, match=r"do not exist: \[p5.48xlarge\]"):  # in this region
        world.make("elsewhere", "aws:eks/nodeGroup:NodeGroup", **{**group, "instanceTypes": ["p5.48xlarge"]})
    nodes = world.make(
        "nodes", "aws:eks/nodeGroup:NodeGroup", **group, launchTemplate={"id": template["id"], "version": version}
    )
    world.make("dns", "aws:eks/addon:Addon", clusterName="fraud", addonName="coredns")
    world.make(
        "size",
        "aws:autoscaling/tag:Tag",
        autoscalingGroupName=nodes["resources"][0]["autoscalingGroups"][0]["name"],
        tag={"key": "k8s.io/cluster-autoscaler/node-template/label/x", "value": "y", "propagateAtLaunch": False},
    )
    identity: Inputs = {"clusterName": "fraud", "namespace": "fraud", "serviceAccount": "trainer"}
    world.make("identity", "aws:eks/podIdentityAssociation:PodIdentityAssociation", **identity, roleArn=pods["arn"])

    with pytest.raises(Refused, match="already exists"):
        world.make("twice", "aws:eks/podIdentityAssociation:PodIdentityAssociation", **identity, roleArn=pods["arn"])
    with pytest.raises(Refused, match="ResourceInUse"):
        world.make("own", "aws:eks/accessEntry:AccessEntry", clusterName="fraud", principalArn=node["arn"])
    with pytest.raises(Refused, match="deletion protection"):
        world.remove("cluster")
    assert world.change("nodes", scalingConfig={"minSize": 0, "maxSize": 9, "desiredSize": 2})[0] == ["scalingConfig"]
    assert world.change("nodes", labels={"modelyard.dev/pool": "big"})[0] == ["labels"]
    assert world.replaced_by("nodes", instanceTypes=["g6.4xlarge"]) == ["instanceTypes"]
    assert world.change("network", addonVersion="v1.21.0-eksbuild.1")[0] == ["addonVersion"]
    assert world.change("cluster", enabledClusterLogTypes=["audit"])[0] == ["enabledClusterLogTypes"]
    assert world.change("cluster", version="1.36")[0] == ["version"]
    with pytest.raises(Refused, match="Unsupported Kubernetes minor version"):
        world.change("cluster", version="1.38")
    assert world.change("cluster", deletionProtection=False)[0] == ["deletionProtection"]
    data = {"httpTokens": "required", "httpPutResponseHopLimit": 2}
    assert world.change("template", metadataOptions=data)[1]["latestVersion"] == 2
    all_ends(world, cloud)


def test_subnets_in_a_single_zone_are_refused(world: World) -> None:
    """Clusters and databases need subnets in at least two zones."""
    key = a_key(world)
    _, subnets = a_network(world)

    with pytest.raises(Refused, match="two different AZs"):
        _cluster(world, key, subnets[:1])
    with pytest.raises(Refused, match="two different AZs"):
        world.make("subnets", "aws:rds/subnetGroup:SubnetGroup", subnetIds=subnets[:1])
