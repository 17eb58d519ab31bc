"""In which country a cloud region stands, and which countries make up a jurisdiction. The facts lie in regions.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from modelyard.records import record

_FILE = Path(__file__).with_name("regions.json")


@record
class Regions:
    """Countries by provider and region, and the members of jurisdictions such as `eu`."""

    countries: Mapping[str, Mapping[str, str]]
    members: Mapping[str, tuple[str, ...]]

    def within(self, place: str, allowed: tuple[str, ...]) -> bool:
        """Whether a country or jurisdiction is one of the allowed, or a member of one."""
        return any(place == code or place in self.members.get(code, ()) for code in allowed)


@lru_cache(maxsize=1)
def regions() -> Regions:
    """The shipped table."""
    data = json.loads(_FILE.read_text(encoding="utf-8"))
    return Regions(data["regions"], {code: tuple(members) for code, members in data["jurisdictions"].items()})
