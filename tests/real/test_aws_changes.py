"""Tests a system on AWS: every change in its README's table, drift, failures, a killed run, and teardown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from testbed.clouds.aws.cloud import Cloud
from testbed.clouds.aws.cloud import cloud as running_cloud
from testbed.clouds.shared.orders import Order
from testbed.pulumi.hosted import Host, host
from testbed.pulumi.stack import Failed, PulumiStack
from tests.examples import SYSTEMS, Example
from tests.real.aws_projects import groups, left_in, written
from tests.real.engine import changes_of, until_all_else_is_done
from tests.real.joined import changes_in, disagreements, errors_in

LEADS = Example("leads", None, SYSTEMS)


@dataclass(frozen=True, slots=True)
class Spec:
    """The current text of the system's spec, and the folder for its compiled project."""

    text: str
    out: Path

    def edited(self, old: str, new: str) -> Spec:
        """Return a spec with some text replaced. The old text must occur."""
        assert old in self.text, old
        return Spec(self.text.replace(old, new), self.out)

    def folder(self) -> Path:
        """Return the folder of the compiled infrastructure project."""
        out = self.out / str(abs(hash(self.text)))
        return written(LEADS.compiled(self.text), out) / "infrastructure"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """Run an AWS stand-in without a Kubernetes cluster, since these tests run no Pods."""
    with running_cloud(tmp_path / "cloud") as stand_in:
        yield stand_in


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    """Return the system's spec pinned to the previous Kubernetes minor version, which tests then upgrade."""
    text = (SYSTEMS / "leads" / "system.yaml").read_text()
    return Spec(text, tmp_path / "build").edited(
        "  region: eu-central-1\n", '  region: eu-central-1\n  version: "1.35"\n'
    )


@pytest.fixture
def stack(spec: Spec, cloud: Cloud, pulumi_stack: Callable[..., PulumiStack]) -> PulumiStack:
    """Return the stack of the infrastructure project."""
    return pulumi_stack(spec.folder(), LEADS.stack, **cloud.variables())


@dataclass(slots=True)
class Deployed:
    """A deployed stack, the process that runs its programs, and the deployed spec."""

    stack: PulumiStack
    runs: Host
    spec: Spec

    def after(self, spec: Spec) -> dict[str, str]:
        """Deploy the given spec with `pulumi up` and return the changes. A second `pulumi up` must be a no-op."""
        _, errors = self.previewed(spec)
        assert errors == ""
        changed = changes_of(self.stack.up())  # a preview shows more changes if an output is not yet known
        assert changes_in(self.runs.preview(self.stack)) == {}
        self.spec = spec
        return changed

    def previewed(self, spec: Spec) -> tuple[dict[str, str], str]:
        """Preview the given spec and return its changes and errors. `modelyard diff` must report the same."""
        self.stack.replace(spec.folder())
        preview = self.runs.preview(self.stack)
        assert disagreements(LEADS.compiled(self.spec.text), LEADS.compiled(spec.text), preview) == []
        return changes_in(preview), errors_in(preview)


def _readme_rows(spec: Spec) -> set[str]:
    """Return the first column of the emitted README's table of changes."""
    readme = (spec.folder().parent / "README.md").read_text()
    table = readme.partition("## What a change does")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines() if line.startswith("| ")]
    return {row for row in rows if row != "change"}


def test_changes_behave_as_the_readme_documents(spec: Spec, stack: PulumiStack) -> None:
    """Only resources listed in the README's table are replaced. All others are updated in place."""
    rows = _readme_rows(spec)
    with host(stack.python) as runs:
        runs.up(stack)
        _changes_behave(Deployed(stack, runs, spec), rows)
    assert rows == set()


