"""Give each model a locally available trainer, and provide a version for each alias used to serve or score."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Final

from modelyard.capabilities import fits, metric_of, trainers
from modelyard.local_copy.code import HasCode, without_pipeline
from modelyard.local_copy.language import generates_text, with_adapter, with_language_model
from modelyard.local_copy.note import Entry, Note, entries, mapping, section, unused
from modelyard.records import record
from modelyard.source import Json

_HEAVY: Final = "pytorch"
"""The trainer whose library is not part of the `local` extra."""

_ALIAS: Final = "champion"
_OF_TEXTS: Final = "perplexity"
_LOOSEST: Final = 0.8
"""For a metric whose best value is 1, the strictest gate bound that a model trained on noisy data can meet."""


def without_unlearnable(spec: Entry, has_code: HasCode) -> Iterator[Note]:
    """Leave out models whose task has no built-in trainer, unless their own code is available here."""
    for name, model in entries(spec, "models"):
        task, trainings = str(model.get("task")), _trainings(spec, name)
        has_own = bool(trainings) and all(_has_own(entry, has_code) for _, entry in trainings)
        if _trainer("", task) or has_own:
            continue
        yield Note(f"models.{name}", f"left out, with everything that needs it: no built-in trainer supports {task}")
        yield from _without_model(spec, name)


def _has_own(pipeline: Entry, has_code: HasCode) -> bool:
    """Return whether a training pipeline's own code is available here."""
    parts = (pipeline, *(step for _, step in entries(pipeline, "steps")))
    return any(has_code(str(mapping(part.get("source")).get("entrypoint", ""))) for part in parts)


def with_models(spec: Entry, has_code: HasCode) -> Iterator[Note]:
    """Adapt models trained by built-in trainers, and add training for models that nothing trains."""
    for name, model in entries(spec, "models"):
        task, trainings = str(model.get("task")), _trainings(spec, name)
        if not any(_has_own(entry, has_code) for _, entry in trainings):
            yield from _adapted(spec, name, model, _trainer(str(model.get("framework")), task))
            yield from _gate(name, model, task)
        if model.pop("stages", None):
            yield Note(f"models.{name}.stages", "left out: a version need not spend time at one alias before the next")
        if generates_text(model):
            yield from with_language_model(spec, name, model) if "import" in model else with_adapter(trainings)
        elif model.pop("import", None):
            yield Note(f"models.{name}.import", "the delivered version is not fetched; one is trained here")
    for name, model in entries(spec, "models"):
        yield from _imported(spec, name, model) if "import" in model else _aliases(spec, name)


def _trainer(framework: str, task: str) -> str:
    """Return the built-in trainer for a framework, falling back to the first one for the task."""
    able = [name for name, trainer in trainers().items() if task in trainer.tasks and name != _HEAVY]
    return framework if framework in able else next(iter(able), "")


def _adapted(spec: Entry, name: str, model: Entry, trainer: str) -> Iterator[Note]:
    here = f"models.{name}"
    if model.get("framework") != trainer:
        yield Note(here, f"{trainer} stands in for {model.get('framework')}")
        model["framework"] = trainer
        for _, pipeline in _trainings(spec, name):
            for entry in (pipeline, *(step for _, step in entries(pipeline, "steps"))):
                for field in (
                    "trainer",
                    "parameters",
                    "tuning",
                    *(() if trainers()[trainer].together else ("workers",)),
                ):
                    entry.pop(field, None)


def _gate(name: str, model: Entry, task: str) -> Iterator[Note]:
    """Drop checks of metrics that only user code can report, and loosen bounds that generated data cannot meet."""
    gate = mapping(model.get("validation"))
    for check, bounds in [(key, mapping(value)) for key, value in gate.items()]:
        here, metric = f"models.{name}.validation.{check}", str(bounds.get("metric", check))
        if not fits(metric, task):
            yield Note(here, f"left out, because no built-in trainer reports {metric}")
            del gate[check]
            continue
        yield from _loosened(here, metric, bounds)
        yield from _unbounded(here, metric, bounds)
        if metric == _OF_TEXTS and "versus" not in bounds:
            del gate[check]
    if "validation" in model and not gate:
        del model["validation"]


def _loosened(here: str, metric: str, bounds: Entry) -> Iterator[Note]:
    known = metric_of(metric)
    if known is None or known.least not in {0, -1} or known.most != 1:
        return
    limits = {"min": _LOOSEST, "max": 1 - _LOOSEST}
    for field, limit in limits.items():
        bound = bounds.get(field)
        strict = isinstance(bound, int | float) and (bound > limit if field == "min" else bound < limit)
        if strict:
            yield Note(here, f"{field}: {bound} is loosened to {limit:g}, because generated labels are noisy")
            bounds[field] = round(limit, 2)


def _unbounded(here: str, metric: str, bounds: Entry) -> Iterator[Note]:
    """Drop bounds on a metric that depends on the base model, because its stand-in knows no language."""
    if metric == _OF_TEXTS and (fields := bounds.keys() & {"min", "max"}):
        yield Note(here, "its bounds are left out, because the model that stands in knows no language")
        for field in fields:
            del bounds[field]


def _trainings(spec: Entry, model: str) -> list[tuple[str, Entry]]:
    return [
        (name, entry)
        for name, entry in entries(spec, "pipelines")
        if entry.get("type") == "training" and entry.get("model") == model
    ]


