"""Runs a plan's copy commands from S3 to object stores with other protocols, on Google Cloud and Azure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
import yaml

from modelyard.handover import Remote
from modelyard.migration.access import rclone_file, remote_name
from modelyard.migration.records import Phase
from modelyard.portability import Destination
from modelyard.rehearsal.beside import PLAN
from modelyard.rehearsal.steps import fits, run_step
from testbed import environments, npm
from testbed.places import REPOSITORY
from tests.moto.s3 import s3
from tests.moto.server import ask
from tests.real.test_rehearsal import OBJECTS, REQUIREMENTS, plan_to

PATIENCE_S = 300
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The key of Azurite's default account, which its documentation publishes."""

Store = Callable[[Path, list[str]], AbstractContextManager[dict[str, str]]]
"""A function that runs an object store with the given buckets, and returns rclone's settings for it."""

pytestmark = pytest.mark.usefixtures("rclone", "azurite")


@contextmanager
def google(folder: Path, buckets: list[str]) -> Generator[dict[str, str]]:
    """Run an emulator of Google Cloud Storage."""
    requirements = "".join((REPOSITORY / path).read_text() for path in REQUIREMENTS)
    command = [str(environments.environment(requirements)), str(REPOSITORY / "tests/runtime/gcs_emulator.py")]
    with _running(command, folder / "store.log", r"(\d+)\n") as port:
        endpoint = f"http://127.0.0.1:{port}/storage/v1/"
        for bucket in buckets:
            ask("POST", f"{endpoint}b", json.dumps({"name": bucket}).encode())
        yield {"ANONYMOUS": "true", "ENDPOINT": endpoint}


@contextmanager
def azure(folder: Path, containers: list[str]) -> Generator[dict[str, str]]:
    """Run Azurite, and sign a URL that permits everything in its account."""
    with _running(npm.azurite(), folder / "store.log", r"listens on http://127\.0\.0\.1:(\d+)") as port:
        account, query = f"http://127.0.0.1:{port}/{ACCOUNT}", signed()
        for container in containers:
            ask("PUT", f"{account}/{container}?restype=container&{query}", b"")
        yield {"SAS_URL": f"{account}?{query}"}


@pytest.mark.parametrize(
    ("place", "store"),
    [(Destination("gcp", "europe-west3"), google), (Destination("azure", "germanywestcentral"), azure)],
    ids=["gcp", "azure"],
)
def test_emitted_commands_copy_between_stores_of_different_protocols(
    place: Destination, store: Store, tmp_path: Path
) -> None:
    """The copy survives being killed and restarted.

    Checksums then match, and later changes are copied in both directions.
    """
    plan, transfer = plan_to(place)
    (tmp_path / PLAN).mkdir()
    (tmp_path / PLAN / "rclone.conf").write_text(rclone_file(transfer), encoding="utf-8")
    phases = {phase.name: phase for phase in plan.phases}
    remotes = {
        which: [remote for handover in handovers.values() for remote in handover.remotes]
        for which, handovers in transfer.handovers.items()
    }
    buckets = {which: [remote.bucket for remote in ends] for which, ends in remotes.items()}
    bucket, copy = (
        next(remote.bucket for remote in remotes[which] if remote.store == "lake") for which in ("old", "new")
    )
    with s3(buckets["old"]) as old_side, store(tmp_path, buckets["new"]) as new_side:
        environment = _environment(remotes, {"PROVIDER": "Other", "ENDPOINT": old_side.endpoint}, new_side)
        old_side.fill(bucket, OBJECTS)
        before = _killed(phases["5-data"], tmp_path, environment, f"new_lake:{copy}")
        first = _run(phases["5-data"], tmp_path, environment)
        old_side.fill(bucket, {"visits/later.parquet": b"later"})
        jobs = [
            _run_job(phases["5-data"], f"{verb}-lake", tmp_path, environment) for verb in ("check", "copy", "check")
        ]
        old_side.client.delete_object(Bucket=bucket, Key="visits/later.parquet")
        old_side.fill(bucket, {"visits/day=1/part.parquet": b"changed", "visits/late.parquet": b"late"})
        again = _run(phases["8-freeze"], tmp_path, environment)
        old_side.client.delete_object(Bucket=bucket, Key="visits/late.parquet")
        _run(phases["10-watch"], tmp_path, environment)
        back = old_side.client.get_object(Bucket=bucket, Key="visits/late.parquet")["Body"].read()

    assert 0 < len(before) < len(OBJECTS)
    assert sorted(first) == sorted(f"= {name}" for name in OBJECTS)
    assert sorted(again) == sorted(f"= {name}" for name in (*OBJECTS, "visits/late.parquet"))
    assert back == b"late"
    assert jobs == [(1, "visits/later.parquet\n"), (0, ""), (0, "")]


