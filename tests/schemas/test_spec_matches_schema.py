"""Tests that the classes in `modelyard.spec` have the same fields as the schema."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator

import pytest

from modelyard import spec
from modelyard.review import words
from modelyard.source import Json
from modelyard_targets.aws.options import AwsOptions, Vpc
from modelyard_targets.aws.options import Cluster as AwsCluster
from modelyard_targets.azure.options import AzureOptions
from modelyard_targets.azure.options import Cluster as AzureCluster
from modelyard_targets.azure.options import Vpc as AzureVpc
from modelyard_targets.gcp.options import Cluster as GoogleCluster
from modelyard_targets.gcp.options import GcpOptions
from modelyard_targets.gcp.options import Vpc as GoogleVpc
from tests.schemas.walk import SYSTEM, Schema, at, schema_of

PLACES: dict[type, tuple[str, ...]] = {
    spec.System: ("#",),
    spec.Metadata: ("#/$defs/metadata",),
    spec.Profile: ("#/$defs/profile",),
    spec.Governance: ("#/$defs/governance",),
    spec.Owner: ("#/$defs/governance/properties/owner",),
    spec.Budget: ("#/$defs/governance/properties/budget",),
    spec.Approval: ("#/$defs/promotionApproval",),
    spec.Changes: ("#/$defs/changes",),
    spec.ChangeWindow: ("#/$defs/changeWindow",),
    spec.Freeze: ("#/$defs/freeze",),
    spec.Approvers: ("#/$defs/governance/properties/approvers/additionalProperties",),
    spec.Retention: ("#/$defs/governance/properties/retention",),
    spec.Deployment: ("#/$defs/deployment",),
    spec.Placement: ("#/$defs/deployment/properties/placement",),
    spec.TargetSpec: ("#/$defs/target",),
    AwsOptions: ("#/$defs/target",),
    Vpc: ("#/$defs/vpc",),
    AzureOptions: ("#/$defs/target",),
    AzureVpc: ("#/$defs/azureVpc",),
    GcpOptions: ("#/$defs/target",),
    GoogleVpc: ("#/$defs/googleVpc",),
    AwsCluster: ("#/$defs/awsCluster",),
    AzureCluster: ("#/$defs/azureCluster",),
    GoogleCluster: ("#/$defs/googleCluster",),
    spec.Machines: ("#/$defs/machines",),
    spec.Taint: ("#/$defs/taint",),
    spec.Gateway: ("#/$defs/gateway",),
    spec.SecretStore: ("#/$defs/secretStore",),
    spec.Images: ("#/$defs/images",),
    spec.Telemetry: ("#/$defs/telemetry",),
    spec.HeadState: ("#/$defs/headState",),
    spec.Sites: ("#/$defs/sites",),
    spec.Waves: ("#/$defs/waves",),
    spec.Store: ("#/$defs/store",),
    spec.ObjectLock: ("#/$defs/store/then/properties/objectLock",),
    spec.ComputeClass: ("#/$defs/computeClass",),
    spec.Registry: ("#/$defs/registry",),
    spec.Dataset: ("#/$defs/dataset",),
    spec.Model: ("#/$defs/model",),
    spec.ModelImport: ("#/$defs/modelImport",),
    spec.Stage: ("#/$defs/stage",),
    spec.Soak: ("#/$defs/soak",),
    spec.ModelCard: ("#/$defs/model/properties/card",),
    spec.Explainability: ("#/$defs/model/properties/explainability",),
    spec.Check: ("#/$defs/validationCheck", "#/$defs/monitorCheck"),
    spec.Source: ("#/$defs/source",),
    spec.Reprocess: ("#/$defs/reprocessWindow",),
    spec.Schedule: ("#/$defs/cronSchedule", "#/$defs/pipelineSchedule"),
    spec.Range: ("#/$defs/replicas", "#/$defs/workers"),
    spec.Tuning: ("#/$defs/tuning", "#/$defs/tuning/properties/objective", "#/$defs/tuning/properties/trials"),
    spec.Parameter: ("#/$defs/dimension",),
    spec.Split: ("#/$defs/split",),
    spec.Step: ("#/$defs/step",),
    spec.Pipeline: ("#/$defs/pipeline",),
    spec.Inference: ("#/$defs/inference",),
    spec.Variant: ("#/$defs/variant",),
    spec.Mirror: ("#/$defs/inference/properties/mirror",),
    spec.Scaling: ("#/$defs/inference/properties/scaling",),
    spec.Batching: ("#/$defs/inference/properties/batching",),
    spec.Generation: ("#/$defs/inference/properties/generation",),
    spec.Slo: ("#/$defs/inference/properties/slo",),
    spec.TokenRate: ("#/$defs/inference/properties/slo/properties/tokensPerSecond",),
    spec.Rollout: ("#/$defs/rollout",),
    spec.Capture: ("#/$defs/inference/properties/capture",),
    spec.Endpoint: ("#/$defs/endpoint",),
    spec.Auth: ("#/$defs/endpoint/properties/auth",),
    spec.Monitor: ("#/$defs/monitor",),
    spec.Reference: ("#/$defs/reference",),
    spec.OnBreach: ("#/$defs/onBreach",),
    spec.Channel: ("#/$defs/channel",),
    spec.Override: ("#/$defs/override",),
}
"""The locations in the schema that describe each class of the typed spec."""

OPTIONS = (AwsOptions, AzureOptions, GcpOptions)
"""Records with fields that only one provider has. In the schema, all of these fields are part of `target`."""

ONE_TEXT = {spec.Caller, spec.SecretRef, spec.Accelerator, spec.ModelRef, spec.NamedAdapter, spec.Signed}
"""Classes whose values are single strings in a spec, or are stored in a file next to it."""

OF_OPTIONS = {spec.ExistingCluster, spec.Network}
"""Classes whose fields are in the providers' own sections, or that a provider creates from its own fields."""

