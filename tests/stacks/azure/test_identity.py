"""Tests what Pods may do with blobs via workload identities, given the program's roles and conditions."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest

from modelyard_stacks.azure.conditions import below
from modelyard_stacks.azure.identity import Identity
from modelyard_stacks.azure.roles import Mode, account_groups
from tests.stacks.aws.programs import Resources, inputs, needs, of
from tests.stacks.azure.abac import ASSIGNMENT, BLOBS, DEFINITION, Request, Workload, holds, principal
from tests.stacks.azure.programs import (
    GROUP,
    IN_GROUP,
    NOTHING,
    SUBSCRIPTION,
    configured,
    elsewhere,
    registered,
)

CREDENTIAL = "azure-native:managedidentity:FederatedIdentityCredential"
LAKE = f"{IN_GROUP}/Microsoft.Storage/storageAccounts/fraudlake1a2b3c/blobServices/default/containers/lake"
ACCESS = """[
    {"account": "fraudlake1a2b3c", "container": "lake", "prefix": "models/scorer/", "mode": "read"},
    {"account": "fraudlake1a2b3c", "container": "lake", "prefix": "tables/customers.parquet", "mode": "read"},
    {"account": "fraudlake1a2b3c", "container": "lake", "prefix": "features/", "mode": "write"},
    {"account": "fraudaudit1a2b3c", "container": "audit", "prefix": "captures/scorer/", "mode": "append"},
    {"account": "shared", "container": "raw", "prefix": "", "mode": "read", "group": "data"},
    {"account": "elsewhere", "container": "raw", "prefix": "a/", "mode": "read"},
]"""
PROGRAM = f"""{GROUP}
from modelyard_stacks.azure.adopted import AdoptedCluster
from modelyard_stacks.azure.identity import Identity
from modelyard_stacks.azure.roles import StoreRoles

cluster = AdoptedCluster("main", group=group, cluster_name="fraud-prod-main", issuer="https://issuer.example/1/")
roles = StoreRoles("fraud-prod-main", group=group, groups=["data"])


def identity(name, access):
    return Identity(
        name, group=group, cluster=cluster, namespace="fraud", service_account=name, access=access, roles=roles
    )


identity("scorer", {ACCESS})
identity("ranker", {ACCESS.replace("models/scorer/", "models/ranker/")})
"""
ELSEWHERE = "/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/others"


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register two identities that read, write and append."""
    return registered(tmp_path_factory.mktemp("identity"), PROGRAM, f'accounts: \'{{"elsewhere": "{ELSEWHERE}"}}\'')


@pytest.fixture(scope="module")
def lake(resources: Resources) -> Workload:
    """Return the identity `scorer`, with its permissions in the container that it reads and writes."""
    return Workload(resources, principal(resources, "scorer"), "lake")


@pytest.fixture(scope="module")
def audit(resources: Resources) -> Workload:
    """Return the identity `scorer`, with its permissions in the container to which it adds captures."""
    return Workload(resources, principal(resources, "scorer"), "audit")


@pytest.mark.parametrize(
    ("action", "path", "allowed"),
    [
        ("read", "models/scorer/1/model.pkl", True),
        ("read", "models/scorer-2/1/model.pkl", False),
        ("read", "models/ranker/1/model.pkl", False),
        ("read", "Models/scorer/1/model.pkl", False),
        ("write", "models/scorer/1/model.pkl", False),
        ("add/action", "models/scorer/1/model.pkl", False),
        ("delete", "models/scorer/1/model.pkl", False),
        ("read", "tables/customers.parquet", True),
        ("read", "tables/customers.parquet/part-0", True),
        ("read", "tables/customers.parquet.bak", False),
        ("read", "features/day=1/part-0", True),
        ("write", "features/day=1/part-0", True),
        ("add/action", "features/day=1/part-0", True),
        ("delete", "features/day=1/part-0", True),
        ("write", "features-2/part-0", False),
        ("delete", "features-2/part-0", False),
        ("permanentDelete/action", "features/day=1/part-0", False),
        ("runAsSuperUser/action", "features/day=1/part-0", False),
    ],
)
def test_blobs_can_be_opened_below_the_prefixes_alone(lake: Workload, action: str, path: str, allowed: bool) -> None:
    assert lake.may(action, path) is allowed


