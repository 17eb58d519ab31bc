"""Diagnostics about model stages and change windows: E0960 to E0969 and E0972 to W0977."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.diagnostics.check.never_works import days
from modelyard.source import Span


def stages_without_order(span: Span, model: str, problem: str, hint: str) -> Diagnostic:
    """A model's stages do not form a single sequence from the first to the last.

    Wrong:

        stages: {candidate: {}, champion: {}}

    Right:

        stages: {candidate: {}, champion: {after: candidate}}
    """
    message = f"the stages of model {quote(model)} do not form a sequence: {problem}"
    return Diagnostic("E0960", Severity.ERROR, message, span, hint)


def training_past_first_stage(span: Span, subject: str, alias: str, model: str, first: str) -> Diagnostic:
    """A training pipeline or an import promotes to an alias that is not the model's first stage, so it skips stages.

    Wrong:

        models: {fraud: {stages: {candidate: {}, champion: {after: candidate}}, …}}
        pipelines: {retrain: {type: training, model: fraud, promoteTo: champion, …}}

    Right:

        models: {fraud: {stages: {candidate: {}, champion: {after: candidate}}, …}}
        pipelines: {retrain: {type: training, model: fraud, promoteTo: candidate, …}}
    """
    return Diagnostic(
        "E0961",
        Severity.ERROR,
        f"{subject} promotes to {alias!r}, but the first stage of model {quote(model)} is {first!r}",
        span,
        f"set `promoteTo: {first}`, or omit it",
    )


def nothing_moves(span: Span, subject: str, reason: str, hint: str) -> Diagnostic:
    """The spec declares stages or change windows, but no promoter runs here to enforce them.

    The promoter runs only with the system's own registry. In an adopted registry, training moves aliases directly.

    Wrong:

        registry: {adopt: "https://mlflow.acme.example"}
        models: {fraud: {stages: {candidate: {}, champion: {after: candidate}}, …}}

    Right:

        registry: {database: runs, artifacts: lake}
        models: {fraud: {stages: {candidate: {}, champion: {after: candidate}}, …}}
    """
    return Diagnostic("E0962", Severity.ERROR, f"{subject} would have no effect: {reason}", span, hint)


def soak_without_requests(span: Span, model: str, alias: str) -> Diagnostic:
    """A version must soak at an alias that no endpoint serves.

    Wrong:

        models: {fraud: {stages: {candidate: {}, champion: {after: candidate, soak: {for: 7d}}}, …}}
        inference: {scorer: {variants: {live: {model: fraud@champion}}, …}}

    Right:

        models: {fraud: {stages: {candidate: {}, champion: {after: candidate, soak: {for: 7d}}}, …}}
        inference:
          scorer:
            variants: {live: {model: fraud@champion}, next: {model: fraud@candidate}}
            traffic: {live: 95, next: 5}
    """
    return Diagnostic(
        "E0964",
        Severity.ERROR,
        f"a version receives no traffic while it soaks, because no endpoint sends any to {model}@{alias}",
        span,
        f"add a variant with `model: {model}@{alias}` to an endpoint, and send it live or mirrored traffic",
    )


def soak_monitor_unfit(span: Span, monitor: str, reason: str, hint: str) -> Diagnostic:
    """A soak's monitor does not evaluate the version's predictions.

    Wrong:

        monitors: {drift: {type: data-drift, watch: inference.scorer, …}}
        models: {fraud: {stages: {candidate: {}, champion: {after: candidate, soak: {for: 7d, monitor: drift}}}, …}}

    Right:

        monitors: {labels: {type: prediction-quality, watch: inference.scorer, labels: chargebacks, …}}
        models: {fraud: {stages: {candidate: {}, champion: {after: candidate, soak: {for: 7d, monitor: labels}}}, …}}
    """
    return Diagnostic("E0965", Severity.ERROR, f"monitor {quote(monitor)} cannot evaluate a soak: {reason}", span, hint)


def soak_before_labels(span: Span, asked_s: int, labels: str, delay_s: int) -> Diagnostic:
    """A soak ends before the version's first labels can arrive, so it takes longer than declared.

    Wrong:

        data: {chargebacks: {label: is_fraud, delay: 45d, …}}
        stages: {candidate: {}, champion: {after: candidate, soak: {for: 7d, monitor: late-labels}}}

    Right:

        data: {chargebacks: {label: is_fraud, delay: 45d, …}}
        stages: {candidate: {}, champion: {after: candidate, soak: {for: 52d, monitor: late-labels}}}
    """
    return Diagnostic(
        "W0966",
        Severity.WARNING,
        f"versions soak longer than {days(asked_s)}, because labels in {quote(labels)} arrive {days(delay_s)} after a"
        " prediction",
        span,
        f"set `for` to {days(delay_s)} or longer, or use labels that arrive sooner",
    )


def stage_without_approvals(span: Span, model: str, alias: str) -> Diagnostic:
    """In a high-risk system, a stage that serves callers skips the approvals that governance requires.

    These are the last stage, any stage that scores data, and any stage with at least half of an endpoint's traffic.

    Wrong:

        governance: {risk: high, approvals: {promote: {from: [model-risk]}}, …}
        models: {fraud: {stages: {candidate: {}, champion: {after: candidate, approvals: none}}, …}}

    Right:

        governance: {risk: high, approvals: {promote: {from: [model-risk]}}, …}
        models: {fraud: {stages: {candidate: {approvals: none}, champion: {after: candidate}}, …}}
    """
    return Diagnostic(
        "E0967",
        Severity.ERROR,
        f"promotions to {model}@{alias} need no approval, but the system is high-risk",
        span,
        "remove `approvals: none`, or list groups",
    )


def window_too_short(span: Span, minutes: int) -> Diagnostic:
    """A change window may close before the promoter notices it, because the promoter checks every three minutes.

    Wrong:

        changes: {windows: [{from: "09:00", to: "09:00"}]}

    Right:

        changes: {windows: [{from: "00:00", to: "24:00"}]}
    """
    return Diagnostic(
        "E0968",
        Severity.ERROR,
        f"the window is open for {minutes} minute{'' if minutes == 1 else 's'}, but a promotion takes several",
        span,
        'allow ten minutes or more, or the whole day with `from: "00:00"` and `to: "24:00"`',
    )


def freeze_impossible(span: Span, problem: str, hint: str) -> Diagnostic:
    """A freeze ends before it begins, or on a day that does not exist.

    Wrong:

        changes: {freezes: [{from: 2027-01-06, to: 2026-12-18}]}

    Right:

        changes: {freezes: [{from: 2026-12-18, to: 2027-01-06}]}
    """
    return Diagnostic("E0969", Severity.ERROR, problem, span, hint)


def stage_asks_less(span: Span, model: str, alias: str, required: int, general: int) -> Diagnostic:
    """In a high-risk system, a stage that serves callers requires fewer approvals than governance does.

    Wrong:

        governance: {risk: high, approvals: {promote: {from: [model-risk, audit], minimum: 2}}, …}
        models: {fraud: {stages: {candidate: {}, champion: {after: candidate, approvals: {from: [audit]}}}, …}}

    Right:

        governance: {risk: high, approvals: {promote: {from: [model-risk, audit], minimum: 2}}, …}
        models: {fraud: {stages: {candidate: {}, champion: {after: candidate}}, …}}
    """
    return Diagnostic(
        "W0973",
        Severity.WARNING,
        f"{model}@{alias} needs {required} approval{'' if required == 1 else 's'}, but governance requires {general}",
        span,
        f"remove `approvals` here, or require {general}",
    )


def stage_without_gate(span: Span, model: str, alias: str) -> Diagnostic:
    """In a high-risk system, a version can reach callers without passing any check of the gate.

    Wrong:

        models: {fraud: {validation: {good: {metric: auc_pr, min: 0.8}}, stages: {champion: {checks: []}}, …}}

    Right:

        models: {fraud: {validation: {good: {metric: auc_pr, min: 0.8}}, stages: {champion: {}}, …}}
    """
    return Diagnostic(
        "E0972",
        Severity.ERROR,
        f"promotions to {model}@{alias} need no `validation` check, but the system is high-risk",
        span,
        "remove `checks`, or list checks from `validation`",
    )


def trained_before_soaked(span: Span, alias: str, soak_s: int, delay_s: int, pipeline: str, gap_s: int) -> Diagnostic:
    """A model is trained again before its soak ends. Each new version restarts the soak, so none may ever finish.

    A soak lasts at least until the labels arrive that its monitor needs.

    Wrong:

        stages: {candidate: {}, champion: {after: candidate, soak: {for: 40d}}}
        pipelines: {retrain: {schedule: {cron: "0 4 * * 0"}, …}}

    Right:

        stages: {candidate: {}, champion: {after: candidate, soak: {for: 5d}}}
        pipelines: {retrain: {schedule: {cron: "0 4 * * 0"}, …}}
    """
    return Diagnostic(
        "W0974",
        Severity.WARNING,
        f"pipeline {quote(pipeline)} trains at least every {days(gap_s)}, and each version that passes its gate "
        f"restarts the {days(max(soak_s, delay_s))} soak, so {alias!r} may never move",
        span,
        "train less often, or use labels that arrive sooner"
        if delay_s > gap_s
        else f"train less often, or soak for less than {days(gap_s)}",
    )


def soak_beyond_window(span: Span, soak_s: int, monitor: str, window_s: int) -> Diagnostic:
    """A monitor's window covers only a small part of the soak that it evaluates.

    Wrong:

        stages: {candidate: {}, champion: {after: candidate, soak: {for: 30d, monitor: labels}}}
        monitors: {labels: {window: 1d, …}}

    Right:

        stages: {candidate: {}, champion: {after: candidate, soak: {for: 30d, monitor: labels}}}
        monitors: {labels: {window: 30d, …}}
    """
    return Diagnostic(
        "W0975",
        Severity.WARNING,
        f"monitor {quote(monitor)} evaluates a {days(soak_s)} soak on only {days(window_s)} of predictions",
        span,
        "lengthen the monitor's window",
    )


def soak_cut_short(span: Span, monitor: str, model: str, alias: str) -> Diagnostic:
    """A soak's monitor also rolls back, which ends the soak at the first breach regardless of `onFailure`.

    Wrong:

        stages: {candidate: {}, champion: {after: candidate, soak: {for: 7d, monitor: labels}}}
        monitors: {labels: {onBreach: {rollback: true}, …}}

    Right:

        stages: {candidate: {}, champion: {after: candidate, soak: {for: 7d, monitor: labels, onFailure: take-back}}}
        monitors: {labels: {…}}
    """
    return Diagnostic(
        "W0976",
        Severity.WARNING,
        f"monitor {quote(monitor)} rolls {model}@{alias} back at the first breach, before the soak is over",
        span,
        "remove `rollback`, and set `onFailure: take-back` in the soak",
    )


def any_time_of_all(span: Span) -> Diagnostic:
    """A stage is exempt from change windows, but none are declared.

    Wrong:

        models: {fraud: {stages: {champion: {anyTime: true}}, …}}

    Right:

        governance: {changes: {windows: [{from: "09:00", to: "16:00"}]}, …}
        models: {fraud: {stages: {champion: {anyTime: true}}, …}}
    """
    return Diagnostic(
        "W0977",
        Severity.WARNING,
        "`anyTime` has no effect: no change windows are declared, so promotions may happen at any time",
        span,
        "remove `anyTime`, or add `governance.changes`",
    )
