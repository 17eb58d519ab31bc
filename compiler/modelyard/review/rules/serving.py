"""Rules about endpoints: traffic, variants, served models, callers, and how servers are replaced."""

from __future__ import annotations

from typing import Final

from modelyard.review.changes import Change, Direction
from modelyard.review.rules.base import (
    DANGER,
    NOTE,
    REVIEW,
    Rule,
    Verdict,
    Wording,
    always,
    by_way,
    code,
    code_moves,
    described_by,
    is_foreign_code,
    is_other_model,
    is_pinned,
    moves,
    stated,
    was,
)
from modelyard.review.sides import Sides
from modelyard.review.values import leaf
from modelyard.spec import System

_LARGE: Final = 25
_SMALL: Final = 5


def _traffic(change: Change, sides: Sides) -> Verdict:
    largest = max((abs(after - before) for before, after in _shares(change, sides).values()), default=0)
    return "R101", DANGER if largest >= _LARGE else NOTE if largest <= _SMALL else REVIEW


def _shares(change: Change, sides: Sides) -> dict[str, tuple[int, int]]:
    """Return each variant's traffic percentage before and after, starting with the variants that gain traffic."""
    old, new = (_percents(system, change.path[1]) for system in (sides.before, sides.after))
    shares = {name: (old.get(name, 0), new.get(name, 0)) for name in {**new, **old}}
    return dict(sorted(shares.items(), key=lambda share: share[1][0] - share[1][1]))


def _percents(system: System, endpoint: str) -> dict[str, int]:
    inference = system.inference.get(endpoint)
    return {variant.name: variant.percent for variant in inference.variants} if inference is not None else {}


def _traffic_says(change: Change, sides: Sides) -> str:
    parts = [
        f"{after} % (was {before} %) of its requests to {name}{_served(change, sides, name)}"
        for name, (before, after) in _shares(change, sides).items()
        if after > before
    ]
    return (
        f"{change.path[1]} sends {' and '.join(parts)}"
        if parts
        else f"{change.path[1]} sends fewer requests to every variant"
    )


def _served(change: Change, sides: Sides, name: str) -> str:
    endpoint = sides.after.inference.get(change.path[1])
    variants = endpoint.variants if endpoint is not None else ()
    return next((f" ({variant.model.model}@{variant.model.alias})" for variant in variants if variant.name == name), "")


def _variant(change: Change, _: Sides) -> Verdict:
    return ("R102", REVIEW) if change.added else ("R103", REVIEW)


def _version(change: Change, sides: Sides) -> Verdict:
    most = len(change.path) > 3 and _percents(sides.after, change.path[1]).get(change.path[3], 0) >= _LARGE
    return "R104", DANGER if is_pinned(change.after) or is_other_model(change) or most else REVIEW


def _version_why(change: Change, _: Sides) -> str:
    pinned, was_pinned = is_pinned(change.after), is_pinned(change.before)
    if pinned and not was_pinned:
        return "a pinned version does not follow promotions, and no monitor can roll it back"
    if is_other_model(change):
        return "clients get predictions from a different model"
    if pinned:
        return "a pinned version is served even without passing its gate and approvals"
    if was_pinned:
        return "the version was pinned; from now on, it follows each promotion"
    return "different gates and approvals decide what this alias points to"


def _version_says(change: Change, sides: Sides) -> str:
    """Describe which variant serves another model version, and its share of the endpoint's traffic."""
    endpoint, variant = change.path[1], change.path[3]
    percent = _percents(sides.after, endpoint).get(variant, 0)
    return f"variant {variant} of {endpoint}, which gets {percent} % of its requests, serves {moves(change)}"


def _code_why(change: Change, sides: Sides) -> str:
    if is_foreign_code(change, sides):
        return "whoever runs that registry decides what the code is"
    if "@sha256:" in change.after.text or ":" not in change.after.text:
        return ""
    return "a tag can later point to different content; a digest cannot"


def _mirror(change: Change, _: Sides) -> Verdict:
    before, after = change.before.number, change.after.number
    is_less = before is not None and after is not None and after < before
    return ("R106", NOTE) if change.removed or is_less else ("R105", NOTE)


def _mirror_says(change: Change, _: Sides) -> str:
    if change.entry:
        state = "no longer copies" if change.removed else "now copies"
        return f"{change.path[1]} {state} requests to a variant: {change.before.text or change.after.text}"
    return f"copying requests of {change.path[1]}: {change.path[-1]} is {moves(change)}"


def _exposure(change: Change, _: Sides) -> Verdict:
    return {
        Direction.LOOSER: ("R401", DANGER),
        Direction.STRICTER: ("R402", REVIEW),
        Direction.OTHER: ("R401", REVIEW),
    }[change.way]


def _exposure_says(change: Change, _: Sides) -> str:
    reachable = {
        "cluster": "inside its cluster",
        "internal": "from the internal network",
        "public": "from the internet",
    }
    after = reachable.get(change.after.text, change.after.text)
    before = reachable.get(change.before.text, change.before.text)
    return f"{change.path[1]} can be called {was(after, before) if before else after}"


