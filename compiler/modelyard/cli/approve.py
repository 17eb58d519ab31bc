"""`modelyard approve`: sign, with an SSH key, a statement that a model version may go live."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from modelyard.cli.console import report, say
from modelyard.cli.inputs import APPROVALS, gather, spec_path
from modelyard.disk.single import write_file_atomically
from modelyard.nearest import nearest
from modelyard.patterns import pattern
from modelyard.pipeline import understand
from modelyard.public_keys import NotAKey, PublicKey, public_key, reason
from modelyard.spec import Approval, System
from modelyard_targets import TARGETS

NAMESPACE = "approval@modelyard.dev"
"""The signature's namespace, for `ssh-keygen -Y sign -n`."""

TAG = "modelyard.approval."
_HEX = 64
_SHORT = 12
_DIGEST = pattern(rf"sha256:[0-9a-f]{{{_HEX}}}")
_LONGEST = 4500  # the maximum length of a tag in MLflow's database, with a margin


class CannotApprove(Exception):
    """Raised if no statement can be signed. The message explains the reason."""


def run(arguments: argparse.Namespace) -> int:
    """Sign the statement, then print the approval or store it with the version. Returns 1 on failure."""
    inputs, problems = gather(arguments)
    outcome = understand(inputs, TARGETS) if inputs is not None else None
    if inputs is None or outcome is None or outcome.plan is None:
        report(problems if outcome is None else outcome.diagnostics, inputs.files() if inputs else (), "text", "auto")
        return 1
    try:
        _approve(arguments, outcome.plan.system)
    except CannotApprove as problem:
        say(f"error: {problem}")
        return 1
    return 0


def _approve(arguments: argparse.Namespace, system: System) -> None:
    key = str(arguments.key)
    public = own_key(key)
    model, alias = _model(system, str(arguments.model), arguments.alias)
    approval = system.approval(model, alias)
    if approval is None:
        raise CannotApprove(f"this spec requires no approvals to move alias {alias!r} of model {model!r}")
    group, registered = _group(system, approval, public), system.models[model].registered_name
    registry, version = _place(arguments)
    tags = _looked_up(system, registry, registered, version, alias) if registry else None
    digest = _digest(arguments.digest, tags, version)
    about = statement(system, registered, alias, digest)
    evidence = signed({**about, "by": public.comment, "at": _now(), "reason": _reason(arguments.reason)}, Path(key))
    if len(evidence) > _LONGEST:
        raise CannotApprove(f"the statement has {len(evidence)} characters, but the registry allows only {_LONGEST}")
    tag = f"{TAG}{group}"
    where = f"{digest} of {registered} for {alias!r} in environment {about['environment']!r}, on behalf of {group}"
    if arguments.save:
        path = _save(spec_path(str(arguments.spec)), group, about, evidence)
        say(f"approved {where}; commit {path}, then compile and apply\n{_needed(approval, 'a file')}")
        return
    if registry:
        from modelyard.cli.approve_registry import keep
        from modelyard.cli.approve_version import still_missing

        tags = keep(registry, registered, version, tag, evidence)
        say(f"approved {where}; stored with version {version}\n{still_missing(system, approval, about, tags)}")
        return
    sys.stdout.write(evidence + "\n")
    say(f"approved {where}; set it as the tag {tag} of the version\n{_needed(approval, 'a tag')}")


def _save(spec: str, group: str, about: Mapping[str, str], evidence: str) -> str:
    """Write an approval to a file next to the spec. Its name is derived from the content."""
    folder = Path(spec).parent / APPROVALS / group
    short = about["digest"].removeprefix("sha256:")[:_SHORT]
    path = folder / f"{about['environment']}-{about['model']}-{about['alias']}-{short}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        problems = write_file_atomically(path, f"{evidence}\n".encode())
    except OSError as problem:
        raise CannotApprove(f"cannot create {folder}: {problem.strerror}") from None
    if problems:
        raise CannotApprove(problems[0].message)
    return str(path)


def _place(arguments: argparse.Namespace) -> tuple[str, str]:
    """Return the registry URL and model version to store the approval with, or empty strings to print it."""
    registry, version = arguments.registry, str(arguments.version or "")
    if registry is None:
        if version:
            raise CannotApprove("--version requires --registry URL; without a registry, use --digest")
        return "", ""
    from modelyard.cli.approve_registry import checked

    address = checked(str(registry))
    if not re.fullmatch("[0-9]{1,18}", version):
        raise CannotApprove("set the version's number with --version")
    return address, version


def _looked_up(system: System, registry: str, registered: str, version: str, alias: str) -> Mapping[str, str]:
    """Check that a model version can be approved, print a summary for the signer, and return the version's tags."""
    from modelyard.cli.approve_registry import tags_of
    from modelyard.cli.approve_version import described, judge

    tags = tags_of(registry, registered, version)
    here = system.environment or "default"
    say(f"version {version} of {registered} for {alias!r} in environment {here!r}: {described(tags)}")
    judge(system, tags, version, alias)
    return tags


