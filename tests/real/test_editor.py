"""Tests yaml-language-server's completions, hover texts and diagnostics for specs and environments."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from modelyard.editor.schema import schema_text
from testbed import npm
from tests.language_client import LanguageClient
from tests.schemas.walk import at, schema_of

_HEAD = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: churn}
governance: {owner: {team: growth, email: growth@acme.example}}
"""
_PLACED = f"{_HEAD}deployment: {{mode: on-prem, provider: kubernetes}}\n"
_TASKS = [
    "binary-classification", "multiclass-classification", "regression", "ranking", "forecasting", "recommendation",
    "text-generation",
]  # fmt: skip
_NUMBERS = count()


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write both schemas to files, as a user would."""
    folder = tmp_path_factory.mktemp("schemas")
    for name in ("system", "environment"):
        (folder / f"{name}.schema.json").write_text(schema_text(name), encoding="utf-8")
    return {name: folder / f"{name}.schema.json" for name in ("system", "environment")}


@pytest.fixture(scope="module")
def editor(yaml_language_server: list[str], schemas: dict[str, Path]) -> Iterator[LanguageClient]:
    """Start the language server with both schemas, associated by file name."""
    chosen = {schemas["system"].as_uri(): ["modelyard.yaml"], schemas["environment"].as_uri(): ["environments/*.yaml"]}
    yaml = {"schemas": chosen, "validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}}
    with LanguageClient(yaml_language_server, {"yaml": yaml, "http": {}, "editor": {}}) as client:
        while not _problems(client, "kind: MLSystem\n"):  # the server asks for its configuration after the first call
            time.sleep(0.1)
        yield client


def _spec() -> str:
    return f"file:///tmp/{next(_NUMBERS)}/modelyard.yaml"


def _environment() -> str:
    return f"file:///tmp/{next(_NUMBERS)}/environments/dev.yaml"


def _fields(definition: str, *chosen: str, written: Collection[str] = ()) -> list[str]:
    """Return the fields that a definition has in every alternative, and the `chosen` one's, except written ones."""
    shared = schema_of(at(f"#/$defs/{definition}")["properties"])
    return sorted({*shared, *chosen}.difference(written))


def _offered(editor: LanguageClient, text: str) -> list[str]:
    return [item["label"] for item in editor.completion(_spec(), text)]


def _problems(editor: LanguageClient, text: str, uri: str = "") -> list[str]:
    uri = uri or _spec()
    editor.open(uri, text)
    return [_line(diagnostic) for diagnostic in editor.diagnostics(uri)]


def _line(diagnostic: dict[str, Any]) -> str:
    start = diagnostic["range"]["start"]
    return f"{start['line'] + 1}:{start['character'] + 1} {diagnostic['message']}"


def test_the_schemas_pass_ajv_in_strict_mode(yaml_language_server: list[str], schemas: dict[str, Path]) -> None:
    assert yaml_language_server
    assert npm.strict_problems([*schemas.values()]) == ""


def test_ajv_refuses_an_unknown_keyword(yaml_language_server: list[str], tmp_path: Path) -> None:
    assert yaml_language_server
    (tmp_path / "odd.json").write_text('{"type": "object", "x-odd": 1}', encoding="utf-8")

    assert "unknown keyword" in npm.strict_problems([tmp_path / "odd.json"])


@pytest.mark.parametrize(
    ("place", "offered"),
    [
        ("deployment:\n  ▮", {"mode", "targets", "provider", "placement"}),
        ("deployment:\n  mode: hybrid\n  ▮", {"targets", "provider", "placement"}),
        ("deployment:\n  mode: ▮", {"cloud", "hybrid", "on-prem", "local"}),
        ("deployment:\n  provider: ▮", {"aws", "gcp", "azure", "kubernetes", "local"}),
        ("deployment:\n  targets:\n    main:\n      ▮", {"provider", "images"}),
        ("deployment:\n  targets:\n    main:\n      provider: aws\n      ▮", {"region", "account", "vpc", "gateway"}),
    ],
)
def test_target_fields_are_completed(editor: LanguageClient, place: str, offered: set[str]) -> None:
    assert offered <= set(_offered(editor, _HEAD + place))


