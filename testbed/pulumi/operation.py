"""Runs one operation of the real engine on one program. `testbed.pulumi.stack` starts it by path in a new process.

python pulumi_operation.py VERB FOLDER STACK EVENTS [ARGUMENT=VALUE…]

As under `pulumi up`, the working folder and the first entry of sys.path are the program's folder. This module imports
only the Pulumi SDK so that it can run in the program's own environment. Events are written to the file EVENTS as they
happen, one JSON value per line. The output of the engine is printed.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from pathlib import Path
from typing import TextIO

from pulumi import automation
from pulumi.automation.events import EngineEvent


class _Stack(automation.Stack):
    """A stack that exists and whose outputs are not needed. Looking for both would start the engine three times."""

    def __init__(self, name: str, workspace: automation.Workspace) -> None:
        self.name = name
        self.workspace = workspace

    def outputs(self) -> automation.OutputMap:
        """Return nothing."""
        return {}


def main() -> int:
    """Run the operation. Return 1 if the engine reports a failure."""
    verb, folder, name, events_path = sys.argv[1:5]
    os.chdir(folder)
    sys.path[0] = folder
    stack = _Stack(name, automation.LocalWorkspace(work_dir=folder, program=_program))
    with Path(events_path).open("a") as events:
        try:
            _run(stack, verb, events)
        except automation.errors.CommandError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def _program() -> None:
    runpy.run_path("__main__.py", run_name="__main__")


def _run(stack: automation.Stack, verb: str, events: TextIO) -> None:
    def keep(event: EngineEvent) -> None:
        for line in _event_parts(event):
            events.write(json.dumps(line) + "\n")
            events.flush()

    if verb == "up":
        stack.up(on_output=_say, on_event=keep)
    elif verb == "refreshing-up":
        stack.up(on_output=_say, on_event=keep, refresh=True)
    elif verb == "preview":
        stack.preview(on_output=_say, on_event=keep)
    elif verb == "refresh":
        stack.refresh(on_output=_say, on_event=keep)
    elif verb == "destroy":
        stack.destroy(on_output=_say, on_event=keep)
    else:
        raise SystemExit(f"unknown operation: {verb}")


def _say(text: str) -> None:
    print(text, flush=True)


def _event_parts(event: EngineEvent) -> list[list[str]]:
    """Return what tests need from an event, i.e. [kind, URN, operation] or [severity, URN, message]."""
    parts: list[list[str]] = []
    if event.resource_pre_event:
        step = event.resource_pre_event.metadata
        parts.append(["begun", step.urn, str(step.op.value)])
    if event.res_outputs_event:
        step = event.res_outputs_event.metadata
        parts.append(["done", step.urn, str(step.op.value)])
    if event.res_op_failed_event:
        step = event.res_op_failed_event.metadata
        parts.append(["failed", step.urn, str(step.op.value)])
    if event.diagnostic_event and event.diagnostic_event.severity in ("warning", "error"):
        parts.append(
            [event.diagnostic_event.severity, event.diagnostic_event.urn or "", event.diagnostic_event.message]
        )
    return parts


if __name__ == "__main__":
    sys.exit(main())
