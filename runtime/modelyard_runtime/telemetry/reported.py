"""Logs the metrics of a run, and pushes them if the description names a receiver."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from modelyard_runtime.telemetry.otlp import Sample, push
from modelyard_runtime.workload.records import Workload

_log = logging.getLogger(__name__)


def labels_of(workload: Workload, kind: str) -> dict[str, str]:
    """Return the labels for a workload's metrics: system, namespace, and its name under the label `kind`."""
    labels = {"system": workload.system, kind: workload.address.rpartition(".")[2]}
    namespace = workload.metrics.namespace if workload.metrics is not None else ""
    return {**labels, "namespace": namespace} if namespace else labels


def report(workload: Workload, samples: Iterable[Sample], at_s: float) -> bool:
    """Log and push the samples. Return False if a receiver could not be reached."""
    sample_list = list(samples)
    for sample in sample_list:
        _log.info("%s %s %g", sample.name, dict(sample.labels), sample.value)
    if workload.metrics is None:
        return True
    url = workload.metrics.otlp
    try:
        push(url, sample_list, _source(workload), at_s)
    except OSError as problem:
        _log.error("the metrics cannot be pushed to %s: %s", url, problem)
        return False
    return True


def _source(workload: Workload) -> dict[str, str]:
    """Return the OTLP resource attributes Prometheus uses to create the `job` label, which separates series."""
    attributes = {"service.name": f"{workload.system}-{workload.name}"}
    namespace = workload.metrics.namespace if workload.metrics is not None else ""
    return {**attributes, "service.namespace": namespace} if namespace else attributes
