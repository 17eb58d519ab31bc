"""Moves a system between clusters using its plan's commands, Pulumi's engine and two real API servers.

Commands run as printed by `modelyard migrate`, with the real `kubectl`, `pulumi` and `rclone`, and with both clusters
in one kubeconfig. Both sides' buckets live on one S3 service. No Pods run: KWOK reports that Job Pods have succeeded.
`kubectl logs` is therefore skipped, and so is crane, because no registry has the image.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed import environments
from testbed.kubernetes import nodes
from testbed.kubernetes.control_plane import Cluster
from testbed.kubernetes.control_plane import control_plane as running_control_plane
from testbed.kubernetes.kubectl import Kubectl
from testbed.processes import kill_session
from testbed.pulumi.stack import command_path, restore_backups
from tests.moto.s3 import S3, s3

SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: tides}
governance: {owner: {team: coast, email: coast@acme.example}}
deployment:
  mode: on-prem
  targets:
    one: {provider: kubernetes, context: one, present: [kuberay], capacity: [{count: 2, cpu: 8, memory: 32Gi}]}
    two:
      provider: kubernetes
      context: two
      namespace: tides-two
      present: [kuberay]
      capacity: [{count: 2, cpu: 8, memory: 32Gi}]
  placement: {default: one}
stores:
  lake: {type: object, adopt: visits, endpoint: "https://s3.acme.example", credentials: "secret://kubernetes/lake"}
data: {visits: {store: lake, path: visits, format: parquet}, months: {store: lake, path: months, format: parquet}}
pipelines:
  clean:
    type: custom
    inputs: [visits]
    output: months
    source: {image: "registry.acme.example/clean:1.0.0", entrypoint: "clean:run"}
    compute: {cpu: 1, memory: 2Gi}
    schedule: {cron: "0 4 * * 1"}
"""
OVERLAY = "stores: {lake: {adopt: visits-two}}\n"
KEYS = "id\nkey\n" * 10
"""What a person types whenever a command asks for the access key of a store."""

OBJECTS = {"visits/may.parquet": b"may", "months/may.parquet": b"5", "other/file": b"of another system"}
PLAN = "modelyard migrate . --from one --to two --name moved --overlay new.yaml"
OLD = "pulumi --cwd build/default/one/workloads"
NEW = "pulumi --cwd build/moved/two/workloads"
SECRET = "create secret generic lake --from-literal=access-key-id=id --from-literal=secret-access-key=key"

pytestmark = pytest.mark.usefixtures("rclone")

LEFT_OUT = ("crane ", " logs job/")
PATIENCE_S = 900


class Person:
    """A person who carries out a plan in a terminal, with both clusters in the kubeconfig."""

    def __init__(self, folder: Path, environment: dict[str, str], store: S3) -> None:
        self.store = store
        self._folder = folder
        self._environment = environment
        plan: Any = json.loads((folder / "migration" / "migration.json").read_text(encoding="utf-8"))
        self.phases: dict[str, Any] = {phase["name"]: phase for phase in plan["phases"]}

    def lines(self, phase: str, part: str) -> list[str]:
        """Return the `do`, `check` or `undo` commands of a phase, including those for in-cluster Jobs."""
        steps: list[dict[str, Any]] = self.phases[phase][part]
        found: list[str] = []
        for step in steps:
            jobs: dict[str, Any] = step["inCluster"] or {"commands": []}
            found += [*step["commands"], *jobs["commands"]]
        return [line for line in found if not any(part in line for part in LEFT_OUT)]

    def start(self, lines: Sequence[str]) -> subprocess.Popen[str]:
        """Start commands in one shell, stopping at the first failure."""
        return subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, lines: Sequence[str]) -> str:
        """Run commands that must succeed, and return their output."""
        code, output = self.ended(lines)
        assert code == 0, (lines, output[-6000:])
        return output

    def ended(self, lines: Sequence[str]) -> tuple[int, str]:
        """Run commands, and return their exit code and output."""
        process = self.start(lines)
        try:
            output, _ = process.communicate(KEYS, PATIENCE_S)
        finally:
            kill_session(process)
        return process.returncode, output

    def do(self, phase: str) -> str:
        """Carry out a phase and its checks in one shell, so that typed-in keys persist, and return the output."""
        return self.run([*self.lines(phase, "do"), *self.lines(phase, "check")])

    def kill(self, lines: Sequence[str], begun: Callable[[], bool]) -> None:
        """Start commands, then kill them and all their child processes once a condition holds."""
        deadline = time.monotonic() + PATIENCE_S
        with self.start(lines) as process:
            try:
                while not begun():
                    assert process.poll() is None, process.communicate()
                    assert time.monotonic() < deadline
            finally:
                kill_session(process)
        restore_backups(self._folder / "state")

    def undo(self, phase: str) -> None:
        """Undo a phase."""
        self.run(self.lines(phase, "undo"))


