"""Tests that `modelyard explain` explains codes, fields and addresses."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.diagnostics import codes
from modelyard_targets import TARGETS
from tests.compiler.cli.commands import Run
from tests.examples import SYSTEMS


@pytest.mark.parametrize("code", ["E0203", "e0701", "E0150", "W0412"])
def test_explain_prints_the_page_of_a_code(run: Run, code: str) -> None:
    result = run("explain", code)

    assert result.code == 0
    assert result.out.startswith(f"{code.upper()}: ")
    assert "Right:" in result.out


def test_explain_has_a_page_for_every_code(run: Run) -> None:
    assert all(run("explain", code).code == 0 for code in codes(TARGETS.diagnostics()))
    unknown = run("explain", "E9999")
    assert (unknown.code, unknown.out) == (1, "")


def test_a_renamed_code_is_explained_under_both_names(run: Run) -> None:
    """`explain` also accepts old codes, e.g. from a log, and explains their new counterpart."""
    old, new = run("explain", "e0654"), run("explain", "aws-e015")

    assert (old.code, new.code) == (0, 0)
    assert old.out == f"E0654 is AWS-E015 now.\n\n{new.out}"
    assert new.out.startswith("AWS-E015: ")


def test_explain_prints_the_description_of_a_field(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "replicas" in run("explain", "inference.*.replicas").out
    assert "owner" in run("explain", "governance").out
    wrong = run("explain", "inference.*.replcias")
    assert (wrong.code, "replicas" in wrong.err) == (1, True)


def test_explain_describes_a_field_for_each_provider(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that means different things to providers, or to types of an entry, has a description for each."""
    monkeypatch.chdir(tmp_path)
    adopted = run("explain", "deployment.targets.*.vpc.adopt").out.split("\n\n")
    network = run("explain", "deployment.targets.*.vpc").out
    stores = run("explain", "stores.*").out

    assert [part.splitlines()[0].partition(": ")[::2] for part in adopted] == [
        ("deployment.targets.*.vpc.adopt, with provider aws", "Id of an existing VPC; nothing in it is changed."),
        (
            "deployment.targets.*.vpc.adopt, with provider azure",
            "Resource ID of an existing virtual network, which is not changed.",
        ),
        (
            "deployment.targets.*.vpc.adopt, with provider gcp",
            "Name of an existing network, or its path where it belongs to the host project of a Shared VPC; "
            "nothing in it is changed.",
        ),
    ]
    assert "expected: the resource ID of a virtual network" in adopted[1]
    assert network.startswith("deployment.targets.*.vpc: The network")
    assert (
        "  cidr       with provider aws: Address range of the existing VPC.\n             with provider azure: "
        in network
    )
    assert "with type other than object: An existing database" in stores


@pytest.mark.parametrize(
    ("system", "description"),
    [("leads", "Address range of the existing VPC."), ("leads-on-google", "Primary address range of the subnet.")],
)
def test_explain_describes_a_field_of_a_spec_for_its_provider(run: Run, system: str, description: str) -> None:
    lines = run("explain", "deployment.vpc.cidr", str(SYSTEMS / system)).out.splitlines()

    assert lines[1:3] == ["  10.20.0.0/16", f"  {description}"]


def test_explain_lists_the_resources_of_an_address(run: Run, system: Path) -> None:
    """Given the address of a spec entry, `explain` shows which line created which resource."""
    result = run("explain", "inference.score", system)

    assert result.code == 0
    assert "system.yaml:11" in result.out
    assert "RayService/score" in result.out
    wrong = run("explain", "inference.scor", system)
    assert (wrong.code, "score" in wrong.err) == (1, True)


def test_explain_shows_the_value_of_a_field_in_a_spec(run: Run, system: Path) -> None:
    """The output shows the field's value, line and description, and the resources affected only by this field."""
    result = run("explain", "inference.score.compute", system)

    assert result.code == 0
    assert result.out.splitlines()[0].startswith("inference.score.compute: written at ")
    assert "part of inference.score" in result.out
    assert "Namespace/" not in result.out


