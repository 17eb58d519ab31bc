"""Carry out a migration plan on this machine, phase by phase, while callers keep sending requests."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any, Final

from modelyard.migration.calling import STEPS
from modelyard.migration.copying import COPY_FILE, EQUAL
from modelyard.migration.records import Migration, Phase, Step
from modelyard.migration.shell import command
from modelyard.records import record, replace
from modelyard.rehearsal.asking import asked_first, text_endpoints
from modelyard.rehearsal.beside import PLAN
from modelyard.rehearsal.gateway import SIDES, Callers, Gateway, Question, question_of
from modelyard.rehearsal.layout import Layout, read_json, tree_of, write_json
from modelyard.rehearsal.running import SideProcess, command_environment
from modelyard.rehearsal.stand_ins import digest_of
from modelyard.rehearsal.steps import Failed, StepOutput, fits, run_step, why
from modelyard.rehearsal.used import uses

Jobs = Mapping[str, bool]
"""Whether each schedule is suspended, by `namespace/name`."""

_WHOLE: Final = 100
_SOME: Final = 20
_MARK: Final = "modelyard-rehearsal"
_PATIENCE_S: Final = 180
_CAPTURED_S: Final = 5.0


@record
class PhaseReport:
    """What a rehearsed phase did: the commands run, actions taken in place of people, and what was left out."""

    phase: str
    seconds: float
    commands: int
    acted: tuple[str, ...]
    left_out: tuple[str, ...]

    def data(self) -> dict[str, object]:
        """Return the report as data to store in a file."""
        return {
            "seconds": round(self.seconds, 1),
            "commands": self.commands,
            "acted": list(self.acted),
            "leftOut": list(self.left_out),
        }


class Rehearsal:
    """Both sides on this machine, and the gateway in front of them. Use this class as a context manager."""

    def __init__(self, layout: Layout, plan: Migration, jobs: Mapping[str, Jobs], hold: int) -> None:
        """`jobs` holds the schedules of the old side, and of the new side both while idle and while live."""
        self.layout, self.plan, self._jobs, self._hold = layout, plan, jobs, hold
        self._environment = command_environment(layout.folder, layout.remotes())
        self._running: dict[str, SideProcess] = {}
        self._questions: tuple[Question, ...] = ()
        self.gateway = Gateway({}, self._read("weights.json").get("new", 0))
        self._callers: Callers | None = None
        self._acted: list[str] = []
        self._began = 0.0  # when the phase began

    def __enter__(self) -> Rehearsal:
        """Compile the old side, start the sides that should run, record the old side's responses, and start callers."""
        try:
            self._compile_old()
            self._settle()
            self._questions = self._expected()
            self._callers = Callers(self._questions, self.gateway.port)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *problem: object) -> None:
        """Stop the callers, the gateway and both sides, even after an error."""
        self.close()

    def close(self) -> None:
        """Stop the callers, the gateway and both sides."""
        with ExitStack() as stack:  # a second Ctrl-C ends only the wait for one of them
            for process in self._running.values():
                stack.callback(process.close)
            stack.callback(self.gateway.close)
            if self._callers is not None:
                stack.callback(self._callers.close)
        self._running.clear()

    @property
    def sent(self) -> int:
        """Return the number of requests that callers have sent since the start."""
        return self._callers.sent if self._callers is not None else 0

    @property
    def kinds(self) -> list[str]:
        """Return what a rehearsal has to cover in this system, such as buckets or endpoints."""
        move, texts = self.layout.move, text_endpoints(self.layout)
        asked = {question.endpoint for question in self._questions}
        parts = {
            "buckets": any(self.layout.pairs()),
            "endpoints": bool(self._questions),
            "rows": bool(asked - texts),
            "texts": bool(asked & texts),
            "registry": move.side("new").system.registry is not None,
            "schedules": bool(self._jobs["old"]),
            "secrets": any(handover.secrets for handover in move.handovers["new"].values()),
        }
        return [kind for kind, is_there in parts.items() if is_there]

    def run_phase(self, phase: Phase) -> PhaseReport:
        """Carry out a phase and its checks. Raises Failed if the result differs from the plan."""
        began = time.monotonic()
        self._began = time.time()
        self._acted = []
        short = phase.name.partition("-")[2]
        before = {
            "dual-run": self._write_requests,
            "freeze": lambda: self._mark("old"),
            "watch": lambda: self._mark("new"),
            "retire": self._refuse_while_used,
        }.get(short)
        after = {
            "secrets": self._carry_tokens,
            "registry": self._carry_for_owner,
            "dual-run": self._compare,
            "freeze": self._carry_for_owner,
            "cut-over": self._cut_over,
            "watch": self._look_back,
        }.get(short)
        if before is not None:
            before()
        late = tuple(step for step in phase.do if _is_late(step))
        count, left = self._steps(phase, tuple(step for step in phase.do if step not in late))
        if after is not None:
            after()
        if late:  # after callers have moved
            count += self._copy_late(phase, late)
        checked, more = self._steps(phase, phase.check)
        self._wait_for_callers()
        seconds = time.monotonic() - began
        return PhaseReport(
            phase.name, seconds, count + checked, tuple(self._acted), tuple(dict.fromkeys((*left, *more)))
        )

    def take_back(self, phase: Phase) -> None:
        """Undo a phase according to the plan: move callers back to the old side, then run the undo commands."""
        self._began = time.time()
        self._acted = []
        if phase.name.partition("-")[2] in {"cut-over", "watch"}:
            self._weigh(0)
        self._steps(phase, phase.undo)
        self._wait_for_callers()

    def still_used(self) -> list[str]:
        """Return descriptions of everything that still uses the old side."""
        return uses(self.layout, _WHOLE - self.gateway.percent_new, self._read("schedules.json").get("old", {}))

    def _steps(self, phase: Phase, steps: tuple[Step, ...]) -> tuple[int, list[str]]:
        count = 0
        left: list[str] = []
        log = self.layout.folder / "logs" / f"{phase.name}.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("ab") as stream:
            for step in steps:
                ran = run_step(step, self.layout.system, self._with_token(step), stream, self._hold)
                if step.expect == EQUAL:
                    ran = self._without_later(ran)
                if ran.count and not fits(step, ran):
                    raise Failed(f"{step.text} {why(step, ran, log)}")
                count += ran.count
                left += ran.left_out
                self._settle()
        return count, left

    def _without_later(self, ran: StepOutput) -> StepOutput:
        """Return a bucket comparison's output without objects written since the phase began, such as captures."""
        differing = [line for line in ran.output.splitlines() if not line.startswith("= ")]
        unexplained = [line for line in differing if not self._is_later(line[2:])]
        code = 0 if differing and not unexplained else ran.code
        return replace(ran, output="\n".join(unexplained), code=code)

    def _is_later(self, name: str) -> bool:
        buckets = [bucket for pair in self.layout.pairs() for bucket in pair]
        places = [bucket.folder / prefix / name for bucket in buckets for prefix in bucket.prefixes]
        times = [place.stat().st_mtime for place in places if place.is_file()]
        return bool(times) and max(times) >= self._began

    def _with_token(self, step: Step) -> Mapping[str, str]:
        """Return the environment for a step, including the token of the endpoint that it calls."""
        for question in self._questions:
            if any(f"@{question.endpoint}.json" in line for line in step.commands):
                return {**self._environment, "token": question.token}
        return self._environment

    def _compile_old(self) -> None:
        """Compile the old side in the copied spec folder, and record its stacks as applied."""
        if (self.layout.folder / "stacks.json").exists():
            return
        move, environment = self.layout.move, self.plan.sides.old.inputs.environment
        words = ("modelyard", "compile", *move.spec, *(("--env", environment) if environment else ()))
        self._steps(Phase("0-old", "", (), (), (), (), "", ""), (Step("Compile the old side.", (command(*words),)),))
        self._write("schedules.json", {"old": dict(self._jobs["old"])})
        stacks = {
            name: {"applied": digest_of(folder), "protect": True, "protected": True}
            for name, folder in tree_of(self.layout, "old")
        }
        self._write("stacks.json", stacks)

    def _settle(self) -> None:
        """Start, restart and stop sides to match what the commands have done through the stand-ins."""
        for which in SIDES:
            is_wanted = self._applied(which) and self._answers(which)
            if is_wanted and which not in self._running:
                self._running[which] = SideProcess(
                    self.layout.python, self.layout.compiled[which], self.layout.state(which), self.layout.code
                )
                self.gateway.ports[which] = self._running[which].ports["endpoints"]
            if not is_wanted and which in self._running:
                del self.gateway.ports[which]
                self._running.pop(which).close()
            request_file = self.layout.folder / f"restart-{which}"
            if request_file.exists():
                if which in self._running:
                    self._running[which].restart_registry()
                request_file.unlink()
        self._write("running.json", {which: dict(process.ports) for which, process in self._running.items()})
        self._keep_new_schedules()

    def _answers(self, which: str) -> bool:
        """Return whether a side has anything that responds to requests: a registry or endpoints."""
        registry = self.layout.move.side(which).system.registry
        return registry is not None or bool(self.layout.local_plan(which)["endpoints"])

    def _applied(self, which: str) -> bool:
        """Return whether all of a side's projects have been applied."""
        stacks = self._read("stacks.json")
        return all(stacks.get(name, {}).get("applied") for name, _ in tree_of(self.layout, which))

    def _keep_new_schedules(self) -> None:
        """Give the new side the schedules of the most recently applied overlay, idle or live."""
        schedules = self._read("schedules.json")
        jobs: Jobs = {}
        if self._applied("new"):
            name = self.plan.sides.live.name
            text = (self.layout.system / "environments" / f"{name}.yaml").read_text(encoding="utf-8")
            jobs = self._jobs["live" if text == self.plan.sides.live.overlay else "idle"]
        before, now = schedules.get("applied", {}), schedules.get("new", {})
        if before != jobs:
            self._write("schedules.json", {**schedules, "new": applied_to(now, before, jobs), "applied": dict(jobs)})

    def _expected(self) -> tuple[Question, ...]:
        """Query each variant of the old side's endpoints and record the responses, which the move must not change."""
        path = self.layout.folder / "answers.json"
        if not path.exists():
            questions = asked_first(self.layout, self._running["old"].ports["serve"]) if "old" in self._running else ()
            self._write("answers.json", [asdict(question) for question in questions])
        return tuple(question_of(entry) for entry in self._read("answers.json"))

    def _write_requests(self) -> None:
        """Write a file per endpoint with the request that commands send to it (a chat for a language model)."""
        for question in {question.endpoint: question for question in reversed(self._questions)}.values():
            (self.layout.system / f"{question.endpoint}.json").write_text(question.body, encoding="utf-8")

    def _carry_tokens(self) -> None:
        """Copy callers' tokens to the new side, in place of the person allowed to store secrets there."""
        tokens = self.layout.state("old") / "tokens"
        if tokens.is_dir():
            shutil.copytree(tokens, self.layout.state("new") / "tokens", dirs_exist_ok=True)
            self._acted.append("tokens of callers were stored on the new side")
        places = [secret for handover in self.layout.move.handovers["new"].values() for secret in handover.secrets]
        if places:
            self._acted.append(f"the paths of {len(places)} secrets were read from the plan; no secret was opened")

    def _carry_for_owner(self) -> None:
        """Copy a registry that one of the sides adopts, on behalf of its owner."""
        if any(COPY_FILE in line for phase in self.plan.phases for step in phase.do for line in step.commands):
            return
        if self.layout.move.side("old").system.registry is None:
            return
        moved = (f"{old.folder.as_uri()}={new.folder.as_uri()}" for old, new in self.layout.pairs())
        script = f'{command(self.layout.python)} -c "$(cat {PLAN}/{COPY_FILE})"'
        before, after = (f"MODELYARD_DATABASE={command(self.layout.database(which))} {script}" for which in SIDES)
        lines = (f"{before} export > registry.jsonl", f"{after} import {command(*moved)} < registry.jsonl")
        step = Step("Copy the registry on behalf of its owner.", lines)
        self._steps(Phase("6-owner", "", (), (), (), (), "", ""), (step,))
        if "new" in self._running:
            self._running["new"].restart_registry()
        self._acted.append("the adopted registry was copied on behalf of its owner, between databases on this machine")

    def _mark(self, which: str) -> None:
        """Write an object that the other side lacks into each of a side's buckets."""
        pairs = [pair[which == "new"] for pair in self.layout.pairs()]
        for bucket in pairs:
            for prefix in bucket.prefixes:
                place = bucket.folder / prefix / f"_{_MARK}-{which}"
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(f"written on the {which} side\n", encoding="utf-8")
        if pairs:
            buckets = "bucket" if len(pairs) == 1 else "buckets"
            self._acted.append(f"an object was written into {len(pairs)} {buckets} of the {which} side")

    def _compare(self) -> None:
        """Check the new side's responses to all requests once it has loaded the versions from its registry."""
        if problem := self._ask_all("new"):
            raise Failed(f"the new side does not answer like the old one: {problem}")
        if self._questions:
            self._acted.append(f"both sides gave the same answers to {len(self._questions)} requests")

    def _ask_all(self, which: str) -> str:
        """Send all requests to a side. Returns the first problem that persists, or "" if there is none."""
        if not self._questions:
            return ""
        port = self._running[which].ports["endpoints"]
        deadline = time.monotonic() + _PATIENCE_S
        for question in self._questions:
            while problem := question.ask(port):  # each endpoint loads its versions when it sees them
                if time.monotonic() > deadline:
                    return problem
                time.sleep(0.5)
        return ""

    def _cut_over(self) -> None:
        """Move callers step by step, continuing only if every response is the same as before."""
        for percent in STEPS:
            self._weigh(percent)
            before = dict(self.gateway.answered)
            self._wait_for_callers(_WHOLE)  # of any hundred, the new side answers its share
            old, new = (self.gateway.answered[side] - before.get(side, 0) for side in SIDES)
            if self._questions:
                self._acted.append(f"at {percent} percent, the new side answered {new} of {old + new} requests")

    def _copy_late(self, phase: Phase, steps: tuple[Step, ...]) -> int:
        """Copy all captures of the old side, including its last response, which is written with a short delay."""
        if any(endpoint.capture is not None for endpoint in self.layout.move.side("old").system.inference.values()):
            time.sleep(_CAPTURED_S)
        return self._steps(phase, steps)[0]

    def _weigh(self, percent: int) -> None:
        self.gateway.percent_new = percent
        self._write("weights.json", {"old": _WHOLE - percent, "new": percent})

    def _look_back(self) -> None:
        """Query the old side directly, because it must be able to take over again."""
        if problem := self._ask_all("old"):
            raise Failed(f"the old side does not answer as before: {problem}")
        if self._questions:
            self._acted.append(f"the old side answered {len(self._questions)} direct requests")
            for moved in self.plan.phases:
                if late := tuple(filter(_is_late, moved.do)):
                    self._copy_late(moved, late)  # what these requests have left there

    def _refuse_while_used(self) -> None:
        if uses := self.still_used():
            raise Failed("the old side is still used: " + "; ".join(uses))
        self._acted.append("nothing was still using the old side")

    def _wait_for_callers(self, count: int = _SOME) -> None:
        """Wait for `count` more responses. Raises Failed if any of them was wrong."""
        if self._callers is not None:
            self._callers.wait_for(count)
            if self._callers.problems:
                raise Failed(f"a caller got a wrong answer: {self._callers.problems[0]}")

    def _read(self, name: str) -> Any:
        return read_json(self.layout.folder / name)

    def _write(self, name: str, content: object) -> None:
        write_json(self.layout.folder / name, content)


def applied_to(now: Jobs, before: Jobs, jobs: Jobs) -> Jobs:
    """Return the schedules after applying `jobs`. Schedules that only a command has suspended stay suspended.

    `now` holds the current schedules, and `before` those that were last applied.
    """
    return {name: off or (now.get(name, False) and not before.get(name, False)) for name, off in jobs.items()}


def _is_late(step: Step) -> bool:
    return any("--ignore-existing" in line for line in step.commands)
