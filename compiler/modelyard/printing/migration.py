"""Print a migration plan for people, as Markdown: the assessment, and one section for each phase."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelyard.costs import CostLine, total
from modelyard.migration.judging import Charge, Judgement, MachineRow, PricedMachine, Verdict
from modelyard.migration.records import Migration, Phase, Step
from modelyard.patterns import pattern
from modelyard.printing.markdown import escaped, table_row

_TICKS = pattern("`+")


def markdown(plan: Migration) -> str:
    """Return the content of migration.md."""
    old, new = plan.sides.old, plan.sides.live
    lines = [
        f"# Moving {escaped(old.system.metadata.name)} from {escaped(old.name)} to {escaped(new.name)}",
        "",
        "Written by `modelyard migrate`, which changed nothing and connected to nothing: you carry out the plan.",
        "Both sides are environments of one spec, so both are complete and can run at the same time.",
        "Run all commands in the spec's folder, with bash.",
        "`modelyard migrate --done PHASE` records a completed phase; `modelyard migrate --status` shows what is next.",
        "Every phase can be repeated.",
        "If `pulumi` was killed, first run `pulumi cancel` with the same `--cwd` and `--stack`, to unlock the stack.",
        *_judgement(plan.judgement),
        "",
        "## Phases",
        "",
        "| phase | purpose | takes | costs |",
        "|---|---|---|---|",
        *(table_row((phase.name, phase.purpose, phase.takes, phase.costs)) for phase in plan.phases),
    ]
    for phase in plan.phases:
        lines += _phase(phase)
    return "\n".join(lines) + "\n"


def verdict_rows(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Yield the rows of the table that shows what happens to each part of the spec."""
    yield "| part | | what |"
    yield "|---|---|---|"
    for verdict in verdicts:
        words = "<br>".join(escaped(word) for word in _words(verdict))
        yield f"| {escaped(verdict.part or 'the whole spec')} | {verdict.verdict} | {words} |"


def _words(verdict: Verdict) -> Iterator[str]:
    yield from verdict.reasons
    yield from verdict.changes
    yield from (f"{before or 'nothing'} -> {after or 'nothing'}" for before, after in verdict.platforms)


def _judgement(judgement: Judgement) -> Iterator[str]:
    yield from ("", "## What moves", "", *verdict_rows(judgement.verdicts))
    yield from (
        "",
        "## Machines",
        "",
        f"| side | target | for | machines, with the price of an hour{_currency(judgement)} |",
        "|---|---|---|---|",
    )
    yield from _machine_rows("old", judgement.before)
    yield from _machine_rows("new", judgement.after)
    yield from ("", "## What a month costs", "", "| side | floor | expected |", "|---|---:|---:|")
    yield from (table_row(_month(side, lines)) for side, lines in (judgement.monthly or {}).items())
    yield from _moving(judgement)
    yield from ("", "## Where data is, while both sides exist", "", "| side | target | where |", "|---|---|---|")
    for place in judgement.places:
        where = " ".join(word for word in (place.provider, place.region, place.residency) if word)
        yield table_row((place.side, place.target, where))
    yield ""
    if judgement.allowed:
        allowed = ", ".join(map(escaped, judgement.allowed))
        yield f"The spec keeps data in {allowed}; both sides compile, so all of their targets are there."
        yield "The machine that copies data must be there as well."
    else:
        yield "The spec does not restrict where data may be."
    if judgement.quotas:
        yield from ("", "## Quotas to request", "", "| target | quota | code | needed at most |", "|---|---|---|---:|")
        for target, quota in judgement.quotas:
            yield table_row((target, quota.what, quota.code or "–", str(quota.needed)))


def _currency(judgement: Judgement) -> str:
    lines = (line for lines in (judgement.monthly or {}).values() for line in lines)
    currencies = {line.price.currency for line in lines if line.price is not None}
    return f" in {escaped(currencies.pop())}" if len(currencies) == 1 else ""


def _machine_rows(side: str, rows: Iterable[MachineRow]) -> Iterator[str]:
    for row in rows:
        machines = ", ".join(f"{machine.name} {_price(machine)}" for machine in row.machines) or "existing machines"
        yield table_row((side, row.target, row.compute, machines))


def _price(machine: PricedMachine) -> str:
    if machine.hourly is None:
        return "(price unknown)"
    return f"({machine.hourly:.4g}, {machine.note})" if machine.note else f"({machine.hourly:.4g})"


def _month(side: str, lines: tuple[CostLine, ...]) -> tuple[str, str, str]:
    costs = total(lines)
    currency = " and ".join(sorted({line.price.currency for line in lines if line.price is not None}))
    if " and " in currency:
        return side, f"in {currency}", "see modelyard cost"
    floor, expected = (costs.text(f"{amount:,.0f} {currency}".rstrip()) for amount in (costs.floor, costs.expected))
    return side, floor, expected


def _moving(judgement: Judgement) -> Iterator[str]:
    yield from ("", "## What the move costs", "", "| what | quantity × price | costs | from |", "|---|---|---:|---|")
    for charge in judgement.charges:
        yield table_row((charge.what, _formula(charge), _amount(charge), charge.source))
    sums: dict[str, float] = {}
    for charge in judgement.charges:
        if charge.amount is not None:
            sums[charge.currency] = sums.get(charge.currency, 0.0) + charge.amount
    listed = " and ".join(f"{amount:,.0f} {currency}".rstrip() for currency, amount in sums.items()) or "unknown"
    yield ""
    # The floors in it are lower bounds, because mirrored requests may need more replicas.
    yield f"Together at least {listed}. Endpoints have no downtime if callers reach both sides; nothing trains from"
    yield "the freeze until the cut-over. Days are assumptions. People's time is not counted."


def _formula(charge: Charge) -> str:
    quantity = "unknown" if charge.quantity is None else f"{charge.quantity:,.4g}"
    price = "unknown" if charge.price is None else f"{charge.price:,.4g} {charge.currency}".rstrip()
    return f"{quantity} {charge.unit} × {price}"


def _amount(charge: Charge) -> str:
    return "unknown" if charge.amount is None else f"{charge.amount:,.0f} {charge.currency}".rstrip()


def _phase(phase: Phase) -> Iterator[str]:
    yield from ("", f"## {escaped(phase.name)}", "", escaped(phase.purpose), "", "Before:", "")
    yield from (f"- {escaped(condition)}" for condition in phase.before)
    for title, steps in (("Do", phase.do), ("Check", phase.check), ("Undo", phase.undo)):
        if steps:
            yield from ("", f"### {title}")
        for step in steps:
            yield from _step(step)
    yield from ("", f"Takes {escaped(phase.takes)}. Costs: {escaped(phase.costs)}.")


def _step(step: Step) -> Iterator[str]:
    yield from ("", escaped(step.text))
    yield from _block(step.commands)
    if step.expect:
        yield from ("", f"Expected: {escaped(step.expect)}.")
    if step.in_cluster is not None:
        if step.in_cluster.text:
            yield from ("", escaped(step.in_cluster.text))
        yield from _block(step.in_cluster.commands)


def _block(commands: tuple[str, ...]) -> Iterator[str]:
    if commands:
        fence = _fence(commands)
        yield from ("", f"{fence}sh", *commands, fence)


def _fence(commands: Iterable[str]) -> str:
    """Return a Markdown code fence that is longer than any run of backticks in the commands."""
    longest = max((len(ticks) for line in commands for ticks in _TICKS.findall(line)), default=0)
    return "`" * max(3, longest + 1)
