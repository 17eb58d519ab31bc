"""Tests `modelyard diff --preview` using a preview file written by Pulumi's engine for a whole system."""

from __future__ import annotations

from pathlib import Path

from tests.google_changes import DRIFT, NO_WORKLOADS, PREVIEW, changed_text, edited, original_text
from tests.real.joined import reported

_OF = "the preview of leads-main-infrastructure"


def preview_messages(before: str, after: str, folder: Path) -> list[str]:
    """Return what `diff` reports about previews, without the message about the project with no preview."""
    *messages, last = reported(before, after, PREVIEW.read_text(encoding="utf-8"), folder)
    assert last == NO_WORKLOADS
    return messages


def test_manual_changes_are_reported_and_nothing_else(tmp_path: Path) -> None:
    """The spec doesn't change, so every change in the preview was made manually."""
    changed = changed_text(original_text())

    assert preview_messages(changed, changed, tmp_path) == [DRIFT]


def test_a_change_that_is_applied_already_is_reported(tmp_path: Path) -> None:
    """The preview was made after the change was applied, so it's missing most of the change."""
    text = original_text()

    assert preview_messages(text, changed_text(text), tmp_path) == [
        f"R524 review: {_OF} changes the log storage, which this change does not explain",
        f"R525 review: {_OF} does not change buckets audit and lake, database runs, the cluster and node pools "
        "gpu-a2-highgpu-1g-spot, gpu-a2-highgpu-1g-on-demand and system, although this change does",
    ]


def test_a_change_of_what_was_changed_by_hand_explains_it(tmp_path: Path) -> None:
    """The additional replicas affect the node pool that was changed manually, so its update is expected."""
    changed = changed_text(original_text())
    more = edited(changed, {"{min: 3, max: 6}": "{min: 3, max: 9}"})

    assert preview_messages(changed, more, tmp_path) == [
        f"R524 review: {_OF} changes identity registry and the log storage, which this change does not explain"
    ]
