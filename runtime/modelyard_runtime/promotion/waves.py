"""Rolls out a delivered version to a target's sites in waves.

Each wave has its own pointer next to `current.json`. Canary sites get a version immediately. The next wave follows once
the previous one has had it for the whole soak, at least one site reports serving it, and no alert is firing at a site
that serves it. If a version is rolled back, it is replaced in all waves at once.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from typing import Final, cast
from urllib.parse import urlencode
from urllib.request import urlopen

from modelyard_runtime.bundles.bundle import Pointer
from modelyard_runtime.bundles.store import current
from modelyard_runtime.storage.filesystem import Place, read_whole, write_whole
from modelyard_runtime.workload.records import Waves, Workload

_OTLP: Final = "/api/v1/otlp/"
_TIMEOUT_S: Final = 20
_LARGEST: Final = 2**16
_VERSIONS: Final = "ray_modelyard_bundle_version"
_log = logging.getLogger(__name__)


def advance(workload: Workload, where: Place, waves: Waves, now: datetime) -> str:
    """Release the delivered version to the next wave if nothing prevents it, and describe the outcome in a sentence."""
    goal = current(where)
    if goal is None:
        return f"no site of {waves.target} gets a version, because none was delivered"
    delivered = [current(where, pointer) for pointer in waves.pointers]
    behind = next((at for at, pointer in enumerate(delivered) if pointer != goal), None)
    if behind is None:
        return f"all sites of {waves.target} have version {goal.version}"
    first = delivered[0]
    if first is not None and _is_older(goal, first):
        for at in range(len(waves.pointers)):
            _write_pointer(where, waves.pointers[at], goal, now)
        return f"all sites of {waves.target} get version {goal.version} back"
    if behind > 0:
        reason = _against(workload, where, waves, goal, behind, now)
        if reason:
            return f"{behind} of {len(delivered)} waves of {waves.target} have version {goal.version}; {reason}"
    _write_pointer(where, waves.pointers[behind], goal, now)
    _log.info("wave %s of %s gets version %s", behind + 1, waves.target, goal.version)
    return f"wave {behind + 1} of {len(delivered)} of {waves.target} gets version {goal.version}"


def _is_older(goal: Pointer, pointer: Pointer) -> bool:
    return goal.version.isdecimal() and pointer.version.isdecimal() and int(goal.version) < int(pointer.version)


def _write_pointer(where: Place, name: str, pointer: Pointer, now: datetime) -> None:
    """Write a pointer, with the time at which its soak begins."""
    content = {**cast("dict[str, str]", json.loads(pointer.text())), "since": now.isoformat()}
    write_whole(where.below(name), (json.dumps(content, indent=2, sort_keys=True) + "\n").encode())


def _since(where: Place, name: str) -> datetime:
    content: dict[str, str] = json.loads(read_whole(where.below(name), _LARGEST))
    return datetime.fromisoformat(content["since"])


def _against(workload: Workload, where: Place, waves: Waves, goal: Pointer, behind: int, now: datetime) -> str:
    """Return what prevents the next wave from getting a version, or "" if nothing does."""
    rest = timedelta(seconds=waves.soak_seconds) - (now - _since(where, waves.pointers[behind - 1]))
    if rest > timedelta():
        return f"the next waits for {int(rest.total_seconds())} more seconds"
    if not goal.version.isdecimal():
        return f"the next waits, because {goal.version[:40]!r} is not a version number"
    sites = f'modelyard_system="{workload.system}",modelyard_target="{waves.target}"'
    serving = f"({_VERSIONS}{{{sites}}} == {goal.version})"
    try:
        if not _count(workload, f"count({serving})"):
            return "the next waits until a site reports that it serves it"
        firing = _count(workload, f'count(ALERTS{{alertstate="firing",{sites}}} and on(modelyard_site) {serving})')
    except (OSError, ValueError, KeyError, TypeError, IndexError) as problem:
        return f"the next waits, because the alerts of the sites cannot be read: {problem}"
    return f"the next waits while {firing} alert(s) fire at sites that serve it" if firing else ""


def _count(workload: Workload, query: str) -> int:
    """Return the result of a counting query, or 0 if it is empty because there was nothing to count."""
    if workload.metrics is None:
        raise ValueError("the description names no Prometheus")
    base = workload.metrics.otlp.partition(_OTLP)[0]
    with urlopen(f"{base}/api/v1/query?{urlencode({'query': query})}", timeout=_TIMEOUT_S) as answer:
        content = json.loads(answer.read(_LARGEST))
    if content["status"] != "success":
        raise ValueError(str(content.get("error", "the query failed"))[:200])
    result = content["data"]["result"]
    return int(float(result[0]["value"][1])) if result else 0
