"""Describe models in `explain` output: where imported models come from, and the stages of model versions."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.spec import Approval, Model, Stage, System


def model_lines(system: System, name: str) -> Iterator[str]:
    """Describe a model's source and stages. Returns no lines if the model has neither."""
    model = system.models[name]
    imported = model.imported
    if imported is not None:
        source = imported.uri or f"{imported.path} in stores.{imported.store}"
        yield "\nimported:"
        yield f"  from {source}, as files with the digest {imported.digest}"
        yield f"  to @{imported.promote_to}, by the promoter"
    if model.stages:
        yield "\nstages:"
        width = max(len(stage.alias) for stage in model.stages)
        yield from (f"  @{stage.alias:<{width}}  {_stage(stage, model, system)}" for stage in model.stages)


def _stage(stage: Stage, model: Model, system: System) -> str:
    parts = [f"after @{stage.after}" if stage.after else "first"]
    if stage.checks is not None:
        parts.append(f"checks: {', '.join(stage.checks) or 'none'}")
    if stage.soak is not None:
        soak = system.written("models", model.name, "stages", stage.alias, "soak")
        parts.append(f"a soak of {soak['for']}")
    parts.append(_approvals(system.approval(model.name, stage.alias)))
    return "; ".join([*parts, *(["at any time"] if stage.any_time else [])])


def _approvals(approval: Approval | None) -> str:
    return f"{approval.minimum} approval(s) from {', '.join(approval.groups)}" if approval else "no approvals"
