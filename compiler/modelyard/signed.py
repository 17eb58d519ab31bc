"""Read approvals stored next to a spec, i.e. signed statements from a pull request.

They are written by `modelyard approve --save`. The runtime verifies the signatures using the keys in the spec before an
alias moves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics import signed as problems
from modelyard.inputs import InputFile
from modelyard.public_keys import NotAKey, public_key, signing_key
from modelyard.source import Span
from modelyard.spec import Signed, System

_LONGEST = 5000  # the maximum output size of `modelyard approve` in bytes, with a margin
_MOST = 100  # per environment, because a ConfigMap is limited to 1 MiB


def signed(system: System, files: Iterable[InputFile]) -> tuple[tuple[Signed, ...], tuple[Diagnostic, ...]]:
    """Read the approvals for an environment, and report errors in their files."""
    approvals: list[Signed] = []
    wrong: list[Diagnostic] = []
    for file in files:
        span = Span(file.path, 1, 1, 1)
        try:
            approval, system_name, environment, key = _read(file.content)
        except ValueError as problem:
            wrong.append(problems.approval_unreadable(span, str(problem)))
            continue
        if system_name != system.metadata.name:
            wrong.append(problems.approval_without_effect(span, f"it is for system {system_name[:80]!r}"))
        elif environment == (system.environment or "default"):
            reason = _without_effect(system, approval, key)
            if reason:
                wrong.append(problems.approval_without_effect(span, reason))
            else:
                approvals.append(approval)
                if len(approvals) == _MOST + 1:
                    wrong.append(problems.too_many_approvals(span, environment, _MOST))
    return tuple(approvals[:_MOST]), tuple(wrong)


def _read(content: str | bytes) -> tuple[Signed, str, str, bytes]:
    """Read an approval together with its system, environment and key. Raises ValueError if it is invalid."""
    if len(content) > _LONGEST:
        raise ValueError(f"it is longer than {_LONGEST} bytes")
    try:
        outer = json.loads(content)
        statement, signature = outer["statement"], outer["signature"]
        claims = json.loads(statement)
        names = [claims[name] for name in ("system", "environment", "model", "alias", "digest")]
        evidence = json.dumps({"statement": statement, "signature": signature})
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError("it has no signed statement") from None
    texts = all(isinstance(text, str) for text in (statement, signature, *names))
    if not texts or (claims.get("kind"), claims.get("action")) != ("Approval", "promote"):
        raise ValueError("it has no signed statement")
    system, environment, model, alias, digest = names
    try:
        key = signing_key(signature)
    except NotAKey:
        raise ValueError("its signature was not made by ssh-keygen") from None
    return Signed(model, alias, digest, evidence), system, environment, key


def _without_effect(system: System, approval: Signed, key: bytes) -> str:
    """Explain why an approval has no effect, or return "" if it may have an effect."""
    if system.registry is None or system.registry.adopt:
        return "only a promoter reads it, and none runs here; approve with --registry instead"
    by_name = {model.registered_name: model.name for model in system.models.values()}
    model = by_name.get(approval.model)
    if model is None:
        return f"no model has the registered name {approval.model[:80]!r}"
    if approval.alias not in system.promoted().get(model, ()):
        return f"no promotion moves alias {approval.alias[:80]!r} of model {model!r}"
    required = system.approval(model, approval.alias)
    if required is None:
        return f"nothing requires an approval before {model}@{approval.alias} moves"
    groups = [group for group in system.governance.approvers if group.name in required.groups]
    if any(_is_key_of(key, line) for group in groups for line in group.ssh_keys):
        return ""
    return f"the key that signed it is not in any of the required groups: {', '.join(required.groups)}"


def _is_key_of(key: bytes, line: str) -> bool:
    try:
        return public_key(line).body == key
    except NotAKey:  # reported as E0920
        return False