@pytest.fixture(scope="module")
def second(control_plane: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Run a second control plane, with one simulated node."""
    with running_control_plane(tmp_path_factory.mktemp("second")) as cluster:
        nodes.add_nodes(cluster.kubectl, [nodes.Node("machine")])
        yield cluster


@pytest.fixture
def person(control_plane: Cluster, second: Cluster, tmp_path: Path) -> Iterator[Person]:
    """Return a person with a move's plan and a deployed old side."""
    with carrying_out(tmp_path, {"one": control_plane, "two": second}) as person:
        yield person


@contextmanager
def carrying_out(folder: Path, clusters: dict[str, Cluster]) -> Generator[Person]:
    """Write a move's plan, deploy the old side, and run the object store shared by both sides."""
    (folder / "system.yaml").write_text(SPEC, encoding="utf-8")
    (folder / "new.yaml").write_text(OVERLAY, encoding="utf-8")
    try:
        with s3(["visits", "visits-two"]) as store:
            store.fill("visits", OBJECTS)
            yield _with_old_side(folder, _environment(folder, clusters, store), store)
    finally:
        for cluster in clusters.values():
            cluster.kubectl.run("delete", "namespace", "tides", "tides-two", "--ignore-not-found", "--wait=false")


def _with_old_side(folder: Path, environment: dict[str, str], store: S3) -> Person:
    """Write a plan, deploy the old side and its Secret, and return a person who carries out the plan."""
    for command in (PLAN, "modelyard compile ."):
        subprocess.run(command.split(), cwd=folder, env=environment, check=True, capture_output=True)
    project = folder / "build" / "default" / "one" / "workloads"
    python = environments.program_environment(project / "requirements.txt")
    (project / "venv").symlink_to(python.parent.parent)
    person = Person(folder, {**environment, "PYTHONPATH": str(_packages(python))}, store)
    person.run([f"{OLD} stack init default", f"{OLD} up --stack default", f"kubectl --context one -n tides {SECRET}"])
    return person


def _packages(python: Path) -> Path:
    """Return an environment's package folder, so that pip finds the packages installed and downloads nothing."""
    return next(python.parent.parent.glob("lib/python*/site-packages"))


def _environment(folder: Path, clusters: dict[str, Cluster], store: S3) -> dict[str, str]:
    """Return environment variables for a terminal whose kubeconfig has a context for each cluster."""
    config: dict[str, Any] = {"apiVersion": "v1", "kind": "Config"}
    for name, cluster in clusters.items():
        found = yaml.safe_load(cluster.kubeconfig.read_text())
        for kind, item in (("clusters", "cluster"), ("users", "user")):
            config.setdefault(kind, []).append({"name": name, item: found[kind][0][item]})
        config.setdefault("contexts", []).append({"name": name, "context": {"cluster": name, "user": name}})
    (folder / "state").mkdir()
    (folder / "kubeconfig").write_text(yaml.safe_dump(config))
    programs = folder / "programs"
    programs.mkdir()
    (programs / "sleep").write_text("#!/bin/sh\nexec /bin/sleep 0.2\n")  # loops of the plan wait for ten seconds
    (programs / "sleep").chmod(0o700)
    return {
        "HOME": str(folder),
        "PATH": os.pathsep.join(
            (str(programs), command_path(), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))
        ),
        "KUBECONFIG": str(folder / "kubeconfig"),
        "EDITOR": "true",
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "only for this test",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_SKIP_CONFIRMATIONS": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        **{
            f"RCLONE_CONFIG_{side}_LAKE_{key}": value
            for side in ("OLD", "NEW")
            for key, value in (("PROVIDER", "Other"), ("ENDPOINT", store.endpoint))
        },
    }


