"""Lists the machines of EC2 that modelyard chooses from: what each has, where it is sold, and what it costs.

    python tools/list_machines.py TABLES

Shapes and regions are answers of EC2 (DescribeInstanceTypes and DescribeInstanceTypeOfferings) that moto ships. Prices
are in TABLES, a folder with `accelerators.csv` (newest prices, few regions) and `prices-aws.csv` (all regions, older).
Where only another region (on demand) or another size (spot) has a newer price, the older one is scaled by how that one
has changed, and the source says so.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

AWS: Final = Path(__file__).parent.parent / "targets" / "modelyard_targets" / "aws"
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
"""Sizes by family. Burstable and ARM machines are few: no class chooses them, but some users' own lists name them."""

_OF_ANOTHER_PARTITION: Final = ("cn-", "us-gov-")
"""Regions of which moto holds no offerings, or whose prices are in no dollar that compares."""

_NEURON: Final = {"inf2": "Inferentia2", "trn1": "Trainium", "trn2": "Trainium2"}
_GPU: Final = {"RTX PRO Server 6000": "RTX-PRO-6000"}
_SEVERAL_MEMORIES: Final = ("A100",)

_REFERENCE: Final = "us-east-1"
_OLDER: Final = "EC2's price list, as ec2instances.info had it"
_OLDER_SPOT: Final = "average spot price, as ec2instances.info had it"

Json = dict[str, Any]


class Listed(NamedTuple):
    """A price in US dollars an hour, whose it is, and of which day (or year, where a table has no more)."""

    usd: float
    source: str
    date: str


Prices = dict[tuple[str, str, bool], Listed]
"""By machine, region, and whether it is of spot."""


def main() -> None:
    """Write the tables."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    MACHINES.write_text(machines_text(), encoding="utf-8")
    texts = price_texts(Path(sys.argv[1]))
    for file in PRICES.glob("*.json"):
        file.unlink()
    PRICES.mkdir(exist_ok=True)
    for region, text in texts.items():
        (PRICES / f"{region}.json").write_text(text, encoding="utf-8")


def names() -> list[str]:
    """The machines' names, in the order of families and sizes."""
    return [f"{family}.{size}" for family, sizes in CHOSEN_FROM.items() for size in sizes]


def machines_text() -> str:
    """`machines.json`: a line for each machine and for each region."""
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
    """The text of each region's file: prices on demand and of spot, by source and date."""
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
        "memoryGi": _whole(described["MemoryInfo"]["SizeInMiB"] / 1024),
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
    """The Pods that the addresses of the default network card are enough for."""
    card = network["NetworkCards"][network.get("DefaultNetworkCardIndex", 0)]
    return int(card["MaximumNetworkInterfaces"]) * (int(network["Ipv4AddressesPerInterface"]) - 1) + 2


def _accelerator(name: str, described: Json) -> tuple[str, int]:
    """The name that a spec has for a machine's accelerators, and how many there are; an empty name for none."""
    family = _family(name)
    if family in _NEURON:
        return _NEURON[family], sum(int(device["Count"]) for device in described["NeuronInfo"]["NeuronDevices"])
    for gpu in described.get("GpuInfo", {}).get("Gpus", []):
        kind = _GPU.get(gpu["Name"], gpu["Name"])
        if kind in _SEVERAL_MEMORIES:
            kind = f"{kind}-{gpu['MemoryInfo']['SizeInMiB'] // 1024}GB"
        return kind, int(gpu["Count"])
    return "", 0


def _memory_gi(described: Json) -> float | None:
    """GiB of one accelerator, to a tenth; of a chip with NeuronCores, EC2 reports memory that Pods cannot ask for."""
    gpus = described.get("GpuInfo", {}).get("Gpus", [])
    return _whole(round(gpus[0]["MemoryInfo"]["SizeInMiB"] / 1024, 1)) if gpus else None


def _absent() -> dict[str, list[str]]:
    """What each region does not sell: whole families, else machines."""
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
    """The newest price where a table has it, else the older one, scaled by how a price next to it has changed."""
    newest, older = dict(_newest(tables / "accelerators.csv")), dict(_older(tables / "prices-aws.csv"))
    changes = _changes_of_spot(newest, older)
    prices = dict(newest)
    for key, listed in older.items():
        name, region, spot = key
        if spot:
            scaled = _estimated(listed, changes.get((_family(name), region)))
        else:
            scaled = _estimated(listed, _change(newest, older, (name, _REFERENCE, False), _REFERENCE))
        prices.setdefault(key, scaled)
    sold = set(_absent())
    return {
        (name, region, spot): listed
        for (name, region, spot), listed in prices.items()
        if region in sold and not (spot and _dearer(listed, prices.get((name, region, False))))
    }


