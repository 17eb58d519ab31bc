"""Budgets for speed and memory as ratios within one run: to `python -c pass`, and to the usual stack.

The usual stack is what most such tools use: PyYAML's C loader, jsonschema, and `yaml.dump` with the C emitter. It gets
the same spec and schema, and for compile exactly our documents as plain values: the time to compute them counts in our
figure but not in its own.
"""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
import yaml

import modelyard_schemas
from modelyard.api import compile_text
from modelyard.diagnostics import Severity
from tests.benchmarks.children import Cost, part, whole
from tests.benchmarks.conftest import Repeat, Within
from tests.benchmarks.systems import system

VALIDATE = """
text = open(sys.argv[1]).read()
began = time.process_time()
from modelyard.pipeline import Given, Inputs, understand
from modelyard_targets import TARGETS
outcome = understand(Inputs(Given("system.yaml", text)), TARGETS)
assert not outcome.failed, outcome.diagnostics[:3]
tell(began)
"""

COMPILE = """
began = time.process_time()
from modelyard.cli import main
assert main(["compile", sys.argv[1], "--out", sys.argv[2]]) == 0
tell(began)
"""

USUAL = """
import pickle
text, schema = open(sys.argv[1]).read(), json.load(open(sys.argv[2]))
documents = pickle.load(open(sys.argv[3], "rb")) if len(sys.argv) > 3 else []
began = time.process_time()
import jsonschema, yaml
value = yaml.load(text, yaml.CSafeLoader)
assert not list(jsonschema.Draft202012Validator(schema).iter_errors(value))
for each in documents:
    yaml.dump_all(each, Dumper=yaml.CSafeDumper, sort_keys=False)
tell(began)
"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with specs of several sizes and the schema."""
    found = tmp_path_factory.mktemp("specs")
    for models in (1, 100, 1_000, 10_000):
        (found / f"{models}").mkdir()
        (found / f"{models}" / "system.yaml").write_text(system(models), encoding="utf-8")
    (found / "schema.json").write_text(modelyard_schemas.text("system"), encoding="utf-8")
    return found


def spec(folder: Path, models: int) -> str:
    """Return the path of a spec with this many models."""
    return str(folder / f"{models}" / "system.yaml")


def misspelt(text: str, mistakes: int) -> str:
    """Misspell this many keys in the first entries."""
    head, data = text[: text.index("\ndata:")], text[text.index("\ndata:") :]
    return head + re.sub(r"(?m)^(    \w+)(?=:)", r"\1x", data, count=mistakes)


def least(repeat: Repeat, code: str, *arguments: str, rounds: int = 3) -> Cost:
    """Return the cost of the run with the least processor time."""
    found: list[Cost] = []
    repeat(lambda: found.append(part(code, *arguments)), rounds)
    return min(found, key=lambda cost: cost.seconds)


@pytest.fixture(scope="session")
def nothing() -> float:
    """Return the processor time of Python itself: `python -c pass`."""
    return min(whole("-c", "pass") for _ in range(9))


@pytest.mark.parametrize(("option", "budget"), [("--version", 4.0), ("--help", 4.0)])
def bench_start(repeat: Repeat, nothing: float, within: Within, option: str, budget: float) -> None:
    """Measure commands that do no work yet."""
    found: list[float] = []
    repeat(lambda: found.append(whole("-m", "modelyard", option)), 9)
    within(f"{option}, times python -c pass", min(found) / nothing, budget)


@pytest.mark.parametrize("wrong", [False, True], ids=["valid", "ten errors"])
def bench_validate_one(repeat: Repeat, tmp_path: Path, nothing: float, within: Within, wrong: bool) -> None:
    """Validate one model, with and without errors."""
    text = misspelt(system(1), 10) if wrong else system(1)
    errors = [one for one in compile_text(text).diagnostics if one.severity is Severity.ERROR]
    assert len(errors) >= 10 if wrong else not errors
    (tmp_path / "system.yaml").write_text(text, encoding="utf-8")
    found: list[float] = []
    repeat(lambda: found.append(whole("-m", "modelyard", "validate", str(tmp_path))), 9)
    within(f"validate, one model{', wrong' if wrong else ''}, times python -c pass", min(found) / nothing, 12)


@pytest.mark.parametrize("models", [1_000, 10_000])
def bench_validate(repeat: Repeat, folder: Path, within: Within, models: int) -> None:
    """Compare all stages up to the plan with loading and jsonschema only."""
    rounds = 3 if models < 10_000 else 1
    ours = least(repeat, VALIDATE, spec(folder, models), rounds=rounds)
    usual = min(
        (part(USUAL, spec(folder, models), str(folder / "schema.json")) for _ in range(rounds)),
        key=lambda cost: cost.seconds,
    )
    within(f"validate, {models} models, times the usual stack", ours.seconds / usual.seconds, 0.2)
    within(f"validate, {models} models, MB", ours.megabytes, 400)


def bench_compile(repeat: Repeat, folder: Path, tmp_path: Path, within: Within) -> None:
    """Compare spec to files on disk with loading, jsonschema and dumping the same documents without writing them."""
    files = compile_text(system(1_000)).files
    documents = [
        list(yaml.load_all(content, yaml.CSafeLoader)) for path, content in files.items() if path.endswith(".yaml")
    ]
    (tmp_path / "documents").write_bytes(pickle.dumps(documents))
    cost: list[Cost] = []

    def compile_anew() -> None:
        cost.append(part(COMPILE, spec(folder, 1_000), str(tmp_path / f"out-{len(cost)}")))
        (folder / "1000" / "modelyard.lock").unlink()

    repeat(compile_anew, 2)
    usual = part(USUAL, spec(folder, 1_000), str(folder / "schema.json"), str(tmp_path / "documents"))
    within("compile, 1000 models, times the usual stack", min(one.seconds for one in cost) / usual.seconds, 0.4)


def bench_compile_in_proportion(repeat: Repeat, folder: Path, tmp_path: Path, within: Within) -> None:
    """Ten times as many models take at most twelve times as long, and memory is bounded."""
    small = part(COMPILE, spec(folder, 1_000), str(tmp_path / "small"))
    large = least(repeat, COMPILE, spec(folder, 10_000), str(tmp_path / "large"), rounds=1)
    within("compile, 10000 models, times 1000 models", large.seconds / small.seconds, 12)
    within("compile, 10000 models, MB", large.megabytes, 600)


def bench_recompile(repeat: Repeat, folder: Path, tmp_path: Path, nothing: float, within: Within) -> None:
    """An unchanged compile reads only the spec, the lock and the records."""
    arguments = ("-m", "modelyard", "compile", spec(folder, 1), "--out", str(tmp_path))
    whole(*arguments)
    found: list[float] = []
    repeat(lambda: found.append(whole(*arguments)), 9)
    within("recompile, nothing changed, times python -c pass", min(found) / nothing, 8)
