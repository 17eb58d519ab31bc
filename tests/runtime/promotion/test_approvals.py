"""Tests that an approval covers exactly one version and is signed with an approving group's key."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from modelyard_runtime.promotion.approvals import APPROVAL_TAG, standing, subject
from modelyard_runtime.workload.records import Promotion, Workload
from tests.runtime.described import record
from tests.runtime.signing import Signer

DIGEST = "sha256:" + "a" * 64


class Case:
    """A version that needs approval from two groups, and the statements they sign."""

    def __init__(self, folder: Path) -> None:
        self.risk, self.payments = Signer(folder, "risk"), Signer(folder, "payments", "ecdsa")
        self.deputy, self.stranger = Signer(folder, "deputy"), Signer(folder, "stranger", "rsa")
        self.workload: dict[str, Any] = {"system": "cards", "environment": "prod"}
        self.pipeline: dict[str, Any] = {
            "model": {"registeredName": "cards-fraud"},
            "promoteTo": "champion",
            "approvals": {
                "from": ["model-risk", "payments-risk"],
                "minimum": 2,
                "groups": {
                    "model-risk": {"sshKeys": [self.risk.line, self.deputy.line]},
                    "payments-risk": {"sshKeys": [self.payments.line]},
                    "others": {"sshKeys": [self.stranger.line]},
                },
            },
        }

    @property
    def about(self) -> dict[str, str]:
        """Return the contents of a statement that approves the version."""
        return subject(record(Workload, self.workload), record(Promotion, self.pipeline), DIGEST)

    def valid_approvals(self, *evidence: str, digest: str = DIGEST) -> tuple[list[str], int]:
        """Return the groups whose approvals are valid and the number of missing approvals."""
        tags = {f"{APPROVAL_TAG}{place}": approval for place, approval in enumerate(evidence)}
        outcome = standing(record(Workload, self.workload), record(Promotion, self.pipeline), tags, digest)
        assert len(outcome.refused) == len({*evidence}) - len(outcome.approvals)  # duplicates count as one approval
        return [approval.group for approval in outcome.approvals], outcome.missing


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_two_groups_approve_with_their_keys(case: Case) -> None:
    """Both groups' approvals count. A statement may contain additional fields."""
    risk = case.risk.sign({**case.about, "by": "ada", "at": "2026-11-26T08:00:00Z", "reason": "ticket 7"})
    payments = case.payments.sign(case.about)

    assert case.valid_approvals() == ([], 2)
    assert case.valid_approvals(risk) == (["model-risk"], 1)
    assert case.valid_approvals(payments, risk) == (["payments-risk", "model-risk"], 0)


@pytest.mark.parametrize(
    "other",
    [
        {"digest": "sha256:" + "b" * 64},
        {"environment": "staging"},
        {"system": "loans"},
        {"model": "cards-limit"},
        {"alias": "challenger"},
        {"action": "deploy"},
        {"kind": "Note"},
        {"apiVersion": "modelyard.dev/v2"},
    ],
)
def test_approval_of_something_else_does_not_count(case: Case, other: dict[str, str]) -> None:
    """The signature is valid but applies to another version, environment or model."""
    assert case.valid_approvals(case.risk.sign({**case.about, **other}), case.payments.sign(case.about)) == (
        ["payments-risk"],
        1,
    )


def test_a_signature_for_another_purpose_does_not_count(case: Case) -> None:
    """A commit signature doesn't count, even if the commit text equals a statement."""
    assert case.valid_approvals(case.risk.sign(case.about, "git")) == ([], 2)


def test_a_changed_statement_does_not_count(case: Case) -> None:
    """A statement that was signed for staging and then edited to say prod does not count."""
    approval = json.loads(case.risk.sign({**case.about, "environment": "staging"}))
    approval["statement"] = approval["statement"].replace("staging", "prod")

    assert case.valid_approvals(json.dumps(approval)) == ([], 2)


def test_a_signature_of_another_statement_does_not_count(case: Case) -> None:
    other = json.loads(case.risk.sign({**case.about, "digest": "sha256:b"}))
    other["statement"] = json.dumps(case.about)

    assert case.valid_approvals(json.dumps(other)) == ([], 2)


