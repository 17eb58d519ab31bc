"""Reads the changes that Pulumi's engine made, and waits for the engine."""

from __future__ import annotations

import time

from testbed.clouds.shared.orders import Orders
from testbed.pulumi.stack import Outcome, Running


def changes_of(outcome: Outcome) -> dict[str, str]:
    """Return the operation on each changed resource by type and logical name, e.g. `NodeGroup system`."""
    operations: dict[str, str] = {}
    for urn, operation in outcome.changed.items():
        kind = urn.split("::")[2].rpartition("$")[2]
        if not kind.startswith("modelyard:"):
            operations[f"{kind.rpartition(':')[2]} {urn.rpartition('::')[2]}"] = operation
    return operations


def until_all_else_is_done(orders: Orders, running: Running) -> None:
    """Wait until one call to the cloud stalls, all other steps have ended, and the engine starts no more steps."""
    begun = -1
    while not orders.stalled or running.begun != begun or len(_calls(running)) > 1:
        assert not running.ended
        begun = running.begun
        time.sleep(5)


def _calls(running: Running) -> list[str]:
    """Return the steps in progress that call the cloud. The stack and its components only wait for these."""
    kinds = [urn.split("::")[2].rpartition("$")[2] for urn in running.under_way]
    return [kind for kind in kinds if not kind.startswith(("modelyard:", "pulumi:pulumi:"))]