@pytest.mark.parametrize(
    ("prefix", "allowed"),
    [
        ("models/scorer/", True),
        ("models/scorer/1/", True),
        ("features/day=1", True),
        ("models/scorer", False),  # also lists models/scorer-2/
        ("models/", False),
        ("", False),
    ],
)
def test_a_listing_names_a_folder_of_its_own(lake: Workload, prefix: str, allowed: bool) -> None:
    assert lake.may_list(prefix) is allowed


@pytest.mark.parametrize("path", ["models/scorer", "features", "tables/customers.parquet"])
def test_asking_for_a_folder_itself_is_not_forbidden(lake: Workload, path: str) -> None:
    """Libraries first request the name without a slash. They stop at a 403, but continue after a 404."""
    assert lake.may("read", path)


def test_what_is_appended_can_neither_be_read_nor_overwritten_nor_listed(audit: Workload) -> None:
    captured = "captures/scorer/day=1/part-0"

    assert audit.may("add/action", captured)
    assert not any(audit.may(action, captured) for action in ("read", "write", "delete"))
    assert not audit.may_list("captures/scorer/")
    assert not audit.may("add/action", "captures/ranker/day=1/part-0")


def test_an_empty_prefix_is_the_whole_container_and_no_other_action(resources: Resources) -> None:
    raw = Workload(resources, principal(resources, "scorer"), "raw")

    assert raw.may("read", "anything")
    assert raw.may_list("")
    assert not raw.may("write", "anything")


def test_roles_allow_nothing_but_blobs(resources: Resources) -> None:
    """Roles allow nothing but blob actions, and `data_actions` rejects anything else.

    Azure's built-in roles may delete the container or issue signatures.
    """
    roles = {name: each["inputs"] for name, each in of(resources, DEFINITION).items()}
    granted = {name: each["permissions"][0]["dataActions"] for name, each in roles.items()}

    assert granted == {
        "fraud-prod-main-read": [f"{BLOBS}/read"],
        "fraud-prod-main-write": [f"{BLOBS}/{action}" for action in ("read", "write", "add/action", "delete")],
        "fraud-prod-main-append": [f"{BLOBS}/add/action"],
    }
    assert len({each["roleDefinitionId"] for each in roles.values()}) == 3
    assert all(SUBSCRIPTION in each["roleName"] for each in roles.values()), "names are unique in a tenant"


def test_roles_can_be_assigned_where_stores_are(resources: Resources) -> None:
    scopes = [
        ELSEWHERE,
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/data",
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/fraud-prod",
    ]

    assert sorted(inputs(resources, DEFINITION, "fraud-prod-main-read")["assignableScopes"]) == scopes
    assert inputs(resources, ASSIGNMENT, "scorer-fraudlake1a2b3c-lake-read")["scope"] == LAKE
    for account, group in (("shared", scopes[1]), ("elsewhere", ELSEWHERE)):
        where = f"{group}/providers/Microsoft.Storage/storageAccounts/{account}"
        scope = inputs(resources, ASSIGNMENT, f"scorer-{account}-raw-read")["scope"]
        assert scope == f"{where}/blobServices/default/containers/raw"


def test_only_the_pods_of_one_service_account_are_the_workload(resources: Resources) -> None:
    credential = inputs(resources, CREDENTIAL, "scorer")

    assert credential["subject"] == "system:serviceaccount:fraud:scorer"
    assert credential["issuer"] == "https://issuer.example/1/"
    assert credential["audiences"] == ["api://AzureADTokenExchange"]
    assert credential["resourceName"] == "scorer"
    assert principal(resources, "scorer") != principal(resources, "ranker")


def test_rights_of_one_workload_are_not_those_of_another(resources: Resources) -> None:
    ranker = Workload(resources, principal(resources, "ranker"), "lake")

    assert ranker.may("read", "models/ranker/1/model.pkl")
    assert not ranker.may("read", "models/scorer/1/model.pkl")


