"""Records decisions and measurements in the event log by parsing the log lines printed by runs."""

from __future__ import annotations

import ast
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from modelyard_runtime.local.state import State

DECIDED, MEASURED = "decided", "measured"

GATE, PROMOTION, BREACH, ROLLBACK, START = "gate", "promotion", "breach", "rollback", "start"
_KINDS = (
    (GATE, re.compile(r"gate: |version \S+ of \S+ (is kept|passes the gate)")),
    (ROLLBACK, re.compile(r"is version \S+ again|'\S+' of \S+ is kept: ")),
    (
        PROMOTION,
        re.compile(r"'\S+' of \S+ is (now |the newer )?version |waits for \d+ more approval|stays where it is"),
    ),
    (BREACH, re.compile(r"check \S+ of \S+ failed: |moved the mean prediction by |add \S+ to the mean error")),
    (START, re.compile(r"pipeline \S+ is (not )?started")),
)
_VALUE = re.compile(r"^modelyard_monitor_value (\{.*\}) (\S+)$")
_SHOWN_VALUES = 3


def kind_of(message: str) -> str:
    """Return the type of decision reported by a message, or an empty string."""
    return next((kind for kind, pattern in _KINDS if pattern.search(message)), "")


def value_of(message: str) -> tuple[str, float] | None:
    """Return the name (e.g. `psi of age`) and value of a measurement logged by a monitor."""
    match = _VALUE.match(message)
    if match is None:
        return None
    try:
        labels, value = ast.literal_eval(match[1]), float(match[2])
    except (ValueError, SyntaxError):
        return None
    variant = f" in {labels['variant']}" if labels.get("variant") else ""
    return f"{labels.get('check', '')} of {labels.get('feature') or 'the window'}{variant}", value


@dataclass(slots=True)
class Notes:
    """Writes events, skipping decisions that repeat a workload's last one, which promoters do often."""

    state: State
    _last: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def decision(self, address: str, message: str) -> bool:
        """Record a message if it reports a decision. Return whether it was recorded."""
        kind = kind_of(message)
        if not kind:
            return False
        with self._lock:
            repeated = self._last.get((address, kind)) == message and kind == PROMOTION
            self._last[address, kind] = message
        if not repeated:
            self.state.record(address, DECIDED, message)
        return not repeated

    def measured(self, address: str, values: Mapping[str, float]) -> None:
        """Record the values that a monitor measured in one run."""
        if not values:
            return
        texts = [f"{name} is {value:g}" for name, value in list(values.items())[:_SHOWN_VALUES]]
        more = [f"{len(values) - _SHOWN_VALUES} more"] if len(values) > _SHOWN_VALUES else []
        self.state.record(address, MEASURED, "; ".join([*texts, *more]), values)
