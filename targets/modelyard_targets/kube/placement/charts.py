"""Helm charts for add-ons: versions, repositories and images."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Final

from modelyard.records import record

_TABLE: Final = os.path.join(os.path.dirname(__file__), "charts.json")


@record
class Chart:
    """A pinned chart and its namespace.

    `oldest` is the first add-on version, if known, that supports all fields in our manifests.
    """

    chart: str
    version: str
    repository: str
    namespace: str
    images: tuple[str, ...]
    oldest: str = ""


@cache
def charts() -> Mapping[str, Chart]:
    """Return the charts by add-on name, as in the spec's `present`."""
    with open(_TABLE, encoding="utf-8") as file:
        entries = json.load(file)["charts"]
    return {
        name: Chart(
            entry["chart"],
            entry["version"],
            entry["repository"],
            entry["namespace"],
            tuple(entry["images"]),
            entry.get("oldest", ""),
        )
        for name, entry in entries.items()
    }
