"""Render values on one line, as they appear in a spec."""

from __future__ import annotations

import json
import re
from typing import Final

from modelyard.load.scalars import plain_value
from modelyard.patterns import pattern
from modelyard.source import Json

_PLAIN: Final = pattern(r"[A-Za-z0-9_/][A-Za-z0-9_./@%-]*( [A-Za-z0-9_./@%-]+)*\Z", re.ASCII)


def yaml_word(value: Json) -> str:
    """Return a scalar as it would be written in a spec."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def flow(value: Json) -> str:
    """Render a value on one line, as in `{metric: auc_pr, goal: maximize}`."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {flow(child)}' for name, child in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, str):
        return value if _PLAIN.match(value) and isinstance(plain_value(value), str) else json.dumps(value)
    return yaml_word(value)
