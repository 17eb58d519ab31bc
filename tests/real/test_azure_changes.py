"""Tests a system's infrastructure on a simulated Azure: changes, drift, failures and removal."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from testbed.clouds.azure.cloud import Cloud
from testbed.clouds.shared.orders import Order
from testbed.pulumi.hosted import host
from testbed.pulumi.stack import Failed, PulumiStack
from tests.examples import SYSTEMS, Example, on_azure
from tests.real.azure_systems import LEADS, choose_subscription, cloud_for, folder_of
from tests.real.engine import changes_of
from tests.real.joined import Deployed, errors_in

POOL = "azure-native:containerservice:AgentPool"
ASSIGNMENT = "azure-native:authorization:RoleAssignment"
WORKSPACE = "azure-native:operationalinsights:Workspace"

_BEFORE = {"  region: westeurope\n": '  region: westeurope\n  version: "1.35"\n'}
_CHANGES = {
    "numbers of replicas and workers": {"    compute: small\n": "    compute: small\n    replicas: {min: 3, max: 6}\n"},
    "machines: `accelerators`, `cpu`, `memory`, `capacity` of a class": {'["T4:1", "A100-80GB:1"]': '["T4:1"]'},
    "`disk` of a class": {"disk: 30Gi": "disk: 200Gi"},
    "`retention`, `versioned` of a store; `budget`, permissions of workloads": {
        "lake: {type: object}": "lake: {type: object, retention: 60d}",
    },
    "`objectLock` of a store": {"retain: 7y": "retain: 8y"},
    "`size` of a database": {"runs: {type: database}": "runs: {type: database, size: 40Gi}"},
    "`version` of Kubernetes": {value: key for key, value in _BEFORE.items()},
}
_LOGIN = "the password of a database"
_REFUSED = {
    "name of a store": {"lake": "sea"},
    "`vpc`, `region`, `resourceGroup`; names of the system, the environment or the target": {
        "10.20.0.0/16": "10.30.0.0/16"
    },
}


_MORE = {
    "{cpu: 1, memory: 2Gi}": "{cpu: 3, memory: 12Gi}",
    "lake: {type: object,": "lake: {type: object, versioned: false,",
    "metadata:": "profile: {size: enterprise}\nmetadata:",
    "team: growth, email: growth@": "team: sales, email: sales@",
}
"""Changes that are only previewed: to machines, object versions, and the system's size and owner."""

_ANEW = (
    {"10.20.0.0/16": "10.30.0.0/16"},
    {"westeurope": "northeurope"},
)
"""Changes that recreate resources, and other resources with them, once nothing is protected."""


def _edited(text: str, edits: dict[str, str]) -> str:
    for old, new in edits.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def _rows(folder: Path) -> set[str]:
    """Return the first column of the emitted README's table of changes."""
    readme = (folder / "README.md").read_text()
    table = readme.partition("## What a change does")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines() if line.startswith("| ")]
    return {row for row in rows if row != "change"}


def test_life_of_the_infrastructure(tmp_path: Path, pulumi_stack: Callable[..., PulumiStack]) -> None:
    """Failed runs can be resumed, changes follow the README, and protection prevents removal.

    Previews match what `modelyard diff` expects for each change.
    """
    text = _edited((SYSTEMS / "leads-on-azure" / "system.yaml").read_text(), _BEFORE)
    folder = folder_of(LEADS, tmp_path / "first", text)
    assert _rows(folder) == {*_CHANGES, _LOGIN, *_REFUSED}
    cloud = cloud_for(tmp_path / "cloud", folder)
    stack = pulumi_stack(folder / "infrastructure", LEADS.stack, **cloud.variables())
    choose_subscription(stack)

    cloud.orders.give(Order("fail", verb="create", kind="azure-native:containerservice:ManagedCluster"))
    with pytest.raises(Failed, match="a test requested this failure"):
        stack.up()
    assert set(changes_of(stack.up()).values()) == {"create"}
    assert cloud.surprises() == {}

    changed = text
    for edits in _CHANGES.values():
        changed = _edited(changed, edits)
    with host(stack.python) as runs:
        out = count()
        deployed = Deployed(
            stack,
            runs,
            LEADS.compiled,
            lambda spec: folder_of(LEADS, tmp_path / f"build-{next(out)}", spec) / "infrastructure",
        )
        assert errors_in(deployed.preview(text, changed)) == ""
        _changes(stack)
        _drifts(cloud, stack)
        _refuses(deployed, changed)
        _ends(cloud, deployed, changed)


