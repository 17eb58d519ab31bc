"""The access log of an endpoint: one line of JSON on standard output for each request, without payloads and tokens."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

LONGEST_ID = 128  # of a request's id, which its caller chooses


@dataclass(slots=True)
class Access:
    """One request, as it becomes known while it is answered."""

    request_id: str
    caller: str | None = None
    rows: int | None = None
    version: str = ""
    begun: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """How long it took until now."""
        return time.perf_counter() - self.begun


@dataclass(frozen=True, slots=True)
class AccessLog:
    """The log of one variant of an endpoint."""

    endpoint: str
    variant: str

    def write(self, access: Access, status: int) -> None:
        """Add the line of a request that has been answered, at once and as a whole."""
        line = {
            "log": "access",
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "endpoint": self.endpoint,
            "variant": self.variant,
            "caller": access.caller,
            "request": access.request_id,
            "status": status,
            "milliseconds": round(access.seconds * 1000, 1),
            "rows": access.rows,
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
