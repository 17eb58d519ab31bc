"""Tests `modelyard migrate`: both sides compile, compiler errors appear unchanged, and plans are readable."""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import modelyard_schemas
from modelyard.diagnostics import has_errors
from modelyard.inputs import InputFile
from modelyard.migration.judging import refusals_of
from modelyard.migration.sides import MoveRequest, Side, Sides, idle_of, sides_of
from modelyard.pipeline import compile_system
from modelyard.portability import Destination, errors_of, moved_to
from modelyard.records import replace
from modelyard.source import Json
from modelyard_targets import TARGETS
from tests.compiler.cli.commands import Run
from tests.examples import FOLDER, SYSTEMS, Example

GOLDEN = Path(__file__).parent / "migration.md"
PLACES = {
    "aws": Destination("aws", "eu-central-1"),
    "gcp": Destination("gcp", "europe-west3"),
    "azure": Destination("azure", "germanywestcentral"),
    "kubernetes": Destination("kubernetes"),
}
SMALL = {
    "aws": Example("leads", None, SYSTEMS),
    "gcp": Example("leads-on-google", None, SYSTEMS),
    "azure": Example("leads-on-azure", None, SYSTEMS),
    "kubernetes": Example("hello", None),
}
LARGE = {
    "aws": Example("demand-forecasting", "aws"),
    "azure": Example("demand-forecasting", "azure"),
    "kubernetes": Example("readmission", None),
}
ON_PRICED_MACHINES = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: churn}
governance: {owner: {team: growth, email: growth@acme.example}}
deployment:
  {mode: on-prem, provider: kubernetes, context: here, capacity: [{count: 6, cpu: 8, memory: 32Gi, price: 0.25 USD}]}
