"""Tests how a server converts predictions to JSON."""

from __future__ import annotations

import json

import numpy as np

from modelyard_runtime.models.answers import Answer, plain
from modelyard_runtime.serving.application import in_json


def test_nan_and_infinity_are_valid_json() -> None:
    """A single NaN or infinite value must not fail the whole response, although JSON supports neither."""
    answer = Answer(np.array([1.5, np.nan]), np.array([[0.1, np.inf], [0.5, 0.5]]))
    assert answer.scores is not None

    encoded = [in_json(plain(value)) for value in answer.values], [in_json(value) for value in answer.scores.tolist()]

    assert json.dumps(encoded, allow_nan=False) == "[[1.5, null], [[0.1, null], [0.5, 0.5]]]"


def test_prediction_may_have_several_numbers() -> None:
    """A prediction may consist of several numbers, e.g. one per day of a forecast."""
    assert [plain(value) for value in np.array([[1.0, 2.5]])] == [[1, 2.5]]
