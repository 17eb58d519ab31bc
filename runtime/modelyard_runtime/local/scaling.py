"""Scales declared resources down to this machine.

A step gets its declared number of workers, but at least one and at most half as many as there are CPUs. Each worker
gets its declared CPUs, but at most its share of the machine. Accelerators are limited to those of the machine. Each
variant has one replica. A search runs at most as many parallel trials as there are CPUs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Machine:
    """The resources of this machine."""

    cpus: int
    gpus: int

    @classmethod
    def this(cls) -> Machine:
        """Measure the resources available to this process."""
        cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return cls(max(cpus, 1), _gpus())


def _gpus() -> int:
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return len([device for device in chosen.split(",") if device.strip() not in {"", "-1"}])
    return len([name for name in _devices() if name.startswith("nvidia") and name.removeprefix("nvidia").isdigit()])


def _devices() -> list[str]:
    try:
        return os.listdir("/dev")
    except OSError:
        return []


def scaled(description: Content, machine: Machine) -> tuple[Content, list[str]]:
    """Return a description that fits this machine, and sentences describing what was changed."""
    copy: Content = json.loads(json.dumps(description))
    pipeline = copy.get("pipeline")
    if not isinstance(pipeline, dict):
        return copy, []
    changes = [text for name, step in pipeline["steps"].items() for text in _scale_step(name, step, machine)]
    tuning = pipeline.get("tuning")
    if tuning is not None and tuning["parallel"] > machine.cpus:
        changes.append(f"{tuning['parallel']} parallel trials scaled to {machine.cpus}")
        tuning["parallel"] = machine.cpus
    return copy, changes


def _scale_step(name: str, step: Content, machine: Machine) -> Iterator[str]:
    declared, resources = dict(step["workers"]), step["resources"]
    before = f"{_counted(declared['max'], 'worker')} with {_amount(resources)}"
    most = max(1, min(declared["max"], machine.cpus // 2))
    gpus = min(resources["gpus"], machine.gpus // most)
    cpus = max(1, min(resources["cpus"], machine.cpus // most))
    step["workers"] = {"min": min(declared["min"], most), "max": most}
    changed = (most, cpus, gpus) != (declared["max"], resources["cpus"], resources["gpus"])
    resources |= {"cpus": cpus, "gpus": gpus}
    if changed:
        yield f"step {name}: {before} scaled to {most} with {_amount(resources)}"
    device = step.get("parameters", {}).get("device")
    if not gpus and isinstance(device, str) and device.startswith("cuda"):
        del step["parameters"]["device"]
        yield f"step {name}: its parameter device {device} is left out"


def _amount(resources: Content) -> str:
    gpus = f" and {_counted(resources['gpus'], 'GPU')}" if resources["gpus"] else ""
    return f"{_counted(resources['cpus'], 'CPU')}{gpus}"


def _counted(count: float, noun: str) -> str:
    return f"{count:g} {noun}{'' if count == 1 else 's'}"


def groups_of(descriptions: list[Content], machine: Machine) -> dict[str, float]:
    """Return the custom Ray resources requested by steps. In a cluster, they are provided by worker groups."""
    groups: dict[str, float] = {}
    for description in descriptions:
        steps = description.get("pipeline", {}).get("steps", {})
        for step in steps.values():
            group = step["resources"]["group"]
            if group:
                groups[group] = float(max(machine.cpus, 1))
    return groups


def deployment_options(deployment: Content) -> Content:
    """Return options for a Serve deployment with a single replica that shares the CPUs with everything else."""
    options = {name: value for name, value in deployment.items() if name != "name"}
    options.pop("max_replicas_per_node", None)
    options["autoscaling_config"] = {**options["autoscaling_config"], "min_replicas": 1, "max_replicas": 1}
    options["ray_actor_options"] = {"num_cpus": 0}
    return options
