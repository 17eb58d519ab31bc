"""The README's table of callers with their token Secrets, and its list of endpoints with access logs."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.plan import Route
from modelyard.records import record
from modelyard_targets.kube.placement.context import Context


@record
class CallerRow:
    """A row in the table of callers."""

    endpoint: str
    caller: str
    secret: str
    key: str


def caller_rows(context: Context) -> Iterator[CallerRow]:
    """Yield a row for each caller of each endpoint that requires a token."""
    for route in context.plan.of(Route, context.placement):
        inference = route.value.inference
        for caller in inference.endpoint.auth.callers:
            secret = context.secret(caller.token)
            yield CallerRow(inference.name, caller.name, secret.name, secret.key)


def access_logs(context: Context) -> Iterator[str]:
    """Yield the endpoints whose servers log each request."""
    for route in context.plan.of(Route, context.placement):
        if route.value.inference.endpoint.access_log:
            yield route.value.inference.name
