"""The schema of the spec teaches every field, and accepts and refuses what it says it does."""

from __future__ import annotations

import copy
import json
import re

import jsonschema
import jsonschema_rs
import pytest

import modelyard_schemas
from modelyard.source import Json
from tests.schemas.validators import SPECS, Judge
from tests.schemas.walk import SYSTEM, Schema, alone, at, fields, filled, followed, places, schema_of, valid_specs

VALID = valid_specs()
CHOOSERS = frozenset({"type", "provider", "mode", "strategy", "via", "by", "op", "mirror"})
"""Fields that decide which others there are: they cannot be changed alone."""


def test_text_and_load_give_the_same_schema() -> None:
    assert modelyard_schemas.load() == json.loads(modelyard_schemas.text("system", "v1alpha1"))
    assert SYSTEM["$id"] == "https://modelyard.dev/schemas/v1alpha1/system.schema.json"


def test_each_call_of_load_gives_a_schema_of_its_own() -> None:
    modelyard_schemas.load().clear()

    assert modelyard_schemas.load() == SYSTEM


def test_it_is_a_schema_of_draft_2020_12() -> None:
    jsonschema.Draft202012Validator.check_schema(SYSTEM)

    assert SYSTEM["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_no_key_is_written_twice() -> None:
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len({name for name, _ in pairs}) == len(pairs), pairs
        return dict(pairs)

    json.loads(modelyard_schemas.text(), object_pairs_hook=once)


def test_it_is_printed_for_people() -> None:
    """Two spaces a level, nothing at the end of a line, and short enough for an editor to hold."""
    text = modelyard_schemas.text()

    assert len(text) < 120_000
    for line in text.splitlines():
        assert line == line.rstrip()
        assert (len(line) - len(line.lstrip(" "))) % 2 == 0


def test_every_reference_leads_somewhere_and_every_definition_is_used() -> None:
    references = {str(schema["$ref"]) for _, schema in places() if "$ref" in schema}

    assert references == {f"#/$defs/{name}" for name in schema_of(SYSTEM["$defs"])}


@pytest.mark.parametrize("pointer", fields())
def test_every_field_has_a_sentence_of_its_own(pointer: str) -> None:
    description = fields()[pointer].get("description")

    assert isinstance(description, str)
    assert re.fullmatch(r"(?s)\S.{5,}\.", description), description


@pytest.mark.parametrize("pointer", [pointer for pointer, schema in places() if "pattern" in schema])
def test_every_pattern_says_what_it_expects_and_means_the_same_everywhere(pointer: str) -> None:
    """Anchored, in ASCII classes, without lookaround, back references and shorthand classes."""
    schema = at(pointer)
    pattern = schema["pattern"]

    assert isinstance(schema.get("x-expected"), str)
    assert isinstance(pattern, str)
    assert (pattern[0], pattern[-1], pattern.count("$")) == ("^", "$", 1)
    assert pattern.isascii()
    assert not re.search(r"\(\?|\\[a-wyzA-Z0-9]", pattern)


@pytest.mark.parametrize("pointer", fields())
def test_every_field_without_fields_shows_two_values(pointer: str) -> None:
    """So that an editor can offer them, and a test can change each field alone."""
    schema = followed(fields()[pointer])
    if schema.get("type") in ("object", "boolean", ["object", "null"]) or "enum" in schema or "const" in schema:
        return
    examples = schema.get("examples")

    assert isinstance(examples, list)
    distinct = {json.dumps(one) for one in examples}
    assert len(distinct) == len(examples)
    assert len(distinct) >= 2 or pointer.endswith(("/space", "/patch"))


@pytest.mark.parametrize(
    "pointer", [pointer for pointer, schema in places() if "default" in schema or "examples" in schema]
)
def test_every_example_and_default_fits_its_place(pointer: str) -> None:
    schema = at(pointer)
    shown = schema.get("examples", [])
    assert isinstance(shown, list)
    judge = Judge(schema)

    for value in [*shown, *([schema["default"]] if "default" in schema else [])]:
        assert judge.places(value) == frozenset(), value


@pytest.mark.parametrize("pointer", [pointer for pointer, schema in places() if schema.get("type") == "object"])
def test_every_mapping_refuses_unknown_fields(pointer: str) -> None:
    schema = at(pointer)
    open_by_nature = "/environment/properties/" in pointer or set(schema) == {"type"}

    closed = schema.get("additionalProperties") is False or schema.get("unevaluatedProperties") is False
    is_map = (
        isinstance(schema.get("additionalProperties"), dict) and "propertyNames" in schema and "maxProperties" in schema
    )
    assert closed or is_map or open_by_nature


@pytest.mark.parametrize("pointer", [pointer for pointer, _ in places()])
def test_every_text_list_and_number_is_bounded(pointer: str) -> None:
    schema = at(pointer)
    if pointer.endswith("/if") or "enum" in schema or "const" in schema:
        return
    types = schema.get("type", [])
    types = types if isinstance(types, list) else [types]

    assert "string" not in types or "maxLength" in schema or _is_finite(str(schema.get("pattern")))
    assert "array" not in types or "maxItems" in schema
    assert (
        not {"number", "integer"} & {str(one) for one in types}
        or "maximum" in schema
        or pointer.endswith(
            ("/scalar", "/variable", "/parameterValue")  # user's values, bounded where they are loaded
        )
    )


def _is_finite(pattern: str) -> bool:
    """Whether a pattern accepts no text of any length; stars and pluses within brackets are characters."""
    return not re.search(r"[*+]", re.sub(r"\\.|\[[^]]*\]", "x", pattern))


@pytest.mark.parametrize("name", VALID)
def test_valid_specs_are_valid(name: str) -> None:
    assert SPECS.places(VALID[name]) == frozenset()


def test_the_valid_specs_fill_every_field() -> None:
    seen = {place for spec in VALID.values() for place, _ in filled(spec)}

    assert seen == set(fields())


@pytest.mark.parametrize("name", VALID)
def test_a_field_can_be_changed_alone(name: str) -> None:
    """Every example of a field may stand where the field stands, whatever stands beside it."""
    validator = jsonschema_rs.Draft202012Validator(SYSTEM)
    for place, path in filled(VALID[name]):
        for value in _other_values(place):
            spec = _with(VALID[name], path, value)
            assert validator.is_valid(spec), (path, value)


def _other_values(place: str) -> list[Json]:
    schema = followed(at(place))
    if place.rpartition("/")[2] in CHOOSERS:
        return []
    if schema.get("type") == "boolean":
        return [True, False]
    values = schema.get("enum", schema.get("examples", []))
    return values if isinstance(values, list) else []


REMOVED = object()


def _with(spec: Schema, path: tuple[str | int, ...], value: object) -> Schema:
    """A copy of the spec with one value set, or removed."""
    changed = copy.deepcopy(spec)
    owner: Json = changed
    for step in path[:-1]:
        owner = _child(owner, step)
    if isinstance(owner, list):
        owner[int(path[-1])] = json.loads(json.dumps(value))
    elif value is REMOVED:
        del schema_of(owner)[str(path[-1])]
    else:
        schema_of(owner)[str(path[-1])] = json.loads(json.dumps(value))
    return changed


def _child(owner: Json, step: str | int) -> Json:
    if isinstance(owner, list):
        return owner[int(step)]
    return schema_of(owner)[str(step)]


def _path(text: str) -> tuple[str | int, ...]:
    return tuple(int(step) if step.isdigit() else step for step in text.split("/"))


REQUIRED = (
    *("apiVersion", "kind", "metadata", "governance", "deployment", "metadata/name", "governance/owner"),
    *("governance/owner/team", "governance/owner/email", "governance/budget/monthly"),
    *("governance/approvals/promote/from", "deployment/mode", "deployment/targets/main/provider"),
    *("deployment/targets/cloud/region", "deployment/targets/main/capacity/0/count"),
    *("deployment/targets/main/capacity/0/cpu", "deployment/targets/main/capacity/0/memory"),
    *("deployment/targets/main/capacity/0/accelerators",),
    *("deployment/targets/main/capacity/0/taints/0/key",),
    *("deployment/targets/main/secretStores/vault/store", "deployment/targets/main/images/registry"),
    *("deployment/targets/main/telemetry/remoteWrite", "deployment/targets/branch/gateway/name"),
    *("stores/lake/type", "registry/database", "registry/artifacts", "compute/small/cpu"),
    *("compute/small/memory", "data/claims/format", "data/claims/store", "data/claims/path"),
    *("models/triage/task", "models/triage/framework", "models/triage/validation/f1/metric"),
    *("models/triage/validation/better/versus", "models/triage/explainability/method"),
    *("pipelines/fit/type", "pipelines/fit/model", "pipelines/fit/schedule/cron"),
    *("pipelines/fit/tuning/objective", "pipelines/fit/tuning/objective/metric"),
    *("pipelines/fit/tuning/objective/goal", "pipelines/fit/tuning/trials"),
    *("pipelines/fit/tuning/trials/max", "pipelines/fit/tuning/space", "pipelines/score/model"),
    *("pipelines/score/inputs", "pipelines/score/output", "inference/triage/variants"),
    *("inference/triage/variants/champion/model", "inference/triage/mirror/to"),
    *("inference/triage/endpoint/auth/token", "monitors/drift/type", "monitors/drift/watch"),
    *("monitors/drift/checks", "monitors/drift/schedule/cron", "channels/oncall/type"),
    *("channels/oncall/key", "channels/chat/url", "channels/hook/url", "channels/mail/to"),
    *("channels/mail/from", "channels/mail/smarthost", "channels/mail/username"),
    *("channels/mail/password", "overrides/shared-memory/object", "overrides/shared-memory/patch"),
    *("overrides/shared-memory/reason", "overrides/shared-memory/patch/0/op"),
    *("overrides/shared-memory/patch/0/path", "overrides/shared-memory/patch/0/value"),
    *("overrides/shared-memory/patch/1/from", "vars/ceiling/type"),
)


@pytest.mark.parametrize("field", REQUIRED)
def test_what_is_required_is_missed(field: str) -> None:
    found = SPECS.places(_with(VALID["every-field"], _path(field), REMOVED))

    assert tuple(field.split("/"))[:-1] in found


WRONG: tuple[tuple[str, Json], ...] = (
    # the envelope and its names
    ("apiVersion", "modelyard.dev/v1"),
    ("kind", "System"),
    ("metdata", {"name": "x"}),
    ("metadata/name", "Claims"),
    ("metadata/name", "a" * 31),
    ("metadata/name", "claims-"),
    ("metadata/name", "1claims"),
    ("metadata/name", "claims\n"),
    ("metadata/name", "cläims"),
    ("metadata/description", "x" * 2001),
    ("metadata/description", ""),
    ("metadata/labels", ["domain"]),
    ("metadata/labels/domain", "a b"),
    ("metadata/labels/domain", 4),
    ("metadata/labels/_x", "y"),
    ("models/Triage", {"task": "regression", "framework": "xgboost"}),
    ("stores/" + "a" * 41, {"type": "object"}),
    ("data/__proto__", {"format": "csv", "uri": "s3://x/y"}),
    ("models", [{"name": "triage"}]),
    ("pipelines", None),
    # governance
    ("profile/industry", "Banking"),
    ("profile/size", "medium"),
    ("governance/owner/team", "claims ml"),
    ("governance/owner/email", "claims-ml"),
    ("governance/owner/email", "claims-ml@acme.example\n"),
    ("governance/owner/oncall", "On Call"),
    ("governance/risk", True),
    ("governance/dataClasses", "pii"),
    ("governance/dataClasses/0", "PII"),
    ("governance/dataClasses", ["pii", "pii"]),
    ("governance/residency/0", "europe"),
    ("governance/residency/0", False),
    ("governance/budget/monthly", 18000),
    ("governance/budget/monthly", "18000USD"),
    ("governance/budget/monthly", "18,000 USD"),
    ("governance/budget/monthly", "18000 usd"),
    ("governance/budget/monthly", "१८ USD"),
    ("governance/budget/onExceed", "stop"),
    ("governance/approvals/promote/from", []),
    ("governance/approvals/promote/minimum", 0),
    ("governance/approvals/promote/minimum", 1.5),
    ("governance/approvals/deploy", {"from": ["x"]}),
    ("governance/lineage", "yes"),
    ("governance/explainability", True),
    ("governance/retention/captures", 90),
    ("governance/retention/captures", "90 days"),
    ("governance/retention/captures", "0d"),
    ("governance/retention/captures", "3mo"),
    ("governance/retention/captures", "500ms"),
    # deployment
    ("deployment/mode", "onprem"),
    ("deployment/targets", {}),
    ("deployment/targets/main/provider", "k8s"),
    ("deployment/targets/main/region", "eu-central-1"),
    ("deployment/targets/cloud/context", "x"),
    ("deployment/targets/cloud/network", "open"),
    ("deployment/targets/laptop/namespace", "x"),
    ("deployment/region", "eu-central-1"),
    ("deployment/provider", "kubernetes"),
    ("deployment/placement", "Main"),
    ("deployment/placement", {}),
    ("deployment/placement/everything", "main"),
    ("deployment/targets/main/context", "-x"),
    ("deployment/targets/main/namespace", "a" * 64),
    ("deployment/targets/main/tenancy", "multi"),
    ("deployment/targets/main/edge", "true"),
    ("deployment/targets/main/capacity", {"count": 3, "cpu": 4, "memory": "4Gi"}),
    ("deployment/targets/main/capacity/0/count", 0),
    ("deployment/targets/main/capacity/0/count", 10001),
    ("deployment/targets/main/capacity/0/memory", "64GB"),
    ("deployment/targets/main/capacity/0/memory", 64),
    ("deployment/targets/main/capacity/0/accelerators", ["L4:1"]),
    ("deployment/targets/main/capacity/0/accelerators", "L4"),
    ("deployment/targets/main/capacity/0/taints/0/effect", "noschedule"),
    ("deployment/targets/main/capacity/0/price", "0.85"),
    ("deployment/targets/main/present", ["ray"]),
    ("deployment/targets/main/gateway/name", "public"),
    ("deployment/targets/branch/gateway/certificate", "secret://kubernetes/tls"),
    ("deployment/targets/main/gateway/certificate", "secret://kubernetes/tls#tls.crt"),
    ("deployment/targets/main/secretStores/vault/via", "vault"),
    ("deployment/targets/main/secretStores/local/store", "vault"),
    ("deployment/targets/main/images/registry", "https://registry.acme.example"),
    ("deployment/targets/main/telemetry/remoteWrite", "metrics.acme.example"),
    ("deployment/targets/main/telemetry/remoteWrite", "https://user:pass@metrics.acme.example"),
    ("deployment/targets/main/telemetry/remoteWrite", "https://acme.example/$(reboot)"),
    ("deployment/targets/main/egress", ["10.20.0.0"]),
    ("deployment/targets/main/egress/0", "300.1.1.1/8"),
    ("deployment/targets/main/egress/0", "10.0.0.0/33"),
    ("deployment/targets/main/egress/0", "10.0.0.٠/8"),
    # stores, compute, registry, data
    ("stores/lake/type", "bucket"),
    ("stores/lake/size", "20Gi"),
    ("stores/lake/replicas", 2),
    ("stores/metadata/versioned", True),
    ("stores/metadata/endpoint", "https://x.example"),
    ("stores/metadata/adopt", "postgres.acme.example"),
    ("stores/lake/adopt", "s3://acme-claims"),
    ("stores/lake/credentials", "hunter2"),
    ("stores/lake/credentials", "secret://vault/lake#key"),
    ("stores/lake/credentials", "secret://vault/../lake"),
    ("compute/small/cpu", 0),
    ("compute/small/cpu", "0.5 cores"),
    ("compute/small/cpu", True),
    ("compute/small/memory", "16gb"),
    ("compute/large/accelerators", "L4:1"),
    ("compute/gpu/accelerators", ["L4"]),
    ("compute/gpu/accelerators", []),
    ("compute/gpu/capacity", "preemptible"),
    ("compute/gpu/instanceType", "g6.xlarge"),
    ("registry/adopt", "https://mlflow.acme.example"),
    ("registry/artifactPath", "/mlflow"),
    ("data/claims/uri", "s3://acme/claims"),
    ("data/archive/store", "lake"),
    ("data/archive/uri", "http://acme/claims"),
    ("data/claims/path", "/claims"),
    ("data/claims/path", "claims/../secrets"),
    ("data/claims/path", "../claims"),
    ("data/claims/path", "claims//x"),
    ("data/claims/format", "avro"),
    ("data/claims/schema/urgent", "bool"),
    ("data/claims/schema/a\nb", "string"),
    ("data/claims/features", []),
    ("data/claims/label", "x" * 129),
    ("data/claims/label", "urgent\n"),
    ("data/claims/delay", "2 weeks"),
    # models and pipelines
    ("models/triage/task", "classification"),
    ("models/triage/registeredName", "a/b"),
    ("models/triage/validation", [{"metric": "f1", "min": 0.7}]),
    ("models/triage/validation/f1/min", "0.7"),
    ("models/triage/validation/f1/metric", "F1"),
    ("models/triage/validation/better/versus", "previous"),
    ("models/triage/explainability/sample", 0),
    ("pipelines/fit/output", "scores"),
    ("pipelines/fit/batchSize", 10),
    ("pipelines/score/tuning", {}),
    ("pipelines/score/split", {}),
    ("pipelines/score/trainer", "xgboost"),
    ("pipelines/report/promoteTo", "champion"),
    ("pipelines/graph/trainer", "xgboost"),
    ("pipelines/graph/source", {"entrypoint": "a:b"}),
    ("pipelines/graph/parameters", {"a": 1}),
    ("pipelines/fit/inputs", "claims"),
    ("pipelines/fit/inputs", ["claims", "claims"]),
    ("pipelines/fit/source", {}),
    ("pipelines/fit/source/image", "ghcr.io/acme/triage"),
    ("pipelines/fit/source/image", "ghcr.io/acme/Triage:1"),
    ("pipelines/fit/source/image", "ghcr.io/acme/triage:1; rm -rf /"),
    ("pipelines/report/source/entrypoint", "claims/report.py"),
    ("pipelines/report/source/entrypoint", "claims.report"),
    ("pipelines/report/source/entrypoint", "claims.report:main()"),
    ("pipelines/fit/trainer", "sklearn"),
    ("pipelines/fit/compute", 4),
    ("pipelines/fit/compute", "GPU"),
    ("pipelines/fit/compute", {"cpu": 4}),
    ("pipelines/fit/workers", 0),
    ("pipelines/fit/workers", 10001),
    ("pipelines/fit/workers", "4"),
    ("pipelines/fit/workers", {"min": 0, "max": 4}),
    ("pipelines/fit/workers", {"max": 4}),
    ("pipelines/fit/parameters/a b", 1),
    ("pipelines/fit/parameters/x", None),
    ("pipelines/fit/parameters/layers/0", None),
    ("pipelines/fit/schedule", "daily"),
    ("pipelines/fit/schedule", "0 2 * * 0"),
    ("pipelines/fit/schedule/cron", "0 2 * *"),
    ("pipelines/fit/schedule/cron", "@daily"),
    ("pipelines/fit/schedule/cron", "0 2 * * 0 2026"),
    ("pipelines/fit/schedule/timeZone", "UTC+1 (Berlin)"),
    ("pipelines/fit/schedule/overlap", "Forbid"),
    ("pipelines/fit/timeout", 3600),
    ("pipelines/fit/retries", 11),
    ("pipelines/fit/retries", -1),
    ("pipelines/fit/tuning/trials/max", 0),
    ("pipelines/fit/tuning/earlyStopping", True),
    ("pipelines/fit/tuning/space", {}),
    ("pipelines/fit/tuning/space/learning_rate", [0.1, 0.3]),
    ("pipelines/fit/tuning/space/learning_rate", {}),
    ("pipelines/fit/tuning/space/learning_rate/uniform", [0.1, 0.3]),
    ("pipelines/fit/tuning/space/learning_rate/loguniform", [0, 0.3]),
    ("pipelines/fit/tuning/space/num_leaves/int", [15]),
    ("pipelines/fit/tuning/space/num_leaves/int", [15, 127.5]),
    ("pipelines/fit/split/fraction", 0.2),
    ("pipelines/fit/split/fraction", "100%"),
    ("pipelines/fit/split/fraction", "0%"),
    ("pipelines/graph/split/seed", 3),
    ("pipelines/graph/steps", {}),
    ("pipelines/graph/steps", [{"name": "prepare"}]),
    ("pipelines/graph/steps/prepare/needs", "train"),
    ("pipelines/graph/steps/prepare/schedule", "once"),
    # inference
    ("inference/triage/variants", {}),
    ("inference/triage/variants/champion/model", "triage@Champion"),
    ("inference/triage/variants/champion/model", "triage:champion"),
    ("inference/triage/variants/champion/replicas", -1),
    ("inference/triage/traffic/champion", "95%"),
    ("inference/triage/traffic/champion", 101),
    ("inference/triage/traffic/champion", -5),
    ("inference/triage/traffic/champion", 99.5),
    ("inference/triage/mirror/percent", 0),
    ("inference/triage/replicas", 0),
    ("inference/triage/replicas", {"min": 1}),
    ("inference/triage/replicas", {"minimum": 1, "maximum": 2}),
    ("inference/triage/scaling/metric", "cpu"),
    ("inference/triage/scaling/target", 0),
    ("inference/triage/batching/maxWait", "1m"),
    ("inference/triage/batching/maxSize", 0),
    ("inference/triage/slo", {}),
    ("inference/triage/slo/p99", 50),
    ("inference/triage/slo/p42", "50ms"),
    ("inference/triage/slo/availability", "100%"),
    ("inference/triage/slo/availability", 99.95),
    ("inference/triage/rollout/strategy", "blue-green"),
    ("inference/triage/rollout/strategy", "canary"),
    ("inference/triage/rollout/step", "2.5%"),
    ("inference/triage/capture/sample", 0.2),
    ("inference/triage/capture/sample", "0%"),
    ("inference/triage/capture/sample", "120%"),
    ("inference/triage/endpoint/exposure", "internet"),
    ("inference/triage/endpoint/host", "*.acme.example"),
    ("inference/triage/endpoint/host", "Triage.acme.example"),
    ("inference/triage/endpoint/path", "v1"),
    ("inference/triage/endpoint/path", "/a/../b"),
    ("inference/triage/endpoint/auth/token", "s3cr3t"),
    ("inference/triage/endpoint/auth/type", "none"),
    ("inference/triage/endpoint/auth/type", "oidc"),
    ("inference/triage/endpoint/clients", "web"),
    # monitors, channels
    ("monitors/drift/type", "drift"),
    ("monitors/drift/watch", "triage"),
    ("monitors/drift/watch", "models.triage"),
    ("monitors/drift/labels", "claims"),
    ("monitors/speed/reference", {}),
    ("monitors/late/reference", {}),
    ("monitors/drift/schedule", "once"),
    ("monitors/drift/checks", {}),
    ("monitors/drift/checks/psi", 0.2),
    ("monitors/drift/checks/PSI", {"max": 0.2}),
    ("monitors/drift/checks/psi/max", "0.2"),
    ("monitors/drift/checks/psi/versus", "champion"),
    ("monitors/drift/checks/psi/severity", "critical"),
    ("monitors/drift/onBreach/run", "fit"),
    ("monitors/drift/onBreach/run", "inference.triage"),
    ("monitors/drift/onBreach/notify", "oncall"),
    ("channels/oncall/type", "teams"),
    ("channels/oncall/key", "abcdef0123456789"),
    ("channels/oncall/key", "secret://vault/pagerduty"),
    ("channels/oncall/url", "secret://vault/x#y"),
    ("channels/chat/url", "https://hooks.slack.example/x"),
    ("channels/hook/room", "#claims"),
    ("channels/mail/key", "secret://vault/x#y"),
    ("channels/mail/smarthost", "smtp.acme.example"),
    ("channels/oncall/severities", []),
    # variables, overrides, renames, environments
    ("vars/floor", None),
    ("vars/floor", [1]),
    ("vars/ceiling/default", {}),
    ("vars/ceiling/type", "string"),
    ("vars/a b", 1),
    ("overrides/shared-memory/object", "triage-champion"),
    ("overrides/shared-memory/patch", {"op": "remove", "path": "/x"}),
    ("overrides/shared-memory/patch/0/op", "set"),
    ("overrides/shared-memory/patch/0/path", "spec/x"),
    ("overrides/shared-memory/patch/0/from", "/x"),
    ("overrides/shared-memory/patch/2/value", 1),
    ("overrides/shared-memory/reason", ""),
    ("moved/inference.triage", "claims-triage"),
    ("moved/stores.lake", "stores.old"),
    ("environments/dev", []),
    ("environments/dev/model", {}),
    ("environments/dev/deployment", None),
    ("environments/dev/environments", {}),
    ("environments/Dev", {}),
)


@pytest.mark.parametrize(("field", "value"), WRONG, ids=[f"{field}={value!r:.40}" for field, value in WRONG])
def test_what_is_wrong_is_refused_where_it_stands(field: str, value: Json) -> None:
    """Both validators refuse it, at the value itself or at the mapping that must not have it."""
    owner = tuple(field.split("/"))[:-1]

    found = SPECS.places(_with(VALID["every-field"], _path(field), value))

    assert found
    assert all(place[: len(owner)] == owner for place in found), found


def test_a_target_may_stand_beside_the_mode_but_not_beside_targets() -> None:
    short = VALID["short-form"]

    assert SPECS.places(_with(short, ("deployment", "region"), REMOVED)) == {("deployment",)}
    assert SPECS.places(_with(short, ("deployment", "provider"), REMOVED)) == {("deployment",)}
    assert SPECS.places(_with(short, ("deployment", "context"), "x")) == {("deployment",)}
    assert SPECS.places(_with(short, ("deployment", "targets"), {"main": {"provider": "local"}})) == {("deployment",)}


def test_ten_thousand_models_fit() -> None:
    """The bounds are above the largest system that the compiler promises to carry."""
    spec = copy.deepcopy(VALID["fraud-detection"])
    for section, copies in (("models", 10_000), ("data", 20_000), ("pipelines", 20_000), ("monitors", 20_000)):
        one = next(iter(schema_of(spec[section]).values()))
        spec[section] = {f"n{number}": one for number in range(copies)}

    assert jsonschema_rs.Draft202012Validator(SYSTEM).is_valid(spec)


def test_secrets_are_marked() -> None:
    """Where a reference to a secret belongs, messages must not repeat what is there instead."""
    for pointer, schema in places():
        if "secret://" in str(schema.get("pattern")):
            assert schema.get("x-secret") is True, pointer


def test_alone_is_the_same_schema() -> None:
    assert jsonschema_rs.is_valid(alone(at("#/$defs/duration")), "45d")
    assert not jsonschema_rs.is_valid(alone(at("#/$defs/duration")), "45")
