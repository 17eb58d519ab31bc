"""Tests that approvals of registered model versions are stored, or refused if they would have no effect."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelyard_runtime.promotion import gate, imports, promoter
from modelyard_runtime.registry import lineage
from tests.compiler.cli.approving import DIGEST, OTHER, TAG, Registry, ask, listed
from tests.compiler.cli.commands import Run


def test_an_approval_is_stored_with_the_version(
    run: Run, tmp_path: Path, key: Path, registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An approval contains the digest recorded by training, and is stored with the model version."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "a password of hers")

    result = run(*ask(tmp_path, key, "--registry", registry, "--version", "7"))

    assert result.code == 0, result.err
    assert result.out == ""
    before = "version 7 of fraud-fraud-xgb for 'champion' in environment 'default': it passed its gate; it was trained"
    assert result.err.startswith(f"{before} by pipelines.retrain in environment 'default'\n")
    assert result.err.endswith("stored with version 7\nit needs 1 more, from payments-risk\n")
    assert json.loads(json.loads(Registry.tags[TAG])["statement"])["digest"] == DIGEST
    assert set(Registry.logins) == {"Basic YWRhOmEgcGFzc3dvcmQgb2YgaGVycw=="}


def test_the_last_required_approval_reports_completion(run: Run, tmp_path: Path, key: Path, registry: str) -> None:
    """Like in the runtime, earlier approvals are recognized by their signatures rather than their tag names."""
    bob = listed(tmp_path, "payments-risk", "bob@acme.example")
    Registry.tags["modelyard.approval.payments-risk"] = run(*ask(tmp_path, bob, "--digest", OTHER)).out
    result = run(*ask(tmp_path, key, "--registry", registry, "--version", "7"))
    assert result.err.endswith("it needs 1 more, from payments-risk\n"), result.err

    result = run(*ask(tmp_path, bob, "--registry", registry, "--version", "7"))

    assert result.err.endswith("it has all approvals, from model-risk, payments-risk\n"), result.err


def test_a_missing_version_is_reported(run: Run, tmp_path: Path, key: Path, registry: str) -> None:
    result = run(*ask(tmp_path, key, "--registry", registry, "--version", "8"))

    assert result.code == 1
    assert "the registry responds 404: version 8 not found" in result.err


@pytest.mark.parametrize(
    ("tags", "more", "why"),
    [
        ({}, ("--digest", OTHER), f"version 7 has the digest {DIGEST}, which differs from --digest"),
        ({gate.GATE_TAG: "refused"}, (), "version 7 failed its gate"),
        (
            {lineage.WORKLOAD_TAG: "pipelines.try-out"},
            (),
            "trained by pipelines.try-out, which promotes to 'candidate', not",
        ),
        ({"modelyard.environment": "prod"}, (), "would only count in 'default': add --env prod"),
        ({"modelyard.digest": ""}, (), "version 7 has no digest in its tag modelyard.digest,"),
        ({"modelyard.digest": "sha256:1"}, ("--digest", DIGEST), "version 7 has no digest in its tag"),
    ],
)
def test_useless_approvals_are_refused(
    run: Run, tmp_path: Path, key: Path, registry: str, tags: dict[str, str], more: tuple[str, ...], why: str
) -> None:
    """An approval that would have no effect is refused before anything is signed or stored."""
    Registry.tags |= tags

    result = run(*ask(tmp_path, key, "--registry", registry, "--version", "7", *more))

    assert result.code == 1
    assert why in result.err
    assert TAG not in Registry.tags


@pytest.mark.parametrize(("failed", "code"), [('["beats-champion"]', 0), ('["auc-pr"]', 1), ("", 1)])
def test_a_failed_check_that_the_stage_does_not_require_is_ignored(
    run: Run, tmp_path: Path, key: Path, registry: str, failed: str, code: int
) -> None:
    """Only checks for the alias's stage count, since versions of other pipelines may also get the alias."""
    spec = tmp_path / "system.yaml"
    stages = (
        "    stages: {candidate: {approvals: none}, champion: {after: candidate, checks: [auc-pr]}}\n    explainability"
    )
    text = spec.read_text(encoding="utf-8").replace("    explainability", stages)
    spec.write_text(text.replace("    promoteTo: candidate\n", ""), encoding="utf-8")
    Registry.tags |= {gate.GATE_TAG: "refused", promoter.FAILED_TAG: failed}

    result = run(*ask(tmp_path, key, "--registry", registry, "--version", "7"))

    assert result.code == code, result.err
    assert ("version 7 failed its gate" in result.err) is bool(code)


