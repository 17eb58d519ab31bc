"""Tests how workloads of one provider open a store on another, or why they can't, in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import pytest

from modelyard.emit import emit
from modelyard.pipeline import InputFile, Inputs, Outcome, compile_system
from modelyard_targets import TARGETS

CLOUDS = ("aws", "gcp", "azure")
IN_CLOUD = {
    "aws": "{provider: aws, region: eu-central-1, vpc: {cidr: CIDR}}",
    "gcp": "{provider: gcp, region: europe-west3, account: acme-ml, namespace: NAMESPACE, vpc: {cidr: CIDR}}",
    "azure": "{provider: azure, region: germanywestcentral, vpc: {cidr: CIDR}}",
}
OWN = "{provider: kubernetes, context: shop, capacity: [{count: 3, cpu: 16, memory: 64Gi}]"
PUBLIC = "https://tokens.acme.example/shop"
INSIDE = "https://kubernetes.default.svc.cluster.local"
ON_PREM = {"no issuer": f"{OWN}}}", "inside": f"{OWN}, issuer: '{INSIDE}'}}", "public": f"{OWN}, issuer: '{PUBLIC}'}}"}
STORE = "{type: object, target: there}"
SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: pair}
governance: {owner: {team: growth, email: growth@acme.example}}
deployment:
  mode: MODE
  targets:
    here: FIRST
    there: SECOND
  placement: {default: here}
registry: {adopt: "https://mlflow.acme.example"}
stores:
  lake: STORE
data:
  rows: {store: lake, path: rows, format: parquet, label: bought}
models:
  offer: {task: binary-classification, framework: scikit-learn, validation: {auc: {metric: auc_roc, min: 0.7}}}
pipelines:
  train:
    {type: training, model: offer, inputs: [rows], compute: {cpu: 2, memory: 8Gi}, schedule: {cron: "0 4 * * 1"}}
"""
AUDIENCES = {"aws": "sts.amazonaws.com", "gcp": "sts.googleapis.com", "azure": "api://AzureADTokenExchange"}
VARIABLES = {
    "aws": {"AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_DEFAULT_REGION"},
    "gcp": {"GOOGLE_APPLICATION_CREDENTIALS"},
    "azure": {"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"},
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """The files of a compiled system on two targets, or the codes of its errors."""

    outcome: Outcome
    files: Mapping[str, str]

    @property
    def codes(self) -> list[str]:
        return sorted(
            {diagnostic.code for diagnostic in self.outcome.diagnostics if diagnostic.code.partition("-")[2][:1] != "W"}
        )

    def manifest(self) -> str:
        """Return the manifests of the system's only workload."""
        return next(
            text for path, text in self.files.items() if path.endswith("here/workloads/manifests/pipeline-train.yaml")
        )

    def folders(self, target: str) -> set[str]:
        """Return the folders of a target's projects."""
        return {path.split("/")[-2] for path in self.files if f"/{target}/" in path and path.endswith("Pulumi.yaml")}

    def program(self, target: str, folder: str) -> str:
        """Return a project's program."""
        return next(text for path, text in self.files.items() if path.endswith(f"{target}/{folder}/__main__.py"))


def compiled(here: str, there: str, *changes: tuple[str, str], store: str = STORE) -> Compiled:
    """Compile a system that trains on one target using data on another."""
    mode = "hybrid" if "kubernetes" in here + there else "cloud"
    text = SPEC.replace("MODE", mode).replace("STORE", store)
    text = text.replace("FIRST", here.replace("CIDR", "10.1.0.0/16").replace("NAMESPACE", "pair-here"))
    text = text.replace("SECOND", there.replace("CIDR", "10.2.0.0/16").replace("NAMESPACE", "pair-there"))
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    outcome = compile_system(Inputs(InputFile("system.yaml", text), None, None), TARGETS)
    files = {file.path: file.render().decode() for stack in outcome.stacks for file in emit(stack)}
    return Compiled(outcome, files)


def of_cloud(name: str) -> str:
    """Return a cloud target that only stores data."""
    return IN_CLOUD[name].replace(", vpc: {cidr: CIDR}", "").replace(", namespace: NAMESPACE", "")


@pytest.mark.parametrize(("here", "there"), list(permutations(CLOUDS, 2)))
def test_each_cloud_opens_stores_of_each_other_by_its_tokens(here: str, there: str) -> None:
    result = compiled(IN_CLOUD[here], of_cloud(there))
    pod = result.manifest()

    assert not result.outcome.failed, result.codes
    assert AUDIENCES[there] in pod
    assert all(variable in pod for variable in VARIABLES[there])
    assert result.folders("there") == {"infrastructure", "crossings"}
    assert 'here_infrastructure["issuer"]' in result.program("there", "crossings")
    assert 'pulumi.export("issuer", cluster.issuer)' in result.program("here", "infrastructure")
    assert "Crossing(" not in result.program("there", "infrastructure"), "there is no key"


@pytest.mark.parametrize("there", ["gcp", "azure"])
def test_the_s3_endpoint_allows_no_bucket_named_like_a_store_of_another_cloud(there: str) -> None:
    """A bucket named like another cloud's store isn't allowed, since anyone may create it and receive writes."""
    assert "pair-lake" in compiled(IN_CLOUD["aws"], of_cloud("aws")).program("here", "infrastructure")
    assert "pair-lake" not in compiled(IN_CLOUD["aws"], of_cloud(there)).program("here", "infrastructure")


@pytest.mark.parametrize("there", CLOUDS)
def test_own_cluster_with_a_public_issuer_opens_stores_of_each_cloud(there: str) -> None:
    result = compiled(ON_PREM["public"], of_cloud(there))

    assert not result.outcome.failed, result.codes
    assert AUDIENCES[there] in result.manifest()
    assert PUBLIC in result.program("there", "crossings")
    assert "Crossing(" not in result.program("there", "infrastructure")


@pytest.mark.parametrize(
    ("issuer", "there", "codes"),
    [
        ("no issuer", "aws", []),  # by a key
        ("no issuer", "gcp", ["GCP-E012"]),
        ("no issuer", "azure", ["AZURE-E012"]),
        ("inside", "aws", []),  # by a key
        ("inside", "gcp", []),  # the keys of the issuer can be uploaded
        ("inside", "azure", ["AZURE-E012"]),
    ],
)
def test_own_cluster_without_a_public_issuer(issuer: str, there: str, codes: list[str]) -> None:
    result = compiled(ON_PREM[issuer], of_cloud(there))
    errors = [each for each in result.codes if "-E" in each or each.startswith("E")]

    assert errors == codes
    if there == "aws":
        assert "Crossing(" in result.program("there", "infrastructure")
        assert result.folders("there") == {"infrastructure"}


@pytest.mark.parametrize("here", CLOUDS)
def test_clouds_open_stores_of_an_own_cluster_by_its_credentials(here: str) -> None:
    store = (
        "{type: object, target: there, adopt: rows, endpoint: 'https://s3.shop.example',"
        " credentials: 'secret://kubernetes/rows'}"
    )
    there = ON_PREM["no issuer"].replace("context: shop", "context: shop, reachableFrom: [here]")
    result = compiled(IN_CLOUD[here], there, store=store)

    assert not result.outcome.failed, result.codes
    assert "serviceAccountToken" not in result.manifest()


def test_two_clouds_may_open_stores_of_each_other() -> None:
    """Two clouds may open each other's stores.

    Neither target's infrastructure needs the other's, because the access that each grants is in a separate project.
    """
    changes = (
        ("  lake: {type: object, target: there}\n", "  lake: {type: object, target: there}\n  mine: {type: object}\n"),
        (
            'inputs: [rows], compute: {cpu: 2, memory: 8Gi}, schedule: {cron: "0 4 * * 1"}}\n',
            'inputs: [rows], compute: {cpu: 2, memory: 8Gi}, schedule: {cron: "0 4 * * 1"}}\n'
            "  score:\n"
            "    {type: custom, target: there, inputs: [others], compute: {cpu: 1, memory: 2Gi},\n"
            "     source: {image: 'ghcr.io/acme/score:1', entrypoint: 'score:main'}}\n",
        ),
        ("label: bought}\n", "label: bought}\n  others: {store: mine, path: others, format: parquet}\n"),
    )
    result = compiled(IN_CLOUD["gcp"], IN_CLOUD["aws"], *changes)

    assert not result.outcome.failed, [each.message for each in result.outcome.diagnostics]
    for target, other in (("here", "there"), ("there", "here")):
        assert f"pair-{other}" not in result.program(target, "infrastructure")
        assert f'{other}_infrastructure["issuer"]' in result.program(target, "crossings")
        assert f"{other}_crossings[" in result.program(target, "workloads")


@pytest.mark.parametrize("here", ["aws", "gcp"])
def test_network_without_internet_opens_no_store_of_another_cloud(here: str) -> None:
    closed = (
        IN_CLOUD[here]
        .replace("cidr: CIDR", "cidr: CIDR, nat: none")
        .replace("vpc:", "images: {registry: registry.acme.example/ml, mirror: true}, vpc:")
    )

    assert compiled(closed, of_cloud("azure")).codes == [{"aws": "AWS-E012", "gcp": "GCP-E030"}[here]]


def test_workload_has_one_identity_in_a_cloud() -> None:
    two = (
        ("    there: ", "    other: {provider: aws, region: eu-west-1}\n    there: "),
        ("  lake: ", "  more: {type: object, target: other}\n  lake: "),
        ("inputs: [rows]", "inputs: [rows, others]"),
        ("label: bought}\n", "label: bought}\n  others: {store: more, path: others, format: parquet}\n"),
    )

    assert compiled(IN_CLOUD["gcp"], of_cloud("aws"), *two).codes == ["E0658"]


def test_adopted_stores_alone_need_no_infrastructure_project_on_aws() -> None:
    result = compiled(IN_CLOUD["gcp"], of_cloud("aws"), store="{type: object, target: there, adopt: acme-rows}")

    assert not result.outcome.failed, result.codes
    assert result.folders("there") == {"crossings"}
    assert "offers-there-infrastructure" not in result.program("there", "crossings")


def test_issuer_without_effect_is_reported() -> None:
    spec = ON_PREM["inside"]
    result = compiled(spec, of_cloud("aws"))

    assert [each.message for each in result.outcome.diagnostics if each.code == "W0634"] == [
        "`issuer` has no effect on target 'here': no workload there accesses a cloud store with its own identity"
    ]


def test_project_stays_when_nothing_crosses_any_more() -> None:
    """The project stays when the last crossing is removed. Otherwise, nothing would revoke its grants."""
    result = compiled(
        IN_CLOUD["gcp"], IN_CLOUD["aws"], ("  placement: {default: here}", "  placement: {default: there}")
    )
    program = result.program("there", "crossings")

    assert not result.outcome.failed, result.codes
    assert "Trusted" not in program
    assert "export" not in program


SCORE = (
    "{type: custom, target: third, inputs: [rows], compute: {cpu: 1, memory: 2Gi},"
    " source: {image: 'ghcr.io/acme/score:1', entrypoint: 'score:main'}}"
)
MLFLOW = 'registry: {adopt: "https://mlflow.acme.example"}'


@pytest.mark.parametrize(
    ("address", "codes"), [("10.3.0.5", ["W0527"]), ("10.1.0.5", []), ("10.9.0.5", []), ("mlflow.internal", [])]
)
def test_registry_in_the_network_of_another_target(address: str, codes: list[str]) -> None:
    """The targets' networks aren't connected. A target with only buckets has no network."""
    third = ("    there: ", f"    third: {IN_CLOUD['azure'].replace('CIDR', '10.3.0.0/16')}\n    there: ")
    scored = ("pipelines:\n", f"pipelines:\n  score: {SCORE}\n")
    registry = (MLFLOW, f'registry: {{adopt: "http://{address}:5000"}}')
    result = compiled(IN_CLOUD["gcp"], of_cloud("aws"), third, scored, registry)

    assert not result.outcome.failed, result.codes
    reported = [each for each in result.outcome.diagnostics if each.code == "W0527"]
    assert [each.code for each in reported if "pipelines.train" in each.message] == codes


SHOPS = (
    ("    here: {provider: kubernetes", "    here: {sites: {values: {a: SITE, b: SITE}}, provider: kubernetes"),
    ("  placement: {default: here}", "  placement: {default: there}"),
    ("type: training,", "type: training, target: here,"),
    ("context: shop", 'context: "${site.name}"'),
)
"""The change that turns the system's own cluster into one of two sites."""


def of_shops(issuer: str, first: str = "{}", second: str = "{}") -> Compiled:
    """Compile sites that open a store on Google Cloud, given their token issuer and two sites' values."""
    sites = (SHOPS[0][0], SHOPS[0][1].replace("SITE", first, 1).replace("SITE", second, 1))
    return compiled(ON_PREM["public"], of_cloud("gcp"), *SHOPS[1:], sites, (PUBLIC, issuer))


def test_sites_share_what_a_cloud_trusts() -> None:
    result = of_shops(PUBLIC)

    assert not result.outcome.failed, [each.message for each in result.outcome.diagnostics]
    assert f'issuer="{PUBLIC}"' in result.program("there", "crossings")


def test_cloud_does_not_trust_an_issuer_of_each_site() -> None:
    """All sites share one cloud program, which would trust only the placeholder instead of each site's host."""
    (problem,) = of_shops("https://${site.host}", "{host: a.example}", "{host: b.example}").outcome.diagnostics

    assert problem.code == "E0689"
    assert "TrustedIssuer 'here' on target 'there'" in problem.message


def test_cloud_does_not_trust_the_issuer_of_one_kind_of_site() -> None:
    """The value is part of a path, so there are two kinds of sites, of which the cloud would trust only one."""
    (problem,) = of_shops("https://acme.example/${site.at}", "{at: 1/x}", "{at: 2/x}").outcome.diagnostics

    assert problem.code == "E0669"
    assert "on target 'there' differs" in problem.message
