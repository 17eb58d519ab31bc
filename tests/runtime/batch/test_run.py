"""Batch inference runs: files that do not fit, changing versions, large files, and interrupted runs.

One test uses a real Ray; the others run the tasks in this process.
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
    """Return a pipeline with a model that doubles its input and one file that fits."""
    monkeypatch.setattr(batch, "on_workers", in_this_process)
    made = Scoring(tmp_path)
    made.promote(2.0)
    made.put("a.parquet", amounts(1, 2, 3, 4, 5, 6, 7))
    return made


def test_a_file_that_does_not_fit_is_left_out_and_named(scoring: Scoring) -> None:
    """The other files are scored in the same run; refused ones are retried once they have changed."""
    scoring.put("broken.parquet", b"no parquet at all")
    scoring.put("cut.parquet", scoring.put("z.parquet", amounts(1)).read_bytes()[:-30])
    scoring.put("lacks.parquet", {"plan": ["basic"]})
    scoring.put("text.parquet", {"amount": ["much"], "plan": ["basic"]})

    assert scoring.run() == {"scored": 2, "found": 6, "refused": 4}
    assert scoring.answers("a.parquet") == [2, 4, 6, 8, 10, 12, 14]
    found = scoring.refused()
    assert set(found) == {"broken.parquet", "cut.parquet", "lacks.parquet", "text.parquet"}
    assert found["text.parquet"] == "column 'amount' must hold numbers, not \"much\""
    assert found["lacks.parquet"].startswith("column 'amount' is missing")
    assert found["broken.parquet"].startswith("it cannot be read as parquet: ")
    assert found["cut.parquet"].startswith("it cannot be read as parquet: ")

    assert scoring.run() == {"scored": 0, "found": 6, "refused": 4}
    scoring.put("text.parquet", amounts(8))
    (scoring.rows / "broken.parquet").unlink()
    assert scoring.run() == {"scored": 1, "found": 5, "refused": 2}
    assert set(scoring.refused()) == {"cut.parquet", "lacks.parquet"}
    assert scoring.answers("text.parquet") == [16]


def test_a_model_that_fails_on_every_file_fails_the_run(scoring: Scoring) -> None:
    """A failure on one of several files is retried in every run, because the worker may be the cause."""
    scoring.put("bad.parquet", amounts(1, plan="broken"))
    assert scoring.run() == {"scored": 1, "found": 2, "refused": 1}
    assert scoring.refused() == {"bad.parquet": "the model fails on its rows: RuntimeError: unknown plan"}

    with pytest.raises(Refusal, match=r"no file was scored, and .*bad.parquet shows why: .*unknown plan"):
        scoring.run()
    scoring.put("b.parquet", amounts(2))
    assert scoring.run() == {"scored": 1, "found": 3, "refused": 1}


def test_a_store_that_does_not_take_scores_fails_the_run(scoring: Scoring) -> None:
    """No input file is blamed for it."""
    scoring.scores.write_text("not a folder")

    with pytest.raises(Exception, match="scores"):
        scoring.run()


def test_a_promotion_leaves_the_past_alone(scoring: Scoring) -> None:
    """New and changed files are scored by the new version, and replaced scores are recorded."""
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
    assert [(one["name"], one["rows"], one.get("replaced")) for one in last["scored"]] == [
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
def test_the_past_is_scored_again_as_far_as_the_spec_says(
    scoring: Scoring, reprocess: dict[str, str], expected: dict[str, set[str]]
) -> None:
    scoring.put("old.parquet", amounts(1), age_s=2 * 86400)
    scoring.run()
    scoring.promote(3.0)
    scoring.workload["pipeline"] |= reprocess
    scoring.run()

    assert scoring.versions() == expected
    replaced = {one["name"].partition(".")[0]: one["replaced"] for one in scoring.records()[-1]["scored"]}
    assert replaced == {
        name: {"version": "1", "because": "the version changed"} for name, by in expected.items() if by == {"2"}
    }
    assert scoring.run()["scored"] == 0


def test_what_a_worker_finds_comes_back_from_ray(
    scoring: Scoring, ray_here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in several parts, a file that does not fit, and another file, in one run with real actors."""
    monkeypatch.undo()
    monkeypatch.setattr(files, "PART_BYTES", 3000)
    scoring.large("large.parquet", 1000)
    scoring.put("text.parquet", {"amount": ["much"], "plan": ["basic"]})

    assert scoring.run() == {"scored": 2, "found": 3, "refused": 1}
    assert scoring.answers("a.parquet") == [2, 4, 6, 8, 10, 12, 14]
    assert scoring.parts("large.parquet") > 2
    assert scoring.all_answers("large.parquet") == [2.0 * one for one in range(1000)]
    assert scoring.refused() == {"text.parquet": "column 'amount' must hold numbers, not \"much\""}


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce the size of a part to a few kilobytes."""
    monkeypatch.setattr(files, "PART_BYTES", 3000)


@pytest.mark.parametrize("kind", ["parquet", "csv", "json"])
def test_a_large_file_is_scored_in_parts(scoring: Scoring, small_parts: None, kind: str) -> None:
    """Every row is scored once, in order, with its partition columns; the output appears atomically."""
    scoring.workload["pipeline"]["data"]["rows"]["format"] = kind
    (scoring.rows / "a.parquet").unlink()
    scoring.large(f"day=2026-11-26/large.{kind}", 1000)

    assert scoring.run()["scored"] == 1
    name = f"day=2026-11-26/large.{kind}"
    assert scoring.parts(name) > 2
    assert scoring.all_answers(name) == [2.0 * one for one in range(1000)]
    assert not list((scoring.scores / "_modelyard").glob("parts/*/*/*"))
    assert scoring.run()["scored"] == 0


def test_a_bad_part_leaves_the_whole_file_out(scoring: Scoring, small_parts: None) -> None:
    """No output appears, and no parts are left behind."""
    scoring.large("large.parquet", 1000, broken_at=999)

    assert scoring.run() == {"scored": 1, "found": 2, "refused": 1}
    assert list(scoring.scores.glob("large*")) == []
    assert not list((scoring.scores / "_modelyard").glob("parts/*/*/*"))


def test_a_killed_run_goes_on_where_it_was(
    scoring: Scoring, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finished parts are not scored again, and unfinished ones are not visible."""
    scoring.large("large.parquet", 1000)
    asked: list[int] = []

    def killed(workload: Any, output: str, handed: ModelHandle, tasks: list[Task], *more: Any) -> Iterator[Any]:
        asked.append(len(tasks))
        for at, row in enumerate(in_this_process(workload, output, handed, tasks)):
            if len(asked) == 1 and at == 3:
                raise KeyboardInterrupt
            yield row

    monkeypatch.setattr(batch, "on_workers", killed)
    with pytest.raises(KeyboardInterrupt):
        scoring.run()
    assert list(scoring.scores.glob("large*")) == []

    assert scoring.run()["scored"] == 1
    first, second = asked
    assert second < first - 2
    assert scoring.all_answers("large.parquet") == [2.0 * one for one in range(1000)]


