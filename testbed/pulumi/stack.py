"""Runs an emitted project with the real engine. Each operation has its own process, and each stack its own state."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml

from testbed.build import installed_pulumi
from testbed.kubernetes.kubectl import Json
from testbed.places import binaries, binary
from testbed.processes import kill_session

_PLUGINS = Path(__file__).parent / "plugins"
_OPERATION = Path(__file__).with_name("operation.py")


class Failed(AssertionError):
    """The engine failed. The message contains its output."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an operation: `create`, `same`, `update`, `delete` and so on by URN, plus the engine's output."""

    changes: dict[str, str]
    warnings: tuple[str, ...]
    errors: tuple[str, ...]
    text: str
    succeeded: bool

    def of(self, *operations: str) -> set[str]:
        """Return the URNs with one of the given operations."""
        return {urn for urn, operation in self.changes.items() if operation in operations}

    @property
    def changed(self) -> dict[str, str]:
        """Return the URNs that changed, and the operation on each."""
        return {urn: operation for urn, operation in self.changes.items() if operation not in ("same", "read")}


class Running:
    """An operation in progress."""

    def __init__(self, process: subprocess.Popen[bytes], events: Path, output: Path) -> None:
        self._process = process
        self._events = events
        self._output = output

    @property
    def leader(self) -> int:
        """Return the ID of the process whose session contains the engine, the provider and the program."""
        return self._process.pid

    @property
    def begun(self) -> int:
        """Return how many steps the engine has begun."""
        return sum(kind == "begun" for kind, *_ in _read(self._events))

    @property
    def under_way(self) -> set[str]:
        """Return the URNs whose step is in progress. Completed steps are in the stack's state."""
        open_steps: set[str] = set()
        for kind, urn, *_ in _read(self._events):
            if kind == "begun":
                open_steps.add(urn)
            elif kind in ("done", "failed"):
                open_steps.discard(urn)
        return open_steps

    @property
    def ended(self) -> bool:
        """Return whether the operation has ended."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """Kill the engine, the provider and the program simultaneously, like a machine crash."""
        kill_session(self._process)

    def wait(self, seconds: float) -> Outcome:
        """Return the outcome. On timeout, everything is killed and Failed is raised with the output."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"not done after {seconds:.0f} s:\n{self._output.read_text()[-6000:]}") from None
        lines = list(_read(self._events))
        return Outcome(
            changes={line[1]: line[2] for line in lines if line[0] == "done"},
            warnings=tuple(line[2] for line in lines if line[0] == "warning"),
            errors=tuple(line[2] for line in lines if line[0] == "error"),
            text=self._output.read_text(),
            succeeded=code == 0,
        )


