"""Tests that the EKS cluster is secure by default and created after everything its nodes depend on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.stacks.aws.programs import CLUSTER, Resources, elsewhere, inputs, needs, of, policy, registered
from tests.stacks.programs import Refused

NAME = "fraud-prod-main"
TYPE = "aws:eks/cluster:Cluster"
ADDON = "aws:eks/addon:Addon"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
MORE = """
import pulumi

from modelyard_stacks.aws.cluster import ClusterAddons

system = pulumi.CustomResource("tiny:index:Pool", "system", {})
ClusterAddons(
    "fraud-prod-main",
    cluster=cluster,
    versions={"coredns": "v1.12.0", "aws-ebs-csi-driver": "v1.50.0"},
    depends_on=[system],
)
pulumi.ComponentResource("tiny:Seen", "seen", {
    "kubeconfig": cluster.kubeconfig,
    "group": cluster.security_group_id,
    "role": cluster.node_role_arn,
    "roleName": cluster.node_role_name,
    "endpoint": cluster.endpoint,
})
"""


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a cluster with all its add-ons and without stack settings."""
    return registered(tmp_path_factory.mktemp("cluster"), CLUSTER + MORE)


@pytest.fixture(scope="module")
def loosened(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a cluster that is reachable from outside its network and not protected from destruction."""
    program = CLUSTER.replace("log_days=365", 'log_days=365, public_access_cidrs=["198.51.100.0/24"]')
    return registered(tmp_path_factory.mktemp("loosened"), program, "protect: false")


def test_api_is_private(resources: Resources) -> None:
    vpc_config = inputs(resources, TYPE, NAME)["vpcConfig"]

    assert vpc_config["endpointPrivateAccess"] is True
    assert vpc_config["endpointPublicAccess"] is False
    assert "publicAccessCidrs" not in vpc_config
    assert vpc_config["subnetIds"] == [f"{NAME}-private-{zone}" for zone in (1, 2, 3)]


def test_api_is_public_only_for_named_cidr_blocks(loosened: Resources) -> None:
    vpc_config = inputs(loosened, TYPE, NAME)["vpcConfig"]

    assert vpc_config["endpointPublicAccess"] is True
    assert vpc_config["publicAccessCidrs"] == ["198.51.100.0/24"]
    assert vpc_config["endpointPrivateAccess"] is True


def test_api_is_reachable_from_its_network(resources: Resources) -> None:
    rules = {name: each["inputs"] for name, each in of(resources, RULE).items() if name != f"{NAME}-endpoints"}

    assert rules == {
        f"{NAME}-api": {
            "securityGroupId": "sg-cluster",
            "description": "API of the cluster",
            "cidrIpv4": "10.0.0.0/16",
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
        }
    }


def test_creator_gets_no_access_by_default(resources: Resources) -> None:
    access_config = inputs(resources, TYPE, NAME)["accessConfig"]

    assert access_config == {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}


def test_secrets_are_encrypted_and_all_logs_are_kept(resources: Resources) -> None:
    cluster = inputs(resources, TYPE, NAME)
    group = inputs(resources, "aws:cloudwatch/logGroup:LogGroup", f"{NAME}-cluster")

    assert cluster["encryptionConfig"] == {
        "provider": {"keyArn": f"arn:aws:kms:::Key/{NAME}"},
        "resources": ["secrets"],
    }
    assert cluster["enabledClusterLogTypes"] == ["api", "audit", "authenticator", "controllerManager", "scheduler"]
    assert group["name"] == f"/aws/eks/{NAME}/cluster"
    assert group["kmsKeyId"] == f"arn:aws:kms:::Key/{NAME}"
    assert group["retentionInDays"] == 365


def test_log_group_and_permissions_are_created_before_the_cluster(resources: Resources) -> None:
    """Otherwise, EKS would create the log group itself and would lack the permissions to delete its resources."""
    before = needs(resources, TYPE, NAME)

    assert f"aws:cloudwatch/logGroup:LogGroup {NAME}-cluster" in before
    assert f"{ATTACHMENT} {NAME}-cluster" in before


def test_cluster_is_protected_from_deletion(resources: Resources, loosened: Resources) -> None:
    assert inputs(resources, TYPE, NAME)["deletionProtection"] is True
    assert resources[f"{TYPE} {NAME}"]["protect"] is True
    assert inputs(loosened, TYPE, NAME)["deletionProtection"] is False
    assert loosened[f"{TYPE} {NAME}"]["protect"] is False


def test_version_and_support_type_are_pinned(resources: Resources) -> None:
    cluster = inputs(resources, TYPE, NAME)

    assert cluster["version"] == "1.36"
    assert cluster["upgradePolicy"] == {"supportType": "STANDARD"}
    assert cluster["bootstrapSelfManagedAddons"] is False


def test_every_addon_has_a_pinned_version(resources: Resources) -> None:
    assert {each["inputs"]["addonName"]: each["inputs"]["addonVersion"] for each in of(resources, ADDON).values()} == {
        "aws-ebs-csi-driver": "v1.50.0",
        "coredns": "v1.12.0",
        "eks-pod-identity-agent": "v1.3.0",
        "kube-proxy": "v1.36.0",
        "vpc-cni": "v1.20.0",
    }
    for each in of(resources, ADDON).values():
        assert each["inputs"]["resolveConflictsOnCreate"] == "OVERWRITE"
        assert each["inputs"]["resolveConflictsOnUpdate"] == "PRESERVE"


def enforced(resources: Resources) -> dict[str, object]:
    """Return the configuration of the VPC CNI add-on, which enforces network policies."""
    configuration: dict[str, object] = json.loads(inputs(resources, ADDON, f"{NAME}-vpc-cni")["configurationValues"])
    return configuration


def test_network_policies_are_enforced_when_pods_start(resources: Resources) -> None:
    assert enforced(resources) == {"enableNetworkPolicy": "true", "env": {"NETWORK_POLICY_ENFORCING_MODE": "strict"}}


def test_setting_allows_traffic_before_policies_are_applied(tmp_path: Path) -> None:
    """A cluster's first `up` needs `networkPolicies: standard`, because no policy allows CoreDNS traffic yet."""
    first = registered(tmp_path, CLUSTER + MORE, "networkPolicies: standard")

    assert enforced(first)["env"] == {"NETWORK_POLICY_ENFORCING_MODE": "standard"}


def test_unknown_network_policy_mode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="networkPolicies must be standard or strict, not 'lax'"):
        registered(tmp_path, CLUSTER + MORE, "networkPolicies: lax")


