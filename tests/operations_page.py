"""Prints each alert's section in docs/operations.md from code, including its meaning and runbooks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import modelyard_targets
from modelyard_targets.kube.monitoring.runbooks import steps

_RAISED: Final = re.compile(r"\balert\(\s*\"(Modelyard\w+)\"")

ALERTS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "ModelyardApprovalWaiting": (
        "A version has passed everything else and waits for people to approve it.",
        ("approval",),
    ),
    "ModelyardEndpointGone": (
        "No healthy replica of an application reports metrics, so requests fail, or nobody can tell whether they do.",
        ("gone",),
    ),
    "ModelyardFilesRefused": (
        "A batch inference run skipped files that do not fit the model; their rows have no scores, or outdated ones.",
        ("refused-files",),
    ),
    "ModelyardGateRefused": (
        "The newest version failed a check of its gate, so the alias still points to the previous version.",
        ("gate",),
    ),
    "ModelyardGatewayGone": (
        "The Gateway in front of an endpoint has no running proxy, so connections are refused.",
        ("gateway",),
    ),
    "ModelyardImportMissing": (
        "A model that the spec imports is not in the registry: its source does not respond, or its digest differs.",
        ("import",),
    ),
    "ModelyardLoginFailed": (
        "On AWS, the weekly change of the registry's database password failed; the registry may be locked out.",
        ("login",),
    ),
    "ModelyardMonitorBreach": (
        "A monitor's check is out of bounds. The steps depend on the monitor's type.",
        (
            *("data-drift", "prediction-drift", "prediction-quality", "concept-drift", "data-quality"),
            *("performance", "runs"),
        ),
    ),
    "ModelyardMonitorCoverage": (
        "Too few predictions have been matched with labels, so the measured quality means little.",
        ("coverage",),
    ),
    "ModelyardMonitorSilent": (
        "A scheduled monitor has never reported.",
        ("silent",),
    ),
    "ModelyardMonitorStale": (
        "A scheduled monitor has not run for longer than its schedule allows.",
        ("silent",),
    ),
    "ModelyardMonitorUnknown": (
        "A check had too few rows or labels to decide, which does not mean that all is well.",
        ("unknown",),
    ),
    "ModelyardPipelineFailed": (
        "The last run of a pipeline failed, after all of its retries.",
        ("failed-run",),
    ),
    "ModelyardPipelineMissing": (
        "A pipeline has not succeeded for longer than its schedule, its timeout and its retries allow.",
        ("missing-run",),
    ),
    "ModelyardPipelineUnseen": (
        "Prometheus has no series about a pipeline's CronJob, so a failed or missing run would go unnoticed.",
        ("unseen-runs",),
    ),
    "ModelyardPromoterMissing": (
        "The promoter has not succeeded for half an hour; approved versions wait, and served models stay as they are.",
        ("promoter",),
    ),
    "ModelyardRegistryGone": (
        "MLflow has no available server: runs fail, nothing is promoted, and a server that starts finds no model.",
        ("registry",),
    ),
    "ModelyardSiteSilent": (
        "A site of a target with `alertsOn` has sent no metrics for a quarter of an hour. The label `modelyard_site` "
        "says which.",
        ("site",),
    ),
    "ModelyardSloBurn": (
        "An endpoint is using up the error budget of an objective in `slo` too fast. The label `slo` says which.",
        ("availability", "latency", "first-token", "tokens-per-second"),
    ),
    "ModelyardSoakFailed": (
        "A version failed a check while it was soaking, so it does not enter the next stage.",
        ("soak",),
    ),
    "ModelyardStarterMissing": (
        "Runs that monitors on other targets requested are not started; a request expires after a day.",
        ("starter",),
    ),
}
"""The meaning and the runbooks of each alert."""

_HEADINGS: Final[Mapping[str, str]] = {
    "availability": "For an availability objective",
    "latency": "For a latency objective",
    "first-token": "For `timeToFirstToken`, an objective of a language model",
    "tokens-per-second": "For `tokensPerSecond`, an objective of a language model",
    "performance": "For a monitor of type `performance` on an endpoint",
    "runs": "For a monitor of type `performance` on a pipeline",
}


def raised_alerts() -> frozenset[str]:
    """Return the names of all alerts that occur in the targets' code."""
    (folder,) = modelyard_targets.__path__
    sources = (path.read_text(encoding="utf-8") for path in Path(folder).rglob("*.py"))
    return frozenset(name for source in sources for name in _RAISED.findall(source))


def alerts_part() -> str:
    """Return the page's section on each alert, sorted by name."""
    return "\n".join(line for name in sorted(ALERTS) for line in _section(name))


def _section(name: str) -> Iterator[str]:
    meaning, topics = ALERTS[name]
    yield from (f"## {name}", "", meaning, "")
    for topic in topics:
        if len(topics) > 1:
            yield from (f"{_HEADINGS.get(topic, f'For a monitor of type `{topic}`')}:", "")
        yield from (f"{at}. {step}" for at, step in enumerate(steps()[topic], 1))
        yield ""
