"""`start` reads pending requests from other targets, and starts the runs its description permits.

Each request is handled once. The Job is named after the request, so if two starters read a request at the same time,
one of them finds the name taken. The Job is kept as long as the request is valid. The outcome is written to a folder
that the monitor can't write to, and the request is deleted.
"""

from __future__ import annotations

import hashlib
import json
import logging
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

from modelyard_runtime.jobs.checks import check_starter
from modelyard_runtime.jobs.cluster_api import ClusterApi
from modelyard_runtime.jobs.job_start import start_run
from modelyard_runtime.jobs.run_requests import KIND, LONGEST_REASON, MOST_REASONS
from modelyard_runtime.jobs.siblings import exists, job_named
from modelyard_runtime.jobs.starting import Start
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.filesystem import Place, first_files, place, read_whole, reading, remove, write_whole
from modelyard_runtime.storage.protocols.driver import Entry
from modelyard_runtime.workload.description import API_VERSION, Json, Section, section
from modelyard_runtime.workload.mounted import mounted_workload
from modelyard_runtime.workload.records import Request, StarterWorkload

VALID = timedelta(days=1)
"""The period for which a request is valid. If the breach persists, the monitor's next run sends another request."""

_REMEMBERED = timedelta(days=30)
"""The period for which outcomes are kept. It must exceed the period for which a request is valid."""

_REQUEST_LABEL = "modelyard.dev/request"
_REQUEST_ANNOTATION = "modelyard.dev/requested"
_NAME = re.compile(r"[0-9a-f]{32}\.json")
_LARGEST = 16 * 2**10
_MOST = 100
"""The maximum number of requests to answer per monitor and run."""

_MOST_LISTED = 10_000
"""The maximum number of file names to read from a folder per run, because a monitor may write any number."""

_LONGEST_SHOWN = 80
_log = logging.getLogger(__name__)


def run(now: datetime | None = None) -> int:
    """Handle all requests. Returns 0 if all were handled, or 1 if some are left for the next run."""
    workload = check_starter(mounted_workload())
    return answer_requests(ClusterApi.of_this_pod(), workload, now or datetime.now(UTC))


def answer_requests(api: ClusterApi, workload: StarterWorkload, now: datetime) -> int:
    """Handle all requests using the given API client. A failing request doesn't block the others.

    Monitors are processed in random order so that one with too many requests doesn't block the same monitors in every
    run.
    """
    unanswered = 0
    monitors = workload.requests
    for allowed in random.sample(monitors, len(monitors)):
        try:
            unanswered += _answer_monitor(MonitorRequests(api, workload, allowed, now))
        except Exception as problem:  # noqa: BLE001 - each kind of store raises its own exceptions
            unanswered += 1
            _log.error("requests of monitor %s cannot be read: %s", allowed.monitor, problem)
    return min(unanswered, 1)


@dataclass(frozen=True, slots=True)
class MonitorRequests:
    """The requests of one monitor. `allowed` is its entry in the description, listing what it may start."""

    api: ClusterApi
    workload: StarterWorkload
    allowed: Request
    now: datetime

    def folder(self, uri: str) -> Place:
        """Return the monitor's folder for requests or for responses."""
        return place(self.workload, uri, self.allowed.store)

    def files(self, uri: str, after: str = "") -> list[Entry]:
        """Return the files in the monitor's folder, up to the limit."""
        return first_files(self.folder(uri), _MOST_LISTED, after)


def _answer_monitor(requests: MonitorRequests) -> int:
    """Handle a monitor's requests, oldest first, and return how many are left."""
    unanswered, answered = 0, 0
    for entry in _in_order(requests.files(requests.allowed.asked)):
        try:
            answered += _answer(requests, entry)
        except Exception as problem:  # noqa: BLE001 - no request, whatever its content, may block the others
            unanswered += 1
            _log.error("request %s is left for the next poll: %s", _formatted(entry.name), problem)
    if answered:
        _forget(requests)
    return unanswered


def _in_order(entries: list[Entry]) -> list[Entry]:
    """Sort requests from oldest to newest. Files that aren't requests come last so that they don't delay any."""
    return sorted(entries, key=lambda entry: (not _NAME.fullmatch(entry.name), entry.modified, entry.name))[:_MOST]


def _answer(requests: MonitorRequests, entry: Entry) -> bool:
    """Handle a request unless that has already been done, and return whether a response was written."""
    where = requests.folder(requests.allowed.asked).below(entry.name)
    if not _NAME.fullmatch(entry.name):
        _log.error("ignoring %s: its name is not that of a request", _formatted(entry.name))
        remove(where)
        return False
    answer = requests.folder(requests.allowed.answered).below(entry.name)
    try:
        outcome = None if _is_there(answer) else _outcome(requests, entry, where)
    except FileNotFoundError:  # another starter has already answered it
        return False
    if outcome is not None:
        _log.log(logging.INFO if outcome["started"] else logging.WARNING, "request %s: %s", *_log_arguments(outcome))
        write_whole(answer, json.dumps(outcome, ensure_ascii=False).encode())
    remove(where)
    return outcome is not None


