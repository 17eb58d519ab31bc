"""Tests that specs requiring access that Google Cloud can't grant are rejected.

Similar valid specs pass.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.diagnostics import Severity
from tests.diagnosing import Question, examine
from tests.targets.gcp.infrastructure import changed, leads

FAILING = Path(__file__).parents[2] / "failing"
LAKE = "  lake: {type: object}"
LOCK = "objectLock: {mode: governance, retain: 30d}"
AUDIT = "  audit: {type: object, objectLock: {mode: compliance, retain: 7y}}"
CAPTURE = "capture: {store: audit, path: audit/score, retain: 7y}"
SCORES = "scores: {format: parquet, store: lake, path: scores}"
MONITOR = """monitors:
  drift:
    type: data-drift
    watch: inference.score
    reference: {data: clicks, window: 30d}
    window: 1d
    schedule: {cron: "0 6 * * *"}
    checks: {psi: {max: 0.2}}
"""


def wrong(code: str) -> str:
    """Return the spec in tests/failing that triggers a given diagnostic code."""
    (folder,) = FAILING.glob(f"{code}-*")
    return (folder / "system.yaml").read_text(encoding="utf-8")


def errors(text: str) -> set[str]:
    """Return the codes of the errors reported for a spec."""
    return {each.code for each in examine(Question(text)) if each.severity is Severity.ERROR}


def replacing(text: str) -> list[str]:
    """Return the workloads that diagnostics report as replacing or deleting objects in locked buckets."""
    messages = [each.message for each in examine(Question(text)) if each.code == "GCP-E020"]
    return [name for message in messages for name in message.rpartition(": ")[2].split(", ")]


def test_workload_on_the_buckets_target_may_access_it() -> None:
    text = wrong("GCP-E012")

    assert errors(text) == {"GCP-E012"}
    assert not errors(changed(("target: plant}", "target: main}"), text=text))
    keys = 'adopt: lake, endpoint: "https://s3.acme.example", credentials: "secret://kubernetes/lake"'
    assert not errors(changed(("lake: {type: object,", f"lake: {{type: object, {keys},"), text=text))


def test_mutual_bucket_access_between_targets_is_reported() -> None:
    text = wrong("GCP-E013")
    one_way = changed(("inputs: [lab-transactions]", "inputs: [transactions]"), text=text)
    adopted = changed(("lab-lake: {type: object,", "lab-lake: {type: object, adopt: acme-lab,"), text=text)

    assert errors(text) == {"GCP-E013"}
    assert not errors(one_way)
    assert not errors(adopted)


def test_cycle_of_three_targets_is_reported() -> None:
    text = changed(
        (
            "  placement:",
            "    far: {provider: gcp, region: europe-west1, namespace: f, vpc: {cidr: 10.40.0.0/16}}\n  placement:",
        ),
        ("  lab-lake:", "  far-lake: {type: object, target: far}\n  lab-lake:"),
        (
            "  lab-transactions:",
            "  far-transactions: {store: far-lake, path: t/, format: parquet, label: is_fraud}\n  lab-transactions:",
        ),
        (
            "inputs: [lab-transactions], compute: cpu, target: main}",
            "inputs: [far-transactions], compute: cpu, target: main}",
        ),
        text=wrong("GCP-E013"),
    )
    closing = "  third: {type: training, model: fraud-xgb, inputs: [lab-transactions], compute: cpu, target: far}\n"

    assert not errors(text)
    assert [each.code for each in examine(Question(text + closing))].count("GCP-E013") == 3


def test_workload_may_access_at_most_120_folders() -> None:
    text = wrong("GCP-E014")

    assert errors(text) == {"GCP-E014"}
    assert not errors(changed((", part-120]", "]"), text=text))
    assert not errors(
        changed(("part-120: {store: lake, path: part-120/", "part-120: {store: lake, path: part-119/"), text=text)
    )


def test_bucket_policy_may_have_at_most_1500_entries() -> None:
    """Bucket policies have at most 1,500 entries. The registry and each of these servers need two each."""
    lines = wrong("GCP-E016").splitlines(keepends=True)
    fewer = "".join(line for line in lines if not line.startswith(tuple(f"  scorer-{at}:" for at in range(749, 760))))
    one_more = "".join(
        line for line in lines if not line.startswith(tuple(f"  scorer-{at}:" for at in range(750, 760)))
    )

    assert not errors(fewer)
    assert errors(one_more) == {"GCP-E016"}


@pytest.mark.parametrize(
    ("changes", "who"),
    [
        ((), []),
        (((SCORES, SCORES.replace("store: lake", "store: audit")),), ["pipelines.scoring"]),
        (((LAKE, f"{LAKE[:-1]}, {LOCK}}}"),), ["registry", "pipelines.fit", "pipelines.scoring"]),
        (((SCORES, SCORES.replace("store: lake", "store: audit")), (AUDIT, "  audit: {type: object}")), []),
        (((SCORES, SCORES.replace("store: lake", "store: audit")), (AUDIT, "  audit: {type: object, adopt: a-1}")), []),
    ],
)
def test_writes_to_a_locked_bucket_are_reported_except_captures(
    changes: tuple[tuple[str, str], ...], who: list[str]
) -> None:
    """All writes except captures are reported. The compiler does not know whether an adopted bucket is locked."""
    assert replacing(leads(*changes)) == who


def test_monitor_state_in_a_locked_capture_bucket_is_reported() -> None:
    assert replacing(leads() + MONITOR) == ["monitors.drift"]
    assert replacing(leads((AUDIT, "  audit: {type: object}")) + MONITOR) == []


@pytest.mark.parametrize(
    ("uri", "reported"),
    [
        ("gs://acme-lake/clicks/", False),
        ("gs:///clicks/", True),
        ("s3://acme-lake/clicks/", True),
        ("az://acme-lake/clicks/", True),
        ("abfss://lake@acme.dfs.core.windows.net/clicks/", True),
    ],
)
def test_dataset_uri_must_be_in_cloud_storage(uri: str, reported: bool) -> None:
    clicks = "clicks: {format: parquet, store: lake, path: clicks,"
    diagnostics = [
        each
        for each in examine(Question(leads((clicks, f'clicks: {{format: parquet, uri: "{uri}",'))))
        if each.code == "E0697"
    ]

    assert bool(diagnostics) is reported
    assert not [each for each in diagnostics if "s3://BUCKET" in each.hint]
