"""What a description asks, held against what this runtime can do: before any work, and before machines are asked for.

No library of models is loaded here and nothing outside is asked, so whoever emits a description can do the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from modelyard_runtime.capabilities import Metric, check_of, computes, known_metrics, metric_of, monitors, trainers
from modelyard_runtime.description import Section, integer, names, rows, section, sections, text
from modelyard_runtime.gate import check_gate
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.trainers import check_task
from modelyard_runtime.tuning import check_tuning

_WRITTEN = ("parquet", "csv")
_OF_STORES, _OF_REGISTRY = ("s3://", "file://"), ("models:/", "runs:/")
_PIPELINES = frozenset({"training", "batch-inference", "custom"})


def check_workload(workload: Section) -> None:
    """Refuse what the description of any workload asks and this runtime does not do."""
    kind = text(workload, "type")
    if kind == "server":
        check_server(workload)
    elif kind == "monitor":
        check_monitor(workload)
    elif kind == "promoter":
        check_promoter(workload)
    elif kind == "starter":
        check_starter(workload)
    else:
        check_pipeline(workload)


def check_pipeline(workload: Section) -> None:
    """The same of a pipeline."""
    kind, pipeline = text(workload, "type"), section(workload, "pipeline")
    if kind not in _PIPELINES:
        raise Refusal(f"'run' is for pipelines, and this workload is of type {kind}")
    model, steps = section(pipeline, "model"), sections(pipeline, "steps")
    if kind != "custom" and not model:
        raise Refusal(f"a pipeline of type {kind} needs a model")
    order(steps)
    for name, step in steps.items():
        try:
            _check_step(kind, pipeline, step)
        except Refusal as refusal:
            raise Refusal(f"step {name!r}: {refusal}") from None
    if kind == "training":
        _check_training(pipeline, text(model, "task"))


def check_promoter(workload: Section) -> None:
    """The same of the promoter: the approvals that it asks for can be given, and sources of imports be opened."""
    imports = {f"models.{name}": one for name, one in sections(workload, "imports").items()}
    for name, one in imports.items():
        uri, store = text(section(one, "import"), "uri"), text(section(one, "import"), "store")
        if not uri.startswith(_OF_STORES if store else _OF_REGISTRY):
            raise Refusal(f"{name}: a model cannot be imported from {uri}")
    asked = imports | {f"pipelines.{name}": one for name, one in sections(workload, "promotions").items()}
    asked |= {f"models.{name}": one for name, one in sections(workload, "stages").items()}
    for name, promotion in asked.items():
        approvals = section(promotion, "approvals")
        groups, keys = names(approvals, "from"), sections(approvals, "groups")
        without = [group for group in groups if not names(keys.get(group, {}), "sshKeys")]
        if without:
            raise Refusal(f"{name}: {without[0]!r} may approve, and has no key")
        if integer(approvals, "minimum") > len(groups):
            raise Refusal(f"{name}: {integer(approvals, 'minimum')} approvals cannot come from {len(groups)}")


def check_starter(workload: Section) -> None:
    """The same of what starts runs that other targets ask for."""
    if text(workload, "type") != "starter":
        raise Refusal(f"'start' is for starters, and this workload is of type {text(workload, 'type')}")
    for request in rows(workload, "requests"):
        lacking = [name for name in ("monitor", "pipeline", "cronJob", "asked", "answered") if not text(request, name)]
        if lacking:
            raise Refusal(f"a request that may be answered has no {lacking[0]}")


def order(steps: dict[str, Section]) -> list[str]:
    """The steps with each after those that it needs; steps that wait for each other are refused."""
    done: dict[str, None] = {}
    while len(done) < len(steps):
        ready = [name for name, step in steps.items() if name not in done and set(names(step, "needs")) <= done.keys()]
        if not ready:
            raise Refusal(f"steps {', '.join(name for name in steps if name not in done)} wait for each other")
        done |= dict.fromkeys(ready)
    return list(done)


def _check_step(kind: str, pipeline: Section, step: Section) -> None:
    if "entrypoint" in step:
        return
    data = sections(pipeline, "data")
    if kind == "custom" and "model" in step and not names(step, "inputs"):
        raise Refusal("there is nothing to score: it has no inputs")
    if kind == "batch-inference" or (kind == "custom" and "model" in step):
        output = text(step, "output") or text(pipeline, "output")
        if output not in data:
            raise Refusal("scoring needs an output dataset")
        if text(data[output], "format") not in _WRITTEN:
            raise Refusal(f"output {output!r} is of format json, which is read only; declare parquet or csv")
        return
    if kind == "custom" or not text(step, "trainer"):
        raise Refusal("it has neither an entrypoint nor a built-in trainer")
    trainer, task = text(step, "trainer"), text(section(pipeline, "model"), "task")
    check_task(trainer, task)
    _check_inputs(pipeline, [data[name] for name in names(step, "inputs")], task)
    most = integer(section(step, "workers"), "max")
    if most > 1 and "tuning" not in pipeline and not trainers()[trainer].together:
        raise Refusal(
            f"{trainer} trains on one worker, and workers.max is {most}; "
            "use one worker, a search, or an entrypoint that trains with Ray Train"
        )


def _check_inputs(pipeline: Section, inputs: list[Section], task: str) -> None:
    """What a built-in trainer reads has one label, and what the split and a ranker go by."""
    labelled = sum(bool(text(one, "label")) for one in inputs)
    if labelled != 1:
        raise Refusal(f"one of its inputs must have a label; {labelled} have")
    if text(section(pipeline, "split"), "by") == "time" and not _any(inputs, "timestamp"):
        raise Refusal("a split by time needs a dataset with a timestamp column")
    if task == "ranking" and not _any(inputs, "group"):
        raise Refusal("a ranker needs to know which rows are of one query: `group` of a dataset")


def _check_training(pipeline: Section, task: str) -> None:
    steps, data = sections(pipeline, "steps").values(), sections(pipeline, "data")
    if "tuning" in pipeline:
        check_tuning(section(pipeline, "tuning"), task, any(text(step, "trainer") for step in steps))
    check_gate(pipeline, task, any("entrypoint" in step for step in steps))
    learned = [data[name] for step in steps for name in names(step, "inputs")]
    trained = [data[name] for step in steps if text(step, "trainer") for name in names(step, "inputs")]
    if trained and "tuning" in pipeline:
        _check_needs(metric_of(text(section(pipeline, "tuning"), "metric")), trained, trained)
    for line in rows(pipeline, "validation"):
        judged = [data[text(line, "data")]] if text(line, "data") else learned
        try:
            _check_needs(metric_of(text(line, "metric")), judged, learned)
        except Refusal as refusal:
            raise Refusal(f"gate {text(line, 'name')!r}: {refusal}") from None


def check_server(workload: Section) -> None:
    """The same of what serves models."""
    applications = sections(workload, "applications")
    if not applications:
        raise Refusal("a server has no application")
    for name, one in applications.items():
        if not known_metrics(text(section(one, "model"), "task")):
            raise Refusal(f"application {name!r}: {text(section(one, 'model'), 'task')!r} is no task of a model")
        if "auth" in one:
            check_auth(section(one, "auth"))


def check_auth(auth: Section) -> None:
    """The same of how callers show who they are."""
    if text(auth, "type") != "bearer-token":
        raise Refusal(f"requests cannot be asked for {text(auth, 'type')!r} here; only for a bearer-token")


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
    _check_needs(found, sections(monitor, "data").values())


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


def _check_needs(metric: Metric | None, judged: Iterable[Section], learned: Iterable[Section] = ()) -> None:
    if metric is not None and metric.needs == "group" and not _any(judged, "group"):
        raise Refusal(f"{metric.name!r} needs to know which rows are of one query: `group` of a dataset")
    if metric is not None and metric.needs == "history" and not _any(learned, "timestamp"):
        raise Refusal(f"{metric.name!r} needs the rows to learn from in order: `timestamp` of a dataset")


def _later(metric: str) -> bool:
    found = metric_of(metric)
    return found is not None and found.later


def _any(data: Iterable[Section], field: str) -> bool:
    return any(text(one, field) for one in data)