OTHER_NAMES: dict[tuple[type, str], tuple[str, ...]] = {
    (getattr(spec, owner), field): names for (owner, field), names in words.OTHER_NAMES.items()
}
"""Fields that have another name in a spec, or that correspond to several fields there."""

NOT_WRITTEN = {
    (spec.Approvers, "name"): "the key",
    (spec.ComputeClass, "path"): "where the class stands",
    (spec.Parameter, "name"): "the key",
    (spec.Reprocess, "kind"): "a string (none, all) or a mapping with window",
    (spec.Schedule, "kind"): "a string (once, on-demand) or a mapping with cron or after",
    (spec.Stage, "alias"): "the key",
    (spec.Sites, "name"): "the site that is compiled, or its marker",
    (spec.Sites, "wave"): "the wave of that site",
    (spec.Step, "path"): "where the step stands",
    (spec.TargetSpec, "in_cloud"): "what its provider is",
    (spec.TargetSpec, "options"): "fields of the provider, in a record of its own",
    (spec.TargetSpec, "secrets_via"): "what its provider is",
    (spec.TargetSpec, "waves"): "under its sites",
    (spec.Store, "called"): "what `moved` says of it",
    (spec.System, "document"): "the spec itself",
    (spec.System, "signed"): "files beside the spec",
    (spec.System, "environment"): "picked on the command line",
    (spec.Variant, "percent"): "under the endpoint's traffic",
}
"""Fields of the typed spec that the schema lacks, each with the reason."""

READ_BEFORE: dict[tuple[type, str], str] = {
    (AwsCluster, "cidr"): "of its network",
    (AzureCluster, "cidr"): "of its network",
    (GoogleCluster, "cidr"): "of its network",
    **{(owner, "nodePools"): "of every adopted cluster" for owner in (AwsCluster, AzureCluster, GoogleCluster)},
    (spec.System, "apiVersion"): "the envelope",
    (spec.System, "kind"): "the envelope",
    (spec.System, "vars"): "replaced before the spec is typed",
    (spec.System, "lists"): "repeated before the spec is typed",
    **{
        (owner, "forEach"): "repeated before the spec is typed"
        for owner in (spec.Store, spec.Dataset, spec.Model, spec.Pipeline, spec.Inference, spec.Monitor)
    },
    (spec.System, "environments"): "merged before the spec is typed",
    (spec.Override, "sites"): "removed at other sites before the spec is typed",
    (spec.Sites, "waves"): "of the target",
    (spec.Inference, "traffic"): "the percent of each variant",
    (spec.Inference, "compute"): "the default of each variant",
    (spec.Inference, "replicas"): "the default of each variant",
    (spec.Pipeline, "source"): "of the one step that a pipeline without steps is",
    (spec.Pipeline, "trainer"): "of the one step that a pipeline without steps is",
    (spec.Pipeline, "parameters"): "of the one step that a pipeline without steps is",
    (spec.Pipeline, "compute"): "the default of each step",
    (spec.Pipeline, "workers"): "the default of each step",
    (spec.Tuning, "objective"): "its metric and goal",
}
"""Fields of the schema that the class lacks, each with the reason."""


def described(schema: Schema) -> Iterator[str]:
    """Yield the names of a mapping's fields across all branches."""
    yield from schema_of(schema.get("properties"))
    reference = schema.get("$ref")
    if isinstance(reference, str):
        yield from described(at(reference))
    for branch in ("then", "else"):
        if branch in schema:
            yield from described(schema_of(schema[branch]))


def names_of(owner: type, field: str) -> tuple[str, ...]:
    """Return the names that a field of a class has in a spec."""
    if (owner, field) in OTHER_NAMES:
        return OTHER_NAMES[owner, field]
    first, *more = words.UNITS.sub("", field).split("_")
    return (first + "".join(word.capitalize() for word in more),)


def fields_of(owner: type) -> list[str]:
    """Return the fields of a class that appear in a spec. The name of a named entry is its key, not a field."""
    names = [field.name for field in dataclasses.fields(owner)]
    keyed = {"name"} - set(described(SYSTEM if owner is spec.System else at(PLACES[owner][0])))
    return [name for name in names if (owner, name) not in NOT_WRITTEN and name not in keyed]


