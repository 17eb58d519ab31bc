"""Tests that the promoter gets the approval files next to a spec, but only valid ones."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from modelyard.api import output_files
from modelyard.inputs import InputFile, Inputs
from modelyard.pipeline import compile_system
from modelyard_runtime.promotion import approvals
from modelyard_runtime.workload.records import Promotion, Workload
from modelyard_targets import TARGETS
from tests.compiler.cli.commands import Run
from tests.runtime.described import record
from tests.specs import VALID_SPEC

DIGEST = "sha256:" + "a" * 64
KEY = '"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBQLxo1V/0nQZqp74G7iCeTrfUUVH2nBc2KM1WIYB+um model-risk"'
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
"""A public SSH key, github.com's host key, whose private half is not available to these tests."""


def promotions(text: str, *files: tuple[str, str]) -> dict[str, Any]:
    """Return the promoter's description of each pipeline, and the diagnostics for approval files."""
    inputs = Inputs(InputFile("system.yaml", text), approvals=tuple(InputFile(*file) for file in files))
    outcome = compile_system(inputs, TARGETS)
    described: dict[str, Any] = {
        "problems": [item.message for item in outcome.diagnostics if "approvals/" in item.message]
    }
    for file in output_files(outcome):
        if "promoter" in file.path and b"workload.json" in file.render():
            content = json.loads(next(item for item in _texts(file.render().decode()) if '"promotions"' in item))
            described |= content["promotions"]
    return described


def _texts(text: str) -> list[str]:
    import yaml

    objects: list[dict[str, Any]] = list(yaml.safe_load_all(text))
    return [str(value) for manifest in objects for value in dict[str, Any](manifest.get("data") or {}).values()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a spec that lists a key for model-risk. The key itself is stored elsewhere."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    spec = tmp_path / "fraud"
    spec.mkdir()
    line = (tmp_path / "key.pub").read_text().strip()
    (spec / "system.yaml").write_text(VALID_SPEC.replace(KEY, f'"{line}"'))
    return spec


def save(run: Run, folder: Path, *more: str) -> Path:
    """Run `modelyard approve --save`, and return the approval file."""
    arguments = ("--model", "fraud-xgb", "--alias", "champion", "--digest", DIGEST, "--key", str(folder.parent / "key"))
    result = run("approve", str(folder), *arguments, "--save", *more)
    assert result.code == 0, result.err
    (path,) = (folder / "approvals" / "model-risk").glob("*.json")
    assert f"commit {path}" in result.err
    return path


def test_saved_approvals_are_passed_to_the_promoter(run: Run, folder: Path) -> None:
    path = save(run, folder)
    assert path.name == f"default-fraud-fraud-xgb-champion-{'a' * 12}.json"
    text = (folder / "system.yaml").read_text()

    described = promotions(text, (f"approvals/model-risk/{path.name}", path.read_text()))

    assert described["problems"] == []
    policy = described["retrain"]["approvals"]
    assert "given" not in described["try-out"]["approvals"]
    workload = record(Workload, {"system": "fraud", "environment": "default"})
    promotion = record(Promotion, described["retrain"])
    standing = approvals.standing(workload, promotion, {}, DIGEST)
    assert [approval.group for approval in standing.approvals] == ["model-risk"]
    assert standing.missing == policy["minimum"] - 1
    assert not standing.refused
    other = approvals.standing(workload, promotion, {}, "sha256:" + "b" * 64)
    assert not other.approvals


def test_the_same_approval_in_both_places_counts_once(run: Run, folder: Path) -> None:
    evidence = json.dumps(json.loads(save(run, folder).read_text()))
    described = promotions((folder / "system.yaml").read_text(), ("approvals/a.json", evidence))

    tags = {f"{approvals.APPROVAL_TAG}model-risk": evidence}
    workload = record(Workload, {"system": "fraud", "environment": "default"})
    standing = approvals.standing(workload, record(Promotion, described["retrain"]), tags, DIGEST)

    assert (len(standing.approvals), standing.refused) == (1, ())


def test_new_approvals_change_the_output(run: Run, folder: Path) -> None:
    """The lock includes a hash of the approvals, so a new approval counts as a change."""
    assert run("compile", str(folder)).code == 0
    before = {path: path.read_bytes() for path in (folder / "build").rglob("*promoter*") if path.is_file()}
    save(run, folder)

    assert run("compile", str(folder)).code == 0
    after = {path: path.read_bytes() for path in (folder / "build").rglob("*promoter*") if path.is_file()}
    assert before != after
    assert any(DIGEST.encode() in content for content in after.values())
    assert run("verify", str(folder)).code == 0


def unverified(key: str) -> str:
    """Return an invalid signature naming the given key. The compiler accepts it, as only the runtime verifies it."""
    body = base64.b64decode(key.split()[1])
    data = b"SSHSIG\0\0\0\1" + len(body).to_bytes(4, "big") + body
    return f"-----BEGIN SSH SIGNATURE-----\n{base64.b64encode(data).decode()}\n-----END SSH SIGNATURE-----\n"


def changed_approval(signature: str = unverified(KEY), **other: Any) -> str:
    """Return an approval with some fields of its statement changed."""
    about = {
        "kind": "Approval",
        "action": "promote",
        "system": "fraud",
        "environment": "default",
        "model": "fraud-fraud-xgb",
        "alias": "champion",
        "digest": DIGEST,
        "at": "2026-11-26T12:00:00+00:00",
        **other,
    }
    return json.dumps({"statement": json.dumps(about), "signature": signature})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "is not an approval: it has no signed statement"),
        ("[]", "is not an approval: it has no signed statement"),
        ('{"statement": 1, "signature": ""}', "is not an approval: it has no signed statement"),
        ("<<<<<<< HEAD\n{}", "is not an approval: it has no signed statement"),
        ("[" * 5000, "is not an approval: it has no signed statement"),
        (changed_approval(digest=7), "is not an approval: it has no signed statement"),
        (changed_approval(action="demote"), "is not an approval: it has no signed statement"),
        (changed_approval(kind="Refusal"), "is not an approval: it has no signed statement"),
        ("x" * 5001, "is not an approval: it is longer than 5000 bytes"),
        (changed_approval("x"), "is not an approval: its signature was not made by ssh-keygen"),
        (
            changed_approval(unverified(OTHER)),
            "has no effect: the key that signed it is not in any of the required groups: ",
        ),
        (changed_approval(system="other"), "has no effect: it is for system 'other'"),
        (changed_approval(model="fraud-xgb"), "has no effect: no model has the registered name 'fraud-xgb'"),
        (changed_approval(alias="champoin"), "has no effect: no promotion moves alias 'champoin'"),
        (changed_approval(), ""),
        (changed_approval(environment="prod", alias="anything"), ""),
    ],
)
def test_ineffective_approval_files_are_reported(content: str, why: str) -> None:
    problems = promotions(VALID_SPEC, ("approvals/a.json", content))["problems"]

    assert [f"'approvals/a.json' {why}"] * bool(why) == problems or problems[0].startswith(f"'approvals/a.json' {why}")


