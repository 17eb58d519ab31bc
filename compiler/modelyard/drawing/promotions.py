"""Find how model versions get aliases: first from a pipeline or an import, then from one stage to the next."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.records import record
from modelyard.spec import Approval, ModelRef, System
from modelyard.units import duration_text


@record
class Promotion:
    """A promotion to an alias, from an entry in `section` (pipelines or imports) or from the alias `before`."""

    version: ModelRef
    text: str
    section: str = ""
    name: str = ""
    before: ModelRef = ModelRef("", "")


def promotions(system: System) -> Iterator[Promotion]:
    """Yield every promotion to an alias, with the conditions that a version must meet."""
    for pipeline in system.pipelines.values():
        if pipeline.type == "training" and pipeline.model is not None:
            version = ModelRef(pipeline.model.model, pipeline.promote_to)
            yield Promotion(version, _conditions(system, version), "pipeline", pipeline.name)
    for model in system.models.values():
        if model.imported is not None:
            version = ModelRef(model.name, model.imported.promote_to)
            yield Promotion(version, _conditions(system, version), "import", model.name)
        for stage in model.stages:
            if stage.after:
                version = ModelRef(model.name, stage.alias)
                yield Promotion(version, _conditions(system, version), before=ModelRef(model.name, stage.after))


def _conditions(system: System, version: ModelRef) -> str:
    """Return a brief description of the conditions for an alias, such as `gate, soak 7d, 2 approvals`."""
    model = system.models[version.model]
    stage = next((candidate for candidate in model.stages if candidate.alias == version.alias), None)
    checks = model.validation if stage is None or stage.checks is None else stage.checks
    gate = "gate" if checks and model.imported is None else ""  # imported versions have no metrics here
    soak = f"soak {duration_text(stage.soak.for_s)}" if stage is not None and stage.soak is not None else ""
    return ", ".join(part for part in (gate, soak, _approvals(system.approval(model.name, version.alias))) if part)


def _approvals(approval: Approval | None) -> str:
    if approval is None:
        return ""
    return "1 approval" if approval.minimum == 1 else f"{approval.minimum} approvals"