def _log_arguments(outcome: dict[str, Json]) -> tuple[str, str]:
    return str(outcome["id"]), str(outcome["why"])


def _outcome(requests: MonitorRequests, entry: Entry, where: Place) -> dict[str, Json]:
    """Determine the outcome of a request and the Job that it started."""
    request_id = PurePosixPath(entry.name).stem
    job = job_named(requests.allowed.cron_job, _ending(requests, request_id))
    if requests.now - entry.modified > VALID:
        explanation = (
            f"nothing is started: the request has been waiting since {entry.modified.isoformat(timespec='seconds')}"
        )
    else:
        try:
            explanation = _start(requests, request_id, job, _read(requests, entry, where))
        except Refusal as refusal:
            explanation = f"nothing is started: {refusal}"
    started = exists(requests.api, job)  # also true if another starter was faster and its run looks earlier
    if started:
        explanation = f"pipeline {requests.allowed.pipeline} is started"
    return {
        "id": request_id,
        "answeredAt": requests.now.isoformat(timespec="seconds"),
        "started": started,
        "why": explanation,
        **({"job": job} if started else {}),
    }


def _start(requests: MonitorRequests, request_id: str, job: str, request: Section) -> str:
    if exists(requests.api, job):
        return f"pipeline {requests.allowed.pipeline} is started"
    cooldown = timedelta(seconds=requests.allowed.cooldown_seconds)
    start = Start(
        monitor=requests.allowed.started_by,
        ending=_ending(requests, request_id),
        now=requests.now,
        cooldown=cooldown,
        kept_s=int(max(cooldown, VALID).total_seconds()),
        labels={_REQUEST_LABEL: request_id},
        annotations={_REQUEST_ANNOTATION: _lineage(requests, request_id, request)},
    )
    return start_run(requests.api, requests.allowed, start)


def _lineage(requests: MonitorRequests, request_id: str, request: Section) -> str:
    """Describe what triggered a run.

    Only the requester comes from our own description, everything else from the request.
    """
    window = section(request, "window")
    lineage = {
        "id": request_id,
        "monitor": requests.allowed.monitor,
        "target": requests.allowed.target,
        "at": _cut(request.get("at"), _LONGEST_SHOWN),
        "window": {end: _cut(window.get(end), _LONGEST_SHOWN) for end in ("from", "to")},
        "reason": [_cut(reason, LONGEST_REASON) for reason in _listed(request.get("reason"))[:MOST_REASONS]],
    }
    return json.dumps(lineage)


def _cut(value: Json, max_length: int) -> str:
    """Truncate an untrusted string. Return an empty string for any other type."""
    return value[:max_length] if isinstance(value, str) else ""


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _ending(requests: MonitorRequests, request_id: str) -> str:
    return hashlib.sha256(f"{requests.allowed.started_by}/{request_id}".encode()).hexdigest()[:10]


def _read(requests: MonitorRequests, entry: Entry, where: Place) -> Section:
    """Read a request. Refuse it unless it matches what the monitor may request."""
    content = read_whole(where, _LARGEST + 1)
    if len(content) > _LARGEST:
        raise Refusal(f"the request is larger than {_LARGEST} bytes")
    try:
        request: Json = json.loads(content)
    except (ValueError, RecursionError):
        raise Refusal("the request is not JSON") from None
    if not isinstance(request, dict):
        raise Refusal("the request is not a JSON object")
    for field, expected in _expected(requests, entry):
        if request.get(field) != expected:
            raise Refusal(f"{field} of the request is {_formatted(request.get(field))}, but must be {expected}")
    return request


def _expected(requests: MonitorRequests, entry: Entry) -> Iterator[tuple[str, str]]:
    yield "apiVersion", API_VERSION
    yield "kind", KIND
    yield "id", PurePosixPath(entry.name).stem
    yield "system", requests.workload.system
    yield "environment", requests.workload.environment
    yield "target", requests.allowed.target
    yield "monitor", requests.allowed.monitor
    yield "pipeline", requests.allowed.pipeline


def _is_there(where: Place) -> bool:
    try:
        with reading(where):
            return True
    except FileNotFoundError:
        return False


def _forget(requests: MonitorRequests) -> None:
    """Remove old responses, beginning at a random name if there are more than a single run can read."""
    answers = requests.files(requests.allowed.answered)
    if len(answers) >= _MOST_LISTED:
        answers = requests.files(requests.allowed.answered, after=f"{random.randrange(16**8):08x}")
    old = [answer for answer in answers if requests.now - answer.modified > _REMEMBERED]
    for answer in old[:_MOST]:
        remove(requests.folder(requests.allowed.answered).below(answer.name))


def _formatted(value: Json) -> str:
    """Format a value for a single log line, escaping and truncating it."""
    text = ascii(value) if isinstance(value, str) else "not a string"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
