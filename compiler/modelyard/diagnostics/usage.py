"""Diagnostics about the usage files and price books for `modelyard cost`."""

from __future__ import annotations

from typing import Final

from modelyard.diagnostics.base import ENTRIES, Diagnostic, Severity, quote
from modelyard.source import Span

UNKNOWN_ENTRIES: Final = frozenset({"E0531", "E0534"})
"""The codes for names in a usage file that the spec does not have."""


def unknown_address(span: Span, section: str, name: str, near: str) -> Diagnostic:
    """A usage file names an entry that the spec does not have, so its usage would not be counted.

    Entries that exist only in other environments are also unknown.

    Wrong:

        inference: {scorre: {rps: {mean: 12}}}

    Right:

        inference: {scorer: {rps: {mean: 12}}}
    """
    message = f"the spec has no {ENTRIES[section]} {quote(name)}"
    return Diagnostic("E0531", Severity.ERROR, message, span, near)


def peak_below_mean(span: Span, name: str, peak: float, mean: float) -> Diagnostic:
    """An endpoint's peak is the highest rate of a day, so it cannot be below the mean.

    Wrong:

        inference: {scorer: {rps: {mean: 60, peak: 12}}}

    Right:

        inference: {scorer: {rps: {mean: 12, peak: 60}}}
    """
    message = f"{quote(name)} has a peak of {peak:g} requests per second, which is below its mean of {mean:g}"
    return Diagnostic("E0532", Severity.ERROR, message, span, "swap them, or omit `peak`")


def longer_than_timeout(span: Span, name: str, typical: str, timeout: str) -> Diagnostic:
    """A run is stopped at its timeout, so it cannot usually take longer than that.

    Wrong:

        pipelines: {retrain: {typical: 2d}}     # with `timeout: 12h` in the spec

    Right:

        pipelines: {retrain: {typical: 3h}}
    """
    message = f"a run of {quote(name)} usually takes {typical}, but its timeout is {timeout}"
    return Diagnostic("E0533", Severity.ERROR, message, span, "correct `typical`, or raise the pipeline's timeout")


def unknown_item(span: Span, provider: str, item: str, near: str) -> Diagnostic:
    """The price book has a price for something that this provider does not charge for, so it would replace nothing.

    Items are the names in the output of `modelyard cost --format json`: machines such as `m6i.xlarge` or
    `m6i.xlarge spot`, services such as `nat-gateway-hours` and, on a cluster of your own, `capacity[0]`.

    Wrong:

        prices: {aws: {eu-central-1: {natgateway: 0.04}}}

    Right:

        prices: {aws: {eu-central-1: {nat-gateway-hours: 0.04}}}
    """
    message = f"{provider} has no price item {quote(item)}"
    return Diagnostic("E0534", Severity.ERROR, message, span, near)


def several_currencies(currencies: str) -> Diagnostic:
    """Prices in several currencies cannot be added up, because modelyard has no exchange rates.

    Cloud list prices are in US dollars.

    Wrong:

        capacity: [{count: 3, cpu: 16, memory: 64Gi, price: 0.40 EUR}]     # beside a target on AWS

    Right:

        capacity: [{count: 3, cpu: 16, memory: 64Gi, price: 0.46 USD}]
    """
    message = f"prices are in {currencies}, so they cannot be added up"
    return Diagnostic("E0535", Severity.ERROR, message, None, "declare `capacity[].price` in US dollars")


def rows_paid_elsewhere(span: Span, name: str, store: str) -> Diagnostic:
    """The owner of an adopted store, or of the data at a URI, pays for storing a dataset's rows.

    They add nothing to the system's cost.

    Wrong:

        data: {transactions: {rowsPerDay: 2M, bytesPerRow: 140}}     # in a store with `adopt`

    Right: omit the dataset, or name one in a store that modelyard creates.
    """
    where = f"in the adopted store {quote(store)}" if store else "outside the system's stores"
    message = f"dataset {quote(name)} is {where}, so its rows do not add to the system's cost"
    return Diagnostic("W0531", Severity.WARNING, message, span, "remove the entry")


def crossing_without_charge(span: Span, here: str, there: str) -> Diagnostic:
    """A usage file lists data transfer that costs nothing, so it would add nothing.

    A cloud charges for data that leaves it or moves between its regions. Data that leaves your own cluster, or stays
    within a region, has no price.

    Wrong:

        crossings: {plant: {main: 50G}}     # with `plant: {provider: kubernetes, …}` in the spec

    Right:

        crossings: {main: {plant: 50G}}
    """
    message = f"data sent from target {quote(here)} to {quote(there)} costs nothing"
    hint = "remove the entry; only data that leaves a cloud or one of its regions is charged for"
    return Diagnostic("W0532", Severity.WARNING, message, span, hint)
