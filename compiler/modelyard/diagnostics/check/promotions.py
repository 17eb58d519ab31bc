"""Diagnostics about promotions that bypass gates or approvals: W0935 to W0937, W0941 and W0944 to W0948."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def rollback_stricter_than_gate(
    span: Span, metric: str, field: str, monitored: float, gated: float, model: str
) -> Diagnostic:
    """A monitor has a stricter bound than the gate, so it rolls back versions that the gate has just passed.

    Wrong:

        models: {fraud: {validation: {good: {metric: auc_pr, min: 0.4}}, …}}
        monitors: {late: {checks: {auc_pr: {min: 0.95}}, onBreach: {rollback: true}, …}}

    Right:

        models: {fraud: {validation: {good: {metric: auc_pr, min: 0.4}}, …}}
        monitors: {late: {checks: {auc_pr: {min: 0.35}}, onBreach: {rollback: true}, …}}
    """
    side, failing = ("at least", "below") if field == "min" else ("at most", "above")
    return Diagnostic(
        "W0935",
        Severity.WARNING,
        f"the gate of model {quote(model)} passes versions whose {metric} is {side} {gated:g}, but this monitor rolls"
        f" back those {failing} {monitored:g}",
        span,
        f"set `{field}` to {gated:g} or {'less' if field == 'min' else 'more'}, or the gate's bound to {monitored:g}",
    )


def approvers_not_asked(span: Span, group: str, approved: bool) -> Diagnostic:
    """A group has keys, but its approval is never required.

    Wrong:

        governance:
          approvers: {model-risk: {sshKeys: ["ssh-ed25519 AAAA… ada@acme.example"]}}

    Right:

        governance:
          approvals: {promote: {from: [model-risk]}}
          approvers: {model-risk: {sshKeys: ["ssh-ed25519 AAAA… ada@acme.example"]}}
    """
    return Diagnostic(
        "W0936",
        Severity.WARNING,
        f"group {quote(group)} has keys, but its approval is never required",
        span,
        f"add it to `approvals.promote.from`, or remove {group}"
        if approved
        else f"add `approvals: {{promote: {{from: [{group}]}}}}`, or remove {group}",
    )


def approved_without_gate(span: Span, model: str) -> Diagnostic:
    """People would approve model versions that no gate has evaluated.

    Wrong:

        governance: {approvals: {promote: {from: [model-risk]}}, …}
        models: {triage: {task: binary-classification, …}}

    Right:

        governance: {approvals: {promote: {from: [model-risk]}}, …}
        models: {triage: {task: binary-classification, validation: {good: {metric: auc_pr, min: 0.7}}, …}}
    """
    return Diagnostic(
        "W0937",
        Severity.WARNING,
        f"versions of model {quote(model)} need approval, but no gate evaluates them first",
        span,
        "add `validation` with a metric and a bound",
    )


def alias_without_use(
    span: Span, model: str, alias: str, used: Sequence[str], subject: str = "the pipeline"
) -> Diagnostic:
    """A training pipeline or an import moves an alias that no workload here uses.

    Wrong:

        pipelines: {retrain: {type: training, model: fraud, promoteTo: candidate, …}}
        inference: {scorer: {variants: {live: {model: fraud@champion}}, …}}

    Right:

        pipelines: {retrain: {type: training, model: fraud, promoteTo: candidate, …}}
        inference: {scorer: {variants: {live: {model: fraud@champion}, next: {model: fraud@candidate}}, …}}
    """
    return Diagnostic(
        "W0941",
        Severity.WARNING,
        f"{subject} promotes to {model}@{alias}, but no workload here uses that alias",
        span,
        f"promote to {' or '.join(used[:3])}, or serve {model}@{alias}",
    )


def nobody_told(span: Span, pipeline: str) -> Diagnostic:
    """Pipelines run on a schedule, but without a channel no one learns that a run has failed.

    This is reported at high risk, in regulated industries and for `size: enterprise`.

    Wrong:

        governance: {risk: high, owner: {team: claims, email: claims@acme.example}, …}
        pipelines: {retrain: {schedule: {cron: "0 4 * * 0"}, …}}

    Right:

        governance: {risk: high, owner: {team: claims, email: claims@acme.example, oncall: claims}, …}
        channels: {claims: {type: pagerduty, key: "secret://kubernetes/pagerduty#key"}}
        pipelines: {retrain: {schedule: {cron: "0 4 * * 0"}, …}}
    """
    return Diagnostic(
        "W0944",
        Severity.WARNING,
        f"failed runs of pipeline {quote(pipeline)} are not reported to anyone, because there is no channel",
        span,
        "declare a channel, and set it as `oncall` in `governance.owner`",
    )


def pinned_at_high_risk(span: Span, model: str, version: str, passed: str, alias: str) -> Diagnostic:
    """In a high-risk system with approvals, a model version is pinned by number.

    A pinned version bypasses both the gate and the approvals, and no promotion history records that it is in use.

    Wrong:

        governance: {risk: high, approvals: {promote: {from: [model-risk]}}, …}
        inference: {scorer: {variants: {live: {model: fraud@3}}, …}}

    Right:

        governance: {risk: high, approvals: {promote: {from: [model-risk]}}, …}
        inference: {scorer: {variants: {live: {model: fraud@champion}}, …}}
    """
    return Diagnostic(
        "E0945",
        Severity.ERROR,
        f"version {version} of model {quote(model)} is pinned, so it is used even if it has not passed {passed}",
        span,
        f"use an alias such as {model}@{alias}, which moves only to versions that have passed",
    )


def pinned_past_promotion(span: Span, model: str, version: str, passed: str, alias: str) -> Diagnostic:
    """A model version is pinned by number, although its promotions need a gate or approvals.

    An alias moves only to versions that have passed, while a pinned version bypasses both the gate and the approvals.

    Wrong:

        models: {fraud: {validation: {good: {metric: auc_pr, min: 0.8}}, …}}
        inference: {scorer: {variants: {live: {model: fraud@3}}, …}}

    Right:

        models: {fraud: {validation: {good: {metric: auc_pr, min: 0.8}}, …}}
        inference: {scorer: {variants: {live: {model: fraud@champion}}, …}}
    """
    return Diagnostic(
        "W0946",
        Severity.WARNING,
        f"version {version} of model {quote(model)} is pinned, so it is used even if it has not passed {passed}",
        span,
        f"use an alias such as {model}@{alias}, which moves only to versions that have passed",
    )


def gate_of_others(span: Span, model: str) -> Diagnostic:
    """A model has a gate, but no pipeline here trains it, so the gate never evaluates its versions.

    Wrong:

        registry: {adopt: "https://mlflow.acme.example"}
        models: {fraud: {validation: {good: {metric: auc_pr, min: 0.8}}, …}}
        inference: {scorer: {variants: {live: {model: fraud@champion}}, …}}

    Right:

        registry: {adopt: "https://mlflow.acme.example"}
        models: {fraud: {task: binary-classification, framework: xgboost}}
        inference: {scorer: {variants: {live: {model: fraud@champion}}, …}}
    """
    return Diagnostic(
        "W0947",
        Severity.WARNING,
        f"the gate of model {quote(model)} has no effect: no pipeline here trains it",
        span,
        "remove `validation`, or train the model here",
    )


def approvals_of_others(span: Span, model: str) -> Diagnostic:
    """A system requires approvals but trains no model, so its models are promoted elsewhere without them.

    Wrong:

        registry: {adopt: "https://mlflow.acme.example"}
        governance: {approvals: {promote: {from: [model-risk]}}, …}
        inference: {scorer: {variants: {live: {model: fraud@champion}}, …}}

    Right:

        registry: {adopt: "https://mlflow.acme.example"}
        governance: {owner: …}
        inference: {scorer: {variants: {live: {model: fraud@champion}}, …}}
    """
    return Diagnostic(
        "W0948",
        Severity.WARNING,
        f"approvals have no effect: no pipeline here trains model {quote(model)} or any other",
        span,
        "require them where the model is trained, or train it here",
    )
