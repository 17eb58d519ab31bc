"""Find the data and models a monitor watches, and the folder that stores its state."""

from __future__ import annotations

from modelyard.spec.monitors import OF_PREDICTIONS, RULES_ONLY, Monitor
from modelyard.spec.needs import Check, Dataset, Model
from modelyard.spec.pipelines import Pipeline
from modelyard.spec.references import ModelRef
from modelyard.spec.scoring import Scoring, scorings_of
from modelyard.spec.system import System


def keeps_state(monitor: Monitor) -> bool:
    """Return whether a monitor's results depend on earlier runs."""
    return any(map(keeps_state_for, monitor.checks))


def keeps_state_for(check: Check) -> bool:
    """Return whether a check depends on earlier runs, because it counts them or tests rows from several runs."""
    return check.metric == "page_hinkley" or check.consecutive > 1


def soaked(model: Model, monitor: Monitor) -> frozenset[str]:
    """Return the aliases a monitor uses to evaluate model versions that are soaking in a stage."""
    soaking = (stage for stage in model.stages if stage.soak is not None and stage.soak.monitor == monitor.name)
    return frozenset(stage.after for stage in soaking)


def watched_pipeline(system: System, monitor: Monitor) -> Pipeline | None:
    """Return the pipeline that a monitor watches."""
    section, _, name = monitor.watch.partition(".")
    return system.pipelines[name] if section == "pipelines" else None


def watched_model(system: System, monitor: Monitor) -> ModelRef | None:
    """Return the model version used by the pipeline that a monitor watches.

    This is either the pipeline's own model version or that of the step whose predictions are watched.
    """
    pipeline = watched_pipeline(system, monitor)
    if pipeline is None:
        return None
    scoring = _watched_scoring(pipeline, monitor)
    return scoring.model if scoring is not None else pipeline.model


def watched_models(system: System, monitor: Monitor) -> tuple[ModelRef, ...]:
    """Return the model versions a monitor watches, i.e. all versions of an endpoint or a pipeline's version."""
    section, _, name = monitor.watch.partition(".")
    if section == "inference":
        return tuple(variant.model for variant in system.inference[name].variants)
    ref = watched_model(system, monitor)
    return (ref,) if ref is not None else ()


def watched_dataset(system: System, monitor: Monitor) -> Dataset | None:
    """Return the dataset whose rows a monitor watches, or None if it watches other data, such as captures.

    For a pipeline, this is its output or, without one, its input.
    """
    section, _, name = monitor.watch.partition(".")
    pipeline = watched_pipeline(system, monitor)
    if pipeline is None:
        return system.data[name] if section == "data" else None
    scoring = _watched_scoring(pipeline, monitor)
    outputs = (scoring.output,) if scoring is not None else written_last(pipeline)
    names = (*outputs, *pipeline.inputs)
    return system.data[names[0]] if names else None


def written_last(pipeline: Pipeline) -> tuple[str, ...]:
    """Return the datasets that a pipeline's last steps write.

    This is the pipeline's output or, for a custom pipeline, the outputs of steps that aren't followed by another step
    with an output.
    """
    if pipeline.output or pipeline.type != "custom":
        return (pipeline.output,) if pipeline.output else ()
    before: set[str] = set()
    for step in pipeline.steps:
        if step.output:
            before |= _before(pipeline, step.needs)
    return tuple(dict.fromkeys(step.output for step in pipeline.steps if step.output and step.name not in before))


def _before(pipeline: Pipeline, needs: tuple[str, ...]) -> set[str]:
    """Return the steps that run before the given steps, directly or indirectly."""
    steps = {step.name: step for step in pipeline.steps}
    earlier: set[str] = set()
    waiting = [*needs]
    while waiting:
        name = waiting.pop()
        if name not in earlier and name in steps:
            earlier.add(name)
            waiting += steps[name].needs
    return earlier


def _watched_scoring(pipeline: Pipeline, monitor: Monitor) -> Scoring | None:
    """Return the step of a custom pipeline whose predictions a monitor watches."""
    scorings = tuple(scorings_of(pipeline))
    of_step = pipeline.type == "custom" and monitor.type in OF_PREDICTIONS and len(scorings) == 1
    return scorings[0] if of_step else None


def state_folder(system: System, monitor: Monitor) -> tuple[str, str] | None:
    """Return the store and folder for a monitor's state, or None if it has no state or there is no store.

    State is stored next to captures, but not next to watched datasets, which may belong to someone else.
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
