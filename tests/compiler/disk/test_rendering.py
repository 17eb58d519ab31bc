"""Tests that two processes render the files. Each test is a separate program, because pytest may have threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.systems import system

COMMON = """
import os
from modelyard.disk.files import OutputFile
from modelyard.disk.rendering import rendering
from modelyard.stack import Facts

parent = os.getpid()

def file(number, action=lambda: None):
    facts = Facts()
    def render():
        action()
        facts.value = number
        return b"here" if os.getpid() == parent else b"there"
    return OutputFile(f"{number}.yaml", render, facts=facts)
"""
TWO_CORES = len(os.sched_getaffinity(0)) > 1


def run(program: str, *prefix: str) -> list[str]:
    """Run the test programs' common lines followed by the given program, and return the lines it prints."""
    process = subprocess.run(
        [*prefix, sys.executable, "-c", COMMON + program], capture_output=True, text=True, timeout=60
    )
    assert not process.stderr, process.stderr
    return process.stdout.splitlines()


def test_another_process_renders_the_second_half_with_its_facts() -> None:
    """The second process renders only files with facts.

    A file without facts may read other files' facts, so this process renders it.
    """
    program = """
total = lambda: sum(each.facts.value for each in files[:4])
files = [*map(file, range(4)), OutputFile("README.md", lambda: b"here %d" % total())]
with rendering(files) as render:
    print(*(render(each).decode() for each in files), sep="\\n")
"""
    there = "there" if TWO_CORES else "here"
    assert run(program) == ["here", "here", there, there, "here 6"]


def test_one_core_renders_everything_here() -> None:
    """On a single core, this process renders everything: a second one would only add its start-up time."""
    program = """
files = [*map(file, range(4))]
with rendering(files) as render:
    print({render(each) for each in files})
"""
    first = str(min(os.sched_getaffinity(0)))
    assert run(program, "taskset", "--cpu-list", first) == ["{b'here'}"]


@pytest.mark.parametrize("action", ["1 / 0", "os.kill(os.getpid(), 9)", "exit(0)"])
def test_files_are_rendered_here_if_the_other_process_fails(action: str) -> None:
    """An error, a kill or an exit in the second process does not lose any files: this process renders them."""
    program = f"""
def fail():
    if os.getpid() != parent:
        {action}
files = [file(number, fail) for number in range(4)]
with rendering(files) as render:
    print([render(each) for each in files], [each.facts.value for each in files])
"""
    assert run(program) == ["[b'here', b'here', b'here', b'here'] [0, 1, 2, 3]"]


def test_the_other_process_ends_with_the_block() -> None:
    """An interrupt ends the second process, too."""
    program = """
import time
def wait():
    if os.getpid() != parent:
        time.sleep(600)
try:
    with rendering([file(number, wait) for number in range(4)]):
        raise KeyboardInterrupt
except KeyboardInterrupt:
    print(open(f"/proc/self/task/{parent}/children").read() or "none")
"""
    assert run(program) == ["none"]


def test_the_other_process_ends_after_a_file_if_this_one_is_killed() -> None:
    """Otherwise, the second process would keep the lock on the output folder until it has rendered everything."""
    program = """
import time
def wait():
    if os.getpid() != parent:
        print(os.getpid(), flush=True)
        time.sleep(0.5)
with rendering([file(number, wait) for number in range(2000)]):
    time.sleep(0.2)
    os.kill(parent, 9)
"""
    process = subprocess.run([sys.executable, "-c", COMMON + program], stdout=subprocess.PIPE, text=True, timeout=60)
    assert len(set(process.stdout.split())) == len(process.stdout.split()) == TWO_CORES


def test_a_large_system_compiles_to_the_same_files_on_one_core_and_on_two(tmp_path: Path) -> None:
    """The README counts all objects, so it uses the facts from both processes."""
    (tmp_path / "system.yaml").write_text(system(110), encoding="utf-8")
    first = str(min(os.sched_getaffinity(0)))
    trees: list[dict[str, bytes]] = []
    for out, prefix in (("one", ("taskset", "--cpu-list", first)), ("two", ())):
        command = (*prefix, sys.executable, "-m", "modelyard", "compile", str(tmp_path), "--out", str(tmp_path / out))
        subprocess.run(command, capture_output=True, check=True, timeout=300)
        root = tmp_path / out / "default"
        trees.append({str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()})
        (tmp_path / "modelyard.lock").unlink()
    assert sum("/manifests/" in path for path in trees[0]) > 300
    assert trees[0] == trees[1]
