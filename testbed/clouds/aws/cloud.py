"""AWS on loopback. Tests can inspect it, change it behind Pulumi's back, and make its calls fail."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.session
import yaml
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from testbed.clouds.aws.api import ENDPOINT, FOLDER
from testbed.clouds.aws.clusters import AUTHORITY, SERVER
from testbed.clouds.aws.fake_nodes import KUBECONFIG
from testbed.clouds.shared.orders import Orders
from testbed.clouds.shared.store import Store
from testbed.kubernetes.control_plane import Cluster
from testbed.places import REPOSITORY, cache
from testbed.processes import Processes, free_ports

ACCOUNT = "123456789012"
"""The default account of moto."""

_TOKEN = "MODELYARD_AWS_TOKEN"
_AWS = """#!/bin/sh
# The one command of the AWS command line that a kubeconfig asks for.
case " $* " in
*" eks get-token "*) ;;
*) echo "unknown command: aws $*" >&2; exit 2 ;;
esac
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"%s"}}' \
    "$MODELYARD_AWS_TOKEN"
"""


class Cloud:
    """A running stand-in for AWS. Its environment variables keep a stack from calling any other machine."""

    def __init__(self, folder: Path, endpoint: str, region: str, cluster: Cluster | None = None) -> None:
        self.folder = folder
        self.region = region
        self.orders = Orders(folder)
        self._endpoint = endpoint
        self._cluster = _kubernetes(cluster) if cluster else {}
        self._programs = folder / "bin"

    def variables(self) -> dict[str, str]:
        """Return the environment variables that let a stack find the provider and this cloud."""
        return {
            "PATH": str(self._programs),
            ENDPOINT: self._endpoint,
            FOLDER: str(self.folder),
            "AWS_REGION": self.region,
            "MODELYARD_CACHE": str(cache()),  # a stack has its own home folder, but kubectl is in our cache folder
            **self._cluster,
        }

    def client(self, service: str) -> Any:
        """Return a botocore client to inspect the cloud or change it manually."""
        return botocore.session.Session().create_client(
            service,
            region_name=self.region,
            endpoint_url=self._endpoint,
            aws_access_key_id="loopback",
            aws_secret_access_key="loopback",
            config=Config(s3={"addressing_style": "path"}),
        )

    def surprises(self) -> dict[str, Any]:
        """Return properties whose values the cloud changed after they were set, by resource type."""
        with Store(self.folder / "surprises.json").open() as everything:
            return everything


@contextmanager
def cloud(folder: Path, region: str = "eu-central-1", cluster: Cluster | None = None) -> Generator[Cloud]:
    """Run a stand-in for a new AWS account, and stop it on exit.

    `cluster` is the API server shared by all EKS clusters. Node groups add nodes to it, and kubeconfigs point to it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (port,) = free_ports(1)
    stand_in = Cloud(folder, f"http://127.0.0.1:{port}", region, cluster)
    _executable(folder / "bin" / "pulumi-resource-aws", _provider())
    _executable(folder / "bin" / "aws", _AWS)
    with Processes(folder) as processes:
        processes.start(
            "moto",
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "moto.server",
            "-H",
            "127.0.0.1",
            "-p",
            str(port),
            environment=os.environ | {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"},
        )
        processes.wait_until(lambda: _answers(stand_in), "moto answers", 60)
        yield stand_in


def _answers(stand_in: Cloud) -> bool:
    try:
        stand_in.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError):  # the server is not listening yet or is not ready
        return False
    return True


def _kubernetes(cluster: Cluster) -> dict[str, str]:
    """Return the variables that make all EKS clusters refer to the given one, whose certificate is self-signed."""
    config: Any = yaml.safe_load(cluster.kubeconfig.read_text())
    certificate = (cluster.folder / "certificates" / "apiserver.crt").read_bytes()
    return {
        SERVER: config["clusters"][0]["cluster"]["server"],
        AUTHORITY: base64.b64encode(certificate).decode(),
        KUBECONFIG: str(cluster.kubeconfig),
        _TOKEN: config["users"][0]["user"]["token"],
    }


def _provider() -> str:
    """Return a script that runs this repository's provider with this interpreter, regardless of the caller's."""
    python = f"env -u PYTHONHOME PYTHONPATH={REPOSITORY} {sys.executable} -W ignore -m testbed.clouds.aws.provider"
    return f'#!/bin/sh\nexec {python} "$@"\n'


def _executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
