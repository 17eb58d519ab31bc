"""Metrics of a run, pushed to the receiver that its description names, and in the log where it names none."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from modelyard_runtime.telemetry.otlp import Sample, push
from modelyard_runtime.workload.description import Section, section, text

_log = logging.getLogger(__name__)


def labels_of(workload: Section, kind: str) -> dict[str, str]:
    """What keeps the metrics of a workload apart: its system, its own name as a label of its kind, its namespace."""
    own = {"system": text(workload, "system"), kind: text(workload, "address").rpartition(".")[2]}
    namespace = text(section(workload, "metrics"), "namespace")
    return {**own, "namespace": namespace} if namespace else own


def report(workload: Section, samples: Iterable[Sample], at_s: float) -> bool:
    """Whether the samples have arrived, or have nowhere to go."""
    kept = list(samples)
    for one in kept:
        _log.info("%s %s %g", one.name, dict(one.labels), one.value)
    url = text(section(workload, "metrics"), "otlp")
    if not url:
        return True
    try:
        push(url, kept, _source(workload), at_s)
    except OSError as problem:
        _log.error("the metrics cannot be pushed to %s: %s", url, problem)
        return False
    return True


def _source(workload: Section) -> dict[str, str]:
    """What OTLP calls the source of metrics; Prometheus makes the label `job` of it, by which series are kept apart."""
    named = {"service.name": f"{text(workload, 'system')}-{text(workload, 'name')}"}
    namespace = text(section(workload, "metrics"), "namespace")
    return {**named, "service.namespace": namespace} if namespace else named
