"""Versions of software that Google Cloud manages: Kubernetes and PostgreSQL. The table has sources and dates."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Final

from modelyard.records import record
from modelyard.spec import TargetSpec

_TABLE: Final = os.path.join(os.path.dirname(__file__), "versions.json")


@record
class _Table:
    default: str
    kubernetes: tuple[str, ...]
    postgresql: str


def kubernetes_versions() -> tuple[str, ...]:
    """Return the supported Kubernetes minor versions, newest first."""
    return _table().kubernetes


def version_of(target: TargetSpec) -> str:
    """Return the Kubernetes minor version of a target's cluster."""
    return target.version or _table().default


def postgresql_version() -> str:
    """Return the PostgreSQL major version. Cloud SQL applies minor upgrades in its maintenance window."""
    return _table().postgresql


@cache
def _table() -> _Table:
    with open(_TABLE, encoding="utf-8") as file:
        table = json.load(file)
    kubernetes = table["kubernetes"]
    return _Table(
        str(kubernetes["default"]), tuple(map(str, kubernetes["versions"])), str(table["postgresql"]["version"])
    )
