"""The phases that move traffic to the new side: dual run, freeze, cut-over, and watching."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.migration.access import kubectl, pulumi
from modelyard.migration.calling import SERVE_PORT, endpoints_of, have_hosts, served, shifts
from modelyard.migration.copying import copies, late_copies, registry_steps, site_steps
from modelyard.migration.judging import DUAL_RUN_DAYS, ROLLBACK_DAYS
from modelyard.migration.projects import adopt, compiled, is_infrastructure, previews
from modelyard.migration.promoting import (
    TRUE_EACH,
    held_again,
    held_back_checks,
    patched,
    promoters,
    resumed,
    suspended_column,
)
from modelyard.migration.records import Move, Phase, Step
from modelyard.migration.shell import command, shell
from modelyard.migration.sites import for_each_site
from modelyard.spec import Inference

_CHAT: Final = "/v1/chat/completions"
_CHOICES: Final = """python -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["choices"], indent=1))'"""
"""A command that extracts the generated text from a language model's response."""

_NAMING: Final = "python -c 'import json, sys; print(json.dumps(dict(json.load(sys.stdin), model=sys.argv[1])))'"
"""A command that makes a request name an adapter as its model, leaving all other fields of the request unchanged."""


def dual_run(move: Move) -> Phase:
    """Return the phase in which both sides get the same requests, but only the old side responds to callers."""
    endpoints = endpoints_of(move)
    do = [
        Step(
            "Send copies of requests to the new side, and drop its responses: at the gateway or load balancer in front"
            " of both sides, or by replaying recorded requests. The spec cannot express this, because an endpoint's"
            " `mirror` is between variants of one endpoint on one target."
        ),
        *(
            Step(
                f"Send both sides the same request, which you put in {endpoint.name}.json{_with_token(endpoint)}."
                f"{_of_text(move, endpoint)}{_of_sites(move, endpoint)}",
                tuple(_comparison_requests(move, endpoint)),
            )
            for endpoint in endpoints
        ),
    ]
    return Phase(
        "7-dual-run",
        "Run both sides on the same requests until they agree.",
        ("6-registry is done, so that every alias points to the same version on both sides.",),
        tuple(do) if endpoints else (Step("The system has no endpoints. Run each batch pipeline once by hand."),),
        (
            Step(
                "The responses of both sides are equal, because the model files are the same." + _differences(move),
                tuple(
                    command("diff", *(_answer(which, endpoint, adapter) for which in ("old", "new")))
                    for endpoint in endpoints
                    for adapter in ("", *_adapters(endpoint))
                ),
                "nothing",
            ),
            Step("Objectives are met on the new side: no alert of its endpoints fires in Prometheus.", (), "no alert"),
        ),
        (Step("Stop sending copies. Callers have only ever seen responses from the old side."),),
        f"{DUAL_RUN_DAYS} days, an assumption: a full week covers every weekday",
        "both floors",
    )


def freeze(move: Move) -> Phase:
    """Return the phase after which nothing changes on the old side except captures."""
    name = "8-freeze"
    suspend, check = tuple(_suspended(move, True)), tuple(_listed(move))
    copied = copies(move, name, "old", "new")
    again, equal = registry_steps(move)
    return Phase(
        name,
        "Stop schedules and promotions on the old side, and copy one last time.",
        (
            "7-dual-run is done, and both sides agree.",
            "No run is active on the old side, and nobody starts one by hand.",
        ),
        (
            Step("Suspend every schedule. Applying the old side again keeps them suspended.", suspend),
            *held_again(move, "Suspend the new side's promoter as well, so that both registries stay equal."),
            *copied.steps,
            *again,
        ),
        (
            Step("Every schedule of the old side is suspended.", check, TRUE_EACH),
            *held_back_checks(move),
            Step("No run on the old side is active.", tuple(_runs(move)), "no run in state Running"),
            *copied.checks,
            *equal,
        ),
        (
            Step("Resume the schedules of the old side.", tuple(_suspended(move, False))),
            *resumed(move, "Resume the new side's promoter."),
        ),
        "minutes if data was copied in the days before; endpoints stay available",
        "egress of changed data" if copied.steps or site_steps(move) else "nothing",
        files=copied.files,
    )


