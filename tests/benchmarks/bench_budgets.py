"""Check how fast start-up, `validate` and `compile` are, and how their cost grows with the spec.

All budgets are ratios within one run. The two programs of a ratio are measured alternately in processor time. Only the
fastest run of each program counts, since other processes on a shared machine can only slow a run down. `ratios.json`
has the budgets.

The "usual stack" is what most similar tools use: PyYAML's C loader, jsonschema, and `yaml.dump` with the C emitter. It
gets the same spec and schema. For `compile`, it also gets our documents as plain values, so only our time includes
building them.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
import yaml

import modelyard_schemas
from modelyard.api import compile_text
from modelyard.diagnostics import Severity
from tests.benchmarks.children import part, processor_time
from tests.benchmarks.ratios import Measure, Ratios
from tests.benchmarks.systems import system
from tests.test_work import work

ROUNDS: Final = 12
REFERENCE: Final = Path(__file__).parents[2] / "examples" / "fraud-detection"

VALIDATE: Final = """
text = open(sys.argv[1]).read()
began = spent()
from modelyard.pipeline import InputFile, Inputs, understand
from modelyard_targets import TARGETS
outcome = understand(Inputs(InputFile("system.yaml", text)), TARGETS)
assert not outcome.failed, outcome.diagnostics[:3]
tell(began)
"""

COMPILE: Final = """
began = spent()
from modelyard.cli import main
assert main(["compile", sys.argv[1], "--out", sys.argv[2]]) == 0
tell(began)
"""

COMPILE_WARM: Final = """
from modelyard.cli import main
assert main(["compile", sys.argv[1], "--out", sys.argv[3] + "-first"]) == 0
began = spent()
assert main(["compile", sys.argv[2], "--out", sys.argv[3]]) == 0
tell(began)
"""

COMPILE_BY_CLOCK: Final = COMPILE.replace("spent()", "time.perf_counter()").replace(
    "(began)", "(began, time.perf_counter)"
)

WRITE: Final = """
import os, pickle
files = pickle.load(open(sys.argv[1], "rb"))
began = time.perf_counter()
for path, content in files.items():
    path = os.path.join(sys.argv[2], path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
tell(began, time.perf_counter)
"""

USUAL: Final = """
import pickle
text, schema = open(sys.argv[1]).read(), json.load(open(sys.argv[2]))
documents = pickle.load(open(sys.argv[3], "rb")) if len(sys.argv) > 3 else []
began = spent()
import jsonschema, yaml
value = yaml.load(text, yaml.CSafeLoader)
assert not list(jsonschema.Draft202012Validator(schema).iter_errors(value))
for each in documents:
    yaml.dump_all(each, Dumper=yaml.CSafeDumper, sort_keys=False)
tell(began)
"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the schema and one spec per size, in subfolders named by the number of models."""
    specs = tmp_path_factory.mktemp("specs")
    for models in (1, 200, 1_000, 2_000, 10_000):
        (specs / f"{models}").mkdir()
        (specs / f"{models}" / "system.yaml").write_text(system(models), encoding="utf-8")
    (specs / "schema.json").write_text(modelyard_schemas.text("system"), encoding="utf-8")
    return specs


def spec(folder: Path, models: int) -> str:
    """Return the path of the spec with the given number of models."""
    return str(folder / f"{models}" / "system.yaml")


def times_pass(*arguments: str) -> Measure:
    """Return a function that measures `python -m modelyard` relative to `python -c pass`.

    Each call adds runs to those already measured.
    """
    nothing: list[float] = []
    ours: list[float] = []

    def measure() -> float:
        processor_time("-m", "modelyard", *arguments)  # creates bytecode
        for _ in range(ROUNDS):
            nothing.append(processor_time("-c", "pass"))
            ours.append(processor_time("-m", "modelyard", *arguments))
        return min(ours) / min(nothing)

    return measure


def misspelt(text: str, mistakes: int) -> str:
    """Misspell the first `mistakes` keys in the data section."""
    head, data = text[: text.index("\ndata:")], text[text.index("\ndata:") :]
    return head + re.sub(r"(?m)^(    \w+)(?=:)", r"\1x", data, count=mistakes)


@pytest.mark.parametrize("option", ["--version", "--help"])
def bench_start(ratios: Ratios, option: str) -> None:
    """Measure the command's start-up time using options that require no other work."""
    ratios.check(f"{option}, times python -c pass", times_pass(option))


def bench_validate_reference(ratios: Ratios) -> None:
    """Validate the reference spec with its base and all environments."""
    ratios.check(
        "validate, reference spec and environments, times python -c pass",
        times_pass("validate", str(REFERENCE)),
    )


@pytest.mark.parametrize("wrong", [False, True], ids=["valid", "ten errors"])
def bench_validate_one(ratios: Ratios, tmp_path: Path, wrong: bool) -> None:
    """Validate a spec with one model, once valid and once with ten errors."""
    text = misspelt(system(1), 10) if wrong else system(1)
    errors = [problem for problem in compile_text(text).diagnostics if problem.severity is Severity.ERROR]
    assert len(errors) >= 10 if wrong else not errors
    (tmp_path / "system.yaml").write_text(text, encoding="utf-8")
    ratios.check(
        f"validate, one model{', ten errors' if wrong else ''}, times python -c pass",
        times_pass("validate", str(tmp_path)),
    )


def bench_recompile(ratios: Ratios, folder: Path, tmp_path: Path) -> None:
    """Recompile an unchanged spec, which only requires reading the spec, the lock and the records."""
    arguments = ("compile", spec(folder, 1), "--out", str(tmp_path))
    ratios.check("recompile, nothing changed, times python -c pass", times_pass(*arguments))


def bench_validate_large(ratios: Ratios, folder: Path) -> None:
    """Time all stages up to the plan against loading the spec and validating it with jsonschema."""
    ours = [part(VALIDATE, spec(folder, 10_000))]

    def measure() -> float:
        ours.append(part(VALIDATE, spec(folder, 10_000)))
        usual = part(USUAL, spec(folder, 10_000), str(folder / "schema.json"))
        return min(cost.seconds for cost in ours) / usual.seconds

    ratios.check("validate, 10000 models, times the usual stack", measure)
    ratios.check("validate, 10000 models, MB", lambda: min(cost.megabytes for cost in ours))


@pytest.mark.parametrize("models", [1, 1_000])
def bench_diff(ratios: Ratios, folder: Path, tmp_path: Path, models: int) -> None:
    """Time the review of a one-parameter change against validating the new version."""
    changed = tmp_path / "system.yaml"
    changed.write_text(system(models, changed=models // 2), encoding="utf-8")
    commands = (("validate", str(changed)), ("diff", spec(folder, models), str(changed)))
    costs: dict[str, list[float]] = {name: [] for name, *_ in commands}

    def measure() -> float:
        processor_time("-m", "modelyard", *commands[-1])  # creates bytecode
        for _ in range(ROUNDS if models == 1 else 3):
            for command in commands:
                costs[command[0]].append(processor_time("-m", "modelyard", *command))
        return min(costs["diff"]) / min(costs["validate"])

    ratios.check(f"diff, {models} models, times validate".replace("1 models", "one model"), measure)


def bench_compile(ratios: Ratios, folder: Path, tmp_path: Path) -> None:
    """Compare compiling to files with dumping the same documents in memory, and with writing the same bytes to disk.

    The latter comparison uses wall-clock time, since compiling uses two cores.
    """
    files = compile_text(system(1_000)).files
    documents = [
        list(yaml.load_all(content, yaml.CSafeLoader)) for path, content in files.items() if path.endswith(".yaml")
    ]
    (tmp_path / "documents").write_bytes(pickle.dumps(documents))
    (tmp_path / "files").write_bytes(pickle.dumps(dict(files)))
    costs: dict[str, list[float]] = {COMPILE: [], COMPILE_BY_CLOCK: []}

    def compiled(code: str) -> float:
        out = tmp_path / f"out-{sum(map(len, costs.values()))}"
        costs[code].append(part(code, spec(folder, 1_000), str(out)).seconds)
        (folder / "1000" / "modelyard.lock").unlink()
        return min(costs[code])

    def write(at: int) -> float:
        out = tmp_path / f"written-{len(costs[COMPILE_BY_CLOCK])}-{at}"
        return part(WRITE, str(tmp_path / "files"), str(out)).seconds

    def times_usual() -> float:
        usual = part(USUAL, spec(folder, 1_000), str(folder / "schema.json"), str(tmp_path / "documents"))
        return compiled(COMPILE) / usual.seconds

    def times_written() -> float:
        return compiled(COMPILE_BY_CLOCK) / min(write(at) for at in range(3))

    ratios.check("compile, 1000 models, times the usual stack", times_usual)
    ratios.check("compile, 1000 models, times writing its bytes", times_written)


def bench_compile_in_proportion(ratios: Ratios, folder: Path, tmp_path: Path) -> None:
    """Compile ten times as many models, excluding start-up costs, which would hide superlinear growth."""
    runs: list[int] = []

    def compiled(models: int) -> float:
        runs.append(models)
        out = str(tmp_path / f"{models}-{len(runs)}")
        seconds = part(COMPILE_WARM, spec(folder, 1), spec(folder, models), out).seconds
        (folder / f"{models}" / "modelyard.lock").unlink()
        return seconds

    def measure() -> float:
        small = [compiled(200), compiled(200)]
        return compiled(2_000) / min(*small, compiled(200))

    ratios.check("compile, 2000 models, times 200 models", measure)


def bench_unknown_keys(ratios: Ratios) -> None:
    """Compare the cost of unknown keys beyond the reporting limit with that of known keys.

    The benchmark counts instructions, so a single measurement is exact.
    """

    def for_each(text: Callable[[int], str], few: int, many: int, compiles: bool) -> float:
        work(text(few), compiles)  # do the work that each process needs only once
        return (work(text(many), compiles).total() - work(text(few), compiles).total()) / (many - few)

    def unknown(count: int) -> str:
        return system(1) + "".join(f"key{at}: 1\n" for at in range(count))

    def known(count: int) -> str:
        columns = "".join(f"      c{at}: number\n" for at in range(count))
        return system(1).replace("      label: boolean\n", f"      label: boolean\n{columns}")

    ratios.check(
        "an unknown key, times a known one",
        lambda: for_each(unknown, 1_500, 2_000, False) / for_each(known, 1_500, 2_000, True),
    )
