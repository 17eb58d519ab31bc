"""Look up a cloud region's country and a jurisdiction's countries in regions.json."""

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
    """The country of each provider's regions, and the members of jurisdictions such as `eu`.

    `storage` maps each provider to a pattern for its object storage hosts, all of which serve the same buckets.
    `restricted` holds the regions that a provider enables only when asked or that require a separate account.
    """

    countries: Mapping[str, Mapping[str, str]]
    members: Mapping[str, tuple[str, ...]]
    storage: Mapping[str, str]
    restricted: frozenset[str] = frozenset()

    def country_of(self, region: str) -> str:
        """Return the country of a region in any cloud, or "" if no cloud has a region with the given name."""
        return next((countries[region] for countries in self.countries.values() if region in countries), "")

    def is_cloud_storage(self, host: str) -> bool:
        """Return whether a host name belongs to a cloud's object storage."""
        return any(re.fullmatch(pattern, host) for pattern in self.storage.values())

    def within(self, place: str, allowed: tuple[str, ...]) -> bool:
        """Return whether a country or jurisdiction is allowed, directly or as part of an allowed jurisdiction."""
        return any(place == code or place in self.members.get(code, ()) for code in allowed)

    def near(self, provider: str, country: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        """Return a provider's regions in a country, followed by those in allowed places or else in its jurisdictions.

        Restricted regions are excluded and, if `allowed` names any places, so are all regions outside them.
        """
        around = allowed or tuple(code for code, members in self.members.items() if country in members)
        places = {
            region: code for region, code in self.countries.get(provider, {}).items() if region not in self.restricted
        }
        same = (
            region for region, code in places.items() if code == country and (not allowed or self.within(code, allowed))
        )
        nearby = (region for region, code in places.items() if code != country and self.within(code, around))
        return (*sorted(same, key=_numbered), *sorted(nearby, key=_numbered))


def _numbered(region: str) -> tuple[str, int]:
    """Return a sort key that puts europe-west3 before europe-west10."""
    name = region.rstrip("0123456789")
    return name, int(region[len(name) :] or 0)


@lru_cache(maxsize=1)
def regions() -> Regions:
    """Return the table of regions that ships with modelyard."""
    with open(_FILE, encoding="utf-8") as file:
        data = json.load(file)
    jurisdictions = {code: tuple(members) for code, members in data["jurisdictions"].items()}
    return Regions(data["regions"], jurisdictions, data["storage"], frozenset(data["restricted"]))