def _digest(typed: str | None, tags: Mapping[str, str] | None, version: str) -> str:
    """Return the digest to approve: the registry's, if any (it must match `--digest`), otherwise `--digest`."""
    if typed is not None and not _DIGEST.fullmatch(typed):
        raise CannotApprove(
            f"--digest must be sha256: and {_HEX} digits of 0-9 and a-f, not {typed[:80]!r}; "
            "use the version's tag modelyard.digest"
        )
    if tags is None:
        if typed is None:
            raise CannotApprove("set --digest sha256:… to the version's tag modelyard.digest")
        return typed
    recorded = tags.get("modelyard.digest", "")
    if not _DIGEST.fullmatch(recorded):
        raise CannotApprove(
            f"version {version} has no digest in its tag modelyard.digest, so it cannot be approved: "
            "its training did not finish, or it was not trained by modelyard"
        )
    if typed not in {None, recorded}:
        raise CannotApprove(f"version {version} has the digest {recorded}, which differs from --digest")
    return recorded


def _reason(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise CannotApprove("--reason is not valid UTF-8") from None
    return text


def _needed(approval: Approval, kept: str) -> str:
    return f"the version needs {approval.minimum} of {', '.join(approval.groups)}, each with {kept} of its own"


def statement(system: System, registered: str, alias: str, digest: str) -> dict[str, str]:
    """Return the content of an approval, which the runtime verifies before moving the alias."""
    return {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "Approval",
        "action": "promote",
        "system": system.metadata.name,
        "environment": system.environment or "default",
        "model": registered,
        "alias": alias,
        "digest": digest,
    }


def signed(content: Mapping[str, str], key: Path) -> str:
    """Sign the statement with ssh-keygen, which may prompt for a passphrase or a touch."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    with tempfile.TemporaryDirectory(prefix="approval-") as folder:
        file = Path(folder) / "statement.json"
        file.write_text(text, encoding="utf-8")
        command = ["ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(key), str(file)]
        try:
            result = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        except OSError:
            raise CannotApprove("ssh-keygen is not installed; it is part of OpenSSH") from None
        signature_file = Path(f"{file}.sig")
        if result.returncode or not signature_file.exists():
            raise CannotApprove(f"ssh-keygen did not sign with {key}")
        signature = signature_file.read_text(encoding="utf-8")
    return json.dumps({"statement": text, "signature": signature})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def own_key(key: str) -> PublicKey:
    """Return the public key from the file next to the private key."""
    private = Path(key)
    if not key or not private.name:
        raise CannotApprove("set the key with --key FILE, such as ~/.ssh/id_ed25519")
    path = private if private.suffix == ".pub" else private.with_name(f"{private.name}.pub")
    try:
        line = path.read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        raise CannotApprove(_no_key(private, path)) from None
    except OSError as problem:
        raise CannotApprove(f"{path} cannot be read: {problem.strerror}") from None
    except ValueError:
        raise CannotApprove(f"{path} is not a public key: it is not valid UTF-8") from None
    try:
        return public_key(line)
    except NotAKey as problem:
        raise CannotApprove(f"{path} is not a public key that can approve: {reason(line) or problem}") from None


def _no_key(private: Path, public: Path) -> str:
    if private == public:
        return f"{public} does not exist"
    if os.path.exists(private):
        quoted_key = shlex.quote(str(private))
        return f"{public} is missing; create it with ssh-keygen -y -f {quoted_key} > {shlex.quote(str(public))}"
    return f"neither {private} nor {public} exists"


def _group(system: System, approval: Approval, key: PublicKey) -> str:
    """Return which of the groups that may give this approval lists a public key."""
    for group in system.governance.approvers:
        if group.name in approval.groups and key.body in {public_key(line).body for line in group.ssh_keys}:
            return group.name
    raise CannotApprove("no group that may approve lists this key; see governance.approvers")


def _model(system: System, name: str, alias: str | None) -> tuple[str, str]:
    """Return the model name and the alias to approve. Without `alias`, pick the only one that requires approvals."""
    if name not in system.models:
        listed = ", ".join(system.models) or "none"
        raise CannotApprove(f"the spec has no model {name!r}; it has {listed}{_suggestion(name, system.models)}")
    moved = system.promoted().get(name, ())
    listed = ", ".join(moved) or "none"
    if alias is not None and alias not in moved:
        raise CannotApprove(
            f"no promotion moves alias {alias!r} of model {name!r}, only {listed}{_suggestion(alias, moved)}"
        )
    with_approvals = [candidate for candidate in moved if system.approval(name, candidate) is not None]
    if alias is None and len(with_approvals) != 1:
        if not with_approvals:
            raise CannotApprove(f"this spec requires no approvals for {name!r}; see governance.approvals")
        listed = ", ".join(with_approvals)
        raise CannotApprove(f"choose an alias of {name!r} with --alias; these require approvals: {listed}")
    return name, alias or with_approvals[0]


def _suggestion(word: str, known: Iterable[str]) -> str:
    return nearest(word, known, "; did you mean {}?")
