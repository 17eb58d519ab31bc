"""Capture settings in the descriptions of servers and monitors."""

from __future__ import annotations

import json
from typing import Any

from tests.lowering import lowered
from tests.specs import VALID_SPEC, changed


def capture(text: str) -> dict[str, Any]:
    """Return the capture settings in a server's description."""
    described = json.loads(lowered(text).get("ConfigMap", "scorer-champion-description")["data"]["workload.json"])
    (application,) = described["applications"].values()
    found: dict[str, Any] = application["capture"]
    return found


def test_columns_are_named_kept_and_redacted() -> None:
    written = "sample: 20%, columns: [amount], keys: [id], redact: [id]"

    found = capture(changed("sample: 20%", written))

    assert (found["columns"], found["keys"], found["redact"]) == (["amount"], ["id"], ["id"])
    assert {"columns", "redact"}.isdisjoint(capture(VALID_SPEC))


def test_without_keys_the_columns_of_labels_are_kept() -> None:
    """By default, captures include the key columns of the labels' dataset. An empty list includes none."""
    assert capture(VALID_SPEC)["keys"] == ["transaction_id"]
    assert "keys" not in capture(changed("sample: 20%", "sample: 20%, keys: []"))


def test_monitors_know_what_is_redacted() -> None:
    """A monitor's description lists redacted columns, so that their values are not taken for drift."""
    made = lowered(changed("sample: 20%", "sample: 20%, redact: [merchant]"))
    described = json.loads(made.get("ConfigMap", "monitor-drift-description")["data"]["workload.json"])

    assert described["monitor"]["current"]["capture"]["redact"] == ["merchant"]