def cut_over(move: Move) -> Phase:
    """Return the phase after which the new side serves callers and follows its schedules."""
    name = move.side("new").name
    phase = "9-cut-over"
    late = late_copies(move, phase)
    return Phase(
        phase,
        "Shift traffic to the new side in steps, and start its schedules.",
        (
            "8-freeze is done.",
            *(
                ("The TTL of the DNS names was lowered to a minute, at least one old TTL ago.",)
                if have_hosts(move)
                else ()
            ),
        ),
        (
            Step(
                "Switch to the overlay with schedules and reactions, and apply it.",
                (*adopt(move, phase), compiled(move), *_up(move)),
            ),
            *resumed(move, "Resume the new side's promoter: from now on, only this side promotes."),
            *shifts(move),
            *late.steps,
        ),
        (
            Step(
                "After each step, before the next: objectives are met on both sides, and errors have not increased.",
                (),
                "no alert in the Prometheus of either side for ten minutes",
            ),
            Step("Applying again changes nothing.", tuple(previews(move, False)), "no changes"),
            *late.checks,
        ),
        (
            Step(
                (
                    "Set the weights back to the old side, which takes one TTL."
                    if have_hosts(move)
                    else "Give callers the old addresses again."
                )
                + (
                    " Then copy back what the new side has written in the meantime, with the commands of 10-watch."
                    if late.steps or site_steps(move)
                    else ""
                )
            ),
            Step(
                "Stop the schedules on the new side, and resume those on the old one.",
                (
                    *adopt(move, "1-build"),
                    compiled(move),
                    *_up(move),
                    *promoters(move, True),
                    *_suspended(move, False),
                ),
            ),
        ),
        "an hour or two; no downtime for callers that reach both sides",
        f"both floors; the budget and alerts of {name} apply from now on",
        move.sides.live.overlay,
        late.files,
    )


def watch(move: Move) -> Phase:
    """Return the phase during which the old side can still take over again."""
    name = "10-watch"
    copied = copies(move, name, "new", "old")
    copies_back = bool(copied.steps or site_steps(move))
    return Phase(
        name,
        "Keep the old side ready to take over.",
        ("9-cut-over is done.",),
        (
            Step(
                (
                    "Each day, copy back what the new side has written, such as captures, scores and models."
                    if copies_back
                    else "There is nothing to copy back, because both sides use the same buckets, or none."
                )
                + _trained_since(move)
            ),
            *copied.steps,
        ),
        (*copied.checks, Step("The old side still answers a request that is sent to it directly.", (), "an answer")),
        (Step("Go back as 9-cut-over describes under undo."),),
        f"{ROLLBACK_DAYS} days, an assumption",
        "both floors, and egress from the new side" if copies_back else "both floors",
        files=copied.files,
    )


def _trained_since(move: Move) -> str:
    """Explain what happens to model versions trained on the new side if callers return to the old side."""
    if not any(pipeline.type == "training" for pipeline in move.side("new").system.pipelines.values()):
        return ""
    return (
        " Versions that the new side trains have numbers that the old registry does not know; after going back they are"
        " trained again."
    )


