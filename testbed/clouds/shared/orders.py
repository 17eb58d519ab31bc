"""Lets tests order the provider to fail or stall at a certain call."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from testbed.clouds.shared.store import Store

Verb = Literal["", "create", "read", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Order:
    """Fail or stall at the nth call with the given verb and resource type. An empty verb or type matches any.

    With `after`, the call fails once the cloud has done the work, so the resource exists despite the failure.
    """

    do: Literal["fail", "stall"]
    nth: int = 1
    verb: Verb = ""
    kind: str = ""
    after: bool = False


class Orders:
    """The orders in a folder, shared between a test and the provider's processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = Store(folder / "orders.json")

    def give(self, order: Order) -> None:
        """Add an order. It counts calls from this point on."""
        with self._store.open() as everything:
            everything.setdefault("orders", {})[str(len(everything.get("orders", {})))] = asdict(order) | {"seen": 0}

    def clear(self) -> None:
        """Withdraw all orders. Stalled calls then continue."""
        with self._store.open() as everything:
            everything.clear()

    @property
    def stalled(self) -> bool:
        """Return whether a call is currently stalled."""
        return bool(self._store.all("stalled"))

    def begin(self, verb: str, kind: str) -> list[Order]:
        """Return the orders that apply to the current call. Each order applies once."""
        met: list[Order] = []
        with self._store.open() as everything:
            for key, order in list(everything.get("orders", {}).items()):
                if order["verb"] in ("", verb) and order["kind"] in ("", kind):
                    order["seen"] += 1
                    if order["seen"] == order["nth"]:
                        met.append(Order(**{name: value for name, value in order.items() if name != "seen"}))
                        everything["orders"].pop(key)
        return met

    def obey(self, orders: list[Order], *, after: bool) -> str:
        """If ordered, stall until the orders are cleared. Returns the message of an ordered failure."""
        for order in orders:
            if order.after != after:
                continue
            if order.do == "fail":
                return "InternalFailure: a test requested this failure"
            self._store.put("stalled", "call", {"order": json.dumps(asdict(order))})
            while self.stalled:
                time.sleep(0.1)
        return ""
