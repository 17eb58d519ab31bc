"""Container image registries."""

from __future__ import annotations

import re

import pulumi
from pulumi_azure_native import containerregistry

from .cluster import Cluster
from .endpoints import private_endpoint
from .existing import ClusterNetwork, ExistingCluster
from .group import ResourceGroup, protected
from .network import AdoptedNetwork, Network
from .roles import ACR_PULL, assign
from .settings import blocks

_NAME = re.compile(r"[a-zA-Z0-9]{5,50}")
_UNTAGGED_DAYS = 14


class ImageRegistry(pulumi.ComponentResource):
    """An image registry that is reached inside the network, and from which the cluster's nodes may pull.

    People push from connected networks, or from the addresses in the stack setting `imageClients`. Untagged images are
    deleted after 14 days. Azure encrypts images with its own key, since a registry can't use a key in a closed vault
    with a shared identity. `host` is the first part of an image name.
    """

    host: str

    def __init__(
        self,
        name: str,
        *,
        group: ResourceGroup,
        network: Network | AdoptedNetwork | ClusterNetwork,
        cluster: Cluster | ExistingCluster,
        registry: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if not _NAME.fullmatch(registry):
            raise pulumi.RunError(f"registry {registry}: a name must have 5 to 50 letters and digits")
        super().__init__("modelyard:azure:ImageRegistry", name, None, group.options(opts))
        within = pulumi.ResourceOptions(parent=self)
        clients = blocks("imageClients", "198.51.100.0/24")
        created = containerregistry.Registry(
            name,
            containerregistry.RegistryArgs(
                resource_group_name=group.group,
                location=group.region_name,
                registry_name=registry,
                sku=containerregistry.SkuArgs(name="Premium"),  # other tiers have no private endpoints
                admin_user_enabled=False,
                anonymous_pull_enabled=False,
                public_network_access="Enabled" if clients else "Disabled",
                network_rule_bypass_options="AzureServices",
                network_rule_set=containerregistry.NetworkRuleSetArgs(
                    default_action="Deny",
                    ip_rules=[containerregistry.IPRuleArgs(i_p_address_or_range=client) for client in clients],
                ),
                policies=containerregistry.PoliciesArgs(
                    retention_policy=containerregistry.RetentionPolicyArgs(days=_UNTAGGED_DAYS, status="enabled")
                ),
                tags=group.common_tags,
            ),
            pulumi.ResourceOptions(parent=self, protect=protected()),
        )
        private_endpoint(
            f"{name}-images", group=group, network=network, target=created.id, part="registry", opts=within
        )
        assign(
            f"{name}-images",
            group=group,
            role=ACR_PULL,
            principal=cluster.kubelet_principal,
            scope=created.id,
            opts=within,
        )
        self.host = f"{registry.lower()}.azurecr.io"
        self.register_outputs({"host": self.host})
