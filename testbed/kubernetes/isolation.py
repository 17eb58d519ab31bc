"""Creates a network namespace with no route out.

Everything inside is stopped at the end, even if an earlier run was killed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_NAMES = Path("/run/netns")
_RECORDS = Path("/run/modelyard")


@dataclass(frozen=True, slots=True)
class Network:
    """A network namespace, and the folder for files of everything running in it."""

    name: str
    folder: Path

    @property
    def within(self) -> tuple[str, ...]:
        """Return the command prefix. `ip netns exec` isn't used, as it would hide /sys/fs/cgroup from a kubelet."""
        return ("nsenter", f"--net={_NAMES / self.name}")

    def end_containers(self) -> None:
        """Kill the processes of all containers and their shims, and remove their network namespaces."""
        namespaces = {_network_of(process) for process in _containers(self.folder)}
        for _ in range(50):
            left = [*_shims(self.folder), *_containers(self.folder)]
            if not left:
                break
            for process in left:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.1)
        for path in _NAMES.glob("cni-*"):
            if path.stat().st_ino in namespaces:
                _ip("netns", "delete", path.name)


@contextmanager
def network(folder: Path, address: str, nowhere: str) -> Generator[Network]:
    """Create a namespace with loopback and a bridge whose default route leads to an unused address.

    This first cleans up after killed runs. A machine only has one such namespace at a time, because kubelets share
    cgroups, and each one kills Pods that aren't its own.
    """
    _RECORDS.mkdir(exist_ok=True)
    with (_RECORDS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _clear_left_behind()
        with _created(folder, address, nowhere) as isolated:
            yield isolated


@contextmanager
def _created(folder: Path, address: str, nowhere: str) -> Generator[Network]:
    isolated = Network(f"modelyard-{os.getpid()}", folder)
    record = _RECORDS / isolated.name
    record.write_text(str(folder))
    try:
        _ip("netns", "add", isolated.name)
        inside = ("-n", isolated.name)
        _ip(*inside, "link", "set", "lo", "up")
        _ip(*inside, "link", "add", "node0", "type", "bridge")
        _ip(*inside, "addr", "add", f"{address}/24", "dev", "node0")
        _ip(*inside, "link", "set", "node0", "up")
        _ip(*inside, "route", "add", "default", "via", nowhere, "dev", "node0")
        _run(*isolated.within, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        yield isolated
    finally:
        _remove(isolated)
        record.unlink()


def _clear_left_behind() -> None:
    """Clean up after runs whose process no longer exists."""
    for record in _RECORDS.glob("modelyard-*"):
        owner = int(record.name.removeprefix("modelyard-"))
        if not Path(f"/proc/{owner}").exists():
            left = Network(record.name, Path(record.read_text()))
            _remove(left)
            shutil.rmtree(left.folder, ignore_errors=True)
            record.unlink()


def _remove(left: Network) -> None:
    left.end_containers()
    for _ in range(3):
        for mount in _mounts(left.folder):
            subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)
    if (_NAMES / left.name).exists():
        _ip("netns", "delete", left.name)


def _mounts(folder: Path) -> list[str]:
    """Return the mount points below a folder, with the innermost first."""
    points = (line.split()[1] for line in Path("/proc/mounts").read_text().splitlines())
    return sorted((point for point in points if point.startswith(f"{folder}/")), reverse=True)


def _shims(folder: Path) -> Iterator[int]:
    """Yield containerd's shims in the given folder, which outlive containerd by design."""
    for process in _processes():
        with suppress(OSError):
            command = Path(f"/proc/{process}/cmdline").read_bytes()
            if b"containerd-shim" in command and os.fsencode(f"{folder}/") in command:
                yield process


def _containers(folder: Path) -> Iterator[int]:
    """Yield the processes that have their root file system in the given folder."""
    for process in _processes():
        with suppress(OSError):
            for line in Path(f"/proc/{process}/mountinfo").read_text().splitlines():
                if line.split()[4] == "/" and f"{folder}/" in line:
                    yield process


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _network_of(process: int) -> int:
    with suppress(OSError):
        return Path(f"/proc/{process}/ns/net").stat().st_ino
    return 0


def _ip(*arguments: str) -> None:
    _run(shutil.which("ip") or "ip", *arguments)


def _run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr}")
