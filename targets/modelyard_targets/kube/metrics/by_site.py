"""Rewrite a PromQL expression for one cluster so that it applies to each site.

The cluster's Prometheus has the metrics of all sites.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.patterns import pattern
from modelyard.records import record

SITE: Final = "modelyard_site"
"""The label with the site's name. Each site's Prometheus adds it to the metrics that the site sends."""

_TOKEN: Final = pattern(
    r'"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?|[a-zA-Z_:][a-zA-Z0-9_:]*|\s+|(?s:.)'
)
_NAME: Final = pattern(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_AGGREGATIONS: Final = frozenset({"sum", "max", "min", "avg", "count", "group", "stddev"})
_WORDS: Final = frozenset({"and", "or", "unless", "bool", "offset", "atan2"})
_LISTS: Final = frozenset({"by", "on"})
_KEPT_LISTS: Final = frozenset({"ignoring", "without", "group_left", "group_right"})


def by_site(expression: str, matchers: str) -> str:
    """Return the expression for each site. `matchers` select the sites' series, e.g. `modelyard_target="shops"`.

    A result that exists once in a single cluster exists once per site, with the site's label. A site without any series
    has no result.
    """
    tokens = [match[0] for match in _TOKEN.finditer(expression)]
    return "".join(_Rewrite(matchers).rewritten(tokens))


def sites_seen(matchers: str) -> str:
    """Return PromQL for the sites that send metrics."""
    return f"group by ({SITE}) (up{{{matchers}}})"


@record
class _Rewrite:
    """Rewrites the tokens of an expression for the sites that the given matchers select."""

    matchers: str

    def rewritten(self, tokens: list[str]) -> Iterator[str]:
        """Yield the tokens of the new expression."""
        at = 0
        while at < len(tokens):
            token, after = tokens[at], _next(tokens, at + 1)
            follows = tokens[after] if after < len(tokens) else ""
            if not _NAME.match(token) or token in _WORDS:
                yield token
                at += 1
            elif token in _LISTS or token in _KEPT_LISTS:
                end = _closing(tokens, after)
                inside = "".join(tokens[after + 1 : end]).strip()
                labels = ", ".join(filter(None, (SITE if token in _LISTS else "", inside)))
                yield f"{token} ({labels})"
                at = end + 1
            elif token in ("absent", "vector") and follows == "(":
                end = _closing(tokens, after)
                inside = "".join(self.rewritten(tokens[after + 1 : end]))
                yield self._absent(inside) if token == "absent" else f"({inside} * {sites_seen(self.matchers)})"
                at = end + 1
            elif token in _AGGREGATIONS and follows == "(":
                yield f"{token} by ({SITE}) "
                at = after
            elif follows == "{":
                end = tokens.index("}", after)
                inside = "".join(tokens[after + 1 : end]).strip()
                yield f"{token}{{{','.join(filter(None, (self.matchers, inside)))}}}"
                at = end + 1
            elif follows == "(" or token in _AGGREGATIONS:
                yield token
                at += 1
            else:
                yield f"{token}{{{self.matchers}}}"
                at += 1

    def _absent(self, inside: str) -> str:
        return f"({sites_seen(self.matchers)} unless on ({SITE}) ({inside}))"


def _next(tokens: list[str], at: int) -> int:
    """Return the position of the next token that is not whitespace."""
    while at < len(tokens) and tokens[at].isspace():
        at += 1
    return at


def _closing(tokens: list[str], at: int) -> int:
    """Return the position of the closing bracket for the bracket at a position."""
    depth = 0
    for position in range(at, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[position], 0)
        if depth == 0:
            return position
    raise ValueError("a bracket is not closed")
