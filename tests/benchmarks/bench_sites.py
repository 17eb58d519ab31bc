"""Check what a target with hundreds of sites costs, and that the cost of thousands is proportional."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.bench_budgets import COMPILE, times_pass
from tests.benchmarks.children import part
from tests.benchmarks.ratios import Ratios
from tests.examples import SYSTEMS

SIZES = (400, 4_000)


def shops(count: int) -> str:
    """Return a table with the given number of shops, which come in two sizes and have different addresses."""
    lines = [
        f"shop-{at:04},{1 + at % 2},registry-{at}.acme.example,10.{at // 256}.{at % 256}.0/24,s3-{at}.acme.example"
        for at in range(count)
    ]
    return "\n".join(("name,boxes,registry,subnet,s3", *lines, ""))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the same spec for several numbers of shops."""
    text = (SYSTEMS / "shelf" / "system.yaml").read_text(encoding="utf-8")
    assert text.count("\n") < 200
    text = text.replace("shop-001", "shop-0001").replace("shop-107", "shop-0107").replace("4000 USD", "4000000 USD")
    root = tmp_path_factory.mktemp("shops")
    for count in SIZES:
        (root / str(count)).mkdir()
        (root / str(count) / "system.yaml").write_text(text, encoding="utf-8")
        (root / str(count) / "shops.csv").write_text(shops(count), encoding="utf-8")
    return root


def bench_validate(ratios: Ratios, folder: Path) -> None:
    """Validate the spec for 400 shops."""
    ratios.check("validate, 400 sites, times python -c pass", times_pass("validate", str(folder / "400")))


def bench_compile(ratios: Ratios, folder: Path, tmp_path: Path) -> None:
    """Compile the spec for 400 and for 4000 shops, and measure the total output size for 400."""
    costs: dict[int, list[float]] = {count: [] for count in SIZES}

    def measure() -> float:
        for count in SIZES:
            for _ in range(3):
                out = tmp_path / f"{count}-{len(costs[count])}"
                costs[count].append(part(COMPILE, str(folder / str(count)), str(out)).seconds)
                (folder / str(count) / "modelyard.lock").unlink()
        return min(costs[4_000]) / min(costs[400])

    ratios.check("compile, 4000 sites, times 400 sites", measure)
    sizes = (file.stat().st_size for file in (tmp_path / "400-0").rglob("*") if file.is_file())
    megabytes = sum(sizes) / 2**20
    ratios.check("compile, 400 sites, MB of output", lambda: megabytes)
