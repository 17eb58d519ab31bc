"""Compile and compare ten thousand models, which takes minutes, so only `make bench` runs these benchmarks."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.bench_budgets import COMPILE_WARM
from tests.benchmarks.children import Cost, part, processor_time
from tests.benchmarks.ratios import Ratios
from tests.benchmarks.systems import system


def bench_ten_thousand(ratios: Ratios, tmp_path: Path) -> None:
    """Compare the cost of compiling ten thousand models with that of one thousand, and limit memory use."""
    costs: dict[int, Cost] = {}
    for models in (1, 1_000, 10_000):
        (tmp_path / f"{models}").mkdir()
        (tmp_path / f"{models}" / "system.yaml").write_text(system(models), encoding="utf-8")
    first = str(tmp_path / "1" / "system.yaml")
    for models in (1_000, 10_000):
        spec, out = str(tmp_path / f"{models}" / "system.yaml"), str(tmp_path / f"out-{models}")
        costs[models] = part(COMPILE_WARM, first, spec, out)
    ratios.check("compile, 10000 models, times 1000 models", lambda: costs[10_000].seconds / costs[1_000].seconds)
    ratios.check("compile, 10000 models, MB", lambda: costs[10_000].megabytes)


def bench_diff_of_ten_thousand(ratios: Ratios, tmp_path: Path) -> None:
    """Time the review of a one-parameter change against validating the new version."""
    old, new = (tmp_path / f"{name}.yaml" for name in ("old", "new"))
    old.write_text(system(10_000), encoding="utf-8")
    new.write_text(system(10_000, changed=5_000), encoding="utf-8")

    def measure() -> float:
        review = processor_time("-m", "modelyard", "diff", str(old), str(new))
        return review / processor_time("-m", "modelyard", "validate", str(new))

    ratios.check("diff, 10000 models, times validate", measure)
