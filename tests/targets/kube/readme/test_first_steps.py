"""Tests that the commands in the README's "First steps" section refer to objects in the manifests."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from modelyard.api import compile_text
from modelyard.emit import stack_files
from modelyard.stack import Stack
from modelyard_runtime.jobs.launch import named_after
from modelyard_runtime.serving.payloads import MOST_ROWS
from modelyard_targets.kube.pipelines.launcher import ray_job_of
from tests.emitted import files
from tests.examples import Example, golden_examples
from tests.specs import VALID_SPEC, changed
from tests.targets.test_imports import SPEC as IMPORTING

ADAPTED = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: writer}
governance: {owner: {team: ml, email: ml@acme.example, oncall: oncall}}
deployment: {mode: on-prem, provider: kubernetes, context: frankfurt}
stores:
  lake: {type: object, endpoint: "https://s3.acme.example", credentials: "secret://kubernetes/lake"}
  runs: {type: database}
registry: {database: runs, artifacts: lake}
data:
  rows: {store: lake, path: rows, format: parquet, features: [a], label: b}
  copy: {store: lake, path: copy, format: parquet, features: [prompt], label: reply}
models:
  tone: {task: text-generation, framework: transformers, base: chat@champion}
  chat:
    {task: text-generation, framework: transformers, import: {store: lake, path: chat/1, digest: "sha256:DIGEST"}}
  rank: {task: regression, framework: xgboost}
pipelines:
  adapt: {type: training, model: tone, inputs: [copy], compute: {cpu: 8, memory: 32Gi}, schedule: {cron: "0 4 * * 0"}}
  train: {type: training, model: rank, inputs: [rows], compute: {cpu: 2, memory: 8Gi}, schedule: {cron: "0 4 * * 1"}}
channels: {oncall: {type: pagerduty, key: "secret://kubernetes/pagerduty#key"}}
""".replace("DIGEST", "4a" * 32)

_BLOCK = re.compile(r"^```\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SECRET = re.compile(r"kubectl -n (\S+) get secret (\S+)")


def section(readme: str) -> str:
    """Return the section "First steps" of a README."""
    return readme.partition("## First steps\n")[2].partition("\n## ")[0]


def commands(readme: str) -> list[list[str]]:
    """Return the arguments of each kubectl and curl command in the section."""
    lines = [line for block in _BLOCK.findall(section(readme)) for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith(("kubectl", "curl"))]


def approve_commands(emitted: Mapping[str, bytes]) -> list[str]:
    """Return the commands for approving a version from the README of target `main`."""
    (readme,) = [content.decode() for path, content in emitted.items() if path.endswith("main/README.md")]
    return [line for line in section(readme).splitlines() if line.startswith("modelyard approve")]


def objects(stack: Stack) -> set[tuple[str, str, str]]:
    """Return the kind, namespace and name of each object in the manifests."""
    keys: set[tuple[str, str, str]] = set()
    for file in stack_files(stack):
        if "/manifests/" in file.path and file.path.endswith(".yaml"):
            for each in yaml.safe_load_all(file.render()):
                keys.add((each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]))
    return keys


def readme_of(stack: Stack) -> str:
    """Return the README for a target."""
    return next((file.render().decode() for file in stack_files(stack) if file.path == "README.md"), "")


@pytest.mark.parametrize("example", golden_examples(), ids=str)
def test_each_command_refers_to_an_emitted_object(example: Example) -> None:
    for stack in example.compiled().stacks:
        known, readme = objects(stack), readme_of(stack)
        for namespace, secret in _SECRET.findall(section(readme)):
            written = ("ExternalSecret", namespace, secret) in known
            assert written or f"| `{namespace}` | `{secret}` |" in readme
        jobs = {words[5] for words in commands(readme) if words[3:5] == ["create", "job"]}
        for words in commands(readme):
            if words[0] == "curl":
                continue
            namespace, target = words[2], words[4]
            kind, _, name = target.partition("/")
            if words[3:5] == ["create", "job"]:
                assert ("CronJob", namespace, words[6].removeprefix("--from=cronjob/")) in known
            elif words[3] == "patch":
                assert ("CronJob", namespace, words[5]) in known
                assert json.loads(words[7]) == {"spec": {"suspend": True}}
            elif kind == "service":
                assert ("RayService", namespace, name.removesuffix("-serve-svc")) in known
            else:
                assert words[3] == "logs"
                assert kind == "job"
                assert name in jobs | {ray_job_of(*job.rsplit("-", 1)) for job in jobs}


@pytest.mark.parametrize("example", golden_examples(), ids=str)
def test_each_request_has_one_json_row(example: Example) -> None:
    for stack in example.compiled().stacks:
        for words in commands(readme_of(stack)):
            if words[0] == "curl":
                (row,) = json.loads(words[words.index("-d") + 1])["instances"]
                assert row


