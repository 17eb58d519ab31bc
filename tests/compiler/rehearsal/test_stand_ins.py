"""Tests that stand-ins for Pulumi, kubectl and crane refuse unknown commands and whatever the originals do."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from modelyard.rehearsal.rehearsal import applied_to
from modelyard.rehearsal.stand_ins import FOLDER, main, routed

Do = Callable[..., int]


@pytest.fixture
def do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Do:
    """Return a function that runs a command in a rehearsal with a Pulumi project and a cluster for each side."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "__main__.py").write_text("first", encoding="utf-8")
    world: dict[str, dict[str, object]] = {"sides": {"main/old": "old", "main/new": "new"}, "services": {"old": {}}}
    (tmp_path / "world.json").write_text(json.dumps(world), encoding="utf-8")
    (tmp_path / "schedules.json").write_text('{"old": {"old/train": false}}', encoding="utf-8")
    monkeypatch.setenv(FOLDER, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return lambda *words: main(list(words))


def test_a_project_is_applied_compared_and_destroyed_only_without_protection(do: Do, tmp_path: Path) -> None:
    pulumi = ("pulumi", "--cwd", "project")
    stack = ("--stack", "prod")

    assert do(*pulumi, "up", *stack) == 1, "the stack has not been created"
    assert do(*pulumi, "stack", "select", "--create", "prod") == 0
    assert do(*pulumi, "preview", *stack, "--expect-no-changes") == 1, "nothing has been applied"
    assert do(*pulumi, "up", *stack) == 0
    assert do(*pulumi, "preview", *stack, "--expect-no-changes") == 0
    (tmp_path / "project" / "__main__.py").write_text("second", encoding="utf-8")
    assert do(*pulumi, "preview", *stack, "--expect-no-changes") == 1, "the program has changed"
    assert do(*pulumi, "config", "set", "protect", "false", *stack) == 0
    assert do(*pulumi, "destroy", *stack) == 1, "the setting has not been applied"
    assert do(*pulumi, "up", *stack) == 0
    assert do(*pulumi, "destroy", *stack) == 0
    assert do(*pulumi, "refresh", *stack) == 2, "no plan has this command"


def test_schedules_are_suspended_where_they_are(do: Do, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = ("kubectl", "--context", "main", "-n", "old")
    patch = ("-p", '{"spec": {"suspend": true}}')

    assert do(*old, "patch", "cronjob", "train", *patch) == 0
    assert do(*old, "patch", "cronjob", "score", *patch) == 1, "there is no such schedule"
    assert do(*old, "get", "cronjobs", "train", "-o", "custom-columns=:metadata.name,:spec.suspend") == 0
    assert capsys.readouterr().out == "\ntrain   true\n"
    columns = ("-o", "custom-columns=:metadata.name,:spec.suspend")
    assert do(*old, "get", "cronjobs", "train", "--no-headers", *columns) == 0
    assert capsys.readouterr().out == "train   true\n"
    assert do("kubectl", "--context", "main", "-n", "other", "get", "cronjobs") == 2, "no side is there"
    assert do(*old, "delete", "cronjob", "train") == 2, "no plan has this command"


def test_an_image_has_the_same_digest_under_both_names_only_after_a_copy(
    do: Do, capsys: pytest.CaptureFixture[str]
) -> None:
    digests: list[str] = []
    for words in (
        ("digest", "public/a:1"),
        ("digest", "own/a:1"),
        ("copy", "public/a:1", "own/a:1"),
        ("digest", "own/a:1"),
    ):
        assert do("crane", *words) == 0
        digests += capsys.readouterr().out.split()

    assert digests[0] != digests[1]
    assert digests[0] == digests[2]
    assert os.path.exists("images.json")


def test_a_promoter_that_a_command_suspended_stays_suspended_when_schedules_are_applied() -> None:
    """A promoter's manifest doesn't set `suspend`, whereas a pipeline's does while the pipeline's side is idle."""
    idle, live = {"a/promoter": False, "a/train": True}, {"a/promoter": False, "a/train": False}

    first = applied_to({}, {}, idle)
    last = applied_to({**first, "a/promoter": True}, idle, live)

    assert first == idle
    assert last == {"a/promoter": True, "a/train": False}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/churn", "/churn-live"),
        ("/churn/", "/churn-live"),
        ("/churn/v1/chat/completions", "/churn-live/v1/chat/completions"),
        ("/churn/eu/v1/completions", "/churn-eu-live/v1/completions"),
        ("/churns", "/"),
    ],
)
def test_requests_reach_the_application_of_the_longest_path(path: str, expected: str) -> None:
    """A language model has paths below that of its endpoint, and so may another endpoint."""
    assert routed(path, {"/churn": "/churn-live", "/churn/eu/": "/churn-eu-live"}) == expected


def test_an_endpoint_at_the_root_gets_every_path() -> None:
    assert routed("/v1/completions", {"/": "/chat-live"}) == "/chat-live/v1/completions"