def _killed(phase: Phase, folder: Path, environment: dict[str, str], sink: str) -> list[str]:
    """Kill a phase's copies once the first object arrives, and return all objects that have arrived by then."""
    lines = [line for step in phase.do for line in step.commands if " copy " in line]
    slow = {**environment, "RCLONE_TPSLIMIT": "5"}
    process = subprocess.Popen(["bash", "-c", "\n".join(lines)], cwd=folder, env=slow, start_new_session=True)
    deadline = time.monotonic() + PATIENCE_S
    while not _listed(folder, environment, sink):
        assert process.poll() is None, "the copy has ended"
        assert time.monotonic() < deadline
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return _listed(folder, environment, sink)


def _listed(folder: Path, environment: dict[str, str], place: str) -> list[str]:
    command = ["rclone", "--config", f"{PLAN}/rclone.conf", "lsf", "-R", "--files-only", place]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    ).stdout.split()


def _run(phase: Phase, folder: Path, environment: dict[str, str]) -> list[str]:
    """Run the emitted copy and comparison commands of a phase, and return the output of the comparisons."""
    listed: list[str] = []
    with (folder / "log").open("ab") as log:
        for step in (*phase.do, *phase.check):
            if step.commands and all(line.startswith("rclone ") for line in step.commands):
                ran = run_step(step, folder, environment, log, log.fileno())
                assert fits(step, ran), (step.text, ran.output, (folder / "log").read_text())
                listed += ran.output.splitlines()
    return listed


def _run_job(phase: Phase, name: str, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Run a Job container's command locally, with the configuration that the container would mount."""
    objects = {manifest["kind"]: manifest for manifest in yaml.safe_load_all(phase.files[f"migration-{name}.yaml"])}
    (container,) = objects["Job"]["spec"]["template"]["spec"]["containers"]
    (file, text), *_ = objects["ConfigMap"]["data"].items()
    (folder / file).write_text(text, encoding="utf-8")
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    command = [word.replace(f"{mounts['config']}/", f"{folder}/") for word in container["command"]]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, timeout=PATIENCE_S)
    return done.returncode, done.stdout


@contextmanager
def _running(command: list[str], log: Path, started: str) -> Generator[str]:
    """Run a server until the block ends, and yield the port that it prints."""
    with log.open("w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, cwd=log.parent)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not (match := re.search(started, log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield match[1]
    finally:
        process.kill()
        process.wait()


def signed(name: str = ACCOUNT) -> str:
    """Return a shared access signature for an account that has Azurite's key.

    Source: learn.microsoft.com, Create an account SAS.
    """
    version, until = "2019-12-12", "2100-01-01T00:00:00Z"
    words = (name, "rwdlac", "b", "sco", "", until, "", "", version)
    text = "".join(f"{word}\n" for word in words)
    signature = base64.b64encode(hmac.digest(base64.b64decode(KEY), text.encode(), hashlib.sha256)).decode()
    return urlencode({"sv": version, "ss": "b", "srt": "sco", "sp": "rwdlac", "se": until, "sig": signature})


def _environment(remotes: Mapping[str, list[Remote]], old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables that point the rclone remotes in emitted commands at these services."""
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}
    for which, settings in (("old", old), ("new", new)):
        for remote in remotes[which]:
            name = f"RCLONE_CONFIG_{remote_name(which, remote).upper()}"
            environment |= {f"{name}_{key}": value for key, value in settings.items()}
    environment.pop("AWS_CA_BUNDLE", None)
    return environment
