"""Time zone names, from a list shipped with modelyard so that a spec means the same on every machine."""

from __future__ import annotations

import os
from functools import lru_cache

_FILE = os.path.join(os.path.dirname(__file__), "time_zones.txt")


@lru_cache(maxsize=1)
def time_zones() -> dict[str, None]:
    """Return all names in the IANA database, including links such as `UTC`. The file states its release and date."""
    with open(_FILE, encoding="utf-8") as file:
        lines = file.read().splitlines()
    return dict.fromkeys(line for line in lines if line and not line.startswith("#"))
