"""Tests workloads' access to other clouds: who gets an identity there, and which objects it can access."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.emit import emit
from tests.examples import SEVERAL_CLOUDS, SYSTEMS, Example
from tests.moto.rights import allows
from tests.stacks.aws.programs import Resources, policy
from tests.stacks.azure.abac import Workload, principal
from tests.stacks.gcp.roles import allowed, bindings, bucket, stored
from tests.stacks.programs import Registration, registrations

CREDENTIAL = "azure-native:managedidentity:FederatedIdentityCredential"
POOLS = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools"
REQUESTS = "mlflow/run-requests/offers/default/learn"
ASSUME = "sts:AssumeRoleWithWebIdentity"
KEYS = ("accessKey", "serviceaccount/key", "hmacKey", "storageAccountKey", "Password")
"""Substrings by which tests recognize resource types that are, or contain, a static access key."""

Registered = dict[str, list[Registration]]


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Registered:
    """Return the registrations of the `crossings` projects, and of the projects applied before and after them."""
    root = tmp_path_factory.mktemp("systems")
    folders: dict[str, Path] = {}
    for name in SEVERAL_CLOUDS:
        outcome = Example(name, None, SYSTEMS).compiled()
        assert not outcome.failed, outcome.diagnostics
        for stack in outcome.stacks:
            selected = {"crossings", *(["infrastructure"] if stack.target == "hub" else [])}
            selected |= {"workloads"} if stack.target == "plant" else set()
            for file in emit(stack):
                path = root / name / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.render())
            for project in stack.projects:
                if project.folder in selected:
                    (path,) = (root / name).rglob(f"{stack.target}/{project.folder}/Pulumi.yaml")
                    folders[f"{name}/{stack.target}/{project.folder}"] = path.parent
    return dict(zip(folders, registrations(*folders.values()), strict=True))


def by_name(registered: list[Registration]) -> Resources:
    """Return registrations, keyed by type and name."""
    return {f"{each['type']} {each['name']}": each for each in registered}


def inputs_of(registered: list[Registration], type_: str, name: str = "") -> dict[str, object]:
    """Return the inputs of the only resource of a type, or of the resource with the given name."""
    (resource,) = [each for each in registered if each["type"] == type_ and (not name or each["name"] == name)]
    inputs: dict[str, object] = resource["inputs"]
    return inputs


def test_no_key_is_created_anywhere(projects: Registered) -> None:
    types = {str(each["type"]) for resources in projects.values() for each in resources}

    assert not [type_ for type_ in types for part in KEYS if part.lower() in type_.lower()]


def test_aws_trusts_one_service_account_of_one_cluster(projects: Registered) -> None:
    resources = projects["three-clouds/shop/crossings"]
    provider = inputs_of(resources, "aws:iam/openIdConnectProvider:OpenIdConnectProvider")
    issuer = str(provider["url"]).removeprefix("https://")
    trust = str(inputs_of(resources, "aws:iam/role:Role")["assumeRolePolicy"])

    def assumed(sub: str, aud: str = "sts.amazonaws.com", by: str = issuer) -> bool:
        return allows(trust, ASSUME, context={f"{by}:sub": sub, f"{by}:aud": aud})

    assert provider["clientIdLists"] == ["sts.amazonaws.com"]
    assert assumed("system:serviceaccount:offers:retrain")
    assert not assumed("system:serviceaccount:offers:registry")
    assert not assumed("system:serviceaccount:other:retrain")
    assert not assumed("system:serviceaccount:offers:retrain", "sts.googleapis.com")
    assert not assumed("system:serviceaccount:offers:retrain", by="oidc.example/another")
    assert not allows(trust, "sts:AssumeRole", context={f"{issuer}:sub": "system:serviceaccount:offers:retrain"})


def test_role_on_aws_reads_one_folder(projects: Registered) -> None:
    rights = str(inputs_of(projects["three-clouds/shop/crossings"], "aws:iam/rolePolicy:RolePolicy")["policy"])
    name = next(part for part in rights.split('"') if part.startswith("arn:aws:s3:::")).split("/")[0]

    assert allows(rights, "s3:GetObject", f"{name}/returns/day=1/a.parquet")
    assert allows(rights, "s3:ListBucket", name, {"s3:prefix": "returns/"})
    for path in ("captures/offers/a", "returns-2/a", "a"):
        assert not allows(rights, "s3:GetObject", f"{name}/{path}")
    assert not allows(rights, "s3:PutObject", f"{name}/returns/a")
    assert not allows(rights, "s3:ListBucket", name, {"s3:prefix": ""})
    decrypt = policy(rights)["DecryptObjects"]
    assert decrypt["Resource"] == ["the key_arn"], "the key of the target that has the bucket"
    assert decrypt["Condition"]["StringEquals"] == {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}
    assert decrypt["Condition"]["StringLike"] == {"kms:EncryptionContext:aws:s3:arn": [name, f"{name}/*"]}


def test_google_trusts_one_namespace_of_one_cluster(projects: Registered) -> None:
    resources = projects["three-clouds/learn/crossings"]
    provider = inputs_of(resources, "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider")
    oidc = provider["oidc"]

    assert isinstance(oidc, dict)
    assert oidc["allowedAudiences"] == ["sts.googleapis.com"]
    assert "jwksJson" not in oidc, "Google reads the keys of a cloud's cluster itself"
    assert provider["attributeCondition"] == "assertion.sub.startsWith('system:serviceaccount:offers:')"
    assert provider["attributeMapping"] == {"google.subject": "assertion['kubernetes.io']['serviceaccount']['name']"}


def test_each_cluster_has_a_pool_of_its_own(projects: Registered) -> None:
    """Pool names differ per cluster, because ServiceAccounts in two clusters may have the same name."""
    pools = {
        str(each["inputs"]["workloadIdentityPoolId"])
        for resources in projects.values()
        for each in resources
        if each["type"] == "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
    }

    assert len(pools) == 2
    assert all(len(pool) <= 28 and not pool.startswith("gcp-") for pool in pools), "`poolNumber` adds up to four"


def test_google_grants_exactly_the_folders(projects: Registered) -> None:
    policies = bindings(projects["three-clouds/learn/crossings"])
    pool = inputs_of(projects["three-clouds/learn/crossings"], "gcp:iam/workloadIdentityPool:WorkloadIdentityPool")
    who = f"{POOLS}/{pool['workloadIdentityPoolId']}/subject/monitor-drift"
    (lake,) = {each.on for each in policies}
    name = lake.rpartition("/")[2]

    assert {each.member for each in policies} == {who}
    assert allowed(policies, who, stored(name, "visits/day=1/a.parquet")) == {"storage.objects.get"}
    assert "storage.objects.list" in allowed(policies, who, bucket(name))
    for path in ("visits-2/a", "other/a", "a"):
        assert not allowed(policies, who, stored(name, path))


def test_azure_trusts_one_service_account_for_each_identity(projects: Registered) -> None:
    resources = projects["three-clouds/hub/crossings"]
    credentials = [each["inputs"] for each in resources if each["type"] == CREDENTIAL]

    assert len(credentials) == 6
    assert {each["subject"].rpartition(":")[2] for each in credentials} == {
        "registry",
        "retrain",
        "offers",
        "monitor-drift",
        "promoter",
        "starter",
    }
    assert {tuple(each["audiences"]) for each in credentials} == {("api://AzureADTokenExchange",)}
    assert len({each["issuer"] for each in credentials}) == 2
    assert len({each["resourceName"] for each in credentials}) == 6, "each workload has an identity of its own"


@pytest.mark.parametrize(
    ("who", "action", "path", "expected"),
    [
        ("shop_offers", "read", "mlflow/bundles/offers-offer/champion/version.json", True),
        ("shop_offers", "read", "mlflow/bundles/other/champion/version.json", False),
        ("shop_offers", "write", "mlflow/bundles/offers-offer/champion/version.json", False),
        (
            "shop_monitor-drift",
            "add/action",
            "mlflow/run-requests/offers/default/learn/asked/retrain/drift/1.json",
            True,
        ),
        ("shop_monitor-drift", "read", "mlflow/run-requests/offers/default/learn/asked/retrain/drift/1.json", False),
        ("learn_starter", "delete", "mlflow/run-requests/offers/default/learn/asked/retrain/drift/1.json", True),
        ("learn_starter", "read", "mlflow/models/offers-offer/1/model.pkl", False),
        ("learn_retrain", "write", "mlflow/models/offers-offer/1/model.pkl", True),
        ("learn_retrain", "write", "mlflow/models/other/1/model.pkl", False),
    ],
)
def test_azure_opens_exactly_the_folders(
    who: str, action: str, path: str, expected: bool, projects: Registered
) -> None:
    """Roles are defined in the `infrastructure` project and assigned in the `crossings` project."""
    resources = by_name([*projects["three-clouds/hub/infrastructure"], *projects["three-clouds/hub/crossings"]])

    assert Workload(resources, principal(resources, who), "offers-runs").may(action, path) is expected


@pytest.mark.parametrize(
    ("name", "type_", "field", "issuer"),
    [
        (
            "plant-and-google",
            "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
            "oidc",
            "https://kubernetes.default.svc.cluster.local",
        ),
        ("plant-and-azure", CREDENTIAL, "issuer", "https://tokens.acme.example/plant"),
    ],
)
def test_plant_is_trusted_by_the_issuer_in_the_spec(
    name: str, type_: str, field: str, issuer: str, projects: Registered
) -> None:
    issuers = [each["inputs"][field] for each in projects[f"{name}/main/crossings"] if each["type"] == type_]

    assert issuers
    assert {each["issuerUri"] if isinstance(each, dict) else each for each in issuers} == {issuer}


@pytest.mark.parametrize("name", ["plant-and-google", "plant-and-azure"])
def test_plant_gets_identities_as_config_maps_and_no_secret(name: str, projects: Registered) -> None:
    resources = projects[f"{name}/plant/workloads"]
    maps = {
        str(each["inputs"]["metadata"]["name"]): set(each["inputs"]["data"])
        for each in resources
        if each["type"] == "kubernetes:core/v1:ConfigMap" and "identity-" in str(each["name"])
    }
    values = {"credentials"} if name == "plant-and-google" else {"client_id", "tenant"}

    assert maps == {"identity-line.main": values, "identity-monitor-drift.main": values}
    assert not [
        each for each in resources if each["type"] == "kubernetes:core/v1:Secret" and "crossing" in each["name"]
    ]
