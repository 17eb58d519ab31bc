"""Lists the permissions of Azure's built-in roles that the components in `stacks/` assign.

python -m tools.list_azure_roles CLONE

`CLONE` is a clone of github.com/iann0036/iam-dataset. The tool reads its newest commit. The dataset's licence is MIT.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Final

from modelyard_stacks.azure import roles
from testbed.clouds.azure.rights import TABLE

ROLES: Final = frozenset(
    {
        roles.ACR_PULL,
        roles.CLUSTER_ADMIN,
        roles.CLUSTER_USER,
        roles.CRYPTO_USER,
        roles.DISK_ENCRYPTION,
        roles.ENCRYPTION_USER,
        roles.IDENTITY_OPERATOR,
        roles.NETWORK_CONTRIBUTOR,
        roles.SECRETS_USER,
        roles.VAULT_CONTRIBUTOR,
    }
)
"""The roles to list. A test compares them with the roles that the components assign."""


def main() -> None:
    """Write the table of roles."""
    (clone,) = sys.argv[1:]
    commit, day = _git(clone, "log", "-1", "--format=%H %cs").split()
    known: list[dict[str, Any]] = json.loads(_git(clone, "show", "HEAD:azure/built-in-roles-raw.json"))
    table = {each["name"]: _entry(each) for each in known if each["name"] in ROLES}
    about = (
        f"Azure's built-in roles: github.com/iann0036/iam-dataset@{commit[:8]}, azure/built-in-roles-raw.json, {day}."
    )
    text = json.dumps({"about": about, "roles": dict(sorted(table.items()))}, indent=1)
    TABLE.write_text(f"{text}\n", encoding="utf-8")


def _entry(role: dict[str, Any]) -> dict[str, Any]:
    kinds = ("actions", "notActions", "dataActions", "notDataActions")
    return {
        "name": role["roleName"],
        **{kind: sorted({action for each in role["permissions"] for action in each[kind]}) for kind in kinds},
    }


def _git(clone: str, *arguments: str) -> str:
    return subprocess.run(["git", "-C", clone, *arguments], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
