"""Tests that the spec's schema contains every provider's fields as the provider defines them."""

from __future__ import annotations

import json
from typing import Final, cast

import jsonschema_rs
import pytest

import modelyard_schemas
from modelyard.source import Json
from tests.schemas.walk import SYSTEM, Schema
from tools.provider_schemas import SCHEMA, fragments, with_providers

ANOTHER: Final = """{
  "properties": {
    "project": {
      "description": "Project to deploy to.",
      "$ref": "#/$defs/project"
    }
  },
  "$defs": {
    "project": {
      "type": "string"
    }
  }
}
"""


def test_schema_contains_the_providers_current_fields(accept: bool) -> None:
    updated = with_providers(modelyard_schemas.text(), fragments())
    if accept:
        SCHEMA.write_text(updated, encoding="utf-8")

    assert updated == SCHEMA.read_text(encoding="utf-8")


def test_another_provider_adds_its_fields_to_its_own_targets() -> None:
    """A provider's fields are accepted only on that provider's targets."""
    text = with_providers(modelyard_schemas.text(), {**fragments(), "gcp": ANOTHER})
    schema = cast("Schema", json.loads(text))
    target = {"$ref": "#/$defs/target", "$defs": schema["$defs"]}
    google: dict[str, Json] = {"provider": "gcp", "region": "europe-west3", "project": "fraud"}

    assert jsonschema_rs.is_valid(target, google)
    assert not jsonschema_rs.is_valid(target, {**google, "project": 1})
    assert not jsonschema_rs.is_valid(target, {**google, "vpc": {"nat": "one"}})
    assert jsonschema_rs.is_valid(target, {"provider": "aws", "region": "eu-west-1", "vpc": {"nat": "one"}})
    assert not jsonschema_rs.is_valid(target, {"provider": "aws", "region": "eu-west-1", "project": "fraud"})
    assert with_providers(text, fragments()) == modelyard_schemas.text()


@pytest.mark.parametrize("provider", ["aws", "gcp", "azure"])
def test_every_cloud_has_a_version_and_access(provider: str) -> None:
    """Targets on every cloud accept `version` and `access`, so specs are portable. Existing clusters reject both."""
    target = {"$ref": "#/$defs/target", "$defs": SYSTEM["$defs"]}
    shared: dict[str, Json] = {"network": "public", "version": "1.36", "access": ["192.0.2.10/32"]}

    assert jsonschema_rs.is_valid(target, {"provider": provider, "region": "eu-west-1", **shared})
    for field in ("version", "access"):
        assert not jsonschema_rs.is_valid(target, {"provider": "kubernetes", field: shared[field]})
        assert not any(field in json.loads(text)["properties"] for text in fragments().values())
