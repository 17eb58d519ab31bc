"""`modelyard run`: run a system on this machine, using the same runtime as on clusters."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NoReturn

from modelyard.cli import compile as compiling
from modelyard.cli.console import report, say
from modelyard.cli.inputs import environment_names, gather
from modelyard.cli.remembered import STATE
from modelyard.cli.sampling import ENDING
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics import running as problems
from modelyard.inputs import Inputs
from modelyard.patterns import pattern
from modelyard.records import replace
from modelyard.spec import System
from modelyard.stages import Outcome

NEEDED: Final = ("ray", "mlflow", "sklearn", "pandas", "pyarrow", "sqlalchemy", "flask")
"""Packages that the runtime imports. The last two are part of `mlflow` but not of `mlflow-skinny`."""

_LANGUAGE: Final = ("mlx_lm",)
"""Packages that the runtime also imports if the system serves a language model."""

_FLAGS: Final = ("once", "now", "sample", "drift", "ask")
"""The options that are passed to the runtime unchanged. Only `modelyard try` sets `now` and `ask`."""

_PROBE: Final = (
    "import importlib.util as u, json, sys; print(json.dumps([n for n in sys.argv[1:] if u.find_spec(n) is None]))"
)
_PROBE_S: Final = 60
_ADDRESS: Final = pattern(r"(pipelines|inference|monitors)\.[a-z][a-z0-9-]*$")


def run(arguments: argparse.Namespace) -> int:
    """Compile the spec and replace this process with the runtime. Returns 1 if spec or machine are unsuitable."""
    if _ADDRESS.match(arguments.spec) and not os.path.lexists(arguments.spec):  # the spec in this folder
        arguments.spec, arguments.address = ".", [arguments.spec, *arguments.address]
    inputs, diagnostics = gather(arguments)
    if inputs is None:
        report(diagnostics, (), "text", arguments.color)
        return 1
    target, outcome, refused = _target(inputs)
    copies = not target and outcome.document is not None and not outcome.failed and _wants_sample(arguments)
    if refused and not copies:
        report(refused, inputs.files(), "text", arguments.color)
        return 1
    python, unfit = python_for(arguments.python, language=has_language_model(outcome.system))
    if unfit is not None:
        report((unfit,), (), "text", arguments.color)
        return 1
    if copies:
        return _run_copy(arguments, inputs, python, outcome)
    code = compiling.run(_compile_arguments(arguments))
    if code:
        return code
    folder = compiling.output_folder(arguments.out, inputs) / inputs.folder / target
    return _start(arguments, inputs, python, folder, _state(inputs))


def has_language_model(system: System | None) -> bool:
    """Return whether a system needs the packages for generating text with language models."""
    return system is not None and any(model.generates_text for model in system.models.values())


def _wants_sample(arguments: argparse.Namespace) -> bool:
    return bool(arguments.sample or arguments.drift)


def _run_copy(arguments: argparse.Namespace, inputs: Inputs, python: str, outcome: Outcome) -> int:
    """Run a local copy of a system whose targets are elsewhere. The copy's spec and state share a folder."""
    from modelyard.cli.sampling import compiled_copy

    assert outcome.document is not None
    state = _state(inputs, sampled=True)
    folder = compiled_copy(inputs, outcome.document, state, arguments.color, state)
    return 1 if folder is None else _start(arguments, inputs, python, folder, state)


def state_folder(inputs: Inputs) -> Path:
    """Return the folder that an environment's runs write to, or its copy's folder if only the copy has run."""
    own, copied = _state(inputs), _state(inputs, sampled=True)
    return copied if copied.is_dir() and not own.is_dir() else own


def _state(inputs: Inputs, *, sampled: bool = False) -> Path:
    """Return a folder next to the spec that git ignores."""
    return Path(os.path.abspath(inputs.spec.path)).parent / STATE / f"{inputs.folder}{ENDING if sampled else ''}"


