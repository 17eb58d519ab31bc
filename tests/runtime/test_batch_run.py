"""Runs of a batch inference on a real Ray: files that do not fit, versions that change, large files, runs that end early."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import ray

from modelyard_runtime.refusals import Refusal
from tests.runtime.scoring import Scoring, amounts

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module", autouse=True)
def ray_here() -> Iterator[None]:
    """A Ray of this machine."""
    workers = {"env_vars": {"PYTHONPATH": os.pathsep.join(sys.path)}}
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env=workers)
    yield
    ray.shutdown()


@pytest.fixture
def scoring(tmp_path: Path) -> Scoring:
    """A model that doubles, and one file that fits."""
    made = Scoring(tmp_path)
    made.promote(2.0)
    made.put("a.parquet", amounts(1, 2, 3, 4, 5, 6, 7))
    return made


def test_a_file_that_does_not_fit_is_left_out_and_named(scoring: Scoring) -> None:
    """The others are scored in the same run, and those that do not fit are tried again when they have changed."""
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
    """On one of several it is that file, which every run tries again: it may have been the worker."""
    scoring.put("bad.parquet", amounts(1, plan="broken"))
    assert scoring.run() == {"scored": 1, "found": 2, "refused": 1}
    assert scoring.refused() == {"bad.parquet": "the model fails on its rows: RuntimeError: unknown plan"}

    with pytest.raises(Refusal, match="no file was scored, and .*bad.parquet shows why: .*unknown plan"):
        scoring.run()
    scoring.put("b.parquet", amounts(2))
    assert scoring.run() == {"scored": 1, "found": 3, "refused": 1}


def test_a_store_that_does_not_take_scores_fails_the_run(scoring: Scoring) -> None:
    """No file is to blame, and none is called so."""
    scoring.scores.write_text("not a folder")

    with pytest.raises(Exception, match="scores"):
        scoring.run()


def test_a_promotion_leaves_the_past_alone(scoring: Scoring) -> None:
    """What is new or has changed is scored by the new version, and what that replaces is recorded."""
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
