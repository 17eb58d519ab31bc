"""Tests of `modelyard diff --preview`, which compares a deployment preview with the change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.compiler.cli.commands import Run
from tests.examples import SYSTEMS

SPEC = (SYSTEMS / "leads" / "system.yaml").read_text(encoding="utf-8")
GROWN = SPEC.replace("runs: {type: database}", "runs: {type: database, size: 40Gi}")
HEAD = "urn:pulumi:default::leads-main-infrastructure"
STACK = {"op": "same", "urn": f"{HEAD}::pulumi:pulumi:Stack::leads-main-infrastructure-default"}
DATABASE = "modelyard:aws:Database$aws:rds/instance:Instance"
BUCKET = "modelyard:aws:ObjectStore$aws:s3/bucket:Bucket"
VPC = "modelyard:aws:Network$aws:ec2/vpc:Vpc"


def step(op: str, types: str, name: str, parent: str = "") -> dict[str, Any]:
    """Return a step in the engine's format.

    `parent` is the name of the resource's component, which defaults to that of the resource itself.
    """
    component = types.partition("$")[0]
    state = {"parent": f"{HEAD}::{component}::{parent or name}"}
    return {"op": op, "urn": f"{HEAD}::{types}::{name}", "oldState": state, "newState": state}


def preview(*steps: dict[str, Any], error: str = "") -> str:
    """Return a preview for the infrastructure project."""
    diagnostics = [{"severity": "error", "message": error}] if error else []
    return json.dumps({"steps": [STACK, *steps], "diagnostics": diagnostics, "changeSummary": {"update": len(steps)}})


@pytest.fixture
def findings(run: Run, tmp_path: Path) -> Any:
    """Return a function that diffs two specs against a preview and returns the findings about the preview."""

    def compare(text: str, after: str = GROWN) -> list[tuple[str, str, str]]:
        for name, content in (("before.yaml", SPEC), ("after.yaml", after), ("preview.json", text)):
            (tmp_path / name).write_text(content, encoding="utf-8")
        files = [tmp_path / name for name in ("before.yaml", "after.yaml")]
        result = run("diff", *files, "--preview", tmp_path / "preview.json", "--format", "json")
        listed = json.loads(result.out)["findings"]
        about = [finding for finding in listed if finding["code"] in {"R524", "R525", "R526"}]
        return [(finding["code"], finding["level"], finding["message"]) for finding in about]

    return compare


EXPECTED = (
    step("update", DATABASE, "runs"),
    step("update", "modelyard:aws:Alarms$aws:cloudwatch/metricAlarm:MetricAlarm", "runs-storage", "leads-main"),
)


def test_a_preview_of_the_change_alone_has_no_findings(findings: Any) -> None:
    assert findings(preview(*EXPECTED)) == []


@pytest.mark.parametrize(
    ("more", "level", "message"),
    [
        (step("delete", BUCKET, "lake"), "danger", "destroys bucket lake"),
        (step("replace", VPC, "leads-main"), "danger", "replaces the network"),
        (step("update", "modelyard:aws:Key$aws:kms/key:Key", "leads-main"), "review", "changes the encryption key"),
        (step("create", BUCKET, "old-lake"), "review", "creates bucket old-lake"),
        (step("replace", DATABASE, "runs"), "danger", "replaces database runs"),
    ],
)
def test_what_the_change_does_not_explain_is_a_finding(
    findings: Any, more: dict[str, Any], level: str, message: str
) -> None:
    """Drift, or an earlier version of the spec that was never applied, adds steps to the preview."""
    expected = f"the preview of leads-main-infrastructure {message}, which this change does not explain"

    assert findings(preview(*EXPECTED, more)) == [("R524", level, expected)]


def test_details_of_a_component_that_changes_are_explained(findings: Any) -> None:
    """A minor resource inside a component may be replaced even though the component changes in place."""
    detail = step("replace", "modelyard:aws:Database$aws:rds/parameterGroup:ParameterGroup", "runs")

    assert findings(preview(*EXPECTED, detail)) == []


def test_what_the_preview_lacks_is_a_finding(findings: Any) -> None:
    expected = "the preview of leads-main-infrastructure does not change database runs, although this change does"

    assert findings(preview()) == [("R525", "review", expected)]


def test_the_error_of_a_preview_is_a_finding(findings: Any) -> None:
    """After an error, it is unknown which steps are missing from the preview."""
    expected = "the preview of leads-main-infrastructure fails: error: no credentials"

    assert findings(preview(error="error: no credentials\nmore")) == [("R526", "danger", expected)]


def test_an_error_is_no_news_if_the_change_is_refused(findings: Any) -> None:
    moved = SPEC.replace("10.20.0.0/16", "10.30.0.0/16")

    assert [(code, level) for code, level, _ in findings(preview(error="unable to replace"), moved)] == [
        ("R526", "review")
    ]


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("not json", ":1:1 E0172"),
        ('{"steps": [\n  {"op": "same",}]}', ":2:17 E0172"),
        ("[]", ":1:1 E0173"),
        ('{"version": 3}', ":1:1 E0173"),
        ('{"steps": [{"op": "same"}]}', ":1:2 E0173"),
        ('{"steps": [{"op": "same", "urn": "bucket"}]}', ":1:35 E0173"),
        (preview({"op": "same", "urn": "urn:pulumi:prod::leads-main-infrastructure::a::b"}), " E0173"),
        ('{"steps": [{"op": "same", "urn": "urn:pulumi:prod::billing::a::b"}]}', ":1:35 E0174"),
    ],
)
def test_other_files_are_refused_at_their_place(run: Run, tmp_path: Path, text: str, reported: str) -> None:
    for name, content in (("before.yaml", SPEC), ("after.yaml", GROWN), ("preview.json", text)):
        (tmp_path / name).write_text(content, encoding="utf-8")
    files = [tmp_path / name for name in ("before.yaml", "after.yaml")]
    result = run("diff", *files, "--preview", tmp_path / "preview.json", "--format", "json")
    (problem,) = json.loads(result.out)["diagnostics"]

    assert result.code == 1
    assert f"{_place(problem)} {problem['code']}".endswith(reported)


def _place(problem: dict[str, Any]) -> str:
    span = problem.get("span") or problem
    return f":{span['line']}:{span['column']}"


def test_two_previews_of_a_stack_are_refused(run: Run, tmp_path: Path) -> None:
    for name in ("before.yaml", "one.json", "two.json"):
        (tmp_path / name).write_text(SPEC if name.endswith("yaml") else preview(), encoding="utf-8")
    previews = [part for name in ("one.json", "two.json") for part in ("--preview", str(tmp_path / name))]

    assert "E0175" in run("diff", tmp_path / "before.yaml", tmp_path / "before.yaml", *previews).err


def test_a_project_without_a_preview_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "system.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "preview.json").write_text(preview(), encoding="utf-8")
    spec = tmp_path / "system.yaml"

    result = run("diff", spec, spec, "--preview", tmp_path / "preview.json")

    assert "no preview was given for leads-main-workloads" in result.out


SHELF = (SYSTEMS / "shelf" / "system.yaml").read_text(encoding="utf-8")
SHOPS = (SYSTEMS / "shelf" / "shops.csv").read_text(encoding="utf-8")
SHELF_SERVER = "kubernetes:ray.io/v1:RayService", "shelf/shelf"
SHELF_DESCRIPTION = "kubernetes:core/v1:ConfigMap", "shelf/shelf-description"


def _of_shop(shop: str, *steps: tuple[str, tuple[str, str]]) -> str:
    """Return a preview of one site's stack, given the operations on resources and their types and names."""
    head = f"urn:pulumi:default.{shop}::shelf-shops-workloads"
    stack = {"op": "same", "urn": f"{head}::pulumi:pulumi:Stack::shelf-shops-workloads-default.{shop}"}
    return json.dumps({"steps": [stack, *({"op": op, "urn": f"{head}::{kind}::{name}"} for op, (kind, name) in steps)]})


