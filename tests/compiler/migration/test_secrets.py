"""Tests that a plan's commands copy secrets to another service, using its names, and never print values."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from modelyard.inputs import InputFile, Inputs
from modelyard.migration.planning import planned
from modelyard.migration.records import Migration, Step
from modelyard.migration.sides import MoveRequest, Side, sides_of
from modelyard.pipeline import compile_system
from modelyard.portability import Destination
from modelyard.usage import NO_USAGE
from modelyard_targets import TARGETS
from tests.compiler.migration.stepping import run_step

SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: support}
governance: {owner: {team: support, email: support@acme.example}}
deployment: {mode: cloud, PLACE, secretStores: {manager: {via: secrets-manager}}}
stores: {lake: {type: object}, runs: {type: database}}
registry: {database: runs, artifacts: lake}
models:
  chat:
    task: text-generation
    framework: transformers
    import:
      store: lake
      path: incoming/chat/1
      digest: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
inference:
  assistant:
    variants: {live: {model: chat@champion}}
    compute: {cpu: 8, memory: 16Gi}
    generation: {contextLength: 4096, maxTokens: 512, concurrency: 4}
    endpoint: {exposure: internal, auth: {type: bearer-token, token: "secret://manager/support/token#value"}}
"""
PLACES = {
    "aws": Destination("aws", "eu-central-1"),
    "gcp": Destination("gcp", "europe-west3"),
    "azure": Destination("azure", "germanywestcentral"),
}
VALUE = json.dumps({"value": "it's $SECRET"})
PROGRAM = """\
#!/bin/sh
echo "$(basename "$0") $*" >> "$HOME"/calls
case "$*" in
*" stack output "*) echo "of-$(echo "$*" | cut -d/ -f2)" ;;
*get-secret-value*|*"versions access"*|*"secret show"*|get*) cat "$HOME"/old ;;
*put-secret-value*|*"versions add"*|*"secret set"*) cat > "$HOME"/new ;;
*describe*) exit 1 ;;
esac
"""
"""Stand-ins for the command-line tools of all secret services. They record each call with its arguments."""

STORED = {
    ("aws", "gcp"): [
        "aws secretsmanager --region eu-central-1 get-secret-value --secret-id support/token --query SecretString"
        " --output text",
        "pulumi --cwd build/moved/main/infrastructure stack output project --stack moved",
        "gcloud secrets describe support-token --project of-moved",
        "gcloud secrets create support-token --project of-moved --replication-policy=user-managed"
        " --locations=europe-west3",
        "gcloud secrets versions add support-token --project of-moved --data-file=-",
    ],
    ("gcp", "azure"): [
        "pulumi --cwd build/default/main/infrastructure stack output project --stack default",
        "gcloud secrets versions access latest --secret support-token --project of-default",
        "pulumi --cwd build/moved/main/infrastructure stack output vault --stack moved",
        "az keyvault secret set --vault-name of-moved --name support-token --file /dev/stdin --output none",
    ],
    ("azure", "aws"): [
        "pulumi --cwd build/default/main/infrastructure stack output vault --stack default",
        "az keyvault secret show --vault-name of-default --name support-token --query value --output tsv",
        "aws secretsmanager --region eu-central-1 describe-secret --secret-id support/token",
        "aws secretsmanager --region eu-central-1 create-secret --name support/token",
        "aws secretsmanager --region eu-central-1 put-secret-value --secret-id support/token"
        " --secret-string file:///dev/stdin",
    ],
}
"""The expected calls of each move. The old side's value is read before anything is created on the new side."""


def plan(old: str, new: str) -> Migration:
    """Return the plan of a move from one cloud to another."""
    place = PLACES[old]
    text = SPEC.replace("PLACE", f"provider: {place.provider}, region: {place.region}")
    inputs = Inputs(InputFile("system.yaml", text))
    side = Side(inputs, compile_system(inputs, TARGETS))
    request = MoveRequest(("main",), PLACES[new], "moved", {})
    return planned(sides_of(request, side, TARGETS), (".",), "migration", TARGETS, NO_USAGE)[0]


def step_of(migration: Migration) -> Step:
    """Return the plan's step that stores the token in the new secret service."""
    (step,) = [step for phase in migration.phases for step in phase.do if "support/token" in step.text]
    return step


def run(step: Step, folder: Path, old: str) -> subprocess.CompletedProcess[str]:
    """Run a step's commands with command-line tool stand-ins. The old side's service has the given value."""
    (folder / "old").write_text(old, encoding="utf-8")
    return run_step(step, folder, dict.fromkeys(("aws", "gcloud", "az", "pulumi"), PROGRAM))


@pytest.mark.parametrize(("old", "new"), STORED)
def test_a_secret_keeps_its_value_under_the_name_of_the_new_service(old: str, new: str, tmp_path: Path) -> None:
    """The value only passes through pipes and never in an argument, which other users could see."""
    step = step_of(plan(old, new))
    ran = run(step, tmp_path, VALUE)

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert (tmp_path / "new").read_text() == VALUE
    assert (tmp_path / "calls").read_text().splitlines() == STORED[old, new]
    assert ("where it is called support-token" in step.text) is (new != "aws")


def test_a_value_that_cannot_be_read_replaces_nothing(tmp_path: Path) -> None:
    """If the commands continued, they would store an empty value, and workloads would start with it."""
    step = step_of(plan("azure", "aws"))
    denied = Step("", tuple(line.replace("az keyvault", "false keyvault") for line in step.commands))
    ran = run(denied, tmp_path, VALUE)

    assert denied.commands != step.commands
    assert ran.returncode != 0
    assert not (tmp_path / "new").exists()
