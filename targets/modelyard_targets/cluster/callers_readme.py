"""The table of callers in a README: who may call which endpoint, and the Secret that holds their tokens."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.plan import Route
from modelyard.records import record
from modelyard_targets.cluster.context import Context


@record
class CallerRow:
    """A row of the table of callers."""

    endpoint: str
    caller: str
    secret: str
    key: str


def caller_rows(context: Context) -> Iterator[CallerRow]:
    """A row for each caller of each endpoint that requires a token."""
    for resource in context.plan.on(context.placement):
        if isinstance(resource.value, Route):
            inference = resource.value.inference
            for caller in inference.endpoint.auth.callers:
                secret = context.secret(caller.token)
                yield CallerRow(inference.name, caller.name, secret.name, secret.key)
