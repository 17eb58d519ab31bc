"""Describe a version to its approver before and after signing, using its tags and the spec."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from modelyard.cli.approve import NAMESPACE, TAG, CannotApprove
from modelyard.cli.approve_registry import one_line
from modelyard.spec import Approval, Stage, System

_GATE, _FAILED = "modelyard.gate", "modelyard.gate.failed"
_IMPORT, _DIGEST = "modelyard.import", "modelyard.digest"
_WORKLOAD, _ENVIRONMENT = "modelyard.workload", "modelyard.environment"


def described(tags: Mapping[str, str]) -> str:
    """Return a summary of a version for its approver."""
    verdict = {"held": "it passed its gate", "": "its gate has no verdict yet"}.get(
        tags.get(_GATE, ""), "it failed its gate"
    )
    trainer, environment = (one_line(tags.get(tag, ""), 100) for tag in (_WORKLOAD, _ENVIRONMENT))
    where = f" in environment {environment!r}" if environment else ""
    if trainer.startswith("models."):
        source = one_line(tags.get(_IMPORT, ""), 200) or "an unrecorded source"
        return f"no gate has evaluated it; it was imported from {source}{where}"
    return f"{verdict}; it was trained by {trainer or 'something other than modelyard'}{where}"


def judge(system: System, tags: Mapping[str, str], version: str, alias: str) -> None:
    """Raise CannotApprove if an approval would have no effect, or one that the signer doesn't expect."""
    section, _, name = tags.get(_WORKLOAD, "").partition(".")
    pipeline = system.pipelines.get(name) if section == "pipelines" else None
    model = system.models.get(name) if section == "models" else None
    if pipeline is not None and pipeline.model is not None:
        model = system.models[pipeline.model.model]
    stages = model.stages if model is not None else ()
    stage = next((candidate for candidate in stages if candidate.alias == alias), None)
    if tags.get(_GATE, "held") != "held" and not _is_exempt(stage, tags):
        raise CannotApprove(f"version {version} failed its gate: it cannot go live, even with approvals")
    staged = stage is not None and bool(stage.after)
    if pipeline is not None and pipeline.type == "training" and pipeline.promote_to != alias and not staged:
        raise CannotApprove(
            f"version {version} was trained by pipelines.{name}, which promotes to {pipeline.promote_to!r}, "
            f"not {alias!r}"
        )
    imported = model.imported if model is not None and section == "models" else None
    if imported is not None and imported.digest != tags.get(_DIGEST):
        raise CannotApprove(f"version {version} is not the imported one, whose digest is {imported.digest}")
    current, other = system.environment or "default", tags.get(_ENVIRONMENT, "")
    if other and other != current and system.registry is not None and not system.registry.adopt:
        hint = "leave --env out" if other == "default" else f"add --env {one_line(other, 100)}"
        raise CannotApprove(
            f"version {version} was {'imported' if section == 'models' else 'trained'} in environment {other[:100]!r}, "
            f"but this approval would only count in {current!r}: {hint}"
        )


def _is_exempt(stage: Stage | None, tags: Mapping[str, str]) -> bool:
    """Return whether a stage accepts a version despite its failed checks."""
    try:
        failed: object = json.loads(tags.get(_FAILED, ""))
    except ValueError:
        return False
    required_checks = stage.checks if stage is not None else None
    return (
        required_checks is not None and isinstance(failed, list) and not any(line in failed for line in required_checks)
    )


def still_missing(system: System, approval: Approval, about: Mapping[str, str], tags: Mapping[str, str]) -> str:
    """Describe the approvals that a version still needs, given the signatures in its tags."""
    approving = _approving_groups(system, approval, about, tags)
    remaining = [group for group in approval.groups if group not in approving]
    missing = approval.minimum - len(approving)
    if missing <= 0:
        return f"it has all approvals, from {', '.join(approving)}"
    return f"it needs {missing} more, from {' or '.join(remaining)}"


def _approving_groups(
    system: System, approval: Approval, about: Mapping[str, str], tags: Mapping[str, str]
) -> list[str]:
    """Return the groups that have a valid approval in a version's tags."""
    groups = approval.groups
    lines = [
        f"{group.name} {' '.join(line.split()[:2])}\n"
        for group in system.governance.approvers
        for line in group.ssh_keys
        if group.name in groups
    ]
    approving: dict[str, None] = {}
    with tempfile.TemporaryDirectory(prefix="approvals-") as folder:
        allowed, signature = Path(folder, "allowed"), Path(folder, "signature")
        allowed.write_text("".join(lines), encoding="utf-8")
        for content in (content for tag, content in sorted(tags.items()) if tag.startswith(TAG)):
            if (read := _parsed_approval(content, about)) is None:
                continue
            signature.write_text(read[1], encoding="utf-8")
            signer = (
                candidate
                for candidate in groups
                if candidate not in approving and _verified(allowed, signature, candidate, read[0])
            )
            approving |= dict.fromkeys([*signer][:1])
    return list(approving)


def _parsed_approval(content: str, about: Mapping[str, str]) -> tuple[str, str] | None:
    """Return an approval's statement and signature, or None if it is invalid or doesn't match `about`."""
    try:
        approval = json.loads(content)
        statement, signature = str(approval["statement"]), str(approval["signature"])
        claims = json.loads(statement)
        fits = all(claims.get(name) == value for name, value in about.items())
        f"{statement}{signature}".encode()  # lone surrogates cannot be encoded in UTF-8
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return (statement, signature) if fits else None


def _verified(allowed: Path, signature: Path, group: str, statement: str) -> bool:
    command = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", group, "-n", NAMESPACE, "-s", str(signature)]
    return subprocess.run(command, input=statement.encode(), capture_output=True, check=False).returncode == 0
