"""`modelyard approve`: a signed statement that one version of a model may go live, made with an SSH key."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from modelyard.cli.console import report, say
from modelyard.cli.inputs import gather
from modelyard.pipeline import understand
from modelyard.spec import System
from modelyard_targets import TARGETS

NAMESPACE = "approval@modelyard.dev"
"""What the signature is for: `ssh-keygen -Y sign -n`."""

TAG = "modelyard.approval."
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LONGEST = 4500  # characters of a tag that MLflow's database takes, with room to spare


class CannotApprove(Exception):
    """No statement is made; the message says why."""


def run(arguments: argparse.Namespace) -> int:
    """Sign, and print the statement or lay it beside the version; 1 where that cannot be."""
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
    line = _public_key(Path(arguments.key))
    group = _group(system, line)
    registered, alias = _model(system, arguments.model, arguments.alias)
    digest = str(arguments.digest or "")
    if arguments.registry and not digest:
        from modelyard.cli.approve_registry import digest_of

        digest = digest_of(arguments.registry, registered, arguments.version)
    if not _DIGEST.fullmatch(digest):
        raise CannotApprove("say which files are approved: --digest sha256:…, the tag modelyard.digest of the version")
    said = statement(system, registered, alias, digest)
    said |= {"by": line.partition(" ")[2].partition(" ")[2], "at": _now(), "reason": str(arguments.reason)}
    evidence = signed(said, Path(arguments.key))
    if len(evidence) > _LONGEST:
        raise CannotApprove(f"the statement has {len(evidence)} characters, and the registry takes {_LONGEST}")
    tag = f"{TAG}{group}"
    where = f"{digest} of {registered} for {alias!r}, in the name of {group}"
    if arguments.registry:
        from modelyard.cli.approve_registry import set_tag

        set_tag(arguments.registry, registered, arguments.version, tag, evidence)
        say(f"approved {where}; it lies beside version {arguments.version}")
        return
    sys.stdout.write(evidence + "\n")
    say(f"approved {where}; set it as the tag {tag} of the version")


def statement(system: System, registered: str, alias: str, digest: str) -> dict[str, str]:
    """What an approval is about, as the runtime compares it before the alias moves."""
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


def signed(said: Mapping[str, str], key: Path) -> str:
    """The statement with its signature; ssh-keygen asks for a passphrase or a touch itself."""
    text = json.dumps(said, ensure_ascii=False, sort_keys=True)
    with tempfile.TemporaryDirectory(prefix="approval-") as folder:
        file = Path(folder) / "statement.json"
        file.write_text(text, encoding="utf-8")
        command = ["ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", str(key), str(file)]
        try:
            done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        except FileNotFoundError:
            raise CannotApprove("ssh-keygen is not here; it is part of OpenSSH") from None
        if done.returncode:
            raise CannotApprove(f"ssh-keygen did not sign with {key}")
        signature = Path(f"{file}.sig").read_text(encoding="utf-8")
    return json.dumps({"statement": text, "signature": signature})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _public_key(key: Path) -> str:
    path = key if key.suffix == ".pub" else key.with_name(f"{key.name}.pub")
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise CannotApprove(f"the public key is not readable at {path}") from None


def _group(system: System, line: str) -> str:
    """The group whose approval the key gives."""
    approval = system.governance.approve_promotion
    if approval is None:
        raise CannotApprove("this spec asks for no approvals; see governance.approvals")
    body = ([*line.split(), "", ""])[1]
    for group in system.governance.approvers:
        if group.name in approval.groups and body in {one.split()[1] for one in group.ssh_keys}:
            return group.name
    raise CannotApprove("this key is listed for no group that may approve; see governance.approvers")


def _model(system: System, name: str, alias: str | None) -> tuple[str, str]:
    """The registered name of a model, and the alias that an approval lets move."""
    if name not in system.models:
        raise CannotApprove(f"there is no model {name!r}; there are {', '.join(system.models)}")
    moved = [
        pipeline.promote_to
        for pipeline in system.pipelines.values()
        if pipeline.type == "training" and pipeline.model is not None and pipeline.model.model == name
    ]
    found = [one for one in dict.fromkeys(moved) if alias in {None, one}]
    if len(found) != 1:
        listed = ", ".join(dict.fromkeys(moved)) or "none"
        raise CannotApprove(f"say which alias of {name!r} with --alias; pipelines move {listed}")
    return system.models[name].registered_name, found[0]