def test_addons_with_pods_wait_for_a_node_pool(resources: Resources) -> None:
    for name in ("coredns", "aws-ebs-csi-driver"):
        assert "tiny:index:Pool system" in needs(resources, ADDON, f"{NAME}-{name}")
    for name in ("vpc-cni", "kube-proxy", "eks-pod-identity-agent"):
        assert "tiny:index:Pool system" not in needs(resources, ADDON, f"{NAME}-{name}")
    assert f"{ADDON} {NAME}-eks-pod-identity-agent" in needs(resources, ADDON, f"{NAME}-vpc-cni")


@pytest.mark.parametrize(
    ("addon", "service_account", "managed"),
    [
        ("vpc-cni", "aws-node", "AmazonEKS_CNI_Policy"),
        ("ebs-csi", "ebs-csi-controller-sa", "service-role/AmazonEBSCSIDriverPolicy"),
    ],
)
def test_only_addon_pods_can_assume_addon_roles(
    addon: str, service_account: str, managed: str, resources: Resources
) -> None:
    title = f"{NAME}-{addon}"
    name = f"{NAME}-aws-ebs-csi-driver" if addon == "ebs-csi" else title
    trusted = policy(inputs(resources, "aws:iam/role:Role", title)["assumeRolePolicy"])["Pods"]

    assert inputs(resources, ADDON, name)["podIdentityAssociations"] == [
        {"serviceAccount": service_account, "roleArn": f"arn:aws:iam:::Role/{title}"}
    ]
    assert trusted["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert trusted["Condition"]["StringEquals"] == {
        "aws:RequestTag/eks-cluster-arn": f"arn:aws:eks:::Cluster/{NAME}",
        "aws:RequestTag/kubernetes-namespace": "kube-system",
        "aws:RequestTag/kubernetes-service-account": service_account,
    }
    assert inputs(resources, ATTACHMENT, title)["policyArn"] == f"arn:aws:iam::aws:policy/{managed}"
    assert f"{ATTACHMENT} {title}" in needs(resources, ADDON, name)


