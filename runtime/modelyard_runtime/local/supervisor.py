"""`local` runs a compiled system on this machine, either until Ctrl-C or just once."""

from __future__ import annotations

import errno
import os
import signal
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from modelyard_runtime.jobs.local_runs import RUNS, LocalRuns
from modelyard_runtime.local.base import Base
from modelyard_runtime.local.clock import Starts
from modelyard_runtime.local.page.server import Page
from modelyard_runtime.local.plan import LocalPlan, Schedule, read_plan
from modelyard_runtime.local.printer import Printer
from modelyard_runtime.local.state import State
from modelyard_runtime.local.work import Work
from modelyard_runtime.refusals import Refusal

_LOOK_S = 1.0
_PROMOTE_S = 20.0
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
INTERRUPTED = 130


class Stopped(BaseException):
    """The process was interrupted with Ctrl-C or terminated."""


@dataclass(slots=True)
class Options:
    """The command-line options."""

    folder: Path
    state: Path
    code: Path
    addresses: tuple[str, ...]
    once: bool
    now: bool
    sample: bool
    drift: bool
    ask: bool


def run(
    folder: str,
    addresses: list[str],
    state: str | None,
    code: str | None,
    once: bool,
    now: bool,
    sample: bool,
    drift: bool,
    ask: bool,
) -> int:
    """Run the system. Returns 0 on success, 1 if anything failed, or 130 after Ctrl-C with --once."""
    compiled = Path(folder).resolve()
    plan = read_plan(compiled)
    where = Path(state) if state else Path(".modelyard") / plan.environment
    chosen = Options(
        folder=compiled,
        state=where,
        code=Path(code or ".").resolve(),
        addresses=_known(addresses, plan),
        once=once,
        now=now or once,
        sample=sample or drift,
        drift=drift,
        ask=ask,
    )
    _on_signals(_stop)
    try:
        return _run(plan, chosen)
    except Stopped:  # before anything has been started
        return INTERRUPTED if once else 0
    except OSError as problem:
        if problem.errno not in _FULL:
            raise
        raise Refusal(f"the disk of {where} is full; free some space, and the next run continues from here") from None


def _on_signals(handler: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    _on_signals(signal.SIG_IGN)  # an orderly shutdown takes a few seconds, and must not be interrupted
    raise Stopped


def _known(addresses: list[str], plan: LocalPlan) -> tuple[str, ...]:
    for address in addresses:
        if address not in plan.addresses:
            raise Refusal(f"nothing here is called {address!r}; available: {', '.join(plan.addresses)}")
    return tuple(addresses)


def _run(plan: LocalPlan, options: Options) -> int:
    state, say, began = State.at(options.state), Printer(), time.monotonic()
    with state.lock():
        base = Base(plan, options.folder, state, options.code, say)
        page = Page.start(plan, options.folder, state)
        ended = False
        try:
            runs = LocalRuns(state.below("runs", "x").parent)
            runs.interrupt()
            runs.declare({name: pipeline.schedule.overlap for name, pipeline in plan.pipelines.items()})
            os.environ[RUNS] = str(runs.folder)
            state.withdraw()
            state.announce(page=page.url)
            _introduce(plan, state, say)
            say("page", f"{page.url} shows the system as it runs")
            base.start()
            work = Work(base, runs, options.addresses, options.sample, options.drift, options.ask, began)
            work.begin(everything=options.now)
            if not options.once:
                work.summarize()
                _Loop(plan, work).run()
            ended = True
            return work.report()
        except Stopped:
            say("", "stopping")
            return INTERRUPTED if options.once else 0
        finally:
            _on_signals(signal.SIG_IGN)
            base.end()
            page.end()
            if not ended:
                state.record("", "stopped", "the run was ended")
            say("", "everything has stopped" if ended else "everything has stopped; the next run continues from here")


def _introduce(plan: LocalPlan, state: State, say: Printer) -> None:
    say("", f"{plan.system} ({plan.environment}) on this machine; everything is kept in {state.folder}")
    for note in plan.notes:
        say(note.field, note.text)
    state.record("", "began", f"process {os.getpid()}")


@dataclass(slots=True)
class _Loop:
    """Starts runs that are due or were requested after a breach, and promotes waiting versions."""

    plan: LocalPlan
    work: Work

    def run(self) -> None:
        """Run until the process receives a stop signal."""
        starts = Starts(datetime.now(UTC))
        self.work.say("", "press Ctrl-C to stop it")
        self.work.looping = True
        promoted = time.monotonic()
        while True:
            now = datetime.now(UTC)
            for address, schedule in self._schedules():
                if schedule.times is not None and starts.due(address, schedule.times, now):
                    self.work.run_address(address)
                    self._leave_out(starts, address, schedule)
            self.work.run_requested()
            if time.monotonic() - promoted > _PROMOTE_S:
                self.work.promote(quietly=True)
                promoted = time.monotonic()
            self.work.base.check()
            time.sleep(_LOOK_S)

    def _leave_out(self, starts: Starts, address: str, schedule: Schedule) -> None:
        """Skip a start that came due during the previous run if runs must not overlap, like a CronJob does."""
        if schedule.overlap != "forbid" or schedule.times is None:
            return
        if starts.due(address, schedule.times, datetime.now(UTC)):
            self.work.base.state.record(
                address, "skipped", "the previous run was still in progress, and runs must not overlap"
            )

    def _schedules(self) -> list[tuple[str, Schedule]]:
        pipelines = [(f"pipelines.{name}", entry.schedule) for name, entry in self.plan.pipelines.items()]
        monitors = [(f"monitors.{name}", entry.schedule) for name, entry in self.plan.monitors.items()]
        return [entry for entry in (*pipelines, *monitors) if self.work.is_requested(entry[0])]
