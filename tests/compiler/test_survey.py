"""Tests that all environments are checked, reporting each error once with the environments it affects."""

from __future__ import annotations

from typing import cast

import pytest

import modelyard_schemas
from modelyard.inputs import InputFile, Inputs
from modelyard.overlay import MOST, environments
from modelyard.pipeline import opened
from modelyard.survey import Survey, survey
from modelyard_targets import TARGETS
from tests.compiler.cli.commands import SPEC

BASE = SPEC[: SPEC.index("environments:")]


def surveyed(text: str, **files: str) -> Survey:
    """Check a spec with the given environments, which are in separate files."""
    overlays = {name: InputFile(f"environments/{name}.yaml", content) for name, content in files.items()}
    inputs = Inputs(InputFile("system.yaml", text), beside=overlays)
    spec = opened(inputs)
    assert spec.document is not None
    return survey(inputs, spec, sorted({*environments(spec.document), *overlays}), TARGETS)


def codes_of(result: Survey) -> list[str]:
    """Return each code with its line and, if listed, the affected environments.

    Conflicts between environments are omitted, since the environments in these tests share a namespace.
    """
    entries = [
        (diagnostic, diagnostic.message.rfind(" (in "))
        for diagnostic in result.diagnostics
        if diagnostic.code not in {"E0517", "W0518"}
    ]
    return [
        f"{diagnostic.code} {diagnostic.span.file}:{diagnostic.span.line}{diagnostic.message[at:] if at > 0 else ''}"
        for diagnostic, at in entries
        if diagnostic.span is not None
    ]


def test_an_error_in_all_environments_is_reported_once() -> None:
    """A typo in the base is reported once, without a list of environments."""
    result = surveyed(BASE.replace("compute:", "compte:") + "environments: {dev: {}, prod: {}}\n", edge="")

    assert codes_of(result) == ["E0203 system.yaml:13"]
    assert result.base_is_whole


def test_an_error_in_some_environments_lists_them() -> None:
    """The list contains environments in the spec, environments in files, and the base."""
    bad = "{models: {churn: {framework: xgbost}}}"
    text = BASE.replace("memory: 2Gi", "memory: 2TB")

    assert codes_of(surveyed(f"{BASE}environments: {{dev: {bad}, prod: {{}}}}\n")) == ["E0204 system.yaml:15 (in dev)"]
    assert codes_of(surveyed(BASE, dev=bad, prod="")) == ["E0204 environments/dev.yaml:1 (in dev)"]
    mended = "{inference: {score: {compute: {memory: 2Gi}}}}"
    assert codes_of(surveyed(text, dev=mended, prod="", test="")) == [
        "E0205 system.yaml:13 (in the base, prod and test)"
    ]


def test_many_affected_environments_are_counted() -> None:
    """If many environments are affected, they are counted rather than listed by name."""
    bad = "{models: {churn: {framework: xgbost}}}"
    files = {f"e{at}": "" for at in range(3)} | {f"x{at}": bad for at in range(8)}
    anchored = BASE.replace("{task:", "&m {task:")

    assert len(codes_of(surveyed(anchored, **files))) == 8  # each in its own file
    shared = f"{BASE}environments: {{a: &bad {bad}, b: *bad, c: *bad, d: *bad, e: *bad, f: *bad, g: {{}}}}\n"
    assert codes_of(surveyed(shared)) == ["E0204 system.yaml:15 (in a, b, c, d and 2 more)"]


def test_a_stage_that_did_not_run_does_not_limit_a_warning() -> None:
    """A warning from a later stage isn't limited to the environments that reached this stage."""
    lonely = BASE.replace("models:", "compute: {spare: {cpu: 1, memory: 1Gi}}\nmodels:")
    result = surveyed(lonely, dev="{models: {churn: {framework: xgbost}}}", prod="")

    assert codes_of(result) == ["E0204 environments/dev.yaml:1 (in dev)", "W0412 system.yaml:9"]


def test_an_invalid_overlay_does_not_hide_other_environments() -> None:
    """The error's span shows which environment is invalid, and the others are still checked."""
    result = surveyed(BASE, dev="models: [", prod="{models: {churn: {framework: xgbost}}}")

    assert codes_of(result) == ["E0103 environments/dev.yaml:2", "E0204 environments/prod.yaml:1 (in prod)"]


def test_entries_used_in_one_environment_are_not_reported_as_unused() -> None:
    text = BASE.replace("models:", "compute: {big: {cpu: 2, memory: 4Gi}}\nmodels:").replace(
        "vars:\n", "vars:\n  size: 3\n"
    )
    overlay = '{inference: {score: {compute: big, replicas: "${vars.size}"}}}'

    assert codes_of(surveyed(text, dev="", prod=overlay)) == []
    assert codes_of(surveyed(text, dev="", prod="")) == ["W0148 system.yaml:6", "W0412 system.yaml:10"]


@pytest.mark.parametrize(
    ("base", "environment"),
    [
        (
            BASE.replace("deployment: {mode: on-prem, provider: kubernetes, context: here}\n", ""),
            "deployment: {mode: on-prem, provider: kubernetes, context: here}",
        ),
        (BASE.replace("compute: {cpu: 1, memory: 2Gi}", "compute: size"), "compute: {size: {cpu: 1, memory: 2Gi}}"),
        (BASE.replace("default: 1, ", ""), "vars: {replicas: {default: 2}}"),
        (
            BASE.replace(", provider: kubernetes, context: here", ""),
            "deployment: {provider: kubernetes, context: here}",
        ),
    ],
    ids=["a section", "a reference", "a variable", "a field"],
)
def test_a_base_may_lack_fields_that_every_environment_adds(base: str, environment: str) -> None:
    """An incomplete base isn't checked on its own. An environment that leaves it incomplete is reported."""
    complete = surveyed(base, dev=environment, prod=environment)
    assert (complete.base_is_whole, codes_of(complete)) == (False, [])

    partial = surveyed(base, dev=environment, prod="")
    assert partial.base_is_whole
    assert len(codes_of(partial)) == 1
    assert codes_of(partial)[0].endswith("(in the base and prod)")


def test_a_wrong_value_only_in_the_base_is_reported() -> None:
    """Unlike a missing value, a wrong base value is reported even if every environment replaces it."""
    result = surveyed(BASE.replace("xgboost", "xgbost"), dev="{models: {churn: {framework: xgboost}}}")

    assert codes_of(result) == ["E0204 system.yaml:9 (in the base)"]


@pytest.mark.parametrize(
    "environment",
    [
        "inference: {score: {compute: {cpu: 1, memory: 2Gi}}}",
        "inference: {score: null}",
        "inference: null",
    ],
    ids=["replaced", "deleted", "deleted with its section"],
)
def test_deleting_a_dangling_reference_does_not_excuse_the_base(environment: str) -> None:
    """A dangling reference in the base is an error even if no environment uses it."""
    result = surveyed(BASE.replace("compute: {cpu: 1, memory: 2Gi}", "compute: size"), dev=environment)

    assert [line for line in codes_of(result) if line.startswith("E")] == ["E0301 system.yaml:13 (in the base)"]


def test_the_number_of_environments_is_limited() -> None:
    """Each environment is checked separately, so a small file must not cause a hundred thousand checks."""
    schema = cast("dict[str, dict[str, dict[str, object]]]", modelyard_schemas.load())
    assert schema["properties"]["environments"]["maxProperties"] == MOST

    names = ", ".join(f"e{at}: {{}}" for at in range(MOST + 1))
    assert codes_of(surveyed(f"{BASE}environments: {{{names}}}\n")) == ["E0207 system.yaml:15"]
