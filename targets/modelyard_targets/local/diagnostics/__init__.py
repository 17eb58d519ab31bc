"""Diagnostics of the target `local`, with the code prefix LOCAL-E."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modelyard.when_used import load_when_used

load_when_used(__name__)

FORMER: Final[Mapping[str, str]] = {}
"""Maps former codes to current codes. There are no former codes yet."""
