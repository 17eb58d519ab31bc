"""Tests that data is reported if it would be deleted by mistake or mixed with other data."""

from __future__ import annotations

import pytest

from tests.compiler.checks.checked_specs import codes_in, places_in, where
from tests.specs import VALID_SPEC, changed

CAPTURE = "capture: {sample: 20%, store: lake}"
LAKE = 'lake: {type: object, adopt: acme-fraud-lake, endpoint: "https://s3.acme.example", credentials: secret://vault/lake}'


def _capture_at(path: str) -> tuple[str, str]:
    return CAPTURE, f"capture: {{sample: 20%, store: lake, path: {path}}}"


@pytest.mark.parametrize("path", ["transactions", "transactions/", "transactions/captures", "mlflow", "mlflow/1"])
def test_captures_inside_other_data_are_reported(path: str) -> None:
    """Captures must not be in a dataset's folder or in the registry's artifact folder."""
    spec = changed(*_capture_at(path))

    assert places_in(spec) == [where(spec, f"{path}}}", "E0801")]


def test_captures_that_contain_a_dataset_are_reported() -> None:
    """Captures must not be in a folder containing a dataset, which would be deleted along with the captures."""
    spec = changed("path: chargebacks/", "path: captures/scorer/labels")

    assert places_in(spec) == [where(spec, "capture: {sample", "E0801")]


def test_two_endpoints_with_one_capture_folder_are_reported() -> None:
    """Two endpoints must not share a capture folder, as each one's retention would delete the other's captures."""
    start = VALID_SPEC.index("  scorer:\n")
    second = VALID_SPEC[start : VALID_SPEC.index("monitors:\n")].replace("scorer:", "shop:", 1)
    shop = second.replace("host: scores.acme", "host: shop.acme").replace("vault/scorer#", "vault/shop#")
    spec = changed("monitors:\n", f"{shop}monitors:\n", _capture_at("captures/all"))
    sharing = spec.replace("host: shop", "clients: [shop]\n      host: shop").replace(
        CAPTURE, _capture_at("captures/all")[1]
    )

    assert codes_in(spec) == []
    assert codes_in(sharing) == ["E0801"]


@pytest.mark.parametrize("path", ["transactions-captures", "captured/transactions", "trans"])
def test_folders_with_a_common_prefix_do_not_overlap(path: str) -> None:
    assert codes_in(changed(*_capture_at(path))) == []


def test_overlaps_are_found_through_a_uri() -> None:
    """An overlap is found even if a dataset has no store but a URI that points into a store's bucket."""
    spec = changed(
        LAKE,
        "lake: {type: object, adopt: acme-fraud-lake, endpoint: 'https://s3.eu-central-1.amazonaws.com', "
        "credentials: secret://vault/lake}",
        (
            "chargebacks: {store: lake, path: chargebacks/",
            "chargebacks: {uri: 's3://acme-fraud-lake/captures/scorer/x'",
        ),
    )

    assert "E0801" in codes_in(spec)
    assert "E0801" not in codes_in(spec.replace("acme-fraud-lake/captures", "acme-other-lake/captures"))


@pytest.mark.parametrize(("path", "codes"), [("transactions", ["E0802"]), ("transactions/out", ["E0802"]), ("out", [])])
def test_output_inside_its_input_is_reported(path: str, codes: list[str]) -> None:
    assert codes_in(changed("path: scores/", f"path: {path}")) == codes


def test_scores_in_training_data_of_another_pipeline_are_reported() -> None:
    """Scores must not be written inside or around the training data's folder, or they would be read as labels."""
    today = "  today: {store: lake, path: today, format: parquet, classification: pii}\n  scores: {store"
    reading = (
        "    model: fraud-xgb@champion\n    inputs: [transactions]\n",
        "    model: fraud-xgb@champion\n    inputs: [today]\n",
    )

    def written(path: str) -> str:
        return changed("path: scores/", f"path: {path}", ("  scores: {store", today), reading)

    assert codes_in(written("transactions/scores")) == ["E0807"]
    assert codes_in(written("transactions")) == ["E0930"]
    assert codes_in(written("scores")) == []
    assert codes_in(written("all").replace("path: transactions/", "path: all/transactions")) == ["E0807"]


