"""Converts registrations of Google resources to Terraform plans for checkov.

pulumi-gcp wraps the Terraform provider, so resources have the same properties under differently formatted names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from tests.stacks.programs import Registration

Plan: TypeAlias = dict[str, Any]

_MODULES = {
    "artifactregistry": "artifact_registry",
    "projects": "project",
    "secretmanager": "secret_manager",
    "serviceaccount": "service",
}
"""Terraform's names for Pulumi's modules, where they differ."""

_BLOCKS = {
    "denies": "deny",
    "guestAccelerators": "guest_accelerator",
    "lifecycleRules": "lifecycle_rule",
    "matchesPrefixes": "matches_prefix",
    "pscConfigs": "psc_config",
    "rayOperatorConfigs": "ray_operator_config",
    "secondaryIpRanges": "secondary_ip_range",
    "taints": "taint",
}
"""Terraform's names for repeated blocks, which Pulumi makes plural."""

_MAPS = frozenset({"defaultLabels", "labels", "metadata", "resourceLabels", "userLabels"})
"""Properties that are maps rather than blocks in Terraform too."""

_SECRET = "4dabf18193072939515e22adb298388d"
"""The marker of a secret in registrations. The secret's value stays out of the plan."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A registered resource. `address` identifies it, such as `container.Cluster/main`."""

    address: str
    kind: str
    name: str
    values: Mapping[str, Any]
    references: Mapping[str, tuple[str, ...]]

    @property
    def plan_address(self) -> str:
        """Return the address of the resource in the plan that scanners see."""
        return f"{self.kind}.{self.name}"


def planned(registered: Iterable[Registration]) -> Iterator[Planned]:
    """Yield the Google resources among the registered resources."""
    for each in registered:
        if each["type"].startswith("gcp:"):
            kind, name = _terraform_address(each["type"], each["name"])
            _, module, resource = re.split(r":|/\w+:", each["type"])
            values = cast("dict[str, Any]", _values(each["inputs"]))
            yield Planned(f"{module}.{resource}/{each['name']}", kind, name, values, _references(each))


def plan_of(resources: Iterable[Planned]) -> Plan:
    """Return a Terraform plan that creates the given resources."""
    listed = list(resources)
    heads = [{"address": each.plan_address, "mode": "managed", "type": each.kind, "name": each.name} for each in listed]
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {
            "root_module": {
                "resources": [{**head, "values": each.values} for head, each in zip(heads, listed, strict=True)]
            }
        },
        "resource_changes": [
            {**head, "change": {"actions": ["create"], "before": None, "after": each.values}}
            for head, each in zip(heads, listed, strict=True)
        ],
        "configuration": {
            "root_module": {
                "resources": [
                    {**head, "expressions": {key: {"references": list(to)} for key, to in each.references.items()}}
                    for head, each in zip(heads, listed, strict=True)
                ]
            }
        },
    }


def _terraform_address(type_: str, name: str) -> tuple[str, str]:
    """Return a resource's Terraform type and name.

    For `gcp:kms/cryptoKey:CryptoKey`, the type is `google_kms_crypto_key`.
    """
    _, module, resource = re.split(r":|/\w+:", type_)
    return f"google_{_MODULES.get(module, module)}_{_snake(resource)}", re.sub(r"\W", "_", name)


def _references(registration: Registration) -> dict[str, tuple[str, ...]]:
    """Map each property to the addresses of the Google resources whose outputs it uses."""
    references: dict[str, tuple[str, ...]] = {}
    for key, urns in registration["propertyDependencies"].items():
        ends = [urn.rpartition("$")[2].split("::") for urn in urns]
        to = tuple(".".join(_terraform_address(type_, name)) for type_, name in ends if type_.startswith("gcp:"))
        if to:
            references[_BLOCKS.get(key, _snake(key))] = to
    return references


def _values(value: Any) -> Any:
    """Convert a value to Terraform's format, in which objects other than maps become one-block lists."""
    if isinstance(value, list):
        return [_values(entry) for entry in cast("list[object]", value)]
    if not isinstance(value, dict):
        return int(value) if isinstance(value, float) and value.is_integer() else value
    fields = cast("dict[str, Any]", value)
    if _SECRET in fields:
        return "(secret)"
    return {_BLOCKS.get(key, _snake(key)): _field(key, entry) for key, entry in fields.items()}


def _field(key: str, value: Any) -> Any:
    if key in _MAPS:
        return value
    is_block = isinstance(value, dict) and _SECRET not in value
    return [_values(value)] if is_block else _values(value)


def _snake(name: str) -> str:
    """Convert a camel-case name to snake case: `iam_member` for `IAMMember`, `crypto_key_id` for `cryptoKeyId`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
