"""Tests that a document is resolved into a system, with defaults, short forms, units and references."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from modelyard.checks import check
from modelyard.diagnostics import Diagnostic, has_errors
from modelyard.load import load
from modelyard.resolve import resolve
from modelyard.spec import (
    Accelerator,
    Caller,
    ComputeClass,
    Mirror,
    ModelRef,
    OnBreach,
    Range,
    Rollout,
    Scaling,
    Schedule,
    SecretRef,
    Split,
    System,
)
from modelyard.validate import validate
from modelyard_targets import TARGETS
from tests.diagnosing import Question, examine, places
from tests.schemas.generate import fitting
from tests.schemas.walk import at
from tests.specs import VALID_SPEC, changed

_GI = 1024**3


def resolved(spec: str = VALID_SPEC) -> System:
    """Return the system of a valid spec."""
    system, diagnostics = _resolve(spec)
    assert diagnostics == ()
    assert system is not None
    return system


def _resolve(spec: str) -> tuple[System | None, tuple[Diagnostic, ...]]:
    document, diagnostics = load(spec, "system.yaml")
    assert diagnostics == ()
    assert document is not None
    assert validate(document) == ()
    return resolve(document, "default", TARGETS)


def refused(spec: str) -> list[str]:
    """Return the positions and codes with which a spec is refused."""
    return places(examine(Question(spec)))


def test_units_become_integers_in_the_unit_of_their_name() -> None:
    system = resolved()

    assert system.compute["train"] == ComputeClass(
        "train",
        ("compute", "train"),
        cpu_millis=8000,
        memory_bytes=32 * _GI,
        accelerators=(Accelerator("L4", 1), Accelerator("A10G", 1)),
        capacity="spot-first",
    )
    assert system.data["chargebacks"].delay_s == 45 * 86400
    slo = system.inference["scorer"].slo
    assert slo is not None
    assert (slo.latency_ms, slo.availability, slo.window_s) == (((0.99, 50),), 0.9995, 30 * 86400)
    capture = system.inference["scorer"].capture
    assert capture is not None
    assert (capture.fraction, capture.path) == (0.2, "captures/scorer")
    assert system.governance.budget is not None
    assert (system.governance.budget.monthly, system.governance.budget.currency) == (18000.0, "USD")


def test_schedules_are_resolved() -> None:
    """A schedule is a cron expression with a time zone, or a word such as `once`. The default is on demand."""
    system = resolved(changed("compute: cpu\n    steps:", "compute: cpu\n    schedule: once\n    steps:"))

    assert system.pipelines["retrain"].schedule == Schedule("cron", "0 4 * * 0", "Europe/Berlin")
    assert system.pipelines["report"].schedule == Schedule("once")
    assert resolved().pipelines["report"].schedule == Schedule("on-demand")


def test_a_monitor_runs_daily_or_hourly_depending_on_its_window() -> None:
    assert resolved().monitors["drift"].schedule.cron == "0 6 * * *"
    assert resolved(changed("window: 1d", "window: 6h")).monitors["drift"].schedule.cron == "0 * * * *"


def test_breaches_notify_the_on_call_channel_by_default() -> None:
    on_breach = "    onBreach: {notify: [oncall], rollback: true, cooldown: 7d}\n"

    assert resolved(changed(on_breach, "")).monitors["quality"].on_breach == OnBreach(notify=("oncall",))
    empty = resolved(changed(on_breach, "    onBreach: {notify: []}\n")).monitors["quality"].on_breach
    assert empty == OnBreach(notify=())


@pytest.mark.parametrize(
    ("size", "edge", "expected"),
    [("small", "", Range(1, 1)), ("enterprise", "", Range(2, 4)), ("enterprise", "edge: true", Range(1, 1))],
)
def test_default_replicas_depend_on_the_profile(size: str, edge: str, expected: Range) -> None:
    system = resolved(
        changed(
            "    replicas: {min: 2, max: 6}\n",
            "",
            ("size: small", f"size: {size}"),
            ("context: frankfurt", f"context: frankfurt\n      {edge}"),
        )
    )
    challenger, champion = system.inference["scorer"].variants

    assert champion.replicas == expected
    assert challenger.replicas == Range(1, 1)  # the endpoint's own value


@pytest.mark.parametrize(("size", "instances"), [("small", 1), ("enterprise", 3)])
def test_a_managed_database_has_a_size_and_instances(size: str, instances: int) -> None:
    database = resolved(changed("size: small", f"size: {size}")).stores["runs"]

    assert (database.size_bytes, database.replicas) == (20 * _GI, instances)


def test_an_adopted_database_has_no_size_or_instances() -> None:
    database = resolved(changed("{type: database}", "{type: database, adopt: db.acme.example/runs}")).stores["runs"]

    assert (database.adopt, database.size_bytes, database.replicas) == ("db.acme.example/runs", None, None)


def test_one_target_may_be_in_short_form() -> None:
    """In short form, the target's fields are next to `mode`, and its name is main."""
    start = VALID_SPEC.index("  targets:\n    main:\n")
    end = VALID_SPEC.index("stores:\n")
    spec = (
        VALID_SPEC[:start] + "  provider: kubernetes\n  residency: eu\n  gateway: {class: cilium}\n" + VALID_SPEC[end:]
    )
    deployment = resolved(spec).deployment

    assert [target.name for target in deployment.targets] == ["main"]
    assert deployment.targets[0].residency == "eu"
    assert deployment.placement.inference == "main"


