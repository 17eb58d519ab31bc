"""`modelyard try`: go from nothing to a prediction by running a template's system on this machine."""

from __future__ import annotations

import argparse
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

from modelyard.cli import init
from modelyard.cli import run as run_command
from modelyard.cli.console import report, say
from modelyard.cli.inputs import SPEC_NAMES, gather
from modelyard.cli.status import process_of
from modelyard.diagnostics import running as problems
from modelyard.printing.terminal import visible

FOLDER: Final = "modelyard-try"
"""The default folder for the system."""

_TIMEOUT_S: Final = 60


def run(arguments: argparse.Namespace) -> int:
    """Run the system in a folder, creating it first if needed. With `--ask`, query the running system instead."""
    folder, template = _place(arguments.what)
    has_system = any(os.path.lexists(folder / name) for name in SPEC_NAMES)
    if arguments.ask:
        return _ask(folder, arguments)
    _, unfit = run_command.python_for(arguments.python)
    if unfit is not None:
        report((unfit,), (), "text", arguments.color)
        return 1
    if has_system:
        say(f"{folder} already has a system, which continues; delete the folder to start over")
    elif init.write(folder, init.templates()[template]):
        return 1
    return run_command.run(_as_run(folder, arguments))


def _place(typed: str | None) -> tuple[Path, str]:
    """Return the folder and the template. A new folder named after a template uses that template."""
    if typed is None:
        return Path(FOLDER), init.LOCAL
    is_template = typed in init.templates() and not os.path.lexists(typed)
    return Path(typed), typed if is_template else init.LOCAL


def _as_run(folder: Path, arguments: argparse.Namespace) -> argparse.Namespace:
    """Return the options for `modelyard run` that run every schedule now and query each endpoint."""
    return argparse.Namespace(
        command="run",
        spec=str(folder),
        env=None,
        set=[],
        color=arguments.color,
        address=[],
        once=arguments.once,
        now=True,
        ask=True,
        sample=True,
        drift=False,
        python=arguments.python,
        out=None,
    )


def _ask(folder: Path, arguments: argparse.Namespace) -> int:
    """Request a prediction for one row from each endpoint of the system running in a folder."""
    inputs, diagnostics = gather(_as_run(folder, arguments))
    if inputs is None:
        report(diagnostics, (), "text", arguments.color)
        return 1
    state = run_command.state_folder(inputs)
    questions = _questions(state / "questions.json") if process_of(state) is not None else {}
    if not questions:
        report((problems.nobody_to_ask(str(folder)),), (), "text", arguments.color)
        return 1
    return max([_ask_one(name, question) for name, question in questions.items()])


def _questions(path: Path) -> dict[str, dict[str, Any]]:
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast("dict[str, dict[str, Any]]", content) if isinstance(content, dict) else {}


def _ask_one(name: str, question: dict[str, Any]) -> int:
    """Send one row, and print the request and response. Returns 1 if there is no response."""
    body = json.dumps({"instances": [question["row"]]})
    began = time.monotonic()
    answered, text = _sent(question["url"], body, question["token"])
    for line in (
        f"inference.{name}: POST {question['url']}",
        f"request: {body}",
        f"answer after {(time.monotonic() - began) * 1000:.0f} ms: {text.strip()}",
        f"in the data, {question['label']} of this row is {question['value']!r}",
    ):
        print(visible(line))
    return 0 if answered else 1


def _sent(url: str, body: str, token: str) -> tuple[bool, str]:
    headers = {"Content-Type": "application/json", **dict(_authorization(token))}
    try:
        request = urllib.request.Request(url, body.encode(), headers)
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            return True, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as problem:
        return False, f"{problem.code} {problem.read().decode('utf-8', 'replace')}"
    except OSError as problem:
        return False, str(problem)


def _authorization(token: str) -> Iterator[tuple[str, str]]:
    if token:
        yield "Authorization", f"Bearer {Path(token).read_text(encoding='utf-8').strip()}"