def test_pod_volumes_are_tagged_and_encrypted_with_the_key(resources: Resources) -> None:
    rights = policy(inputs(resources, "aws:iam/rolePolicy:RolePolicy", f"{NAME}-ebs-csi")["policy"])
    values = json.loads(inputs(resources, ADDON, f"{NAME}-aws-ebs-csi-driver")["configurationValues"])

    assert {each["Resource"] for each in rights.values()} == {f"arn:aws:kms:::Key/{NAME}"}
    assert rights["LetDisksUseTheKey"]["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert values == {"controller": {"extraVolumeTags": {"modelyard:system": "fraud"}}}


def test_nodes_may_only_join_and_pull_images(resources: Resources) -> None:
    policies = {
        each["inputs"]["policyArn"].rpartition("/")[2]
        for each in of(resources, ATTACHMENT).values()
        if each["inputs"]["role"] == f"{NAME}-node"
    }

    assert policies == {"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"}


def test_kubeconfig_contains_no_secret(resources: Resources) -> None:
    outputs = resources["tiny:Seen seen"]["inputs"]
    config = json.loads(outputs["kubeconfig"])
    (user,) = config["users"]

    assert config["clusters"][0]["cluster"] == {
        "server": "https://cluster.eks.example",
        "certificate-authority-data": "Y2VydGlmaWNhdGU=",
    }
    assert set(user["user"]) == {"exec"}
    assert user["user"]["exec"]["command"] == "aws"
    assert user["user"]["exec"]["args"] == [
        *("--region", "eu-central-1", "eks", "get-token", "--output", "json", "--cluster-name", NAME)
    ]
    assert config["current-context"] == config["contexts"][0]["name"]
    assert config["contexts"][0]["context"] == {"cluster": config["clusters"][0]["name"], "user": user["name"]}


def test_cluster_exposes_its_security_group_and_node_role(resources: Resources) -> None:
    outputs = resources["tiny:Seen seen"]["inputs"]

    assert outputs["group"] == "sg-cluster"
    assert outputs["role"] == f"arn:aws:iam:::Role/{NAME}-node"
    assert outputs["roleName"] == f"{NAME}-node"


def test_every_resource_has_a_component_and_the_account(resources: Resources) -> None:
    assert elsewhere(resources) == set()


def test_missing_node_addon_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="nodes need the add-ons eks-pod-identity-agent, vpc-cni, kube-proxy"):
        registered(tmp_path, CLUSTER.replace('"vpc-cni": "v1.20.0", ', ""))


def test_long_cluster_name_fits_in_role_names(tmp_path: Path) -> None:
    """IAM names have at most 64 characters, 26 of which the provider uses.

    IAM would reject Pulumi's longer default names.
    """
    long = "a-system-whose-name-is-nearly-as-long-as-a-name-can-be-production-main"
    resources = registered(tmp_path, (CLUSTER + MORE).replace('"fraud-prod-main"', f'"{long}"'))
    prefixes = {each["inputs"].get("namePrefix", "x" * 65) for each in of(resources, "aws:iam/role:Role").values()}

    assert len(prefixes) == 5
    assert max(map(len, prefixes)) <= 38
