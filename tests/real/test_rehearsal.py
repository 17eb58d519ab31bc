"""Rehearses moves using their plans' commands: real copies, kills, rollbacks, and a delayed last phase."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from modelyard.cli.rehearse import copies, schedules
from modelyard.inputs import InputFile, Inputs
from modelyard.migration.access import rclone_file
from modelyard.migration.planning import planned
from modelyard.migration.records import Migration, Move
from modelyard.migration.sides import MoveRequest, Side, sides_of
from modelyard.pipeline import compile_system
from modelyard.portability import Destination
from modelyard.rehearsal.beside import PLAN
from modelyard.rehearsal.layout import Layout
from modelyard.rehearsal.rehearsal import Rehearsal
from modelyard.rehearsal.steps import Failed
from modelyard.source import Json
from modelyard.usage import NO_USAGE
from modelyard_targets import TARGETS
from testbed import environments
from testbed.places import REPOSITORY
from tests.narrowing import present

REQUIREMENTS = ("runtime/modelyard_runtime/requirements.txt", "tests/runtime/requirements.txt")
SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: lake}
governance: {owner: {team: growth, email: growth@acme.example}}
deployment: {mode: cloud, provider: aws, region: eu-central-1}
stores:
  lake: {type: object}
  archive: {type: object}
data:
  visits: {store: lake, path: visits, format: parquet}
  months: {store: archive, path: months, format: parquet}
pipelines:
  clean:
    type: custom
    inputs: [visits]
    output: months
    source: {image: "registry.acme.example/clean:1.0.0", entrypoint: "clean:run"}
    compute: {cpu: 1, memory: 2Gi}
    schedule: {cron: "0 4 * * 1"}
"""
"""A system without endpoints and a registry, so its rehearsal needs neither Ray nor MLflow."""

SEVERAL = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: lakes}
governance: {owner: {team: growth, email: growth@acme.example}}
deployment:
  mode: cloud
  targets:
    frankfurt: {provider: aws, region: eu-central-1}
    paris: {provider: aws, region: eu-west-3, vpc: {cidr: 10.1.0.0/16}}
    hub: {provider: gcp, region: europe-west3, vpc: {cidr: 10.2.0.0/16}}
  placement: {default: frankfurt}
stores:
  lake: {type: object, target: frankfurt}
  tills: {type: object, target: paris}
data:
  visits: {store: lake, path: visits, format: parquet}
  months: {store: lake, path: months, format: parquet}
  sales: {store: tills, path: sales, format: parquet}
  years: {store: tills, path: years, format: parquet}
pipelines:
  clean:
    type: custom
    inputs: [visits]
    output: months
    source: {image: "registry.acme.example/clean:1.0.0", entrypoint: "clean:run"}
    compute: {cpu: 1, memory: 2Gi}
    schedule: {cron: "0 4 * * 1"}
  count:
    target: paris
    type: custom
    inputs: [sales]
    output: years
    source: {image: "registry.acme.example/clean:1.0.0", entrypoint: "clean:run"}
    compute: {cpu: 1, memory: 2Gi}
    schedule: {cron: "0 4 * * 1"}
"""
"""A system on two targets, and one in another cloud that has nothing yet."""

OBJECTS = {f"visits/day={day}/part.parquet": os.urandom(1000 * day) for day in range(1, 30)}
PATIENCE_S = 900

pytestmark = pytest.mark.usefixtures("rclone")


@pytest.fixture(scope="module")
def python() -> str:
    """Return the Python of the runtime's environment."""
    return str(environments.environment("".join((REPOSITORY / path).read_text() for path in REQUIREMENTS)))


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """Return a folder with the spec of a system on several targets."""
    folder = tmp_path / "lakes"
    folder.mkdir()
    (folder / "system.yaml").write_text(SEVERAL, encoding="utf-8")
    return folder


@pytest.fixture
def move() -> tuple[Migration, Move]:
    """Return a plan from AWS to Google Cloud."""
    return plan_to(Destination("gcp", "europe-west3"))


def plan_to(place: Destination, patch: Mapping[str, Json] | None = None, spec: str = SPEC) -> tuple[Migration, Move]:
    """Return a plan for moving from AWS to the given destination, with `patch` applied to the new side's spec."""
    inputs = Inputs(InputFile("system.yaml", spec))
    old = Side(inputs, compile_system(inputs, TARGETS))
    sides = sides_of(MoveRequest(("main",), place, place.provider, patch or {}), old, TARGETS)
    return planned(sides, (".",), PLAN, TARGETS, NO_USAGE)


def seed(rehearsal: Path, *stores: str) -> None:
    """Create the objects that a run of the old side would have left in its stores."""
    for store in stores:
        for name, content in OBJECTS.items():
            path = rehearsal / "old" / "stores" / store / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    (rehearsal / "seeded").touch()


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("_")
    }


EXPECTED = {name: hashlib.sha256(content).hexdigest() for name, content in OBJECTS.items()}


