"""Tests that unknown names lead to a suggestion of the known name that was probably meant."""

from __future__ import annotations

import pytest

from modelyard.nearest import nearest, nearest_name

KNOWN = ["replicas", "minReplicas", "acceleratorMemory", "type", "name", "metadata", "us", "eu"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("replcias", "replicas"),
        ("Replicas", "replicas"),
        ("replica", "replicas"),
        ("min_replicas", "minReplicas"),
        ("min-replicas", "minReplicas"),
        ("accelerator_memory", "acceleratorMemory"),
        ("tpye", "type"),
        ("typ", "type"),
        ("meta_data", "metadata"),
        ("volume", None),
        ("", None),
        ("x" * 1000, None),
        ("type", None),
    ],
)
def test_only_near_names_are_suggested(word: str, expected: str | None) -> None:
    """Suggestions tolerate swapped, missing and added letters, and different letter case and separators."""
    assert nearest_name(word, KNOWN) == expected


def test_the_hint_is_empty_without_a_name() -> None:
    """Without a similar name, the hint is empty and therefore omitted."""
    assert nearest("volume", KNOWN, "did you mean {}?") == ""
    assert nearest("nmae", KNOWN, "did you mean {}?") == "did you mean 'name'?"


def test_the_closest_of_several_names_is_suggested() -> None:
    """The closest known name is suggested, or the first one if there are several."""
    assert nearest_name("model", ["modes", "models", "nodes"]) == "modes"
    assert nearest_name("modelx", ["modes", "models"]) == "models"


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("gpu", ["cpu", "memory", "accelerators"], "accelerators"),
        ("vCPU", ["cpu", "memory"], "cpu"),
        ("k8s", ["aws", "kubernetes"], "kubernetes"),
        ("roc_auc", ["accuracy", "auc_roc", "auc_pr"], "auc_roc"),
        ("weights", ["variants", "traffic"], "traffic"),
    ],
)
def test_synonyms_from_other_tools_are_recognized(word: str, known: list[str], expected: str) -> None:
    """Another tool's synonym for a known name takes precedence over a similar spelling."""
    assert nearest_name(word, known) == expected


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("batch", ["training", "batch-inference"], "batch-inference"),
        ("xgb", ["scikit-learn", "xgboost"], "xgboost"),
        ("minimum", ["min", "max"], "min"),
        ("drift", ["data-drift", "prediction-drift"], None),
        ("mo", ["models"], None),
        ("log", ["logs-a", "logs-b"], None),
    ],
)
def test_an_unambiguous_prefix_is_recognized(word: str, known: list[str], expected: str | None) -> None:
    """The unknown word may be a prefix of exactly one known name, or have exactly one as its prefix."""
    assert nearest_name(word, known) == expected
