"""Tests of `modelyard portability`: a move's changes and refusals, the score, and the formats."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from modelyard.diagnostics import Diagnostic, Severity
from modelyard.portability import Change, Destination, Move, Portability, Refusal
from modelyard.printing.portability import FORMS
from modelyard.source import Span
from tests import examples
from tests.compiler.cli.commands import Run

CLOUD = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: churn}
governance: {owner: {team: growth, email: growth@acme.example}, residency: [eu]}
deployment: {mode: cloud, provider: aws, region: eu-central-1, account: "123456789012"}
registry: {database: versions, artifacts: lake}
stores: {lake: {type: object}, versions: {type: database}}
data: {customers: {store: lake, path: customers/, format: parquet, label: cancelled}}
models: {churn: {task: binary-classification, framework: xgboost}}
pipelines: {train: {type: training, model: churn, inputs: [customers], compute: {cpu: 2, memory: 8Gi}}}
inference: {score: {variants: {only: {model: churn@champion}}, compute: {cpu: 1, memory: 2Gi}}}
"""


@pytest.fixture
def cloud(tmp_path: Path) -> Path:
    """Return the spec of a system on one cloud, whose portability to all other clouds is judged."""
    path = tmp_path / "system.yaml"
    path.write_text(CLOUD, encoding="utf-8")
    return path


def test_a_system_leaves_its_subscription_and_tenant_on_azure(run: Run, cloud: Path) -> None:
    """Both name an Azure identity, so neither stands in the way of another cloud."""
    ids = (f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}" for digit in "12")
    there = "provider: azure, region: germanywestcentral, account: {}, tenant: {}".format(*ids)
    here = 'provider: aws, region: eu-central-1, account: "123456789012"'
    assert here in CLOUD
    cloud.write_text(CLOUD.replace(here, there), encoding="utf-8")

    ran = run("portability", cloud, "--to", "aws")

    assert "to aws in eu-central-1: nothing else changes (100 %)" in ran.out
    assert "  deployment.tenant: without 22222222-2222-4222-8222-222222222222\n" in ran.out


def test_a_system_with_managed_stores_moves_by_provider_region_and_account(run: Run, cloud: Path) -> None:
    result = run("portability", cloud, "--min", "100")

    assert (result.code, result.err) == (0, "")
    assert (
        result.out
        == f"""\
{cloud}: 9 parts; target main would move

to gcp in europe-west3: nothing else changes (100 %)
  deployment.provider: aws -> gcp
  deployment.region: eu-central-1 -> europe-west3
  deployment.account: without 123456789012

to azure in germanywestcentral: nothing else changes (100 %)
  deployment.provider: aws -> azure
  deployment.region: eu-central-1 -> germanywestcentral
  deployment.account: without 123456789012
"""
    )


def test_a_system_on_every_cloud_may_move_to_each_of_them(run: Run, cloud: Path) -> None:
    """The target that is already on the cloud keeps its region and account."""
    targets = """\
  targets:
    data: {provider: gcp, region: europe-west4, account: acme-data}
    serve: {provider: aws, region: eu-central-1}
    batch: {provider: azure, region: westeurope}
  placement: {default: data, inference: serve, batch: batch}
"""
    cloud.write_text(re.sub("deployment: .*\n", f"deployment:\n  mode: cloud\n{targets}", CLOUD), encoding="utf-8")

    result = run("portability", cloud, "--format", "json")

    moves = {move["provider"]: move["changes"] for move in json.loads(result.out)["moves"]}
    assert set(moves) == {"aws", "gcp", "azure"}
    assert {change["path"] for change in moves["gcp"]} == {
        f"deployment.targets.{name}.{field}" for name in ("serve", "batch") for field in ("provider", "region")
    }