def _exposure_why(change: Change, sides: Sides) -> str:
    endpoint = sides.after.inference.get(change.path[1])
    if change.way is Direction.STRICTER:
        return "clients outside are cut off"
    if endpoint is not None and endpoint.endpoint.auth.type == "none":
        return "callers need no token"
    return "callers still need a token"


def _token(change: Change, _: Sides) -> Verdict:
    return ("R411", REVIEW) if change.added else ("R412", REVIEW) if change.removed else ("R405", REVIEW)


def _token_says(change: Change, _: Sides) -> str:
    endpoint, caller = change.path[1], "the caller" if change.path[-1] == "token" else f"caller {change.path[-1]}"
    if change.added:
        return f"{caller} of {endpoint} now has a token: {change.after.text}"
    if change.removed:
        return f"{caller} of {endpoint} no longer has a token"
    return f"the token of {caller} of {endpoint} is read from {moves(change)}"


def _auth_says(change: Change, sides: Sides) -> str:
    words = {"none": "no token", "bearer-token": "a token"}
    before = f" (was {words.get(change.before.text, change.before.text)})" if change.before.text else ""
    endpoint = sides.after.inference.get(change.path[1])
    tokens = () if endpoint is None else (leaf(caller.token).text for caller in endpoint.endpoint.auth.callers)
    known = f" ({', '.join(tokens)})" if change.after.text != "none" else ""
    return f"callers of {change.path[1]} need {words.get(change.after.text, change.after.text)}{known}{before}"


def _address(change: Change, _: Sides) -> Verdict:
    return ("R408", REVIEW) if change.added else ("R408", DANGER)


def _address_says(change: Change, _: Sides) -> str:
    if change.removed:
        return f"{change.path[1]} can no longer be reached at {change.path[-1]} {change.before.text}"
    return f"the {change.path[-1]} of {change.path[1]} is {moves(change)}"


def _timeout(change: Change, _: Sides) -> Verdict:
    return ("R415", DANGER) if change.way is Direction.LOOSER else ("R414", NOTE)


def _body(change: Change, _: Sides) -> Verdict:
    return ("R417", NOTE) if change.way is Direction.LOOSER else ("R416", REVIEW)


def _clients(change: Change, _: Sides) -> Verdict:
    return ("R402", REVIEW) if change.way is Direction.STRICTER else ("R401", REVIEW)


def _slo(change: Change, _: Sides) -> Verdict:
    if change.way is Direction.LOOSER:
        return "R221", DANGER if change.removed else REVIEW
    return "R222", NOTE


def _slo_says(change: Change, _: Sides) -> str:
    if len(change.path) == 3:
        if change.removed:
            return f"{change.path[1]} no longer has an objective (was {change.before.text})"
        return f"{change.path[1]} now has an objective: {change.after.text}"
    return f"the objective of {change.path[1]} for {'.'.join(change.path[3:])} is {moves(change)}"


def _scaling_why(change: Change, _: Sides) -> str:
    before, after = change.before.number, change.after.number
    if before is None or after is None:
        return "the autoscaler adds replicas at a different load"
    if after > before:
        return "each replica takes more before another one starts, so requests may wait longer"
    return "replicas are added at a lower load"


def _slo_why(change: Change, _: Sides) -> str:
    """Explain what the new objective means for alerts and rollouts, and therefore for callers."""
    if change.removed:
        return "no alert and no stopped rollout follows from it any more, however badly callers are served"
    if change.path[-1] == "window":
        return "the same outage uses up a different share of what the objective allows before an alert fires"
    if change.way is not Direction.LOOSER:
        return "alerts fire sooner, and rollouts that went on before are stopped"
    if change.path[-1] == "availability":
        return "callers get more errors before an alert fires or a rollout is stopped"
    if "tokensPerSecond" in change.path:
        return "callers get their texts more slowly before an alert fires"
    return "callers wait longer before an alert fires or a rollout is stopped"


def _concurrency_why(change: Change, _: Sides) -> str:
    before, after = change.before.number, change.after.number
    if before is not None and after is not None and after < before:
        return "more requests wait for a place before their text begins"
    return "more texts share a replica, so each is generated more slowly, and together they need more memory"


def _replicas(change: Change, sides: Sides) -> Verdict:
    minimum = change.after.number or 0
    endpoint = sides.after.inference.get(change.path[1])
    promised = endpoint is not None and endpoint.slo is not None and endpoint.slo.availability is not None
    if change.way is Direction.LOOSER:
        return "R603", DANGER if minimum < 2 and promised else REVIEW
    return "R604", NOTE


def _replicas_say(verb: str) -> Wording:
    def says(change: Change, _: Sides) -> str:
        before, after = (side.text or "not set" for side in (change.before, change.after))
        return f"{change.path[1]} {verb} {after} {'replica' if after == '1' else 'replicas'} (was {before})"

    return says


def _at_most(change: Change, _: Sides) -> Verdict:
    more = (change.after.number or 0) > (change.before.number or 0)
    return ("R605", REVIEW) if more else ("R610", REVIEW)