def test_scores_among_labels_of_a_monitor_are_reported() -> None:
    """Scores must not be written to the dataset a monitor reads labels from, or to a folder inside it."""
    itself = changed("output: scores", "output: chargebacks")
    learned_from = changed("inputs: [transactions]\n    source", "inputs: [scores]\n    source")

    assert [code for code in codes_in(itself) if code[0] == "E"] == ["E0930"]
    assert codes_in(changed("path: scores/", "path: chargebacks/scores")) == ["E0930"]
    assert "E0930" not in codes_in(learned_from)


def test_output_that_contains_its_input_is_reported() -> None:
    """An output folder must not contain the step's input folder."""
    assert codes_in(changed("path: scores/", "path: days", ("path: transactions/", "path: days/raw"))) == ["E0802"]


def test_a_step_may_read_the_output_of_another_step() -> None:
    """Each step is only compared with its own inputs, so a step may read another step's output."""
    first = 'collect: {inputs: [transactions], output: scores, source: {entrypoint: "fraud.report:collect"}}'
    second = 'publish: {inputs: [scores], needs: [collect], source: {entrypoint: "fraud.report:publish"}}'
    spec = changed(
        'collect: {source: {entrypoint: "fraud.report:collect"}}',
        first,
        ('publish: {needs: [collect], source: {entrypoint: "fraud.report:publish"}, timeout: 1h}', second),
    )

    assert codes_in(spec) == []
    assert codes_in(spec.replace("path: scores/", "path: transactions/daily")) == ["E0802", "E0802"]


@pytest.mark.parametrize(("path", "codes"), [("scores", ["E0803"]), ("scores/models", ["E0803"]), ("models", [])])
def test_artifacts_inside_a_dataset_are_reported(path: str, codes: list[str]) -> None:
    assert codes_in(changed("artifacts: lake}", f"artifacts: lake, artifactPath: {path}}}")) == codes


def test_a_bucket_adopted_twice_is_reported() -> None:
    """Buckets are identified by name and endpoint. All Amazon S3 addresses count as one endpoint."""
    other = LAKE.replace("lake: ", "old: ", 1)
    old_store = ("scores: {store: lake", "scores: {store: old")
    amazon = [f"https://s3.{region}.amazonaws.com" for region in ("eu-central-1", "dualstack.eu-central-1")]

    assert codes_in(changed(LAKE, f"{LAKE}\n  {other}", old_store)) == ["E0804"]
    assert codes_in(changed(LAKE, f"{LAKE}\n  {other.replace('s3.acme', 's3.two')}", old_store)) == []
    spec = changed(LAKE, f"{LAKE.replace('https://s3.acme.example', amazon[0])}\n  {other}", old_store)
    assert codes_in(spec.replace("https://s3.acme.example", amazon[1])) == ["E0804"]


def test_two_models_with_one_registered_name_are_reported() -> None:
    """No two models may have the same registered name, even if one of the names is just the default."""
    model = "  fraud-xgb:\n    task: binary-classification\n"
    other = (
        "  second: {task: binary-classification, framework: custom, registeredName: NAME,\n"
        "           validation: {good: {metric: auc_pr, min: 0.5}}}\n"
    )
    trained = (
        "  nightly:\n",
        '  second: {type: training, model: second, inputs: [transactions], compute: cpu, source: {entrypoint: "a:b"}}\n'
        "  nightly:\n",
    )
    spec = changed(model, other + model, trained)

    assert codes_in(spec.replace("NAME", "fraud-fraud-xgb")) == ["E0805"]
    assert codes_in(spec.replace("NAME", "fraud-second")) == []
    assert codes_in(spec.replace("NAME", "one").replace(model, f"{model}    registeredName: one\n")) == ["E0805"]


def test_scores_of_two_models_in_one_folder_are_reported() -> None:
    """Files in one folder may collide even for different datasets, as both pipelines name files after their inputs."""
    start = VALID_SPEC.index("  nightly:\n")
    second = VALID_SPEC[start : VALID_SPEC.index("  report:\n")].replace("nightly:", "weekly:")
    scores = (
        "  scores: {store: lake, path: scores/, format: parquet, classification: internal, timestamp: event_time}\n"
    )
    more = scores.replace("scores: {", "more: {", 1).replace("path: scores/", "path: scores/weekly")
    spec = changed("  report:\n", f"{second}  report:\n")
    apart = changed(
        "  report:\n", f"{second.replace('output: scores', 'output: more')}  report:\n", (scores, scores + more)
    )

    assert codes_in(spec) == ["E0806"]
    assert codes_in(apart) == ["E0806"]
    assert codes_in(apart.replace("scores/weekly", "weekly")) == []
