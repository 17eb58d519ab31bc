"""What documents show is what happens: their commands are run, their output is compared, their spec is the example."""

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
    """A folder of a reader: `hello` as the first screen shows it, and all examples."""
    ignored = shutil.ignore_patterns("build", "modelyard.lock")
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=ignored)
    shutil.copytree(tmp_path / "examples" / "hello", tmp_path / "hello")
    spec = tmp_path / "hello" / "system.yaml"
    spec.write_text(_LANGUAGE_SERVER.sub("", spec.read_text(encoding="utf-8")), encoding="utf-8")
    return tmp_path


def test_readme_shows_what_happens(place: Path, accept: bool) -> None:
    """Every console block, in order, in one folder."""
    check(README, place, accept)


def test_tutorial_shows_what_happens(tmp_path: Path, accept: bool) -> None:
    """Every command of the tutorial, in order, from an empty folder."""
    check(ROOT / "docs" / "tutorial.md", tmp_path, accept)


def check(page: Path, place: Path, accept: bool) -> None:
    """A page shows what its commands print today."""
    printed = played(page.read_text(encoding="utf-8"), place)
    if accept:
        page.write_text(printed, encoding="utf-8")

    assert uncounted(printed) == uncounted(page.read_text(encoding="utf-8"))


def test_readme_shows_the_example(place: Path) -> None:
    """The spec of the first screen is examples/hello, without the line for editors."""
    first = README.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```\n")[0]

    assert first == (place / "hello" / "system.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", sorted(ROOT.glob("examples/*/README.md")), ids=lambda page: page.parent.name)
def test_commands_of_an_example_work(page: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever types what the page of an example says gets projects."""
    monkeypatch.chdir(place)
    lines = [line for block in _SHELL.findall(page.read_text(encoding="utf-8")) for line in block.splitlines()]
    commands = [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("modelyard ")]

    assert commands
    assert [main(command) for command in commands] == [0] * len(commands)
