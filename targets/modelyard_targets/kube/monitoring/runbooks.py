"""Runbooks, i.e. step-by-step instructions for the `runbook` annotation of every alert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "availability": (
        "`kubectl get rayservice,pods` in the namespace: is a replica restarting, or a version being rolled out?",
        "Compare the variants on the dashboard: take a failing one out of traffic in the spec, then apply.",
        "Read the log of a failing replica.",
        "After a promotion: move the alias back to the previous version.",
    ),
    "latency": (
        "Dashboard: are requests waiting, or is the model itself slow?",
        "Waiting: is the number of replicas at its maximum, or are Pods pending? Raise `replicas.max`.",
        "Slow: compare the variants; a new version may be larger. Move the alias back, or give it no traffic.",
    ),
    "first-token": (
        "Dashboard: are texts waiting for a place in the batch, or are prompts long?",
        "Waiting: is the number of replicas at its maximum, or are Pods pending? Raise `replicas.max`.",
        "Long prompts: use faster machines, or lower `generation.contextLength`.",
    ),
    "tokens-per-second": (
        "Dashboard: do replicas generate more texts at once than before, or does one variant have slow texts?",
        "Many texts at once: lower `generation.concurrency` and `scaling.target`, and raise `replicas.max`.",
        "One variant: a new version may be larger. Move the alias back, or give it no traffic.",
    ),
    "gone": (
        "`kubectl get rayservice,raycluster,pods` in the namespace.",
        "Pods pending: which machine is missing?",
        "Pods running: does the PodMonitor exist, and does Prometheus reach port 8080 of the Pods?",
        "Head restarting: read the log of the previous container.",
    ),
    "gateway": (
        "`kubectl get gateway` in the namespace: is it programmed, and does it have an address?",
        "`kubectl get pods -l app.kubernetes.io/name=envoy -A`: are the proxies pending or restarting?",
        "Read the log of the controller, `kubectl -n envoy-gateway-system logs deployment/envoy-gateway`.",
        "Proxies running: does the PodMonitor exist, and does Prometheus reach port 19001 of the Pods?",
    ),
    "failed-run": (
        "`kubectl get job,rayjob,pods` in the namespace: which run failed, and which of its Pods?",
        "Read the log of the submitter, whose Pod is named after the RayJob: it ends with the step and the error.",
        "Out of memory or machines: raise `compute` or `timeout`, or check the node pool.",
        "Run it again: `kubectl create job --from=cronjob/NAME NAME-again`.",
    ),
    "soak": (
        "The log of the promoter names the version, the checks and their values.",
        "Is the version worse, or are its requests different? Compare it with the champion on the same dashboard.",
        "The version is worse: train another one, which replaces it, or move the alias back by hand in the registry.",
        "Nothing is promoted while the checks fail; with `onFailure: take-back` the alias also moves back by itself.",
    ),
    "refused-files": (
        "`_modelyard/refused.json` below the output lists the files, each with the reason.",
        "A damaged file, or one with other columns: ask for a new delivery; the next run picks it up.",
        "A file that is not needed: remove it from the input.",
        "Every new file has the same reason: did the source change, or does a new version need another column?",
    ),
    "missing-run": (
        "`kubectl get cronjob,job` in the namespace: is the CronJob suspended, or a run stuck?",
        "If every run failed, follow the steps for a failed run.",
        "No Job at all: `kubectl describe cronjob`; its events show a missed start.",
    ),
    "unseen-runs": (
        "`kubectl get cronjob` in the namespace: does it exist?",
        "`kubectl get pods -A -l app.kubernetes.io/name=kube-state-metrics`: is it running?",
        "Does Prometheus scrape it? Its targets are under Status, Targets.",
    ),
    "registry": (
        "`kubectl get deployment,pods -l app.kubernetes.io/name=mlflow` in the namespace: pending or restarting?",
        "Pending: which machine or Secret is missing? `kubectl describe` names it.",
        "Restarting: its log says whether the database rejects the login or is down.",
        "Login rejected: follow `ModelyardLoginFailed` if it fires, or else compare the Secret with the database.",
    ),
    "site": (
        "Does the site have power and a network? Without a network, its endpoints keep serving.",
        "At the site, `kubectl -n monitoring get pods`: is Prometheus running?",
        "Its log says whether the address in `telemetry.remoteWrite` fails to respond or rejects the token.",
        "The site is closed: destroy its stack, and remove it from the spec.",
    ),
    "promoter": (
        "`kubectl get cronjob,job,pods` in the namespace: is the promoter running?",
        "Read the log of its last Pod: it names the training run, and what did not respond or was rejected.",
        "Files whose digest does not match were changed after the gate: find out by whom, and train again.",
    ),
    "import": (
        "Read the log of the promoter's last Pod: it names the model, its source, and what was rejected.",
        "Digest mismatch: were the files changed, or is the digest in the spec wrong? Ask whoever delivers the model.",
        "If the new files should be served, put their digest in the spec and have it approved.",
        "Access denied, or no response: does the store in the spec have the bucket, and do its credentials open it?",
    ),
    "starter": (
        "`kubectl get cronjob,job,pods` in the namespace: is the starter running?",
        "Read the log of its last Pod: it names each request, and what did not respond or was rejected.",
        "The store denies access: `pulumi up` the project with its role or key, or compare the policy with the README.",
        "To start the pipeline right away: `kubectl create job --from=cronjob/NAME NAME-again`.",
    ),
    "login": (
        "`kubectl get cronjob,job` in the namespace: read the log of the Pod of the failed run.",
        "Denied by RDS or Secrets Manager: `pulumi up` of `infrastructure/` recreates its role.",
        "Run it again, which is always safe: `kubectl create job --from=cronjob/NAME NAME-again`.",
        "MLflow gets the new password once External Secrets has read it, within five minutes.",
    ),
    "gate": (
        "The run in the registry has the verdict of each check: the artifact `modelyard/gate.json`.",
        "Is the data of this run worse: fewer rows, late labels, a changed source?",
        "Is the check itself wrong? Change `validation` in the spec; the next run uses it.",
    ),
    "approval": (
        "In the registry, read the card, the metrics and `modelyard/gate.json` of the version.",
        "To approve, a member of a group runs `modelyard approve`: the section Approve of the README has the command.",
        "The promoter moves the alias within minutes; with an adopted registry, the next run of the pipeline does.",
    ),
    "data-drift": (
        "Which feature, and how? The endpoint's dashboard shows it, or `modelyard_monitor_value` in Prometheus.",
        "Did its source change: schema, unit, missing values? Fix it there.",
        "Did the world change? Check the quality on late labels, and train on newer data.",
    ),
    "prediction-drift": (
        "Did the inputs drift too? Then start there.",
        "Was a model promoted? Compare with the previous version.",
        "Otherwise, check the quality as soon as there are labels.",
    ),
    "prediction-quality": (
        "Are the labels of the window complete?",
        "Did inputs or predictions drift?",
        "Compare with the previous version: if that was better, move the alias back; otherwise, train on newer data.",
    ),
    "concept-drift": (
        "Since when? The endpoint's dashboard shows it, or `modelyard_monitor_value` in Prometheus.",
        "What changed in the world at that time?",
        "Train on data since then; an older model will not be better.",
    ),
    "data-quality": (
        "Which check, and which column?",
        "Check the last run of the pipeline that writes the data.",
        "Stop its consumers until it is fixed: a model trained on this data learns the error.",
    ),
    "unknown": (
        "Read the log of the monitor's last Pod: it names the check, and how many rows or labels it had.",
        "No rows: is the watched resource used, and are captures written? A longer `window` contains more of them.",
        "No labels: follow the steps for missing labels.",
    ),
    "coverage": (
        "Did the pipeline that writes the labels run, and how new is its newest row? `delay` says how late it may be.",
        "Compare a key on both sides: the columns in `key`, their types and spelling.",
        "Are labels known for only some of the predictions? Then set that share as `coverage`.",
    ),
    "performance": (
        "Dashboard: does it affect all variants, or one?",
        "Is the number of replicas at its maximum?",
        "Was there a rollout?",
    ),
    "runs": (
        "`kubectl get job` in the namespace shows each run with its age and duration.",
        "Slow: more data, fewer machines, or waiting for machines? The submitter's log has the duration of each step.",
        "Failed or missing: follow the steps of the alerts about the pipeline itself.",
    ),
    "silent": (
        "`kubectl get cronjob,job,pods` in the namespace: did the run fail, or not start?",
        "Read the log of its Pod.",
        "Ran well: does Prometheus accept OTLP, or does a network policy block the Pod?",
    ),
}


def steps() -> Mapping[str, tuple[str, ...]]:
    """Return the steps of each alert subject's runbook, from the table."""
    return _STEPS


def runbook(about: str) -> str:
    """Return the numbered steps for an alert subject as a single line."""
    return " ".join(f"{at}. {step}" for at, step in enumerate(_STEPS[about], 1))
