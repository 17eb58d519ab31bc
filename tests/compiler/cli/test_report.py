"""Tests of `modelyard report`: the files it writes, the folder it replaces, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

import modelyard_schemas
from modelyard.printing import review_html
from tests.compiler.cli.commands import SPEC, Run, tree
from tests.compiler.cli.test_diff import edited
from tests.examples import SYSTEMS

FILES = {"comment.md", "report.html", "review.json", "review.sarif", "cost.json", "codequality.json"}


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """Return a version of the spec with a different owner."""
    new = tmp_path / "new.yaml"
    new.write_text(edited(SPEC, "owner: {team: growth", "owner: {team: sales"), encoding="utf-8")
    return new


def visible_names(folder: Path) -> set[str]:
    """Return the names of all visible entries in a folder."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_one_run_writes_every_format(run: Run, system: Path, changed: Path, tmp_path: Path) -> None:
    out = tmp_path / "a" / "report"
    result = run("report", system, changed, "--out", out)
    review = json.loads((out / "review.json").read_text(encoding="utf-8"))
    cost = json.loads((out / "cost.json").read_text(encoding="utf-8"))

    assert (result.code, result.out) == (0, "")
    assert f"churn: 1 to review, 1 note\n{out}: 6 files" in result.err
    assert visible_names(out) == FILES
    jsonschema_rs.validate(modelyard_schemas.load("review"), review)
    assert review == json.loads(run("diff", system, changed, "--format", "json", "--level", "quiet").out)
    assert list(cost["environments"]) == ["default", "prod"]
    assert cost["environments"]["prod"]["changes"] == []
    assert "R801" in (out / "comment.md").read_text(encoding="utf-8")
    for form, name in (("sarif", "review.sarif"),):
        assert run("diff", system, changed, "--format", form).out == (out / name).read_text(encoding="utf-8")


def test_exit_codes_are_those_of_diff(run: Run, system: Path, changed: Path, tmp_path: Path) -> None:
    """The report's folder is written regardless of the exit code."""
    broken = tmp_path / "broken.yaml"
    broken.write_text(edited(SPEC, "kind: MLSystem", "kind: Nothing"), encoding="utf-8")

    assert run("report", system, changed, "--out", tmp_path / "r", "--fail-on", "review").code == 1
    assert visible_names(tmp_path / "r") == FILES
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
    assert "no changes that matter" in (out / "comment.md").read_text(encoding="utf-8")
    assert (out / "comment.md.edited").read_text(encoding="utf-8") == "mine"


def test_other_folders_are_left_alone(run: Run, system: Path, changed: Path, tmp_path: Path) -> None:
    """A report is refused if its folder contains other files, or is actually a file or a link."""
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
    assert visible_names(system / "report") == FILES
    assert sorted(path.name for path in system.iterdir()) == ["report", "system.yaml"]
    assert run("report", ".", changed, "--out", ".").code == 1


USAGE = "inference: {score: {rps: {mean: 40, peak: 90}}, app: {rps: {mean: 2}}}\npipelines: {fit: {typical: 90m}}\n"
APP = """\
inference:
  app: {variants: {live: {model: churn@champion}}, compute: {cpu: 1, memory: 2Gi}, replicas: {min: 1, max: 4}}
"""


@pytest.fixture
def versions(tmp_path: Path) -> tuple[Path, Path]:
    """Return two versions of a system on AWS, where the new one has an additional endpoint."""
    text = (SYSTEMS / "leads" / "system.yaml").read_text(encoding="utf-8")
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(text, encoding="utf-8")
    new.write_text(edited(text, "inference:\n", APP), encoding="utf-8")
    return old, new


def test_costs_follow_the_usage_file(run: Run, versions: tuple[Path, Path], tmp_path: Path) -> None:
    """The cost table and the finding agree with `modelyard cost`.

    A usage entry for a new resource is also valid for the old version.
    """
    old, new = versions
    usage, out = tmp_path / "usage.yaml", tmp_path / "report"
    usage.write_text(USAGE, encoding="utf-8")
    result = run("report", old, new, "--usage", usage, "--out", out, "--fail-on", "never")
    expected = json.loads(run("cost", new, "--usage", usage, "--format", "json").out)["total"]
    assumed = json.loads(run("cost", new, "--format", "json").out)["total"]
    actual = json.loads((out / "cost.json").read_text(encoding="utf-8"))["environments"]["default"]["after"]["total"]
    comment = (out / "comment.md").read_text(encoding="utf-8")
    (cost,) = [finding for finding in review_of(out) if finding["code"] == "R620"]

    assert result.code == 0, result.err
    assert expected != assumed
    assert actual == expected
    assert f"Cost a month, used as in {usage}" in comment.replace("\\", "")
    assert cost["after"] == " ".join(f"{expected[name]:.2f}" for name in ("floor", "expected", "ceiling"))
    acceptance = run("acknowledge", new, cost["fingerprint"], "--against", old, "--by", "sales", "--reason", "known",
               "--until", "2099-01-01", "--usage", usage)  # fmt: skip
    assert acceptance.code == 0, acceptance.err


def review_of(out: Path) -> list[dict[str, Any]]:
    """Return the findings in a report."""
    findings: list[dict[str, Any]] = json.loads((out / "review.json").read_text(encoding="utf-8"))["findings"]
    return findings


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("inference: {scorre: {rps: {mean: 40}}}", "E0531"),
        ("pipelines: {fit: {typical: 30d}}", "E0533"),
        ("inference: 3", "E0201"),
    ],
)
def test_a_usage_file_has_to_fit(
    run: Run, versions: tuple[Path, Path], tmp_path: Path, text: str, reported: str
) -> None:
    usage = tmp_path / "usage.yaml"
    usage.write_text(text, encoding="utf-8")
    result = run("report", *versions, "--usage", usage, "--out", tmp_path / "report")

    assert (result.code, result.err.count(f"error[{reported}]")) == (1, 1), result.err
    assert not (tmp_path / "report").exists()