models: {churn: {task: binary-classification, framework: xgboost}}
registry: {adopt: "https://mlflow.acme.example", credentials: "secret://kubernetes/mlflow"}
inference: {score: {variants: {only: {model: churn@champion}}, compute: {cpu: 1, memory: 2Gi}}}
"""
ONLY_MOVES = {"E0554"}
"""Codes of errors that the old and the new side cause only together."""

PAIRS = [
    pytest.param(example, place, id=f"{example}-to-{to}")
    for systems in (SMALL, LARGE)
    for provider, example in systems.items()
    for to, place in PLACES.items()
    if to != provider
]


def moved(example: Example, to: Destination | str, patch: dict[str, Json] | None = None) -> Sides:
    """Return the old and the new side of a migration that moves all targets."""
    old = Side(example.inputs(), example.compiled())
    names = tuple(target.name for target in old.system.deployment.targets)
    return sides_of(MoveRequest(names, to, "moved", patch or {}), old, TARGETS)


@pytest.mark.parametrize(("example", "place"), PAIRS)
def test_every_pair_of_providers_compiles_or_is_refused_for_the_compilers_reasons(
    example: Example, place: Destination
) -> None:
    """The idle and live overlays compile, or fail just like the same system with a different provider.

    A migration causes fewer refusals, since it drops fields describing the old cluster, such as its context.
    """
    sides = moved(example, place)
    targets = sides.old.system.deployment.targets
    expected = moved_to(sides.old.outcome, sides.old.inputs, TARGETS, place, targets)

    assert bool(expected.refusals) >= has_errors(sides.problems)
    for side in (sides.idle, sides.live):
        overlay = InputFile("environments/moved.yaml", side.overlay)
        again = compile_system(replace(example.inputs(), environment="moved", overlay=overlay), TARGETS)
        assert {item.code for item in errors_of(again)} == {item.code for item in errors_of(side.outcome)} - ONLY_MOVES
        assert {item.code for item in errors_of(again)} <= {item.problem.code for item in expected.refusals}


def test_the_idle_side_starts_nothing_by_itself() -> None:
    """Until the data is copied, no schedule or monitor on the new side starts a run. Afterwards, all do as before."""
    sides = moved(Example("demand-forecasting", "aws"), PLACES["gcp"])

    idle, live = sides.idle.plan.system, sides.live.plan.system
    assert {pipeline.schedule for pipeline in sides.old.system.pipelines.values()} == {
        pipeline.schedule for pipeline in live.pipelines.values()
    }
    assert {pipeline.schedule.cron for pipeline in idle.pipelines.values()} == {""}
    assert live.monitors["forecast-error"].on_breach.run == "retrain"
    assert idle.monitors["forecast-error"].on_breach.run == ""


def test_clusters_move_onto_another_target_of_the_spec(run: Run, tmp_path: Path) -> None:
    """Everything on the moved target is placed on the other one, and egress costs are based on the usage file."""
    shutil.copytree(SYSTEMS / "three-clouds", tmp_path / "offers")
    usage = "data: {visits: {rowsPerDay: 1M, bytesPerRow: 1000}}\n"
    (tmp_path / "usage.yaml").write_text(usage, encoding="utf-8")
    arguments = ("--from", "shop", "--to", "learn", "--name", "two-clouds", "--format", "json")

    result = run("migrate", tmp_path / "offers", *arguments, "--usage", tmp_path / "usage.yaml")

    assert result.code == 0, result.err
    plan = json.loads(result.out)
    verdicts = {item["part"]: (item["verdict"], item["changes"]) for item in plan["verdicts"]}
    assert verdicts["deployment.targets.shop"][0] == "dropped"
    assert verdicts["stores.captures"] == ("translated", ["target: shop -> learn"])
    charges = {item["what"]: item for item in plan["charges"]}
    lake = charges["data of stores.lake that leaves learn"]
    assert (lake["quantity"], lake["amount"]) == (365.0, pytest.approx(365 * lake["price"], rel=1e-3))
    assert charges["data of stores.captures that leaves shop"]["amount"] is None


def test_the_price_of_a_spot_machine_is_named_if_it_is_another(run: Run, tmp_path: Path) -> None:
    """The tables have no spot price of the first machine, so its figure is the on-demand price."""
    shutil.copytree(SYSTEMS / "leads-on-azure", tmp_path / "leads")

    result = run("migrate", tmp_path / "leads", "--from", "main", "--to", "azure:northeurope")

    assert result.code == 0, result.err
    plan = (tmp_path / "leads/migration/migration.md").read_text(encoding="utf-8").replace("\\", "")
    machines = next(line for line in plan.splitlines() if line.startswith("| old | main | gpu |"))
    instead = ", on demand, because no spot price is known"
    assert f"Standard_NC8as_T4_v3 spot (0.94{instead}), " in machines
    assert "Standard_NC8as_T4_v3 (0.94), Standard_NC24ads_A100_v4 spot (0.933), " in machines
    rows = json.loads((tmp_path / "leads/migration/migration.json").read_text(encoding="utf-8"))["machines"]["old"]
    (row,) = [row["machines"] for row in rows if row["for"] == "gpu"]
    assert [machine["note"] for machine in row] == [instead[2:], instead[2:], "", "", ""]


def test_a_move_from_existing_machines_costs_at_least_both_floors(run: Run, tmp_path: Path) -> None:
    """Mirrored requests may need more than the floor, so the sum is a lower bound even if all prices are known."""
    (tmp_path / "system.yaml").write_text(ON_PRICED_MACHINES, encoding="utf-8")

    result = run("migrate", tmp_path, "--from", "main", "--to", "aws:eu-central-1")

    assert result.code == 0, result.err
    plan = (tmp_path / "migration/migration.md").read_text(encoding="utf-8")
    assert "unknown" not in plan[plan.index("## What the move costs") : plan.index("Together")]
    assert "| old | main | platform | existing machines |" in plan
    assert "\nTogether at least " in plan


def test_who_reaches_a_target_follows_from_the_targets_that_stay() -> None:
    """Moved targets are removed from `reachableFrom`, and overrides naming a target follow its move."""
    old = Side(Example("recommender", None).inputs(), Example("recommender", None).compiled())

    sides = sides_of(MoveRequest(("web",), "training", "one-cluster", {}), old, TARGETS)

    refused = {refusal.problem.message for refusal in refusals_of(sides)}
    assert not any("unknown target" in message for message in refused), refused
    assert "reachableFrom: null" in sides.live.overlay


def test_a_pipeline_that_runs_once_waits_on_the_idle_side() -> None:
    """A run that starts on deployment would train without data."""
    value: dict[str, Json] = {"pipelines": {"seed": {"schedule": "once"}, "next": {"schedule": {"after": "x"}}}}

    assert idle_of(value) == {"pipelines": {"seed": {"schedule": "on-demand"}, "next": {"schedule": {"after": "x"}}}}


def test_the_plan_of_a_small_system(run: Run, hello: Path, accept: bool) -> None:
    """The human-readable plan matches the golden file, and the JSON plan fits its schema."""
    result = run("migrate", hello, "--env", "aws", "--from", "main", "--to", "gcp:europe-west3")

    assert result.code == 0, result.err
    printed = (hello / "migration/migration.md").read_text(encoding="utf-8")
    if accept:
        GOLDEN.write_text(printed, encoding="utf-8")
    assert printed == GOLDEN.read_text(encoding="utf-8")
    assert_plan_fits_schema(hello)
    remotes = (hello / "migration/rclone.conf").read_text(encoding="utf-8")
    assert set(re.findall(r"(?:old|new)_\w+(?=:)", printed)) == set(re.findall(r"(?m)^\[(\w+)\]$", remotes))
    ast.parse((hello / "migration/registry_copy.py").read_text(encoding="utf-8"))


def assert_plan_fits_schema(spec: Path) -> None:
    plan = json.loads((spec / "migration/migration.json").read_text(encoding="utf-8"))
    validator: Any = jsonschema.Draft202012Validator(modelyard_schemas.load("migration"))
    validator.validate(plan)
    assert [phase["name"].partition("-")[0] for phase in plan["phases"]] == [str(at) for at in range(1, 12)]
    steps = [step for phase in plan["phases"] for part in ("do", "check", "undo") for step in phase[part]]
    script = "\n".join(line for step in steps for line in step["commands"])
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)  # reads the script without running it


def test_a_plan_is_the_same_again_and_compiles_from_its_own_overlay(run: Run, hello: Path) -> None:
    """The first phase's overlay compiles to the projects named in the commands. Planning again is a no-op."""
    arguments = ("migrate", hello, "--env", "aws", "--from", "main", "--to", "gcp:europe-west3")
    assert run(*arguments).code == 0
    before = {path: path.read_bytes() for path in (hello / "migration").rglob("*") if path.is_file()}

    shutil.copy(hello / "migration/phases/1-build/environment.yaml", hello / "environments/aws-gcp.yaml")
    compiled = run("compile", hello, "--env", "aws-gcp")
    again = run(*arguments)

    assert (compiled.code, again.code) == (0, 0), compiled.err + again.err
    assert {path: path.read_bytes() for path in (hello / "migration").rglob("*") if path.is_file()} == before
    plan = json.loads((hello / "migration/migration.json").read_text(encoding="utf-8"))
    lines = [line for phase in plan["phases"] for step in phase["do"] for line in step["commands"]]
    folders = {words[2] for line in lines if (words := shlex.split(line))[0] == "pulumi" and "aws-gcp" in words}
    assert folders == {"build/aws-gcp/main/infrastructure", "build/aws-gcp/main/workloads"}
    assert all((hello / folder / "Pulumi.yaml").is_file() for folder in folders)


