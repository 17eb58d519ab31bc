"""Tests that valid specs that are probably mistakes are reported, testing just below and above each bound."""

from __future__ import annotations

import pytest

from tests.compiler.checks.checked_specs import codes_in, places_in, where
from tests.specs import VALID_SPEC, changed

REPLICAS = "replicas: {min: 2, max: 6}"
SCALING = "scaling: {metric: ongoing-requests, target: 8}"
SPLIT = "split: {fraction: 20%, by: time}"
WEEKLY = 'schedule: {cron: "0 4 * * 0", timeZone: Europe/Berlin}'
NIGHTLY = 'schedule: {cron: "30 3 * * *"}'
SEARCH = "space: {learning_rate: {loguniform: [0.001, 0.3]}, max_depth: {int: [3, 12]}}"
TRAIN = "train: {cpu: 8, memory: 32Gi, "
CHALLENGER = "challenger: {model: fraud-xgb@candidate, replicas: 1}"
TRAFFIC = "    traffic: {champion: 95, challenger: 5}\n"
SHADOW = (TRAFFIC, "    traffic: {champion: 100, challenger: 0}\n    mirror: {to: challenger}\n")


@pytest.mark.parametrize(
    ("fraction", "codes"),
    [
        ("95%", ["W0900"]),
        ("50.5%", ["W0900"]),
        ("50%", []),
        ("1%", []),
        ("0.9%", ["W0900"]),
        ("0.0001%", ["W0900"]),
    ],
)
def test_splits_without_enough_rows_are_reported(fraction: str, codes: list[str]) -> None:
    """Between one percent and half of the rows must be held out."""
    assert codes_in(changed(SPLIT, f"split: {{fraction: {fraction}, by: time}}")) == codes


def test_a_split_is_reported_at_its_fraction() -> None:
    spec = changed(SPLIT, "split: {fraction: 95%, by: time}")

    assert places_in(spec) == [where(spec, "95%, by", "W0900")]


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("* * * * *", ["W0901"]),
        ("*/30 * * * *", ["W0901"]),
        ("0,45 4 * * 0", ["W0901"]),
        ("0 */6 * * *", []),
        ("0 4 * * 0", []),
    ],
)
def test_too_frequent_training_on_accelerators_is_reported(line: str, codes: list[str]) -> None:
    """The check uses the shortest interval between two runs, and reports a schedule once."""
    assert codes_in(changed(WEEKLY, f'schedule: {{cron: "{line}"}}')) == codes


def test_hourly_training_on_accelerators_is_accepted() -> None:
    assert codes_in(changed(WEEKLY, 'schedule: {cron: "0 * * * *"}', ("    timeout: 6h\n", "    timeout: 50m\n"))) == []


@pytest.mark.parametrize(
    ("line", "codes"),
    [("* * * * *", ["W0902"]), ("*/4 * * * *", ["W0902"]), ("1-2 3 * * *", ["W0902"]), ("*/5 * * * *", [])],
)
@pytest.mark.parametrize("old", [NIGHTLY, 'schedule: {cron: "0 6 * * 1"}'])
def test_too_frequent_starts_are_reported(line: str, old: str, codes: list[str]) -> None:
    """A pipeline or a monitor is reported if its schedule starts it too often."""
    cooldown = ("cooldown: 7d", "cooldown: 30d")

    assert codes_in(changed(old, f'schedule: {{cron: "{line}"}}', cooldown)) == codes


@pytest.mark.parametrize(
    ("schedule", "timeout", "codes"),
    [
        ('{cron: "0 * * * *"}', "2h", ["W0903"]),
        ('{cron: "0 * * * *", overlap: replace}', "2h", ["W0903"]),
        ('{cron: "0 * * * *", overlap: allow}', "2h", []),
        ('{cron: "0 * * * *"}', "1h", []),
        ('{cron: "0 8,9 * * *"}', "2h", ["W0903"]),
        ("on-demand", "9d", []),
        ('{cron: "30 3 * * *"}', "25h", ["W0903"]),
    ],
)
def test_a_timeout_longer_than_the_schedule_is_reported(schedule: str, timeout: str, codes: list[str]) -> None:
    """The timeout is only compared with the schedule if the spec sets it and runs can't overlap."""
    assert codes_in(changed(NIGHTLY, f"schedule: {schedule}\n    timeout: {timeout}")) == codes


def test_a_default_timeout_is_not_reported() -> None:
    """The default timeout is a day, even for hourly pipelines, and isn't reported."""
    assert codes_in(changed(NIGHTLY, 'schedule: {cron: "0 * * * *"}')) == []


@pytest.mark.parametrize(("deadline", "codes"), [("9s", ["W0904"]), ("10s", []), ("30m", [])])
def test_too_short_a_starting_deadline_is_reported(deadline: str, codes: list[str]) -> None:
    assert codes_in(changed('{cron: "30 3 * * *"}', f'{{cron: "30 3 * * *", startingDeadline: {deadline}}}')) == codes


@pytest.mark.parametrize(
    ("size", "codes"),
    [
        ("1M", ["W0905"]),
        ("512Mi", ["W0905"]),
        ("1Gi", []),
        ("2Ti", []),
        ("256Ti", []),
        ("257Ti", ["W0905"]),
        ("999999T", ["W0905"]),
    ],
)
def test_unrealistic_sizes_are_reported(size: str, codes: list[str]) -> None:
    """Unrealistic sizes of disks and of database volumes are reported."""
    assert codes_in(changed(TRAIN, f"{TRAIN}disk: {size}, ")) == codes
    assert codes_in(changed("runs: {type: database}", f"runs: {{type: database, size: {size}}}")) == codes


