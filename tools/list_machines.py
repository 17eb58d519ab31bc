"""Lists the EC2 instance types that modelyard chooses from, with sizes, regions and prices.

python tools/list_machines.py

Sizes and regions come from EC2 responses (DescribeInstanceTypes and DescribeInstanceTypeOfferings) that moto
ships. Prices come from `tables/`: `newest.csv` has the newest prices for a few regions, and `every-region.csv`
has older ones for all regions. If only another region (on demand) or another size (spot) has a newer price, the
script estimates the price from that newer price and notes this in the price's source.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

AWS: Final = Path(__file__).parent.parent / "targets" / "modelyard_targets" / "aws"
TABLES: Final = Path(__file__).parent / "tables"
MACHINES: Final = AWS / "machines.json"
PRICES: Final = AWS / "prices"

CHOSEN_FROM: Final = {
    "t3": ("large",),
    "m5": ("large", "xlarge", "2xlarge", "4xlarge"),
    "m6i": ("large", "xlarge", "2xlarge", "4xlarge"),
    "m7i": ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge"),
    "m7g": ("xlarge", "4xlarge"),
    "m8g": ("xlarge", "4xlarge"),
    "c7i": ("xlarge", "4xlarge", "16xlarge"),
    "r5": ("xlarge",),
    "r7i": ("large", "xlarge", "4xlarge", "8xlarge"),
    "r8g": ("4xlarge",),
    "g4dn": ("xlarge", "2xlarge", "4xlarge", "12xlarge"),
    "g5": ("xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "48xlarge"),
    "g6": ("xlarge", "2xlarge", "4xlarge", "12xlarge", "48xlarge"),
    "g6e": ("xlarge", "2xlarge", "4xlarge", "12xlarge", "48xlarge"),
    "g7e": ("2xlarge", "48xlarge"),
    "p4d": ("24xlarge",),
    "p4de": ("24xlarge",),
    "p5": ("4xlarge", "48xlarge"),
    "p5e": ("48xlarge",),
    "p5en": ("48xlarge",),
    "p6-b200": ("48xlarge",),
    "p6-b300": ("48xlarge",),
    "inf2": ("xlarge", "48xlarge"),
    "trn1": ("2xlarge", "32xlarge"),
    "trn2": ("48xlarge",),
}
"""Instance sizes by family. Only a few are burstable or ARM, because compute classes never choose such types."""

_OF_ANOTHER_PARTITION: Final = ("cn-", "us-gov-")
"""Prefixes of excluded regions, for which moto has no offerings or whose prices are not comparable."""

_NEURON: Final = {"inf2": "Inferentia2", "trn1": "Trainium", "trn2": "Trainium2"}
_GPU: Final = {"RTX PRO Server 6000": "RTX-PRO-6000"}
_SEVERAL_MEMORIES: Final = ("A100",)

_REFERENCE: Final = "us-east-1"

Json = dict[str, Any]


class Listed(NamedTuple):
    """A price in US dollars per hour, with its source and date."""

    usd: float
    source: str
    date: str


Prices = dict[tuple[str, str, bool], Listed]
"""Prices by instance type, region, and whether they are spot prices."""


def main() -> None:
    """Write `machines.json` and the price files."""
    MACHINES.write_text(machines_text(), encoding="utf-8")
    texts = price_texts(TABLES)
    for file in PRICES.glob("*.json"):
        file.unlink()
    PRICES.mkdir(exist_ok=True)
    for region, text in texts.items():
        (PRICES / f"{region}.json").write_text(text, encoding="utf-8")


def names() -> list[str]:
    """Return the names of all listed instance types, ordered by family and size."""
    return [f"{family}.{size}" for family, sizes in CHOSEN_FROM.items() for size in sizes]


def machines_text() -> str:
    """Return the text of `machines.json`, with one line per instance type and one per region."""
    described = _unpacked(_moto() / "instance_types.json.gz")
    machines = {name: _shape(name, described[name]) for name in names()}
    memories = {
        _accelerator(name, described[name])[0]: _memory_gi(described[name])
        for name in names()
        if _accelerator(name, described[name])[0]
    }
    source = f"as moto {version('moto')} holds it"
    parts = {
        "sources": _pretty(
            {
                "shapes": f"DescribeInstanceTypes of EC2, {source}",
                "pods": "interfaces of the default network card * (addresses - 1) + 2, as nodeadm counts them "
                "(awslabs/amazon-eks-ami nodeadm/internal/kubelet/instance-info.jsonl@81fec2e, of 2026-07-23)",
                "accelerators": "GiB of one, as EC2 reports it; null where it reports none",
                "absent": f"DescribeInstanceTypeOfferings of each region, {source}: machines and families not sold",
            }
        ),
        "accelerators": json.dumps(dict(sorted(memories.items()))),
        "machines": _lines(machines),
        "absent": _lines(_absent()),
    }
    return "{\n" + ",\n".join(f'  "{key}": {text}' for key, text in parts.items()) + "\n}\n"


def price_texts(tables: Path) -> dict[str, str]:
    """Return the text of each region's price file, with on-demand and spot prices by source and date."""
    prices = _prices(tables)
    absent = {region: frozenset(missing) for region, missing in _absent().items()}
    texts: dict[str, str] = {}
    for region in sorted({region for _, region, _ in prices}):
        groups: dict[tuple[bool, str, str], dict[str, float]] = {}
        for name in names():
            if not absent[region].isdisjoint((name, _family(name))):
                continue
            for spot in (False, True):
                listed = prices.get((name, region, spot))
                if listed is not None:
                    groups.setdefault((spot, listed.source, listed.date), {})[name] = listed.usd
        entries = (
            f'  {{"capacity": "{"spot" if spot else "on-demand"}", "source": {json.dumps(source)}, "date": "{date}",\n'
            f'   "usd": {json.dumps(usd)}}}'
            for (spot, source, date), usd in sorted(groups.items())
        )
        texts[region] = "[\n" + ",\n".join(entries) + "\n]\n"
    return texts


