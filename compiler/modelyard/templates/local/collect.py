"""Your own code. The `collect` step writes the dataset that models learn from."""

from typing import Any

NAMES = {"concave points": "concave_points", "fractal dimension": "fractal_dimension"}


def tumours(context: Any) -> None:
    """Write a row for each tumour, with the means of ten measurements and whether it was malignant.

    The data comes from the Breast Cancer Wisconsin (Diagnostic) dataset, which ships with scikit-learn.
    """
    from sklearn.datasets import load_breast_cancer

    loaded = load_breast_cancer(as_frame=True)
    means = loaded.data.filter(regex="^mean ").rename(columns=lambda name: name.removeprefix("mean "))
    rows = means.rename(columns=NAMES).assign(malignant=(loaded.target == 0).astype("int64"))
    context.write(rows)