def _aliases(spec: Entry, model: str) -> Iterator[Note]:
    """Train a version for each alias in use that no pipeline promotes to."""
    trained = {str(entry.get("promoteTo", _ALIAS)): name for name, entry in _trainings(spec, model)}
    for reference in _references(spec, model):
        alias = reference.alias
        if alias.isdigit():
            yield reference.changed(f"{model}@{next(iter(trained), _ALIAS)}")
            alias = reference.alias
        if alias not in trained:
            trained[alias] = _train(spec, model, alias)
            yield Note(f"pipelines.{trained[alias]}", f"added, because nothing in the spec trains {model}@{alias}")


def _imported(spec: Entry, name: str, model: Entry) -> Iterator[Note]:
    """Point everything that uses an imported language model to the alias that its import moves."""
    alias = str(mapping(model["import"]).get("promoteTo", _ALIAS))
    bases = (
        _Reference(adapter, "base", f"models.{other}")
        for other, adapter in entries(spec, "models")
        if _is_of(adapter, name, "base")
    )
    for reference in (*_references(spec, name), *bases):
        if reference.alias != alias:
            yield reference.changed(f"{name}@{alias}")


@record
class _Reference:
    """A field that refers to a version of a model, and its address for messages."""

    holder: Entry
    field: str
    address: str

    @property
    def alias(self) -> str:
        """Return the alias or the number of the version."""
        return str(self.holder[self.field]).partition("@")[2] or _ALIAS

    def changed(self, reference: str) -> Note:
        """Refer to another version, and return a note about it."""
        kind = "version" if self.alias.isdigit() else "alias"
        note = Note(self.address, f"{kind} {self.alias} is not available here; {reference} answers instead")
        self.holder[self.field] = reference
        return note


def _references(spec: Entry, model: str) -> Iterator[_Reference]:
    """Yield each reference to a model from a variant, a named adapter, a step or a pipeline."""
    for name, endpoint in entries(spec, "inference"):
        for variant, entry in entries(endpoint, "variants"):
            if _is_of(entry, model):
                yield _Reference(entry, "model", f"inference.{name}.variants.{variant}")
        adapters = mapping(endpoint.get("adapters"))
        for adapter in adapters:
            if _is_of(adapters, model, adapter):
                yield _Reference(adapters, adapter, f"inference.{name}.adapters.{adapter}")
    for name, pipeline in entries(spec, "pipelines"):
        for entry in (pipeline, *(step for _, step in entries(pipeline, "steps"))):
            if entry.get("type") != "training" and _is_of(entry, model):
                yield _Reference(entry, "model", f"pipelines.{name}")


def _is_of(entry: Entry, model: str, field: str = "model") -> bool:
    return str(entry.get(field, "")).partition("@")[0] == model


def _train(spec: Entry, model: str, alias: str) -> str:
    """Add a training pipeline and return its name. Copies the model's first one, or uses a new dataset."""
    name = unused(spec, "pipelines", f"train-{model}-{alias}"[:40].rstrip("-"))
    known = _trainings(spec, model)
    pipeline: Entry = copy.deepcopy(known[0][1]) if known else _on_own_data(spec, model)
    section(spec, "pipelines")[name] = {**pipeline, "schedule": "on-demand", "promoteTo": alias}
    return name


def _on_own_data(spec: Entry, model: str) -> Entry:
    data = unused(spec, "data", f"{model}-examples"[:40])
    artifacts = mapping(spec["registry"])["artifacts"]
    section(spec, "data")[data] = {"store": artifacts, "path": data, "format": "parquet", "label": "label"}
    inputs: list[Json] = [data]
    return {"type": "training", "model": model, "inputs": inputs, "compute": {"cpu": 1, "memory": "2Gi"}}


def _without_model(spec: Entry, model: str) -> Iterator[Note]:
    section(spec, "models").pop(model)
    for name, pipeline in entries(spec, "pipelines"):
        if any(_is_of(entry, model) for entry in (pipeline, *(step for _, step in entries(pipeline, "steps")))):
            yield Note(f"pipelines.{name}", "left out")
            without_pipeline(spec, name)
    for name, endpoint in entries(spec, "inference"):
        yield from _without_variants(spec, name, endpoint, model)


def _without_variants(spec: Entry, name: str, endpoint: Entry, model: str) -> Iterator[Note]:
    """Remove an endpoint's variants of a model.

    The first remaining variant gets all traffic. If none remains, the endpoint and its monitors are left out.
    """
    variants = mapping(endpoint["variants"])
    gone = [variant for variant, entry in entries(endpoint, "variants") if _is_of(entry, model)]
    for variant in gone:
        del variants[variant]
    if gone and not variants:
        yield Note(f"inference.{name}", "left out")
        section(spec, "inference").pop(name)
        for monitor, entry in entries(spec, "monitors"):
            if entry.get("watch") == f"inference.{name}":
                yield Note(f"monitors.{monitor}", "left out")
                section(spec, "monitors").pop(monitor)
    elif gone:
        endpoint.pop("mirror", None)
        first, *others = variants
        endpoint["traffic"] = {first: 100, **dict.fromkeys(others, 0)}
        yield Note(f"inference.{name}", f"{first} gets all requests")
