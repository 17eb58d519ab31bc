"""Rehearse moves with the commands of their plans: real copies, kills, ways back, and an end that waits."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from modelyard.cli.rehearse import copies, schedules
from modelyard.handover import Remote
from modelyard.inputs import Given, Inputs
from modelyard.migration.access import rclone_file, remote_name
from modelyard.migration.planning import planned
from modelyard.migration.records import Migration, Move, Phase
from modelyard.migration.sides import Side, Wish, sides_of
from modelyard.pipeline import compile_system
from modelyard.portability import Destination
from modelyard.rehearsal.beside import PLAN
from modelyard.rehearsal.layout import Layout
from modelyard.rehearsal.rehearsal import Rehearsal
from modelyard.rehearsal.steps import Failed, fits, run_step
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
"""A system without endpoints and registry, so that its rehearsal needs neither Ray nor MLflow."""

OBJECTS = {f"visits/day={day}/part.parquet": os.urandom(1000 * day) for day in range(1, 30)}
PATIENCE_S = 300

pytestmark = pytest.mark.usefixtures("rclone")


@pytest.fixture(scope="module")
def python() -> str:
    """Return the Python of the runtime's environment."""
    return str(environments.environment("".join((REPOSITORY / path).read_text() for path in REQUIREMENTS)))


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Return a folder with the spec."""
    folder = tmp_path / "lake"
    folder.mkdir()
    (folder / "system.yaml").write_text(SPEC, encoding="utf-8")
    return folder


@pytest.fixture
def move() -> tuple[Migration, Move]:
    """Return a plan from AWS to Google Cloud."""
    inputs = Inputs(Given("system.yaml", SPEC))
    old = Side(inputs, compile_system(inputs, TARGETS))
    sides = sides_of(Wish(("main",), Destination("gcp", "europe-west3"), "gcp", {}), old, TARGETS)
    return planned(sides, (".",), PLAN, TARGETS, NO_USAGE)


def seed(rehearsal: Path) -> None:
    """Leave what a run of the old side leaves: objects."""
    for name, content in OBJECTS.items():
        path = rehearsal / "old" / "stores" / "lake-lake" / name
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
    """Return a function that begins a rehearsal in this process, or goes on with it from what is on disk."""
    plan, carried = move
    code, folder = tmp_path / "lake", tmp_path / "rehearsal"
    code.mkdir()
    (code / "system.yaml").write_text(SPEC, encoding="utf-8")
    seed(folder)
    layout = Layout(folder, carried, dict(copies(folder, plan.sides, "never")), code, sys.executable)
    layout.prepare()
    for phase in plan.phases:
        if phase.overlay:
            path = layout.system / PLAN / "phases" / phase.name / "environment.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(phase.overlay, encoding="utf-8")
    (layout.system / PLAN / "rclone.conf").write_text(rclone_file(carried), encoding="utf-8")

    @contextmanager
    def started() -> Generator[Rehearsal]:
        jobs = schedules(plan.sides)
        with (folder / "lock").open("w") as lock, Rehearsal(layout, plan, jobs, lock.fileno()) as running:
            yield running

    return started


def test_phases_are_taken_back_and_the_old_side_stays_as_long_as_anything_uses_it(
    starting: Callable[[], AbstractContextManager[Rehearsal]], move: tuple[Migration, Move], tmp_path: Path
) -> None:
    """Each phase begins with what is on disk, is undone by the plan's own commands, and done again.

    The old side keeps every object. Callers, schedules, and objects that are there alone each keep the old side.
    """
    folder = tmp_path / "rehearsal"
    old, new = (folder / which / "stores" / "lake-lake" for which in ("old", "new"))
    *phases, last = move[0].phases
    for phase in phases:
        with starting() as rehearsal:
            rehearsal.carry(phase)
            rehearsal.take_back(phase)
            assert digests(old) == EXPECTED
            assert rehearsal.gateway.percent_new == 0
            if phase.name == "8-freeze":
                assert json.loads((folder / "schedules.json").read_text())["old"] == {"lake/clean": False}
            rehearsal.carry(phase)
    assert digests(new) == EXPECTED
    assert (old / "_modelyard-rehearsal-new").is_file()

    with starting() as rehearsal:
        with pytest.raises(
            Failed, match=r"the old side still answers 100 percent of requests; schedule lake/clean of the old"
        ):
            rehearsal.carry(last)  # 10-watch was taken back and done again, which moves neither of them
        for phase in phases[7:9]:
            rehearsal.carry(phase)
    stacks = json.loads((folder / "stacks.json").read_text())
    with starting() as rehearsal:
        rehearsal.gateway.percent_new = 99
        (old / "visits" / "late.parquet").write_bytes(b"late")
        with pytest.raises(
            Failed, match=r"the old side still answers 1 percent of requests; .*lake: 1 objects .* visits/late"
        ):
            rehearsal.carry(last)
    assert json.loads((folder / "stacks.json").read_text()) == stacks

    (old / "visits" / "late.parquet").unlink()
    with starting() as rehearsal:
        rehearsal.carry(last)
    after = json.loads((folder / "stacks.json").read_text())
    assert {name: bool(stack["applied"]) for name, stack in after.items()} == {
        name: "build/gcp/" in name for name in stacks
    }


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Handle SIGINT as in a terminal, because background jobs and their children ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


ENDED = {
    "5-data begins": signal.SIGINT,
    "9-cut-over begins": signal.SIGKILL,
}
"""After which line a rehearsal is ended, and how."""


@pytest.mark.usefixtures("interruptible")
def test_a_killed_rehearsal_goes_on_where_it_was_and_loses_nothing(lake: Path, python: str) -> None:
    """Killed or interrupted at boundaries and in phases, the same command ends with every object on both sides."""
    folder = lake / ".modelyard" / "gcp.rehearsal"
    seed(folder)
    command = [sys.executable, "-m", "modelyard", "migrate", str(lake), "--to", "gcp:europe-west3", "--rehearse"]
    command += ["--python", python, "--format", "json"]
    path = os.pathsep.join(str(REPOSITORY / part) for part in ("compiler", "schemas", "targets", "stacks", "runtime"))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}

    for moment, number in ENDED.items():
        with subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        ) as process:
            assert any(moment in line for line in present(process.stderr)), moment
            process.send_signal(number)
            rest = present(process.stderr).read()
        assert process.returncode == {signal.SIGKILL: -signal.SIGKILL, signal.SIGINT: 130}[number]
        assert number == signal.SIGKILL or "interrupted; run the same command to continue with 5-data" in rest
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S)

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [phase["name"] for phase in report["phases"]] == _phases(folder)
    assert report["takenBack"] is True
    for which in ("old", "new"):
        assert digests(folder / which / "stores" / "lake-lake") == EXPECTED
    assert "continuing with" in done.stderr


def _phases(folder: Path) -> list[str]:
    """Return the phases that the state file counts as done, as `modelyard migrate --status` shows them."""
    command = [sys.executable, "-m", "modelyard", "migrate", str(folder.parents[1]), "--status", "--format", "json"]
    done = subprocess.run(
        [*command, "--out", str(folder / "system" / PLAN)], capture_output=True, text=True, check=True
    )
    status = json.loads(done.stdout)
    assert status["next"] is None
    return [str(name) for name in status["done"]]


def test_emitted_commands_copy_between_stores_of_different_protocols(
    move: tuple[Migration, Move], tmp_path: Path, python: str
) -> None:
    """From an S3 API to one of Google: everything is copied by checksum, then what has changed, and then back."""
    plan, carried = move
    (tmp_path / PLAN).mkdir()
    (tmp_path / PLAN / "rclone.conf").write_text(rclone_file(carried), encoding="utf-8")
    phases = {phase.name: phase for phase in plan.phases}
    remotes = {
        which: [remote for one in handovers.values() for remote in one.remotes]
        for which, handovers in carried.handovers.items()
    }
    buckets = {which: [remote.bucket for remote in ends] for which, ends in remotes.items()}
    bucket = next(remote.bucket for remote in remotes["old"] if remote.store == "lake")
    with _s3(buckets["old"]) as s3, _gcs(python, tmp_path, buckets["new"]) as gcs:
        environment = _reached(remotes, s3.endpoint, gcs)
        s3.fill(bucket, OBJECTS)
        first = _run(phases["5-data"], tmp_path, environment)
        s3.fill(bucket, {"visits/day=1/part.parquet": b"changed", "visits/late.parquet": b"late"})
        again = _run(phases["8-freeze"], tmp_path, environment)
        s3.client.delete_object(Bucket=bucket, Key="visits/late.parquet")
        _run(phases["10-watch"], tmp_path, environment)
        back = s3.client.get_object(Bucket=bucket, Key="visits/late.parquet")["Body"].read()

    assert sorted(first) == sorted(f"= {name}" for name in OBJECTS)
    assert sorted(again) == sorted(f"= {name}" for name in (*OBJECTS, "visits/late.parquet"))
    assert back == b"late"


def _run(phase: Phase, folder: Path, environment: dict[str, str]) -> list[str]:
    """Run a phase's copies and comparisons as they were emitted, and return what the comparisons list."""
    listed: list[str] = []
    with (folder / "log").open("ab") as log:
        for step in (*phase.do, *phase.check):
            if step.commands and all(line.startswith("rclone ") for line in step.commands):
                ran = run_step(step, folder, environment, log, log.fileno())
                assert fits(step, ran), (step.text, ran.output, (folder / "log").read_text())
                listed += ran.output.splitlines()
    return listed


