"""Diagnostics about promotions that bypass gates or approvals: W0935 to W0937, W0941 and W0944 to W0948."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def rollback_stricter_than_gate(
    span: Span, metric: str, field: str, monitored: float, gated: float, model: str
) -> Diagnostic:
    """A monitor rolls back what the gate has just passed: it requires more of the same metric.

    Wrong:

        models: {fraud: {validation: {good: {metric: auc_pr, min: 0.4}}, …}}
        monitors: {late: {checks: {auc_pr: {min: 0.95}}, onBreach: {rollback: true}, …}}

    Right:

        models: {fraud: {validation: {good: {metric: auc_pr, min: 0.4}}, …}}
        monitors: {late: {checks: {auc_pr: {min: 0.35}}, onBreach: {rollback: true}, …}}
    """
    side = "from" if field == "min" else "up to"
    return Diagnostic(
        "W0935",
        Severity.WARNING,
        f"the gate of model {quote(model)} passes {metric} {side} {gated:g}, and the monitor rolls it back",
        span,
        f"write {field}: {gated:g} or {'less' if field == 'min' else 'more'}, or the gate's bound as {monitored:g}",
    )


def approvers_not_asked(span: Span, group: str, approved: bool) -> Diagnostic:
    """A group has keys, but nothing requires its approval.

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
        f"group {quote(group)} has keys, but nothing requires its approval",
        span,
        f"add it to from in approvals.promote, or remove {group}"
        if approved
        else f"add approvals: {{promote: {{from: [{group}]}}}}, or remove {group}",
    )


def approved_without_gate(span: Span, model: str) -> Diagnostic:
    """People approve versions of a model that nothing has evaluated.

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
        f"versions of model {quote(model)} are approved without a gate that evaluates them first",
        span,
        "add validation with a metric and its bound",
    )


def alias_without_use(
    span: Span, model: str, alias: str, used: Sequence[str], subject: str = "the pipeline"
) -> Diagnostic:
    """A training or an import moves an alias that nothing here serves, scores with or compares with.

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
        f"nothing here uses {model}@{alias}, which {subject} promotes to",
        span,
        f"promote to {' or '.join(used[:3])}, or serve {model}@{alias}",
    )


def nobody_told(span: Span, pipeline: str) -> Diagnostic:
    """Pipelines run on a schedule in a system without a channel: nobody learns that a run has failed.

    Reported at high risk, in regulated industries and for `size: enterprise`.

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
        f"nobody is notified when a run of pipeline {quote(pipeline)} fails: there is no channel",
        span,
        "add a channel, and name it as oncall",
    )


def pinned_at_high_risk(span: Span, model: str, version: str, passed: str, alias: str) -> Diagnostic:
    """In a high-risk system, a version is referred to by number although approvals decide about promotions.

    Writing a number bypasses both the gate and the approvals, and no history records that the version serves.

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
        f"version {version} of model {quote(model)} is used whether or not it has passed {passed}",
        span,
        f"write an alias, such as {model}@{alias}, which moves only to what has passed",
    )


def pinned_past_promotion(span: Span, model: str, version: str, passed: str, alias: str) -> Diagnostic:
    """A version is referred to by number although a gate or approvals decide about promotions.

    An alias moves only to versions that have passed; a number bypasses both gate and approvals.

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
        f"version {version} of model {quote(model)} is used whether or not it has passed {passed}",
        span,
        f"write an alias, such as {model}@{alias}, which moves only to what has passed",
    )


def gate_of_others(span: Span, model: str) -> Diagnostic:
    """A model has a gate, but no pipeline here trains it, so whoever promotes its versions does not apply the gate.

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
        "remove it, or train the model here",
    )


def approvals_of_others(span: Span, model: str) -> Diagnostic:
    """A system requires approvals but trains no model, so whoever promotes its models does not require them.

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
        f"approvals have no effect: no pipeline here trains {quote(model)} or another model",
        span,
        "require them where the model is trained, or train it here",
    )
