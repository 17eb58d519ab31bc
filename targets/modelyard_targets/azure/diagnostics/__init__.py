"""The diagnostics of Azure: AZURE-E for errors, AZURE-W for warnings, one number for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modelyard.when_used import load_when_used

load_when_used(__name__)

FORMER: Final[Mapping[str, str]] = {}
"""No diagnostic of Azure had another code before."""
