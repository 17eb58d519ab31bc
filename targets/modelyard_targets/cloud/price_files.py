"""A cloud's machine prices, stored in one file per region."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping

from modelyard_targets.cloud.offerings import Price


class RegionalPrices(Mapping[tuple[str, str, bool], Price]):
    """Prices by machine, region and capacity type (spot or on-demand). Each region's file is read on first use."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._regions = frozenset(name.removesuffix(".json") for name in os.listdir(folder) if name.endswith(".json"))
        self._read: dict[str, dict[tuple[str, str, bool], Price]] = {}

    def __getitem__(self, key: tuple[str, str, bool]) -> Price:
        return self._of(key[1])[key]

    def __iter__(self) -> Iterator[tuple[str, str, bool]]:
        return (key for region in sorted(self._regions) for key in self._of(region))

    def __len__(self) -> int:
        return sum(len(self._of(region)) for region in self._regions)

    def _of(self, region: str) -> dict[tuple[str, str, bool], Price]:
        if region not in self._read:
            self._read[region] = dict(self._prices(region)) if region in self._regions else {}
        return self._read[region]

    def _prices(self, region: str) -> Iterator[tuple[tuple[str, str, bool], Price]]:
        with open(os.path.join(self._folder, f"{region}.json"), encoding="utf-8") as text:
            entries = json.load(text)
        for listed in entries:
            spot = listed["capacity"] == "spot"
            for name, hourly in listed["usd"].items():
                yield (name, region, spot), Price(float(hourly), region, spot, listed["source"], listed["date"])
