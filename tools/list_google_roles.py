"""Lists the permissions of Google's predefined roles that the components in `stacks/` grant.

python tools/list_google_roles.py CLONE

`CLONE` is a clone of github.com/iann0036/iam-dataset. The tool reads its newest commit. The dataset's licence is MIT.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

TABLE: Final = Path(__file__).parent.parent / "tests" / "stacks" / "gcp" / "roles.json"

ROLES: Final = (
    "roles/artifactregistry.reader",
    "roles/cloudkms.cryptoKeyEncrypterDecrypter",
    "roles/container.defaultNodeServiceAccount",
    "roles/secretmanager.secretAccessor",
    "roles/storage.legacyBucketReader",
    "roles/storage.objectCreator",
    "roles/storage.objectUser",
    "roles/storage.objectViewer",
)
"""The roles to list, except the configurable one for administrators. A test compares them with the granted roles."""


def main() -> None:
    """Write the table of roles."""
    (clone,) = sys.argv[1:]
    commit, day = _git(clone, "log", "-1", "--format=%H %cs").split()
    about = f"Permissions of Google's predefined roles: github.com/iann0036/iam-dataset@{commit[:8]}, gcp/roles, {day}."
    roles = {role: _permissions(clone, role) for role in ROLES}
    TABLE.write_text(json.dumps({"about": about, "roles": roles}, indent=1) + "\n", encoding="utf-8")


def _permissions(clone: str, role: str) -> list[str]:
    described: dict[str, Any] = json.loads(_git(clone, "show", f"HEAD:gcp/{role}.json"))
    return sorted(described["includedPermissions"])


def _git(clone: str, *arguments: str) -> str:
    return subprocess.run(["git", "-C", clone, *arguments], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