def test_a_refusal_names_its_part_its_line_and_the_way_out(run: Run, cloud: Path) -> None:
    cloud.write_text(CLOUD.replace("lake: {type: object}", "lake: {type: object, adopt: acme-lake}"), encoding="utf-8")

    result = run("portability", cloud, "--min", "90")

    assert (result.code, result.err) == (1, "error: the score for azure is 88 %, which is less than 90 %\n")
    assert "to gcp in europe-west3: nothing else changes (100 %)" in result.out
    assert (
        "to azure in germanywestcentral: 1 of 9 parts needs a change (88 %)\n"
        "  deployment.provider: aws -> azure\n"
        "  deployment.region: eu-central-1 -> germanywestcentral\n"
        "  deployment.account: without 123456789012\n"
        "  stores.lake: store 'lake' adopts 'acme-lake', which is not in the form BUCKET@ACCOUNT [E0698]\n"
        f"      {cloud}:7:38; use `adopt: BUCKET@ACCOUNT`\n"
    ) in result.out


def test_fields_of_another_provider_hide_no_other_refusal(run: Run) -> None:
    """Refusing a cluster's context and capacity must not hide that a cloud also refuses a budget in francs."""
    result = run("portability", examples.FOLDER / "motor-claims", "--to", "aws", "--format", "json")

    move = json.loads(result.out)["moves"][0]
    refused = {(refusal["part"], refusal["code"]) for refusal in move["refusals"]}
    assert refused == {
        ("deployment.targets.zurich", "E0204"),  # a private cloud is not a kind of tenancy there
        ("deployment.targets.zurich", "E0209"),
        ("deployment.targets.zurich", "E0634"),  # declared machines
        ("governance", "AWS-E010"),
        ("stores.archive", "AWS-E007"),
    }
    assert move["score"] == 86
    assert {"path": "deployment.targets.zurich.region", "before": None, "after": "eu-central-2"} in move["changes"]


def test_an_existing_cluster_stays_one_without_the_fields_of_another_cloud(run: Run) -> None:
    """Dropping `cluster` entirely would mean creating one, in which case `capacity` would also be an error."""
    result = run("portability", examples.SYSTEMS / "tenant", "--env", "aks", "--to", "aws", "--format", "json")

    (move,) = json.loads(result.out)["moves"]
    assert {refusal["code"] for refusal in move["refusals"]} == {"E0203"}


def test_an_incomplete_cluster_is_reported_without_its_consequences(run: Run) -> None:
    """Without `cluster`, `capacity` would be an error as well, and no machine of Azure would have the accelerator."""
    result = run("portability", examples.SYSTEMS / "tenant", "--to", "azure", "--format", "json")

    (move,) = json.loads(result.out)["moves"]
    assert [refusal["code"] for refusal in move["refusals"]] == ["E0202", "E0202"]
    assert move["score"] == 92


def test_the_mode_follows_the_targets(run: Run) -> None:
    result = run("portability", examples.FOLDER / "fraud-detection", "--to", "kubernetes")

    assert "  deployment.mode: hybrid -> on-prem\n" in result.out


def test_the_nearest_region_is_in_the_same_country_and_open_to_everybody(run: Run, cloud: Path) -> None:
    cloud.write_text(CLOUD.replace("eu-central-1", "eu-central-2").replace("[eu]", "[ch]"), encoding="utf-8")
    assert "to gcp in europe-west6:" in (out := run("portability", cloud).out)
    assert "to azure in switzerlandnorth:" in out  # not switzerlandwest, to which Azure gives access only when asked

    cloud.write_text(CLOUD.replace("eu-central-1", "eu-west-1"), encoding="utf-8")  # Google has no region in Ireland
    assert "to gcp in europe-" in run("portability", cloud).out


def test_settings_that_tie_a_spec_to_a_provider_are_listed(run: Run) -> None:
    result = run("portability", examples.FOLDER / "recommender", "--env", "aws")

    assert "settings that tie the spec to one provider:\n  overrides.start-page-first: " in result.out


