"""Deploys a system on three simulated clouds whose clusters trust each other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

import pytest

from modelyard.disk import Tree, write_trees
from modelyard.emit import stack_files
from testbed.charts import ChartRepository
from testbed.clouds.aws.cloud import Cloud as Aws
from testbed.clouds.aws.cloud import cloud as running_aws
from testbed.clouds.azure.access import CREDENTIAL, IDENTITY
from testbed.clouds.azure.cloud import TENANT
from testbed.clouds.azure.cloud import Cloud as Azure
from testbed.clouds.gcp import compute_class
from testbed.clouds.gcp.cloud import Cloud as Google
from testbed.clouds.gcp.federation import PROVIDER
from testbed.clouds.gcp.storage import BUCKET_MEMBER
from testbed.kubernetes import nodes
from testbed.kubernetes.control_plane import Cluster
from testbed.kubernetes.kubectl import Kubectl
from testbed.pulumi.stack import PulumiStack
from tests.examples import SYSTEMS, Example
from tests.moto.rights import allows
from tests.real.aws_projects import left_in
from tests.real.azure_systems import choose_subscription, cloud_for

OFFERS = Example("three-clouds", None, SYSTEMS)
NAMESPACES = {"learn": "offers-learn", "shop": "offers"}
"""The namespaces of the two clusters, which are the same API server in this test."""

ORDER = ("infrastructure", "crossings", "workloads")
"""The order in which `docs/several-clouds.md` and each README deploy the projects."""

Stage: TypeAlias = Mapping[str, PulumiStack]
"""The stacks of all projects with the same name, by their targets."""

Argument = TypeVar("Argument")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Clouds:
    """The simulated clouds.

    Google Cloud runs the training, AWS serves the model, and Azure stores the run artifacts.
    """

    folder: Path
    learn: Google
    shop: Aws
    hub: Azure
    kubectl: Kubectl

    def variables(self, target: str) -> dict[str, str]:
        """Return the environment variables for the cloud of a target."""
        clouds: Mapping[str, Google | Aws | Azure] = {"learn": self.learn, "shop": self.shop, "hub": self.hub}
        return clouds[target].variables()


@pytest.fixture
def clouds(tmp_path: Path, control_plane: Cluster) -> Iterator[Clouds]:
    """Run three clouds whose clusters are the test bed's control plane; restore the nodes on teardown."""
    folder = _written(tmp_path / "build")
    kubectl = control_plane.kubectl
    nodes.remove_nodes(kubectl)
    compute_class.install(kubectl)
    learn = Google(tmp_path / "learn", "acme-learn", cluster=control_plane)
    hub = cloud_for(tmp_path / "hub", folder / "hub")
    with running_aws(tmp_path / "shop", cluster=control_plane) as shop:
        yield Clouds(folder, learn, shop, hub, kubectl)
    nodes.remove_nodes(kubectl)
    nodes.add_nodes(kubectl, [nodes.Node(f"large-{at}", resources=(("nvidia.com/gpu", 8),)) for at in range(2)])


def _written(out: Path) -> Path:
    """Compile the system for a single API server.

    Google Cloud's cluster finds the other cluster's add-ons on it.
    """
    text = (SYSTEMS / "three-clouds" / "system.yaml").read_text(encoding="utf-8")
    assert text.count("account: acme-learn}") == 1
    present = f"namespace: {NAMESPACES['learn']}, present: [kuberay, prometheus, external-secrets]"
    outcome = OFFERS.compiled(text.replace("account: acme-learn}", f"account: acme-learn, {present}}}"))
    assert not outcome.failed, outcome.diagnostics
    trees = [Tree(stack.environment, stack.target, stack_files(stack), "test") for stack in outcome.stacks]
    _, problems = write_trees(out, trees)
    assert problems == ()
    return out / "default"


@pytest.fixture
def stages(
    clouds: Clouds, tmp_path: Path, chart_repository: ChartRepository, pulumi_stack: Callable[..., PulumiStack]
) -> list[Stage]:
    """Return each stage's stacks by target. All stacks share a state backend."""
    backend = tmp_path / "backend"
    backend.mkdir()

    def stack(project: Path) -> PulumiStack:
        target = project.parent.name
        variables = {**clouds.variables(target), "PULUMI_BACKEND_URL": f"file://{backend}"}
        created = pulumi_stack(project, OFFERS.stack, **variables)
        created.configure("protect", "false")
        if project.name == "workloads":
            created.configure("chartRepository", chart_repository.url)
        if target == "hub":
            choose_subscription(created)
        return created

    projects = [path for part in ORDER for path in sorted(clouds.folder.glob(f"*/{part}"), reverse=True)]
    stacks = dict(zip(projects, _together(stack, projects), strict=True))
    return [{path.parent.name: each for path, each in stacks.items() if path.name == part} for part in ORDER]


