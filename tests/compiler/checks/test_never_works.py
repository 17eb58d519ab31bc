"""Tests that systems are reported if they would be deployed successfully but never work."""

from __future__ import annotations

import pytest

from tests.compiler.checks.checked_specs import codes_in, places_in, where
from tests.specs import VALID_SPEC, changed

LIVE = "champion: {model: fraud-xgb@champion}"
SEARCH = "space: {learning_rate: {loguniform: [0.001, 0.3]}, max_depth: {int: [3, 12]}}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (LIVE, "champion: {model: fraud-xgb@released}"),
        ("    model: fraud-xgb@champion\n", "    model: fraud-xgb@released\n"),
    ],
)
def test_an_alias_that_nothing_sets_is_reported(old: str, new: str) -> None:
    """Without the alias, endpoints and batch inference would wait forever, even with an adopted registry."""
    spec = changed(old, new)
    adopted = spec.replace("{database: runs, artifacts: lake}", "{adopt: 'https://mlflow.acme.example'}")

    assert places_in(spec) == [where(spec, "fraud-xgb@released", "E0810")]
    assert "E0810" in codes_in(adopted)


def test_aliases_may_be_set_in_several_ways() -> None:
    """An alias may be set by one of several pipelines or outside the system, or replaced with a version number."""
    elsewhere = changed(LIVE, "champion: {model: bought@released}", ("models:\n", f"models:\n  bought: {MODEL}\n"))

    assert codes_in(VALID_SPEC) == []
    assert codes_in(changed(LIVE, "champion: {model: fraud-xgb@12}")) == ["W0946"]
    assert codes_in(elsewhere) == ["W0447"]


GATED = "{task: binary-classification, framework: custom, validation: {good: {metric: auc_pr, min: 0.5}}}"
MODEL = "{task: binary-classification, framework: xgboost}"


@pytest.mark.parametrize(
    ("old", "new", "pointed"),
    [
        ("device: cuda", "device: cuda, max_dept: 3", "max_dept: 3"),
        (SEARCH, "space: {eta: {loguniform: [0.001, 0.3]}}", "eta: {log"),
    ],
)
def test_an_unknown_trainer_parameter_is_reported(old: str, new: str, pointed: str) -> None:
    """Trainer parameters with an unknown name are reported, whether their value is fixed or searched."""
    spec = changed(old, new)

    assert places_in(spec) == [where(spec, pointed, "E0811")]


def test_user_code_accepts_any_parameter() -> None:
    own = ("    timeout: 6h\n", '    timeout: 6h\n    source: {entrypoint: "fraud.train:main"}\n')
    spec = changed(*own, (SEARCH, "space: {eta: {loguniform: [0.001, 0.3]}}"))

    assert codes_in(spec) == []


@pytest.mark.parametrize(
    ("parameters", "codes"),
    [
        ("{estimator: svm}", ["E0812"]),
        ("{estimator: random-forest, n_estimators: 50}", []),
        ("{estimator: linear, n_estimators: 50}", ["E0811"]),
        ("{max_iter: 50}", []),
    ],
)
def test_each_scikit_learn_estimator_has_its_own_parameters(parameters: str, codes: list[str]) -> None:
    spec = changed(
        "framework: xgboost",
        "framework: scikit-learn",
        ("    parameters: {device: cuda}\n", f"    parameters: {parameters}\n"),
        ("compute: train", "compute: cpu"),
    )
    assert codes_in(spec.replace(SEARCH, "space: {random_state: {int: [1, 50]}}")) == codes


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ("", ["E0813"]),
        (", region: eu-central-1", ["E0813"]),
        (', endpoint: "https://s3.acme.example"', ["E0813"]),
        (", credentials: secret://vault/lake", []),
    ],
)
def test_an_adopted_bucket_without_credentials_is_reported(fields: str, codes: list[str]) -> None:
    lake = 'adopt: acme-fraud-lake, endpoint: "https://s3.acme.example", credentials: secret://vault/lake'

    assert codes_in(changed(lake, f"adopt: acme-fraud-lake{fields}")) == codes


@pytest.mark.parametrize(
    ("retain", "codes"), [("30d", ["E0814"]), ("45d", ["E0814"]), ("50d", ["W0815"]), ("52d", []), ("60d", [])]
)
def test_captures_deleted_before_their_labels_arrive_are_reported(retain: str, codes: list[str]) -> None:
    """With labels arriving 45 days late and a window of 7 days, captures must be kept for 52 days."""
    assert codes_in(changed("store: lake}\n    endpoint", f"store: lake, retain: {retain}}}\n    endpoint")) == codes


def test_a_window_longer_than_the_retention_of_captures_is_reported() -> None:
    """If governance sets how long captures are kept, this limits windows on captures, but not on other datasets."""
    spec = changed("captures: 90d", "captures: 60d", ("    window: 1d\n", "    window: 61d\n"))

    assert places_in(spec) == [where(spec, "window: 61d", "W0815")]
    assert codes_in(spec.replace("window: 61d", "window: 60d").replace("window: 30d}", "window: 300d}")) == []