def test_row_limit_matches_the_runtime() -> None:
    most = f"{MOST_ROWS:,}".replace(",", " ")

    assert f"| 413 | more than {most} rows in one request |" in section(files(VALID_SPEC)["README.md"])


def test_run_name_matches_the_launchers() -> None:
    for pipeline in ("train", "p" * 47):
        template: dict[str, Any] = {"metadata": {"name": pipeline}}
        metadata = named_after(template, f"{pipeline}-first")["metadata"]
        assert metadata == {"name": ray_job_of(pipeline, "first")}


def test_readme_mentions_the_preceding_pipeline() -> None:
    following = changed(
        'schedule: {cron: "0 4 * * 0", timeZone: Europe/Berlin}', "schedule: {after: pipelines.nightly}"
    )
    sentence = "Later runs of `retrain` start by themselves when one of `nightly` has succeeded."

    assert sentence in section(files(following)["README.md"])
    assert "start by themselves" not in section(files(VALID_SPEC)["README.md"])


def test_an_adapter_is_trained_after_its_base_is_imported() -> None:
    text = section(files(ADAPTED)["README.md"])
    imported, waits, trained, tuned = (
        text.index(part)
        for part in (
            "### Import",
            "`adapt` trains an adapter of `writer-chat`: its run fails unless a version of that model has the alias"
            " `champion`, so wait for it before you start that run.",
            "job/train-first --follow",
            "job/adapt-first --follow",
        )
    )

    assert imported < waits < trained < tuned
    assert "training pipeline, in this order, and follow it" in text
    assert "in this order" not in section(files(VALID_SPEC)["README.md"])


def test_a_base_that_is_named_by_its_number_needs_no_alias() -> None:
    text = section(files(ADAPTED.replace("base: chat@champion", "base: chat@1"))["README.md"])

    assert "its run fails unless version 1 of that model is registered, so wait for it" in text


def test_readme_has_the_approval_command() -> None:
    text = section(files(VALID_SPEC)["README.md"])
    unapproved = changed("  approvals: {promote: {from: [model-risk, payments-risk], minimum: 2}}\n", "")

    assert "2 of `model-risk`, `payments-risk`" in text
    assert "--model fraud-xgb --alias champion --digest DIGEST" in text
    assert "modelyard approve" not in section(files(unapproved)["README.md"])


def test_approval_command_names_the_environment() -> None:
    """The approval command has --env unless the README is for the base spec."""
    text = f"{VALID_SPEC}environments: {{trial: {{}}}}\n"
    base, trial = compile_text(text), compile_text(text, environment="trial")
    rest = "--model fraud-xgb --alias champion --digest DIGEST --key ~/.ssh/id_ed25519"

    assert f"modelyard approve . {rest}" in approve_commands(base.files)
    assert f"modelyard approve . --env trial {rest}" in approve_commands(trial.files)


def test_each_alias_with_approvals_has_groups_and_command() -> None:
    assert "{approvals: none}" in IMPORTING
    text = section(files(IMPORTING.replace("{approvals: none}", "{approvals: {from: [risk]}}"))["README.md"])

    assert "before each of these aliases moves to it" in text
    for alias in ("challenger", "champion"):
        assert f"| triage | `{alias}` | 1 of `risk` |" in text
        assert f"--model triage --alias {alias} --digest DIGEST" in text


def test_imported_models_mention_no_gate_or_training() -> None:
    """For imported models, the README mentions neither the gate nor training."""
    imports, trains = section(files(IMPORTING)["README.md"]), section(files(VALID_SPEC)["README.md"])

    assert "gate.json" not in imports
    assert "train" not in imports
    assert "names its source" in imports
    assert "one has to be imported, and approved" in imports
    assert "`modelyard/gate.json` of its run" in trains
    assert "modelyard.import" not in trains
    assert "one has to be trained, and approved" in trains


def test_only_existing_alerts_are_mentioned() -> None:
    without = changed("    slo: {p99: 50ms, availability: 99.95%}\n", "")

    assert "ModelyardSloBurn" in section(files(VALID_SPEC)["README.md"])
    assert "ModelyardSloBurn" not in section(files(without)["README.md"])


def test_approval_says_when_aliases_move() -> None:
    """The README must not promise an immediate move, because an approved version waits for a change window."""
    windows = 'windows: [{days: [mon], from: "09:00", to: "16:00"}]'
    freezes = "freezes: [{from: 2026-12-18, to: 2027-01-06}]"
    approvals = "  approvals: {promote: {from: [model-risk, payments-risk], minimum: 2}}\n"
    timed = changed(approvals, f"{approvals}  changes: {{{windows}, {freezes}}}\n")
    frozen = changed(approvals, f"{approvals}  changes: {{{freezes}}}\n")

    assert "aliases move only within its change windows and not during its freezes." in files(timed)["README.md"]
    assert "aliases move at any time except during its freezes." in files(frozen)["README.md"]
    assert "governance.changes" not in files(VALID_SPEC)["README.md"]
