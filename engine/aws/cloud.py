"""The AWS on loopback as tests see it: started, looked into, changed behind Pulumi's back, and told to make trouble."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config

from engine.aws.api import ENDPOINT, FOLDER
from engine.aws.orders import Orders
from engine.aws.store import Store
from engine.places import REPOSITORY
from engine.processes import Processes, free_ports

ACCOUNT = "123456789012"
"""The one account that moto knows."""


class Cloud:
    """A running AWS: no call of a stack that has its variables leaves this machine."""

    def __init__(self, folder: Path, endpoint: str, region: str) -> None:
        self.folder = folder
        self.region = region
        self.orders = Orders(folder)
        self._endpoint = endpoint
        self._programs = folder / "bin"

    def variables(self) -> dict[str, str]:
        """What a stack's environment needs so that the provider is found, and finds this cloud."""
        return {
            "PATH": str(self._programs),
            ENDPOINT: self._endpoint,
            FOLDER: str(self.folder),
            "AWS_REGION": self.region,
        }

    def client(self, service: str) -> Any:
        """A client of botocore, to look into the cloud or to change it by hand."""
        return botocore.session.Session().create_client(
            service,
            region_name=self.region,
            endpoint_url=self._endpoint,
            aws_access_key_id="loopback",
            aws_secret_access_key="loopback",
            config=Config(s3={"addressing_style": "path"}),
        )

    def surprises(self) -> dict[str, Any]:
        """Properties that the cloud does not say as it was told, by type; empty when the stand-in kept everything."""
        with Store(self.folder / "surprises.json").open() as everything:
            return everything


@contextmanager
def cloud(folder: Path, region: str = "eu-central-1") -> Generator[Cloud]:
    """An AWS without anything in it but what every account has; ended on leaving."""
    folder.mkdir(parents=True, exist_ok=True)
    (port,) = free_ports(1)
    found = Cloud(folder, f"http://127.0.0.1:{port}", region)
    _program(folder / "bin" / "pulumi-resource-aws", "engine.aws.provider")
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
        processes.wait_until(lambda: _answers(found), "moto answers", 60)
        yield found


def _answers(found: Cloud) -> bool:
    try:
        found.client("sts").get_caller_identity()
    except Exception:  # noqa: BLE001 - not there yet, in whatever way
        return False
    return True


def _program(path: Path, module: str) -> None:
    """An executable that runs a module of this repository with this interpreter, whatever the caller's own is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    python = f"env -u PYTHONHOME PYTHONPATH={REPOSITORY} {sys.executable} -W ignore -m {module}"
    path.write_text(f'#!/bin/sh\nexec {python} "$@"\n')
    path.chmod(0o755)
