"""Tests which pipelines run at startup, and which rows of data are sent to an endpoint as requests."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from modelyard_runtime.local.asking import captured, keep, rows_for, texts_for
from modelyard_runtime.local.placed import Placed
from modelyard_runtime.local.plan import Backend, Endpoint, LocalPlan, Pipeline, Schedule, read_plan
from modelyard_runtime.local.state import State
from modelyard_runtime.local.work import Work
from modelyard_runtime.serving.language.requests import request_of
from tests.narrowing import present
from tests.runtime.local.test_sample import GOLDEN, write_sample

CRON = Schedule(kind="cron", overlap="forbid")


def system(train: Schedule) -> LocalPlan:
    """Return a plan in which one pipeline writes another pipeline's training data."""
    plan = read_plan(GOLDEN / "laptop-default" / "main")
    trained = replace(plan.pipelines["train"], schedule=train)
    collect: Pipeline = replace(trained, type="custom", schedule=CRON, trains="", reads=(), writes=("customers",))
    return replace(plan, pipelines={"train": trained, "collect": collect, "score": plan.pipelines["score"]})


def work_of(plan: LocalPlan, state: State, monkeypatch: pytest.MonkeyPatch) -> Work:
    """Return the work that runs a plan whose model has no version yet."""
    base: Any = SimpleNamespace(plan=plan, state=state)
    monkeypatch.setattr(Work, "_lacks_version", lambda self, name: bool(self.plan.pipelines[name].trains))
    history: Any = None
    return Work(base, history, (), sample=False, drift=False)


def test_what_writes_missing_data_runs_before_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = State.at(tmp_path / "state")
    work = work_of(system(CRON), state, monkeypatch)
    assert work.due(everything=False) == ["train", "collect"]

    uri = state.file_uri(work.plan.data["customers"].uri).removeprefix("file://")
    Path(uri).mkdir(parents=True)
    (Path(uri) / "part.parquet").write_bytes(b"rows")
    assert work.due(everything=False) == ["train"]
    assert set(work.due(everything=True)) == {"train", "collect", "score"}


def test_a_training_that_follows_runs_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follows = Schedule(kind="after", overlap="forbid", after="collect")
    work = work_of(system(follows), State.at(tmp_path / "state"), monkeypatch)

    assert work.due(everything=False) == ["collect"]
    assert work.trains("collect")
    assert not work.trains("score")


def test_a_challenger_is_trained_before_there_is_a_champion_to_beat(tmp_path: Path) -> None:
    """Challengers train before there is a champion to beat.

    Trained on the same generated data as the champion, a challenger would be refused, and its share of requests would
    fail.
    """
    sample, placed, state = write_sample("fraud-detection-dev", tmp_path)
    base: Any = SimpleNamespace(plan=sample.plan, state=state, placed=placed)
    history: Any = None
    work = Work(base, history, (), sample=True, drift=False)

    assert {name: work.challenges(name) for name in sample.plan.pipelines} == {
        "challenge": True,
        "nightly-scores": False,
        "retrain": False,
    }


def test_an_endpoint_is_asked_about_a_row_that_was_held_out(tmp_path: Path) -> None:
    """Requests are made from held-out rows without the label. Without data, no request is sent."""
    sample, placed, state = write_sample("laptop-default", tmp_path)
    endpoint = sample.plan.endpoints["churn"]
    rows = present(rows_for(endpoint, sample.plan, placed))
    keep(state, "churn", "http://127.0.0.1:8000/churn", "", rows)

    assert len(rows.features) == 1000
    assert set(rows.features[0]) == {"usage", "age", "plan"}
    assert (rows.label, rows.value in {0, 1}) == ("left", True)
    assert '"label": "left"' in (state.folder / "questions.json").read_text()

    for path in state.folder.rglob("*.parquet"):
        path.unlink()
    assert rows_for(endpoint, sample.plan, placed) is None
    assert isinstance(placed, Placed)


def test_a_system_with_its_own_data_gets_requests_too(tmp_path: Path) -> None:
    """With `--sample`, an endpoint gets rows of the system's data if nothing is generated. Otherwise, it gets none."""
    sample, placed, state = write_sample("laptop-default", tmp_path)
    base: Any = SimpleNamespace(plan=sample.plan, state=state, placed=placed)
    history: Any = None
    endpoint = sample.plan.endpoints["churn"]
    options = {"sampled": (True, None), "generated": (True, sample), "neither": (False, None)}
    asked = {
        name: Work(base, history, (), sample=wanted, drift=False, _made=made).own_rows(endpoint) is not None
        for name, (wanted, made) in options.items()
    }

    assert asked == {"sampled": True, "generated": False, "neither": False}


def test_few_captures_need_more_requests(tmp_path: Path) -> None:
    """The reference system captures only 20% of requests, but its monitors need the usual number of rows."""
    sample, placed, _ = write_sample("fraud-detection-dev", tmp_path)
    share = captured(sample.plan.endpoints["scorer"], placed)

    assert share == 0.2
    assert len(sample.requests(1, drift=False, captured=share)) == 3000
    assert len(sample.requests(1, drift=False, captured=0.001)) == 6000


def test_a_language_model_and_its_adapters_get_chats_and_completions() -> None:
    """Each request names its model, uses temperature 0, and asks for few tokens within the endpoint's limit."""
    generation = {"model": "assistant", "maxTokens": 5, "concurrency": 4}
    application = {"generation": generation, "adapters": {"polite": {}}}
    placed = Placed({"server.json": {"applications": {"assistant-live": application, "other-live": {}}}})
    backends = (Backend(application="assistant-live", weight=100),)
    endpoint = Endpoint(
        path="/", timeout_seconds=60, backends=backends, callers=(), prefix="/", models=("chat",), generates_text=True
    )

    requests = texts_for(endpoint, placed)

    assert {(path, body["model"]) for path, body in requests} == {
        (path, model) for path in ("/v1/chat/completions", "/v1/completions") for model in ("assistant", "polite")
    }
    assert requests[0][0] == "/v1/chat/completions", "the plan's commands send a chat"
    assert {(body["max_tokens"], body["temperature"]) for _, body in requests} == {(5, 0)}
    assert all(request_of(json.dumps(body).encode(), chat="messages" in body) for _, body in requests)
