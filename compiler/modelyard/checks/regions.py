"""Look up a cloud region's country and a jurisdiction's countries in regions.json."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from math import acos, cos, radians, sin

from modelyard.records import record

_FILE = os.path.join(os.path.dirname(__file__), "regions.json")
_PLACES = os.path.join(os.path.dirname(__file__), "region_places.json")


@record
class Regions:
    """The country of each provider's regions, and the members of jurisdictions such as `eu`.

    `storage` maps each provider to a pattern for its object storage hosts, all of which serve the same buckets.
    `restricted` lists regions that are enabled only on request or require a separate account.
    """

    countries: Mapping[str, Mapping[str, str]]
    members: Mapping[str, tuple[str, ...]]
    storage: Mapping[str, str]
    restricted: frozenset[str] = frozenset()

    def country_of(self, region: str) -> str:
        """Return the country of a region in any cloud, or "" if no cloud has such a region."""
        return next((countries[region] for countries in self.countries.values() if region in countries), "")

    def is_cloud_storage(self, host: str) -> bool:
        """Return whether a host name belongs to a cloud's object storage."""
        return any(re.fullmatch(pattern, host) for pattern in self.storage.values())

    def within(self, place: str, allowed: tuple[str, ...]) -> bool:
        """Return whether a country or jurisdiction is allowed, either by name or as a member of a jurisdiction."""
        return any(place == code or place in self.members.get(code, ()) for code in allowed)

    def near(self, provider: str, country: str, allowed: tuple[str, ...], region: str = "") -> tuple[str, ...]:
        """Return a provider's regions in a country, followed by those in the `allowed` countries and jurisdictions.

        If `allowed` is empty, the jurisdictions containing the country are used; otherwise, regions outside `allowed`
        are excluded. Restricted regions are always excluded. Within each group, regions are sorted by distance from
        `region` if its location is known.
        """
        around = allowed or tuple(code for code, members in self.members.items() if country in members)
        places = {name: code for name, code in self.countries.get(provider, {}).items() if name not in self.restricted}
        same = (
            name for name, code in places.items() if code == country and (not allowed or self.within(code, allowed))
        )
        nearby = (name for name, code in places.items() if code != country and self.within(code, around))
        return (*sorted(same, key=_nearest_first(region)), *sorted(nearby, key=_nearest_first(region)))


def _nearest_first(region: str) -> Callable[[str], tuple[float, tuple[str, int]]]:
    """Return a sort key for regions: the distance from `region`, then the name."""
    here = _places().get(region)
    return lambda name: (_distance(here, _places()[name]) if here else 0.0, _numbered(name))


def _distance(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Return the angle between two points on the globe, given by latitude and longitude in degrees."""
    north, other_north, east = (radians(angle) for angle in (first[0], second[0], second[1] - first[1]))
    cosine = sin(north) * sin(other_north) + cos(north) * cos(other_north) * cos(east)
    return round(acos(max(-1.0, min(1.0, cosine))), 2)


@cache
def _places() -> Mapping[str, tuple[float, float]]:
    with open(_PLACES, encoding="utf-8") as file:
        return {name: (north, east) for name, (north, east) in json.load(file)["places"].items()}


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