class Change(NamedTuple):
    """By how much a newer price differs from the older one, and which price that is."""

    ratio: float
    like: str
    source: str
    date: str


def _changes_of_spot(newest: Prices, older: Prices) -> dict[tuple[str, str], Change]:
    """By family and region, the mean of those whose newer price is known: a choice needs prices that compare."""
    changes: dict[tuple[str, str], list[Change]] = {}
    for key in newest:
        name, region, spot = key
        change = _change(newest, older, key, name) if spot else None
        if change is not None:
            changes.setdefault((_family(name), region), []).append(change)
    return {
        place: Change(
            sum(change.ratio for change in group) / len(group),
            " and ".join(change.like for change in group),
            group[0].source,
            group[0].date,
        )
        for place, group in changes.items()
    }


def _change(newest: Prices, older: Prices, key: tuple[str, str, bool], like: str) -> Change | None:
    now, then = newest.get(key), older.get(key)
    if now is None or then is None or now.usd == then.usd:
        return None
    return Change(now.usd / then.usd, like, now.source, now.date)


def _estimated(listed: Listed, change: Change | None) -> Listed:
    """An older price times a change; the source names both."""
    if change is None:
        return listed
    usd = float(f"{listed.usd * change.ratio:.6g}")
    since = f"changed like {change.like} since ({change.source})"
    return Listed(usd, f"estimated: {listed.source} on {listed.date}, {since}", change.date)


def _family(name: str) -> str:
    return name.partition(".")[0]


def _dearer(spot: Listed, on_demand: Listed | None) -> bool:
    """Whether a spot price is one that nobody pays: as much as on demand, or there is nothing to compare it with."""
    return on_demand is None or spot.usd >= on_demand.usd


def _newest(file: Path) -> Iterator[tuple[tuple[str, str, bool], Listed]]:
    instance_types = set(names())
    for row in _rows(file):
        if row["cloud"] != "aws" or row["instance_type"] not in instance_types:
            continue
        price_of, spot_of = _sources(row["source"])
        date, _, spot_date = row["as_of"].partition("; spot ")
        for spot, usd, source, day in (
            (False, row["on_demand_usd_per_hour"], price_of, date),
            (True, row["spot_usd_per_hour"], spot_of, spot_date or date),
        ):
            if usd:
                yield (row["instance_type"], row["region"], spot), Listed(float(usd), source, day.partition(",")[0])


def _sources(text: str) -> tuple[str, str]:
    """Whose the prices on demand and of spot are; the column names those of the shape too, which are not used."""
    on_demand = spot = ""
    for part in text.split("; "):
        if part.startswith("spot: "):
            spot = part.removeprefix("spot: ").replace(" (spot = mean over zones)", ", mean over zones")
        elif part.endswith(" (price)"):
            on_demand = part.removesuffix(" (price)")
        elif "(spot = mean over zones)" in part:
            on_demand = part.replace(" (spot = mean over zones)", "")
            spot = f"{on_demand}, mean over zones"
        elif not on_demand and not part.startswith(("shape: ", "its ")):
            on_demand = part
    return on_demand, spot or on_demand


def _older(file: Path) -> Iterator[tuple[tuple[str, str, bool], Listed]]:
    instance_types = set(names())
    for row in _rows(file):
        if row["instance_type"] in instance_types:
            for spot, usd, source in (
                (False, row["on_demand_usd_per_hour"], _OLDER),
                (True, row["spot_avg_usd_per_hour"], _OLDER_SPOT),
            ):
                if usd and float(usd):
                    yield (row["instance_type"], row["region"], spot), Listed(float(usd), source, row["as_of"])


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        yield from csv.DictReader(text)


def _whole(number: float) -> float:
    """8 instead of 8.0, as people write it."""
    return int(number) if number == int(number) else number


def _lines(entries: Mapping[str, object]) -> str:
    return "{\n" + ",\n".join(f'    "{key}": {json.dumps(value)}' for key, value in entries.items()) + "\n  }"


def _pretty(entries: Mapping[str, str]) -> str:
    return _lines(entries)


if __name__ == "__main__":
    main()
