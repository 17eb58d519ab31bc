"""Tests the start of `modelyard migrate --rehearse`: what it needs, refuses and keeps, and how it ends."""

from __future__ import annotations

import errno
import fcntl
import os
import shlex
import shutil
import signal
from pathlib import Path

import pytest

from modelyard.cli import rehearse
from tests.compiler.cli.commands import Run


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder used as the entire PATH, with the programs needed by rehearsals and a Python that has Ray.

    This Python is a script that claims to have every package, and fails to run anything.
    """
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("awk", "bash", "curl", "diff", "rclone"):
        (folder / name).touch(mode=0o755)
    (folder / "python").write_text("#!/bin/sh\n[ \"$1\" = -c ] && echo '[]'\n", encoding="utf-8")
    (folder / "python").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("MODELYARD_PYTHON", str(folder / "python"))
    return folder


REHEARSE = ("--env", "aws", "--to", "gcp:europe-west3", "--rehearse")


def test_a_rehearsal_needs_the_programs_that_commands_call(run: Run, hello: Path, programs: Path) -> None:
    """Without rclone, nothing is written, and the error names the missing program."""
    (programs / "rclone").unlink()

    result = run("migrate", hello, *REHEARSE)

    assert result.code == 1
    assert "error[E0550]: not installed: rclone\n" in result.err
    assert not (hello / ".modelyard" / "aws-gcp.rehearsal").exists()


def test_one_rehearsal_runs_at_a_time(run: Run, hello: Path, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearse, "_PATIENCE_S", 0)
    folder = hello / ".modelyard" / "aws-gcp.rehearsal"
    folder.mkdir(parents=True)
    with (folder / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        result = run("migrate", hello, *REHEARSE)

    assert result.code == 1
    assert "error[E0551]" in result.err


def test_a_rehearsal_stops_if_the_old_side_does_not_run(run: Run, hello: Path, programs: Path) -> None:
    """The plan is written, no phase is done, and git ignores all new files in the original folder."""
    before = sorted(hello.iterdir())

    result = run("migrate", hello, *REHEARSE)

    assert result.code == 1
    assert "error[E0552]" in result.err
    assert sorted(hello.iterdir()) == sorted([*before, hello / ".modelyard"])
    state = hello / ".modelyard/aws-gcp.rehearsal/system/migration/state.yaml"
    assert "done: []" in state.read_text(encoding="utf-8")


def test_a_rehearsal_of_something_else_starts_over(run: Run, hello: Path, programs: Path) -> None:
    """The same command continues the rehearsal. New destinations, options or user code restart it."""
    (hello / "to.yaml").write_text("metadata: {labels: {moved: yes-it-is}}\n", encoding="utf-8")
    left = hello / ".modelyard/aws-gcp.rehearsal/old/left"
    run("migrate", hello, *REHEARSE)
    left.touch()

    same = run("migrate", hello, *REHEARSE)
    assert "continuing with 1-build" in same.err
    assert left.exists()
    for change in ("code", "overlay", "place"):
        left.touch()
        if change == "code":
            (hello / "features.py").write_text("VALUE = 2\n", encoding="utf-8")
        overlay = ("--overlay", hello / "to.yaml") if change == "overlay" else ()
        region = ("--to", "gcp:europe-west4") if change == "place" else ()
        other = run("migrate", hello, *REHEARSE, *overlay, *region)
        assert "starting over, because the spec, the options or files next to the spec have changed" in other.err
        assert not left.exists()


def test_an_interrupted_removal_of_a_rehearsal_is_repeated(
    run: Run, hello: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing from an earlier rehearsal gets into the next one, even if the former's record is gone."""
    folder = hello / ".modelyard/aws-gcp.rehearsal"
    run("migrate", hello, *REHEARSE)
    (folder / "old" / "left").touch()
    shutil.rmtree(folder / "system")
    (folder / "made-from").write_text("starting over", encoding="utf-8")

    again = run("migrate", hello, *REHEARSE)

    assert "starting over" in again.err
    assert not (folder / "old" / "left").exists()


def test_a_rehearsal_that_cannot_write_says_so(
    run: Run, hello: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rehearsal exits with 1 if the disk is full or its folder is a file, as neither is a bug in modelyard."""
    (hello / ".modelyard").touch()
    blocked = run("migrate", hello, *REHEARSE)
    (hello / ".modelyard").unlink()

    def full(*paths: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(hello / "copied"))

    monkeypatch.setattr(shutil, "copy", full)
    filled = run("migrate", hello, *REHEARSE)

    assert (blocked.code, filled.code) == (1, 1)
    assert "error[E0707]: cannot write" in blocked.err
    assert "copied': no space left on device" in filled.err


def test_a_file_that_cannot_be_read_is_named_and_links_to_nothing_are_left_out(
    run: Run, hello: Path, programs: Path
) -> None:
    """A process's memory can be opened as a file, but the operating system won't let even root read it."""
    environments = hello / "environments"
    (environments / "gone.yaml").symlink_to(hello / "nowhere")
    left_out = run("migrate", hello, *REHEARSE)
    (environments / "broken.yaml").symlink_to("/proc/self/mem")

    refused = run("migrate", hello, *REHEARSE)

    assert "error[E0552]" in left_out.err, "it copied what is there, and stopped at the first run of the old side"
    assert refused.code == 1
    assert f"error[E0150]: cannot read '{environments / 'broken.yaml'}': input/output error\n" in refused.err


@pytest.mark.parametrize("name", ["50%", "a?b", "a:b"])
def test_a_path_that_means_something_else_to_a_database_is_refused(
    run: Run, hello: Path, programs: Path, name: str
) -> None:
    spec = hello.rename(hello.with_name(name))

    result = run("migrate", spec, *REHEARSE)

    assert result.code == 1
    assert "error[E0705]" in result.err
    assert not (spec / ".modelyard").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_old_side_ends_with_a_rehearsal_that_is_told_to_end(
    run: Run, hello: Path, programs: Path, number: signal.Signals
) -> None:
    """The old side's only process gets SIGTERM. The rehearsal waits for it to end, then ends as after Ctrl-C."""
    ended = hello / "ended"
    script = f"""\
if [ "$1" = -c ]; then echo '[]'; exit; fi
trap 'echo ended > {shlex.quote(str(ended))}; exit 1' TERM
kill -{number.name.removeprefix("SIG")} {os.getpid()}
while :; do /bin/sleep 0.05; done
"""
    (programs / "python").write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
    before = signal.signal(number, signal.SIG_DFL)  # `nohup` and background jobs ignore some signals

    try:
        result = run("migrate", hello, *REHEARSE)
        after = signal.getsignal(number)
    finally:
        signal.signal(number, before)

    assert result.code == 130
    assert ended.exists()
    assert after is signal.SIG_DFL
