"""Selects what to send to an endpoint: data rows, preferably ones held out of training, or short texts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from modelyard_runtime.local.placed import Placed
from modelyard_runtime.local.plan import Endpoint, LocalPlan
from modelyard_runtime.local.state import State
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.training.data import training_data
from modelyard_runtime.workload.records import PipelineWorkload, workload_of

MOST_ROWS = 1000
QUESTIONS = "questions.json"
"""The file with a question for each endpoint, which `modelyard try --ask` sends."""


CHAT, COMPLETION = "/v1/chat/completions", "/v1/completions"
_PROMPTS = ("Hello", "What is new today?", "Write one sentence about the sea.")
_MOST_TOKENS = 8


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows for an endpoint, along with the actual label of the first row."""

    features: list[dict[str, Any]]
    label: str
    value: Any

    def question(self) -> dict[str, Any]:
        """Return the first row and its label as plain data."""
        return {"row": self.features[0], "label": self.label, "value": self.value}


def rows_for(endpoint: Endpoint, plan: LocalPlan, placed: Placed) -> Rows | None:
    """Return rows from the training data of a model behind the endpoint, or None if this machine has none."""
    for entry in plan.pipelines.values():
        workload = workload_of(placed.contents[entry.description])
        if entry.trains in endpoint.models and isinstance(workload, PipelineWorkload):
            return _read(workload, entry.reads)
    return None


def _read(workload: PipelineWorkload, inputs: tuple[str, ...]) -> Rows | None:
    import pandas as pd

    try:
        data = training_data(workload, inputs, workload.pipeline.task)
    except (OSError, Refusal):  # training has logged the reason; the endpoint may still serve an earlier version
        return None
    columns = [*data.features, data.label]
    frame = pd.concat([data.held_out[columns], data.train[columns]], ignore_index=True)[:MOST_ROWS]
    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", date_format="iso"))
    value = rows[0][data.label]
    return Rows([{name: row[name] for name in data.features} for row in rows], data.label, value)


def texts_for(endpoint: Endpoint, placed: Placed) -> list[tuple[str, dict[str, Any]]]:
    """Return requests (path and body) for an endpoint's language model and each of its adapters.

    At temperature 0, equal requests to the same version get equal answers.
    """
    names = {backend.application for backend in endpoint.backends}
    applications = [
        application
        for content in placed.contents.values()
        for name, application in content.get("applications", {}).items()
        if name in names
    ]
    most = min(_MOST_TOKENS, *(int(application["generation"]["maxTokens"]) for application in applications))
    models = dict.fromkeys(
        name
        for application in applications
        for name in (application["generation"]["model"], *application.get("adapters", {}))
    )
    return [
        (path, {"model": model, **asked, "max_tokens": most, "temperature": 0})
        for model in models
        for prompt in _PROMPTS
        for path, asked in (
            (CHAT, {"messages": [{"role": "user", "content": prompt}]}),
            (COMPLETION, {"prompt": prompt}),
        )
    ]


def captured(endpoint: Endpoint, placed: Placed) -> float:
    """Return the fraction of an endpoint's requests that is captured, or 1 if capture isn't configured."""
    names = {backend.application for backend in endpoint.backends}
    shares = [
        application["capture"]["fraction"]
        for content in placed.contents.values()
        for name, application in content.get("applications", {}).items()
        if name in names and "capture" in application
    ]
    return float(max(shares, default=1.0))


def keep(state: State, name: str, url: str, token: str, rows: Rows) -> None:
    """Save the request to an endpoint so that it can be sent again."""
    path = state.below(QUESTIONS)
    questions: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    questions[name] = {"url": url, "token": token, **rows.question()}
    path.write_text(json.dumps(questions, ensure_ascii=False, indent=2), encoding="utf-8")
