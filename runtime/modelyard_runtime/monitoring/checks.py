"""The description of a monitor, held against what this runtime can do."""

from __future__ import annotations

from modelyard_runtime.capabilities import Metric, check_of, computes, known_metrics, metric_of, monitors
from modelyard_runtime.metrics.needs import check_needs
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.description import Section, names, rows, section, sections, text


def check_monitor(workload: Section) -> None:
    """The same of a monitor."""
    if text(workload, "type") != "monitor":
        raise Refusal(f"'monitor' is for monitors, and this workload is of type {text(workload, 'type')}")
    monitor = section(workload, "monitor")
    kind = monitors().get(text(monitor, "type"))
    if kind is None:
        raise Refusal(f"there is no monitor of type {text(monitor, 'type')!r}; known are {', '.join(monitors())}")
    if kind.reads == "series":
        raise Refusal("performance is watched by alert rules on the servers' own series, not by a run")
    watched = text(section(monitor, "current"), "data")
    if watched and not text(sections(monitor, "data")[watched], "timestamp"):
        raise Refusal(f"a window of {watched!r} needs its timestamp column in the spec")
    _check_reference(monitor)
    if "labels" in kind.needs:
        _check_labels(monitor)
    for check in rows(monitor, "checks"):
        try:
            _check_check(monitor, check)
        except Refusal as refusal:
            raise Refusal(f"check {text(check, 'name')!r}: {refusal}") from None


def _check_reference(monitor: Section) -> None:
    reference = section(monitor, "reference")
    named = text(reference, "data")
    if "windowSeconds" in reference and named and not text(sections(monitor, "data")[named], "timestamp"):
        raise Refusal(f"a window of {named!r} needs its timestamp column in the spec")


def _check_labels(monitor: Section) -> None:
    named = text(monitor, "labels") or text(section(monitor, "current"), "data")
    if not text(sections(monitor, "data").get(named, {}), "label"):
        raise Refusal("quality needs a dataset with a label: `labels` of the monitor, or the watched one")
    if not rows(monitor, "models"):
        raise Refusal("quality is that of a model, and what is watched has none")


def _check_check(monitor: Section, check: Section) -> None:
    """A check is one of the monitor's type, or a metric of the task, and has what it needs."""
    name, type_ = text(check, "metric"), text(monitor, "type")
    kind = monitors()[type_]
    if names(check, "features") and not kind.features:
        raise Refusal(f"a monitor of type {type_} looks at no columns")
    if name in kind.checks:
        _check_columns(monitor, check, check_of(name))
        return
    task = text(rows(monitor, "models")[0], "task") if kind.metrics else ""
    found = metric_of(name)
    if not kind.metrics or not computes(name, task) or (found is not None and not found.later):
        known = (*kind.checks, *(one for one in known_metrics(task) if kind.metrics and _later(one)))
        raise Refusal(f"{name!r} is not computed by a monitor of type {type_}; known are {', '.join(known)}")
    check_needs(found, sections(monitor, "data").values())


def _check_columns(monitor: Section, check: Section, found: Metric | None) -> None:
    needs = "" if found is None else found.needs
    watched = sections(monitor, "data").get(text(section(monitor, "current"), "data"), {})
    declared = bool(names(check, "features") or section(watched, "schema") or names(watched, "features"))
    if needs not in {"reference", "columns"} or (needs == "columns" and declared):
        return
    if "reference" not in monitor:
        raise Refusal(f"{text(check, 'metric')!r} needs a reference")
    if not text(section(monitor, "reference"), "data") and not rows(monitor, "models"):
        raise Refusal("its reference is what a model learned from, and what is watched has no model")


def _later(metric: str) -> bool:
    found = metric_of(metric)
    return found is not None and found.later