def schema_names(owner: type) -> set[str]:
    return {name for place in PLACES[owner] for name in described(at(place))}


def test_every_spec_class_is_in_the_schema() -> None:
    classes = {
        value
        for _, value in inspect.getmembers(spec, inspect.isclass)
        if dataclasses.is_dataclass(value) and value.__module__.startswith(f"{spec.__name__}.")
    }

    shared = {owner for owner in PLACES if owner.__module__.startswith(f"{spec.__name__}.")}
    assert classes == shared | ONE_TEXT | OF_OPTIONS


@pytest.mark.parametrize("owner", PLACES, ids=lambda owner: owner.__name__)
def test_every_spec_field_is_in_the_schema(owner: type) -> None:
    expected = {name for field in fields_of(owner) for name in names_of(owner, field)}

    assert expected - schema_names(owner) == set()


@pytest.mark.parametrize("owner", PLACES, ids=lambda owner: owner.__name__)
def test_every_schema_field_is_in_the_spec(owner: type) -> None:
    owners = (spec.TargetSpec, *OPTIONS) if owner in {spec.TargetSpec, *OPTIONS} else (owner,)
    known = {name for part in owners for field in fields_of(part) for name in names_of(part, field)}
    known |= {name for of, name in READ_BEFORE if of is owner}
    if owner is spec.Deployment:
        known |= schema_names(spec.TargetSpec)  # the fields of a single target may be next to the mode

    assert schema_names(owner) - known == set()


def test_every_schema_mapping_has_a_spec_class() -> None:
    """Every mapping in the schema has a class, except a few that are converted before the typed spec is created."""
    described_places = {place for places in PLACES.values() for place in places}
    mappings = {
        f"#/$defs/{name}" for name, schema in schema_of(SYSTEM["$defs"]).items() if list(described(schema_of(schema)))
    }
    inline = {"#/$defs/compute", "#/$defs/targetFields"}  # a compute class and a target
    # replaced, repeated, merged, or passed on
    before = {f"#/$defs/{name}" for name in ("variable", "list", "environment", "patchOperation")}

    assert mappings - described_places == inline | before


@pytest.mark.parametrize(("owner", "field"), [*OTHER_NAMES, *NOT_WRITTEN])
def test_exceptions_name_existing_spec_fields(owner: type, field: str) -> None:
    assert field in {known.name for known in dataclasses.fields(owner)}


@pytest.mark.parametrize(("owner", "name"), READ_BEFORE)
def test_exceptions_name_existing_schema_fields(owner: type, name: str) -> None:
    assert name in schema_names(owner)


DEFAULTS: tuple[tuple[type, str, str], ...] = tuple(
    (owner, field.name, name)
    for owner in PLACES
    for field in dataclasses.fields(owner)
    for name in names_of(owner, field.name)
    if field.default not in (dataclasses.MISSING, None, "", (), {}) and (owner, field.name) not in NOT_WRITTEN
)


@pytest.mark.parametrize(("owner", "field", "name"), DEFAULTS, ids=[f"{o.__name__}.{f}" for o, f, _ in DEFAULTS])
def test_defaults_are_the_same(owner: type, field: str, name: str) -> None:
    """Defaults in `modelyard.spec` equal the schema's after conversion to the field's unit."""
    default = next(known.default for known in dataclasses.fields(owner) if known.name == field)
    if dataclasses.is_dataclass(default):
        return
    defaults = [
        schema["default"] for place in PLACES[owner] for schema in _of_name(at(place), name) if "default" in schema
    ]

    assert defaults, name
    for value in defaults:
        assert _in_units(field, value) == default or (owner, field) == (spec.Governance, "explainability")


def _of_name(schema: Schema, name: str) -> Iterator[Schema]:
    field_schema = schema_of(schema.get("properties")).get(name)
    if field_schema is not None:
        yield schema_of(field_schema)
    reference = schema.get("$ref")
    if isinstance(reference, str):
        yield from _of_name(at(reference), name)
    for branch in ("then", "else"):
        if branch in schema:
            yield from _of_name(schema_of(schema[branch]), name)


def _in_units(field: str, value: Json) -> object:
    """Convert a schema value to the unit given by the field name's suffix, e.g. `_s`."""
    if isinstance(value, list):
        return tuple(value)
    if not isinstance(value, str):
        return value
    if field.endswith("_bytes") and value.endswith("Mi"):
        return int(value.removesuffix("Mi")) * 2**20
    match = re.fullmatch("([0-9]+)(ms|s|m|h|d|%)", value)
    if match is None:
        return value
    number, unit = int(match[1]), match[2]
    if unit == "%":
        return number if field.endswith("_percent") else number / 100
    milliseconds = number * {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}[unit]
    return milliseconds if field.endswith("_ms") else milliseconds // 1000
