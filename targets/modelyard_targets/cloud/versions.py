"""Versions of cloud-managed software, i.e. Kubernetes and PostgreSQL. The tables list sources and dates."""

from __future__ import annotations

import json
import os
from functools import cache

from modelyard.records import record
from modelyard.spec import TargetSpec


@record
class Versions:
    """The versions in a cloud's table. `kubernetes` lists the minor versions on offer, newest first."""

    default: str
    kubernetes: tuple[str, ...]
    postgresql: str

    def of(self, target: TargetSpec) -> str:
        """Return the Kubernetes minor version of a target's cluster."""
        return target.version or self.default


@cache
def versions_in(folder: str) -> Versions:
    """Return the version table in a cloud's folder, which is read only once."""
    with open(os.path.join(folder, "versions.json"), encoding="utf-8") as file:
        table = json.load(file)
    kubernetes = table["kubernetes"]
    return Versions(
        str(kubernetes["default"]), tuple(map(str, kubernetes["versions"])), str(table["postgresql"]["version"])
    )
