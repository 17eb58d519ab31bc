"""What a monitor looks at, and where it keeps what the next look needs."""

from __future__ import annotations

from modelyard.spec.monitors import RULES_ONLY, Monitor
from modelyard.spec.needs import Check, Dataset, Model
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


def watched_dataset(system: System, monitor: Monitor) -> Dataset | None:
    """The dataset whose rows a monitor looks at; None where there is none, as for the captures of an endpoint."""
    section, _, name = monitor.watch.partition(".")
    if section == "pipelines":
        pipeline = system.pipelines[name]
        names = (pipeline.output, *pipeline.inputs) if pipeline.output else pipeline.inputs
        return system.data[names[0]] if names else None
    return system.data[name] if section == "data" else None


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
