"""Find what a model is trained on: features and their types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from modelyard.records import record
from modelyard.spec.needs import Dataset


@record
class TrainingInput:
    """A model's training input: features, column types from schemas, and the datasets containing features."""

    features: tuple[str, ...]
    types: dict[str, str]
    datasets: frozenset[str]


def training_input(datasets: Sequence[Dataset], key: Sequence[str] = ()) -> TrainingInput:
    """Collect the declared features, or else all columns except labels, timestamps, groups and keys.

    `key` is the split's key.
    """
    types = {column: kind for data in datasets for column, kind in data.schema}
    declared = tuple(dict.fromkeys(column for data in datasets for column in data.features))
    if declared:
        return TrainingInput(declared, types, frozenset(data.name for data in datasets if data.features))
    columns = Counter(column for data in datasets for column, _ in data.schema)
    hidden = {column for data in datasets for column in (data.label, data.timestamp, data.group)} | set(key)
    all_declared = all(data.schema for data in datasets)
    features = tuple(column for column in columns if column not in hidden and columns[column] == 1)
    return TrainingInput(features if all_declared else (), types, frozenset(data.name for data in datasets))