@pytest.mark.parametrize(
    ("digest", "code", "why"),
    [
        (DIGEST, 0, "no gate has evaluated it; it was imported from models:/shared/4"),
        (OTHER, 1, f"version 7 is not the imported one, whose digest is {OTHER}"),
    ],
)
def test_an_imported_version_must_have_the_digest_in_the_spec(
    run: Run, tmp_path: Path, key: Path, registry: str, digest: str, code: int, why: str
) -> None:
    """The digest in the registry must match the spec. The approver is shown where the files come from."""
    source = f'{{uri: "models:/shared/4", digest: "{digest}"}}'
    bought = f"{{task: regression, framework: custom, registeredName: fraud-fraud-xgb, import: {source}}}"
    spec = tmp_path / "system.yaml"
    text = spec.read_text(encoding="utf-8").replace("fraud-xgb:\n", "fraud-xgb:\n    registeredName: other\n")
    spec.write_text(text.replace("pipelines:\n", f"  bought: {bought}\npipelines:\n", 1), encoding="utf-8")
    Registry.tags |= {lineage.WORKLOAD_TAG: "models.bought", imports.FROM_TAG: "models:/shared/4"}
    arguments = ["approve", str(tmp_path), "--model", "bought", "--key", str(key), "--alias", "champion"]

    result = run(*arguments, "--registry", registry, "--version", "7")

    assert result.code == code, result.err
    assert why in result.err


def test_a_tag_cannot_start_a_line_of_output(run: Run, tmp_path: Path, key: Path, registry: str) -> None:
    """Tags are printed without line breaks, or anyone who can edit model versions could fake a verdict."""
    Registry.tags[lineage.WORKLOAD_TAG] = "pipelines.x\napproved by everybody"

    result = run(*ask(tmp_path, key, "--registry", registry, "--version", "7"))

    assert "\napproved by everybody" not in result.err
    assert "trained by pipelines.x approved by everybody" in result.err


def test_an_adopted_registry_may_have_versions_from_other_environments(
    run: Run, tmp_path: Path, key: Path, registry: str
) -> None:
    """A version may be trained in staging and used in production. The output shows where it was trained."""
    spec = tmp_path / "system.yaml"
    adopted = "registry: {adopt: 'https://mlflow.acme.example'}"
    text = spec.read_text(encoding="utf-8").replace("registry: {database: runs, artifacts: lake}", adopted)
    spec.write_text(text.replace("  runs: {type: database}\n", ""), encoding="utf-8")
    Registry.tags["modelyard.environment"] = "staging"

    result = run(*ask(tmp_path, key, "--registry", registry, "--version", "7"))

    assert result.code == 0, result.err
    assert "it passed its gate; it was trained by pipelines.retrain in environment 'staging'" in result.err


def test_an_approval_that_the_registry_drops_is_a_failure(run: Run, tmp_path: Path, key: Path, registry: str) -> None:
    Registry.forgets = True

    result = run(*ask(tmp_path, key, "--registry", registry, "--version", "7"))

    assert result.code == 1
    assert "accepted the approval but did not keep it" in result.err
    assert "stored with version" not in result.err


def http(body: bytes, head: bytes = b"200 OK\r\nContent-Type: application/json") -> bytes:
    """Return an HTTP response as bytes."""
    return b"HTTP/1.0 " + head + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (http(b"[]"), "is not in MLflow's format"),
        (http(b"null"), "is not in MLflow's format"),
        (http(b'{"model_version": null}'), "does not describe a model version"),
        (http(b'{"model_version": {"tags": null}}'), "version 7 has no digest in its tag modelyard.digest,"),
        (http(b'{"model_version": {"tags": ["a"]}}'), "does not describe a model version"),
        (http(b'{"model_version": {"tags": 7}}'), "does not describe a model version"),
        (http(b'{"model', b"200 OK\r\nContent-Length: 900"), "ends too early"),
        (http(b"5\r\n{", b"200 OK\r\nTransfer-Encoding: chunked").replace(b"/1.0", b"/1.1"), "ends too early"),
        (b"SSH-2.0-OpenSSH_10.0\r\n", "does not use HTTP"),
        (http(b"[" * 200_000), "something that is not JSON"),
        (http(b'"' + b"a" * 9 * 2**20), "exceeds 8 MiB"),
        (http(b"\xff\xfe"), "something that is not JSON"),
        (http(b"<!doctype html><title>Log in</title>"), "responds with a web page"),
        (http(b"<html>", b"401 Unauthorized"), "401: Unauthorized; set MLFLOW_TRACKING_USERNAME"),
        (http(b"[" * 200_000, b"500 Internal Server Error"), "the registry responds 500: Internal Server Error"),
    ],
    ids=range(15),
)
def test_unexpected_responses_print_one_line(
    run: Run, tmp_path: Path, key: Path, registry: str, answer: bytes, why: str
) -> None:
    Registry.instead = answer

    result = run(*ask(tmp_path, key, "--registry", registry, "--version", "7"))

    assert result.code == 1, result.err
    assert why in result.err
    assert "<html>" not in result.err


def test_a_redirect_is_not_followed(
    run: Run, tmp_path: Path, key: Path, registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirect fails the approval so that credentials are only sent to the given address."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    Registry.instead = http(b"", f"302 Found\r\nLocation: {registry}/elsewhere?next=1".encode())

    result = run(*ask(tmp_path, key, "--registry", registry, "--version", "7"))

    assert result.code == 1
    assert f"the registry redirects to {registry}/elsewhere, but redirects are not followed" in result.err
    assert len(Registry.logins) == 1