def _compile_arguments(arguments: argparse.Namespace) -> argparse.Namespace:
    settings = {"format": "text", "force": False, "forget_removed": False, "against": None, "approved": None}
    return argparse.Namespace(**{**vars(arguments), **settings})


def _target(inputs: Inputs) -> tuple[str, Outcome, tuple[Diagnostic, ...]]:
    """Return the name of the local target, the outcome, and errors if no target is local."""
    from modelyard.pipeline import opened, understand
    from modelyard_targets import TARGETS

    outcome = understand(inputs, TARGETS)
    if outcome.failed or outcome.system is None:
        return "", outcome, outcome.diagnostics
    name = _local_target(outcome.system)
    if name:
        return name, outcome, ()
    names = environment_names(inputs, opened(inputs).document)
    local = [name for name in names if _runs_here(inputs, name)]
    span = outcome.system.at("deployment", "mode")
    return "", outcome, (problems.not_on_this_machine(span, inputs.environment or "", local),)


def _local_target(system: System) -> str:
    from modelyard_targets import TARGETS

    return next((target.name for target in system.deployment.targets if TARGETS[target.provider].runs_here), "")


def _runs_here(inputs: Inputs, environment: str) -> bool:
    from modelyard.pipeline import understand
    from modelyard_targets import TARGETS

    other = replace(inputs, environment=environment, overlay=inputs.beside.get(environment))
    system = understand(other, TARGETS).system
    return system is not None and bool(_local_target(system))


def python_for(named: str | None, *, language: bool = False) -> tuple[str, Diagnostic | None]:
    """Return the user's Python interpreter, or this one, and an error if it lacks the runtime's packages."""
    python = named or os.environ.get("MODELYARD_PYTHON") or sys.executable
    packages = (*NEEDED, *_LANGUAGE) if language else NEEDED
    install = _install(python, "local,language" if language else "local")
    if python == sys.executable:
        missing = [name for name in packages if find_spec(name) is None]
        return python, problems.no_runtime("this Python", missing, install) if missing else None
    try:
        probe = subprocess.run(
            [python, "-c", _PROBE, *packages], capture_output=True, timeout=_PROBE_S, check=True, text=True
        )
        missing = json.loads(probe.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as problem:
        return python, problems.not_a_python(python, str(getattr(problem, "strerror", None) or "it is not Python"))
    return python, problems.no_runtime(python, missing, install) if missing else None


def _install(python: str, extras: str) -> str:
    """Return the pip command that installs the packages for an interpreter, using this checkout if it is one."""
    root = Path(__file__).resolve().parents[3]
    source = f"{root}[{extras}]" if (root / "pyproject.toml").is_file() else f"modelyard[{extras}]"
    return f'{shlex.quote(python)} -m pip install "{source}"'


def _start(arguments: argparse.Namespace, inputs: Inputs, python: str, folder: Path, state: Path) -> int:
    """Replace this process with the runtime, which then receives the signals and sets the exit code."""
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
    command = [python, "-m", "modelyard_runtime", "local", str(folder.resolve()), *arguments.address]
    command += ["--state", str(state), "--code", str(Path(os.path.abspath(inputs.spec.path)).parent)]
    command += [f"--{name}" for name in _FLAGS if getattr(arguments, name, False)]
    say(f"{folder}: running; everything is kept in {state}")
    sys.stdout.flush()
    sys.stderr.flush()
    return _become(command, {**os.environ, "PYTHONPATH": _search_path(folder), "PYTHONUNBUFFERED": "1"})


def _become(command: list[str], environment: dict[str, str]) -> NoReturn:
    os.execvpe(command[0], command, environment)


def _search_path(folder: Path) -> str:
    """Return a PYTHONPATH that starts with the compiled runtime, whose version matches the descriptions."""
    present = os.environ.get("PYTHONPATH", "")
    return os.pathsep.join([str((folder / "runtime").resolve()), *([present] if present else [])])