@pytest.mark.parametrize(
    ("place", "offered"),
    [
        ("▮", ["channels", "compute", "data", "environments", "inference", "lists", "models", "monitors", "moved",
            "overrides", "pipelines", "profile", "registry", "stores", "vars"]),
        ("inference:\n  i:\n    endpoint:\n      ▮", _fields("endpoint")),
        ("monitors:\n  m:\n    type: data-quality\n    ▮", _fields("monitor", "reference", written=["type"])),
        ("data:\n  d:\n    format: ▮", ["csv", "json", "parquet"]),
        ("registry:\n  ▮", ["adopt", "artifactPath", "artifacts", "database"]),
        ("registry:\n  adopt: https://mlflow.acme.example\n  ▮", ["credentials"]),
        ("data:\n  d:\n    format: csv\n    ▮", _fields("dataset", "path", "store", "uri", written=["format"])),
        ("channels:\n  c:\n    ▮", _fields("channel")),
        ("channels:\n  c:\n    type: slack\n    ▮", _fields("channel", "room", "url", written=["type"])),
        ("channels:\n  c:\n    type: ▮", ["email", "pagerduty", "slack", "webhook"]),
        ("stores:\n  s:\n    ▮", _fields("store")),
        ("stores:\n  s:\n    type: database\n    ▮",
            _fields("store", "adopt", "credentials", "replicas", "size", written=["type"])),
        ("models:\n  ▮", []),
        ("models:\n  m:\n    task: ▮", sorted(_TASKS)),
        ("models:\n  m:\n    ▮", _fields("model")),
        ("pipelines:\n  p:\n    ▮", _fields("pipeline")),
        ("pipelines:\n  p:\n    type: training\n    tuning:\n      space:\n        depth:\n          ▮",
            ["choice", "int", "loguniform", "uniform"]),
        ("pipelines:\n  p:\n    schedule: ▮", ["after: …", "cron: …, timeZone: …", "on-demand", "once"]),
        ("inference:\n  i:\n    replicas: ▮", ["min: …, max: …"]),
        ("monitors:\n  m:\n    type: data-drift\n    checks:\n      ▮",
            ["chi2", "js", "ks", "missing", "psi", "wasserstein"]),
        ("monitors:\n  m:\n    type: performance\n    checks:\n      ▮", ["availability", "duration_s", "error_rate",
            "failed_runs", "freshness_s", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "throughput_rps"]),
        ("models:\n  m:\n    task: regression\n    validation:\n      v:\n        metric: ▮",
            ["mae", "mape", "median_ae", "r2", "rmse", "rmsle", "smape", "wape"]),
        ("monitors:\n  m:\n    type: data-drift\n    checks:\n      amount:\n        metric: ▮",
            ["chi2", "js", "ks", "missing", "psi", "wasserstein"]),
    ],
)  # fmt: skip
def test_completions_in_a_spec(editor: LanguageClient, place: str, offered: list[str]) -> None:
    """Completions contain no titles, placeholders, stringified objects, or fields of other schema alternatives."""
    assert sorted(_offered(editor, _PLACED + place)) == offered


@pytest.mark.parametrize(
    "place",
    [
        "compute:\n  c:\n    memory: ▮",
        "monitors:\n  m:\n    type: data-drift\n    onBreach:\n      run: ▮",
        "pipelines:\n  p:\n    type: training\n    model: ▮",
        "governance:\n  owner:\n    oncall: ▮",
    ],
)
def test_example_names_are_not_offered(editor: LanguageClient, place: str) -> None:
    """Names from the schema's examples aren't suggested, because they don't exist in the user's spec."""
    assert _offered(editor, _PLACED + place) == []


def test_compute_class_is_offered_only_as_a_mapping(editor: LanguageClient) -> None:
    assert _offered(editor, f"{_PLACED}pipelines:\n  p:\n    compute: ▮") == ["cpu: …, memory: …"]