@pytest.fixture
def starting(tmp_path: Path, move: tuple[Migration, Move]) -> Callable[[], AbstractContextManager[Rehearsal]]:
    """Return a function that starts a rehearsal in this process, or continues it from its state on disk."""
    plan, transfer = move
    code, folder = tmp_path / "lake", tmp_path / "rehearsal"
    code.mkdir()
    (code / "system.yaml").write_text(SPEC, encoding="utf-8")
    seed(folder, "lake-lake")
    layout = Layout(folder, transfer, dict(copies(folder, plan.sides, "never")), code, sys.executable)
    layout.prepare()
    for phase in plan.phases:
        if phase.overlay:
            path = layout.system / PLAN / "phases" / phase.name / "environment.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(phase.overlay, encoding="utf-8")
    (layout.system / PLAN / "rclone.conf").write_text(rclone_file(transfer), encoding="utf-8")

    @contextmanager
    def started() -> Generator[Rehearsal]:
        jobs = schedules(plan.sides)
        with (folder / "lock").open("w") as lock, Rehearsal(layout, plan, jobs, lock.fileno()) as running:
            yield running

    return started


def test_phases_are_taken_back_and_the_old_side_stays_as_long_as_anything_uses_it(
    starting: Callable[[], AbstractContextManager[Rehearsal]], move: tuple[Migration, Move], tmp_path: Path
) -> None:
    """Each phase starts from the state on disk, is undone by the plan's own commands, and is then repeated.

    The old side keeps every object. It cannot be retired while it has callers, schedules, or uncopied objects.
    """
    folder = tmp_path / "rehearsal"
    old, new = (folder / which / "stores" / "lake-lake" for which in ("old", "new"))
    *phases, last = move[0].phases
    for phase in phases:
        with starting() as rehearsal:
            rehearsal.run_phase(phase)
            rehearsal.take_back(phase)
            assert digests(old) == EXPECTED
            assert rehearsal.gateway.percent_new == 0
            if phase.name == "8-freeze":
                assert json.loads((folder / "schedules.json").read_text())["old"] == {"lake/clean": False}
            rehearsal.run_phase(phase)
    assert digests(new) == EXPECTED
    assert (old / "_modelyard-rehearsal-new").is_file()

    with starting() as rehearsal:
        with pytest.raises(
            Failed, match=r"the old side still answers 100 percent of requests; schedule lake/clean of the old"
        ):
            rehearsal.run_phase(last)  # 10-watch was taken back and done again, which moves neither of them
        for phase in phases[7:9]:
            rehearsal.run_phase(phase)
    stacks = json.loads((folder / "stacks.json").read_text())
    with starting() as rehearsal:
        rehearsal.gateway.percent_new = 99
        (old / "visits" / "late.parquet").write_bytes(b"late")
        with pytest.raises(
            Failed, match=r"the old side still answers 1 percent of requests; .*lake: 1 objects .* visits/late"
        ):
            rehearsal.run_phase(last)
    assert json.loads((folder / "stacks.json").read_text()) == stacks

    (old / "visits" / "late.parquet").unlink()
    with starting() as rehearsal:
        rehearsal.run_phase(last)
    after = json.loads((folder / "stacks.json").read_text())
    assert {name: bool(stack["applied"]) for name, stack in after.items()} == {
        name: "build/gcp/" in name for name in stacks
    }


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Handle SIGINT as a terminal would, because background jobs and their children ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_several_targets_move_into_one_although_the_rehearsal_is_interrupted(several: Path, python: str) -> None:
    """If Ctrl-C interrupts a phase, rerunning the command puts every target's objects on both sides."""
    folder = several / ".modelyard" / "one.rehearsal"
    stores = ("lakes-lake", "lakes-tills")
    seed(folder, *stores)
    command = [sys.executable, "-m", "modelyard", "migrate", str(several), "--from", "frankfurt", "--from", "paris"]
    command += ["--to", "hub", "--name", "one", "--rehearse", "--python", python, "--format", "json"]
    path = os.pathsep.join(str(REPOSITORY / part) for part in ("compiler", "schemas", "targets", "stacks", "runtime"))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}

    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert any("5-data begins" in line for line in present(process.stderr))
        process.send_signal(signal.SIGINT)
        rest = present(process.stderr).read()
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S)

    assert process.returncode == 130
    assert "interrupted; run the same command to continue with 5-data" in rest
    assert result.returncode == 0, result.stderr
    assert "continuing with 5-data" in result.stderr
    report = json.loads(result.stdout)
    assert [phase["name"] for phase in report["phases"]] == _phases(folder)
    assert report["takenBack"] is True
    for which in ("old", "new"):
        assert {name: digests(folder / which / "stores" / name) for name in stores} == dict.fromkeys(stores, EXPECTED)
    stacks = json.loads((folder / "stacks.json").read_text())
    assert {name.split("/")[1]: bool(stack["applied"]) for name, stack in stacks.items()} == {
        "default": False,
        "one": True,
    }
    assert {name.split("/")[2] for name in stacks} >= {"frankfurt", "paris", "hub"}
    schedules = json.loads((folder / "schedules.json").read_text())
    assert (list(schedules["old"].values()), list(schedules["new"].values())) == ([True, True], [False, False])


def _phases(folder: Path) -> list[str]:
    """Return the phases recorded as done in the state file, as shown by `modelyard migrate --status`."""
    command = [sys.executable, "-m", "modelyard", "migrate", str(folder.parents[1]), "--status", "--format", "json"]
    result = subprocess.run(
        [*command, "--out", str(folder / "system" / PLAN)], capture_output=True, text=True, check=True
    )
    status = json.loads(result.stdout)
    assert status["next"] is None
    return [str(name) for name in status["done"]]
