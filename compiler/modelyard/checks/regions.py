"""The country of each cloud region, and the countries of each jurisdiction; the data is in regions.json."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from functools import lru_cache

from modelyard.records import record

_FILE = os.path.join(os.path.dirname(__file__), "regions.json")


@record
class Regions:
    """Countries by provider and region, and the members of jurisdictions such as `eu`.

    `storage` maps each provider to a pattern of its object storage hosts, all of which serve the same buckets.
    """

    countries: Mapping[str, Mapping[str, str]]
    members: Mapping[str, tuple[str, ...]]
    storage: Mapping[str, str]

    def country_of(self, region: str) -> str:
        """The country of a region in whichever cloud has it; empty if none has."""
        return next((countries[region] for countries in self.countries.values() if region in countries), "")

    def is_cloud_storage(self, host: str) -> bool:
        """Whether a host is a cloud's object storage."""
        return any(re.fullmatch(pattern, host) for pattern in self.storage.values())

    def within(self, place: str, allowed: tuple[str, ...]) -> bool:
        """Whether a country or jurisdiction is one of the allowed ones, or a member of one."""
        return any(place == code or place in self.members.get(code, ()) for code in allowed)


@lru_cache(maxsize=1)
def regions() -> Regions:
    """The table that modelyard ships."""
    with open(_FILE, encoding="utf-8") as file:
        data = json.load(file)
    jurisdictions = {code: tuple(members) for code, members in data["jurisdictions"].items()}
    return Regions(data["regions"], jurisdictions, data["storage"])
