"""Tests that each workload in a system has exactly the access declared in its spec, and that nobody else has access."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from testbed.clouds.azure.rights import Grant, grants
from tests.stacks.azure.abac import ASSIGNMENT, BLOBS, DEFINITION, IDENTITY, Request, holds
from tests.stacks.azure.systems import azure_systems
from tests.stacks.programs import Registration, of_type
from tests.stacks.systems import registered_systems
from tools.list_azure_roles import ROLES

CREDENTIAL = "azure-native:managedidentity:FederatedIdentityCredential"
LAKE, AUDIT, SALES = "leads-lake", "leads-audit", "supply-dev"
CHURN = "mlflow/models/leads-churn"

READ, ADD = f"{BLOBS}/read", f"{BLOBS}/add/action"
CHANGE = {f"{BLOBS}/write", f"{BLOBS}/delete"}
MODES = {"read": {READ}, "append": {ADD}, "write": {READ, ADD} | CHANGE}
EVERYTHING = MODES["write"] | {
    *(f"{BLOBS}/{action}/action" for action in ("move", "immutableStorage", "permanentDelete", "runAsSuperUser")),
    *(f"{BLOBS}/tags/{action}" for action in ("read", "write")),
    f"{BLOBS}/deleteBlobVersion/action",
}
"""All possible actions on blobs: provider-operations.json of iam-dataset@2073fa52, read 2026-11-27."""

OTHERS = (
    "Microsoft.Storage/storageAccounts/listKeys/action",
    "Microsoft.Storage/storageAccounts/blobServices/containers/delete",
    "Microsoft.Storage/storageAccounts/write",
    "Microsoft.Authorization/roleAssignments/write",
    "Microsoft.KeyVault/vaults/write",
    "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action",
    "Microsoft.ContainerRegistry/registries/push/write",
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
)
"""Some management actions that no identity created by a program needs."""

Access = dict[str, dict[tuple[str, str], str]]
LEADS: Access = {
    "registry": {(LAKE, "mlflow"): "write"},
    "fit": {(LAKE, "clicks"): "read", (LAKE, CHURN): "write", (LAKE, "mlflow/logs/fit"): "append"},
    "scoring": {
        (LAKE, "clicks"): "read",
        (LAKE, "scores"): "write",
        (LAKE, CHURN): "read",
        (LAKE, "mlflow/logs/scoring"): "append",
    },
    "score": {(LAKE, CHURN): "read", (AUDIT, "audit/score"): "append"},
    "promoter": {
        (LAKE, "mlflow/models"): "read",
        (LAKE, "mlflow/models/leads-propensity"): "append",
        (LAKE, "bought/propensity/4"): "read",
    },
}
DEMAND: Access = {
    "nightly": {(SALES, "horizon"): "read", (SALES, "forecasts"): "write"},
    "retrain": {
        (SALES, "receipts/daily"): "read",
        (SALES, "weather/forecast"): "read",
        (SALES, "promotions"): "read",
    },
    "monitor-assortment-drift": {(SALES, "receipts/daily"): "read"},
    "monitor-receipts-complete": {(SALES, "receipts/daily"): "read"},
    "monitor-forecast-error": {
        (SALES, "horizon"): "read",
        (SALES, "forecasts"): "read",
        (SALES, "receipts/daily"): "read",
    },
}
SYSTEMS: dict[str, tuple[str, Access, set[str]]] = {
    "leads-on-azure-default-main": ("leads", LEADS, {"token", "runs-login"}),
    "demand-forecasting-azure-main": ("demand-forecasting", DEMAND, {"supply-mlflow", "supply-slack"}),
}
"""For each infrastructure project: its namespace, each workload's access according to the spec, and its secrets."""