def test_key_outside_the_approving_groups_does_not_count(case: Case) -> None:
    """Keys of other groups, and keys that belong to no group, do not count."""
    assert case.valid_approvals(case.stranger.sign(case.about)) == ([], 2)
    case.pipeline["approvals"]["groups"].pop("others")
    assert case.valid_approvals(case.stranger.sign(case.about)) == ([], 2)


def test_each_group_and_key_counts_once(case: Case) -> None:
    """Two signatures from one group count once, and so does a person listed in both groups."""
    approvals = [case.risk.sign(case.about), case.deputy.sign(case.about)]
    assert case.valid_approvals(*approvals) == (["model-risk"], 1)

    case.pipeline["approvals"]["groups"]["payments-risk"]["sshKeys"].append(case.risk.line)
    assert case.valid_approvals(approvals[0], approvals[0]) == (["model-risk"], 1)


@pytest.mark.parametrize("content", [DIGEST, "", "{}", "[]", "null", '{"statement": 1, "signature": 2}', "[" * 30000])
def test_unsigned_tag_is_not_an_approval(case: Case, content: str) -> None:
    """An unsigned tag isn't an approval, not even a digest, which used to be enough."""
    assert case.valid_approvals(content) == ([], 2)


def test_malformed_tags_do_not_stop_the_promoter(case: Case) -> None:
    """Invalid Base64 or text must not stop the promoter, because anyone can write tags."""
    armored = "-----BEGIN SSH SIGNATURE-----\n\u00e9\n-----END SSH SIGNATURE-----"
    statement = json.dumps({**case.about, "reason": "\ud800"}, ensure_ascii=False)

    assert case.valid_approvals(json.dumps({"statement": json.dumps(case.about), "signature": armored})) == ([], 2)
    good = json.loads(case.risk.sign(case.about))
    assert case.valid_approvals(json.dumps({**good, "statement": statement})) == ([], 2)


@pytest.mark.parametrize(
    "line", ["ssh-rsa {body}", "ssh-ed25519 {cut}", "ssh-ed25519 AAAABBBBCCCC", "ssh-ed25519 \u00e9"]
)
def test_unreadable_key_does_not_affect_other_approvals(
    case: Case, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An unreadable key is skipped with a warning in any group. The group's other keys still count."""
    body = case.deputy.line.split()[1]
    wrong = line.format(body=body, cut=body[:-2])
    case.pipeline["approvals"]["groups"]["model-risk"]["sshKeys"].insert(0, wrong)

    approvals = case.risk.sign(case.about), case.payments.sign(case.about)
    assert case.valid_approvals(*approvals) == (["model-risk", "payments-risk"], 0)
    case.pipeline["approvals"]["groups"]["model-risk"]["sshKeys"] = [wrong]
    assert case.valid_approvals(*approvals) == (["payments-risk"], 1)
    assert "ignoring a key of model-risk that may approve" in caplog.text


def test_no_approval_is_missing_if_none_is_required(case: Case) -> None:
    case.pipeline.pop("approvals")

    assert case.valid_approvals() == ([], 0)


def test_auditor_can_verify_a_statement_with_ssh_keygen(tmp_path: Path) -> None:
    """The test runs the commands from the documentation on approvals."""
    page = (Path(__file__).parents[3] / "docs" / "approvals.md").read_text(encoding="utf-8")
    commands = [line for line in page.splitlines() if line.startswith(("python3 -c", "ssh-keygen -Y verify"))]
    assert len(commands) == 3
    ada = Signer(tmp_path, "risk")
    evidence = ada.sign({"digest": "sha256:1", "reason": "na\u00efve"})
    kind, key = ada.line.split()[:2]
    (tmp_path / "allowed").write_text(f"ada@acme.example {kind} {key}\n")
    (tmp_path / "evidence.json").write_text(f"{evidence}\n")
    script = "\n".join(["set -e", *commands])

    assert subprocess.run(["sh", "-c", script], cwd=tmp_path, check=False).returncode == 0
    (tmp_path / "evidence.json").write_text(evidence.replace(":1", ":2"))
    assert subprocess.run(["sh", "-c", script], cwd=tmp_path, check=False).returncode != 0
