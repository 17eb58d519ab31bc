"""Schedules pipeline steps with retries and timeouts. Each step starts once its dependencies have succeeded."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.records import Step

_WAIT_S = 1.0
_log = logging.getLogger(__name__)

Submit = Callable[[str, dict[str, Any]], tuple[Any, Any, Any]]
"""Starts a step by name, with references to the results of its dependencies.

Returns the step's actor and two references: to a small summary that the driver fetches, and to the result, which stays
on the worker. Each step has its own actor, because an actor can be killed safely at any time. Force-cancelling a task
just as it ends crashes the driver (Ray 2.60, task_manager.cc:1329, seen 2026-11-24).
"""


@dataclass(frozen=True, slots=True)
class Done:
    """A step that has succeeded, with its summary and a reference to its result."""

    summary: Any
    result: Any


@dataclass(slots=True)
class _Attempt:
    actor: Any
    reference: Any
    result: Any
    number: int
    ends_at: float


class Driver:
    """Runs the steps of a DAG on Ray, in parallel where dependencies allow it."""

    def __init__(self, steps: Mapping[str, Step], timeout_s: int) -> None:
        self._steps = steps
        self._ends_at = time.monotonic() + timeout_s
        self._running: dict[str, _Attempt] = {}
        self._done: dict[str, Done] = {}

    def run(self, submit: Submit) -> dict[str, Done] | None:
        """Return each step's outcome by name, or None if a step failed permanently and the others were killed."""
        import ray

        while len(self._done) < len(self._steps):
            self._begin(submit)
            references = [attempt.reference for attempt in self._running.values()]
            ray.wait(references, num_returns=1, timeout=_WAIT_S, fetch_local=False)
            for name, attempt in list(self._running.items()):
                if not self._check_attempt(name, attempt, submit):
                    self._end_all()
                    return None
        return self._done

    def _begin(self, submit: Submit) -> None:
        for name, step in self._steps.items():
            waits = name not in self._done and name not in self._running
            if waits and all(need in self._done for need in step.needs):
                self._try(name, 1, submit)

    def _try(self, name: str, number: int, submit: Submit) -> None:
        _log.info("step %s: attempt %d", name, number)
        results = {need: self._done[need].result for need in self._steps[name].needs}
        ends_at = min(time.monotonic() + self._steps[name].timeout_seconds, self._ends_at)
        self._running[name] = _Attempt(*submit(name, results), number, ends_at)

    def _check_attempt(self, name: str, attempt: _Attempt, submit: Submit) -> bool:
        """Return False if the step has failed permanently, or True if it can still succeed."""
        import ray
        from ray.exceptions import RayError

        ready, _ = ray.wait([attempt.reference], timeout=0, fetch_local=False)
        if ready:
            try:
                self._done[name] = Done(ray.get(attempt.reference), attempt.result)
                del self._running[name]
                _log.info("step %s: done", name)
                return True
            except RayError as problem:
                cause = getattr(problem, "cause", None)
                if isinstance(cause, Refusal):
                    self._end_all()
                    raise Refusal(f"step {name!r}: {cause}") from None
                return self._retry(name, attempt, str(problem), submit)
        if time.monotonic() < attempt.ends_at:
            return True
        ray.kill(attempt.actor)
        reason = "the run timed out" if attempt.ends_at == self._ends_at else "it timed out"
        return self._retry(name, attempt, reason, submit)

    def _retry(self, name: str, attempt: _Attempt, reason: str, submit: Submit) -> bool:
        del self._running[name]
        _log.error("step %s: attempt %d failed: %s", name, attempt.number, reason)
        if attempt.number > self._steps[name].retries or time.monotonic() >= self._ends_at:
            return False
        self._try(name, attempt.number + 1, submit)
        return True

    def _end_all(self) -> None:
        import ray

        for attempt in self._running.values():
            ray.kill(attempt.actor)
        self._running.clear()


def order(steps: Mapping[str, Step]) -> list[str]:
    """Sort the steps topologically. Refuse cyclic dependencies."""
    ordered: dict[str, None] = {}
    while len(ordered) < len(steps):
        ready = [name for name, step in steps.items() if name not in ordered and set(step.needs) <= ordered.keys()]
        if not ready:
            raise Refusal(f"steps {', '.join(name for name in steps if name not in ordered)} wait for each other")
        ordered |= dict.fromkeys(ready)
    return list(ordered)
