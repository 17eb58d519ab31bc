"""Diagnostics about model stages and change windows: E0960 to E0969 and E0972 to W0977."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.diagnostics.check.never_works import days
from modelyard.source import Span


def stages_without_order(span: Span, model: str, problem: str, hint: str) -> Diagnostic:
    """The stages of a model do not form a single line from a first to a last one.

    Wrong:

        stages: {candidate: {}, champion: {}}

    Right:

        stages: {candidate: {}, champion: {after: candidate}}
    """
    message = f"the stages of model {quote(model)} have no order: {problem}"
    return Diagnostic("E0960", Severity.ERROR, message, span, hint)


def training_past_first_stage(span: Span, subject: str, alias: str, model: str, first: str) -> Diagnostic:
    """A training or an import promotes to an alias that is not the first stage of its model, skipping other stages.

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
        f"{subject} promotes to {alias!r}, but versions of model {quote(model)} start at {first!r}",
        span,
        f"write promoteTo: {first}, or leave it out",
    )


def nothing_moves(span: Span, subject: str, reason: str, hint: str) -> Diagnostic:
    """There are stages or change windows, but no promoter here to enforce them.

    The promoter belongs to a registry that runs here. With an adopted one, training moves aliases, and so may others.

    Wrong:

        registry: {adopt: "https://mlflow.acme.example"}
        models: {fraud: {stages: {candidate: {}, champion: {after: candidate}}, …}}

    Right:

        registry: {database: runs, artifacts: lake}
        models: {fraud: {stages: {candidate: {}, champion: {after: candidate}}, …}}
    """
    return Diagnostic("E0962", Severity.ERROR, f"{subject} would have no effect: {reason}", span, hint)


def soak_without_requests(span: Span, model: str, alias: str) -> Diagnostic:
    """A version has to prove itself behind an alias that no endpoint serves.

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
        f"a version would receive no traffic while it soaks: no endpoint sends any to {model}@{alias}",
        span,
        f"add a variant with model: {model}@{alias} to an endpoint, with a share of its traffic or a mirror of it",
    )


def soak_monitor_unfit(span: Span, monitor: str, reason: str, hint: str) -> Diagnostic:
    """The monitor of a soak does not evaluate the answers of the version.

    Wrong:

        monitors: {drift: {type: data-drift, watch: inference.scorer, …}}
        models: {fraud: {stages: {candidate: {}, champion: {after: candidate, soak: {for: 7d, monitor: drift}}}, …}}

    Right:

        monitors: {labels: {type: prediction-quality, watch: inference.scorer, labels: chargebacks, …}}
        models: {fraud: {stages: {candidate: {}, champion: {after: candidate, soak: {for: 7d, monitor: labels}}}, …}}
    """
    return Diagnostic("E0965", Severity.ERROR, f"monitor {quote(monitor)} cannot judge a soak: {reason}", span, hint)


def soak_before_labels(span: Span, asked_s: int, labels: str, delay_s: int) -> Diagnostic:
    """A soak ends before the first label of a version can be known, so it takes longer than the spec says.

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
        f"a soak of {days(asked_s)} ends before labels in {quote(labels)} are known, {days(delay_s)} after an answer: "
        "versions wait until then",
        span,
        f"write for: {days(delay_s)} or longer, or watch labels that come sooner",
    )


def stage_without_approvals(span: Span, model: str, alias: str) -> Diagnostic:
    """In a high-risk system, a stage that answers callers drops the approvals that governance requires.

    That is the last stage, one that scores data, and one with half of an endpoint's traffic or more.

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
        f"nobody has to approve what becomes {model}@{alias}, but the system is high-risk",
        span,
        "remove approvals: none, or name groups",
    )


def window_too_short(span: Span, minutes: int) -> Diagnostic:
    """A change window may end before the promoter, which checks every three minutes, has checked.

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
        'allow ten minutes or more; the whole day is from: "00:00" and to: "24:00"',
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
    """In a high-risk system, a stage that answers callers requires fewer approvals than governance does.

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
        f"remove approvals here, or require {general}",
    )


def stage_without_gate(span: Span, model: str, alias: str) -> Diagnostic:
    """In a high-risk system, a version reaches callers although no stage on its way requires a check of the gate.

    Wrong:

        models: {fraud: {validation: {good: {metric: auc_pr, min: 0.8}}, stages: {champion: {checks: []}}, …}}

    Right:

        models: {fraud: {validation: {good: {metric: auc_pr, min: 0.8}}, stages: {champion: {}}, …}}
    """
    return Diagnostic(
        "E0972",
        Severity.ERROR,
        f"no check under validation decides about what {model}@{alias} answers, but the system is high-risk",
        span,
        "remove checks, or name checks of validation",
    )


def trained_before_soaked(span: Span, alias: str, soak_s: int, pipeline: str, gap_s: int) -> Diagnostic:
    """A model is trained more often than a soak lasts: each new version restarts the soak, so none may finish.

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
        f"restarts the soak of {days(soak_s)}: {alias!r} may never move",
        span,
        "train less often, or soak for less than that",
    )


def soak_beyond_window(span: Span, soak_s: int, monitor: str, window_s: int) -> Diagnostic:
    """A monitor judges a soak by much less time than it lasted.

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
        f"monitor {quote(monitor)} looks at only {days(window_s)} of answers to judge a soak of {days(soak_s)}",
        span,
        "give the monitor a longer window",
    )


def soak_cut_short(span: Span, monitor: str, model: str, alias: str) -> Diagnostic:
    """The monitor of a soak also rolls back, which ends a soak at the first breach, whatever `onFailure` says.

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
        f"monitor {quote(monitor)} rolls {model}@{alias} back at its first breach, before the soak is over",
        span,
        "remove rollback, and write onFailure: take-back in the soak",
    )


def any_time_of_all(span: Span) -> Diagnostic:
    """A stage is exempt from change windows, but there are none.

    Wrong:

        models: {fraud: {stages: {champion: {anyTime: true}}, …}}

    Right:

        governance: {changes: {windows: [{from: "09:00", to: "16:00"}]}, …}
        models: {fraud: {stages: {champion: {anyTime: true}}, …}}
    """
    return Diagnostic(
        "W0977",
        Severity.WARNING,
        "anyTime has no effect: governance has no changes, so promotions may happen at any time",
        span,
        "remove it, or add governance.changes",
    )