def test_an_inline_disk_is_reported_at_its_place() -> None:
    spec = changed("    compute: cpu\n    workers", "    compute: {cpu: 2, memory: 8Gi, disk: 1M}\n    workers")

    assert places_in(spec) == [where(spec, "1M}", "W0905")]


@pytest.mark.parametrize(
    ("shadow", "codes"),
    [
        ("{model: fraud-xgb@champion, replicas: 1}", ["W0941", "W0906"]),
        ("{model: fraud-xgb@candidate, replicas: 1}", []),
        ("{model: fraud-xgb@7, replicas: 1}", ["W0941", "W0946"]),
        ("{model: fraud-xgb@champion, replicas: 1, compute: {cpu: 4, memory: 8Gi}}", ["W0941"]),
    ],
)
def test_a_shadow_equal_to_a_serving_variant_is_reported(shadow: str, codes: list[str]) -> None:
    """A shadow must differ from the serving variant in version or hardware."""
    assert codes_in(changed(CHALLENGER, f"challenger: {shadow}", SHADOW)) == codes


def test_two_equal_variants_are_reported() -> None:
    """Two equal variants are reported unless their hardware differs, since comparing them shows nothing."""
    alike = "challenger: {model: fraud-xgb@champion, replicas: 1"

    assert codes_in(changed(CHALLENGER, f"{alike}}}")) == ["W0941", "W0940"]
    assert codes_in(changed(CHALLENGER, f"{alike}, compute: {{cpu: 4, memory: 8Gi}}}}")) == ["W0941"]


def test_a_variant_without_requests_is_reported() -> None:
    """A variant missing from `traffic` is reported, unless an explicit 0 holds it in reserve."""
    spec = changed("{champion: 95, challenger: 5}", "{champion: 100}")

    assert places_in(spec) == [where(spec, "challenger: {model", "W0939")]
    assert codes_in(changed("{champion: 95, challenger: 5}", "{champion: 100, challenger: 0}")) == []


@pytest.mark.parametrize(
    ("space", "codes"),
    [
        ("max_depth: {int: [3, 3]}, learning_rate: {uniform: [0.1, 0.2]}", ["W0908"]),
        ("max_depth: {int: [3, 4]}, learning_rate: {uniform: [0.1, 0.1]}", ["W0909", "W0908"]),
        ("max_depth: {choice: [3, 3]}", ["W0908"]),
        ("max_depth: {choice: [3]}, subsample: {choice: [0.5]}", ["W0908", "W0908"]),
        ("max_depth: {int: [1, 19]}", ["W0909"]),
        ("max_depth: {int: [1, 20]}", []),
        ("max_depth: {int: [3, 7]}, tree_method: {choice: [hist, approx, exact]}", ["W0909"]),
        ("max_depth: {int: [3, 7]}, tree_method: {choice: [hist, approx, exact]}, max_bin: {choice: [64, 256]}", []),
        ("max_depth: {int: [3, 4]}, learning_rate: {uniform: [0.1, 0.2]}", []),
    ],
)
def test_searches_with_too_few_combinations_are_reported(space: str, codes: list[str]) -> None:
    """The search space needs enough combinations for twenty trials, and each dimension needs a choice."""
    assert codes_in(changed(SEARCH, f"space: {{{space}}}")) == codes


def test_reversed_bounds_are_reported_only_once() -> None:
    assert codes_in(changed(SEARCH, "space: {max_depth: {int: [12, 3]}}")) == ["E0438"]


def test_a_delay_without_labels_is_reported() -> None:
    spec = changed("scores: {store: lake", "scores: {delay: 3d, store: lake")

    assert places_in(spec) == [where(spec, "delay: 3d", "W0911")]


@pytest.mark.parametrize(
    ("replicas", "scaling", "codes"),
    [
        ("2", "{target: 8}", ["W0951"]),
        ("{min: 3, max: 3}", "{upscaleDelay: 1m, downscaleDelay: 5m}", ["W0951"]),
        ("2", "{maxQueued: 100}", []),
        ("{min: 2, max: 3}", "{target: 8}", []),
    ],
)
def test_settings_of_an_idle_autoscaler_are_reported(replicas: str, scaling: str, codes: list[str]) -> None:
    """Without an autoscaler, only the queue limit has an effect. The other settings need a range of replicas."""
    spec = changed(REPLICAS, f"replicas: {replicas}", (SCALING, f"scaling: {scaling}"))

    assert codes_in(spec) == codes


def test_a_smaller_environment_may_keep_the_settings_of_the_autoscaler() -> None:
    spec = VALID_SPEC + "environments: {test: {inference: {scorer: {replicas: 1, slo: null}}}}\n"

    assert codes_in(spec, "test") == []


@pytest.mark.parametrize(
    ("memory", "codes"),
    [("1535Mi", ["W0950"]), ("1536Mi", []), ("767Mi", ["W0950"])],
)
def test_memory_that_a_scoring_worker_uses_up_is_reported(memory: str, codes: list[str]) -> None:
    """Too little memory is reported for scoring workers, which need more since they run two processes."""
    assert codes_in(changed("cpu: {cpu: 2, memory: 8Gi}", f"cpu: {{cpu: 2, memory: {memory}}}")) == codes


@pytest.mark.parametrize(("memory", "codes"), [("767Mi", ["W0950"]), ("768Mi", [])])
def test_memory_that_a_training_worker_uses_up_is_reported(memory: str, codes: list[str]) -> None:
    assert codes_in(changed(TRAIN, f"train: {{cpu: 8, memory: {memory}, ")) == codes