def _moto() -> Path:
    spec = find_spec("moto")
    if spec is None or spec.origin is None:
        sys.exit("moto, one of the packages of development, is not installed")
    return Path(spec.origin).parent / "ec2" / "resources"


def _unpacked(file: Path) -> Any:
    return json.loads(gzip.decompress(file.read_bytes()))


def _shape(name: str, described: Json) -> Json:
    kind, count = _accelerator(name, described)
    shape: Json = {
        "vcpus": described["VCpuInfo"]["DefaultVCpus"],
        "memoryGi": _as_integer(described["MemoryInfo"]["SizeInMiB"] / 1024),
        "pods": _pods(described["NetworkInfo"]),
    }
    if "arm64" in described["ProcessorInfo"]["SupportedArchitectures"]:
        shape["arch"] = "arm64"
    if described["BurstablePerformanceSupported"]:
        shape["burstable"] = True
    if kind:
        shape["accelerator"] = f"{kind}:{count}"
    if "InstanceStorageInfo" in described:
        shape["localGb"] = described["InstanceStorageInfo"]["TotalSizeInGB"]
    return shape


def _pods(network: Json) -> int:
    """Return an instance's maximum number of Pods, given the addresses of its default network card."""
    card = network["NetworkCards"][network.get("DefaultNetworkCardIndex", 0)]
    return int(card["MaximumNetworkInterfaces"]) * (int(network["Ipv4AddressesPerInterface"]) - 1) + 2


def _accelerator(name: str, described: Json) -> tuple[str, int]:
    """Return an instance type's accelerator name (as used in specs) and count, or "" and 0 without any."""
    family = _family(name)
    if family in _NEURON:
        return _NEURON[family], sum(int(device["Count"]) for device in described["NeuronInfo"]["NeuronDevices"])
    for gpu in described.get("GpuInfo", {}).get("Gpus", []):
        kind = _GPU.get(str(gpu["Name"]), str(gpu["Name"]))
        if kind in _SEVERAL_MEMORIES:
            kind = f"{kind}-{gpu['MemoryInfo']['SizeInMiB'] // 1024}GB"
        return kind, int(gpu["Count"])
    return "", 0


def _memory_gi(described: Json) -> float | None:
    """Return the memory of one GPU in GiB, rounded to a tenth, or None for instance types without GPUs."""
    gpus = described.get("GpuInfo", {}).get("Gpus", [])
    return _as_integer(round(gpus[0]["MemoryInfo"]["SizeInMiB"] / 1024, 1)) if gpus else None


def _absent() -> dict[str, list[str]]:
    """Return the instance families and types that are not sold in each region."""
    absent: dict[str, list[str]] = {}
    for file in sorted((_moto() / "instance_type_offerings" / "region").glob("*.json.gz")):
        region = file.name.partition(".")[0]
        if region.startswith(_OF_ANOTHER_PARTITION):
            continue
        sold = {str(offered["InstanceType"]) for offered in _unpacked(file)}
        absent[region] = [entry for family, sizes in CHOSEN_FROM.items() for entry in _absent_of(family, sizes, sold)]
    return absent