def _comparison_requests(move: Move, inference: Inference) -> Iterator[str]:
    """Yield the commands that send one request directly to each side's servers, bypassing the Gateway.

    A response repeats its request's ID, which each side would otherwise generate differently. Generated text is
    extracted from the response, which also contains the time when the side loaded the model. If there are several
    sites, the request goes to the first one.
    """
    token = ' -H "Authorization: Bearer $token"' if inference.endpoint.auth.callers else ""
    curl = "curl -sSf --retry 30 --retry-delay 1 --retry-connrefused -H 'X-Request-ID: migration'"
    request = shell(f"{inference.name}.json")
    for which in ("old", "new"):
        placement, server, path = served(move, which, inference)
        generates = _generates_text(move, inference)
        address = shell(f"http://127.0.0.1:{SERVE_PORT}{path.rstrip('/') + _CHAT if generates else path}")
        take = f" | {_CHOICES}" if generates else ""
        service = shell(f"service/{server}-serve-svc")
        forward = f"{kubectl(move, which, placement)} port-forward {service} {SERVE_PORT} &"
        forward = for_each_site(move.side(which), forward)[0]
        yield forward
        yield f"{curl}{token} -d @{request} {address}{take} > {shell(_answer(which, inference))}; kill $!; wait"
        for adapter in _adapters(inference):
            ask = f"{_NAMING} {shell(adapter)} < {request} | {curl}{token} -d @- {address}{take}"
            yield forward
            yield f"{ask} > {shell(_answer(which, inference, adapter))}; kill $!; wait"


def _generates_text(move: Move, inference: Inference) -> bool:
    system = move.side("new").system
    return any(system.models[variant.model.model].generates_text for variant in inference.variants)


def _of_text(move: Move, inference: Inference) -> str:
    if not _generates_text(move, inference):
        return ""
    messages = '[{"role": "user", "content": "Hello"}]'
    chat = f'{{"model": "{inference.name}", "messages": {messages}, "temperature": 0}}'
    also = " Each adapter is asked the same, by its name." if inference.adapters else ""
    return f" It is a chat such as {chat}; without a temperature of 0, texts differ by chance.{also}"


def _of_sites(move: Move, inference: Inference) -> str:
    """Name the site that the request goes to, and say to repeat it at others. Returns "" without sites."""
    placement, _, _ = served(move, "new", inference)
    sites = move.side("new").system.target(placement).sites
    return f" This asks site {sites.names[0]}; repeat it at the others that matter." if sites is not None else ""


def _with_token(inference: Inference) -> str:
    return ", and the token of a caller in $token" if inference.endpoint.auth.callers else ""


def _runs(move: Move) -> Iterator[str]:
    for target in move.schedules:
        yield from for_each_site(move.side("old"), f"{kubectl(move, 'old', target)} get rayjobs")


def _answer(which: str, inference: Inference, adapter: str = "") -> str:
    return f"{inference.name}{f'.{adapter}' if adapter else ''}-{which}.json"


def _adapters(inference: Inference) -> tuple[str, ...]:
    """Return the names that requests use to select an endpoint's adapters."""
    return tuple(adapter.name for adapter in inference.adapters)


def _differences(move: Move) -> str:
    """Explain which differences between the sides' responses don't indicate a migration error."""
    kinds = {_generates_text(move, endpoint) for endpoint in endpoints_of(move)}
    numbers = " A difference in the last digits of a number comes from a different type of processor."
    texts = (
        " Two texts that begin in the same way and then differ come from a different type of processor: a tiny"
        " difference may choose another word, and all later words follow from it."
    )
    return (numbers if False in kinds else "") + (texts if True in kinds else "")


def _suspended(move: Move, suspended: bool) -> Iterator[str]:
    """Yield commands that suspend or resume the old side's schedules. On-demand schedules are always suspended."""
    for target, jobs in move.schedules.items():
        for namespace, name in jobs:
            line = patched(kubectl(move, "old", target, namespace), name, suspended)
            yield from for_each_site(move.side("old"), line)


def _listed(move: Move) -> Iterator[str]:
    for target, jobs in move.schedules.items():
        for namespace in dict.fromkeys(namespace for namespace, _ in jobs):
            names = " ".join(shell(name) for where, name in jobs if where == namespace)
            line = suspended_column(kubectl(move, "old", target, namespace), names)
            yield from for_each_site(move.side("old"), line)


def _up(move: Move) -> Iterator[str]:
    for stack, project in move.projects("new"):
        if not is_infrastructure(project.folder):
            yield from pulumi(move, "new", stack.target, project, "up")