class Rights:
    """The role assignments in a program, grouped by identity name."""

    def __init__(self, resources: list[Registration]) -> None:
        inputs: dict[str, list[dict[str, Any]]] = {
            kind: [each["inputs"] for each in of_type(resources, kind)] for kind in (ASSIGNMENT, DEFINITION)
        }
        self.grants = list(grants(inputs[ASSIGNMENT], inputs[DEFINITION]))
        self.principals: dict[str, str] = {}
        for each in of_type(resources, ASSIGNMENT):
            made_by = {urn.rpartition("::")[2] for urn in each["propertyDependencies"].get("principalId", ())}
            for name in made_by & {identity["name"] for identity in of_type(resources, IDENTITY)}:
                self.principals[name] = str(each["inputs"]["principalId"])

    def of(self, name: str) -> list[Grant]:
        """Return the role assignments of an identity."""
        return [each for each in self.grants if each.principal == self.principals[name]]

    def on_blob(self, name: str, container: str, path: str) -> set[str]:
        """Return what an identity may do with a blob."""
        return {
            action
            for action in EVERYTHING
            for each in self.of(name)
            if each.scope.endswith(f"/containers/{container}")
            and each.role.allows(action, data=True)
            and holds(each.condition, Request(action, path=path))
        }

    def lists(self, name: str, container: str, prefix: str) -> bool:
        """Return whether an identity may list blobs whose names start with `prefix`."""
        return any(
            each.scope.endswith(f"/containers/{container}")
            and each.role.allows(READ, data=True)
            and holds(each.condition, Request(READ, prefix=prefix))
            for each in self.of(name)
        )


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Registration]]:
    """Return the registrations of every Azure system, by infrastructure project."""
    return registered_systems(azure_systems(), tmp_path_factory.mktemp("systems"))


def probes(access: Access) -> Iterator[tuple[str, str]]:
    """Yield blobs inside and next to each folder that any workload accesses."""
    for name, prefix in sorted({place for places in access.values() for place in places}):
        yield from ((name, f"{prefix}{rest}") for rest in ("", "/a", "/day=1/a.parquet", "-2/a", ".bak"))
    for name in (LAKE, AUDIT, SALES):
        yield from ((name, path) for path in ("a.parquet", "mlflow/models/other/1/model.pkl", "captures/other/a"))


def expected(places: dict[tuple[str, str], str], name: str, path: str) -> set[str]:
    """Return what a workload may do with a blob according to the spec."""
    modes = [
        mode
        for (where, prefix), mode in places.items()
        if where == name and (path == prefix or path.startswith(f"{prefix}/"))
    ]
    return set[str]().union(*(MODES[mode] for mode in modes))


def too_much_or_too_little(resources: list[Registration], access: Access) -> list[tuple[Any, ...]]:
    """Return unexpected assignments, and the blobs and listings for which access differs from the spec."""
    rights = Rights(resources)
    wrong: list[tuple[Any, ...]] = []
    for account, places in access.items():
        for name, path in probes(access):
            actual, intended = rights.on_blob(account, name, path), expected(places, name, path)
            if actual != intended:
                wrong.append((account, name, path, actual, intended))
            listed = rights.lists(account, name, f"{path}/")
            if listed != (READ in expected(places, name, f"{path}/")):
                wrong.append((account, "list", name, path, listed))
        for each in rights.of(account):
            data_only = not each.role.actions and set(each.role.data_actions) <= EVERYTHING
            if not data_only or "/containers/" not in each.scope or each.condition is None:
                wrong.append((account, each))
    return wrong


@pytest.mark.parametrize("name", SYSTEMS)
def test_workloads_access_exactly_the_blobs_in_the_spec(name: str, registered: dict[str, list[Registration]]) -> None:
    assert too_much_or_too_little(registered[name], SYSTEMS[name][1]) == []


@pytest.mark.parametrize("name", SYSTEMS)
def test_each_identity_trusts_the_pods_of_one_service_account(
    name: str, registered: dict[str, list[Registration]]
) -> None:
    namespace, access, _ = SYSTEMS[name]
    trusted = {
        each["name"]: (each["inputs"]["subject"], each["inputs"]["audiences"])
        for each in of_type(registered[name], CREDENTIAL)
    }
    (reader,) = set(trusted) - set(access)

    assert {account: trusted[account] for account in access} == {
        account: (f"system:serviceaccount:{namespace}:{account}", ["api://AzureADTokenExchange"]) for account in access
    }
    assert trusted[reader][0].startswith("system:serviceaccount:external-secrets:")


