"""Tests that the README and the tutorial show the actual output of their commands."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from modelyard.cli import main
from tests.transcripts import played, uncounted

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
_SHELL = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LANGUAGE_SERVER = re.compile(r"^# yaml-language-server:.*\n")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with all examples, in which `hello` matches the README's first screen."""
    ignored = shutil.ignore_patterns("build", "modelyard.lock")
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=ignored)
    shutil.copytree(tmp_path / "examples" / "hello", tmp_path / "hello")
    spec = tmp_path / "hello" / "system.yaml"
    spec.write_text(_LANGUAGE_SERVER.sub("", spec.read_text(encoding="utf-8")), encoding="utf-8")
    return tmp_path


def test_readme_shows_the_actual_output(place: Path, accept: bool) -> None:
    """Running the README's console blocks in order, in one folder, prints the output shown there."""
    check(README, place, accept)


def test_tutorial_shows_the_actual_output(tmp_path: Path, accept: bool) -> None:
    """Running the tutorial's commands in order, in an empty folder, prints the output shown there."""
    check(ROOT / "docs" / "tutorial.md", tmp_path, accept)


def check(page: Path, place: Path, accept: bool) -> None:
    """Assert that a page shows the current output of the commands on it."""
    printed = played(page.read_text(encoding="utf-8"), place)
    if accept:
        page.write_text(printed, encoding="utf-8")

    assert uncounted(printed) == uncounted(page.read_text(encoding="utf-8"))


def test_readme_shows_the_example(place: Path) -> None:
    """The README's first spec is examples/hello without the editor's schema comment."""
    first = README.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```\n")[0]

    assert first == (place / "hello" / "system.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", sorted(ROOT.glob("examples/*/README.md")), ids=lambda page: page.parent.name)
def test_commands_of_an_example_work(page: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands on an example's page create the projects."""
    monkeypatch.chdir(place)
    lines = [line for block in _SHELL.findall(page.read_text(encoding="utf-8")) for line in block.splitlines()]
    commands = [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("modelyard ")]

    assert commands
    assert [main(command) for command in commands] == [0] * len(commands)
