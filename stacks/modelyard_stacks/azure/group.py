"""The resource group, subscription and region for a program's resources."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import authorization, resources
from pulumi_azure_native.provider import Provider

_OF_NODES = "-nodes"
_ROLES = "providers/Microsoft.Authorization/roleDefinitions"


class ResourceGroup(Provider):
    """A resource group in one subscription and region, with the tags for all of its resources.

    Pulumi's own Azure credentials are used. Without `subscription_id`, the setting `azure-native:subscriptionId` names
    the subscription. Without `tenant_id`, the login's tenant is used. An `adopted` group already exists and is left
    unchanged. Nodes, disks and load balancers are in a second group, which AKS creates and removes.
    """

    subscription: str
    group_name: str
    region_name: str
    group: pulumi.Output[str]
    tenant: pulumi.Output[str]
    login_id: pulumi.Output[str]
    common_tags: Mapping[str, str]

    def __init__(
        self,
        name: str,
        *,
        subscription_id: str = "",
        tenant_id: str = "",
        region: str,
        group: str,
        tags: Mapping[str, str],
        adopted: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        self.subscription = subscription_id or _configured()
        self.group_name, self.region_name = group, region
        self.common_tags = dict(tags)
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - the SDK leaves it untyped
            name, subscription_id=self.subscription, tenant_id=tenant_id or None, location=region, opts=opts
        )
        login = authorization.get_client_config_output(opts=pulumi.InvokeOutputOptions(provider=self))
        self.login_id = login.object_id
        self.tenant = pulumi.Output.from_input(tenant_id) if tenant_id else login.tenant_id
        self.group = pulumi.Output.from_input(group) if adopted else self._create().name

    @property
    def node_group_name(self) -> str:
        """Return the name of the group that AKS creates for a cluster's nodes."""
        return f"{self.group_name}{_OF_NODES}"

    def role_id(self, guid: str) -> str:
        """Return a role's full ID, spelled the same way as in Azure's responses."""
        return f"/subscriptions/{self.subscription}/{_ROLES}/{guid}"

    def resource_id(self, kind: str, name: pulumi.Input[str]) -> pulumi.Output[str]:
        """Return the ID of a resource in this group. `kind` is a type such as `Microsoft.Storage/storageAccounts`."""
        return pulumi.Output.concat(self.id_of_group(), f"/providers/{kind}/", name)

    def id_of_group(self) -> pulumi.Output[str]:
        """Return the ID of the resource group once it exists."""
        return pulumi.Output.concat(f"/subscriptions/{self.subscription}/resourceGroups/", self.group)

    def own(self, identifier: str) -> str:
        """Return the ID of a network or subnet, which must be in the same subscription as its private endpoints."""
        subscription = identifier.split("/")[2]
        if subscription != self.subscription:
            raise pulumi.RunError(
                f"{identifier} is in subscription {subscription}, but private endpoints are created in "
                f"{self.subscription}: use a network in that subscription"
            )
        return identifier

    def options(self, opts: pulumi.ResourceOptions | None = None) -> pulumi.ResourceOptions:
        """Return options for a component whose children are in this subscription."""
        return pulumi.ResourceOptions.merge(pulumi.ResourceOptions(providers=[self]), opts)

    def _create(self) -> resources.ResourceGroup:
        return resources.ResourceGroup(
            self._name,
            resources.ResourceGroupArgs(
                resource_group_name=self.group_name, location=self.region_name, tags=self.common_tags
            ),
            # deleting a group also deletes resources that other programs created in it
            pulumi.ResourceOptions(parent=self, provider=self, protect=protected()),
        )


def protected() -> bool:
    """Return whether `destroy` refuses to delete resources with data. Disabled by the `protect` stack setting."""
    return pulumi.Config().get_bool("protect") is not False


def _configured() -> str:
    subscription = pulumi.Config("azure-native").get("subscriptionId")
    if not subscription:
        raise pulumi.RunError("set the subscription: pulumi config set azure-native:subscriptionId SUBSCRIPTION")
    return subscription
