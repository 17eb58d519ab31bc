"""The ML view: how data becomes a model, how the model goes live, and how it is monitored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.drawing.picture import Arrow, Box, Ids, Picture, Shape, between_boxes
from modelyard.drawing.promotions import promotions
from modelyard.spec import Channel, Dataset, Inference, Model, ModelRef, Monitor, Pipeline, System
from modelyard.spec.monitors import RULES_ONLY
from modelyard.spec.scoring import models_of
from modelyard.spec.watched import watched_models

_LONGEST: Final = 44
_STARTS: Final = {"once": "once, when deployed", "on-demand": "on demand"}


def ml_view(system: System) -> Picture:
    """Draw datasets, pipelines, model versions, endpoints, monitors and channels, in the order of the spec."""
    view = _View(system)
    boxes = tuple(view.boxes())
    return Picture(_title(system), boxes, between_boxes(boxes, view.arrows()))


def _title(system: System) -> str:
    environment = system.environment if system.environment not in ("", "default") else ""
    return system.metadata.name + (f", environment {environment}" if environment else "")


class _View:
    """The boxes and arrows of a system, and their IDs."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._ids = Ids()
        self._several = len(system.deployment.targets) > 1
        self._soaks = _soaks(system)

    def boxes(self) -> Iterator[Box]:
        """Create a box for each entry in the spec, and for each model alias or version."""
        system = self._system
        yield from map(self._dataset, system.data.values())
        yield from map(self._pipeline, system.pipelines.values())
        yield from (self._import(model) for model in system.models.values() if model.imported is not None)
        yield from map(self._version, self._versions())
        yield from map(self._endpoint, system.inference.values())
        yield from map(self._monitor, system.monitors.values())
        yield from map(self._channel, system.channels.values())

    def arrows(self) -> Iterator[Arrow]:
        """Connect the boxes along the flow of data, versions and alerts."""
        for pipeline in self._system.pipelines.values():
            yield from self._of_pipeline(pipeline)
        for promotion in promotions(self._system):
            source = self._ids.of(promotion.section, promotion.name) if promotion.section else ""
            yield Arrow(source or self._of(promotion.before), self._of(promotion.version), promotion.text)
        for inference in self._system.inference.values():
            yield from self._of_endpoint(inference)
        for monitor in self._system.monitors.values():
            yield from self._of_monitor(monitor)

    # --- boxes

    def _dataset(self, data: Dataset) -> Box:
        store = self._system.stores.get(data.store)
        location = f"data in {data.store}{self._on(store.target)}" if store is not None else f"data at {data.uri}"
        return self._box(Shape.CYLINDER, "data", data.name, location)

    def _pipeline(self, pipeline: Pipeline) -> Box:
        kind = pipeline.type.replace("-", " ")
        steps = f", {len(pipeline.steps)} steps" if len(pipeline.steps) > 1 else ""
        schedule = pipeline.schedule
        zone = "" if schedule.time_zone == "Etc/UTC" else f" {schedule.time_zone}"
        start = f"cron {schedule.cron}{zone}" if schedule.kind == "cron" else _STARTS.get(schedule.kind, "")
        return self._box(Shape.BOX, "pipeline", pipeline.name, f"{kind}{steps}{self._on(pipeline.target)}", start)

    def _import(self, model: Model) -> Box:
        source = model.imported
        assert source is not None
        return self._box(Shape.SLANTED, "import", model.name, f"import from {source.uri or source.store}")

    def _version(self, version: ModelRef) -> Box:
        model = self._system.models[version.model]
        return self._box(Shape.STADIUM, "model", _version_text(version), f"{model.framework} model")

    def _endpoint(self, inference: Inference) -> Box:
        endpoint = inference.endpoint
        path = endpoint.path if endpoint.path != "/" else ""
        return self._box(
            Shape.DOUBLE,
            "endpoint",
            inference.name,
            f"{endpoint.exposure} endpoint{self._on(inference.target)}",
            f"{endpoint.host}{path}" if endpoint.host else "",
        )

    def _monitor(self, monitor: Monitor) -> Box:
        return self._box(Shape.HEXAGON, "monitor", monitor.name, f"{monitor.type} monitor{self._on(monitor.target)}")

    def _channel(self, channel: Channel) -> Box:
        return self._box(Shape.FLAG, "channel", channel.name, channel.type)

    def _box(self, shape: Shape, kind: str, name: str, *details: str) -> Box:
        return Box(self._ids.of(kind, name), shape, kind, name, tuple(_cut(detail) for detail in details if detail))

    def _on(self, target: str) -> str:
        """Return the target's name for a label, or "" if there is only one target."""
        return f" on {target}" if self._several and target else ""

    # --- arrows

    def _of_pipeline(self, pipeline: Pipeline) -> Iterator[Arrow]:
        box = self._ids.of("pipeline", pipeline.name)
        outputs = dict.fromkeys(name for name in (pipeline.output, *(step.output for step in pipeline.steps)) if name)
        inputs = dict.fromkeys((*pipeline.inputs, *(name for step in pipeline.steps for name in step.inputs)))
        yield from (Arrow(self._ids.of("data", name), box) for name in inputs if name not in outputs)
        yield from (Arrow(self._of(version), box, "scores") for version in models_of(pipeline))
        base = self._system.models[pipeline.model.model].base if pipeline.model is not None else None
        if base is not None:
            yield Arrow(self._of(base), box, "base")
        yield from (Arrow(box, self._ids.of("data", name)) for name in outputs)
        if pipeline.schedule.after:
            yield Arrow(self._ids.of("pipeline", pipeline.schedule.after), box, "then")

    def _of_endpoint(self, inference: Inference) -> Iterator[Arrow]:
        box = self._ids.of("endpoint", inference.name)
        mirror = inference.mirror
        for variant in inference.variants:
            source = self._of(variant.model)
            name = f"{variant.name} " if len(inference.variants) > 1 else ""
            if mirror is not None and mirror.variant == variant.name:
                yield Arrow(source, box, f"{name}shadow {mirror.percent}%", dashed=True)
            else:
                yield Arrow(source, box, f"{name}{variant.percent}%")
        yield from (Arrow(self._of(one.model), box, f"as {one.name}") for one in inference.adapters)
        oncall = self._system.governance.owner.oncall
        if inference.slo is not None and oncall:
            yield Arrow(box, self._ids.of("channel", oncall), "SLO alerts")

    def _of_monitor(self, monitor: Monitor) -> Iterator[Arrow]:
        box = self._ids.of("monitor", monitor.name)
        breach = monitor.on_breach
        yield self._watched(monitor, box)
        if monitor.labels:
            yield Arrow(self._ids.of("data", monitor.labels), box, "labels")
        if monitor.reference is not None and monitor.reference.data:
            yield Arrow(self._ids.of("data", monitor.reference.data), box, "reference")
        oncall = self._system.governance.owner.oncall
        for channel in breach.notify or ((oncall,) if oncall else ()):
            yield Arrow(box, self._ids.of("channel", channel), "alerts")
        if breach.run:
            yield self._back(box, self._ids.of("pipeline", breach.run), "starts")
        for version in self._taken_back(monitor):
            yield self._back(box, self._of(version), "rolls back")
        for version in self._soaks.get(monitor.name, ()):
            yield self._back(box, self._of(version), "judges the soak")

    def _watched(self, monitor: Monitor, box: str) -> Arrow:
        section, _, name = monitor.watch.partition(".")
        kind = {"inference": "endpoint", "pipelines": "pipeline"}.get(section, "data")
        endpoint = self._system.inference.get(name) if section == "inference" else None
        captured = endpoint is not None and endpoint.capture is not None and monitor.type not in RULES_ONLY
        text = "captures" if captured else "metrics" if endpoint is not None else ""
        return Arrow(self._ids.of(kind, name), box, text)

    def _taken_back(self, monitor: Monitor) -> Iterator[ModelRef]:
        return iter(watched_models(self._system, monitor) if monitor.on_breach.rollback else ())

    @staticmethod
    def _back(source: str, sink: str, text: str) -> Arrow:
        return Arrow(source, sink, text, dashed=True, feedback=True)

    # --- model versions

    def _versions(self) -> dict[ModelRef, None]:
        """Return the model versions that are promoted, served or used for scoring, grouped by model in spec order."""
        versions_by_model: dict[str, dict[ModelRef, None]] = {name: {} for name in self._system.models}
        for name, aliases in self._system.promoted().items():
            versions_by_model[name].update(dict.fromkeys(ModelRef(name, alias) for alias in aliases))
        used = [variant.model for inference in self._system.inference.values() for variant in inference.variants]
        used += [version for pipeline in self._system.pipelines.values() for version in models_of(pipeline)]
        for version in used:
            versions_by_model[version.model].setdefault(version)
        return {version: None for versions in versions_by_model.values() for version in versions}

    def _of(self, version: ModelRef) -> str:
        return self._ids.of("model", _version_text(version))


def _soaks(system: System) -> dict[str, list[ModelRef]]:
    """Map each monitor to the aliases that versions receive after a soak it evaluates."""
    versions: dict[str, list[ModelRef]] = {}
    for model in system.models.values():
        for stage in model.stages:
            if stage.soak is not None and stage.soak.monitor:
                versions.setdefault(stage.soak.monitor, []).append(ModelRef(model.name, stage.alias))
    return versions


def _version_text(version: ModelRef) -> str:
    return f"{version.model}@{version.alias}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