def test_fields_are_described_with_examples(editor: LanguageClient) -> None:
    text = f"{_PLACED}compute: {{c: {{cpu: 1, memo▮ry: 2Gi}}}}\n"
    uri = _spec()
    editor.open(uri, text.replace("▮", ""))

    assert "Memory that one worker or replica gets." in editor.hover(uri, text)
    items = editor.completion(_spec(), f"{_PLACED}compute:\n  c:\n    ▮")
    assert "For example" in str(editor.completion(_spec(), f"{_HEAD}deployment:\n  ▮")) + str(items)


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(
    ("place", "offered"),
    [
        ("▮", {"inference", "models", "deployment", "registry"}),
        ("inference:\n  score:\n    ▮", {"replicas", "variants", "slo"}),
        ("inference:\n  score:\n    slo:\n      ▮", {"p99", "availability"}),
        ("governance:\n  risk: ▮", {"minimal", "limited", "high"}),
        ("deployment:\n  targets:\n    main:\n      ▮", {"region", "context", "provider"}),
        ("monitors:\n  m:\n    checks:\n      ▮", {"psi", "rmse", "error_rate"}),
        ("models:\n  m:\n    validation:\n      v:\n        metric: ▮", {"rmse", "f1"}),
    ],
)
def test_environments_are_completed(editor: LanguageClient, inside: bool, place: str, offered: set[str]) -> None:
    """Environments are completed both in the spec and in a separate file."""
    if inside:
        below = "".join(f"    {line}\n" for line in place.splitlines()).rstrip("\n")
        assert offered <= set(_offered(editor, f"{_PLACED}environments:\n  dev:\n{below}"))
    else:
        assert offered <= {item["label"] for item in editor.completion(_environment(), place)}


def test_environments_are_validated(editor: LanguageClient) -> None:
    wrong = "{inference: {score: {replcas: 2}}, governance: {risk: severe}}\n"

    assert sorted(_problems(editor, wrong, _environment())) == [
        "1:22 Property replcas is not allowed.",
        '1:55 Value is not accepted. Valid values: "minimal", "limited", "high".',
    ]
    inside = _problems(editor, f"{_PLACED}environments:\n  dev: {wrong}")
    assert [problem.partition(" ")[0] for problem in sorted(inside)] == ["7:29", "7:62"]


def test_environments_may_be_partial_and_delete(editor: LanguageClient) -> None:
    right = "{inference: {score: {compute: {cpu: 2}, slo: null}}, registry: null, stores: {lake: {versioned: false}}}\n"

    assert _problems(editor, right, _environment()) == []
    assert _problems(editor, f"{_PLACED}environments: {{dev: {right.strip()}, prod: }}\n") == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("compute: {c: {cpu: 1, memory: 16GB}}", "6:31 expected a size with a unit, such as 512Mi, 16Gi or 1Ti"),
        ("compute: {c: {cpu: some, memory: 1Gi}}", "6:20 expected a number of CPUs such as 4, 0.5 or 500m"),
        ("compute: {c: {cpu: 1, memory: [1]}}", "6:31 expected a size with a unit, such as 512Mi, 16Gi or 1Ti"),
        ("models: {m: {task: ranking, framework: custom, threshold: big}}", "6:59 expected a number"),
        ("channels: {c: {url: here}}", '6:12 Missing property "type".'),
        ("stores: {s: {type: objct}}", '6:20 Value is not accepted. Valid values: "object", "database".'),
    ],
)
def test_diagnostics_use_our_messages(editor: LanguageClient, text: str, problem: str) -> None:
    assert _problems(editor, f"{_PLACED}{text}\n") == [problem]


def test_variables_cause_no_diagnostics(editor: LanguageClient) -> None:
    """Variables cause no diagnostics, even though the editor checks specs before substituting them."""
    text = "compute: {c: {cpu: '${vars.cpus}', memory: '${vars.size}Gi', capacity: '${vars.kind}'}}\n"

    assert _problems(editor, _PLACED + text) == []
