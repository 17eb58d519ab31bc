"""Runs the workloads of a local system in order: training, promotion, serving, scoring and monitoring."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from modelyard_runtime.jobs.local_runs import FAILED, REPLACED, RUNNING, SUCCEEDED, LocalRuns
from modelyard_runtime.local.asking import Rows, captured, keep, rows_for
from modelyard_runtime.local.base import Base
from modelyard_runtime.local.calling import Endpoint
from modelyard_runtime.local.chatting import chat_command, replies
from modelyard_runtime.local.order import in_order
from modelyard_runtime.local.overlap import Successor
from modelyard_runtime.local.plan import Endpoint as PlannedEndpoint
from modelyard_runtime.local.plan import LocalPlan, Schedule
from modelyard_runtime.local.readiness import await_versions
from modelyard_runtime.local.runs import Outcome, Runs
from modelyard_runtime.local.sample import Sample, has_files, truth_of
from modelyard_runtime.refusals import Refusal

_DEPLOY_S = 300.0
_CAPTURED_S = 4.0
_MONITOR_S = 1800
_SHOWN_ROWS = 3
_SHOWN = 300  # the maximum number of characters of a response


@dataclass(frozen=True, slots=True)
class Step:
    """The result of one workload, with its duration and its last message."""

    address: str
    seconds: float
    text: str


@dataclass(slots=True)
class Work:
    """Runs workloads, and remembers failures."""

    base: Base
    history: LocalRuns
    addresses: tuple[str, ...]
    sample: bool
    drift: bool
    ask: bool = False
    began: float = field(default_factory=time.monotonic)
    failures: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    looping: bool = False
    _made: Sample | None = None
    _follow: list[str] = field(default_factory=list)

    @property
    def plan(self) -> LocalPlan:
        """Return the plan."""
        return self.base.plan

    @property
    def runs(self) -> Runs:
        """Return the object that runs workloads, which is only available once the base has been started."""
        assert self.base.runs is not None
        return self.base.runs

    def say(self, address: str, text: str) -> None:
        """Print a line."""
        self.base.say(address, text)

    def is_requested(self, address: str) -> bool:
        """Return whether an address was requested explicitly, or no addresses were given."""
        return not self.addresses or address in self.addresses

    def begin(self, *, everything: bool) -> None:
        """Run the workloads due at startup. If `everything` is set, all schedules count as due."""
        self._write_sample()
        due = sorted(self.due(everything=everything), key=lambda name: not self.challenges(name))
        ordered = in_order(self.plan, due)
        trainings = [name for name in ordered if self.trains(name)]
        if any(map(self._has_base, trainings)):
            self.promote()  # imports the base model that these pipelines need
        for name in ordered[: ordered.index(trainings[-1]) + 1] if trainings else []:
            self.run_pipeline(name)
        if not trainings:
            self.promote()
        self._serve()
        for name in ordered[ordered.index(trainings[-1]) + 1 :] if trainings else ordered:
            self.run_pipeline(name)
        if everything or self.addresses:
            for name in self.plan.monitors:
                if self.is_requested(f"monitors.{name}"):
                    self.run_monitor(name)
        self.run_requested()

    def trains(self, name: str) -> bool:
        """Return whether a pipeline, or one that follows it, trains a model."""
        followers = [other for other, entry in self.plan.pipelines.items() if entry.schedule.after == name]
        return bool(self.plan.pipelines[name].trains) or any(map(self.trains, followers))

    def due(self, *, everything: bool) -> list[str]:
        """Return the pipelines to run at startup, including those that produce data other pipelines are still missing.

        Pipelines triggered by another one in the list are omitted.
        """
        due = {name for name in self.plan.pipelines if self._due_at_start(name, everything)}
        due |= {name for name in self.plan.pipelines if self._lacks_data(due, name)}
        return [name for name in self.plan.pipelines if name in due and not self._follows(name, due)]

    def _follows(self, name: str, due: set[str]) -> bool:
        return self.plan.pipelines[name].schedule.after in due and not self.addresses

    def _lacks_data(self, due: set[str], name: str) -> bool:
        """Return whether the named pipeline writes data that a due pipeline reads and that doesn't exist yet."""
        read = {data for other in due for data in self.plan.pipelines[other].reads}
        missing = (data for data in self.plan.pipelines[name].writes if data in read)
        return not self.addresses and any(not has_files(self.plan.data[data], self.base.state) for data in missing)

    def _due_at_start(self, name: str, everything: bool) -> bool:
        if self.addresses:
            return f"pipelines.{name}" in self.addresses
        kind = self.plan.pipelines[name].schedule.kind
        return (everything and kind in {"cron", "once"}) or self._lacks_version(name)

    def _lacks_version(self, name: str) -> bool:
        """Return whether an endpoint is still waiting for the first version trained by this pipeline."""
        from modelyard_runtime.registry import client as registry
        from modelyard_runtime.workload.records import workload_of

        entry = self.plan.pipelines[name]
        if not entry.trains:
            return False
        content = self.base.placed.contents[entry.description]
        registry.connect(workload_of(content))
        model, alias = content["pipeline"]["model"]["registeredName"], content["pipeline"]["promoteTo"]
        return registry.version_at(model, alias) is None

    def challenges(self, name: str) -> bool:
        """Return whether a pipeline trains challengers, i.e. versions that must beat those at a different alias.

        Such a pipeline runs first, since a challenger trained on the same data as the first champion could never beat
        it.
        """
        pipeline = self._content(name)
        rivals = {check["versus"] for check in pipeline.get("validation", ()) if check.get("versus")}
        return bool(rivals) and pipeline.get("promoteTo") not in rivals

    def _content(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = self.base.placed.contents[self.plan.pipelines[name].description]["pipeline"]
        return content

    def _has_base(self, name: str) -> bool:
        """Return whether a pipeline trains an adapter for a base model."""
        return "base" in self._content(name).get("model", {})

    def _write_sample(self) -> None:
        if not self.sample:
            return
        contents = self.base.placed.contents.values()
        sample = Sample(self.plan, self.base.state, truth_of(self.plan, contents))
        new = sample.write_missing()
        if sample.generated or self.drift:  # requests that resemble the user's own data cannot be generated
            self._made = sample
        for name in new:
            self.say(f"data.{name}", "GENERATED, because there are no files; sample.json in the folder describes how")
            self.base.state.record(f"data.{name}", "generated", "there were no files, and --sample was given")

    def run_address(self, address: str) -> None:
        """Run a pipeline or a monitor now."""
        section, _, name = address.partition(".")
        if section == "pipelines":
            self.run_pipeline(name)
        else:
            self.run_monitor(name)

    def run_pipeline(self, name: str, request: str = "") -> None:
        """Run a pipeline, promote what it trained, and run the pipelines that follow it."""
        entry, address = self.plan.pipelines[name], f"pipelines.{name}"
        number = request or self.history.add(name, datetime.now(UTC), RUNNING)
        if request:
            self.history.change(request, RUNNING)
        self.say(address, f"{entry.type} begins")
        began = time.monotonic()
        path = self.base.placed.paths[entry.description]
        replaced = self._replaced(entry.schedule, name)
        outcome = self.runs.run(address, "run", path, entry.timeout_seconds, entry.retries, replaced)
        self.history.change(number, _state_of(outcome), outcome.message)
        self._ended(address, outcome, time.monotonic() - began)
        if outcome.replaced:
            return
        if entry.trains:
            self.promote()
        if outcome.succeeded:
            for other, follower in self.plan.pipelines.items():
                if follower.schedule.after == name and self.is_requested(f"pipelines.{other}"):
                    self.run_pipeline(other)

    def promote(self, *, quietly: bool = False) -> None:
        """Let the promoter move aliases to versions that meet all requirements."""
        if not self.plan.promoter:
            return
        path = self.base.placed.paths[self.plan.promoter]
        if quietly:
            self.runs.quietly().run("promoter", "promote", path, _MONITOR_S)
            return
        began = time.monotonic()
        outcome = self.runs.run("promoter", "promote", path, _MONITOR_S)
        if outcome.succeeded:
            self.steps.append(Step("promoter", time.monotonic() - began, outcome.message))
        else:
            self._ended("promoter", outcome, 0)

    def run_monitor(self, name: str) -> None:
        """Run a monitor once. A breach is not a failure."""
        address = f"monitors.{name}"
        entry = self.plan.monitors[name]
        path, replaced = self.base.placed.paths[entry.description], self._replaced(entry.schedule)
        began = time.monotonic()
        outcome = self.runs.run(address, "monitor", path, _MONITOR_S, replaced=replaced)
        self._ended(address, outcome, time.monotonic() - began)

    def _replaced(self, schedule: Schedule, pipeline: str = "") -> Callable[[], bool]:
        """Return a check for whether a newer run must replace one starting now, which only the loop allows."""
        return Successor(schedule, self.history, pipeline, datetime.now(UTC)) if self.looping else lambda: False

    def run_requested(self) -> None:
        """Start the runs that monitors have requested."""
        for number, pipeline, monitor in self.history.requested():
            self.say(f"pipelines.{pipeline}", f"{monitor} requests a run")
            self.base.state.record(f"pipelines.{pipeline}", "requested", f"by {monitor}")
            self.run_pipeline(pipeline, number)

    def _serve(self) -> None:
        """Wait until the requested endpoints respond, and send rows to them."""
        endpoints = {
            name: entry for name, entry in self.plan.endpoints.items() if self.is_requested(f"inference.{name}")
        }
        if not endpoints or not self.base.endpoints_port:
            return
        began = time.monotonic()
        deadline = began + _DEPLOY_S
        while not self.base.deployed():
            if time.monotonic() > deadline:
                raise Refusal(f"the servers did not start within {_DEPLOY_S:g} s; see logs/serving.log")
            time.sleep(0.2)
        for number, (name, entry) in enumerate(endpoints.items()):
            caller = Endpoint.of(name, entry.path, self.base.endpoints_port, entry.callers, self.base.state)
            self.say(f"inference.{name}", f"answers at {caller.url}")
            if problem := await_versions(entry, self.base.serve_port, self.base.placed):
                self.failures.append(f"inference.{name}")
                self.say(f"inference.{name}", f"no version is served yet: {problem}")
                continue
            self.steps.append(Step(f"inference.{name}", time.monotonic() - began, f"answers at {caller.url}"))
            if entry.generates_text:
                self._chat(name, caller)
                continue
            own_rows = self.own_rows(entry)
            if own_rows is not None:
                self._ask(name, caller, own_rows)
            if self._made is not None:
                share = captured(entry, self.base.placed)
                rows = self._made.requests(self._turn() + number, drift=self.drift, captured=share)
                self._send(name, caller, rows)
        if self.ask or self.sample:
            time.sleep(_CAPTURED_S)

    def own_rows(self, endpoint: PlannedEndpoint) -> Rows | None:
        """Return rows of the system's data to send to an endpoint, or None.

        They are sent if the command asks for them, or in place of generated rows if no dataset is generated.
        """
        if not (self.ask or (self.sample and self._made is None)):
            return None
        return rows_for(endpoint, self.plan, self.base.placed)

    def _chat(self, name: str, caller: Endpoint) -> None:
        """Show how to send a request to a language model, sending it if other models would be sent rows."""
        address = f"inference.{name}"
        if not self.sample and not self.ask:
            self.say(address, f"try it: {chat_command(caller, name)}")
            return
        for reply in replies(caller):
            self.say(address, f"try it: {reply.command}")
            self.say(address, reply.problem or f"{reply.model} answers: {reply.text[:_SHOWN]!r}")
            self.base.state.record(address, "predicted", reply.problem or f"a text by {reply.model}")
            if reply.problem:
                self.failures.append(address)

    def _ask(self, name: str, caller: Endpoint, rows: Rows) -> None:
        """Request a prediction for one row and show it.

        If the rows weren't generated, the remaining ones are sent as well.
        """
        address = f"inference.{name}"
        keep(self.base.state, name, caller.url, str(caller.token or ""), rows)
        began = time.monotonic()
        status, text = caller.predict(rows.features[:1])
        seconds = time.monotonic() - began
        self.say(address, f"request: {caller.curl(_body(rows.features[0]))}")
        self.say(address, f"answer after {seconds * 1000:.0f} ms: {_shortened(text.strip())}")
        self.say(address, f"in the data, {rows.label} of this row is {rows.value!r}")
        self.say(address, f"first answer {time.monotonic() - self.began:.0f} s after the start")
        self.steps.append(Step(address, seconds, f"predicted: {text.strip()[:_SHOWN]}"))
        problem = f"{status}: {text[:_SHOWN]}" if status != HTTPStatus.OK else ""
        if not problem and self._made is None:
            problem = caller.predict_all(rows.features)
            self.say(address, problem or f"answered {len(rows.features)} rows of the data")
        self.base.state.record(address, "predicted", problem or f"{len(rows.features)} rows of the data")
        if problem:
            self.failures.append(address)

    def _turn(self) -> int:
        """Return a number that differs between runs, so that each run sends different rows."""
        return sum(1 for event in self.base.state.events() if event.get("event") == "began") * 100

    def _send(self, name: str, caller: Endpoint, rows: list[dict[str, Any]]) -> None:
        address = f"inference.{name}"
        status, text = caller.predict(rows[:_SHOWN_ROWS])
        self.say(address, f"try it: {caller.curl(_body(rows[0]))}")
        self.say(address, f"{_SHOWN_ROWS} generated rows: {_shortened(text)}")
        if status != HTTPStatus.OK:
            self.failures.append(address)
            return
        drifted = " with drift" if self.drift else ""
        problem = caller.predict_all(rows)
        self.say(address, problem or f"answered {len(rows)} generated rows{drifted}")
        self.base.state.record(address, "predicted", problem or f"{len(rows)} generated rows{drifted}")
        if problem:
            self.failures.append(address)

    def _ended(self, address: str, outcome: Outcome, seconds: float) -> None:
        self.base.state.record(address, _state_of(outcome), outcome.message)
        if outcome.replaced:
            self.say(address, f"ended after {seconds:.0f} s: {outcome.message}")
            return
        self.steps.append(Step(address, seconds, outcome.message))
        if outcome.succeeded:
            self.say(address, f"done in {seconds:.0f} s")
            return
        self.failures.append(address)
        self.say(address, f"FAILED: {outcome.message or 'no message'}; its log is {outcome.log}")

    def summarize(self) -> None:
        """With `--ask`, list the steps and their durations."""
        for step in self.steps if self.ask else ():
            self.say(step.address, f"{step.seconds:6.1f} s  {step.text}")

    def report(self) -> int:
        """Print the failures, if any, and return the exit code."""
        self.summarize()
        failed = list(dict.fromkeys(self.failures))
        if failed:
            self.say("", f"failed: {', '.join(failed)}")
        return 1 if failed else 0


def _body(row: dict[str, Any]) -> dict[str, Any]:
    return {"instances": [row]}


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"


def _state_of(outcome: Outcome) -> str:
    if outcome.replaced:
        return REPLACED
    return SUCCEEDED if outcome.succeeded else FAILED