@pytest.mark.parametrize("name", SYSTEMS)
def test_external_secrets_reads_the_secrets_in_the_spec(name: str, registered: dict[str, list[Registration]]) -> None:
    rights, (_, access, secrets) = Rights(registered[name]), SYSTEMS[name]
    (reader,) = {each["name"] for each in of_type(registered[name], CREDENTIAL)} - set(access)

    assert {each.scope.rpartition("/secrets/")[2] for each in rights.of(reader)} == secrets
    assert {each.role.data_actions for each in rights.of(reader)} == {
        (
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        )
    }
    assert all(not each.role.actions for each in rights.of(reader))


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_other_identities_have_the_rights_that_their_service_needs(
    name: str, registered: dict[str, list[Registration]]
) -> None:
    rights, access = Rights(registered[name]), SYSTEMS[name][1]
    (control,) = (each for each in rights.principals if each.endswith("-control-plane"))
    (nodes,) = (each for each in rights.principals if each.endswith("-nodes"))
    (data,) = (each for each in rights.principals if each.endswith("-data"))
    key = "/vaults/"

    assert len(rights.principals) == len(access) + 4
    assert {each.role.name for each in rights.of(nodes)} == {"AcrPull"}
    assert {each.role.name for each in rights.of(data)} == {"Key Vault Crypto Service Encryption User"}
    assert all(key in each.scope and each.scope.endswith("-data") for each in rights.of(data))
    assert sorted(
        f"{each.role.name} {each.scope.rpartition('/')[2].rpartition('-')[2]}" for each in rights.of(control)
    ) == [
        "Disk Encryption Set Operator for Managed Disks main",
        "Key Vault Contributor keys",
        "Key Vault Crypto User secrets",
        "Managed Identity Operator nodes",
        "Network Contributor nodes",
        "Network Contributor server",
    ]
    people = {each.principal for each in rights.grants} - set(rights.principals.values())
    assert {each.role.name for each in rights.grants if each.principal in people} == {
        "Azure Kubernetes Service RBAC Cluster Admin",
        "Azure Kubernetes Service Cluster User Role",
    }


@pytest.mark.parametrize("name", SYSTEMS)
def test_nobody_has_a_right_on_the_group_or_the_subscription(
    name: str, registered: dict[str, list[Registration]]
) -> None:
    """No identity created by a program may assign roles, read account keys or delete containers, either."""
    rights = Rights(registered[name])
    own = set(rights.principals.values())

    assert [each for each in rights.grants if each.scope.count("/providers/") == 0] == []
    assert {
        (action, each.role.name)
        for action in OTHERS
        for each in rights.grants
        if each.principal in own and each.role.allows(action, data=False)
    } == {("Microsoft.KeyVault/vaults/write", "Key Vault Contributor")}


def _widened(resources: list[Registration], change: Callable[[dict[str, Any]], Any]) -> list[Registration]:
    """Return a copy of the registrations with `change` applied to the first role assignment of `fit`."""
    changed = copy.deepcopy(resources)
    change(next(each["inputs"] for each in of_type(changed, ASSIGNMENT) if each["name"].startswith("fit-")))
    return changed


SABOTAGE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no condition": lambda inputs: inputs.pop("condition"),
    "the whole account": lambda inputs: inputs.update(scope=inputs["scope"].partition("/blobServices/")[0]),
    "another container": lambda inputs: inputs.update(scope=inputs["scope"].replace("leads-lake", "leads-audit")),
    "a wildcard": lambda inputs: inputs.update(condition=inputs["condition"].replace("logs/fit", "*")),
    "another folder": lambda inputs: inputs.update(condition=inputs["condition"].replace("mlflow", "other")),
    "another role": lambda inputs: inputs.update(
        roleDefinitionId=f"{inputs['roleDefinitionId'].rpartition('/')[0]}/4d97b98b-1d4f-4787-a291-c67834d212e7"
    ),
}


@pytest.mark.parametrize("change", SABOTAGE)
def test_a_wider_or_narrower_assignment_is_found(change: str, registered: dict[str, list[Registration]]) -> None:
    sabotaged = _widened(registered["leads-on-azure-default-main"], SABOTAGE[change])

    assert {each[0] for each in too_much_or_too_little(sabotaged, LEADS)} == {"fit"}


def test_table_lists_the_roles_that_are_assigned(registered: dict[str, list[Registration]]) -> None:
    custom = {
        each["inputs"]["roleDefinitionId"]
        for resources in registered.values()
        for each in of_type(resources, DEFINITION)
    }
    assigned = {
        each["inputs"]["roleDefinitionId"].rpartition("/")[2]
        for resources in registered.values()
        for each in of_type(resources, ASSIGNMENT)
    }

    assert assigned - custom == ROLES, "change ROLES and run python -m tools.list_azure_roles"


def test_every_system_is_examined(registered: dict[str, list[Registration]]) -> None:
    assert set(registered) == set(SYSTEMS)
