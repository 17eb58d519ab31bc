"""`modelyard run`: run a system on this machine, with the runtime that also runs in clusters."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NoReturn

from modelyard.cli import compile as compiling
from modelyard.cli.console import report, say
from modelyard.cli.inputs import environment_names, gather
from modelyard.cli.remembered import STATE
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics import running as problems
from modelyard.inputs import Inputs
from modelyard.patterns import pattern
from modelyard.records import replace
from modelyard.spec import System

NEEDED: Final = ("ray", "mlflow", "sklearn", "pandas", "pyarrow", "sqlalchemy", "flask")
"""Packages that the runtime imports. The last two are part of `mlflow` and not of `mlflow-skinny`."""

_PROBE: Final = (
    "import importlib.util as u, json, sys; print(json.dumps([n for n in sys.argv[1:] if u.find_spec(n) is None]))"
)
_PROBE_S: Final = 60
_ADDRESS: Final = pattern(r"(pipelines|inference|monitors)\.[a-z][a-z0-9-]*$")


def run(arguments: argparse.Namespace) -> int:
    """Compile the spec, and replace this process with the runtime. Returns 1 if the spec or the machine is wrong."""
    if _ADDRESS.match(arguments.spec) and not os.path.lexists(arguments.spec):  # the spec of this folder
        arguments.spec, arguments.address = ".", [arguments.spec, *arguments.address]
    inputs, diagnostics = gather(arguments)
    if inputs is None:
        report(diagnostics, (), "text", arguments.color)
        return 1
    target, refused = _target(inputs)
    if refused:
        report(refused, inputs.files(), "text", arguments.color)
        return 1
    python, unfit = _python(arguments.python)
    if unfit is not None:
        report((unfit,), (), "text", arguments.color)
        return 1
    code = compiling.run(_compile_arguments(arguments))
    if code:
        return code
    return _start(arguments, inputs, python, compiling.output_folder(arguments.out, inputs) / inputs.folder / target)


def state_folder(inputs: Inputs) -> Path:
    """Return where the runs of an environment keep everything: next to the spec, in a folder that git ignores."""
    return Path(os.path.abspath(inputs.spec.path)).parent / STATE / inputs.folder


def _compile_arguments(arguments: argparse.Namespace) -> argparse.Namespace:
    settings = {"format": "text", "force": False, "forget_removed": False, "against": None, "approved": None}
    return argparse.Namespace(**{**vars(arguments), **settings})


def _target(inputs: Inputs) -> tuple[str, tuple[Diagnostic, ...]]:
    """Return the target that is this machine. A spec with errors has none, and they are reported."""
    from modelyard.pipeline import opened, understand
    from modelyard_targets import TARGETS

    outcome = understand(inputs, TARGETS)
    if outcome.failed or outcome.system is None:
        return "", outcome.diagnostics
    name = _local_target(outcome.system)
    if name:
        return name, ()
    names = environment_names(inputs, opened(inputs).document)
    local = [name for name in names if _runs_here(inputs, name)]
    span = outcome.system.at("deployment", "mode")
    return "", (problems.not_on_this_machine(span, inputs.environment or "", local),)


def _local_target(system: System) -> str:
    from modelyard_targets import TARGETS

    return next((target.name for target in system.deployment.targets if TARGETS[target.provider].runs_here), "")


def _runs_here(inputs: Inputs, environment: str) -> bool:
    from modelyard.pipeline import understand
    from modelyard_targets import TARGETS

    other = replace(inputs, environment=environment, overlay=inputs.beside.get(environment))
    system = understand(other, TARGETS).system
    return system is not None and bool(_local_target(system))


def _python(named: str | None) -> tuple[str, Diagnostic | None]:
    """Return a Python that has what the runtime imports: the one that is named, or the one that runs this command."""
    python = named or os.environ.get("MODELYARD_PYTHON") or sys.executable
    if python == sys.executable:
        missing = [name for name in NEEDED if find_spec(name) is None]
        return python, problems.no_runtime("this Python", missing) if missing else None
    try:
        probe = subprocess.run(
            [python, "-c", _PROBE, *NEEDED], capture_output=True, timeout=_PROBE_S, check=True, text=True
        )
        missing = json.loads(probe.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as problem:
        return python, problems.not_a_python(python, str(getattr(problem, "strerror", None) or "it is no Python"))
    return python, problems.no_runtime(python, missing) if missing else None


def _start(arguments: argparse.Namespace, inputs: Inputs, python: str, folder: Path) -> int:
    """Replace this process, so that signals and the exit code are the runtime's own."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    known = [
        *(f"pipelines.{name}" for name in plan["pipelines"]),
        *(f"inference.{name}" for name in plan["endpoints"]),
        *(f"monitors.{name}" for name in plan["monitors"]),
    ]
    for address in arguments.address:
        if address not in known:
            report((problems.no_such_workload(address, known),), (), "text", arguments.color)
            return 1
    state = state_folder(inputs)
    command = [python, "-m", "modelyard_runtime", "local", str(folder.resolve()), *arguments.address]
    command += ["--state", str(state), "--code", str(Path(os.path.abspath(inputs.spec.path)).parent)]
    command += [f"--{name}" for name in ("once", "sample", "drift") if getattr(arguments, name)]
    say(f"{folder}: running; everything is kept in {state}")
    sys.stdout.flush()
    sys.stderr.flush()
    return _become(command, {**os.environ, "PYTHONPATH": _search_path(folder), "PYTHONUNBUFFERED": "1"})


def _become(command: list[str], environment: dict[str, str]) -> NoReturn:
    os.execvpe(command[0], command, environment)


def _search_path(folder: Path) -> str:
    """Return a PYTHONPATH with the compiled runtime first, which is the version that the descriptions are for."""
    present = os.environ.get("PYTHONPATH", "")
    return os.pathsep.join([str((folder / "runtime").resolve()), *([present] if present else [])])
