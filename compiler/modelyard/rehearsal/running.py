"""Start and stop the two sides of a rehearsal. Each is a process that never outlives the rehearsal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from modelyard.rehearsal.stand_ins import FOLDER

_SCRIPT: Final = Path(__file__).with_name("side.py")
_TIED: Final = Path(__file__).with_name("tied.py")
_PATIENCE_S: Final = 60.0
_SHOWN: Final = 300
_HERE: Final = "127.0.0.1,localhost"
_KEPT: Final = frozenset({"PATH", "LANG", "LANGUAGE", "TMPDIR", "TZ", "USER", "LOGNAME", "LD_LIBRARY_PATH"})
"""The environment variables that a plan's commands inherit, besides LC_* and the folders of PYTHONPATH.

Other variables could replace stand-ins, as BASH_ENV and exported functions do, or direct commands to real clusters and
clouds.
"""

_ENVIRONMENT: Final = {
    "MODELYARD_FOLLOW_S": "1",
    "MODELYARD_FLUSH_S": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
"""Variables for sides and commands: short intervals, no telemetry, no progress bars, and no files next to sources."""


class DoesNotStart(Exception):
    """Raised if a side exited instead of responding."""


class SideProcess:
    """A running side: MLflow, and the model servers."""

    def __init__(self, python: str, compiled: Path, state: Path, code: Path) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.log = state / "side.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [python, str(_SCRIPT), str(compiled), str(state)],
                env=side_environment(compiled, code),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches only the rehearsal, which ends the sides in order
            )
        try:
            self.ports: Mapping[str, int] = json.loads(self._line())
        except BaseException:
            self.close()
            raise

    def restart_registry(self) -> None:
        """Restart MLflow, and wait until it responds."""
        stream = self._process.stdin
        assert stream is not None
        try:
            stream.write(b"restart\n")
            stream.flush()
        except BrokenPipeError:
            raise self._stopped() from None
        self._line()

    def close(self) -> None:
        """Stop the side's process and all processes that it has started."""
        end(self._process)

    def _line(self) -> str:
        stream = self._process.stdout
        assert stream is not None
        line = stream.readline().decode()
        if not line:
            raise self._stopped()
        return line

    def _stopped(self) -> DoesNotStart:
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return DoesNotStart(f"the side has stopped{f': {last[:_SHOWN]}' if last else ''}; its log is {self.log}")


def run_tied(command: Sequence[str], environment: Mapping[str, str], log: Path, hold: int) -> int:
    """Run a command to completion and return its exit code. The command never outlives this process.

    `hold` is a file descriptor (the rehearsal's lock) that stays open until the command has ended.
    """
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, "-S", "-E", str(_TIED), *command],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            pass_fds=(hold,),
        )
    try:
        return process.wait()
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a process by closing its standard input. If it doesn't shut down in time, it is killed.

    A second Ctrl-C kills it immediately. Its child processes then end with it, without a clean shutdown.
    """
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        _kill(process)
    except BaseException:
        _kill(process)
        raise


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def runtime_environment(compiled: Path, code: Path) -> dict[str, str]:
    """Return an environment in which Python can import a compiled system's runtime and the user's own code."""
    present = os.environ.get("PYTHONPATH", "")
    folders = [str((compiled / "runtime").resolve()), str(code.resolve()), *([present] if present else [])]
    return {**os.environ, **_ENVIRONMENT, **_without_proxy(), "PYTHONPATH": os.pathsep.join(folders)}


def side_environment(compiled: Path, code: Path) -> dict[str, str]:
    """Return a side's environment. It disables proxies, because a side only sends requests to this machine."""
    environment = runtime_environment(compiled, code)
    kept = {name: text for name, text in environment.items() if not name.lower().endswith("_proxy")}
    return {**kept, "NO_PROXY": "*", "no_proxy": "*"}


def command_environment(folder: Path, remotes: Mapping[str, Path]) -> dict[str, str]:
    """Return the environment for a plan's commands, with stand-ins first in PATH and folders as remotes."""
    aliases: dict[str, str] = {}
    for name, place in remotes.items():
        aliases |= {
            f"RCLONE_CONFIG_{name.upper()}_TYPE": "alias",
            f"RCLONE_CONFIG_{name.upper()}_REMOTE": str(place),
        }
    kept = {name: text for name, text in os.environ.items() if name in _KEPT or name.startswith("LC_")}
    path = os.pathsep.join([str(folder / "bin"), os.environ.get("PATH", os.defpath)])
    own = {"PATH": path, "HOME": str(folder / "home"), FOLDER: str(folder)}
    return {**kept, **_ENVIRONMENT, **_imports(), **aliases, **own, "NO_PROXY": _HERE, "no_proxy": _HERE}


def _imports() -> dict[str, str]:
    """Return variables that keep commands from importing Python modules from the folder of the user's files."""
    present = [os.path.abspath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return {"PYTHONSAFEPATH": "1", **({"PYTHONPATH": os.pathsep.join(present)} if present else {})}


def _without_proxy() -> dict[str, str]:
    """Return variables that exempt this machine from the proxy that user code may need to fetch data."""
    hosts = [os.environ[name] for name in ("NO_PROXY", "no_proxy") if os.environ.get(name)]
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join([*dict.fromkeys(hosts), _HERE]))
