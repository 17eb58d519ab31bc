"""Runs a plan's copy Job commands with kubectl on a real API server, in the namespace of the new side."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import yaml

from modelyard.migration.records import Migration, Move, Phase
from modelyard.portability import Destination
from modelyard.rehearsal.beside import PLAN
from modelyard_targets import TARGETS
from testbed.kubernetes import nodes
from testbed.kubernetes.control_plane import Cluster
from testbed.kubernetes.kubectl import Object
from testbed.places import binary
from tests.real.test_rehearsal import plan_to

PATIENCE_S = 120


def test_jobs_are_admitted_complete_and_run_again(control_plane: Cluster, tmp_path: Path) -> None:
    """Copy Jobs run in a namespace that admits only restricted Pods.

    The commands wait for each Job to finish and can be repeated.
    """
    plan, move = plan_to(Destination("gcp", "europe-west3"))
    kubectl = control_plane.kubectl
    namespace = move.handovers["new"]["main"].namespace
    kubectl.apply(list(guards(move)))
    nodes.add_nodes(kubectl, [nodes.Node("system", labels=tuple(selector_of(plan)))])
    phases = [phase for phase in plan.phases if phase.files]
    write(phases, tmp_path)
    try:
        warnings = [
            warning for phase in phases for warning in kubectl.apply_strict(tmp_path / PLAN / "phases" / phase.name)
        ]
        data = phases[0]
        printed = [run(data, tmp_path, control_plane) for _ in range(2)]
        jobs = cast("list[Any]", kubectl.all("job", namespace))
    finally:
        kubectl.run("delete", "namespace", namespace, "--wait=false")
        nodes.remove_nodes(kubectl)

    assert warnings == []
    assert [output.count("Complete") for output in printed] == [4, 4]  # a copy and a check for each of two stores
    assert {job["metadata"]["name"]: job["status"]["succeeded"] for job in jobs} == {
        f"migration-{verb}-{store}": 1 for verb in ("copy", "check") for store in ("lake", "archive")
    }


def guards(move: Move) -> Iterator[Object]:
    """Yield the objects that restrict Pods in the namespace of the new side."""
    side, namespace = move.side("new"), move.handovers["new"]["main"].namespace
    for kube_object in TARGETS[side.system.target("main").provider].objects(side.plan, "main"):
        manifest: Any = kube_object.manifest
        where = manifest["metadata"].get("namespace", manifest["metadata"]["name"])
        if manifest["kind"] in ("Namespace", "LimitRange", "ResourceQuota", "NetworkPolicy") and where == namespace:
            yield cast(Object, manifest)


def selector_of(plan: Migration) -> Iterator[tuple[str, str]]:
    """Yield the labels that a machine needs to run a copy Job."""
    *_, job = yaml.safe_load_all(next(iter(next(phase.files for phase in plan.phases if phase.files).values())))
    yield from job["spec"]["template"]["spec"].get("nodeSelector", {}).items()


def write(phases: list[Phase], folder: Path) -> None:
    """Write the files of the given phases as `modelyard migrate` does."""
    for phase in phases:
        place = folder / PLAN / "phases" / phase.name
        place.mkdir(parents=True)
        for name, text in phase.files.items():
            (place / name).write_text(text, encoding="utf-8")


def run(phase: Phase, folder: Path, cluster: Cluster) -> str:
    """Run the commands for a phase's Jobs, skipping those that print logs because they need a real machine."""
    groups = [step.in_cluster.commands for step in (*phase.do, *phase.check) if step.in_cluster and step.commands]
    lines = [line.replace("sleep 10", "sleep 0.5") for group in groups for line in group if " logs " not in line]
    (folder / ".kube").mkdir(exist_ok=True)
    (folder / ".kube" / "lake-gcp-main").write_bytes(cluster.kubeconfig.read_bytes())
    environment = {"HOME": str(folder), "PATH": f"{binary('kubectl').parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