def suspended(kubectl: Kubectl) -> dict[str, bool]:
    """Return whether each schedule in a cluster is suspended."""
    jobs: Any = kubectl.all("cronjob")
    return {job["metadata"]["name"]: bool(job["spec"].get("suspend")) for job in jobs}


def test_a_system_moves_to_another_cluster(person: Person, control_plane: Cluster, second: Cluster) -> None:
    """Phases can be killed, undone and repeated, and the old side stays as long as it is in use."""
    old, new = control_plane.kubectl, second.kubectl
    begin(person, new)
    person.run([f"{NEW} cancel --stack moved --yes"])
    build(person, old, new)
    person.undo("4-workloads")
    assert not new.answers("get", "namespace", "tides-two")
    build(person, old, new)
    freeze(person, old)
    cut_over(person, old, new)
    person.undo("9-cut-over")
    assert (suspended(old), suspended(new)) == ({"clean": False}, {"clean": True})
    person.run(person.lines("8-freeze", "do"))
    cut_over(person, old, new)
    retire(person, old, new)


def begin(person: Person, new: Kubectl) -> None:
    """Kill the deployment of the new side halfway, which leaves its stack locked."""
    person.do("1-build")
    person.run(person.lines("2-secrets", "do"))
    up = person.lines("4-workloads", "do")
    person.kill(up, lambda: new.answers("get", "limitrange", "defaults", "--namespace=tides-two"))
    code, output = person.ended(up[-1:])
    assert code != 0
    assert "pulumi cancel" in output


def build(person: Person, old: Kubectl, new: Kubectl) -> None:
    """Deploy the new side using its existing Python environment. Its schedules stay suspended."""
    up = [line for line in person.lines("4-workloads", "do") if line.startswith("pulumi ")]
    checks = [*person.lines("4-workloads", "check"), *person.lines("2-secrets", "check")]
    person.run([*person.lines("2-secrets", "do"), *up, *checks])
    assert (suspended(old), suspended(new)) == ({"clean": False}, {"clean": True})


def freeze(person: Person, old: Kubectl) -> None:
    """Copy the data, and stop the old side twice, undoing the first attempt."""
    assert person.do("5-data").count("Complete") == 2
    assert person.store.names("visits-two") == ["months/may.parquet", "visits/may.parquet"]
    person.run(person.lines("8-freeze", "do"))
    person.undo("8-freeze")
    assert suspended(old) == {"clean": False}
    person.do("8-freeze")
    assert suspended(old) == {"clean": True}


def cut_over(person: Person, old: Kubectl, new: Kubectl) -> None:
    """Start the new side's schedules."""
    person.do("9-cut-over")
    assert (suspended(old), suspended(new)) == ({"clean": True}, {"clean": False})


def retire(person: Person, old: Kubectl, new: Kubectl) -> None:
    """Copy the new side's data back.

    Removing the old side fails while it has an active schedule or an uncopied late object.
    """
    person.store.fill("visits-two", {"months/june.parquet": b"6"})
    person.do("10-watch")
    assert "months/june.parquet" in person.store.names("visits")

    lines = person.lines("11-retire", "do")
    person.run(person.lines("8-freeze", "undo"))
    assert person.ended(lines) == (1, "clean is not suspended\n")
    person.run(person.lines("8-freeze", "do")[:1])
    person.store.fill("visits", {"months/late.parquet": b"7"})
    code, output = person.ended(lines)
    assert code == 1
    assert "late.parquet" in output.splitlines()
    assert suspended(old) == {"clean": True}

    person.store.client.delete_object(Bucket="visits", Key="months/late.parquet")
    assert "Current stack resources (0):" in person.do("11-retire")
    assert not old.answers("get", "namespace", "tides")
    assert suspended(new) == {"clean": False}
