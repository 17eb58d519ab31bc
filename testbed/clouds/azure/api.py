"""One subscription's resources, stored in a file, and the errors returned by Azure Resource Manager."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.store import Store
from testbed.clouds.shared.stored import StoredApi
from testbed.clouds.shared.values import Values

FOLDER = "MODELYARD_AZURE_FOLDER"
"""The environment variable with the folder for the cloud's state and for orders from tests."""

_PLACE = re.compile(r"\{(\w+)\}")


class Api(StoredApi):
    """The API as seen by one subscription.

    `account` is the subscription's ID, and `region` the provider's default region.
    """

    @classmethod
    def at(cls, folder: Path, account: str, region: str) -> Api:
        """Return the API of the cloud whose state is in the given folder."""
        return cls(account, region, Store(folder / "store.json"))

    @property
    def subscription(self) -> Values:
        """Return the tenant, the registered resource providers, the deployer, and known members of the tenant."""
        subscription = self.store.get("subscription", self.account)
        if subscription is None:
            raise refused(404, "SubscriptionNotFound", f"The subscription '{self.account}' could not be found.")
        return subscription

    @property
    def tenant(self) -> str:
        """Return the ID of the tenant."""
        return str(self.subscription["tenant"])

    def use(self, namespace: str) -> None:
        """Reject calls to resource providers that aren't registered.

        Wording: https://learn.microsoft.com/en-us/azure/azure-resource-manager/troubleshooting/
        error-register-resource-provider, read 2026-11-27.
        """
        if namespace not in self.subscription["namespaces"]:
            raise refused(
                409,
                "MissingSubscriptionRegistration",
                f"The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found"
                " for how to register subscriptions.",
            )

    def filled(self, template: str, values: Mapping[str, Any]) -> str:
        """Return the ID obtained by filling a template with the given properties."""
        usual = {"subscription": self.account}
        return _PLACE.sub(lambda place: str(values.get(place[1]) or usual[place[1]]), template)

    def everything(self) -> dict[str, dict[str, Values]]:
        """Return the stored resources by type and ID."""
        with self.store.open() as everything:
            return {kind: stored for kind, stored in everything.items() if kind.startswith("azure-native:")}

    def exists(self, identifier: str) -> bool:
        """Return whether any resource, or the subscription itself, has the given ID."""
        return identifier == f"/subscriptions/{self.account}" or any(
            identifier in stored for stored in self.everything().values()
        )


def refused(status: int, code: str, message: str) -> Refused:
    """Return the error printed by pulumi-azure-native for a response with the given status."""
    return Refused(f'Status={status} Code="{code}"', f'Message="{message}"', " ")


def guid(*parts: str) -> str:
    """Return the GUID that this cloud derives from the given strings."""
    return str(uuid5(NAMESPACE_URL, "/".join(parts)))


def last(identifier: str) -> str:
    """Return the name at the end of an ID."""
    return identifier.rpartition("/")[2]


def not_found(identifier: str) -> Refused:
    """Return the error for a resource or resource group that doesn't exist.

    Wording: https://learn.microsoft.com/en-us/azure/azure-resource-manager/troubleshooting/error-not-found, 2026-11-27.
    """
    group, _, rest = identifier.partition("/resourceGroups/")[2].partition("/providers/")
    if not rest:
        return refused(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")
    provider, *parts = rest.split("/")
    kind = "/".join([provider, *parts[::2]])
    return refused(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{'/'.join(parts[1::2])}' under resource group '{group}' was not found. For more details"
        " please go to https://aka.ms/ARMResourceNotFoundFix",
    )
