"""Versions of software that Azure manages, each with its source and date: Kubernetes and PostgreSQL."""

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
    """Return the minor versions of Kubernetes that a cluster may have, newest first."""
    return _table().kubernetes


def version_of(target: TargetSpec) -> str:
    """Return the minor version of a target's cluster."""
    return target.version or _table().default


def postgresql_version() -> str:
    """Return the PostgreSQL major version; a server applies minor upgrades in its maintenance window."""
    return _table().postgresql


@cache
def _table() -> _Table:
    with open(_TABLE, encoding="utf-8") as file:
        table = json.load(file)
    kubernetes = table["kubernetes"]
    return _Table(
        str(kubernetes["default"]), tuple(map(str, kubernetes["versions"])), str(table["postgresql"]["version"])
    )
