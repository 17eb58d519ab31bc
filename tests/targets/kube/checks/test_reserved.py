"""Tests that workloads, stores and namespaces with reserved names are reported."""

from __future__ import annotations

import pytest

from modelyard_targets.kube.checks.reserved import check_names
from tests.plans import plan_of
from tests.specs import VALID_SPEC, changed

ADOPTED = ("registry: {database: runs, artifacts: lake}", 'registry: {adopt: "https://mlflow.acme.example"}')


def marked_texts(text: str) -> list[str]:
    """Return, for each diagnostic, the part of the spec that it points to."""
    lines = text.splitlines()
    spans = [diagnostic.span for diagnostic in check_names(plan_of(text), "main")]
    return [lines[span.line - 1][span.column - 1 :] for span in spans if span]


def test_valid_spec_has_no_reserved_names() -> None:
    assert marked_texts(VALID_SPEC) == []


@pytest.mark.parametrize("name", ["mlflow", "deny-all", "allow-dns"])
def test_pipeline_with_a_platform_name_is_refused(name: str) -> None:
    """A pipeline can't be named like a platform policy, because its own NetworkPolicy would replace it."""
    assert marked_texts(changed("  nightly:\n", f"  {name}:\n")) == [f"{name}:"]


def test_name_of_a_variants_server_is_checked() -> None:
    text = VALID_SPEC.replace("  scorer:\n", "  deny:\n").replace("inference.scorer", "inference.deny")
    text = text.replace("champion: {model", "all: {model").replace("traffic: {champion", "traffic: {all")

    assert marked_texts(text) == ["deny:"]


def test_mlflow_is_allowed_with_an_adopted_registry() -> None:
    assert marked_texts(changed("  nightly:\n", "  mlflow:\n", ADOPTED)) == []


def test_name_of_the_bucket_job_is_reserved() -> None:
    renamed = ("  nightly:\n", "  store-lake:\n")

    assert marked_texts(changed(*renamed)) == []
    assert marked_texts(changed("adopt: acme-fraud-lake, ", "", renamed)) == ["store-lake:"]


@pytest.mark.parametrize(
    "name", ["pg-runs", "postgres", "template0", "template1", "rdsadmin", "rds-runs", "dbadmin", "streaming-replica"]
)
def test_reserved_database_name_is_refused(name: str) -> None:
    """A managed database can't have a name PostgreSQL reserves for a database or role."""
    called = changed("runs: {type: database}", f"{name}: {{type: database}}", ("database: runs", f"database: {name}"))
    adopted = called.replace("{type: database}", '{type: database, adopt: "db/m", credentials: "secret://vault/db"}')

    assert marked_texts(called) == [f"{name}: {{type: database}}"]
    assert marked_texts(adopted) == []


@pytest.mark.parametrize("name", ["pgruns", "runs-pg", "postgresql", "template"])
def test_similar_database_name_is_accepted(name: str) -> None:
    renamed = ("database: runs", f"database: {name}")

    assert marked_texts(changed("runs: {type: database}", f"{name}: {{type: database}}", renamed)) == []


@pytest.mark.parametrize("name", ["monitoring", "kuberay-system", "cnpg-system"])
def test_add_on_namespace_is_refused(name: str) -> None:
    """A system can't use an add-on's namespace, because its policies would cut off the add-on."""
    text = changed("      residency: eu\n", f"      residency: eu\n      namespace: {name}\n")

    assert marked_texts(text) == [name]


def test_system_named_like_an_add_on_namespace_is_refused() -> None:
    assert marked_texts(changed("metadata: {name: fraud,", "metadata: {name: monitoring,")) == [
        VALID_SPEC.splitlines()[2][len("metadata: {") :].replace("fraud", "monitoring", 1)
    ]


def test_namespace_of_a_present_add_on_is_allowed() -> None:
    text = changed("      residency: eu\n", "      residency: eu\n      namespace: cnpg-system\n")

    assert (
        marked_texts(text.replace("      namespace: cnpg", "      present: [cloudnative-pg]\n      namespace: cnpg"))
        == []
    )
