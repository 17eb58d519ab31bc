"""Tests that server and monitor descriptions contain the capture settings."""

from __future__ import annotations

import json
from typing import Any

from tests.lowering import lowered
from tests.specs import VALID_SPEC, changed


def capture(text: str) -> dict[str, Any]:
    """Return the capture settings in a server's description."""
    described = json.loads(lowered(text).get("ConfigMap", "scorer-champion-description")["data"]["workload.json"])
    (application,) = described["applications"].values()
    settings: dict[str, Any] = application["capture"]
    return settings


def test_capture_columns_keys_and_redactions_are_described() -> None:
    fields = "sample: 20%, columns: [amount], keys: [id], redact: [id]"

    settings = capture(changed("sample: 20%", fields))

    assert (settings["columns"], settings["keys"], settings["redact"]) == (["amount"], ["id"], ["id"])
    assert {"columns", "redact"}.isdisjoint(capture(VALID_SPEC))


def test_default_keys_are_the_label_datasets_columns() -> None:
    """Captures include the label dataset's key columns by default, and none if the list of keys is empty."""
    assert capture(VALID_SPEC)["keys"] == ["transaction_id"]
    assert "keys" not in capture(changed("sample: 20%", "sample: 20%, keys: []"))


def test_monitor_description_lists_redacted_columns() -> None:
    """Redacted columns are listed so that the monitor does not mistake their values for drift."""
    manifests = lowered(changed("sample: 20%", "sample: 20%, redact: [merchant]"))
    described = json.loads(manifests.get("ConfigMap", "monitor-drift-description")["data"]["workload.json"])

    assert described["monitor"]["current"]["capture"]["redact"] == ["merchant"]
