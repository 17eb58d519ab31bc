"""Tests the language server over standard streams, as an editor uses it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelyard.cli.main import main
from tests.compiler.cli.commands import SPEC
from tests.language_client import CURSOR, LanguageClient

RICH = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: churn}
governance: {owner: {team: growth, email: growth@acme.example, oncall: pager}}
deployment: {mode: on-prem, provider: kubernetes, context: here}
vars: {replicas: 2}
channels: {pager: {type: pagerduty, key: "secret://kubernetes/pager#key"}}
stores:
  lake: {type: object, adopt: acme-lake}
  runs: {type: database, adopt: "db.acme.example/mlflow"}
registry: {database: runs, artifacts: lake}
compute: {small: {cpu: 1, memory: 2Gi}}
data: {customers: {format: csv, store: lake, path: customers/, label: left, schema: {left: boolean, age: integer}}}
models:
  churn: {task: binary-classification, framework: xgboost, stages: {candidate: {}, champion: {after: candidate}}}
pipelines:
  train: {type: training, model: churn, inputs: [customers], compute: small}
inference:
  score: {variants: {only: {model: churn@champion}, other: {model: churn@candidate}}, compute: small}
"""


@pytest.fixture(scope="module")
def editor() -> Iterator[LanguageClient]:
    with LanguageClient([sys.executable, "-m", "modelyard", "lsp"]) as client:
        yield client


@pytest.fixture
def spec(tmp_path: Path) -> str:
    """Return the URI of a spec that no other test uses."""
    return (tmp_path / "modelyard.yaml").as_uri()


def _offered(editor: LanguageClient, uri: str, text: str) -> list[str]:
    return [item["label"] for item in editor.completion(uri, text)]


def _marked(diagnostics: list[dict[str, Any]]) -> list[tuple[str, int, int, int]]:
    """Return the code, line and columns (counted from 1) of each diagnostic published by the server."""
    ranges = [
        (diagnostic["code"], diagnostic["range"]["start"], diagnostic["range"]["end"]) for diagnostic in diagnostics
    ]
    return [(code, start["line"] + 1, start["character"] + 1, end["character"] + 1) for code, start, end in ranges]


def test_errors_are_marked_while_typing(editor: LanguageClient, spec: str) -> None:
    """Errors are marked before the text is saved, and the marks disappear once the text is correct."""
    editor.open(spec, SPEC.replace("churn@champion", "chrun@champion"))
    diagnostics = editor.diagnostics(spec)

    line = next(number for number, text in enumerate(SPEC.splitlines(), 1) if "churn@champion" in text)
    column = SPEC.splitlines()[line - 1].index("churn@champion") + 1
    assert _marked(diagnostics) == [("E0301", line, column, column + 14)]
    assert "did you mean 'churn'?" in diagnostics[0]["message"]
    assert (diagnostics[0]["source"], diagnostics[0]["severity"]) == ("modelyard", 1)
    editor.change(spec, SPEC, 2)
    assert editor.diagnostics(spec) == []


def test_a_text_is_checked_after_a_pause_in_typing(editor: LanguageClient, spec: str) -> None:
    """Every keystroke changes the text, but it's only checked after a pause."""
    editor.open(spec, "kind: MLSystem\n")
    for number in range(1, 20):
        editor.change(spec, f"kind: {'x' * number}\n", number + 1)
    editor.change(spec, SPEC, 30)

    verdicts = 1
    while editor.diagnostics(spec):
        verdicts += 1
    assert verdicts < 10


def test_environments_are_checked_with_their_spec(editor: LanguageClient, tmp_path: Path) -> None:
    """Errors are marked on their own lines, both in an open environment and in one on disk."""
    (tmp_path / "environments").mkdir()
    (tmp_path / "system.yaml").write_text(SPEC[: SPEC.index("environments:")], encoding="utf-8")
    saved, opened = tmp_path / "environments" / "dev.yaml", tmp_path / "environments" / "test.yaml"
    saved.write_text("inference: {score: {replcas: 1}}\n", encoding="utf-8")
    context = "deployment: {context: elsewhere}\n"
    editor.open(opened.as_uri(), f"{context}governance: {{risk: severe}}\n")

    assert _marked(editor.diagnostics(saved.as_uri())) == [("E0203", 1, 21, 28)]
    assert _marked(editor.diagnostics(opened.as_uri())) == [("E0204", 2, 20, 26)]


def test_columns_are_counted_in_utf_16_units(editor: LanguageClient, spec: str) -> None:
    """A character outside the Basic Multilingual Plane counts as two columns."""
    text = SPEC.replace("{task: binary", "{card: {purpose: 🙂🙂}, tsk: binary")
    editor.open(spec, text)
    code, _, start, end = next(item for item in _marked(editor.diagnostics(spec)) if item[0] == "E0203")

    line = next(item for item in text.splitlines() if "tsk" in item)
    assert (code, start, end) == ("E0203", line.index("tsk") + 3, line.index("tsk") + 6)


