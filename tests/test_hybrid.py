"""Tests that a two-target system compiles for both, with cross-target access on both or on neither."""

from __future__ import annotations

import pytest

from modelyard.diagnostics.base import Severity
from modelyard.emit import stack_files
from modelyard.pipeline import InputFile, Inputs, Outcome, compile_system
from modelyard_targets import TARGETS
from tests.examples import SYSTEMS, Example
from tests.hybrid import HYBRID_SPEC, hybrid, without_section

FRAUD = Example("fraud-detection", None)
CLUSTERS = ("mode: hybrid", "mode: on-prem")
MAIN = "main: {provider: kubernetes, context: main, capacity: [{count: 4, cpu: 16, memory: 64Gi}]}"
LAKE = (
    "lake: {type: object, target: main}",
    'lake: {type: object, target: main, endpoint: "https://s3.acme.example:9000", credentials: secret://kubernetes/lake}',
)
SHOP = """\
    shop:
      provider: kubernetes
      context: shop
      edge: true
      storageClass: local-path
      capacity: [{count: 2, cpu: 16, memory: 64Gi}]
"""
FILMS = (
    ("  sales: {store: lake, path: sales/", "  sales: {store: films, path: sales/"),
    (
        "  runs: {type",
        '  films: {type: object, target: shop, adopt: films, endpoint: "https://s3.shop.example:9000",'
        " credentials: secret://kubernetes/films}\n  runs: {type",
    ),
)
"""Changes to the spec: a bucket in the shop, and a pipeline in the cloud that reads the bucket."""


def two_clouds(region: str, *changes: tuple[str, str]) -> str:
    """Return the hybrid system's spec with both targets in AWS."""
    shop = f"    shop: {{provider: aws, region: {region}, vpc: {{cidr: 10.9.0.0/16}}}}\n"
    return hybrid(("mode: hybrid", "mode: cloud"), (SHOP, shop), *changes)


def compiled(text: str) -> Outcome:
    """Compile a spec through all stages."""
    return compile_system(Inputs(InputFile("system.yaml", text)), TARGETS)


def files(outcome: Outcome) -> dict[str, str]:
    """Return all emitted file contents by target and path, without copies of the library and runtime."""
    assert not outcome.failed, outcome.diagnostics
    rendered: dict[str, str] = {}
    for stack in outcome.stacks:
        for file in stack_files(stack):
            if "modelyard_stacks" not in file.path and "modelyard_runtime" not in file.path:
                rendered[f"{stack.target}/{file.path}"] = file.render().decode()
    return rendered


def errors(outcome: Outcome) -> list[str]:
    """Return the codes of an outcome's errors."""
    return sorted(diagnostic.code for diagnostic in outcome.diagnostics if diagnostic.severity is Severity.ERROR)


def spec_of_fraud() -> str:
    """Return the text of the reference spec, examples/fraud-detection."""
    return (FRAUD.root / FRAUD.name / "system.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("example", "count"),
    [
        (FRAUD, 1),
        (Example("shelf", None, SYSTEMS), 1),
        (Example("three-clouds", None, SYSTEMS), 9),
        (Example("plant-and-google", None, SYSTEMS), 6),
        (Example("plant-and-azure", None, SYSTEMS), 6),
    ],
    ids=str,
)
def test_every_link_between_targets_has_a_row_on_both_sides(example: Example, count: int) -> None:
    outcome = example.compiled()
    rendered = files(outcome)

    assert outcome.plan is not None
    links = outcome.plan.crossings()
    assert len(links) == count
    for link in links:
        row = f"`{link.source}` | `{link.sink}` | {link.what} | {link.protocol} | {link.port} |"
        for end in link.ends:
            assert row in next(text for path, text in rendered.items() if path.endswith(f"{end}/README.md"))


def test_the_reference_spec_compiles_with_access_on_both_ends() -> None:
    rendered = files(FRAUD.compiled())

    assert "stores__till_access_key_id_1" in rendered["main/infrastructure/__main__.py"]
    assert '"crossing-till"' in rendered["stores/workloads/__main__.py"]
    assert 'main_infrastructure["stores__till_access_key_id_1"]' in rendered["stores/workloads/__main__.py"]
    assert "crossing-till" in rendered["stores/workloads/manifests/model-till.yaml"]
    assert "/bundles/fraud-detection-fraud-xgb/champion/" in rendered["main/workloads/manifests/promoter.yaml"]


def test_removing_the_cross_target_access_removes_both_ends() -> None:
    """Without the endpoint `till`, no file mentions its users, outputs or bundles, or cross-target access."""
    alone = without_section(without_section(HYBRID_SPEC, "nightly"), "drift")
    for text, ends in (
        (spec_of_fraud(), ("stores/", "stores__till", "/bundles/", '"otherDeliveries"')),
        (alone, ("shop/", "shop__till", "/bundles/", '"delivery"')),
    ):
        before, after = (
            files(compiled(text)),
            files(compiled(without_section(text, "till"))),
        )

        for end in ends:
            assert any(end in path or end in content for path, content in before.items()), end
            assert not [path for path, content in after.items() if end in path or end in content], end
        assert not [path for path, content in after.items() if "rossing" in content]


def test_each_user_has_exactly_the_access_of_its_workload() -> None:
    """Each of the shop's three workloads has its own IAM user. One reads a bundle, and two write captures."""
    program = files(compiled(HYBRID_SPEC))["main/infrastructure/__main__.py"]
    _, _, till = program.partition('    "shop.till",')
    till = " ".join(till.partition("\n)")[0].split())

    assert program.count(" = Crossing(") == 3
    assert '"prefix": "mlflow/bundles/till-theft/champion/", "mode": "read"' in till
    assert '"mode": "append"' in till
    assert "sales" not in till