def test_approvals_without_a_promoter_are_reported() -> None:
    adopted = VALID_SPEC.replace(
        "registry: {database: runs, artifacts: lake}", 'registry: {adopt: "https://mlflow.acme.example"}'
    )
    (problem,) = promotions(adopted, ("approvals/a.json", changed_approval()))["problems"]
    assert "only a promoter reads it, and none runs here" in problem


def test_approvals_for_a_stage_that_requires_none_are_reported() -> None:
    stages = "    stages: {candidate: {approvals: none}, champion: {after: candidate}}\n    explainability"
    staged = VALID_SPEC.replace("    explainability", stages).replace("    promoteTo: candidate\n", "")
    (problem,) = promotions(staged, ("approvals/a.json", changed_approval(alias="candidate")))["problems"]
    assert "nothing requires an approval before fraud-xgb@candidate moves" in problem


def test_too_many_approvals_for_a_configmap_are_refused() -> None:
    """Too many approvals are an error, as unverified files could displace a valid approval if some were left out."""
    files = [(f"approvals/{at}.json", changed_approval(digest=f"sha256:{at:064}")) for at in range(101)]

    assert promotions(VALID_SPEC, *files[:100])["problems"] == []
    (problem,) = promotions(VALID_SPEC, *files)["problems"]
    assert problem.startswith("'approvals/100.json' is one approval too many")


def test_a_link_out_of_the_repository_is_not_followed(run: Run, folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / "approvals").mkdir()
    outside = folder.parent / "token.json"
    outside.write_text('{"token": "hunter2"}')
    (folder / "approvals" / "a.json").symlink_to(outside)

    answer = run("validate", str(folder))

    assert answer.code == 1
    assert "is a symbolic link to a file outside the repository" in answer.err + answer.out
    assert "hunter2" not in answer.err + answer.out
