"""Replace user code that exists only in an image with a built-in trainer, generated data, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from modelyard.local_copy.note import Entry, Note, entries, mapping, section, texts
from modelyard.source import Json

HasCode: TypeAlias = Callable[[str], bool]

_OF_A_STEP: Final = frozenset({"source", "needs", "inputs", "output", "retries", "timeout", "parameters", "trainer"})


def without_code(spec: Entry, has_code: HasCode) -> Iterator[Note]:
    """Remove user code that cannot run here. An entrypoint whose code is next to the spec stays, without its image."""
    for name, endpoint in entries(spec, "inference"):
        if _is_foreign(endpoint, has_code):
            yield Note(f"inference.{name}", f"{_code(endpoint)} is not on this machine; the model answers without it")
            del endpoint["source"]
        else:
            _without_image(endpoint)
    for name, pipeline in entries(spec, "pipelines"):
        yield from _pipeline(spec, name, pipeline, has_code)


def _pipeline(spec: Entry, name: str, pipeline: Entry, has_code: HasCode) -> Iterator[Note]:
    here, data = f"pipelines.{name}", mapping(spec.get("data"))
    if "steps" in pipeline:
        yield from _steps(here, pipeline, data, has_code)
    elif _is_foreign(pipeline, has_code):
        yield from _replace_code(here, pipeline, data)
    else:
        _without_image(pipeline)
    if pipeline.get("type") == "custom" and "source" not in pipeline and not pipeline.get("steps"):
        output = f"; {pipeline['output']} is generated instead" if "output" in pipeline else ""
        yield Note(here, f"left out{output}")
        without_pipeline(spec, name)


def _replace_code(here: str, pipeline: Entry, data: Entry) -> Iterator[Note]:
    """Remove user code from a pipeline without steps. If the pipeline trains a model, a built-in trainer takes over."""
    yield Note(here, f"{_code(pipeline)} is not on this machine")
    del pipeline["source"]
    if pipeline.get("type") == "training":
        yield from _stands_in(here, pipeline, data)


def _stands_in(here: str, pipeline: Entry, data: Entry) -> Iterator[Note]:
    """Replace code with a built-in trainer, which has its own parameters, only one worker and only one label."""
    yield Note(here, "a built-in trainer stands in for this code, on the declared inputs and with its own parameters")
    if "tuning" in pipeline:
        yield Note(f"{here}.tuning", "left out, because the built-in trainer has other parameters")
    for field in ("parameters", "tuning", "workers"):
        pipeline.pop(field, None)
    labelled = [name for name in texts(pipeline.get("inputs")) if "label" in mapping(data.get(name))]
    for name in sorted(labelled, key=lambda name: "delay" in mapping(data[name]))[1:]:
        yield Note(here, f"{name} is not read, because a built-in trainer reads only one dataset with a label")
        pipeline["inputs"] = [other for other in texts(pipeline["inputs"]) if other != name]


def _steps(here: str, pipeline: Entry, data: Entry, has_code: HasCode) -> Iterator[Note]:
    """Remove steps whose code isn't available here and generate their outputs. Training keeps one training step."""
    steps = dict(entries(pipeline, "steps"))
    gone = {name for name, step in steps.items() if _is_foreign(step, has_code)}
    for name, step in steps.items():
        if name in gone:
            instead = f"; {step['output']} is generated instead" if "output" in step else ""
            yield Note(f"{here}.steps.{name}", f"{_code(step)} is not on this machine{instead}")
        else:
            _without_image(step)
    left = {name: _without_needs(step, gone) for name, step in steps.items() if name not in gone}
    if left or not gone:
        pipeline["steps"] = dict(left)
        return
    last = list(steps.values())[-1]
    del pipeline["steps"]
    pipeline |= {name: value for name, value in last.items() if name not in _OF_A_STEP and name not in pipeline}
    if pipeline.get("type") == "training":
        yield from _stands_in(here, pipeline, data)


def _without_needs(step: Entry, gone: set[str]) -> Entry:
    needs: list[Json] = [name for name in texts(step.get("needs")) if name not in gone]
    kept = {name: value for name, value in step.items() if name != "needs"}
    return {**kept, "needs": needs} if needs else kept


def _is_foreign(entry: Entry, has_code: HasCode) -> bool:
    source = entry.get("source")
    if not isinstance(source, dict):
        return False
    entrypoint = source.get("entrypoint")
    return not (isinstance(entrypoint, str) and has_code(entrypoint))


def _without_image(entry: Entry) -> None:
    mapping(entry.get("source")).pop("image", None)


def _code(entry: Entry) -> str:
    source = mapping(entry.get("source"))
    return " in ".join(str(source[field]) for field in ("entrypoint", "image") if field in source)


def without_pipeline(spec: Entry, name: str) -> None:
    """Remove a pipeline, and everything that starts after it or watches it."""
    section(spec, "pipelines").pop(name, None)
    for _, other in entries(spec, "pipelines"):
        if mapping(other.get("schedule")).get("after") == name:
            other["schedule"] = "on-demand"
    for monitor, watching in entries(spec, "monitors"):
        if watching.get("watch") == f"pipelines.{name}":
            section(spec, "monitors").pop(monitor)
        elif (breach := mapping(watching.get("onBreach"))).get("run") == f"pipelines.{name}":
            breach.pop("run")
            breach.pop("cooldown", None)
