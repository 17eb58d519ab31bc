"""Rehearse a move repeatedly, in processes that are killed, until the last one runs to the end.

    killed_rehearsal.py PHASE:PART… -- ARGUMENTS OF modelyard

In the parts `do` and `undo`, a command kills the process after half of the phase's commands, while its shell is still
running. In the part `weights`, the process is killed after callers have got a hundred responses at the second step
of the traffic weights. In the part `end`, the process is killed after the phase's checks and before the phase is
recorded. Prints how each process ended. The processes are forks of this one, because importing modelyard takes longer
than most phases.
"""

from __future__ import annotations

import os
import signal
import sys

from modelyard.cli import rehearse
from modelyard.cli.main import main
from modelyard.migration.calling import STEPS
from modelyard.migration.records import Phase, Step
from modelyard.records import replace
from modelyard.rehearsal.rehearsal import PhaseReport, Rehearsal

KILL = Step("The machine fails.", ("kill -KILL $PPID",))


def half(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps with only the first half of their commands, plus a step that kills the rehearsal."""
    left = sum(len(step.commands) for step in steps) // 2
    shortened: list[Step] = []
    for step in steps:
        shortened.append(replace(step, commands=step.commands[:left], expect=""))
        left = max(0, left - len(step.commands))
    return (*(step for step in shortened if step.commands), KILL)


def dying(at: str, part: str) -> type[Rehearsal]:
    """Return a class of rehearsals that are killed in the given part of the given phase."""

    class Dying(Rehearsal):
        def run_phase(self, phase: Phase) -> PhaseReport:
            is_here = phase.name == at
            result = super().run_phase(replace(phase, do=half(phase.do)) if is_here and part == "do" else phase)
            if is_here and part == "end":
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        def _weigh(self, percent: int) -> None:
            super()._weigh(percent)
            if part == "weights" and percent == STEPS[1]:
                self._wait_for_callers(100)  # a wrong answer ends the process in another way
                os.kill(os.getpid(), signal.SIGKILL)

        def take_back(self, phase: Phase) -> None:
            super().take_back(replace(phase, undo=half(phase.undo)) if phase.name == at and part == "undo" else phase)

    return Dying


def ended(moment: str, arguments: list[str]) -> int:
    """Run modelyard in a forked process up to the given phase and part, or to the end, and return its exit code.

    If a signal killed the process, this is the negative signal number.
    """
    process = os.fork()
    if process == 0:
        at, _, part = moment.partition(":")
        rehearse.Rehearsal = dying(at, part)  # type: ignore[attr-defined]  # an import there
        os._exit(main(arguments))
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    end = sys.argv.index("--")
    for moment in (*sys.argv[1:end], "finish"):
        sys.stdout.write(f"{moment} {ended(moment, sys.argv[end + 1 :])}\n")
        sys.stdout.flush()
