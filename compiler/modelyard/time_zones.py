"""The names of time zones, from a list that is shipped: a spec means the same on every machine."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

_FILE = Path(__file__).with_name("time_zones.txt")


@lru_cache(maxsize=1)
def time_zones() -> dict[str, None]:
    """All names of the IANA database in order, links such as `UTC` included; release and date stand in the file."""
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    return dict.fromkeys(line for line in lines if line and not line.startswith("#"))