@pytest.mark.parametrize(
    ("old", "new", "offered"),
    [
        ("model: churn,", "model: ▮,", ["churn"]),
        ("only: {model: churn@champion}", "only: {model: ▮}", ["churn@candidate", "churn@champion"]),
        ("only: {model: churn@champion}", "only: {model: churn@▮}", ["churn@candidate", "churn@champion"]),
        ("inputs: [customers]", "inputs: [▮]", ["customers"]),
        ("inputs: [customers]", "inputs: [customers, ▮", ["customers"]),
        ("store: lake", "store: ▮", ["lake"]),
        ("database: runs", "database: ru▮", ["runs"]),
        ("oncall: pager", "oncall: ▮", ["pager"]),
        ("label: left", "label: ▮", ["left", "age"]),
        ("after: candidate", "after: ▮", ["candidate", "champion"]),
        ("candidate}}, compute", "candidate}}, traffic: {▮}, compute", ["only", "other"]),
        ("label: left", 'label: "${▮"', ["${vars.replicas}"]),
        ("cpu: 1, memory", "cpu: 1, ▮ memory", None),
    ],
)
def test_names_are_completed(editor: LanguageClient, spec: str, old: str, new: str, offered: list[str] | None) -> None:
    labels = _offered(editor, spec, RICH.replace(old, new))

    assert labels == offered if offered is not None else "capacity" in labels


@pytest.mark.parametrize(
    ("added", "offered"),
    [
        ("monitors:\n  m:\n    watch: ▮\n", ["inference.score", "pipelines.train", "data.customers"]),
        ("monitors:\n  m:\n    onBreach:\n      run: pipelines.▮\n", ["pipelines.train"]),
        ("monitors:\n  m:\n    onBreach:\n      notify:\n        - ▮\n", ["pager"]),
        ("environments:\n  dev:\n    registry:\n      artifacts: ▮\n", ["lake"]),
        ("environments:\n  dev:\n    inference: {score: {compute: ▮}}\n", ["small", "cpu: …, memory: …"]),
        ("monitors:\n  m: {type: data-drift, checks: {▮}}\n", ["psi", "ks", "chi2", "js", "wasserstein", "missing"]),
        ("monitors: {m: {type: ▮}}\n", ["data-drift", "prediction-drift", "concept-drift", "prediction-quality",
            "performance", "data-quality"]),
        ("overrides:\n  o:\n    ▮\n", ["target", "object", "patch", "sites", "reason"]),
        ("profile: {size: enterprise, ▮}\n", ["industry"]),
    ],
)  # fmt: skip
def test_fields_and_keywords_are_completed(editor: LanguageClient, spec: str, added: str, offered: list[str]) -> None:
    """Completion also works within brackets, where editors can't use the schema."""
    assert _offered(editor, spec, RICH + added) == offered


def test_environments_complete_names_of_their_spec(editor: LanguageClient, tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "modelyard.yaml").write_text(RICH, encoding="utf-8")
    uri = (tmp_path / "environments" / "dev.yaml").as_uri()

    text = "compute: {large: {cpu: 8, memory: 32Gi}}\ninference:\n  score:\n    compute: ▮\n"
    assert _offered(editor, uri, text) == ["small", "large", "cpu: …, memory: …"]
    assert "replicas" in _offered(editor, uri, "inference:\n  score:\n    ▮\n")
    assert "apiVersion" not in _offered(editor, uri, "▮\n")


def test_a_completion_replaces_the_word_before_the_cursor(editor: LanguageClient, spec: str) -> None:
    text = RICH.replace("only: {model: churn@champion}", "only: {model: churn@cha▮}")
    item = next(candidate for candidate in editor.completion(spec, text) if candidate["label"] == "churn@champion")

    start = next(candidate for candidate in text.splitlines() if CURSOR in candidate).index("churn@cha")
    edit = item["textEdit"]
    assert edit["newText"] == "churn@champion"
    assert (edit["range"]["start"]["character"], edit["range"]["end"]["character"]) == (start, start + 9)


@pytest.mark.parametrize(
    ("old", "new", "displayed"),
    [
        ("framework: xgboost", "frame▮work: xgboost", "Library that trains the model"),
        ("framework: xgboost", "framework: xgb▮oost", "one of: scikit-learn, xgboost"),
        ("  score: {", "  sc▮ore: {", "inference.score: written at"),
        ("compute: small}\ninf", "compute: sm▮all}\ninf", "compute.small: written at"),
        ("model: churn,", "model: ch▮urn,", "models.churn: written at"),
    ],
)
def test_hover_shows_descriptions(editor: LanguageClient, spec: str, old: str, new: str, displayed: str) -> None:
    text = RICH.replace(old, new)
    editor.open(spec, text.replace(CURSOR, ""))

    assert displayed in editor.hover(spec, text)


def test_a_missing_library_is_reported_with_the_install_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(name: str) -> None:
        assert name == "pygls"

    monkeypatch.setattr("modelyard.cli.lsp.find_spec", absent)

    assert main(["lsp"]) == 1
    assert "pip install 'modelyard[editor]'" in capsys.readouterr().err


def test_other_files_get_no_diagnostics(editor: LanguageClient, tmp_path: Path) -> None:
    uri = (tmp_path / "compose.yaml").as_uri()

    assert _offered(editor, uri, "services:\n  ▮") == []
    assert editor.hover(uri, "ser▮vices:\n  a: 1") == ""
