"""Hours per month for price calculations."""

from __future__ import annotations

from typing import Final

HOURS_OF_A_MONTH: Final = 730
