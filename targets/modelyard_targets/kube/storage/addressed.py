"""Find the datasets that a workload reads or writes by URI."""

from __future__ import annotations

from typing import Final

from modelyard.plan import ByType, Job, MonitorJob, Resource
from modelyard.spec import Dataset, System


def addressed(resource: Resource, system: System) -> list[Dataset]:
    """Return the datasets that a workload accesses by URI rather than through a declared store."""
    datasets = [system.data[name] for name in dict.fromkeys(_names(resource, system)) if name]
    return [dataset for dataset in datasets if dataset.uri]


def _none(resource: Resource, system: System) -> list[str]:
    return []


def _of_job(resource: Resource[Job], system: System) -> list[str]:
    job = resource.value
    pipeline = job.pipeline
    names = [*pipeline.inputs, pipeline.output]
    for step in pipeline.steps:
        names += [*step.inputs, step.output]
    if job.model is not None and pipeline.type == "training":
        names += [check.data for check in job.model.validation]
    return names


def _of_monitor(resource: Resource[MonitorJob], system: System) -> list[str]:
    monitor = resource.value.monitor
    names = [monitor.reference.data if monitor.reference else "", monitor.labels]
    section, _, watched = monitor.watch.partition(".")
    if section == "data":
        names.append(watched)
    elif section == "pipelines":
        pipeline = system.pipelines[watched]
        names.append(pipeline.output or pipeline.inputs[0])
    return names


_names: Final = ByType(_none).case(Job, _of_job).case(MonitorJob, _of_monitor)