def _changes(stack: PulumiStack) -> None:
    """Apply changes to the spec, set a different password, and lock the retention policy."""
    stack.configure("loginVersion", "2")
    stack.configure("lockRetention", "true")
    assert changes_of(stack.up()) == {
        "AgentPool free-d4as-v6-on-demand": "create-replacement",
        "AgentPool gpu-nc16as-t4-v3-spot": "update",
        "AgentPool gpu-nc24ads-a100-v4-on-demand": "delete",
        "AgentPool gpu-nc24ads-a100-v4-spot": "delete",
        "AgentPool gpu-nc8as-t4-v3-on-demand": "update",
        "AgentPool gpu-nc8as-t4-v3-spot": "update",
        "AgentPool small-f2s-v2-on-demand": "update",
        "AgentPool system": "update",
        "ManagedCluster leads-main": "update",
        "ManagementPolicy audit": "update",
        "ManagementPolicy lake": "update",
        "Secret runs": "update",
        "Server runs": "update",
        "Stash runs-1": "delete",
        "Stash runs-2": "create",
        "StorageAccount audit": "update",
    }


def _drifts(cloud: Cloud, stack: PulumiStack) -> None:
    """Simulate manual changes, and check that a refresh detects them and `pulumi up` reverts them."""
    _drift(cloud)
    right = "RoleAssignment score-leadsaudite5ca382dbd-leads-audit-append"
    drifted = {"AgentPool small-f2s-v2-on-demand": "update", "Workspace leads-main": "update", right: "delete"}
    assert changes_of(stack.refresh()) == drifted
    assert changes_of(stack.up()) == {**drifted, right: "create"}


def _refuses(deployed: Deployed, changed: str) -> None:
    """Preview further spec changes, including those rejected because of protection."""
    assert errors_in(deployed.preview(changed, _edited(changed, _MORE))) == ""
    for edits, error in zip(_REFUSED.values(), ("cannot be deleted", "unable to replace"), strict=True):
        assert error in errors_in(deployed.preview(changed, _edited(changed, edits)))
    deployed.stack.replace(deployed.folder(changed))
    with pytest.raises(Failed, match="protect"):
        deployed.stack.command("destroy", "--yes")


def _drift(cloud: Cloud) -> None:
    """Simulate manual changes in Azure by removing a permission, enlarging a pool and shortening log retention."""
    (assignment,) = [
        each
        for each, values in cloud.api.all(ASSIGNMENT).items()
        if values.get("condition") and "leadsaudite5ca382dbd" in values["scope"]
    ]
    cloud.remove(ASSIGNMENT, assignment)
    pool = next(
        each for each, values in cloud.api.all(POOL).items() if values["nodeLabels"]["modelyard.dev/pool"] == "small"
    )
    cloud.edit(POOL, pool, maxCount=12)
    (logs,) = cloud.api.all(WORKSPACE)
    cloud.edit(WORKSPACE, logs, retentionInDays=7)


def _ends(cloud: Cloud, deployed: Deployed, changed: str) -> None:
    """Remove the protection, preview changes that now recreate resources, and destroy everything.

    A locked storage account can be destroyed only once its lock expires, and vault names stay reserved.
    """
    stack = deployed.stack
    cloud.upload("leadsaudite5ca382dbd", "audit/score/1.parquet")
    stack.configure("protect", "false")
    stack.up()
    for edits in _ANEW:
        assert errors_in(deployed.preview(changed, _edited(changed, edits))) == ""
    stack.replace(deployed.folder(changed))
    with pytest.raises(
        Failed, match=r"is not allowed as the container has a immutable storage with versioning|protected from deletion"
    ):
        stack.destroy()
    cloud.empty("leadsaudite5ca382dbd")
    stack.destroy()
    assert stack.resources() == []
    assert cloud.left() == {}
    assert len(cloud.api.store.all("deleted vaults")) == 2


@pytest.mark.parametrize("example", on_azure(), ids=str)
def test_every_example(example: Example, tmp_path: Path, pulumi_stack: Callable[..., PulumiStack]) -> None:
    """Every example's project can be created and removed, and a second run changes nothing."""
    folder = folder_of(example, tmp_path / "build")
    cloud = cloud_for(tmp_path / "cloud", folder)
    cloud.container("data", "korbmarkt", "supply-dev")
    stack = pulumi_stack(folder / "infrastructure", example.stack, **cloud.variables())
    choose_subscription(stack)
    stack.command("config", "set", "--path", "accounts.korbmarkt", "data")
    stack.configure("protect", "false")

    assert set(stack.up().changes.values()) == {"create"}
    assert cloud.surprises() == {}
    assert stack.up().changed == {}
    stack.destroy()
    assert set(cloud.left()) == {"ResourceGroup", "StorageAccount", "BlobContainer"}
