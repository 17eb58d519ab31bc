"""Starts Azurite behind the proxy that acts as Azure, and provides identities for Pods."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from testbed import npm
from tests.runtime.storage.azure_on_loopback.certificates import Certificates
from tests.runtime.storage.azure_on_loopback.conditions import BLOBS, LIST
from tests.runtime.storage.azure_on_loopback.entra import CLUSTER, HOST, TENANT, Entra
from tests.runtime.storage.azure_on_loopback.front import Front
from tests.runtime.storage.azure_on_loopback.roles import ADD, DELETE, READ, WRITE, Role

ACCOUNT: Final = "devstoreaccount1"
CONTAINER: Final = "lake"
KEY: Final = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The key of Azurite's default account, published in its documentation."""

Mode = Literal["read", "write", "append"]
ACTIONS: Final[dict[Mode, tuple[str, ...]]] = {
    "read": (READ,),
    "write": (READ, WRITE, ADD, DELETE),
    "append": (ADD,),
}

_STARTED_S = 180


@dataclass(frozen=True, slots=True)
class Pod:
    """A Pod with a workload identity, including the variables and files provided by AKS's webhook."""

    client: str
    subject: str
    token_file: Path
    environment: dict[str, str]


class Cloud:
    """A storage account, an Entra ID tenant, and the Pods that use them."""

    def __init__(self, folder: Path, certificates: Certificates, azurite_port: int) -> None:
        from azure.storage.blob import ContainerClient

        self.entra = Entra()
        self.front = Front(self.entra, certificates, azurite_port)
        self.endpoint = f"https://127.0.0.1:{azurite_port}"
        self.authority = certificates.authority
        self._folder = folder
        self.container: Any = ContainerClient(
            f"{self.endpoint}/{ACCOUNT}",
            CONTAINER,
            credential=KEY,
            connection_verify=str(self.authority),
            use_env_settings=False,
        )
        self.container.create_container()

    def pod(self, name: str, modes: dict[Mode, str], issuer: str = CLUSTER) -> Pod:
        """Create an identity with a role for each mode and folder, and a Pod that uses it in the given cluster."""
        subject = f"system:serviceaccount:shop:{name}"
        client = self.entra.accept(subject, issuer)
        self.front.roles[client] = tuple(
            Role(CONTAINER, ACTIONS[mode], below(prefix, ACTIONS[mode])) for mode, prefix in modes.items()
        )
        token_file = self._folder / f"{client}.token"
        token_file.write_text(self.entra.service_account_token(subject, issuer=issuer))
        environment = {
            "AZURE_CLIENT_ID": client,
            "AZURE_TENANT_ID": TENANT,
            "AZURE_FEDERATED_TOKEN_FILE": str(token_file),
            "AZURE_AUTHORITY_HOST": f"https://{HOST}/",
            "HTTPS_PROXY": self.front.url,
            "NO_PROXY": "127.0.0.1",
            "REQUESTS_CA_BUNDLE": str(self.authority),
        }
        return Pod(client, subject, token_file, environment)


def below(prefix: str, actions: Sequence[str]) -> str:
    """Return the condition that modelyard writes for a role limited to a folder, such as `granted`."""
    condition = f"(({' AND '.join(_not_for_blobs(actions))}) OR ({_like('@Resource', 'path', prefix, f'{prefix}/*')}))"
    if READ in actions:
        listing = f"!(ActionMatches{{'{READ}'}} AND SubOperationMatches{{'{LIST}'}})"
        condition += f" AND (({listing}) OR ({_like('@Request', 'prefix', f'{prefix}/', f'{prefix}/*')}))"
    return condition


def _not_for_blobs(actions: Sequence[str]) -> Iterator[str]:
    for action in actions:
        suboperation = f" AND NOT SubOperationMatches{{'{LIST}'}}" if action == READ else ""
        yield f"!(ActionMatches{{'{action}'}}{suboperation})"


def _like(source: str, attribute: str, *patterns: str) -> str:
    texts = ", ".join(f"'{pattern}'" for pattern in patterns)
    return f"{source}[{BLOBS}:{attribute}] ForAnyOfAnyValues:StringLike {{{texts}}}"


@contextmanager
def azure_cloud(folder: Path) -> Generator[Cloud]:
    """Run Azurite behind the proxy, using TLS because Azure's clients require it for sending tokens."""
    certificates = Certificates(folder)
    log = folder / "azurite.log"
    tls = ["--cert", str(certificates.server), "--key", str(certificates.server_key), "--oauth", "basic"]
    with log.open("w") as stream:
        process = subprocess.Popen([*npm.azurite(), *tls], stdout=stream, stderr=subprocess.STDOUT, cwd=folder)
    try:
        cloud = Cloud(folder, certificates, _port(process, log))
        yield cloud
        cloud.front.shutdown()
        cloud.front.server_close()
    finally:
        process.kill()
        process.wait()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    """Wait for Azurite to print its port, which takes half a minute on a busy machine."""
    until = time.monotonic() + _STARTED_S
    while time.monotonic() < until and process.poll() is None:
        if matched := re.search(r"listens on https://127\.0\.0\.1:(\d+)", log.read_text()):
            return int(matched[1])
        time.sleep(0.1)
    raise RuntimeError(f"Azurite does not start: {log.read_text()}")
