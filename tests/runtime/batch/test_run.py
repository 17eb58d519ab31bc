"""Tests batch inference with invalid and large files, new versions and interrupted runs.

One test uses a real Ray cluster. The other tests run the tasks in this process.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelyard_runtime.batch import files
from modelyard_runtime.batch import run as batch
from modelyard_runtime.batch.scorer import ModelHandle, Task
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.telemetry.otlp import Sample
from modelyard_runtime.workload.records import PipelineWorkload
from tests.runtime.described import record
from tests.runtime.scoring import Scoring, amounts, in_this_process

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def scoring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scoring:
    """Return a pipeline with one valid file and a model that doubles its input."""
    monkeypatch.setattr(batch, "on_workers", in_this_process)
    pipeline = Scoring(tmp_path)
    pipeline.promote(2.0)
    pipeline.put("a.parquet", amounts(1, 2, 3, 4, 5, 6, 7))
    return pipeline


def test_invalid_file_is_skipped_and_reported(scoring: Scoring) -> None:
    """An invalid file is skipped while others are scored, and retried once it changes."""
    scoring.put("broken.parquet", b"no parquet at all")
    scoring.put("cut.parquet", scoring.put("z.parquet", amounts(1)).read_bytes()[:-30])
    scoring.put("lacks.parquet", {"plan": ["basic"]})
    scoring.put("text.parquet", {"amount": ["much"], "plan": ["basic"]})

    assert scoring.run() == {"scored": 2, "found": 6, "refused": 4}
    assert scoring.answers("a.parquet") == [2, 4, 6, 8, 10, 12, 14]
    reasons = scoring.refused()
    assert set(reasons) == {"broken.parquet", "cut.parquet", "lacks.parquet", "text.parquet"}
    assert reasons["text.parquet"] == "column 'amount' must contain numbers, not \"much\""
    assert reasons["lacks.parquet"].startswith("column 'amount' is missing")
    assert reasons["broken.parquet"].startswith("it cannot be read as parquet: ")
    assert reasons["cut.parquet"].startswith("it cannot be read as parquet: ")

    assert scoring.run() == {"scored": 0, "found": 6, "refused": 4}
    scoring.put("text.parquet", amounts(8))
    (scoring.rows / "broken.parquet").unlink()
    assert scoring.run() == {"scored": 1, "found": 5, "refused": 2}
    assert set(scoring.refused()) == {"cut.parquet", "lacks.parquet"}
    assert scoring.answers("text.parquet") == [16]


def test_run_fails_if_the_model_fails_on_every_file(scoring: Scoring) -> None:
    """Files on which the model fails are retried by every run, because the worker may be the cause.

    A run in which no file can be scored fails.
    """
    scoring.put("bad.parquet", amounts(1, plan="broken"))
    assert scoring.run() == {"scored": 1, "found": 2, "refused": 1}
    assert scoring.refused() == {"bad.parquet": "the model fails on its rows: RuntimeError: unknown plan"}

    with pytest.raises(Refusal, match=r"no file could be scored, for example .*bad.parquet: .*unknown plan"):
        scoring.run()
    scoring.put("b.parquet", amounts(2))
    assert scoring.run() == {"scored": 1, "found": 3, "refused": 1}


def test_run_fails_if_scores_cannot_be_written(scoring: Scoring) -> None:
    """If scores cannot be written, the error does not blame an input file."""
    scoring.scores.write_text("not a folder")

    with pytest.raises(Exception, match="scores"):
        scoring.run()


def test_promotion_does_not_rescore_old_files(scoring: Scoring) -> None:
    """After a promotion, only new and changed input files are scored, and replaced scores are recorded."""
    scoring.put("b.parquet", amounts(1))
    scoring.run()
    scoring.promote(3.0)
    assert scoring.run()["scored"] == 0
    scoring.put("b.parquet", amounts(5, 6))
    scoring.put("c.parquet", amounts(7))

    assert scoring.run()["scored"] == 2
    assert scoring.versions() == {"a": {"1"}, "b": {"2"}, "c": {"2"}}
    last = scoring.records()[-1]
    assert (last["version"], last["reprocess"], last["scoresOfOtherVersions"]) == ("2", "none", 1)
    assert [(entry["name"], entry["rows"], entry.get("replaced")) for entry in last["scored"]] == [
        ("b.parquet.scored.parquet", 2, {"version": "1", "because": "the file changed"}),
        ("c.parquet.scored.parquet", 1, None),
    ]


@pytest.mark.parametrize(
    ("reprocess", "expected"),
    [
        ({"reprocess": "all"}, {"a": {"2"}, "old": {"2"}}),
        ({"reprocess": "window", "reprocessSeconds": 86400}, {"a": {"2"}, "old": {"1"}}),
    ],
)
def test_reprocess_option_rescores_old_files(
    scoring: Scoring, reprocess: dict[str, str], expected: dict[str, set[str]]
) -> None:
    scoring.put("old.parquet", amounts(1), age_s=2 * 86400)
    scoring.run()
    scoring.promote(3.0)
    scoring.workload["pipeline"] |= reprocess
    scoring.run()

    assert scoring.versions() == expected
    replaced = {entry["name"].partition(".")[0]: entry["replaced"] for entry in scoring.records()[-1]["scored"]}
    assert replaced == {
        name: {"version": "1", "because": "the version changed"} for name, by in expected.items() if by == {"2"}
    }
    assert scoring.run()["scored"] == 0


def test_worker_results_are_collected_from_ray(
    scoring: Scoring, ray_here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real Ray actors score one file in several parts and another whole, and refuse an invalid file."""
    monkeypatch.undo()
    monkeypatch.setattr(files, "PART_BYTES", 3000)
    scoring.large("large.parquet", 1000)
    scoring.put("text.parquet", {"amount": ["much"], "plan": ["basic"]})

    assert scoring.run() == {"scored": 2, "found": 3, "refused": 1}
    assert scoring.answers("a.parquet") == [2, 4, 6, 8, 10, 12, 14]
    assert scoring.parts("large.parquet") > 2
    assert scoring.all_answers("large.parquet") == [2.0 * number for number in range(1000)]
    assert scoring.refused() == {"text.parquet": "column 'amount' must contain numbers, not \"much\""}


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce the part size for splitting files to a few kilobytes."""
    monkeypatch.setattr(files, "PART_BYTES", 3000)


@pytest.mark.parametrize("kind", ["parquet", "csv", "json"])
def test_a_large_file_is_scored_in_parts(scoring: Scoring, small_parts: None, kind: str) -> None:
    """Rows are scored once and in order, keep their partition columns, and the output file appears atomically."""
    scoring.workload["pipeline"]["data"]["rows"]["format"] = kind
    (scoring.rows / "a.parquet").unlink()
    scoring.large(f"day=2026-11-26/large.{kind}", 1000)

    assert scoring.run()["scored"] == 1
    name = f"day=2026-11-26/large.{kind}"
    assert scoring.parts(name) > 2
    assert scoring.all_answers(name) == [2.0 * number for number in range(1000)]
    assert not list((scoring.scores / "_modelyard").glob("parts/*/*/*"))
    assert scoring.run()["scored"] == 0


def test_invalid_part_skips_the_whole_file(scoring: Scoring, small_parts: None) -> None:
    """If one part of a file is invalid, neither an output file nor scored parts of it are left behind."""
    scoring.large("large.parquet", 1000, broken_at=999)

    assert scoring.run() == {"scored": 1, "found": 2, "refused": 1}
    assert list(scoring.scores.glob("large*")) == []
    assert not list((scoring.scores / "_modelyard").glob("parts/*/*/*"))


def test_killed_run_is_resumed(scoring: Scoring, small_parts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a run is killed, its finished parts aren't rescored and its unfinished parts aren't visible."""
    scoring.large("large.parquet", 1000)
    task_counts: list[int] = []

    def killed(workload: Any, output: str, handed: ModelHandle, tasks: list[Task], *more: Any) -> Iterator[Any]:
        task_counts.append(len(tasks))
        for at, row in enumerate(in_this_process(workload, output, handed, tasks)):
            if len(task_counts) == 1 and at == 3:
                raise KeyboardInterrupt
            yield row

    monkeypatch.setattr(batch, "on_workers", killed)
    with pytest.raises(KeyboardInterrupt):
        scoring.run()
    assert list(scoring.scores.glob("large*")) == []

    assert scoring.run()["scored"] == 1
    first, second = task_counts
    assert second < first - 2
    assert scoring.all_answers("large.parquet") == [2.0 * number for number in range(1000)]


