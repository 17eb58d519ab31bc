"""Signs approvals with ssh-keygen, as users do, and attaches them to model versions."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelyard_runtime.promotion.approvals import APPROVAL_TAG, NAMESPACE
from modelyard_runtime.registry import client as registry


class Signer:
    """A person with an SSH key."""

    def __init__(self, folder: Path, name: str, kind: str = "ed25519") -> None:
        folder.mkdir(exist_ok=True)
        self.key = folder / name
        command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", str(self.key)]
        subprocess.run(command, check=True, capture_output=True)
        self.line = self.key.with_suffix(".pub").read_text().strip()

    def sign(self, content: Mapping[str, Any], namespace: str = NAMESPACE) -> str:
        """Return a signed statement in the registry's format."""
        statement, file = json.dumps(content), self.key.with_suffix(".json")
        file.write_text(statement)
        signed = Path(f"{file}.sig")
        signed.unlink(missing_ok=True)
        command = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(self.key), str(file)]
        subprocess.run(command, check=True, capture_output=True)
        return json.dumps({"statement": statement, "signature": signed.read_text()})

    def approve(self, version: registry.Version, content: Mapping[str, Any]) -> None:
        """Attach a signed statement to a version as an approval."""
        registry.tag(version, {f"{APPROVAL_TAG}{self.key.name}": self.sign(content)})


class Existing(Signer):
    """A person whose SSH key already exists."""

    def __init__(self, folder: Path, name: str) -> None:
        self.key = folder / name
        self.line = self.key.with_suffix(".pub").read_text().strip()