def test_fewer_parts_than_before_leave_none_behind(scoring: Scoring, small_parts: None) -> None:
    """Old parts are removed even if the previous run was killed while it moved them into place."""
    scoring.large("large.parquet", 1000)
    scoring.run()
    many = scoring.parts("large.parquet")
    (marker,) = [one for one in (scoring.scores / "_modelyard" / "scored").iterdir() if f".{many}." in one.name]
    marker.rename(marker.with_name(marker.name.replace(marker.name.split(".")[1], "begun")))
    scoring.large("large.parquet", 500)

    assert scoring.run()["scored"] == 1
    assert scoring.parts("large.parquet") < many
    assert scoring.all_answers("large.parquet") == [2.0 * one for one in range(500)]
    scoring.put("large.parquet", amounts(1))
    scoring.run()
    assert [one.name for one in scoring.scores.glob("large*")] == ["large.parquet.scored.parquet"]


def test_a_run_before_the_end_of_which_a_file_was_taken_away(scoring: Scoring, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run reports the missing file; the next run, which does not find it either, no longer lists it."""
    scoring.put("b.parquet", amounts(1))

    def taken(workload: Any, output: str, handed: ModelHandle, tasks: list[Task], *more: Any) -> Iterator[Any]:
        (scoring.rows / "b.parquet").unlink(missing_ok=True)
        return in_this_process(workload, output, handed, tasks)

    monkeypatch.setattr(batch, "on_workers", taken)
    assert scoring.run() == {"scored": 1, "found": 2, "refused": 1}
    assert scoring.refused() == {"b.parquet": "it was removed while the run was under way"}
    assert scoring.run() == {"scored": 0, "found": 1, "refused": 0}
    assert scoring.refused() == {}


def test_how_many_files_do_not_fit_is_pushed(scoring: Scoring, monkeypatch: pytest.MonkeyPatch) -> None:
    """The metric carries the labels that distinguish alerts; nothing is pushed without a receiver."""
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
