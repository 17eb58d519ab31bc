"""Tests that a run killed at any moment leaves the complete old or new tree, and that the next run succeeds."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from modelyard.disk import OutputFile, write_tree
from modelyard.disk.record import RECORD
from modelyard.disk.switch import LOCK

FILES = 60
KILLS = {"one exchange": 220, "two renames": 60}
NOTE = "notes/mine.txt"

WRITER = """
import os, signal, sys
from pathlib import Path
from modelyard.disk import OutputFile, switch, write_tree

def files(version):
    for n in range(int(sys.argv[2])):
        text = f"{n} same" if n % 3 else f"{n} {version} " + version * 500
        yield OutputFile(f"{n % 5}/{n}" if n % 4 else f"{n}-{version}", text.encode)

if sys.argv[3] == "two renames":
    switch._exchange = lambda one, other: False
for line in sys.stdin:
    child = os.fork()
    if not child:
        ready = None
        while True:
            for version in "ab":
                report, problems = write_tree(Path(sys.argv[1]), "prod", "main", files(version), version)
                if problems:
                    os.write(2, repr(problems).encode())
                    os._exit(3)
                if ready is None:
                    ready = signal.setitimer(signal.ITIMER_PROF, float(line))
    _, status = os.waitpid(child, 0)
    print(status, flush=True)
"""
"""A program that, for each line it reads, starts a process that alternates between two versions until it is killed.

The line is the processor time from the first written version to the kill, which does not depend on the load of the
machine. The process does not handle SIGPROF, so the signal ends it as SIGKILL would.
"""


def files(version: str) -> Iterator[OutputFile]:
    """Yield the files of one tree version. Two thirds are in every version, and some are only in one."""
    for number in range(FILES):
        text = f"{number} same" if number % 3 else f"{number} {version} " + version * 500
        yield OutputFile(f"{number % 5}/{number}" if number % 4 else f"{number}-{version}", text.encode)


VERSIONS = {version: {file.path: file.render() for file in files(version)} for version in "ab"}


def tree(root: Path) -> dict[str, bytes]:
    """Return all files of a tree except its record."""
    paths = (path for path in root.rglob("*") if path.is_file() and path.name != RECORD)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def version_of(root: Path) -> str:
    """Return the version of a tree, which must be complete and contain the user's note."""
    content = tree(root)
    assert content.pop(NOTE) == b"mine"
    return next(version for version, expected in VERSIONS.items() if content == expected)


@dataclass
class Writers:
    """Starts and kills processes that write trees, all of which replace the old tree in the same way."""

    process: subprocess.Popen[str]
    switch: str

    def kill_one_after(self, seconds: float) -> int:
        """Start a writer, kill it once it has used the given processor time, and return its exit status."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{seconds}\n")
        stdin.flush()
        return int(stdout.readline())


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return an output folder with the first version and a user's note."""
    write_tree(tmp_path, "prod", "main", files("a"), "a")
    (tmp_path / "prod/main/notes").mkdir()
    (tmp_path / "prod/main" / NOTE).write_bytes(b"mine")
    return tmp_path


@pytest.fixture(params=list(KILLS))
def writers(request: pytest.FixtureRequest, out: Path) -> Iterator[Writers]:
    """Yield writers that switch trees atomically, or by two renames like on systems without atomic exchange."""
    command = [sys.executable, "-c", WRITER, str(out), str(FILES), request.param]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Writers(process, request.param)
        assert process.stdin is not None
        process.stdin.close()


def test_a_run_killed_at_any_moment_leaves_a_complete_tree(out: Path, writers: Writers) -> None:
    """The tree is complete after each of many kills at random moments. A final run succeeds and cleans up."""
    moments = random.Random(7)
    kills = KILLS[writers.switch]
    counts = {"a": 0, "b": 0}
    interrupted = 0
    for turn in range(kills):
        assert writers.kill_one_after(moments.uniform(0.001, 0.03)) == signal.SIGPROF
        leftovers = [path for path in (out / "prod").iterdir() if path.name != "main"]
        interrupted += bool(leftovers)
        root = out / "prod/main"
        if writers.switch == "two renames" and not root.exists():
            root = next(path for path in leftovers if path.suffix == ".old")
        counts[version_of(root)] += 1
        if turn % 10 == 0:
            version = "ab"[turn // 10 % 2]
            assert write_tree(out, "prod", "main", files(version), version)[1] == ()
            assert version_of(out / "prod/main") == version
            assert [path.name for path in (out / "prod").iterdir()] == ["main"]

    assert {path.name for path in out.iterdir()} == {"prod", LOCK}
    assert min(counts.values()) > 0
    assert interrupted > kills // 10  # otherwise, no kill happened while a tree was being written
