"""Versions of what AWS runs for us: Kubernetes with its add-ons, and PostgreSQL; each with its source and date."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Final

from modelyard.records import record

_TABLE: Final = os.path.join(os.path.dirname(__file__), "versions.json")

BEFORE_NODES: Final = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")
"""Add-ons that a node needs to become ready; the others wait for a node to run on."""


@record
class Release:
    """A minor version of Kubernetes on EKS: what goes with it, and the last day of support without a fee.

    `image` is a release of Amazon's images of nodes, `autoscaler` the tag of the image of Cluster Autoscaler, which is
    made for one minor version and tried with no other.
    """

    version: str
    addons: Mapping[str, str]
    image: str
    autoscaler: str
    supported_until: str  # ISO date

    def before_nodes(self) -> dict[str, str]:
        """The add-ons without which no node becomes ready."""
        return {name: self.addons[name] for name in BEFORE_NODES}

    def on_nodes(self) -> dict[str, str]:
        """The add-ons that run on nodes and stay degraded until there is one."""
        return {name: version for name, version in self.addons.items() if name not in BEFORE_NODES}


@record
class _Table:
    default: str
    releases: Mapping[str, Release]
    postgresql: str


def releases() -> Mapping[str, Release]:
    """What is known of, by minor version, the newest first."""
    return _table().releases


def default_version() -> str:
    """The minor version of Kubernetes where the spec names none."""
    return _table().default


def postgresql_version() -> str:
    """The major version of PostgreSQL on RDS; minor versions come with its maintenance window."""
    return _table().postgresql


@cache
def _table() -> _Table:
    with open(_TABLE, encoding="utf-8") as file:
        table = json.load(file)
    kubernetes = table["kubernetes"]
    known = {
        version: Release(
            version,
            dict(entry["addons"]),
            str(entry["image"]["release"]),
            str(entry["autoscaler"]["tag"]),
            str(entry["standardSupportUntil"]),
        )
        for version, entry in kubernetes["versions"].items()
    }
    return _Table(str(kubernetes["default"]), known, str(table["postgresql"]["version"]))
