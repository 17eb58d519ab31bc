"""`modelyard status` and `modelyard events`: what is running on this machine, and what decisions were made."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from modelyard.cli.console import report
from modelyard.cli.inputs import gather
from modelyard.cli.run import state_folder
from modelyard.diagnostics import running as problems
from modelyard.printing.terminal import visible

_WIDTH = 28


def run(arguments: argparse.Namespace) -> int:
    """Print the last event of each workload, or all events. Returns 1 if nothing has run."""
    inputs, diagnostics = gather(arguments)
    if inputs is None:
        report(diagnostics, (), "text", arguments.color)
        return 1
    folder = state_folder(inputs)
    if not folder.is_dir():
        report((problems.nothing_ran(str(folder)),), (), "text", arguments.color)
        return 1
    everything = list(_events(folder / "events.jsonl"))
    if arguments.command == "events":
        sys.stdout.writelines(_lines(everything, arguments.format))
        return 0
    current = {"running": process_of(folder), "addresses": _read(folder / "addresses.json"), "last": _last(everything)}
    if arguments.format == "json":
        sys.stdout.write(f"{json.dumps(current, indent=2, ensure_ascii=False)}\n")
        return 0
    sys.stdout.writelines(_status(current))
    return 0


def _events(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events, skipping lines that aren't valid, such as the last line of a killed run."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        event = _mapping(line)
        if all(isinstance(event.get(key), str) for key in ("at", "address", "event")):
            yield event


def _lines(events: list[dict[str, Any]], form: str) -> Iterator[str]:
    if form == "json":
        yield f"{json.dumps(events, indent=2, ensure_ascii=False)}\n"
        return
    for event in events:
        yield visible(f"{event['at']}  {event['address']:{_WIDTH}} {event['event']}: {event.get('text', '')}") + "\n"


def _last(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {event["address"]: event for event in events if event["address"]}


def _answering(addresses: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name and address of each running component that serves requests."""
    for name in ("page", "registry"):
        if addresses.get(name):
            yield name, str(addresses[name])
    if addresses.get("endpoints"):
        yield "endpoints", f"http://127.0.0.1:{addresses['endpoints']}/"


def process_of(folder: Path) -> int | None:
    """Return the process that is running the system. It holds a lock until it ends."""
    import fcntl

    try:
        with (folder / "run.lock").open("r+", encoding="utf-8") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                text = stream.read().strip()
                return int(text) if text.isdigit() else 0
    except OSError:
        return None
    return None


def _read(path: Path) -> dict[str, Any]:
    try:
        return _mapping(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _mapping(text: str) -> dict[str, Any]:
    """Parse a JSON object, or return an empty dictionary for any other text."""
    try:
        content: object = json.loads(text)
    except ValueError:
        return {}
    return cast("dict[str, Any]", content) if isinstance(content, dict) else {}


def _status(current: dict[str, Any]) -> Iterator[str]:
    process, addresses = current["running"], current["addresses"]
    yield "not running\n" if process is None else f"running, process {process}\n"
    if process is not None:
        yield from (f"{name:{_WIDTH}} {visible(address)}\n" for name, address in _answering(addresses))
    for address, event in current["last"].items():
        yield visible(f"{address:{_WIDTH}} {event['event']} at {event['at']}: {event.get('text', '')}") + "\n"
