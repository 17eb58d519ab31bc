"""Check that address ranges start at a multiple of their size, which Kubernetes and clouds require."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics.base import Diagnostic, quote
from modelyard.diagnostics.validate import wrong_form
from modelyard.source import Span


def misaligned(text: str, span: Span) -> Iterator[Diagnostic]:
    """Report an address range such as 10.7.0.1/16, which does not start at the first address of 10.7.0.0/16.

    A string that is not an address range is reported by the schema.
    """
    from ipaddress import ip_interface  # few specs have address ranges

    try:
        interface = ip_interface(text)
    except ValueError:
        return
    if interface.ip != interface.network.network_address:
        expected = "an address range that starts at a multiple of its size"
        yield wrong_form(span, expected, f"the string {quote(text)}", f"did you mean {interface.network}?")
