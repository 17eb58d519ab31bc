"""The vault for secrets that External Secrets reads."""

from __future__ import annotations

import pulumi

from .endpoints import private_endpoint
from .existing import ClusterNetwork
from .group import ResourceGroup, protected
from .network import AdoptedNetwork, Network
from .settings import blocks
from .vaults import closed_vault

_KEPT_DAYS = 7


class Vault(pulumi.ComponentResource):
    """A vault for secrets that is reached inside the network. `url` is its address.

    People read and write it from connected networks, or from the addresses in the stack setting `vaultClients`, with a
    role such as Key Vault Secrets Officer. Database logins are also stored in it. A deleted vault can be recovered for
    7 days, and its name, which has a suffix, stays reserved for that time.
    """

    id: pulumi.Output[str]
    vault_name: pulumi.Output[str]
    url: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        group: ResourceGroup,
        network: Network | AdoptedNetwork | ClusterNetwork,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:azure:Vault", name, None, group.options(opts))
        vault = closed_vault(
            name,
            "secrets",
            group=group,
            kept_days=_KEPT_DAYS,
            clients=blocks("vaultClients", "198.51.100.0/24"),
            opts=pulumi.ResourceOptions(parent=self, protect=protected()),
        )
        self.id, self.vault_name = vault.id, vault.name
        self.url = vault.properties.apply(lambda properties: properties.vault_uri or "")
        private_endpoint(
            f"{name}-secrets",
            group=group,
            network=network,
            target=vault.id,
            part="vault",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"url": self.url})
