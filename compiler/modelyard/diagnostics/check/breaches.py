"""Diagnostics about reactions to a monitor's breach: rollback, cooldown, severity and channels."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def rollback_of_what(span: Span, watched: str) -> Diagnostic:
    """Only a model that an endpoint serves can be rolled back.

    Wrong:

        monitors: {quality: {watch: data.transactions, onBreach: {rollback: true}, …}}

    Right:

        monitors: {quality: {watch: inference.scorer, onBreach: {rollback: true}, …}}
    """
    return Diagnostic(
        "E0473",
        Severity.ERROR,
        f"`rollback` cannot be used here, because {watched} does not serve a model",
        span,
        "watch an endpoint, or remove `rollback`",
    )


def rollback_of_fixed_version(span: Span, endpoint: str) -> Diagnostic:
    """An endpoint that pins its model versions by number has no alias to roll back.

    Wrong:

        inference: {scorer: {variants: {champion: {model: fraud@3}}, …}}
        monitors: {quality: {watch: inference.scorer, onBreach: {rollback: true}, …}}

    Right:

        inference: {scorer: {variants: {champion: {model: fraud@champion}}, …}}
    """
    return Diagnostic(
        "E0474",
        Severity.ERROR,
        f"endpoint {quote(endpoint)} pins its model versions by number, so it has no alias to roll back",
        span,
        "serve an alias such as @champion, or remove `rollback`",
    )


def cooldown_without_effect(span: Span, monitor: str) -> Diagnostic:
    """The cooldown ends before the monitor checks again, so every breach starts a run.

    Wrong:

        monitors: {drift: {schedule: {cron: "0 6 * * *"}, onBreach: {run: pipelines.retrain, cooldown: 1h}, …}}

    Right:

        monitors: {drift: {schedule: {cron: "0 6 * * *"}, onBreach: {run: pipelines.retrain, cooldown: 3d}, …}}
    """
    return Diagnostic(
        "W0475",
        Severity.WARNING,
        f"the cooldown of monitor {quote(monitor)} has no effect: it ends before the monitor checks again",
        span,
        "make it longer than the time between two checks",
    )


def cooldown_of_nothing(span: Span, monitor: str) -> Diagnostic:
    """A cooldown spaces out actions, but this monitor only alerts for as long as the breach lasts.

    Wrong:

        monitors: {drift: {onBreach: {notify: [oncall], cooldown: 3d}, …}}

    Right:

        monitors: {drift: {onBreach: {notify: [oncall], run: pipelines.retrain, cooldown: 3d}, …}}
    """
    return Diagnostic(
        "W0493",
        Severity.WARNING,
        f"`cooldown` has no effect: monitor {quote(monitor)} neither starts a run nor rolls back",
        span,
        "remove `cooldown`, or add `run` or `rollback`",
    )


def breach_without_effect(span: Span, monitor: str) -> Diagnostic:
    """A monitor takes no action on a breach: it sends no notification, starts no run and rolls nothing back.

    Wrong:

        governance: {owner: {team: payments, email: payments@acme.example}}
        monitors: {drift: {type: data-drift, …}}

    Right:

        monitors: {drift: {type: data-drift, onBreach: {notify: [payments-oncall]}, …}}
    """
    return Diagnostic(
        "W0477",
        Severity.WARNING,
        f"monitor {quote(monitor)} takes no action on a breach",
        span,
        "add `onBreach: {notify: [CHANNEL]}`, or `oncall: CHANNEL` in `governance.owner`",
    )


def severity_not_taken(span: Span, check: str, severity: str, channels: Iterable[str]) -> Diagnostic:
    """None of the monitor's channels accepts alerts of this severity.

    Wrong:

        channels: {oncall: {type: pagerduty, severities: [page], …}}
        monitors: {drift: {checks: {psi: {max: 0.2, severity: ticket}}, onBreach: {notify: [oncall]}, …}}

    Right:

        channels: {oncall: {type: pagerduty, severities: [page, ticket], …}}
    """
    return Diagnostic(
        "W0478",
        Severity.WARNING,
        f"check {quote(check)} has severity {severity}, which none of the monitor's channels accept"
        f" ({', '.join(channels)})",
        span,
        f"notify another channel, or add {severity} to a channel's `severities`",
    )