@pytest.mark.parametrize(("retention", "codes"), [("20d", ["W0808"]), ("30d", []), ("365d", [])])
def test_a_window_longer_than_the_retention_of_its_bucket_is_reported(retention: str, codes: list[str]) -> None:
    """Only the retention of managed buckets is known, so adopted buckets aren't checked."""
    spec = changed(
        "lake: {type: object, adopt: acme-fraud-lake,",
        f"lake: {{type: object, retention: {retention},",
        ("{database: runs, artifacts: lake}", "{adopt: 'https://mlflow.acme.example'}"),
        ("  runs: {type: database}\n", ""),
        ("    capture: {sample: 20%, store: lake}\n", "    capture: {sample: 20%, store: other}\n"),
        (
            "stores:\n",
            "stores:\n  other: {type: object, endpoint: 'https://s3.two.example', credentials: secret://vault/two}\n",
        ),
    )

    assert codes_in(spec) == codes


def test_json_output_of_built_in_scoring_is_reported() -> None:
    """Built-in scoring cannot write JSON. User code may write any format."""
    spec = changed(
        "scores: {store: lake, path: scores/, format: parquet", "scores: {store: lake, path: scores/, format: json"
    )
    own = "    output: scores\n", '    output: scores\n    source: {entrypoint: "a.b:C"}\n'

    assert places_in(spec) == [where(spec, "scores\n    compute: cpu\n    workers", "E0843")]
    assert codes_in(spec.replace(*own)) == []


def test_a_breach_that_retrains_another_model_is_reported() -> None:
    """The check covers endpoints and batch inference, but not custom pipelines, which may do anything."""
    other = (
        "  nightly:\n",
        '  other: {type: training, model: other, inputs: [transactions], compute: cpu, source: {entrypoint: "a:b"}}\n'
        "  nightly:\n",
    )
    spec = changed(
        "run: pipelines.retrain", "run: pipelines.other", other, ("models:\n", f"models:\n  other: {GATED}\n")
    )
    batch = spec.replace("watch: inference.scorer\n    reference", "watch: pipelines.nightly\n    reference")

    assert places_in(spec) == [where(spec, "pipelines.other", "W0844")]
    assert "W0844" in codes_in(batch)
    assert codes_in(changed("run: pipelines.retrain", "run: pipelines.report")) == []


@pytest.mark.parametrize(
    ("framework", "parameters", "codes"),
    [
        ("pytorch", "{epochs: 0}", ["E0907"]),
        ("pytorch", "{epochs: 2.5}", ["E0907"]),
        ("pytorch", "{epochs: 1, depth: 0, dropout: 0}", []),
        ("pytorch", "{dropout: 1.0}", ["E0907"]),
        ("pytorch", "{learning_rate: 0, batch_size: -1}", ["E0907", "E0907"]),
        ("xgboost", "{device: cuda, subsample: 1.5}", ["E0907"]),
        ("xgboost", "{device: cuda, subsample: 1, max_depth: 0}", []),
        ("xgboost", "{device: cuda, n_estimators: 0}", ["E0907"]),
        ("lightgbm", "{num_leaves: 1}", ["E0907"]),
        ("lightgbm", "{num_leaves: 2, max_depth: -1}", []),
        ("scikit-learn", "{max_iter: 0}", ["E0907"]),
        ("scikit-learn", "{max_bins: 256}", ["E0907"]),
        ("scikit-learn", "{max_depth: 1, max_leaf_nodes: 2}", []),
        ("scikit-learn", "{estimator: random-forest, min_samples_leaf: 0.2, max_features: sqrt}", []),
        ("scikit-learn", "{estimator: random-forest, min_samples_leaf: 1.5}", ["E0907"]),
        ("scikit-learn", "{estimator: random-forest, min_samples_leaf: 0}", ["E0907"]),
        ("scikit-learn", "{estimator: random-forest, bootstrap: false, oob_score: true}", []),
        ("scikit-learn", "{estimator: linear, C: 0}", ["E0907"]),
    ],
)
def test_parameters_out_of_range_are_reported(framework: str, parameters: str, codes: list[str]) -> None:
    """Counts must be integers, and fractions between 0 and 1. Other values are left to the library."""
    tuning = VALID_SPEC[VALID_SPEC.index("    tuning:\n") : VALID_SPEC.index("    split: {fraction")]
    cpus = ("    inputs: [transactions]\n    compute: train\n", "    inputs: [transactions]\n    compute: cpu\n")
    spec = changed("framework: xgboost", f"framework: {framework}", (tuning, ""), ("{device: cuda}", parameters), cpus)

    assert [code for code in codes_in(spec) if code == "E0907"] == codes


@pytest.mark.parametrize(
    ("space", "pointed"),
    [
        ("{max_depth: {int: [-1, 12]}}", "-1, 12"),
        ("{max_depth: {uniform: [3, 12]}}", "uniform: [3, 12]"),
        ("{subsample: {uniform: [0.5, 1.2]}}", "1.2"),
        ("{subsample: {uniform: [0, 1]}}", "0, 1]"),
        ("{n_estimators: {choice: [50, 100, 0]}, subsample: {uniform: [0.5, 1]}}", "0]}, subsample"),
    ],
)
def test_search_values_out_of_range_are_reported(space: str, pointed: str) -> None:
    """All bounds and choices in a parameter's search space are checked."""
    spec = changed(SEARCH, f"space: {space}", ("trials: {max: 20, parallel: 2}", "trials: {max: 2, parallel: 2}"))

    assert places_in(spec) == [where(spec, pointed, "E0907")]
