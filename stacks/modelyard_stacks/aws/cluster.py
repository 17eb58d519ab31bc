"""A private Kubernetes cluster on EKS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_aws import eks, iam, vpc

from .access import administrators, api_clients, kubeconfig
from .account import Account, protected
from .addons import AddonRole, addon, network_role, volumes_role
from .key import Key
from .logs import LogGroup
from .network import AdoptedNetwork, Network
from .policies import role_prefix, trust

_BEFORE_NODES = ("eks-pod-identity-agent", "vpc-cni", "kube-proxy")


class Cluster(pulumi.ComponentResource):
    """The control plane, the roles of the control plane and nodes, and the add-ons that nodes need to become ready.

    The API is reachable from inside the network, and from outside only for `public_access_cidrs`. The stack's setting
    `apiClients` lists the CIDR blocks of connected networks that may reach it. Creating the cluster does not give its
    creator access; see the setting `admins`. The key encrypts Secrets, and all control plane logs are kept for
    `log_days`.

    `addons` are versions of eks-pod-identity-agent, vpc-cni and kube-proxy. Nodes must wait for `ready`. `issuer` signs
    the tokens of ServiceAccounts, and anyone can read its public keys.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    issuer: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    node_role_arn: pulumi.Output[str]
    node_role_name: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]

    def __init__(
        self,
        name: str,
        *,
        account: Account,
        network: Network | AdoptedNetwork,
        key: Key,
        version: str,
        addons: Mapping[str, str],
        public_access_cidrs: Sequence[str] = (),
        log_days: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:Cluster", name, None, account.options(opts))
        if set(addons) != set(_BEFORE_NODES):
            raise pulumi.RunError(
                f"cluster {name}: nodes need the add-ons {', '.join(_BEFORE_NODES)}, each with a version"
            )
        self.title = name
        self.account = account
        self.network = network
        self.key = key
        self.version = version
        self._child = pulumi.ResourceOptions(parent=self)
        cluster = self._control_plane(public_access_cidrs, log_days)
        self.name, self.arn, self.endpoint = cluster.name, cluster.arn, cluster.endpoint
        self.issuer = cluster.identities.apply(_issuer)
        self.security_group_id = cluster.vpc_config.apply(lambda config: config.cluster_security_group_id or "")
        self._open_api_inside()
        administrators(name, account=account, cluster_name=self.name, opts=self._child)
        node_role, attached = self._node_role()
        self.node_role_arn, self.node_role_name = node_role.arn, node_role.name
        self.kubeconfig = kubeconfig(
            name,
            region=account.region_name,
            cluster_name=self.name,
            endpoint=self.endpoint,
            authority=cluster.certificate_authority.apply(lambda authority: authority.data or ""),
        )
        self.ready = (*attached, *self._addons(addons))
        self.register_outputs({"name": self.name, "endpoint": self.endpoint})

    def _control_plane(self, public_access_cidrs: Sequence[str], log_days: int) -> eks.Cluster:
        name = self.title
        # without this group, EKS would create one, unencrypted and without expiry
        logs = LogGroup(
            f"{name}-cluster", path=f"/aws/eks/{name}/cluster", key=self.key, days=log_days, opts=self._child
        )
        role = iam.Role(
            f"{name}-cluster",
            iam.RoleArgs(
                name_prefix=role_prefix(name, "cluster"),
                description=f"Control plane of {name}",
                assume_role_policy=trust("eks.amazonaws.com"),
            ),
            self._child,
        )
        attachment = self._attach(f"{name}-cluster", role, "AmazonEKSClusterPolicy")
        return eks.Cluster(
            name,
            eks.ClusterArgs(
                name=name,
                version=self.version,  # otherwise EKS installs its newest version once, and never upgrades it
                role_arn=role.arn,
                vpc_config=eks.ClusterVpcConfigArgs(
                    subnet_ids=self.network.subnet_ids,
                    endpoint_private_access=True,  # off by default
                    endpoint_public_access=bool(public_access_cidrs),  # by default open to the whole world
                    public_access_cidrs=list(public_access_cidrs) or None,
                ),
                access_config=eks.ClusterAccessConfigArgs(
                    authentication_mode="API",
                    # otherwise the creator stays an administrator forever, without being listed
                    bootstrap_cluster_creator_admin_permissions=False,
                ),
                encryption_config=eks.ClusterEncryptionConfigArgs(
                    provider=eks.ClusterEncryptionConfigProviderArgs(key_arn=self.key.arn), resources=["secrets"]
                ),
                enabled_cluster_log_types=["api", "audit", "authenticator", "controllerManager", "scheduler"],
                deletion_protection=protected(),  # off by default
                # extended support of an old version costs six times as much: upgrade instead
                # https://aws.amazon.com/eks/pricing/, 2026-11-24
                upgrade_policy=eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
                # we install those add-ons below at our own versions; changing this replaces the cluster
                bootstrap_self_managed_addons=False,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[logs, attachment], protect=protected()),
        )

    def _open_api_inside(self) -> None:
        """Allow clients outside the cluster's own security group to reach the private endpoint.

        Source: https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html, 2026-11-24.
        """
        for index, cidr in enumerate((self.network.cidr, *api_clients())):
            vpc.SecurityGroupIngressRule(
                f"{self.title}-api-{index}" if index else f"{self.title}-api",
                vpc.SecurityGroupIngressRuleArgs(
                    security_group_id=self.security_group_id,
                    description="API of the cluster",
                    cidr_ipv4=cidr,
                    ip_protocol="tcp",
                    from_port=443,
                    to_port=443,
                ),
                self._child,
            )

    def _node_role(self) -> tuple[iam.Role, list[iam.RolePolicyAttachment]]:
        """Create the node role.

        It allows joining the cluster, fetching roles for Pods and pulling images, but no shell access.
        """
        name = f"{self.title}-node"
        role = iam.Role(
            name,
            iam.RoleArgs(
                name_prefix=role_prefix(self.title, "node"),
                description=f"Nodes of {self.title}",
                assume_role_policy=trust("ec2.amazonaws.com"),
            ),
            self._child,
        )
        return role, [
            self._attach(f"{name}-{suffix}", role, policy)
            for suffix, policy in (
                ("worker", "AmazonEKSWorkerNodePolicy"),
                ("images", "AmazonEC2ContainerRegistryPullOnly"),
            )
        ]

    def _attach(self, name: str, role: iam.Role, policy: str) -> iam.RolePolicyAttachment:
        return iam.RolePolicyAttachment(
            name,
            iam.RolePolicyAttachmentArgs(role=role.name, policy_arn=self.account.managed_policy(policy)),
            self._child,
        )

    def _addons(self, versions: Mapping[str, str]) -> list[pulumi.Resource]:
        role = network_role(self.title, account=self.account, cluster_arn=self.arn, opts=self._child)
        agent, proxy = (
            addon(self.title, name, cluster_name=self.name, version=versions[name], opts=self._child)
            for name in ("eks-pod-identity-agent", "kube-proxy")
        )
        network = addon(
            self.title,
            "vpc-cni",
            cluster_name=self.name,
            version=versions["vpc-cni"],
            # off by default: NetworkPolicy objects would then be accepted but not enforced
            # https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html, 2026-11-24
            configuration=pulumi.Output.json_dumps(
                {"enableNetworkPolicy": "true", "env": {"NETWORK_POLICY_ENFORCING_MODE": _enforcing_mode(self.title)}}
            ),
            role=role,
            depends_on=[agent],  # without the agent on its node, vpc-cni gets no role, and Pods get no addresses
            opts=self._child,
        )
        return [agent, network, proxy]


def _enforcing_mode(title: str) -> str:
    """Return the `networkPolicies` setting, i.e. whether Pods may connect before their policies are applied.

    `standard` allows this, and `strict` doesn't. CoreDNS also needs policies, which are applied by the workloads
    project, so the first `up` of a cluster uses `standard`.
    """
    mode = pulumi.Config().get("networkPolicies") or "strict"
    if mode not in ("standard", "strict"):
        raise pulumi.RunError(f"cluster {title}: the setting networkPolicies must be standard or strict, not {mode!r}")
    return mode


class ClusterAddons(pulumi.ComponentResource):
    """Add-ons whose Pods need a node: coredns, aws-ebs-csi-driver and any others in `versions`.

    EKS reports them as degraded until their Pods run, so they must wait for a node group. Name it in `depends_on`.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        versions: Mapping[str, str],
        depends_on: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:ClusterAddons", name, None, cluster.account.options(opts))
        for addon_name, version in versions.items():
            volumes = addon_name == "aws-ebs-csi-driver"
            # the provider's default tags do not apply to volumes that the driver creates
            tags = {"controller": {"extraVolumeTags": dict(cluster.account.common_tags)}}
            addon(
                name,
                addon_name,
                cluster_name=cluster.name,
                version=version,
                configuration=pulumi.Output.json_dumps(tags) if volumes else None,
                role=self._volumes_role(name, cluster) if volumes else None,
                depends_on=depends_on,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})

    def _volumes_role(self, name: str, cluster: Cluster) -> AddonRole:
        return volumes_role(
            name,
            account=cluster.account,
            key=cluster.key,
            cluster_arn=cluster.arn,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _issuer(identities: Sequence[eks.outputs.ClusterIdentity] | None) -> str:
    """Return the token issuer EKS creates for each cluster, or "" if EKS names none."""
    issuers = [oidc.issuer for identity in identities or () for oidc in identity.oidcs or ()]
    return next((issuer for issuer in issuers if issuer), "")
