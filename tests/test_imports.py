"""Tests that commands import only modules they use, because startup dominates the time for small specs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "tests" / "fields" / "managed.yaml"

LOADED = """
import json, sys
from modelyard.cli import main
code = main(sys.argv[1:])
sys.stdout.flush()
print("\\n" + json.dumps([code, sorted(sys.modules)]), end="")
"""

NEVER = {
    *("jsonschema", "pydantic", "rich", "click", "pulumi", "pulumi_kubernetes", "ray", "mlflow", "requests", "numpy"),
    *("pygls", "lsprotocol", "modelyard.editor"),
    *("modelyard_stacks", "modelyard_runtime", "hypothesis", "pytest", "ssl", "asyncio", "http.client"),
}
"""Modules that are large, belong to targets or the runtime, or are for network connections."""


def loaded(*arguments: str, code: int = 0) -> set[str]:
    """Return the modules that a command has imported by the time it ends."""
    run = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True, cwd=ROOT
    )
    ended, modules = json.loads(run.stdout.splitlines()[-1])
    assert ended == code, run.stderr
    return set(modules)


def test_version_imports_no_stage() -> None:
    """The command imports no stages, YAML or schemas and doesn't inspect installed packages."""
    modules = loaded("--version")

    ours = {name for name in modules if name.startswith("modelyard")}
    assert ours == {
        "modelyard",
        "modelyard.cli",
        "modelyard.cli.main",
        "modelyard.cli.arguments",
        "modelyard.cli.review_arguments",
        "modelyard.cli.shared_arguments",
        "modelyard.cli.help_texts",
    }
    assert not modules & {*NEVER, "yaml", "jinja2", "jsonschema_rs", "importlib.metadata", "dataclasses"}


def test_validate_imports_only_the_first_stages() -> None:
    """The command imports nothing needed only for output, e.g. templates, the Python printer, or disk access."""
    modules = loaded("validate", str(SPEC))

    assert {"yaml", "modelyard.planner"} <= modules
    assert "jsonschema_rs" not in modules  # loading it takes longer than checking a small spec without it
    assert not modules & {*NEVER, "jinja2", "jsonpatch", "importlib.metadata", "modelyard.emit", "modelyard.disk"}
    assert not modules & {"modelyard.survey", "modelyard.further"}  # needed for environments or errors
    assert not modules & {"hashlib", "shutil", "modelyard_targets.kube.pipelines.job"}


def test_a_review_of_two_files_starts_no_process() -> None:
    """Importing modules that start processes would take up a fifth of the time for a small review."""
    modules = loaded("diff", str(SPEC), str(SPEC))

    assert not modules & {*NEVER, "subprocess", "threading", "tempfile", "modelyard.cli.approve"}


def test_exit_functions_run_at_the_end_of_a_command(tmp_path: Path) -> None:
    """A command skips Python's usual cleanup at exit unless an exit function is registered."""
    code = "import atexit, sys; from modelyard.cli import command; {}; sys.argv[1:] = ['--version']; command()"
    plain, waits = (
        subprocess.run(
            [sys.executable, "-c", code.format(before)], capture_output=True, text=True, check=True, cwd=tmp_path
        ).stdout
        for before in ("pass", "atexit.register(print, 'ended')")
    )

    assert plain.startswith("modelyard ")
    assert waits == f"{plain}ended\n"


@pytest.mark.parametrize(
    ("thread", "ends"), [("", ""), ("threading.Thread(target=time.sleep, args=(0.2,)).start()", "!")]
)
def test_cleanup_is_skipped_unless_a_thread_is_running(tmp_path: Path, thread: str, ends: str) -> None:
    """A command that started a process, e.g. git, has imported `threading` but has no other thread running."""
    code = f"""
import os, sys, threading, time
from modelyard.cli import command
class Last:
    def __del__(self, write=os.write): write(1, b"!")
sys.modules["last"] = Last()
sys.argv[1:] = ["--version"]
{thread}
command()
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)

    assert run.stdout.splitlines()[1:] == [ends][: len(ends)]


def test_cloud_machines_are_loaded_only_for_that_cloud() -> None:
    """Specs for existing clusters don't import any cloud's instance types or prices."""
    assert not [name for name in loaded("validate", str(SPEC)) if name.startswith("modelyard_targets.aws")]


def test_an_invalid_spec_imports_no_library_for_printing(tmp_path: Path) -> None:
    wrong = tmp_path / "system.yaml"
    wrong.write_text(SPEC.read_text(encoding="utf-8").replace("replicas:", "replcias:"), encoding="utf-8")

    modules = loaded("validate", str(wrong), code=1)

    assert not modules & {*NEVER, "jinja2", "jsonpatch", "importlib.metadata", "modelyard.emit", "modelyard.disk"}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """Return the path of a spec in a folder of its own."""
    path = tmp_path / "system.yaml"
    path.write_bytes(SPEC.read_bytes())
    return path


def test_compile_imports_no_library_of_emitted_programs(spec: Path) -> None:
    """Libraries that only emitted programs use are not imported."""
    modules = loaded("compile", str(spec))

    assert {"jinja2", "modelyard.emit", "modelyard.disk"} <= modules
    assert not modules & {*NEVER - {"asyncio", "ssl"}, "importlib.metadata"}


def test_an_unchanged_compile_imports_no_stage(spec: Path) -> None:
    """No stage is imported for an unchanged spec, which is detected by the lock and the record."""
    loaded("compile", str(spec))

    modules = loaded("compile", str(spec))

    assert not modules & {
        *NEVER,
        "jinja2",
        "jsonschema_rs",
        "importlib.metadata",
        "modelyard_targets",
        "modelyard.emit",
    }
    assert not modules & {
        "modelyard.validate",
        "modelyard.resolve",
        "modelyard.planner",
        "modelyard.writers.python_text",
    }