def test_the_local_machine_needs_no_provider() -> None:
    start = VALID_SPEC.index("  mode: on-prem\n")
    end = VALID_SPEC.index("stores:\n")

    assert resolved(VALID_SPEC[:start] + "  mode: local\n" + VALID_SPEC[end:]).deployment.targets[0].provider == "local"


def test_placement_by_kind_falls_back_to_the_default() -> None:
    shops = "  placement: {default: main, inference: shops, batch: shops}"
    system = resolved(
        changed(
            "  placement: {default: main}",
            shops,
            ("      secretStores:", "      storageClass: fast\n      secretStores:"),
            ("  targets:\n", "  targets:\n    shops: {provider: kubernetes, residency: eu}\n"),
        )
    )

    assert system.inference["scorer"].target == "shops"
    assert system.pipelines["nightly"].target == "shops"
    assert system.pipelines["retrain"].target == "main"
    assert system.monitors["drift"].target == "main"
    assert system.stores["lake"].target == "main"


def test_a_placement_that_names_each_kind_needs_no_default() -> None:
    targets = ("  targets:\n", "  targets:\n    shops: {provider: kubernetes, residency: eu}\n")
    kinds = "training: main, batch: main, inference: shops, monitors: main, registry: main"

    assert resolved(changed("{default: main}", f"{{{kinds}}}", targets)).deployment.placement.inference == "shops"
    without_default = changed("{default: main}", "{inference: shops}", targets)
    assert [code for _, code in map(str.split, refused(without_default))] == ["E0304"]