def _absent_of(family: str, sizes: Iterable[str], sold: set[str]) -> list[str]:
    missing = [name for size in sizes if (name := f"{family}.{size}") not in sold]
    return [family] if len(missing) == len(tuple(sizes)) else missing


def _prices(tables: Path) -> Prices:
    """Return on-demand and spot prices: the newest or, where none are known, older prices or estimates."""
    newest, older = _listed(tables / "newest.csv"), _listed(tables / "every-region.csv")
    sold = _absent()
    prices: Prices = {}
    for name, region, spot in [*newest, *older]:
        key = name, region, spot
        if region in sold and not spot:
            prices[key] = newest.get(key) or _changed(older[key], newest, older, key)
    for region in sold:
        for family, sizes in CHOSEN_FROM.items():
            here = [name for size in sizes if ((name := f"{family}.{size}"), region, False) in prices]
            prices |= _spot(here, region, prices, newest, older)
    return prices


def _changed(listed: Listed, newest: Prices, older: Prices, key: tuple[str, str, bool]) -> Listed:
    """Scale an older on-demand price by the instance type's price change since then in the reference region."""
    there = key[0], _REFERENCE, False
    now, then = newest.get(there), older.get(there)
    if now is None or then is None or now.usd == then.usd:
        return listed
    usd = float(f"{listed.usd * now.usd / then.usd:.6g}")
    source = f"estimated: {listed.source} on {listed.date}, changed like {_REFERENCE} since ({now.source})"
    return Listed(usd, source, now.date)


def _spot(family: list[str], region: str, on_demand: Prices, newest: Prices, older: Prices) -> Prices:
    """Return comparable spot prices for a family's instance types in a region.

    `family` lists the smallest size first.

    Spot prices change daily, so all prices are either derived from newer prices or older averages. If a size's average
    doesn't exceed that of a smaller size, it is replaced by the on-demand price with the smaller size's discount.
    """
    prices: Prices = {}
    known = {name: price for name in family if (price := newest.get((name, region, True)))}
    discounts = [price.usd / on_demand[name, region, False].usd for name, price in known.items()]
    like = f"on demand, with the discount of {' and '.join(known)}"
    smaller = ""
    for name in family:
        key = name, region, True
        full = on_demand[name, region, False].usd
        if name in known:
            prices[key] = known[name]
        elif known:
            price = next(iter(known.values()))
            prices[key] = _estimate(full * sum(discounts) / len(discounts), like, price)
        elif key in older and (average := _kept_discount(older, key, full)).usd < full:
            listed = prices[key] = average
            if smaller and listed.usd <= prices[smaller, region, True].usd:
                base = prices[smaller, region, True]
                discount = base.usd / on_demand[smaller, region, False].usd
                prices[key] = _estimate(full * discount, f"on demand, with the discount of {smaller}", base)
            smaller = name
    return prices


def _kept_discount(older: Prices, key: tuple[str, str, bool], full: float) -> Listed:
    """Scale an older spot price so that its discount stays the same after an on-demand price change."""
    listed, then = older[key], older.get((key[0], key[1], False))
    if then is None or then.usd == full:
        return listed
    source = f"estimated: {listed.source} on {listed.date}, changed like the price on demand since"
    return Listed(float(f"{listed.usd * full / then.usd:.6g}"), source, listed.date)


def _estimate(usd: float, like: str, price: Listed) -> Listed:
    return Listed(float(f"{usd:.6g}"), f"estimated: {like} ({price.source})", price.date)


def _family(name: str) -> str:
    return name.partition(".")[0]


def _listed(file: Path) -> Prices:
    with file.open(encoding="utf-8", newline="") as text:
        return {
            (row["machine"], row["region"], row["capacity"] == "spot"): Listed(
                float(row["usd_per_hour"]), row["source"], row["date"]
            )
            for row in csv.DictReader(text)
        }


def _as_integer(number: float) -> float:
    """Return a whole number as an int, such as 8 instead of 8.0."""
    return int(number) if number == int(number) else number


def _lines(entries: Mapping[str, object]) -> str:
    return "{\n" + ",\n".join(f'    "{key}": {json.dumps(value)}' for key, value in entries.items()) + "\n  }"


def _pretty(entries: Mapping[str, str]) -> str:
    return _lines(entries)


if __name__ == "__main__":
    main()
