"""What a monitor looks at, and where it keeps what the next look needs."""

from __future__ import annotations

from modelyard.spec.monitors import OF_PREDICTIONS, RULES_ONLY, Monitor
from modelyard.spec.needs import Check, Dataset, Model
from modelyard.spec.pipelines import Pipeline
from modelyard.spec.references import ModelRef
from modelyard.spec.scoring import Scoring, scorings_of
from modelyard.spec.system import System


def keeps_state(monitor: Monitor) -> bool:
    """Whether what a monitor finds depends on the looks before."""
    return any(map(keeps_state_for, monitor.checks))


def keeps_state_for(check: Check) -> bool:
    """Whether a check counts looks, or is a test over the rows of all of them."""
    return check.metric == "page_hinkley" or check.consecutive > 1


def soaked(model: Model, monitor: Monitor) -> frozenset[str]:
    """The aliases of a model behind which versions soak, as a monitor judges it."""
    soaking = (stage for stage in model.stages if stage.soak is not None and stage.soak.monitor == monitor.name)
    return frozenset(stage.after for stage in soaking)


def watched_pipeline(system: System, monitor: Monitor) -> Pipeline | None:
    """The pipeline that a monitor watches."""
    section, _, name = monitor.watch.partition(".")
    return system.pipelines[name] if section == "pipelines" else None


def watched_model(system: System, monitor: Monitor) -> ModelRef | None:
    """The version of a model behind the pipeline that a monitor watches: its own, or that of the step whose predictions
    are watched.
    """
    pipeline = watched_pipeline(system, monitor)
    if pipeline is None:
        return None
    scoring = _watched_scoring(pipeline, monitor)
    return scoring.model if scoring is not None else pipeline.model


def watched_models(system: System, monitor: Monitor) -> tuple[ModelRef, ...]:
    """The versions of models behind what a monitor watches: those of an endpoint, or the one of a pipeline."""
    section, _, name = monitor.watch.partition(".")
    if section == "inference":
        return tuple(variant.model for variant in system.inference[name].variants)
    ref = watched_model(system, monitor)
    return (ref,) if ref is not None else ()


def watched_dataset(system: System, monitor: Monitor) -> Dataset | None:
    """The dataset whose rows a monitor looks at; None where there is none, as for the captures of an endpoint.

    Of a pipeline that is what it writes, and what it reads where it writes nothing.
    """
    section, _, name = monitor.watch.partition(".")
    pipeline = watched_pipeline(system, monitor)
    if pipeline is None:
        return system.data[name] if section == "data" else None
    scoring = _watched_scoring(pipeline, monitor)
    written = (scoring.output,) if scoring is not None else written_last(pipeline)
    names = (*written, *pipeline.inputs)
    return system.data[names[0]] if names else None


def written_last(pipeline: Pipeline) -> tuple[str, ...]:
    """The datasets that a pipeline leaves: its output, or those of steps of a custom one that no later step writes
    after.
    """
    if pipeline.output or pipeline.type != "custom":
        return (pipeline.output,) if pipeline.output else ()
    before: set[str] = set()
    for step in pipeline.steps:
        if step.output:
            before |= _before(pipeline, step.needs)
    return tuple(dict.fromkeys(step.output for step in pipeline.steps if step.output and step.name not in before))


def _before(pipeline: Pipeline, needs: tuple[str, ...]) -> set[str]:
    """The steps that run before others, however far."""
    steps = {step.name: step for step in pipeline.steps}
    found: set[str] = set()
    waiting = [*needs]
    while waiting:
        name = waiting.pop()
        if name not in found and name in steps:
            found.add(name)
            waiting += steps[name].needs
    return found


def _watched_scoring(pipeline: Pipeline, monitor: Monitor) -> Scoring | None:
    """The one step of a custom pipeline whose predictions a monitor of predictions watches."""
    found = tuple(scorings_of(pipeline))
    of_step = pipeline.type == "custom" and monitor.type in OF_PREDICTIONS and len(found) == 1
    return found[0] if of_step else None


def state_folder(system: System, monitor: Monitor) -> tuple[str, str] | None:
    """The store and folder in which a monitor keeps what its next look needs: with captures, or else apart from what it
    watches, which may be another owner's; none where it needs nothing, or has no store.
    """
    if monitor.type in RULES_ONLY:
        return None
    section, _, name = monitor.watch.partition(".")
    capture = system.inference[name].capture if section == "inference" else None
    if capture is not None:
        return capture.store, f"{capture.path.rstrip('/')}/_monitors/{monitor.name}/"
    dataset = watched_dataset(system, monitor)
    if dataset is None or not dataset.store or not keeps_state(monitor):
        return None
    environment = system.environment or "default"
    return dataset.store, f"_monitors/{system.metadata.name}-{environment}/{monitor.name}/"
