"""Replace each imported language model with a small stand-in, and shorten the training of its adapters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.local_copy.language_model import digest_of, files_of
from modelyard.local_copy.note import Entry, Note, entries, mapping, section
from modelyard.records import record
from modelyard.source import Json

_TASK: Final = "text-generation"
_MOST_STEPS: Final = 50
_ARTIFACTS: Final = "mlflow"
"""The folder of a registry's files, which moves between clouds like the rest of its bucket."""

_LIMITS: Final = ("contextLength", "concurrency")


@record
class StandIn:
    """A language model's stand-in files, and where its import expects them."""

    store: str
    path: str
    files: Mapping[str, bytes]


def generates_text(model: Entry) -> bool:
    """Return whether a model is a language model."""
    return model.get("task") == _TASK


def with_language_model(spec: Entry, name: str, model: Entry) -> Iterator[Note]:
    """Import a small model instead of the delivered one."""
    before, registry = mapping(model["import"]), mapping(spec["registry"])
    kept: Entry = {field: value for field, value in before.items() if field == "promoteTo"}
    place: Entry = {field: before[field] for field in ("store", "path") if field in before}
    place = place or {"store": registry["artifacts"], "path": f"{_ARTIFACTS}/imported/{name}"}
    model["import"] = {**place, "digest": digest_of(_files_at(place)), **kept}
    yield Note(f"models.{name}.import", "its files are not fetched; a small model with random weights stands in")
    for endpoint, entry in entries(spec, "inference"):
        limits = mapping(entry.get("generation"))
        for field in [field for field in _LIMITS if field in limits]:
            yield Note(f"inference.{endpoint}.generation.{field}", "left out: it is sized for the delivered model")
            del limits[field]


def with_adapter(trainings: list[tuple[str, Entry]]) -> Iterator[Note]:
    """Train an adapter for only a few steps, since there is little to learn on top of random weights."""
    for name, pipeline in trainings:
        steps = [step for _, step in entries(pipeline, "steps")]
        trained = steps[-1] if steps else pipeline
        parameters = section(trained, "parameters")
        before: Json = parameters.get("max_steps", _MOST_STEPS + 1)
        if isinstance(before, int) and before > _MOST_STEPS:
            parameters["max_steps"] = _MOST_STEPS
            yield Note(f"pipelines.{name}", f"training ends after {_MOST_STEPS} batches")


def stand_ins(spec: Entry) -> Iterator[StandIn]:
    """Yield the models that a copied spec imports instead of the delivered ones."""
    for _, model in entries(spec, "models"):
        source = mapping(model.get("import"))
        if generates_text(model) and source:
            yield StandIn(str(source["store"]), str(source["path"]), _files_at(source))


def _files_at(place: Entry) -> Mapping[str, bytes]:
    """Return the files at a place, which several models may import."""
    return files_of(f"{place['store']}/{place['path']}")
