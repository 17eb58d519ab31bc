"""An emitted project under the real engine: every operation a process of its own, with a state folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml

from testbed.build import installed_pulumi
from testbed.kubernetes.kubectl import Json
from testbed.places import binaries, binary
from testbed.processes import session

_OPERATION = Path(__file__).with_name("operation.py")


class Failed(AssertionError):
    """The engine refused; the message holds its words."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation did: for each URN `create`, `same`, `update`, `delete` …; and what the engine said."""

    changes: dict[str, str]
    warnings: tuple[str, ...]
    errors: tuple[str, ...]
    text: str
    succeeded: bool

    def of(self, *operations: str) -> set[str]:
        """The URNs to which one of these was done."""
        return {urn for urn, operation in self.changes.items() if operation in operations}

    @property
    def changed(self) -> dict[str, str]:
        """What was not left as it was."""
        return {urn: operation for urn, operation in self.changes.items() if operation not in ("same", "read")}


class Running:
    """An operation that is under way."""

    def __init__(self, process: subprocess.Popen[bytes], events: Path, output: Path) -> None:
        self._process = process
        self._events = events
        self._output = output

    @property
    def leader(self) -> int:
        """The id of the process whose session holds engine, provider and program."""
        return self._process.pid

    @property
    def begun(self) -> int:
        """How many steps the engine has begun so far."""
        return sum(kind == "begun" for kind, *_ in _read(self._events))

    @property
    def under_way(self) -> set[str]:
        """URNs whose step the engine has begun and not ended, well or badly; an ended step is in the stack's state."""
        open_steps: set[str] = set()
        for kind, urn, *_ in _read(self._events):
            if kind == "begun":
                open_steps.add(urn)
            elif kind in ("done", "failed"):
                open_steps.discard(urn)
        return open_steps

    @property
    def ended(self) -> bool:
        """Whether the operation is over."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """Ends engine, provider and program at once, as a crash of the machine would."""
        while left := session(self._process.pid):
            for process in left:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            self._process.wait()

    def wait(self, seconds: float) -> Outcome:
        """The outcome; when time is up everything is killed and Failed says what was printed."""
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
    """One stack of an emitted project.

    The project's folder is copied first, since the engine writes into `Pulumi.<stack>.yaml`. The stack is made by the
    literal command `pulumi stack init`, so a `Pulumi.yaml` that the command line does not accept fails at once.
    python is an interpreter that has what the project's requirements.txt names, and needs nothing else. A PATH in the
    environment is searched first. within is put before operations, such as `nsenter --net=…`.
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
        self._python = python
        self._within = within
        self._count = 0
        given = dict(environment or {})
        state = scratch / "state"
        state.mkdir(parents=True)
        self._environment = {
            "HOME": str(scratch),
            "PATH": _path(python, given.pop("PATH", "")),
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "only for this test",
            "PULUMI_HOME": str(scratch / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK": "true",
            **given,
        }
        shutil.copytree(project, self.folder)
        self.command("stack", "init", stack)

    @property
    def name(self) -> str:
        """The project's name, as its Pulumi.yaml says."""
        return str(yaml.safe_load((self.folder / "Pulumi.yaml").read_text())["name"])

    def replace(self, project: Path) -> None:
        """Puts another version of the project in place of this one; the stack's state and settings stay."""
        settings = f"Pulumi.{self.stack}.yaml"
        kept = (self.folder / settings).read_bytes()
        shutil.rmtree(self.folder)
        shutil.copytree(project, self.folder)
        (self.folder / settings).write_bytes(kept)

    def configure(self, key: str, value: str, *, secret: bool = False) -> None:
        """Sets a value of the stack's configuration by the literal command; it wins over the emitted one."""
        self.command("config", "set", "--secret" if secret else "--plaintext", key, value, "--stack", self.stack)

    def command(self, *arguments: str) -> str:
        """Runs the literal `pulumi` in the project's folder; Failed with its words when it fails."""
        done = subprocess.run(
            [str(_pulumi()), *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise Failed(f"pulumi {' '.join(arguments)}: {done.stderr}{done.stdout}")
        return done.stdout

    def start(self, operation: str) -> Running:
        """Begins `up`, `preview`, `refresh` or `destroy` and returns at once."""
        self._count += 1
        events = self._scratch / f"{self._count}-{operation}.events"
        output = self._scratch / f"{self._count}-{operation}.out"
        events.touch()
        with output.open("wb") as file:
            process = subprocess.Popen(
                [*self._within, self._python, "-W", "ignore", _OPERATION, operation, self.folder, self.stack, events],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Running(process, events, output)

    def run(self, operation: str, seconds: float = 900) -> Outcome:
        """Runs an operation to its end; Failed when the engine says that it failed."""
        running = self.start(operation)
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
        """`pulumi up`."""
        return self.run("up", seconds)

    def preview(self, seconds: float = 900) -> Outcome:
        """`pulumi preview`."""
        return self.run("preview", seconds)

    def refresh(self, seconds: float = 900) -> Outcome:
        """`pulumi refresh`."""
        return self.run("refresh", seconds)

    def destroy(self, seconds: float = 900) -> Outcome:
        """`pulumi destroy`."""
        return self.run("destroy", seconds)

    def _restore(self) -> None:
        """Put the engine's own backup in the place of a state that a kill has left empty, as whoever runs it would.

        The engine writes its state to files in place: killed in that moment, it leaves an empty one and the backup.
        """
        for file in self._scratch.glob("state/.pulumi/stacks/**/*.json"):
            backup = file.with_name(f"{file.name}.bak")
            if not file.stat().st_size and backup.is_file():
                shutil.copyfile(backup, file)

    def unlock(self) -> None:
        """Gives up the lock that a killed operation left: `pulumi cancel`."""
        self.command("cancel", "--yes", "--stack", self.stack)

    def export(self) -> dict[str, Json]:
        """The deployment in the stack's state: `resources`, and `pending_operations` after a kill."""
        self._restore()
        found = json.loads(self.command("stack", "export", "--stack", self.stack))
        return cast(dict[str, Json], found["deployment"])

    def resources(self) -> list[dict[str, Json]]:
        """The resources in the stack's state, without the stack itself and providers; empty after a destroy."""
        resources = cast(list[dict[str, Json]], self.export().get("resources", []))
        return [resource for resource in resources if not str(resource["type"]).startswith("pulumi:")]


def _read(events: Path) -> list[list[str]]:
    """The events so far; a last line that is still being written is left out."""
    lines = events.read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _pulumi() -> Path:
    return installed_pulumi() or binary("pulumi")


def _path(python: Path, first: str) -> str:
    """Where engine, provider plugins and the interpreter are found; the machine's own programs come last."""
    folders = (first, _pulumi().parent, binaries(), python.parent)
    return os.pathsep.join((*filter(None, map(str, folders)), os.environ.get("PATH", os.defpath)))