def test_phases_are_done_in_order_by_one_person_after_another(run: Run, hello: Path) -> None:
    """A phase can't be marked as done out of order or, once the spec has changed, before recreating the plan."""
    run("migrate", hello, "--env", "aws", "--from", "main", "--to", "gcp:europe-west3")

    early = run("migrate", hello, "--done", "3-images")
    first = run("migrate", hello, "--done", "1-build")
    again = run("migrate", hello, "--done", "1-build")
    spec = hello / "system.yaml"
    spec.write_text(spec.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    late = run("migrate", hello, "--done", "2-secrets")
    status = run("migrate", hello, "--status", "--format", "json")
    planned = run("migrate", hello, "--env", "aws", "--from", "main", "--to", "gcp:europe-west3")
    second = run("migrate", hello, "--done", "2-secrets")

    assert (early.code, first.code, again.code, late.code) == (1, 0, 0, 1)
    assert "error[E0547]: phase '3-images' comes after 1-build" in early.err
    assert "error[E0548]" in late.err
    assert json.loads(status.out)["specHasChanged"] is True
    assert (planned.code, second.code) == (0, 0)
    assert "2 of 11 phases done" in second.out


def test_a_plan_without_a_done_phase_is_replaced_with_a_notice(run: Run, hello: Path) -> None:
    arguments = ("migrate", hello, "--env", "aws", "--from", "main", "--to")
    first = run(*arguments, "gcp:europe-west3")
    again = run(*arguments, "gcp:europe-west3")
    other = run(*arguments, "azure:germanywestcentral")
    run("migrate", hello, "--done", "1-build")
    late = run(*arguments, "gcp:europe-west3")

    notice = "replaces the plan from aws to aws-gcp, none of whose phases was done"
    assert (notice in first.err, notice in again.err, notice in other.err) == (False, False, True)
    assert (late.code, "it contains a migration to aws-azure that is under way" in late.err) == (1, True)


def test_a_folder_of_others_and_edited_files_are_left_alone(run: Run, hello: Path) -> None:
    """Nothing is written to a folder containing other files, or over an edited plan."""
    arguments = ("migrate", hello, "--env", "aws", "--from", "main", "--to", "gcp:europe-west3")
    folder = hello / "migration"
    folder.mkdir()
    (folder / "notes.txt").write_text("ours", encoding="utf-8")

    foreign = run(*arguments)
    (folder / "notes.txt").unlink()
    run(*arguments)
    (folder / "migration.md").write_text("edited", encoding="utf-8")
    edited = run(*arguments)

    assert (foreign.code, edited.code) == (1, 1)
    assert "error[E0546]" in foreign.err
    assert "migration.md: it was edited by hand" in edited.err
    assert (folder / "migration.md").read_text(encoding="utf-8") == "edited"


def test_refusals_are_listed_by_part_and_an_overlay_answers_them(run: Run, tmp_path: Path) -> None:
    """Refused features are listed by spec section. The user's overlay can change the new side to avoid them."""
    shutil.copytree(FOLDER / "fraud-detection", tmp_path / "fraud")
    arguments = ("migrate", tmp_path / "fraud", "--from", "main", "--to", "gcp:europe-west3")

    refused = run(*arguments)
    (tmp_path / "gcp.yaml").write_text("inference: {till: {target: main}}\n", encoding="utf-8")
    planned = run(*arguments, "--overlay", tmp_path / "gcp.yaml", "--format", "json")

    assert refused.code == 1
    assert "default as gcp: 1 part has no equivalent\n  inference.till: store 'lake' is" in refused.out
    assert "[GCP-E012]" in refused.out
    assert planned.code == 0, planned.err
    verdicts = {item["part"]: item["verdict"] for item in json.loads(planned.out)["verdicts"]}
    assert verdicts["stores.lake"] == "translated"
    assert verdicts["data.scores"] == "kept"
    phases = {item["name"]: item for item in json.loads(planned.out)["phases"]}
    frozen = [line for step in phases["8-freeze"]["do"] for line in step["commands"] if " patch cronjob " in line]
    promoter = frozen.pop()
    assert [shlex.split(line)[7] for line in frozen] == [
        "monitor-feature-drift",
        "monitor-late-labels",
        "nightly-scores",
        "promoter",
        "retrain",
    ]  # challenge runs on demand, and login-registry-db rotates a password
    assert shlex.split(promoter)[7] == "promoter", "the new side's, in another cluster"
    assert shlex.split(promoter)[2] not in {shlex.split(line)[2] for line in frozen}


def test_a_store_with_keys_asks_for_them_and_names_no_value(run: Run, tmp_path: Path) -> None:
    """Moving from on-premises to a cloud asks for the stores' access keys, and only copies the system's own folders."""
    spec = tmp_path / "readmission"
    shutil.copytree(FOLDER / "readmission", spec)
    removed = dict.fromkeys(("images", "egress", "present", "storageClass"))
    gateway = {
        "name": None,
        "namespace": None,
        "listener": None,
        "class": "envoy",
        "certificate": "secret://kubernetes/t",
    }
    patch = {
        "deployment": {**removed, "telemetry": {"prometheus": None}, "gateway": gateway},
        "stores": {
            "warehouse": {"endpoint": None, "credentials": None},
            "models": {"endpoint": None, "credentials": None, "credentialsPer": None},
        },
    }
    (tmp_path / "cloud.yaml").write_text(json.dumps(patch), encoding="utf-8")

    result = run("migrate", spec, "--to", "aws:us-east-1", "--overlay", tmp_path / "cloud.yaml", "--format", "json")

    assert result.code == 0, result.err
    assert_plan_fits_schema(spec)
    phases = {phase["name"]: phase for phase in json.loads(result.out)["phases"]}
    texts = [step["text"] for step in phases["5-data"]["do"]]
    assert any(text.endswith("its secret: secret://kubernetes/model-bucket.") for text in texts)
    lines = [line for step in phases["5-data"]["do"] for line in step["commands"] if "old_warehouse:" in line]
    assert [shlex.split(line)[4] for line in lines] == [
        "old_warehouse:ehr-extracts/admissions",
        "old_warehouse:ehr-extracts/admissions-80plus",
        "old_warehouse:ehr-extracts/outcomes",
    ]
    remotes = (spec / "migration/rclone.conf").read_text(encoding="utf-8")
    assert "[old_models]\ntype = s3\nprovider = Other\nenv_auth = true\nendpoint = https://objects" in remotes


HOSTILE = "eu'; touch pwned; $(id) `id` ```\n# **bold** <script> |"


def test_hostile_texts_stay_one_word_of_a_command_and_text_in_markdown(run: Run, hello: Path) -> None:
    """A folder name with quotes is quoted in each command, and text from the spec is escaped in prose."""
    folder = hello / "it's $(id) `id`"
    patch = {"data": {"subscribers": {"description": HOSTILE}}}
    (hello / "to.yaml").write_text(json.dumps(patch), encoding="utf-8")

    result = run(
        "migrate", hello, "--env", "aws", "--to", "gcp:europe-west3", "--overlay", hello / "to.yaml", "--out", folder
    )

    assert result.code == 0, result.err
    printed = (folder / "migration.md").read_text(encoding="utf-8")
    copies = [line for line in printed.splitlines() if line.startswith("rclone ")]
    assert {shlex.split(line)[2] for line in copies} == {f"{folder.name}/rclone.conf"}
    row = next(line for line in printed.splitlines() if line.startswith("| data.subscribers |"))
    assert "\\`\\`\\`" in row
    assert "&lt;script&gt; \\|" in row
    assert not re.search(r"(?m)^# \*\*bold", printed)
