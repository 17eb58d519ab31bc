"""A cloud account on loopback. Tests can inspect it, change it behind Pulumi's back, and make its calls fail."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any, Generic

import yaml

from testbed.clouds.shared.kinds import Cloud, Stored
from testbed.clouds.shared.orders import Orders
from testbed.clouds.shared.store import Store
from testbed.clouds.shared.stored import merged
from testbed.clouds.shared.values import Values
from testbed.kubernetes.control_plane import Cluster
from testbed.places import REPOSITORY, cache


class StoredAccount(Generic[Stored]):
    """An account whose resources are stored in a file.

    Its environment variables keep a stack from calling any other machine.
    """

    def __init__(self, folder: Path, api: Stored, cloud: Cloud[Stored]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.orders = Orders(folder)
        self.api = api
        self.cloud = cloud
        self._programs = folder / "bin"

    def variables(self) -> dict[str, str]:
        """Return the environment variables that let a stack find the provider and this cloud."""
        return {
            "PATH": str(self._programs),
            "MODELYARD_CACHE": str(cache()),  # a stack has its own home folder, but kubectl is in our cache folder
        }

    def surprises(self) -> dict[str, Any]:
        """Return properties whose values the cloud changed after they were set, by resource type."""
        with Store(self.folder / "surprises.json").open() as everything:
            return everything

    def find(self, token: str, start: str) -> tuple[str, Values]:
        """Return the ID and properties of the only resource of a type whose name or ID starts with the given prefix."""
        (only,) = [
            (identifier, values)
            for identifier, values in self.api.all(token).items()
            if identifier.startswith(start) or str(values.get("name", "")).startswith(start)
        ]
        return only

    def edit(self, token: str, identifier: str, **properties: Any) -> None:
        """Manually change properties of a resource, at any depth."""
        with self.api.store.open() as everything:
            stored = everything[token][identifier]
            stored["declared"] = merged(stored["declared"], properties)

    def remove(self, token: str, identifier: str) -> None:
        """Manually delete a resource and the resources that it contains."""
        self.cloud.remove(self.api, token, identifier)

    def left(self) -> dict[str, list[str]]:
        """Return the IDs of all resources by type."""
        names = {token.rpartition(":")[2]: sorted(self.api.store.all(token)) for token in self.cloud.kinds}
        return {name: each for name, each in names.items() if each}

    def _install(self, program: str, text: str) -> None:
        """Write a program into the folder that stacks search first."""
        path = self._programs / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def _install_provider(self, program: str, module: str) -> None:
        """Write a script that runs this repository's provider with this interpreter, regardless of the caller's."""
        python = f"env -u PYTHONHOME PYTHONPATH={REPOSITORY} {sys.executable} -W ignore -m {module}"
        self._install(program, f'#!/bin/sh\nexec {python} "$@"\n')


def connection(cluster: Cluster) -> tuple[str, str, str]:
    """Return the address of a cluster's API server, its self-signed certificate in base64, and a token."""
    config: Any = yaml.safe_load(cluster.kubeconfig.read_text())
    certificate = (cluster.folder / "certificates" / "apiserver.crt").read_bytes()
    token: str = config["users"][0]["user"]["token"]
    return str(config["clusters"][0]["cluster"]["server"]), base64.b64encode(certificate).decode(), token


def login_plugin(about: str, arguments: str, variable: str, version: str = "v1beta1") -> str:
    """Return a script that responds to a kubeconfig's login command with the token in a variable.

    `arguments` is a string that the command must contain.
    """
    answer = f'{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/{version}"'
    return f"""#!/bin/sh
# {about}
case " $* " in
*" {arguments} "*) ;;
*) echo "unknown arguments: $*" >&2; exit 2 ;;
esac
printf '{answer},"status":{{"token":"%s"}}}}' "${variable}"
"""
