"""Tests that parts of the testbed are built only if they are missing or their description has changed."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from testbed import build
from testbed.parts import PARTS, Part

# Stands in for Go: records arguments, writes the binary, and reports the modules that the binary was built from.
# A build waits until $MODULES modules have been resolved.
FAKE_GO = """#!/bin/sh
echo "$@" >> "$CALLS"
case $1 in
mod) touch go.sum; [ "$(basename "$PWD")" != unknown ] ;;
build) for second in 1 2 3 4 5 6 7 8 9 10; do [ "$(grep -c '^mod tidy' "$CALLS")" -ge "$MODULES" ] || sleep 1; done
       [ "$(grep -c '^mod tidy' "$CALLS")" -ge "$MODULES" ] || exit 1
       while [ "$1" != -o ]; do shift; done; echo built > "$2" ;;
version) printf '\\tdep\\texample.org/tool\\t%s\\th1:x\\n' "$TOLD" ;;
esac
"""

TOOL = Part("tool", ("example.org/tool v1.2.3",), {"tool": "example.org/tool/cmd"})
OTHER = Part("other", ("example.org/other v1.0.0",), {"other": "example.org/other/cmd"})


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set up one part of the testbed and a fake Go, and return the file that records Go's arguments."""
    go = tmp_path / "path" / "go"
    go.parent.mkdir()
    go.write_text(FAKE_GO)
    go.chmod(go.stat().st_mode | stat.S_IXUSR)
    notes = tmp_path / "calls"
    notes.touch()
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    monkeypatch.setenv("CALLS", str(notes))
    monkeypatch.setenv("TOLD", "v0.0.0")
    monkeypatch.setenv("MODULES", "1")
    monkeypatch.setenv("MODELYARD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(build, "PARTS", (TOOL,))
    return notes


def builds(calls: Path) -> int:
    """Return how often Go was called to build a binary."""
    return sum(line.startswith("build ") for line in calls.read_text().splitlines())


def test_a_missing_part_is_built_once(calls: Path) -> None:
    assert build.unbuilt() == ["tool"]

    build.build()
    build.build()

    assert builds(calls) == 1
    assert build.unbuilt() == []


@pytest.mark.parametrize(
    "changed",
    [replace(TOOL, requires=("example.org/tool v1.3.0",)), replace(TOOL, tags=("small",))],
    ids=("version", "tags"),
)
def test_changed_part_is_rebuilt(calls: Path, monkeypatch: pytest.MonkeyPatch, changed: Part) -> None:
    """If the version or the build tags in a part's description have changed, the part counts as missing."""
    build.build()
    monkeypatch.setattr(build, "PARTS", (changed,))
    assert build.unbuilt() == ["tool"]

    build.build()

    assert builds(calls) == 2


def test_modules_of_later_parts_are_downloaded_meanwhile(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first build ends only once the second part's module is resolved. Each module is resolved once."""
    monkeypatch.setattr(build, "PARTS", (TOOL, OTHER))
    monkeypatch.setenv("MODULES", "2")

    build.build()

    assert builds(calls) == 2
    assert calls.read_text().count("mod tidy") == 2


def test_module_that_is_not_found_fails_the_build(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "PARTS", (TOOL, replace(OTHER, name="unknown")))

    with pytest.raises(RuntimeError, match=r"go mod tidy failed in .*unknown"):
        build.build()

    assert build.unbuilt() == ["other"]


@pytest.mark.parametrize(("reported_version", "unbuilt"), [("v1.2.3", []), ("v1.2.2", ["tool"])])
def test_binary_without_a_stamp_is_kept_if_its_modules_match(
    calls: Path, monkeypatch: pytest.MonkeyPatch, reported_version: str, unbuilt: list[str]
) -> None:
    """Go reads the versions of the modules from the binary."""
    build.build()
    for stamp in calls.parent.glob("cache/testbed/bin/.stamps/*"):
        stamp.unlink()
    monkeypatch.setenv("TOLD", reported_version)

    assert build.unbuilt() == unbuilt


def test_an_installed_pulumi_is_used(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`pulumi` is not built if it is on the PATH."""
    engine = Part("cli", ("example.org/pulumi v3.0.0",), {"pulumi": "example.org/pulumi"})
    monkeypatch.setattr(build, "PARTS", (engine,))
    assert build.unbuilt() == ["pulumi"]
    installed = calls.parent / "path" / "pulumi"
    installed.write_text("#!/bin/sh\n")
    installed.chmod(0o755)

    assert build.installed_pulumi() == installed
    assert build.unbuilt() == []


def test_no_two_parts_build_the_same_program() -> None:
    programs = [program for part in PARTS for program in part.programs]

    assert len(programs) == len(set(programs))
