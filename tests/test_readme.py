"""What documents show is what happens: their commands are run, their output is compared, their spec is the example."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from modelyard.cli import main

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
_CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
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


def shown(block: str, place: Path) -> str:
    """A console block with the output that its commands have today."""
    commands = [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"$ {command}\n{_output(command, place)}" for command in commands)


def _output(command: str, place: Path) -> str:
    words = shlex.split(command)
    if words[0] == "modelyard":
        words = [sys.executable, "-m", *words]
    environment = {**os.environ, "LC_ALL": "C", "NO_COLOR": "1", "COLUMNS": "120"}
    run = subprocess.run(
        words, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert run.returncode in (0, 1), run.stdout
    return run.stdout


def test_readme_shows_what_happens(place: Path, accept: bool) -> None:
    """Every console block, in order, in one folder."""
    text = README.read_text(encoding="utf-8")
    printed = _CONSOLE.sub(lambda found: shown(found[0], place), text)
    if accept:
        README.write_text(printed, encoding="utf-8")

    assert _uncounted(printed) == _uncounted(README.read_text(encoding="utf-8"))


def _uncounted(text: str) -> str:
    """Without the number of files, which grows with every module of the runtime."""
    return re.sub(r"[0-9]+ (files|written)", r"N \1", text)


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
