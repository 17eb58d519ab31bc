"""Versions of AWS-managed software: Kubernetes, EKS add-ons and PostgreSQL. The table lists sources and dates."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Final

from modelyard.records import record

_TABLE: Final = os.path.join(os.path.dirname(__file__), "versions.json")

BEFORE_NODES: Final = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")
"""Add-ons that a node needs to become ready. All other add-ons run on nodes."""


@record
class Release:
    """A Kubernetes minor version on EKS, with matching software versions and its end of standard support.

    `image` is a release of the EKS AMI. `autoscaler` is the image tag of Cluster Autoscaler, which is built for and
    tested with a single minor version.
    """

    version: str
    addons: Mapping[str, str]
    image: str
    autoscaler: str
    supported_until: str  # ISO date

    def before_nodes(self) -> dict[str, str]:
        """Return the add-ons that a node needs to become ready."""
        return {name: self.addons[name] for name in BEFORE_NODES}

    def on_nodes(self) -> dict[str, str]:
        """Return the add-ons that run on nodes and are therefore degraded until the cluster has a node."""
        return {name: version for name, version in self.addons.items() if name not in BEFORE_NODES}


@record
class _Table:
    default: str
    releases: Mapping[str, Release]
    postgresql: str


def releases() -> Mapping[str, Release]:
    """Return the known releases by minor version, newest first."""
    return _table().releases


def default_version() -> str:
    """Return the default Kubernetes minor version."""
    return _table().default


def postgresql_version() -> str:
    """Return the PostgreSQL major version. RDS applies minor upgrades in its maintenance window."""
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
