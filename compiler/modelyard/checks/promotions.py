"""Report promotions that bypass gates and approvals, such as pinned version numbers and unused approver groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.checks.never_works import used
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import promotions as problems
from modelyard.provider import Rule
from modelyard.source import Path
from modelyard.spec import Check, Monitor, System

_APPROVALS = ("governance", "approvals")


def rollbacks(system: System) -> Iterator[Diagnostic]:
    """Report monitors that may roll back a version right after its gate passes, as their bound is stricter."""
    for monitor in system.monitors.values():
        section, _, name = monitor.watch.partition(".")
        if not monitor.on_breach.rollback or section != "inference":
            continue
        served = dict.fromkeys(variant.model.model for variant in system.inference[name].variants)
        lines = [(model, line) for model in served for line in system.models[model].validation if not line.versus]
        for check in monitor.checks:
            yield from _stricter(system, monitor, check, lines)


def _stricter(system: System, monitor: Monitor, check: Check, lines: list[tuple[str, Check]]) -> Iterator[Diagnostic]:
    for model, line in lines:
        if line.metric != check.metric or line.by:
            continue
        path = ("monitors", monitor.name, "checks", check.name)
        if check.minimum is not None and line.minimum is not None and check.minimum > line.minimum:
            span = system.at(*path, "min")
            yield problems.rollback_stricter_than_gate(span, check.metric, "min", check.minimum, line.minimum, model)
        if check.maximum is not None and line.maximum is not None and check.maximum < line.maximum:
            span = system.at(*path, "max")
            yield problems.rollback_stricter_than_gate(span, check.metric, "max", check.maximum, line.maximum, model)


def approvers(system: System) -> Iterator[Diagnostic]:
    """Report approver groups that no approval requires, and approvals without a gate to evaluate the version."""
    promotion = system.governance.approve_promotion
    groups = {group for approval in system.approvals() for group in approval.groups}
    elsewhere = promotion is not None and any(path[:2] == _APPROVALS for path in system.document.overlaid)
    unapproved = (
        promotion is None and system.profile.regulated and system.governance.risk == "high"
    )  # another rule reports it
    for group in system.governance.approvers if not unapproved else ():
        if group.name not in groups and not elsewhere:  # an environment may require other groups than the base
            span = system.key("governance", "approvers", group.name)
            yield problems.approvers_not_asked(span, group.name, promotion is not None)
    if promotion is None or system.governance.risk == "high":  # governance_in_name requires a gate in this case
        return
    for name in system.trained():
        if not system.models[name].validation:
            yield problems.approved_without_gate(system.key("models", name), name)


def aliases(system: System) -> Iterator[Diagnostic]:
    """Report aliases that training or an import sets on a model in use but that nothing refers to."""
    used_aliases: dict[str, set[str]] = {}
    for ref, _ in used(system):
        if not ref.alias.isdecimal():
            used_aliases.setdefault(ref.model, set()).add(ref.alias)
    promoted = system.promoted()
    for model, alias, path in _moved(system):
        if model not in used_aliases:
            continue
        if not used_aliases[model] <= {*promoted[model]}:
            continue  # never_works.aliases reports it: one alias is probably a misspelling of the other
        compared = {line.versus for line in system.models[model].validation if line.versus}
        staged = {stage.after for stage in system.models[model].stages}
        useful_aliases = used_aliases[model] | compared | staged
        if alias not in useful_aliases:
            mover = "the pipeline" if path[0] == "pipelines" else "the import"
            yield problems.alias_without_use(system.at(*path), model, alias, sorted(used_aliases[model]), mover)


def _moved(system: System) -> Iterator[tuple[str, str, Path]]:
    """Yield each model and alias that training or an import sets, along with the location in the spec."""
    for pipeline in system.pipelines.values():
        if pipeline.type == "training" and pipeline.model is not None:
            yield pipeline.model.model, pipeline.promote_to, ("pipelines", pipeline.name, "promoteTo")
    for model in system.models.values():
        if model.imported is not None:
            yield model.name, model.imported.promote_to, ("models", model.name, "import", "promoteTo")


def pinned(system: System) -> Iterator[Diagnostic]:
    """Report versions referenced by number, which may have bypassed gates and approvals."""
    approval = system.governance.approve_promotion is not None
    promoted = system.promoted()
    for ref, path in used(system):
        gated = bool(system.models[ref.model].validation)
        if not ref.alias.isdecimal() or not (approval or gated):
            continue
        strict = approval and system.governance.risk == "high"
        problem = problems.pinned_at_high_risk if strict else problems.pinned_past_promotion
        passed = "its gate and its approvals" if approval and gated else "its approvals" if approval else "its gate"
        alias = promoted.get(ref.model, ("champion",))[0]
        yield problem(system.at(*path), ref.model, ref.alias, passed, alias)


def of_others(system: System) -> Iterator[Diagnostic]:
    """Report gates and approvals for models that aren't trained here, where they have no effect."""
    if system.registry is None or not system.registry.adopt:
        return  # pipelines.origin reports it
    trained = system.promoted()
    models = list(dict.fromkeys(ref.model for ref, _ in used(system)))
    for name in models:
        if name not in trained and system.models[name].validation:
            yield problems.gate_of_others(system.key("models", name, "validation"), name)
    if system.governance.approve_promotion is not None and models and not trained:
        yield problems.approvals_of_others(system.key("governance", "approvals"), models[0])


def notified(system: System) -> Iterator[Diagnostic]:
    """Require failed runs to be notified in high-risk, regulated and enterprise systems."""
    critical = system.governance.risk == "high" or system.profile.regulated or system.profile.size == "enterprise"
    scheduled = [pipeline.name for pipeline in system.pipelines.values() if pipeline.schedule.kind == "cron"]
    has_slo = any(inference.slo for inference in system.inference.values())  # inference.readers reports it
    if critical and scheduled and not system.channels and not has_slo:
        yield problems.nobody_told(system.key("governance", "owner"), scheduled[0])


RULES: Final[tuple[Rule, ...]] = (rollbacks, approvers, aliases, pinned, of_others, notified)