class _S3:
    """An S3-compatible service, with the buckets of a side."""

    def __init__(self, buckets: list[str]) -> None:
        moto: Any = import_module("moto.moto_server.threaded_moto_server")
        boto3: Any = import_module("boto3")
        self.server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self.server.start()
        self.endpoint = f"http://127.0.0.1:{self.server.get_host_and_port()[1]}"
        keys = {"aws_access_key_id": "id", "aws_secret_access_key": "key"}
        self.client: Any = boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1", **keys)
        for bucket in buckets:
            self.client.create_bucket(Bucket=bucket)

    def fill(self, bucket: str, objects: Mapping[str, bytes]) -> None:
        for name, content in objects.items():
            self.client.put_object(Bucket=bucket, Key=name, Body=content)


@contextmanager
def _s3(buckets: list[str]) -> Generator[_S3]:
    service = _S3(buckets)
    try:
        yield service
    finally:
        service.server.stop()


@contextmanager
def _gcs(python: str, folder: Path, buckets: list[str]) -> Generator[str]:
    """Run an emulator of Google Cloud Storage, and return its address."""
    log = folder / "gcs.log"
    with log.open("w") as stream:
        command = [python, str(REPOSITORY / "tests/runtime/gcs_emulator.py")]
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.match(r"(\d+)\n", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        endpoint = f"http://127.0.0.1:{found[1]}/storage/v1/"
        for bucket in buckets:
            body = json.dumps({"name": bucket}).encode()
            request = urllib.request.Request(f"{endpoint}b", body, {"Content-Type": "application/json"})
            urllib.request.urlopen(request, timeout=60).close()
        yield endpoint
    finally:
        process.kill()
        process.wait()


def _reached(remotes: Mapping[str, list[Remote]], s3: str, gcs: str) -> dict[str, str]:
    """Return the environment in which the emitted remotes are these services, as rclone takes settings from there."""
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}
    for which, settings in (
        ("old", {"PROVIDER": "Other", "ENDPOINT": s3}),
        ("new", {"ANONYMOUS": "true", "ENDPOINT": gcs}),
    ):
        for remote in remotes[which]:
            name = f"RCLONE_CONFIG_{remote_name(which, remote).upper()}"
            environment |= {f"{name}_{key}": value for key, value in settings.items()}
    environment.pop("AWS_CA_BUNDLE", None)
    return environment