def test_explain_lists_the_users_of_data_and_models(run: Run) -> None:
    spec = str(SYSTEMS.parents[1] / "examples" / "fraud-detection")
    data = run("explain", "data.transactions", spec).out
    model = run("explain", "models.fraud-xgb", spec).out

    assert "pipelines.nightly-scores  reads it" in data
    assert "monitors.feature-drift    compares with it" in data
    assert "pipelines.retrain         trains it for champion" in model
    assert "inference.scorer          serves @champion as champion" in model


def test_explain_lists_the_entries_of_a_section(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert "modelyard explain 'inference.*'" in run("explain", "inference").out
    assert run("explain", "").out.startswith("the spec: ")


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("inference.scorerr", "did you mean 'scorer'?"),
        ("inference.nope", "its entries are scorer, till"),
    ],
)
def test_explain_names_the_entries_if_there_is_no_such_address(run: Run, address: str, hint: str) -> None:
    spec = SYSTEMS.parents[1] / "examples" / "fraud-detection"
    result = run("explain", address, str(spec))

    name = address.partition(".")[2]
    expected = f"error: inference in {spec / 'system.yaml'} has no entry '{name}'\n  = {hint}\n"
    assert (result.code, result.out, result.err) == (1, "", expected)


def test_explain_lists_cloud_resources_of_a_line(run: Run, tmp_path: Path) -> None:
    spec = tmp_path / "system.yaml"
    spec.write_bytes((SYSTEMS / "leads" / "system.yaml").read_bytes())
    output = run("explain", "stores.lake", str(spec)).out

    assert "main: ObjectStore lake, from" in output
    assert "Database" not in output


IMPORTING = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: claims}
governance:
  owner: {team: claims, email: claims@acme.example}
  approvers: {risk: {sshKeys: ["KEY"]}}
deployment: {mode: on-prem, provider: kubernetes, context: frankfurt}
stores:
  lake: {type: object, endpoint: "https://s3.acme.example", credentials: "secret://kubernetes/lake"}
  runs: {type: database}
registry: {database: runs, artifacts: lake}
models:
  triage:
    task: binary-classification
    framework: xgboost
    stages:
      challenger: {}
      champion: {after: challenger, soak: {for: 2d}, approvals: {from: [risk]}}
    import: {store: lake, path: triage/4, digest: "sha256:DIGEST"}
inference:
  scorer:
    variants: {live: {model: triage@champion}, next: {model: triage@challenger}}
    mirror: {to: next}
    compute: {cpu: 2, memory: 4Gi}
""".replace("DIGEST", "4a" * 32).replace(
    "KEY", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBQLxo1V/0nQZqp74G7iCeTrfUUVH2nBc2KM1WIYB+um risk"
)


def test_explain_shows_the_source_and_stages_of_a_model(run: Run, tmp_path: Path) -> None:
    (tmp_path / "system.yaml").write_text(IMPORTING, encoding="utf-8")
    output = run("explain", "models.triage", str(tmp_path)).out

    assert f"from triage/4 in stores.lake, as files with the digest sha256:{'4a' * 32}\n  to @challenger, by" in output
    assert "  @challenger  first; no approvals\n" in output
    assert "  @champion    after @challenger; a soak of 2d; 1 approval(s) from risk\n" in output


def test_explain_describes_workloads_that_the_compiler_adds(run: Run, system: Path, tmp_path: Path) -> None:
    """Workloads added by the compiler can be explained if the spec needs them. Otherwise, their address is unknown."""
    (tmp_path / "importing").mkdir()
    (tmp_path / "importing" / "system.yaml").write_text(IMPORTING, encoding="utf-8")
    result = run("explain", "promoter", str(tmp_path / "importing"))
    tills = run("explain", "starter", str(SYSTEMS / "tills"))

    assert result.code == 0
    assert result.out.startswith("promoter: a workload that the compiler adds")
    assert "CronJob/promoter" in result.out
    assert run("explain", "promoter", system).code == 1
    assert "CronJob/starter" in tills.out


def test_codes_of_findings_are_explained(run: Run) -> None:
    result = run("explain", "r201")

    assert result.code == 0
    assert result.out.startswith("R201: A gate is looser")
    assert "The reverse change is R202." in result.out


def test_an_unknown_code_of_a_finding_is_reported(run: Run) -> None:
    result = run("explain", "R999")

    assert result.code == 1
    assert "no finding has the code R999" in result.err
