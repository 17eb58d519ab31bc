"""Tests of `modelyard report`: the files, the folder that it replaces, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

import modelyard_schemas
from modelyard.printing import review_html
from tests.compiler.cli.said import SPEC, Run, tree
from tests.compiler.cli.test_diff import edited

FILES = {"comment.md", "report.html", "review.json", "review.sarif", "cost.json", "codequality.json"}


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """Return a version of the spec with another owner."""
    new = tmp_path / "new.yaml"
    new.write_text(edited(SPEC, "owner: {team: growth", "owner: {team: sales"), encoding="utf-8")
    return new


def named(folder: Path) -> set[str]:
    """Return the names in a folder, except hidden ones."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_one_run_writes_every_format(run: Run, system: Path, changed: Path, tmp_path: Path) -> None:
    out = tmp_path / "a" / "report"
    result = run("report", system, changed, "--out", out)
    review = json.loads((out / "review.json").read_text(encoding="utf-8"))
    cost = json.loads((out / "cost.json").read_text(encoding="utf-8"))

    assert (result.code, result.out) == (0, "")
    assert f"churn: 1 to review, 1 note\n{out}: 6 files" in result.err
    assert named(out) == FILES
    jsonschema_rs.validate(modelyard_schemas.load("review"), review)
    assert review == json.loads(run("diff", system, changed, "--format", "json", "--level", "quiet").out)
    assert list(cost["environments"]) == ["default", "prod"]
    assert cost["environments"]["prod"]["changes"] == []
    assert "R801" in (out / "comment.md").read_text(encoding="utf-8")
    for form, name in (("sarif", "review.sarif"),):
        assert run("diff", system, changed, "--format", form).out == (out / name).read_text(encoding="utf-8")


def test_exit_codes_are_those_of_diff(run: Run, system: Path, changed: Path, tmp_path: Path) -> None:
    """The folder is written in any case."""
    broken = tmp_path / "broken.yaml"
    broken.write_text(edited(SPEC, "kind: MLSystem", "kind: Nothing"), encoding="utf-8")

    assert run("report", system, changed, "--out", tmp_path / "r", "--fail-on", "review").code == 1
    assert named(tmp_path / "r") == FILES
    assert run("report", system, broken, "--out", tmp_path / "r", "--fail-on", "never").code == 1
    assert "does not compile" in (tmp_path / "r" / "comment.md").read_text(encoding="utf-8")
    assert run("report", system, system / "none.yaml", "--out", tmp_path / "none").code == 1
    assert not (tmp_path / "none").exists()
    assert run("report", system, changed, "--out", "").code == 1


def test_the_same_review_touches_no_file(run: Run, system: Path, changed: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    run("report", system, changed, "--out", out)
    before = tree(out)
    run("report", system, changed, "--out", out)

    assert tree(out) == before


def test_an_edited_report_is_kept_beside_the_new_one(run: Run, system: Path, changed: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    run("report", system, changed, "--out", out)
    (out / "comment.md").write_text("mine", encoding="utf-8")

    assert run("report", system, system, "--out", out).code == 0
    assert "nothing that matters changes" in (out / "comment.md").read_text(encoding="utf-8")
    assert (out / "comment.md.edited").read_text(encoding="utf-8") == "mine"


def test_other_folders_are_left_alone(run: Run, system: Path, changed: Path, tmp_path: Path) -> None:
    """A folder with files, a file, or a link in place of the folder are errors."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text("mine", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    before = tree(tmp_path)

    for out, code in ((tmp_path / "docs", "E0708"), (changed, "E0703"), (tmp_path / "link", "E0704")):
        result = run("report", system, changed, "--out", out)
        assert (result.code, code in result.err) == (1, True)
    assert tree(tmp_path) == before


def test_an_interrupted_run_leaves_the_old_report(
    run: Run, system: Path, changed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "report"
    run("report", system, changed, "--out", out)
    before = tree(tmp_path)

    def interrupt(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(review_html, "review_html", interrupt)
    result = run("report", system, system, "--out", out)

    assert result.code == 130
    assert tree(tmp_path) == before


def test_relative_folders(run: Run, system: Path, changed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(system)

    assert run("report", ".", changed).code == 0
    assert named(system / "report") == FILES
    assert sorted(path.name for path in system.iterdir()) == ["report", "system.yaml"]
    assert run("report", ".", changed, "--out", ".").code == 1