@pytest.fixture
def at_shops(run: Run, tmp_path: Path) -> Any:
    """Return a function that diffs two tables of sites against previews of sites, and returns the findings on these."""

    def compare(after: str, *previews: str) -> list[tuple[str, str]]:
        for folder, table in (("before", SHOPS), ("after", after)):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "system.yaml").write_text(SHELF, encoding="utf-8")
            (tmp_path / folder / "shops.csv").write_text(table, encoding="utf-8")
        files = [tmp_path / f"{at}.json" for at in range(len(previews))]
        for file, text in zip(files, previews, strict=True):
            file.write_text(text, encoding="utf-8")
        options = [part for file in files for part in ("--preview", file)]
        result = run("diff", tmp_path / "before", tmp_path / "after", *options, "--format", "json", "--level", "note")
        listed = json.loads(result.out)["findings"]
        return [(each["code"], each["message"]) for each in listed if "R524" <= each["code"] <= "R527"]

    return compare


def test_previews_of_sites_are_compared_with_what_changes_at_each_site(at_shops: Any) -> None:
    """A value that changes at one site changes resources in this site's stack only."""
    changed = (("replace", SHELF_SERVER), ("replace", SHELF_DESCRIPTION))
    moved = SHOPS.replace("s3.linz", "s3.wels")

    found = at_shops(moved, _of_shop("shop-001", *changed), _of_shop("shop-002", *changed))

    assert found == [
        (
            "R524",
            "the preview of shelf-shops-workloads with stack default.shop-001 replaces Ray cluster shelf "
            "and ConfigMap shelf-description, which this change does not explain",
        ),
        (
            "R527",
            "no preview was given for shelf-centre-workloads and shelf-shops-workloads (at sites shop-003, shop-107)",
        ),
    ]


def test_a_site_without_its_change_in_the_preview_is_found(at_shops: Any) -> None:
    found = at_shops(SHOPS.replace("s3.linz", "s3.wels"), _of_shop("shop-001"), _of_shop("shop-002"))

    assert [code for code, _ in found] == ["R525", "R527"]
    assert found[0][1].startswith("the preview of shelf-shops-workloads with stack default.shop-002 does not change ")


def test_the_stack_of_a_new_site_is_created(at_shops: Any) -> None:
    new = "shop-200,1,registry.enns.acme.example,10.5.0.0/24,s3.enns.acme.example,Enns\n"
    preview_of_new = _of_shop("shop-200", ("create", SHELF_SERVER))

    codes = [code for code, _ in at_shops(SHOPS + new, preview_of_new)]

    assert codes == ["R525", "R527"]