def test_old_parts_are_removed_when_there_are_fewer(scoring: Scoring, small_parts: None) -> None:
    """Stale parts are removed even if the previous run was killed while moving its new parts into place."""
    scoring.large("large.parquet", 1000)
    scoring.run()
    many = scoring.parts("large.parquet")
    (marker,) = [entry for entry in (scoring.scores / "_modelyard" / "scored").iterdir() if f".{many}." in entry.name]
    marker.rename(marker.with_name(marker.name.replace(marker.name.split(".")[1], "begun")))
    scoring.large("large.parquet", 500)

    assert scoring.run()["scored"] == 1
    assert scoring.parts("large.parquet") < many
    assert scoring.all_answers("large.parquet") == [2.0 * entry for entry in range(500)]
    scoring.put("large.parquet", amounts(1))
    scoring.run()
    assert [entry.name for entry in scoring.scores.glob("large*")] == ["large.parquet.scored.parquet"]


def test_file_removed_during_a_run_is_reported(scoring: Scoring, monkeypatch: pytest.MonkeyPatch) -> None:
    """An input file removed during a run is reported only once, because the next run no longer lists it."""
    scoring.put("b.parquet", amounts(1))

    def remove_first(workload: Any, output: str, handed: ModelHandle, tasks: list[Task], *more: Any) -> Iterator[Any]:
        (scoring.rows / "b.parquet").unlink(missing_ok=True)
        return in_this_process(workload, output, handed, tasks)

    monkeypatch.setattr(batch, "on_workers", remove_first)
    assert scoring.run() == {"scored": 1, "found": 2, "refused": 1}
    assert scoring.refused() == {"b.parquet": "it was deleted during the run"}
    assert scoring.run() == {"scored": 0, "found": 1, "refused": 0}
    assert scoring.refused() == {}


def test_number_of_invalid_files_is_pushed(scoring: Scoring, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pushed metric carries the labels that distinguish alerts. Without a receiver, nothing is pushed."""
    pushed: list[Sample] = []
    monkeypatch.setattr(batch, "report", lambda _, samples, at_s: pushed.extend(samples))
    batch.report_refused(record(PipelineWorkload, scoring.workload), 3)
    assert pushed == []

    batch.report_refused(
        record(PipelineWorkload, {**scoring.workload, "metrics": {"otlp": "http://prometheus", "namespace": "growth"}}),
        3,
    )
    labels = {"system": "growth", "pipeline": "nightly", "namespace": "growth"}
    assert pushed == [Sample("modelyard_batch_refused_files", 3, labels)]
