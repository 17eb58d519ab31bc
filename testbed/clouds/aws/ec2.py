"""Helpers shared by all EC2 resources, for tags, deletion by ID and description by ID."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from testbed.clouds.aws.api import Api
from testbed.clouds.aws.record import Delete
from testbed.clouds.shared.values import Values, tag_list, tag_map

_SINGULAR = ("describe_nat_gateways", "describe_flow_logs")
"""Calls whose filter parameter is named `Filter` instead of `Filters`."""


def specification(kind: str, values: Values) -> list[Values] | None:
    """Return the tag specifications for a resource being created, or None if it has no tags."""
    tags = tag_list(values["tagsAll"])
    return [{"ResourceType": kind, "Tags": tags}] if tags else None


def tag(api: Api, resource_id: str, values: Values, tags: Mapping[str, str], gone: list[str]) -> None:
    """Set and remove the tags of an EC2 resource."""
    if gone:
        api.call("ec2", "delete_tags", Resources=[resource_id], Tags=[{"Key": key} for key in gone])
    if tags:
        api.call("ec2", "create_tags", Resources=[resource_id], Tags=tag_list(tags))


def described(api: Api, operation: str, ids: str, resource_id: str) -> Any:
    """Return the resource with the given ID from a describe call, or None if the result is empty."""
    answer = api.call("ec2", operation, **{ids: [resource_id]})
    listed = next(value for name, value in answer.items() if name not in ("ResponseMetadata", "NextToken"))
    return listed[0] if listed else None


def where(api: Api, operation: str, **filters: str) -> list[Any]:
    """Return a describe call's resources matching the filters. Underscores in filter names become dashes."""
    criteria = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]
    parameter = "Filter" if operation in _SINGULAR else "Filters"
    answer = api.call("ec2", operation, **{parameter: criteria})
    return list(next(value for name, value in answer.items() if name not in ("ResponseMetadata", "NextToken")))


def tags_of(thing: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags in a resource's description."""
    return tag_map(thing.get("Tags"))


def deletes(operation: str, parameter: str, *, several: bool = False) -> Delete:
    """Return a function that deletes a resource by its ID."""

    def delete(api: Api, resource_id: str, values: Values) -> None:
        api.call("ec2", operation, **{parameter: [resource_id] if several else resource_id})

    return delete
