"""An existing EKS cluster shared with other systems, its network, and its Pod Identity agent."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_aws import eks, iam

from .access import kubeconfig
from .account import Account
from .adopted import AdoptedCluster
from .network import s3_ranges

_AGENT = "eks-pod-identity-agent"


class ExistingCluster(AdoptedCluster):
    """A cluster in the account, given by name, as EKS describes it at each `up`. Nothing in it is changed.

    Resources added by a program are named after this component rather than the cluster, which several systems share.
    The role that applies the workloads needs an access entry for the cluster.
    """

    endpoint: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    vpc_id: pulumi.Output[str]
    subnet_ids: pulumi.Output[Sequence[str]]
    version: pulumi.Output[str]
    issuer: pulumi.Output[str]

    def __init__(self, name: str, *, account: Account, cluster: str) -> None:
        super().__init__(name, account=account, cluster_name=cluster)
        existing = eks.get_cluster_output(name=cluster, opts=pulumi.InvokeOutputOptions(provider=account))
        self.arn, self.endpoint, self.version = existing.arn, existing.endpoint, existing.version
        self.security_group_id = existing.vpc_config.apply(lambda config: config.cluster_security_group_id)
        self.vpc_id = existing.vpc_config.apply(lambda config: config.vpc_id)
        self.subnet_ids = existing.vpc_config.apply(lambda config: config.subnet_ids)
        self.issuer = existing.identities.apply(lambda identities: identities[0].oidcs[0].issuer)
        self.kubeconfig = kubeconfig(
            cluster,
            region=account.region_name,
            cluster_name=cluster,
            endpoint=self.endpoint,
            authority=existing.certificate_authorities.apply(lambda authorities: authorities[0].data),
        )

    def issuer_arn(self) -> pulumi.Output[str]:
        """Return the ARN of the IAM provider for the cluster's tokens. `up` fails if the account doesn't have one."""
        options = pulumi.InvokeOutputOptions(provider=self.account)
        return iam.get_open_id_connect_provider_output(url=self.issuer, opts=options).arn


class ClusterNetwork:
    """The network of an existing cluster, managed by its owner. `subnet_ids` are those of the control plane."""

    def __init__(self, name: str, *, cluster: ExistingCluster) -> None:
        self.name = name
        self.vpc_id, self.subnet_ids = cluster.vpc_id, cluster.subnet_ids
        self.nat_gateway_ids: list[pulumi.Output[str]] = []
        self.s3_ranges = s3_ranges(cluster.account)


class IdentityAgent(pulumi.ComponentResource):
    """The agent that provides Pods with their roles' credentials, in the default version for the cluster.

    `destroy` leaves it in the cluster, since Pods of other systems may depend on it by then.
    """

    def __init__(self, name: str, *, cluster: ExistingCluster, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("modelyard:aws:IdentityAgent", name, None, cluster.account.options(opts))
        version = eks.get_addon_version_output(
            addon_name=_AGENT,
            kubernetes_version=cluster.version,
            opts=pulumi.InvokeOutputOptions(provider=cluster.account),
        )
        eks.Addon(
            f"{name}-{_AGENT}",
            eks.AddonArgs(
                cluster_name=cluster.name,
                addon_name=_AGENT,
                addon_version=version.version,
                resolve_conflicts_on_create="NONE",
                resolve_conflicts_on_update="PRESERVE",
            ),
            # the owner upgrades it with the cluster
            pulumi.ResourceOptions(parent=self, retain_on_delete=True, ignore_changes=["addonVersion"]),
        )
        self.register_outputs({})
