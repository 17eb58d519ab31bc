"""Copies a run's logs to the artifact store before its Pods are deleted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelyard_runtime.storage.filesystem import place, write_once
from modelyard_runtime.workload.records import PipelineWorkload

_SESSIONS = Path("/tmp/ray")
"""Where Ray writes logs on each node, one folder per session (docs.ray.io, "Configuring Logging", read 2026-11-25)."""

_KEPT = ("job-driver-*.log", "worker-*.out", "worker-*.err", "raylet.out", "raylet.err", "monitor.*", "serve/*.log")
_MOST_BYTES = 64 * 1024**2
_WAIT_S = 120
_log = logging.getLogger(__name__)


def keep_logs(workload: PipelineWorkload, run_name: str) -> None:
    """Copy the logs of all cluster nodes using one task per node. A failed copy doesn't fail the run."""
    import ray
    from ray.exceptions import RayError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    if workload.pipeline.logs is None:
        return
    copying: dict[Any, str] = {}
    nodes_of_cluster: Any = ray.nodes  # untyped in Ray
    for node in nodes_of_cluster():
        if node["Alive"]:
            on_node = NodeAffinitySchedulingStrategy(node_id=node["NodeID"], soft=False)
            task: Any = ray.remote(copy_logs).options(num_cpus=0, max_retries=0, scheduling_strategy=on_node)
            copying[task.remote(workload, run_name, node["NodeName"])] = node["NodeName"]
    finished, late = ray.wait(list(copying), num_returns=len(copying), timeout=_WAIT_S)
    for reference in late:
        _log.warning("logs of %s were not copied: it took longer than %d s", copying[reference], _WAIT_S)
    for reference in finished:
        try:
            _log.info("logs of %s: %d files", copying[reference], ray.get(reference))
        except RayError as problem:
            _log.warning("logs of %s were not copied: %s", copying[reference], problem)


def copy_logs(workload: PipelineWorkload, run_name: str, node: str) -> int:
    """Copy this node's logs to `<folder of the pipeline>/<run>/<node>/` and return the number of files."""
    import ray

    return copy_folder(workload, run_name, node, _SESSIONS / ray.get_runtime_context().get_session_name() / "logs")


def copy_folder(workload: PipelineWorkload, run_name: str, node: str, folder: Path) -> int:
    """Copy the logs in one folder of this node and return the number of files.

    Runs may only add logs, not replace them. Repeating a request whose response was lost must not fail.
    """
    logs = workload.pipeline.logs
    if logs is None:
        return 0
    target = place(workload, logs.uri, logs.store).below(run_name, node)
    count = 0
    for path in _written(folder):
        write_once(target.below(*path.relative_to(folder).parts), _end_of(path))
        count += 1
    return count


def _written(folder: Path) -> Iterator[Path]:
    for pattern in _KEPT:
        yield from (path for path in sorted(folder.glob(pattern)) if path.is_file() and path.stat().st_size)


def _end_of(path: Path) -> bytes:
    """Read the last 64 MiB of a file."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _MOST_BYTES))
        return file.read(_MOST_BYTES)