def _together(function: Callable[[Argument], Result], arguments: Iterable[Argument]) -> list[Result]:
    """Call `function` with each argument in parallel and return the results in argument order."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(function, arguments))


def test_system_on_three_clouds(clouds: Clouds, stages: list[Stage]) -> None:
    """Each target finds what the others export, a second `up` is a no-op, and `destroy` leaves nothing.

    Infrastructure and crossings may each be applied in any order, so their stacks are applied at the same time.
    """
    infrastructure, crossings, workloads = stages
    for stage in (infrastructure, crossings):
        for outcome in _together(PulumiStack.up, stage.values()):
            assert set(outcome.changed.values()) == {"create"}
    for stack in (workloads["shop"], workloads["learn"]):  # the second one finds the add-ons of the first
        assert "create" in stack.up().changes.values()

    _clouds_trust_the_clusters(clouds, infrastructure)
    _identities_reach_the_workloads(clouds)
    again = _together(PulumiStack.up, [stack for stage in stages for stack in stage.values()])
    assert [outcome.changed for outcome in again] == [{}] * 8

    for stacks in ([workloads["learn"]], [workloads["shop"]], crossings.values(), infrastructure.values()):
        _together(PulumiStack.destroy, stacks)
        assert [stack.resources() for stack in stacks] == [[]] * len(stacks)
    assert left_in(clouds.shop) == {}
    assert clouds.hub.left() == {}
    assert set(clouds.learn.left()) == {"KeyRing", "CryptoKey", "CryptoKeyIAMMember"}


def _clouds_trust_the_clusters(clouds: Clouds, infrastructure: Stage) -> None:
    """Check that each cloud trusts the issuers of the others' clusters, with one subject per ServiceAccount."""
    learn, shop = (str(_outputs(infrastructure[target])["issuer"]) for target in ("learn", "shop"))
    assert learn.startswith("https://container.googleapis.com/v1/projects/acme-learn/")
    (cluster,) = clouds.shop.client("eks").list_clusters()["clusters"]
    oidc = clouds.shop.client("eks").describe_cluster(name=cluster)["cluster"]["identity"]["oidc"]
    assert oidc == {"issuer": shop}

    (provider,) = clouds.learn.api.all(PROVIDER).values()
    assert provider["oidc"]["issuerUri"] == shop
    members = {str(each["member"]).partition("/workloadIdentityPools/")[2] for each in _members(clouds)}
    assert f"{provider['workloadIdentityPoolId']}/subject/monitor-drift" in members
    trusted = {(str(each["issuer"]), str(each["subject"])) for each in clouds.hub.api.all(CREDENTIAL).values()}
    assert trusted == {
        *((learn, _subject("learn", name)) for name in ("registry", "retrain", "promoter", "starter")),
        *((shop, _subject("shop", name)) for name in ("offers", "monitor-drift")),
    }


def _identities_reach_the_workloads(clouds: Clouds) -> None:
    """Check that Pods use the identity that another cloud created for their ServiceAccount."""
    role = _identity(clouds, "learn", "retrain", "shop")["role_arn"]
    issuer = clouds.shop.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    (host,) = [str(each["Arn"]).partition(":oidc-provider/")[2] for each in issuer]
    iam_role = clouds.shop.client("iam").get_role(RoleName=role.rpartition("/")[2])["Role"]
    trust = json.dumps(iam_role["AssumeRolePolicyDocument"])
    assert iam_role["Arn"] == role
    token = {f"{host}:sub": _subject("learn", "retrain"), f"{host}:aud": "sts.amazonaws.com"}
    other = {**token, f"{host}:sub": _subject("learn", "starter")}
    assert allows(trust, "sts:AssumeRoleWithWebIdentity", context=token)
    assert not allows(trust, "sts:AssumeRoleWithWebIdentity", context=other)

    (provider,) = clouds.learn.api.all(PROVIDER).values()
    credentials = json.loads(_identity(clouds, "shop", "monitor-drift", "learn")["credentials"])
    assert credentials["audience"] == f"//iam.googleapis.com/{provider['name']}"

    identities = clouds.hub.api.all(IDENTITY)
    for path, each in clouds.hub.api.all(CREDENTIAL).items():
        account = str(each["subject"]).rpartition(":")[2]
        target = "shop" if account in ("offers", "monitor-drift") else "learn"
        client = identities[path.rpartition("/federatedIdentityCredentials/")[0]]["clientId"]
        assert _identity(clouds, target, account, "hub") == {"client_id": client, "tenant": TENANT}


def _identity(clouds: Clouds, target: str, account: str, cloud: str) -> dict[str, str]:
    """Return the settings that let a ServiceAccount's Pods get credentials from another target's cloud."""
    config_map: Any = clouds.kubectl.get("configmap", f"identity-{account}.{cloud}", NAMESPACES[target])
    data: dict[str, str] = config_map["data"]
    return data


def _members(clouds: Clouds) -> list[dict[str, Any]]:
    return list(clouds.learn.api.all(BUCKET_MEMBER).values())


def _outputs(stack: PulumiStack) -> dict[str, Any]:
    (root,) = [each for each in cast(Any, stack.export()["resources"]) if each["type"] == "pulumi:pulumi:Stack"]
    outputs: dict[str, Any] = root["outputs"]
    return outputs


def _subject(target: str, account: str) -> str:
    return f"system:serviceaccount:{NAMESPACES[target]}:{account}"
