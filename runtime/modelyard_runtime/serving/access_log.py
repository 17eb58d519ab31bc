"""An endpoint's access log, with one JSON line per request on standard output, without payloads or tokens."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from modelyard_runtime.serving.selection import Origin
from modelyard_runtime.workload.records import Application

LONGEST_ID = 128  # maximum length of a request ID, which the client chooses


@dataclass(slots=True)
class Access:
    """One request. Its fields are filled in while it is processed."""

    request_id: str
    caller: str | None = None
    rows: int | None = None
    origin: Origin | None = None
    begun: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Return the number of seconds since the request began."""
        return time.perf_counter() - self.begun


@dataclass(frozen=True, slots=True)
class AccessLog:
    """The access log of a variant's server. A line names the variant whose version was served."""

    endpoint: str
    variant: str

    def write(self, access: Access, status: int) -> None:
        """Immediately write the log line of a finished request."""
        line = {
            "log": "access",
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "endpoint": self.endpoint,
            "variant": self.variant if access.origin is None else access.origin.variant,
            "caller": access.caller,
            "request": access.request_id,
            "status": status,
            "milliseconds": round(access.seconds * 1000, 1),
            "rows": access.rows,
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def access_log_of(application: Application) -> AccessLog | None:
    """Return the access log if the description requests one."""
    log = application.access_log
    return AccessLog(log.endpoint, application.variant) if log is not None else None
