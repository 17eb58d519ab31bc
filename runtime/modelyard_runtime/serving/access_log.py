"""The access log of an endpoint: one line of JSON on standard output per request, without payloads or tokens."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

LONGEST_ID = 128  # of a request's id, which its caller chooses


@dataclass(slots=True)
class Access:
    """One request; its fields are filled while it is answered."""

    request_id: str
    caller: str | None = None
    rows: int | None = None
    version: str = ""
    begun: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """The time since it began."""
        return time.perf_counter() - self.begun


@dataclass(frozen=True, slots=True)
class AccessLog:
    """The log of one variant of an endpoint."""

    endpoint: str
    variant: str

    def write(self, access: Access, status: int) -> None:
        """Write the line of an answered request at once, in one piece."""
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
