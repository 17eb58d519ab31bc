"""Converts registrations of Azure resources to a Resource Manager template for checkov."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.clouds.azure.bicep import resource_of
from tests.stacks.programs import Registration

_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A registered resource. `address` identifies it, such as `keyvault.Vault/leads-main-keys`."""

    address: str
    resource: Mapping[str, Any]

    @property
    def plan_address(self) -> str:
        """Return the address of the resource in the template that scanners see."""
        return f"{self.resource['type']}.{self.resource['name']}"


def deployed(registered: Iterable[Registration]) -> Iterator[Deployed]:
    """Yield the Azure resources among the registered resources."""
    for each in registered:
        if each["type"].startswith("azure-native:"):
            _, module, resource = each["type"].split(":")
            yield Deployed(f"{module}.{resource}/{each['name']}", resource_of(each))


def template_of(resources: Iterable[Deployed]) -> dict[str, Any]:
    """Return a template that creates the given resources."""
    return {
        "$schema": _SCHEMA,
        "contentVersion": "1.0.0.0",
        "resources": [dict(each.resource) for each in resources],
    }
