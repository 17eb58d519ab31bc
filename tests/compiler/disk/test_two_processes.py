"""Tests that two processes prepare the files. Each test is a separate program, because pytest may have threads."""

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
from modelyard.disk.two_processes import in_two_processes
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


MEET = (
    """
ends = os.pipe(), os.pipe()
def meet():  # wait until each process has a file
    mine, other = ends if os.getpid() == parent else ends[::-1]
    os.write(mine[1], b"!" * 20)
    os.read(other[0], 1)
"""
    if TWO_CORES
    else "meet = lambda: None"
)


def test_both_processes_take_files_until_none_are_left() -> None:
    """Each file is prepared once, and this process has all results and facts afterwards."""
    program = f"""
{MEET}
files = [file(number, meet) for number in range(20)]
results = in_two_processes(files, lambda file: (file.path, file.render().decode()))
print(all(results[each.path][0] == each.path for each in files), len(results))
print([each.facts.value for each in files] == [*range(20)])
print(*sorted({{where for _, where in results.values()}}))
"""
    assert run(program) == ["True 20", "True", "here there" if TWO_CORES else "here"]


def test_one_core_prepares_everything_here() -> None:
    """On a single core, this process does everything: a second one would only add its start-up time."""
    program = """
print({*in_two_processes([*map(file, range(4))], lambda file: file.render()).values()})
"""
    first = str(min(os.sched_getaffinity(0)))
    assert run(program, "taskset", "--cpu-list", first) == ["{b'here'}"]


@pytest.mark.parametrize("action", ["1 / 0", "os.kill(os.getpid(), 9)", "exit(0)"])
def test_results_are_missing_if_the_other_process_fails(action: str) -> None:
    """An error, a kill or an exit in the second process loses only its own results, which the caller can see."""
    program = f"""
import time
def fail():
    if os.getpid() != parent:
        {action}
    time.sleep(0.05)
results = in_two_processes([file(number, fail) for number in range(20)], lambda file: file.render())
print({{*results.values()}}, 19 <= len(results) <= 20)
"""
    assert run(program) == ["{b'here'} True"]


def test_the_other_process_ends_with_the_call() -> None:
    """An interrupt ends the second process, too."""
    program = """
import time
def work():
    if os.getpid() == parent:
        raise KeyboardInterrupt
    time.sleep(600)
try:
    in_two_processes([file(number, work) for number in range(4)], lambda file: file.render())
except KeyboardInterrupt:
    print(open(f"/proc/self/task/{parent}/children").read() or "none")
"""
    assert run(program) == ["none"]


def test_the_other_process_ends_after_a_file_if_this_one_is_killed() -> None:
    """Otherwise, the second process would keep the lock on the output folder until no files are left."""
    program = f"""
import time
{MEET}
def work():
    meet()
    if os.getpid() == parent:
        os.kill(parent, 9)
    print(os.getpid(), flush=True)
    time.sleep(0.5)
in_two_processes([file(number, work) for number in range(2000)], lambda file: file.render())
"""
    process = subprocess.run([sys.executable, "-c", COMMON + program], stdout=subprocess.PIPE, text=True, timeout=60)
    assert len(process.stdout.split()) == TWO_CORES


TREE = """
import sys
from pathlib import Path
from modelyard.disk import write_tree

def write(version, action=lambda: None, force=False):
    def text():
        action()
        return version.encode()
    files = [OutputFile(f"{n % 5}/{n}.yaml", text if n % 3 else bytes, facts=Facts()) for n in range(400)]
    report, problems = write_tree(Path(sys.argv[1]), "prod", "main", files, version, force)
    found = {path.read_text() for path in Path(sys.argv[1], "prod/main").glob("*/*.yaml")}
    kept = [path.name for path in Path(sys.argv[1], "prod").rglob("*.edited")]
    print(len(report.written), report.unchanged, len(problems), *sorted(found - {""}), *kept)
    assert [path.name for path in Path(sys.argv[1], "prod").iterdir()] == ["main"]
"""


def test_both_processes_write_what_differs_and_report_what_was_edited(tmp_path: Path) -> None:
    """The result is the same as that of one process: a file that was edited manually is reported or, with `force`,
    kept.
    """
    program = f"""{TREE}
write("one")
write("two")
Path(sys.argv[1], "prod/main/1/1.yaml").write_text("edited")
write("three")
write("three", force=True)
"""
    process = subprocess.run(
        [sys.executable, "-c", COMMON + program, tmp_path], capture_output=True, text=True, check=True, timeout=60
    )
    assert process.stdout.splitlines() == [
        "400 0 0 one",
        "266 134 0 two",
        "0 0 1 edited two",
        "266 134 0 three 1.yaml.edited",
    ]


def test_files_of_a_process_that_fails_are_written_again(tmp_path: Path) -> None:
    """The second process may have written some files, and others in part, before it failed."""
    program = f"""{TREE}
calls = []
def fail():
    calls.append(1)
    if os.getpid() != parent and len(calls) == 5:
        os.kill(os.getpid(), 9)
write("one", fail)
"""
    process = subprocess.run(
        [sys.executable, "-c", COMMON + program, tmp_path], capture_output=True, text=True, check=True, timeout=60
    )
    assert process.stdout.splitlines() == ["400 0 0 one"]


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
