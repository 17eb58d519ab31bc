"""Lists the Google Compute Engine machine types that modelyard chooses from, with sizes, regions and prices.

python tools/list_google_machines.py

Sizes and regions come from `tables/google-machines.csv`. Prices in US dollars per hour and region, including
accelerators, come from `tables/google-prices.csv`. Both tables are excerpts from the files in `SHAPES` and `PRICES`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

GCP: Final = Path(__file__).parent.parent / "targets" / "modelyard_targets" / "gcp"
TABLES: Final = Path(__file__).parent / "tables"
MACHINES: Final = GCP / "machines.json"
PRICES: Final = GCP / "prices"

SHAPES: Final = "machinetyperegion.csv of github.com/Cyclenerd/google-cloud-pricing-cost-calculator@8bf3293, 2026-08-17"
PRICED: Final = "github.com/cloudpilot-ai/karpenter-provider-gcp@373e2ba, initial-prices.json"
PRICED_ON: Final = "2026-08-03"

_ACCELERATORS: Final[Mapping[str, tuple[str, str, int]]] = {
    "g2-standard": ("L4", "nvidia-l4", 24),
    "g4-standard": ("RTX-PRO-6000", "nvidia-rtx-pro-6000", 96),
    "a2-highgpu": ("A100-40GB", "nvidia-tesla-a100", 40),
    "a2-ultragpu": ("A100-80GB", "nvidia-a100-80gb", 80),
    "a3-highgpu": ("H100", "nvidia-h100-80gb", 80),
    "a3-megagpu": ("H100", "nvidia-h100-mega-80gb", 80),
}
"""By machine series and class: the accelerator's name in a spec, Google's name for it, and its GiB of memory."""

_ON_N1: Final = "Google Cloud attaches {} to N1 machines"
_RESERVED: Final = "Google Cloud sells {} only as spot or with a reservation"
_TPU: Final = "Google Cloud offers {} only on TPU machines"
_UNSUPPORTED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("P100", "P4", "T4", "V100"), _ON_N1),
    **dict.fromkeys(("B200", "H200"), _RESERVED),
    **dict.fromkeys(("TPU-v5e", "TPU-v5p", "TPU-v6e", "TPU7x"), _TPU),
}
"""Accelerators that Google sells but this table excludes, with the reason."""

_COUNTS: Final[Mapping[str, int]] = {
    **{f"g2-standard-{vcpus}": count for vcpus, count in ((24, 2), (48, 4), (96, 8))},
    **{f"g4-standard-{vcpus}": count for vcpus, count in ((96, 2), (192, 4), (384, 8))},
}
"""The number of accelerators in machine types whose names do not contain the number, unless it is one."""

_HYPERDISK: Final = ("n4", "c4", "g4")
"""Series that boot only from Hyperdisk (docs.cloud.google.com/compute, "Hyperdisk", machine support, 2026-11-27)."""

_ACCELERATOR_SOURCE: Final = (
    "names and memory: docs.cloud.google.com/compute/docs/gpus; machines that Google sells only as spot or with a"
    " reservation (a3-highgpu-1g to 4g, a3-ultragpu, a4) are left out, 2026-11-27"
)

Json = dict[str, Any]


def main() -> None:
    """Write `machines.json` and the price files."""
    MACHINES.write_text(machines_text(TABLES), encoding="utf-8")
    PRICES.mkdir(exist_ok=True)
    for file in PRICES.glob("*.json"):
        file.unlink()
    for region, text in price_texts(TABLES).items():
        (PRICES / f"{region}.json").write_text(text, encoding="utf-8")


def machines_text(tables: Path) -> str:
    """Return the text of `machines.json`, with one line per machine type and one per region."""
    rows = _rows(tables / "google-machines.csv")
    memories = {name: memory for name, _, memory in _ACCELERATORS.values()}
    types = {series: kind for series, (_, kind, _) in _ACCELERATORS.items()}
    parts = {
        "sources": _lines({"shapes": SHAPES, "regions": SHAPES, "accelerators": _ACCELERATOR_SOURCE}),
        "accelerators": json.dumps(dict(sorted(memories.items()))),
        "acceleratorTypes": json.dumps(dict(sorted(types.items()))),
        "unsupported": _lines(_UNSUPPORTED),
        "machines": _lines({row["machine"]: _shape(row) for row in rows}),
        "absent": _lines(_absent(rows)),
    }
    return "{\n" + ",\n".join(f'  "{key}": {text}' for key, text in parts.items()) + "\n}\n"


def price_texts(tables: Path) -> dict[str, str]:
    """Return the text of each region's price file, with on-demand and spot prices, source and date."""
    rows = _rows(tables / "google-prices.csv")
    return {region: _price_text(region, rows) for region in sorted({row["region"] for row in rows})}


def _price_text(region: str, rows: Iterable[Mapping[str, str]]) -> str:
    here = [row for row in rows if row["region"] == region]
    columns = {"on-demand": "on_demand_usd_per_hour", "spot": "spot_usd_per_hour"}
    entries = (
        f'  {{"capacity": "{capacity}", "source": {json.dumps(PRICED)}, "date": "{PRICED_ON}",\n'
        f'   "usd": {json.dumps({row["machine"]: float(row[column]) for row in here if row[column]})}}}'
        for capacity, column in columns.items()
    )
    return "[\n" + ",\n".join(entries) + "\n]\n"


def _shape(row: Mapping[str, str]) -> Json:
    name = row["machine"]
    memory = float(row["memory_gib"])
    shape: Json = {"vcpus": int(row["vcpus"]), "memoryGi": int(memory) if memory.is_integer() else memory}
    series = name.rpartition("-")[0]
    if series in _ACCELERATORS:
        shape["accelerator"] = f"{_ACCELERATORS[series][0]}:{_count(name)}"
    if name.partition("-")[0] in _HYPERDISK:
        shape["disk"] = "hyperdisk-balanced"
    return shape


def _count(name: str) -> int:
    """Return a machine type's accelerator count, e.g. four for `a2-highgpu-4g`."""
    size = name.rpartition("-")[2]
    return int(size.removesuffix("g")) if size.endswith("g") else _COUNTS.get(name, 1)


def _absent(rows: list[dict[str, str]]) -> dict[str, list[str]]:
    """Return the machine families and types that are not sold in each region."""
    sold = {row["machine"]: frozenset(row["regions"].split()) for row in rows}
    families: dict[str, list[str]] = {}
    for name in sold:
        families.setdefault(name.partition("-")[0], []).append(name)
    return {
        region: [entry for family, names in families.items() for entry in _absent_of(family, names, sold, region)]
        for region in sorted({region for regions in sold.values() for region in regions})
    }


def _absent_of(family: str, names: list[str], sold: Mapping[str, frozenset[str]], region: str) -> list[str]:
    missing = [name for name in names if region not in sold[name]]
    return [family] if len(missing) == len(names) else missing


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def _lines(entries: Mapping[str, object]) -> str:
    return "{\n" + ",\n".join(f'    "{key}": {json.dumps(value)}' for key, value in entries.items()) + "\n  }"


if __name__ == "__main__":
    main()