@pytest.mark.parametrize(
    ("destination", "problem"),
    [
        ("gpc", "error: 'gpc' is not a provider\n  = did you mean 'gcp'?\n"),
        ("mars", "error: 'mars' is not a provider\n  = choose from aws, gcp, azure, "),
        ("kubernetes:here", "error: kubernetes has no regions\n  = --to kubernetes\n"),
        ("aws", "error: the system is already on aws\n  = name another region: --to aws:REGION\n"),
    ],
)
def test_a_wrong_destination_is_refused(run: Run, cloud: Path, destination: str, problem: str) -> None:
    result = run("portability", cloud, "--to", destination)

    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(problem)


def test_a_region_must_be_named_where_the_location_is_unknown(run: Run, system: Path) -> None:
    unknown = run("portability", system)
    assert (unknown.code, unknown.out) == (1, "")
    assert unknown.err == (
        "error: target 'main' does not declare its location, so no region of aws can be chosen\n"
        "  = name one with --to aws:REGION, or set `residency` on the target, such as `residency: eu`\n"
    )
    assert run("portability", system, "--to", "aws:eu-west-1").code == 0


def test_residency_that_excludes_every_region_is_named(run: Run, cloud: Path) -> None:
    cloud.write_text(CLOUD.replace("eu-central-1", "eu-west-1").replace("[eu]", "[ie]"), encoding="utf-8")
    result = run("portability", cloud, "--to", "gcp")

    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "error: cannot move to 'gcp': `governance.residency` allows only ie, where it has no region that every account"
        " can use; the nearest are europe-west9 (fr), europe-west1 (be) and europe-west4 (nl)\n"
        "  = move to another provider, or add fr, be or nl to `governance.residency` if data may be stored there\n"
    )


def test_a_target_declared_in_a_jurisdiction_moves_to_a_region_there(run: Run, system: Path) -> None:
    spec = system / "system.yaml"
    written = spec.read_text(encoding="utf-8")
    spec.write_text(written.replace("provider: kubernetes", "provider: kubernetes, residency: eu", 1), encoding="utf-8")

    moved = run("portability", system)
    assert moved.code == 0, moved.err
    assert "to aws in eu-" in moved.out


def test_an_unknown_region_is_a_refusal(run: Run, cloud: Path) -> None:
    result = run("portability", cloud, "--to", "gcp:eu-west-1")

    assert "deployment: modelyard does not know the gcp region 'eu-west-1'" in result.out


def test_an_invalid_spec_has_no_score(run: Run, wrong: Path) -> None:
    result = run("portability", wrong)

    assert (result.code, result.out) == (1, "")
    assert "error[" in result.err


def test_output_shows_any_text_as_text() -> None:
    """Names are currently restricted, but the output doesn't rely on these restrictions."""
    text = "a|b @team <img src=x> *`_\u202e[x](y)\n# new\x1b[2J"
    problem = Diagnostic("E0001", Severity.ERROR, text, Span(text, 1, 1, 2), text)
    refusal = Refusal(text, (), problem)
    move = Move(Destination("azure"), (Change((text, "region"), text, text),), (refusal,), 0)
    result = Portability((text,), (text,), (refusal,), (move,))

    markdown = FORMS["markdown"](result, text)
    assert not re.search(r"<(?!br>)|@team|\[x\]|[\u202e\x1b]|^# ", markdown, re.MULTILINE)
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 4 for row in rows)
    output = FORMS["text"](result, text)
    assert not re.search(r"[\u202e\x1b]|^# ", output, re.MULTILINE)
    assert json.loads(FORMS["json"](result, text))["moves"][0]["refusals"][0]["message"] == text


def test_markdown_is_a_table_with_a_row_for_each_provider(run: Run, cloud: Path) -> None:
    lines = run("portability", cloud, "--format", "markdown").out.splitlines()

    assert lines[2:] == [
        "| to | score | refused |",
        "|---|---|---|",
        "| gcp in europe-west3 | 100 % | nothing |",
        "| azure in germanywestcentral | 100 % | nothing |",
    ]
