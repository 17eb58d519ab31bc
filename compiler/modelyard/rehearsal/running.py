"""Start and end the two sides of a rehearsal, each a process that ends with this one."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from modelyard.rehearsal.stand_ins import FOLDER

_SCRIPT: Final = Path(__file__).with_name("side.py")
_HERE: Final = "127.0.0.1,localhost"
_KEPT: Final = frozenset({"PATH", "LANG", "LANGUAGE", "TMPDIR", "TZ", "USER", "LOGNAME", "LD_LIBRARY_PATH"})
"""The variables that a plan's commands inherit, besides LC_* and the folders of PYTHONPATH.

Others could replace stand-ins, as BASH_ENV and exported functions do, or lead commands to real clusters and clouds.
"""

_QUIET: Final = {
    "MODELYARD_FOLLOW_S": "1",
    "MODELYARD_FLUSH_S": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


class DoesNotStart(Exception):
    """A side has ended instead of answering."""


class SideProcess:
    """A running side: MLflow, and the model servers."""

    def __init__(self, python: str, compiled: Path, state: Path, code: Path) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.log = state / "side.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [python, str(_SCRIPT), str(compiled), str(state)],
                env=runtime_environment(compiled, code),
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
        """Restart MLflow, and wait until it answers."""
        stream = self._process.stdin
        assert stream is not None
        try:
            stream.write(b"restart\n")
            stream.flush()
        except BrokenPipeError:
            raise DoesNotStart(f"the side has stopped; its log is {self.log}") from None
        self._line()

    def close(self) -> None:
        """End the side and everything that it has started."""
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()
        self._process.wait()

    def _line(self) -> str:
        stream = self._process.stdout
        assert stream is not None
        line = stream.readline().decode()
        if not line:
            raise DoesNotStart(f"the side has stopped; its log is {self.log}")
        return line


def runtime_environment(compiled: Path, code: Path) -> dict[str, str]:
    """Return the environment in which Python imports a compiled system's runtime, and the user's own code."""
    present = os.environ.get("PYTHONPATH", "")
    folders = [str((compiled / "runtime").resolve()), str(code.resolve()), *([present] if present else [])]
    return {**os.environ, **_QUIET, **_without_proxy(), "PYTHONPATH": os.pathsep.join(folders)}


def command_environment(folder: Path, remotes: Mapping[str, Path]) -> dict[str, str]:
    """Return the environment of a plan's commands: stand-ins first, and folders in place of rclone's remotes."""
    aliases: dict[str, str] = {}
    for name, place in remotes.items():
        aliases |= {
            f"RCLONE_CONFIG_{name.upper()}_TYPE": "alias",
            f"RCLONE_CONFIG_{name.upper()}_REMOTE": str(place),
        }
    kept = {name: text for name, text in os.environ.items() if name in _KEPT or name.startswith("LC_")}
    path = os.pathsep.join([str(folder / "bin"), os.environ.get("PATH", os.defpath)])
    own = {"PATH": path, "HOME": str(folder / "home"), FOLDER: str(folder)}
    return {**kept, **_QUIET, **_imports(), **aliases, **own, "NO_PROXY": _HERE, "no_proxy": _HERE}


def _imports() -> dict[str, str]:
    """Return where commands import Python modules from, which is never the folder of the user's files."""
    present = [os.path.abspath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return {"PYTHONSAFEPATH": "1", **({"PYTHONPATH": os.pathsep.join(present)} if present else {})}


def _without_proxy() -> dict[str, str]:
    """Return what keeps requests to this machine from a proxy. User code may need it for other requests."""
    named = [os.environ[name] for name in ("NO_PROXY", "no_proxy") if os.environ.get(name)]
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join([*dict.fromkeys(named), _HERE]))