def _changes_behave(deployed: Deployed, rows: set[str]) -> None:
    spec, stack = deployed.spec, deployed.stack

    rows.remove("numbers of replicas and workers")
    spec = spec.edited("    compute: small\n", "    compute: small\n    replicas: {min: 3, max: 6}\n")
    # the head now scales its workers, and its autoscaler needs another Pod on the platform's nodes
    grown = ("small-m6i-large-on-demand", "system-1", "system-2", "system-3")
    assert deployed.after(spec) == {f"NodeGroup {name}": "update" for name in grown}

    rows.remove("machines: `accelerators`, `cpu`, `memory`, `capacity` of a class")
    spec = spec.edited('["L4:1", "A10G:1"]', '["L4:1"]').edited("{cpu: 1, memory: 2Gi}", "{cpu: 3, memory: 12Gi}")
    changed = deployed.after(spec)
    groups_changed = {name: how for name, how in changed.items() if name.startswith("NodeGroup ")}
    assert groups_changed == {
        "NodeGroup gpu-g5-2xlarge-on-demand": "delete",
        "NodeGroup gpu-g5-2xlarge-spot": "delete",
        "NodeGroup small-m6i-large-on-demand": "delete",
        "NodeGroup small-m6i-xlarge-on-demand": "create",
    }
    assert {name.partition(" ")[0] for name in changed} == {"NodeGroup", "LaunchTemplate", "Tag"}

    rows.remove("`retention`, `versioned`, `objectLock` of a bucket; `budget`, permissions of workloads")
    spec = spec.edited("lake: {type: object}", "lake: {type: object, retention: 60d}").edited(
        "retain: 7y", "retain: 8y"
    )
    assert deployed.after(spec) == {
        "BucketLifecycleConfiguration audit": "update",
        "BucketLifecycleConfiguration lake": "update",
        "BucketObjectLockConfiguration audit": "update",
    }

    rows.remove("`size` of a database")
    spec = spec.edited("runs: {type: database}", "runs: {type: database, size: 40Gi}")
    assert deployed.after(spec) == {"Instance runs": "update", "MetricAlarm runs-storage": "update"}

    rows.remove("`version` of Kubernetes")
    spec = spec.edited('  version: "1.35"\n', "")
    changed = deployed.after(spec)
    assert set(changed.values()) == {"update"}
    assert {name.partition(" ")[0] for name in changed} == {"Cluster", "NodeGroup", "Addon"}
    stack.replace(spec.edited("  region: eu-central-1\n", '  region: eu-central-1\n  version: "1.35"\n').folder())
    with pytest.raises(Failed, match="Unsupported Kubernetes minor version"):
        stack.up()

    larger = spec.edited("metadata:", "profile: {size: enterprise}\nmetadata:").edited(
        "team: growth, email: growth@", "team: sales, email: sales@"
    )
    changed, output = deployed.previewed(larger.edited("lake: {type: object", "lake: {type: object, versioned: false"))
    assert output == ""
    assert changed["BucketVersioning lake"] == "delete"

    rows.remove("name of a store")
    changed, output = deployed.previewed(spec.edited("lake", "lake-two"))
    assert changed["Bucket lake-two"] == "create"
    assert 'Bucket::lake" cannot be deleted' in output

    rows.remove("`vpc`, `region`; names of the system, the environment or the target")
    _, output = deployed.previewed(spec.edited("10.20.0.0/16", "10.30.0.0/16"))
    assert "unable to replace resource" in output
    assert ":Vpc::leads-main" in output
    _, output = deployed.previewed(spec.edited("region: eu-central-1", "region: eu-north-1"))
    assert "unable to replace resource" in output


def test_system_recovers_from_failures_and_is_destroyed_completely(cloud: Cloud, stack: PulumiStack) -> None:
    """The system recovers from a failed call, a killed run and drift. Protection blocks its destruction."""
    before = left_in(cloud)

    cloud.orders.give(Order("fail", verb="create", kind="aws:eks/cluster:Cluster"))
    with pytest.raises(Failed, match="a test requested this failure"):
        stack.up()

    cloud.orders.give(Order("stall", verb="create", kind="aws:eks/nodeGroup:NodeGroup"))
    running = stack.start("up")
    until_all_else_is_done(cloud.orders, running)
    running.kill()
    cloud.orders.clear()
    stack.unlock()
    stack.up()
    assert stack.up().changed == {}

    _drift(cloud, stack)
    drifts = {
        "BucketPolicy lake": ("delete", "create"),
        "NodeGroup small-m6i-large-on-demand": ("update", "update"),
        "SecurityGroupIngressRule runs": ("delete", "create"),
    }
    assert changes_of(stack.refresh()) == {name: drift for name, (drift, _) in drifts.items()}
    assert changes_of(stack.up()) == {name: mended for name, (_, mended) in drifts.items()}
    assert stack.refresh().changed == {}

    with pytest.raises(Failed, match="protect"):
        stack.command("destroy", "--yes")
    assert stack.up().changed == {}  # its preview failed, so nothing was deleted
    stack.configure("protect", "false")
    stack.up()
    stack.destroy()
    assert stack.resources() == []
    assert left_in(cloud) == before


def _drift(cloud: Cloud, stack: PulumiStack) -> None:
    """Simulate manual changes by deleting a policy and a rule and raising a node group's maximum size."""
    cloud.client("s3").delete_bucket_policy(Bucket=_id(stack, "Bucket", "lake"))
    ec2, group = cloud.client("ec2"), _id(stack, "SecurityGroup", "runs")
    (database,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=database["IpPermissions"])
    (small,) = [node_group for node_group in groups(cloud) if node_group["nodegroupName"].startswith("small-")]
    identity = {"clusterName": small["clusterName"], "nodegroupName": small["nodegroupName"]}
    cloud.client("eks").update_nodegroup_config(**identity, scalingConfig={**small["scalingConfig"], "maxSize": 9})


def _id(stack: PulumiStack, kind: str, name: str) -> str:
    """Return the AWS ID of a resource in the stack."""
    (match,) = [
        str(resource["id"])
        for resource in stack.resources()
        if str(resource["type"]).endswith(f":{kind}")
        and str(resource["urn"]).endswith(f"::{name}")
        and "id" in resource
    ]
    return match
