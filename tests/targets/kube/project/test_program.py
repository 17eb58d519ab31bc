"""Tests that the emitted program is short and has the right dependencies and order."""

from __future__ import annotations

from modelyard.program import Ref
from modelyard.writers.python_text import print_program
from modelyard_targets.kubernetes.lower import lower
from tests.emitted import argument, calls
from tests.plans import plan_of
from tests.specs import VALID_SPEC


def test_calls_depend_on_their_prerequisites() -> None:
    components = calls(VALID_SPEC)

    assert argument(components["foundation"], "depends_on") == tuple(
        Ref(name) for name in ("prometheus", "external_secrets", "cloudnative_pg", "kuberay")
    )
    assert argument(components["mlflow-logins"], "depends_on") == (Ref("foundation"),)
    assert argument(components["registry"], "depends_on") == (
        Ref("foundation"),
        Ref("registry_admin"),
        Ref("registry_logins"),
    )
    assert argument(components["workloads"], "depends_on") == (Ref("foundation"), Ref("registry"))


def test_foundation_is_applied_in_order_and_workloads_in_parallel() -> None:
    components = calls(VALID_SPEC)

    assert argument(components["foundation"], "in_order") is True
    assert argument(components["foundation"], "files")[:2] == ("namespace.yaml", "secrets.yaml")
    assert "in_order" not in dict(components["workloads"].arguments)
    assert "model-scorer.yaml" in argument(components["workloads"], "files")


def test_additional_workload_adds_one_line() -> None:
    """Each additional workload adds one line to the program."""
    (project,) = lower(plan_of(VALID_SPEC), "main").projects
    more = VALID_SPEC.replace(
        "  nightly:\n", "  weekly: {type: custom, compute: cpu, source: {entrypoint: 'a.b:c'}}\n  nightly:\n"
    )
    (larger,) = lower(plan_of(more), "main").projects
    before, after = print_program(project.program).splitlines(), print_program(larger.program).splitlines()

    assert [line for line in after if line not in before] == ['        "pipeline-weekly.yaml",']


def test_kubeconfig_context_is_a_setting() -> None:
    (project,) = lower(plan_of(VALID_SPEC), "main").projects

    assert project.settings == {"context": "frankfurt"}
    assert "frankfurt" not in print_program(project.program)
