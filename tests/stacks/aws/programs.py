"""Programs that use the AWS components, and helpers to inspect the resources they register under mocks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, TypeAlias

import modelyard_stacks
from tests.stacks.programs import Registration, registrations

Resources: TypeAlias = dict[str, Registration]

ACCOUNT = """\
from modelyard_stacks.aws.account import Account

account = Account("aws", region="eu-central-1", tags={"modelyard:system": "fraud"})
"""
KEY = f"""\
{ACCOUNT}
from modelyard_stacks.aws.key import Key

key = Key("fraud-prod-main", account=account)
"""
NETWORK = f"""\
{KEY}
from modelyard_stacks.aws.network import Network

network = Network(
    "fraud-prod-main",
    account=account,
    key=key,
    nat="none",
    endpoints=["ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "sts"],
    log_days=90,
)
"""
CLUSTER = f"""\
{NETWORK}
from modelyard_stacks.aws.cluster import Cluster

cluster = Cluster(
    "fraud-prod-main",
    account=account,
    network=network,
    key=key,
    version="1.36",
    addons={{"eks-pod-identity-agent": "v1.3.0", "vpc-cni": "v1.20.0", "kube-proxy": "v1.36.0"}},
    log_days=365,
)
"""
POOLS = f"""\
{CLUSTER}
from modelyard_stacks.aws.nodes import NodePool

NodePool(
    "system",
    cluster=cluster,
    network=network,
    key=key,
    pool="system",
    machines=["m7g.large"],
    capacity="on-demand",
    min_nodes=3,
    max_nodes=6,
    disk_gib=60,
    arch="arm64",
    tainted=False,
)
NodePool(
    "train-spot",
    cluster=cluster,
    network=network,
    key=key,
    pool="train",
    machines=["g6.2xlarge", "g5.2xlarge"],
    capacity="spot",
    min_nodes=0,
    max_nodes=8,
    disk_gib=200,
    accelerator="nvidia",
    accelerators=1,
    accelerator_name="L4",
)
NodePool(
    "large",
    cluster=cluster,
    network=network,
    key=key,
    pool="large",
    machines=["p4d.24xlarge"],
    capacity="on-demand",
    min_nodes=0,
    max_nodes=4,
    disk_gib=50,
    local_gib=7450,
    accelerator="nvidia",
    accelerators=8,
    accelerator_name="A100-40GB",
    one_zone=True,
)
NodePool(
    "cheap",
    cluster=cluster,
    network=network,
    key=key,
    pool="cheap",
    machines=["inf2.xlarge"],
    capacity="on-demand",
    min_nodes=0,
    max_nodes=2,
    disk_gib=100,
    accelerator="neuron",
    accelerators=1,
)
"""


def registered(folder: Path, program: str, settings: str = "") -> Resources:
    """Return a program's registrations by type and name, such as `aws:kms/key:Key fraud-prod-main`."""
    shutil.copytree(next(iter(modelyard_stacks.__path__)), folder / "modelyard_stacks")
    (folder / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
    lines = "".join(f"  tiny:{line}\n" for line in settings.splitlines())
    (folder / "Pulumi.prod.yaml").write_text(f"config:\n{lines}" if lines else "{}\n")
    (folder / "__main__.py").write_text(program)
    (resources,) = registrations(folder)
    assert len({(each["type"], each["name"]) for each in resources}) == len(resources)
    return {f"{each['type']} {each['name']}": each for each in resources}


def of(resources: Resources, type_: str) -> dict[str, Registration]:
    """Return the registrations of one resource type, by name."""
    return {each["name"]: each for each in resources.values() if each["type"] == type_}


def inputs(resources: Resources, type_: str, name: str) -> dict[str, Any]:
    """Return a resource's inputs."""
    values: dict[str, Any] = resources[f"{type_} {name}"]["inputs"]
    return values


def needs(resources: Resources, type_: str, name: str) -> set[str]:
    """Return the type and name of each of a resource's dependencies, e.g. `aws:kms/key:Key fraud-prod-main`."""
    return {" ".join(urn.rpartition("$")[2].split("::")) for urn in resources[f"{type_} {name}"]["dependsOn"]}


def policy(text: str) -> dict[str, dict[str, Any]]:
    """Return the statements of a policy document, keyed by Sid."""
    statements = json.loads(text)["Statement"]
    assert len({each["Sid"] for each in statements}) == len(statements)
    return {each["Sid"]: each for each in statements}


def elsewhere(resources: Resources) -> set[str]:
    """Return the AWS resources outside the program's account or any component."""
    return {
        where
        for where, each in resources.items()
        if each["type"].startswith("aws:")
        and (
            each["provider"] != "pulumi:pulumi:Stack$pulumi:providers:aws::aws"
            or "modelyard:aws:" not in each["parent"]
        )
    }


def allowed_everywhere(resources: Resources) -> dict[str, set[str]]:
    """Return the Sids of statements that allow all resources or actions, keyed by the resource's type and name."""
    wide: dict[str, set[str]] = {}
    for where, each in resources.items():
        for field in ("policy", "assumeRolePolicy"):
            for sid, statement in policy(each["inputs"].get(field, '{"Statement": []}')).items():
                words = [statement["Action"], statement.get("Resource", ())]
                if statement["Effect"] == "Allow" and any(
                    "*" in ([word] if isinstance(word, str) else word) for word in words
                ):
                    wide.setdefault(where, set()).add(sid)
    return wide