@pytest.mark.parametrize(
    ("inline", "cpu_millis", "memory_bytes", "accelerators"),
    [
        ('"L4:2"', 16000, 64 * _GI, (Accelerator("L4", 2),)),
        ("{cpu: 500m, memory: 1.5Gi, accelerators: A10G:1}", 500, 3 * _GI // 2, (Accelerator("A10G", 1),)),
    ],
)
def test_inline_compute_gets_a_name(
    inline: str, cpu_millis: int, memory_bytes: int, accelerators: tuple[Accelerator, ...]
) -> None:
    """An inline compute class gets a name and is otherwise treated like a declared one."""
    system = resolved(changed("compute: train", f"compute: {inline}"))
    compute_class = system.compute["pipelines-retrain"]

    assert system.pipelines["retrain"].steps[0].compute == "pipelines-retrain"
    assert (compute_class.cpu_millis, compute_class.memory_bytes, compute_class.accelerators) == (
        cpu_millis,
        memory_bytes,
        accelerators,
    )
    assert compute_class.path == ("pipelines", "retrain", "compute")


def test_monitors_share_one_small_class() -> None:
    system = resolved()

    assert {monitor.compute for monitor in system.monitors.values()} == {"monitors-default"}
    assert system.compute["monitors-default"].cpu_millis == 1000


def test_a_pipeline_without_steps_is_one_step() -> None:
    """A pipeline without steps is retried as a whole, and its only step adds no retries."""
    pipeline = resolved().pipelines["retrain"]

    assert [step.name for step in pipeline.steps] == ["retrain"]
    step = pipeline.steps[0]
    assert (step.trainer, step.inputs, step.workers, step.timeout_s) == (
        "xgboost",
        ("transactions",),
        Range(1, 2),
        21600,
    )
    assert (pipeline.retries, step.retries) == (1, 0)


def test_steps_inherit_from_their_pipeline() -> None:
    collect, publish = resolved().pipelines["report"].steps

    assert (collect.compute, collect.inputs, collect.timeout_s) == ("cpu", ("scores",), 86400)
    assert (publish.needs, publish.timeout_s) == (("collect",), 3600)
    assert publish.path == ("pipelines", "report", "steps", "publish")


def test_models_are_resolved() -> None:
    system = resolved()

    assert system.models["fraud-xgb"].registered_name == "fraud-fraud-xgb"
    assert system.pipelines["nightly"].model == ModelRef("fraud-xgb", "champion")
    assert system.pipelines["retrain"].model == ModelRef("fraud-xgb", "champion")
    assert system.pipelines["retrain"].split == Split(0.2, "time", 0)
    fixed = resolved(changed("challenger: {model: fraud-xgb@candidate", "challenger: {model: fraud-xgb@3"))
    assert fixed.inference["scorer"].variants[0].model == ModelRef("fraud-xgb", "3")


def test_a_single_variant_gets_all_traffic() -> None:
    spec = changed(
        "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n", ""
    )

    assert [variant.percent for variant in resolved(spec).inference["scorer"].variants] == [100]


def test_a_mirrored_variant_gets_no_traffic() -> None:
    spec = changed("    traffic: {champion: 95, challenger: 5}\n", "    mirror: {to: challenger}\n")
    scorer = resolved(spec).inference["scorer"]

    assert [variant.percent for variant in scorer.variants] == [0, 100]
    assert scorer.mirror == Mirror("challenger", 100)


def test_an_endpoint_has_defaults() -> None:
    spec = changed("    scaling: {metric: ongoing-requests, target: 8}\n", "")
    scorer = resolved(spec).inference["scorer"]

    assert scorer.scaling == Scaling(target=2.0)
    assert scorer.rollout == Rollout()
    assert scorer.endpoint.auth.callers == (Caller("default", SecretRef("vault", "scorer", "token"), ("token",)),)


def test_captures_have_the_retention_of_governance() -> None:
    capture = resolved().inference["scorer"].capture
    assert capture is not None
    assert capture.retain_s == 90 * 86400
    own = resolved(changed("{sample: 20%, store: lake}", "{retain: 7d}")).inference["scorer"].capture
    assert own is not None
    assert (own.retain_s, own.fraction, own.store) == (7 * 86400, 1.0, "lake")


def test_whole_numbers_may_be_written_as_floats() -> None:
    """JSON Schema treats 2.0 as an integer, and the compiler does the same."""
    replicas = resolved(changed("replicas: {min: 2, max: 6}", "replicas: {min: 2.0, max: 6.0}")).inference["scorer"]

    bounds = replicas.variants[1].replicas
    assert (bounds, type(bounds.minimum)) == (Range(2, 6), int)


def test_overrides_and_renames_are_resolved() -> None:
    spec = VALID_SPEC + (
        "overrides:\n  shm:\n    object: RayService/scorer-champion\n    reason: The image is old.\n"
        "    patch: [{op: add, path: /metadata/annotations/team, value: fraud}]\n"
        "moved: {inference.scorer: inference.fraud}\n"
    )
    system = resolved(spec)
    override = system.overrides[0]

    assert (override.target, override.kind, override.object) == ("main", "RayService", "scorer-champion")
    assert override.patch == ({"op": "add", "path": "/metadata/annotations/team", "value": "fraud"},)
    assert system.moved == {"inference.scorer": "inference.fraud"}


def test_all_errors_are_reported_at_once() -> None:
    """An error in one pipeline doesn't hide errors in the next pipeline or in another section."""
    spec = changed(
        "inputs: [transactions]\n    compute: train",
        "inputs: [transactons]\n    compute: trian",
        ("model: fraud-xgb@champion\n    inputs", "model: fraud@champion\n    inputs"),
        ("labels: chargebacks", "labels: chargeback"),
    )
    lines = spec.splitlines()
    expected = [
        (next(at for at, line in enumerate(lines, 1) if text in line), text)
        for text in ("transactons", "trian", "model: fraud@champion", "labels: chargeback")
    ]

    assert [place.split(":")[0] for place in refused(spec)] == [str(line) for line, _ in expected]
    system, diagnostics = _resolve(spec)
    assert system is None
    assert {diagnostic.code for diagnostic in diagnostics} == {"E0301"}


def test_thousands_of_dangling_references_are_reported_quickly() -> None:
    """Only the first few errors get suggestions, since each suggestion scans all names."""
    names = "".join(f"  m{at}: {{task: regression, framework: xgboost}}\n" for at in range(3000))
    endpoints = "".join(
        f"  e{at}: {{variants: {{a: {{model: n{at}@champion}}}}, compute: cpu}}\n" for at in range(3000)
    )
    _, diagnostics = _resolve(
        "apiVersion: modelyard.dev/v1alpha1\nkind: MLSystem\nmetadata: {name: big}\n"
        "governance: {owner: {team: t, email: t@acme.example}}\ndeployment: {mode: on-prem, provider: kubernetes}\n"
        f"compute: {{cpu: {{cpu: 1, memory: 1Gi}}}}\nmodels:\n{names}inference:\n{endpoints}"
    )

    assert len(diagnostics) == 3000
    assert sum(bool(diagnostic.hint) for diagnostic in diagnostics) <= 50


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.data())
def test_any_valid_document_gives_a_system_or_diagnostics(data: st.DataObject) -> None:
    """No check raises an exception if a section of a valid spec is replaced with random data that fits the schema."""
    document, _ = load(VALID_SPEC, "system.yaml")
    assert document is not None
    section = data.draw(st.sampled_from(sorted(set(document.value) - {"apiVersion", "kind", "vars"})))
    replacement = data.draw(fitting(at(f"#/properties/{section}")))
    document, diagnostics = load(json.dumps({**document.value, section: replacement}), "system.yaml")
    assume(document is not None and not has_errors(diagnostics) and not validate(document))
    assert document is not None
    system, diagnostics = resolve(document, "default", TARGETS)

    assert (system is None) == bool(diagnostics)
    assert all(diagnostic.span for diagnostic in (check(system) if system else diagnostics))
