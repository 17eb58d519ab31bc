"""Tests that a spec compiles to the same bytes on any machine, in any folder, and with any key order."""

from __future__ import annotations

import copy
import json
import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

import pytest

from modelyard.emit import emit
from modelyard.pipeline import compile_system
from modelyard.source import Json
from modelyard_targets import TARGETS
from tests.hostile.seeds import Seed, seeds

ROOT = Path(__file__).resolve().parent.parent
SEEDS = [pytest.param(seed, id=seed.name) for seed in seeds()]

DIGEST = """
import os, sys
from hashlib import sha256
from modelyard.api import compile_text
spec, environment, folder = sys.argv[1:]
text = open(spec, encoding="utf-8").read()
os.chdir(folder)
done = compile_text(text, environment=environment or None, path=spec)
assert done.ok and done.files, done.diagnostics
print(sha256(repr(sorted(done.files.items())).encode()).hexdigest(), list(done.files))
"""


def files(seed: Seed, value: Json = None, path: str = "system.yaml") -> dict[str, bytes]:
    """Return the output for a seed, or for another document in its place."""
    text = seed.text if value is None else json.dumps(value)
    outcome = compile_system(seed.inputs(text, path), TARGETS)
    assert not outcome.failed, outcome.diagnostics
    return {file.path: file.render() for stack in outcome.stacks for file in emit(stack)}


def shuffled(value: Json, random: Random) -> Json:
    """Shuffle the keys of every mapping in a value, keeping the order of lists."""
    if isinstance(value, dict):
        keys = list(value)
        random.shuffle(keys)
        return {key: shuffled(value[key], random) for key in keys}
    return [shuffled(item, random) for item in value] if isinstance(value, list) else value


def first_difference(first: dict[str, bytes], second: dict[str, bytes]) -> str:
    """Return the first line where two outputs differ, or an empty string."""
    if list(first) != list(second):
        return f"paths {list(first)} and {list(second)}"
    for path, content in first.items():
        for number, pair in enumerate(zip(content.splitlines(), second[path].splitlines(), strict=False), 1):
            if pair[0] != pair[1]:
                return f"{path}:{number}: {pair[0]!r} and {pair[1]!r}"
    return "" if first == second else "lengths"


@pytest.mark.parametrize("seed", SEEDS)
def test_key_order_does_not_change_the_output(seed: Seed) -> None:
    """Shuffling the keys of all mappings changes neither the bytes nor the file order."""
    expected = files(seed)

    for number in range(3):
        value = shuffled(copy.deepcopy(seed.value), Random(number))
        assert first_difference(expected, files(seed, value)) == ""


@pytest.mark.parametrize("seed", SEEDS)
def test_files_can_be_rendered_twice(seed: Seed) -> None:
    """Rendering an output file a second time returns the same bytes."""
    outcome = compile_system(seed.inputs(path="system.yaml"), TARGETS)
    files = [file for stack in outcome.stacks for file in emit(stack)]

    assert [file.render() for file in files] == [file.render() for file in files]


def test_machine_and_locale_do_not_change_the_output(tmp_path: Path) -> None:
    """Varies the hash seed, time zone, locale, working directory and the form of the spec path."""
    seed = seeds()[-1]
    (tmp_path / "deep").mkdir()
    spec = tmp_path / "system.yaml"
    spec.write_text(seed.text, encoding="utf-8")
    places = [
        ({"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"}, str(spec), tmp_path),
        ({"PYTHONHASHSEED": "1", "TZ": "Pacific/Apia", "LC_ALL": "C.UTF-8"}, "system.yaml", tmp_path / "deep"),
        (
            {"PYTHONHASHSEED": "4242", "TZ": "Asia/Kathmandu", "LC_ALL": "POSIX", "HOME": "/"},
            "./deep/../system.yaml",
            ROOT,
        ),
        ({"PYTHONHASHSEED": "7", "PYTHONUTF8": "0", "LANG": "tr_TR.UTF-8"}, str(spec), ROOT),
    ]

    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST, path, seed.environment or "", str(folder)],
            cwd=tmp_path,
            env={**os.environ, **variables},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for variables, path, folder in places
    }

    assert len(digests) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_the_output_contains_nothing_about_the_machine(seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The output contains no path, user name or host name of this machine, and no spec path."""
    path = "/somewhere/unusual/zq-spec.yaml"
    # distinctive names, because containers also have a /tmp, and a machine may have the same name as a command
    monkeypatch.setattr(tempfile, "tempdir", "/somewhere/zq-scratch")
    monkeypatch.setattr(platform, "node", lambda: "zq-host")
    monkeypatch.setattr(socket, "gethostname", lambda: "zq-host")
    ours = {str(ROOT), "zq-scratch", path, "zq-spec", "zq-host"}
    ours |= {str(Path.home())} if Path.home() != Path("/") else set()
    ours -= {""}

    for name, content in files(seed, path=path).items():
        leaks = [
            word for word in ours if re.search(rb"(?<![\w.-])" + re.escape(word.encode()) + rb"(?![\w-])", content)
        ]
        assert name.startswith(f"{seed.environment or 'default'}/")
        assert not leaks, (name, leaks)
