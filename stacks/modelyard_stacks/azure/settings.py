"""Settings of a stack that are lists."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import cast

import pulumi


def listed(setting: str, example: str) -> list[str]:
    """A setting that is a list of texts, or an empty list without it; raises RunError if it is anything else."""
    value: object = pulumi.Config().get_object(setting)
    if value is None:
        return []
    items = cast("list[object]", value) if isinstance(value, list) else []
    texts = [text for text in items if isinstance(text, str)]
    if not texts or len(texts) != len(items):
        raise pulumi.RunError(f"the setting {setting} is a list: pulumi config set --path '{setting}[0]' {example}")
    return texts


def blocks(setting: str, example: str) -> list[str]:
    """A setting that is a list of CIDR blocks."""
    texts = listed(setting, example)
    for text in texts:
        try:
            IPv4Network(text)
        except ValueError as error:
            raise pulumi.RunError(f"the setting {setting} has CIDR blocks such as {example}: {error}") from None
    return texts


def connected_networks() -> list[str]:
    """The setting `apiClients`: CIDR blocks of connected networks that may reach the cluster's API and the stores."""
    return blocks("apiClients", "10.99.0.0/16")