class PulumiStack:
    """A stack of an emitted project.

    The project's folder is copied first, since the engine writes to `Pulumi.<stack>.yaml`. The stack is created by the
    real command `pulumi stack init`, which rejects an invalid `Pulumi.yaml`. `python` is an interpreter with exactly
    the packages in the project's requirements.txt. A PATH in the environment is searched first. `within` is a prefix
    for operations, such as `nsenter --net=…`.
    """

    def __init__(
        self,
        project: Path,
        stack: str,
        scratch: Path,
        python: Path,
        environment: Mapping[str, str] | None = None,
        within: tuple[str, ...] = (),
    ) -> None:
        self.stack = stack
        self.folder = scratch / "project"
        self._scratch = scratch
        self.python = python
        self._within = within
        self._count = 0
        variables = dict(environment or {})
        state = scratch / "state"
        state.mkdir(parents=True)
        self._environment = {
            "GOGC": os.environ.get("GOGC", "100"),
            "GOMEMLIMIT": os.environ.get("GOMEMLIMIT", "off"),
            "HOME": str(scratch),
            "PATH": _path(python, variables.pop("PATH", "")),
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "only for this test",
            "PULUMI_HOME": str(scratch / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK": "true",
            **variables,
        }
        shutil.copytree(project, self.folder)
        self.command("stack", "init", stack)

    @property
    def name(self) -> str:
        """Return the name of the project in Pulumi.yaml."""
        return str(yaml.safe_load((self.folder / "Pulumi.yaml").read_text())["name"])

    def replace(self, project: Path) -> None:
        """Replace the project with another version, keeping the state and settings of the stack."""
        settings = f"Pulumi.{self.stack}.yaml"
        saved = (self.folder / settings).read_bytes()
        shutil.rmtree(self.folder)
        shutil.copytree(project, self.folder)
        (self.folder / settings).write_bytes(saved)

    def configure(self, key: str, value: str, *, secret: bool = False) -> None:
        """Set a stack configuration value with `pulumi config set`, overriding the emitted value."""
        self.command("config", "set", "--secret" if secret else "--plaintext", key, value, "--stack", self.stack)

    def command(self, *arguments: str) -> str:
        """Run the real `pulumi` in the project folder. Raises Failed with its output on failure."""
        result = self.invoke(*arguments)
        if result.returncode:
            raise Failed(f"pulumi {' '.join(arguments)}: {result.stderr}{result.stdout}")
        return result.stdout

    def invoke(self, *arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run the real `pulumi` in the project folder and return its exit code and output.

        The engine only writes the state at the end, as it would otherwise write all of it after each resource.
        """
        return subprocess.run(
            [str(_pulumi()), *arguments, "--non-interactive"],
            cwd=self.folder,
            env={**self._environment, "PULUMI_SKIP_CHECKPOINTS": "true"},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def start(self, operation: str, variables: Mapping[str, str] | None = None) -> Running:
        """Start `up`, `refreshing-up`, `preview`, `refresh` or `destroy`, and return immediately."""
        self._count += 1
        events = self._scratch / f"{self._count}-{operation}.events"
        output = self._scratch / f"{self._count}-{operation}.out"
        events.touch()
        with output.open("wb") as file:
            process = subprocess.Popen(
                [*self._within, self.python, "-W", "ignore", _OPERATION, operation, self.folder, self.stack, events],
                cwd=self.folder,
                env={**self._environment, **(variables or {})},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Running(process, events, output)

    def run(self, operation: str, seconds: float = 900) -> Outcome:
        """Run an operation to its end. Raises Failed if the engine reports a failure.

        The engine only writes the state at the end, as it would otherwise write all of it after each resource.
        """
        running = self.start(operation, {"PULUMI_SKIP_CHECKPOINTS": "true"})
        try:
            outcome = running.wait(seconds)
        except BaseException:
            if not running.ended:
                running.kill()
            raise
        if not outcome.succeeded:
            raise Failed(f"{operation}:\n" + "\n".join(outcome.errors) + f"\n{outcome.text[-6000:]}")
        return outcome

    def up(self, seconds: float = 900) -> Outcome:
        """Run `pulumi up`."""
        return self.run("up", seconds)

    def refreshing_up(self, seconds: float = 900) -> Outcome:
        """Run `pulumi up --refresh`, which is quicker than two operations."""
        return self.run("refreshing-up", seconds)

    def preview(self, seconds: float = 900) -> Outcome:
        """Run `pulumi preview`."""
        return self.run("preview", seconds)

    def refresh(self, seconds: float = 900) -> Outcome:
        """Run `pulumi refresh`."""
        return self.run("refresh", seconds)

    def destroy(self, seconds: float = 900) -> Outcome:
        """Run `pulumi destroy`."""
        return self.run("destroy", seconds)

    def unlock(self) -> None:
        """Release the lock of a killed operation using `pulumi cancel`, which also reads the state."""
        restore_backups(self._scratch / "state")
        self.command("cancel", "--yes", "--stack", self.stack)

    def export(self) -> dict[str, Json]:
        """Return the deployment in the stack's state: `resources`, plus `pending_operations` after a kill."""
        restore_backups(self._scratch / "state")
        exported = json.loads(self.command("stack", "export", "--stack", self.stack))
        return cast(dict[str, Json], exported["deployment"])

    def resources(self) -> list[dict[str, Json]]:
        """Return the resources in the stack's state, excluding the stack itself and providers."""
        resources = cast(list[dict[str, Json]], self.export().get("resources", []))
        return [resource for resource in resources if not str(resource["type"]).startswith("pulumi:")]


def _read(events: Path) -> list[list[str]]:
    """Return all events except a last line that is still being written."""
    lines = events.read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _pulumi() -> Path:
    return installed_pulumi() or binary("pulumi")


def command_path() -> str:
    """Return the folders with `pulumi` and the plugins needed by its plain commands.

    An installed `pulumi` comes with Pulumi's own language plugin. A `pulumi` that we built doesn't, so ours is used
    instead.
    """
    installed = installed_pulumi()
    folders = (installed.parent,) if installed else (_PLUGINS,)
    return os.pathsep.join(map(str, (*folders, binaries())))


def _path(python: Path, first: str) -> str:
    """Return the PATH for the engine, plugins and interpreter, followed by the machine's own programs."""
    folders = (first, _pulumi().parent, binaries(), python.parent)
    return os.pathsep.join((*filter(None, map(str, folders)), os.environ.get("PATH", os.defpath)))


def restore_backups(state: Path) -> None:
    """Restore the engine's own backups of files that a kill left empty or incomplete, as a user would.

    A state file and its attributes (the content type) are overwritten in place. If the engine is killed at that moment,
    it reports `failed to load checkpoint: EOF` from then on.
    """
    for file in state.glob(".pulumi/stacks/**/*.json"):
        backup = file.with_name(f"{file.name}.bak")
        for current, saved in ((file, backup), (_attributes(file), _attributes(backup))):
            if current.is_file() and saved.is_file() and not _is_json(current):
                shutil.copyfile(saved, current)


def _is_json(file: Path) -> bool:
    try:
        json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return True


def _attributes(file: Path) -> Path:
    """Return the file where the backend stores the attributes of a state file."""
    return file.with_name(f"{file.name}.attrs")