def test_assignments_name_the_kind_of_identity_and_wait_for_the_roles(resources: Resources) -> None:
    """Azure may not know a new identity yet, and rejects a new assignment until the old one is deleted."""
    assignments = of(resources, ASSIGNMENT)

    assert {each["inputs"]["principalType"] for each in assignments.values()} == {"ServicePrincipal"}
    assert all(each["deleteBeforeReplace"] for each in assignments.values())
    assert f"{DEFINITION} fraud-prod-main-read" in needs(resources, ASSIGNMENT, "scorer-fraudlake1a2b3c-lake-read")
    assert not elsewhere(resources)


def test_a_role_has_the_same_id_in_another_project(resources: Resources, tmp_path: Path) -> None:
    defined = 'StoreRoles("fraud-prod-main", group=group, groups=["data"])'
    apart = registered(tmp_path, PROGRAM.replace(defined, '"fraud-prod-main"'))
    name = "scorer-fraudlake1a2b3c-lake-write"

    assert not of(apart, DEFINITION)
    assert (
        inputs(apart, ASSIGNMENT, name)["roleDefinitionId"] == inputs(resources, ASSIGNMENT, name)["roleDefinitionId"]
    )


def test_roles_of_two_systems_in_one_group_have_different_ids(resources: Resources, tmp_path: Path) -> None:
    """Azure refuses a second definition with the same ID and a different name."""
    other = registered(tmp_path, PROGRAM.replace("fraud-prod-main", "leads-prod-main"))
    ids = [
        {each["inputs"]["roleDefinitionId"] for each in of(side, DEFINITION).values()} for side in (resources, other)
    ]

    assert len(ids[0] | ids[1]) == 6


def test_an_identity_without_access_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match="an identity needs at least one permission"):
        Identity("a", group=NOTHING, cluster=NOTHING, namespace="a", service_account="a", access=[], roles="a")


def test_groups_of_accounts_of_another_form_are_refused() -> None:
    with (
        configured(accounts='["others"]'),
        pytest.raises(
            pulumi.RunError, match=r"must map each account to its group: pulumi config set --path accounts.NAME GROUP"
        ),
    ):
        account_groups()


@pytest.mark.parametrize("prefix", ["a'b/", "a\\b/", "a\nb/"])
def test_a_prefix_that_would_end_a_text_is_refused(prefix: str) -> None:
    with pytest.raises(pulumi.RunError, match="this would end a string in a condition"):
        below([prefix], "read")


def test_wildcards_in_a_prefix_are_what_they_are() -> None:
    condition = below(["a*c/", "d?/"], "read")

    assert holds(condition, Request(f"{BLOBS}/read", path="a*c/1"))
    assert holds(condition, Request(f"{BLOBS}/read", path="d?/1"))
    assert not holds(condition, Request(f"{BLOBS}/read", path="abc/1"))
    assert not holds(condition, Request(f"{BLOBS}/read", path="de/1"))


def test_many_folders_fit_into_a_condition_and_more_are_refused() -> None:
    names = [f"models/model-{number:03}/" for number in range(88)]

    assert holds(below(names[:87], "write"), Request(f"{BLOBS}/delete", path="models/model-086/1"))
    with pytest.raises(pulumi.RunError, match="88 folders, from models/model-000 on, do not fit into one condition"):
        below(names, "write")


@pytest.mark.parametrize(
    ("mode", "always", "times", "each"), [("read", 498, 4, 21), ("write", 786, 4, 21), ("append", 213, 2, 10)]
)
@pytest.mark.parametrize("names", [["a/"], ["models/scorer/", "x"], [f"folder{number}/" for number in range(40)]])
def test_a_condition_is_as_long_as_the_compiler_reckons(
    mode: Mode, always: int, times: int, each: int, names: list[str]
) -> None:
    """The compiler uses this formula for a condition's length and rejects conditions that are too long."""
    assert len(below(names, mode)) == always + sum(times * len(name.strip("/")) + each for name in names)
