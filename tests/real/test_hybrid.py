"""Tests that access between the targets of a hybrid system works, is limited, and can be removed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from modelyard.pipeline import Outcome
from testbed.charts import ChartRepository
from testbed.clouds.aws.api import ENDPOINT
from testbed.clouds.aws.cloud import Cloud
from testbed.clouds.aws.cloud import cloud as running_cloud
from testbed.kubernetes import nodes
from testbed.kubernetes.control_plane import Cluster
from testbed.kubernetes.kubectl import Kubectl
from testbed.pulumi.stack import PulumiStack
from tests.examples import Example
from tests.hybrid import without_section
from tests.moto.cloud import Cloud as Moto
from tests.moto.cloud import permitted
from tests.real.test_examples import written

EXAMPLE = Example("fraud-detection", None)
LAKE = "acme-fraud-lake"
BUNDLE = "mlflow/bundles/fraud-detection-fraud-xgb/champion/"
OWN = "tills"
"""A namespace that represents the shops' cluster, because both clusters are the same in this test."""


@dataclass(frozen=True, slots=True)
class System:
    """The system's three stacks, in the order in which they are applied."""

    infrastructure: PulumiStack
    workloads: PulumiStack
    tills: PulumiStack


@pytest.fixture
def cloud(tmp_path: Path, control_plane: Cluster) -> Iterator[Cloud]:
    """Run an AWS stand-in whose clusters are the test bed's control plane; restore the nodes on teardown."""
    nodes.remove_nodes(control_plane.kubectl)
    with running_cloud(tmp_path / "cloud", cluster=control_plane) as stand_in:
        stand_in.client("s3").create_bucket(
            Bucket=LAKE, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        yield stand_in
    nodes.remove_nodes(control_plane.kubectl)
    nodes.add_nodes(
        control_plane.kubectl, [nodes.Node(f"large-{at}", resources=(("nvidia.com/gpu", 8),)) for at in range(2)]
    )


def compiled(*, till: bool = True, keys: str = "[1]") -> Outcome:
    """Compile the example with a separate namespace for the shops' workloads.

    `till` decides whether to include the only workload with cross-target access. `keys` lists its access keys.
    """
    text = (EXAMPLE.root / EXAMPLE.name / "system.yaml").read_text(encoding="utf-8")
    assert text.count("context: stores-frankfurt\n") == 1
    text = text.replace(
        "context: stores-frankfurt\n", f"context: stores-frankfurt\n      namespace: {OWN}\n      accessKeys: {keys}\n"
    )
    return EXAMPLE.compiled(text if till else without_section(text, "till"))


def system(
    folder: Path, backend: Path, cloud: Cloud, control_plane: Cluster, charts: ChartRepository, make: Callable[..., Any]
) -> System:
    """Return the stacks of a compiled system, sharing a state backend as stacks of one owner would."""
    backend.mkdir()
    variables = {**cloud.variables(), "PULUMI_BACKEND_URL": f"file://{backend}"}
    infrastructure = make(folder / "main" / "infrastructure", EXAMPLE.stack, **variables)
    workloads = make(folder / "main" / "workloads", EXAMPLE.stack, **variables)
    workloads.configure("chartRepository", charts.url)
    tills = make(folder / "stores" / "workloads", EXAMPLE.stack, **variables)
    tills.configure("kubeconfig", control_plane.kubeconfig.read_text(), secret=True)
    tills.configure("context", "bench")
    return System(infrastructure, workloads, tills)


def users(cloud: Cloud) -> list[str]:
    """Return the IAM users of the AWS account."""
    return [user["UserName"] for user in cloud.client("iam").list_users()["Users"]]


def key_of(kubectl: Kubectl, secret: str, number: int = 1) -> dict[str, str]:
    """Read an access key from a Secret in the shops' cluster and return it in AWS client format."""
    data = cast("dict[str, str]", kubectl.get("secret", secret, OWN)["data"])
    plain = {name: base64.b64decode(value).decode() for name, value in data.items()}
    return {"AccessKeyId": plain[f"access-key-id-{number}"], "SecretAccessKey": plain[f"secret-access-key-{number}"]}


def put_objects(cloud: Cloud) -> None:
    """Create a bundle that the till reads, and other objects next to it."""
    for path in (f"{BUNDLE}current.json", "mlflow/bundles/fraud-detection-fraud-xgb/candidate/a", "transactions/a"):
        cloud.client("s3").put_object(Bucket=LAKE, Key=path, Body=b"{}")


def test_lifecycle_of_cross_target_access(
    tmp_path: Path,
    cloud: Cloud,
    control_plane: Cluster,
    chart_repository: ChartRepository,
    pulumi_stack: Callable[..., PulumiStack],
) -> None:
    """The key grants read access to the bundle only.

    A second `pulumi up` is a no-op, and removing the till removes the key.
    """
    kubectl = control_plane.kubectl
    outcome = compiled()
    deployment = system(
        written(outcome, tmp_path / "build"),
        tmp_path / "backend",
        cloud,
        control_plane,
        chart_repository,
        pulumi_stack,
    )
    for stack in (deployment.infrastructure, deployment.workloads, deployment.tills):
        assert set(stack.up().changed.values()) == {"create"}

    (user,) = users(cloud)
    key = key_of(kubectl, "crossing-till")
    known = cloud.client("iam").list_access_keys(UserName=user)["AccessKeyMetadata"]
    assert [entry["AccessKeyId"] for entry in known] == [key["AccessKeyId"]]
    put_objects(cloud)
    the_key_opens_the_bundle_alone(Moto(cloud.variables()[ENDPOINT]), key)
    assert key["SecretAccessKey"] not in deployment.tills.command("stack", "export", "--stack", EXAMPLE.stack)

    for stack in (deployment.infrastructure, deployment.workloads, deployment.tills):
        assert stack.up().changed == {}

    a_key_takes_over(deployment, tmp_path, cloud, kubectl)
    the_till_is_removed(deployment, compiled(till=False), tmp_path / "without", cloud)

    for stack in (deployment.workloads, deployment.infrastructure):
        stack.configure("protect", "false")
        stack.up()
        stack.destroy(600)
        assert stack.resources() == []
    assert [entry["Name"] for entry in cloud.client("s3").list_buckets()["Buckets"]] == [LAKE]


def the_key_opens_the_bundle_alone(moto: Moto, key: dict[str, str]) -> None:
    """Check with moto's IAM that the access key given to Pods grants read access to the bundle only."""
    s3 = moto.client("s3", key)
    with moto.enforced():
        assert permitted(lambda: s3.get_object(Bucket=LAKE, Key=f"{BUNDLE}current.json"))
        for path in ("mlflow/bundles/fraud-detection-fraud-xgb/candidate/a", "transactions/a"):
            assert not permitted(lambda path=path: s3.get_object(Bucket=LAKE, Key=path))
        assert not permitted(lambda: s3.put_object(Bucket=LAKE, Key=f"{BUNDLE}current.json", Body=b""))
        assert not permitted(lambda: s3.delete_object(Bucket=LAKE, Key=f"{BUNDLE}current.json"))


def a_key_takes_over(system: System, folder: Path, cloud: Cloud, kubectl: Kubectl) -> None:
    """Rotate the key as described in the README.

    Pods get a second key, and both work until the first is removed.
    """
    both, second = written(compiled(keys="[1, 2]"), folder / "both"), written(compiled(keys="[2]"), folder / "second")
    moto, (user,) = Moto(cloud.variables()[ENDPOINT]), users(cloud)

    system.infrastructure.replace(both / "main" / "infrastructure")
    system.infrastructure.up()
    system.tills.replace(both / "stores" / "workloads")
    system.tills.up()
    for number in (1, 2):
        the_key_opens_the_bundle_alone(moto, key_of(kubectl, "crossing-till", number))
    server = json.dumps(cast("Any", kubectl.get("rayservice", "till", OWN))["spec"])
    assert "access-key-id-2" in server
    assert "access-key-id-1" not in server

    system.tills.replace(second / "stores" / "workloads")
    system.tills.up()
    system.infrastructure.replace(second / "main" / "infrastructure")
    system.infrastructure.up()
    key = key_of(kubectl, "crossing-till", 2)
    known = cloud.client("iam").list_access_keys(UserName=user)["AccessKeyMetadata"]
    assert [entry["AccessKeyId"] for entry in known] == [key["AccessKeyId"]]
    the_key_opens_the_bundle_alone(moto, key)
    data = cast("dict[str, str]", kubectl.get("secret", "crossing-till", OWN)["data"])
    assert sorted(data) == ["access-key-id-2", "secret-access-key-2"]


def the_till_is_removed(system: System, without: Outcome, folder: Path, cloud: Cloud) -> None:
    """Remove the till by destroying the shops' stack and then deleting the IAM user and its access key."""
    remaining = written(without, folder)
    assert not (remaining / "stores" / "workloads").exists()
    system.tills.configure("protect", "false")
    system.tills.up()
    system.tills.destroy(600)
    assert system.tills.resources() == []

    system.infrastructure.replace(remaining / "main" / "infrastructure")
    changed = system.infrastructure.up().changed
    assert {urn.split("::")[2].rpartition("$")[2]: how for urn, how in changed.items() if how == "delete"} == {
        "modelyard:aws:Crossing": "delete",
        "aws:iam/user:User": "delete",
        "aws:iam/policy:Policy": "delete",
        "aws:iam/userPolicyAttachment:UserPolicyAttachment": "delete",
        "aws:iam/accessKey:AccessKey": "delete",
    }
    assert users(cloud) == []
    system.workloads.replace(remaining / "main" / "workloads")
    system.workloads.up()
    assert system.workloads.up().changed == {}