def test_two_existing_clusters_connect_only_with_an_allow_rule() -> None:
    """The shop's cluster reads no outputs of the main stack, because the store has an address and credentials."""
    let_in = (
        "main: {provider: aws, region: eu-central-1}",
        MAIN.replace("{provider", "{reachableFrom: [shop], provider"),
    )
    rendered = files(compiled(hybrid(CLUSTERS, let_in, LAKE)))

    assert "Infrastructure" not in rendered["shop/workloads/__main__.py"]
    policy = rendered["shop/workloads/manifests/model-till.yaml"]
    assert "port: 9000" in policy
    assert "name: lake" in policy
    assert errors(compiled(hybrid(CLUSTERS, (let_in[0], MAIN), LAKE))) == ["E0520", "E0520", "E0520"]


def test_two_targets_in_one_account_access_buckets_by_role() -> None:
    """No access key is needed, because the workload's role may use the other target's bucket and encryption key."""
    rendered = files(compiled(two_clouds("eu-central-1")))
    program = rendered["shop/infrastructure/__main__.py"]

    assert "Crossing" not in rendered["main/infrastructure/__main__.py"]
    assert 'main_infrastructure = Infrastructure("till-main-infrastructure", setting="infrastructure-main")' in program
    assert 'main_infrastructure["key_arn"]' in program
    assert "crossing" not in rendered["shop/workloads/__main__.py"]
    assert "ACCESS_KEY" not in rendered["shop/workloads/manifests/model-till.yaml"]
    assert "| the role of the workload |" in rendered["shop/README.md"]


def test_buckets_in_another_region_are_accessed_in_their_region() -> None:
    """Encryption keys are used in their own region, so the policy contains that region."""
    rendered = files(compiled(two_clouds("eu-west-1")))
    program = " ".join(rendered["shop/infrastructure/__main__.py"].split())
    lake = "lake: {type: object, target: main}"

    assert '"key": main_infrastructure["key_arn"], "region": "eu-central-1"' in program
    assert '"region"' not in rendered["main/infrastructure/__main__.py"].replace('"region", account', "")
    assert '"region": "eu-central-1"' in rendered["shop/workloads/manifests/model-till.yaml"]
    adopted = two_clouds("eu-west-1", (lake, "lake: {type: object, target: main, adopt: acme-lake}"))
    program = files(compiled(adopted))["shop/infrastructure/__main__.py"]
    assert '"bucket": "acme-lake"' in program
    assert "Infrastructure(" not in program
    key = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    encrypted = (lake, f"lake: {{type: object, target: main, adopt: acme-lake, encryptionKey: '{key}'}}")
    program = " ".join(files(compiled(two_clouds("eu-west-1", encrypted)))["shop/infrastructure/__main__.py"].split())
    assert f'"key": "{key}", "region": "eu-central-1"' in program


def test_a_cloud_accesses_an_existing_cluster_only_with_an_allow_rule() -> None:
    """Training in the cloud on the shop's data is rejected unless the shop allows access."""
    opened = ("      context: shop\n", "      context: shop\n      reachableFrom: [main]\n")
    rendered = files(compiled(hybrid(opened, *FILMS)))

    assert errors(compiled(hybrid(*FILMS))) == ["E0520"]
    policy = rendered["main/workloads/manifests/pipeline-retrain.yaml"]
    assert "port: 9000" in policy
    readme = rendered["main/README.md"]
    assert "| out, to shop | `main:training-job/retrain` | `shop:object-store/films` | data | https | 9000 |" in readme
    assert "Apply `workloads/` of shop" not in readme  # the bucket already exists


def test_targets_that_depend_on_each_other_are_refused() -> None:
    """Each target would first need the other's encryption key. With an existing bucket, neither has to wait."""
    films = "films: {type: object, target: shop}\n  runs: {type"
    managed = (FILMS[0], ("  runs: {type", f"  {films}"))

    assert errors(compiled(two_clouds("eu-central-1", *managed))) == ["AWS-E014"] * 2
    adopted = (FILMS[0], ("  runs: {type", f"  {films.replace('shop}', 'shop, adopt: acme-films}')}"))
    assert errors(compiled(two_clouds("eu-central-1", *adopted))) == []


def test_ambiguous_combinations_of_names_stay_different() -> None:
    """Names stay distinct even if placement and workload combine ambiguously.

    For example, `shop` with `a-till` and `shop-a` with `till` both give `shop-a-till`.
    """
    other = "    shop-a: {provider: kubernetes, context: shop-a, capacity: [{count: 2, cpu: 16, memory: 64Gi}]}\n"
    till = "variants: {live: {model: theft@champion}}, compute: {cpu: 2, memory: 8Gi}, replicas: 1"
    text = hybrid(
        ("  placement:", f"{other}  placement:"),
        ("  till:\n", f"  till: {{target: shop-a, {till}, rollout: {{strategy: in-place}}}}\n  a-till:\n"),
        ("watch: inference.till", "watch: inference.a-till"),
    )
    rendered = files(compiled(text))

    for shop, output in (("shop", "shop__a_till"), ("shop-a", "shop_a__till")):
        assert f'"{output}_access_key_id_1"' in rendered["main/infrastructure/__main__.py"]
        assert f'"{output}_access_key_id_1"' in rendered[f"{shop}/workloads/__main__.py"]
    assert '    "shop.a-till",' in rendered["main/infrastructure/__main__.py"]
    assert '    "shop-a.till",' in rendered["main/infrastructure/__main__.py"]