def _tokens(change: Change, _: Sides) -> Verdict:
    """Judge a change to a language model's token limit, which defaults to that of the model's configuration."""
    before, after = change.before.number, change.after.number
    if after is None:
        return "R417", REVIEW
    return ("R416", DANGER if before is not None else REVIEW) if before is None or after < before else ("R417", REVIEW)


def _tokens_why(change: Change, sides: Sides) -> str:
    return _TOKENS[change.path[-1]] if _tokens(change, sides)[0] == "R416" else ""


_TOKENS: Final = {
    "contextLength": "longer prompts and texts that used to fit are rejected",
    "maxTokens": "texts are cut off earlier, and requests for more tokens are rejected",
}
_VARIANT: Final = ("inference", "*", "variants", "*")

RULES: Final[tuple[Rule, ...]] = (
    Rule(("inference", "*", "traffic"), _traffic, _traffic_says),
    Rule((*_VARIANT, "model"), _version, _version_says, _version_why),
    Rule((*_VARIANT, "replicas", "min"), _replicas, _replicas_say("keeps at least")),
    Rule((*_VARIANT, "replicas", "max"), _at_most, _replicas_say("has at most")),
    Rule(
        (*_VARIANT, "compute"),
        always("R607", REVIEW),
        described_by("{name} runs on compute class {moves}"),
        "its servers are replaced, and the old and the new ones run side by side for a while",
    ),
    Rule(_VARIANT, _variant, described_by("variant {last} of {name} is {moves}")),
    Rule(("inference", "*", "mirror"), _mirror, _mirror_says),
    Rule(("inference", "*", "endpoint", "exposure"), _exposure, _exposure_says, _exposure_why),
    Rule(
        ("inference", "*", "endpoint", "auth", "type"),
        by_way(("R403", DANGER), ("R404", REVIEW), ("R403", REVIEW)),
        _auth_says,
        lambda change, _: (
            "every caller needs a token" if change.way is Direction.STRICTER else "anyone who can reach it can call it"
        ),
    ),
    Rule(
        ("inference", "*", "endpoint", "auth"),
        _token,
        _token_says,
        lambda change, _: "requests with its token are rejected" if change.removed else "",
    ),
    Rule(
        ("inference", "*", "endpoint", "clients"),
        _clients,
        lambda change, _: stated(f"namespaces that may call {change.path[1]} in its cluster", change),
    ),
    Rule(
        ("inference", "*", "endpoint", "timeout"),
        _timeout,
        described_by("{name} times out requests after {moves}"),
        lambda change, _: (
            "slow requests that used to be answered now time out" if change.way is Direction.LOOSER else ""
        ),
    ),
    Rule(
        ("inference", "*", "endpoint", "maxBody"),
        _body,
        described_by("{name} accepts bodies of up to {moves}"),
        lambda change, _: "" if change.way is Direction.LOOSER else "requests with a larger body are rejected with 413",
    ),
    *(
        Rule(
            ("inference", "*", "generation", field),
            _tokens,
            described_by("the {last} of {name} is {moves}"),
            _tokens_why,
        )
        for field in _TOKENS
    ),
    Rule(
        ("inference", "*", "endpoint", "host"),
        _address,
        _address_says,
        "clients with the old address get no response",
    ),
    Rule(
        ("inference", "*", "endpoint", "path"),
        _address,
        _address_says,
        "clients with the old address get no response",
    ),
    Rule(("inference", "*", "slo"), _slo, _slo_says, _slo_why),
    Rule(
        ("inference", "*", "scaling", "target"),
        always("R615", REVIEW),
        described_by("the load per replica that the autoscaler of {name} aims at is {moves}"),
        _scaling_why,
    ),
    Rule(
        ("inference", "*", "generation", "concurrency"),
        always("R615", REVIEW),
        described_by("the number of texts that a replica of {name} generates at once is {moves}"),
        _concurrency_why,
    ),
    Rule(
        ("inference", "*", "rollout", "strategy"),
        by_way(("R703", REVIEW), ("R704", NOTE), ("R703", REVIEW)),
        described_by("the rollout strategy of {name} is {moves}"),
        lambda change, _: (
            "during a rollout, nothing is served until the new servers are up"
            if change.after.text == "in-place"
            else ""
        ),
    ),
    Rule(
        ("inference", "*", "rollout"),
        by_way(("R115", REVIEW), ("R116", NOTE), ("R116", NOTE)),
        described_by("rollouts of {name}: {last} is {moves}"),
        lambda change, _: (
            "a bad version gets more requests before the rollout is stopped" if change.way is Direction.LOOSER else ""
        ),
    ),
    Rule(
        ("inference", "*", "source"), code, lambda change, _: f"{change.path[1]} runs {code_moves(change)}", _code_why
    ),
)


def _endpoint(change: Change, _: Sides) -> Verdict:
    return ("R125", REVIEW) if change.added else ("R126", DANGER)


ENTRIES: Final[tuple[Rule, ...]] = (
    Rule(
        ("inference", "*"),
        _endpoint,
        described_by("endpoint {name} is {moves}"),
        lambda change, _: "" if change.added else "its clients no longer get a response",
    ),
)
"""The rule for endpoints that are new or removed."""
