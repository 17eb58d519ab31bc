"""Prints docs/errors.md, the index of all diagnostic codes, and docs/errors/, with one page per area."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from inspect import cleandoc
from typing import Final

from modelyard.diagnostics import Diagnostic, codes
from modelyard.records import record
from modelyard_targets import TARGETS

Constructor = Callable[..., Diagnostic]

_SENTENCE: Final = re.compile(r"(?<=[a-z0-9`)][.?!]) +(?=[A-Z`])")


@record
class Area:
    """A page of diagnostics, and the `diagnostics` modules whose codes it describes."""

    page: str
    title: str
    modules: tuple[str, ...]


AREAS: Final = (
    Area(
        "files",
        "Files, YAML, environments and variables",
        ("files", "load", "bounds", "overlay", "environments", "previews"),
    ),
    Area("fields", "Fields and references", ("validate", "resolve")),
    Area("data", "Data and leakage", ("check.columns", "check.data_overlap", "check.leakage")),
    Area(
        "pipelines",
        "Pipelines, steps and schedules",
        (
            *("check.pipelines", "check.step_order", "check.scoring_steps", "check.following", "check.batches"),
            *("check.trainers", "check.schedules", "check.clock"),
        ),
    ),
    Area("metrics", "Metrics and gates", ("check.metrics", "check.comparisons")),
    Area(
        "promotion",
        "Promotion, approvals and imports",
        ("check.promotions", "check.stages", "check.imports", "check.approvers", "signed"),
    ),
    Area(
        "endpoints",
        "Endpoints",
        ("check.inference", "check.language", "check.captures", "check.hosts", "check.promises"),
    ),
    Area("monitors", "Monitors", ("check.monitors", "check.breaches", "check.looks", "check.watched")),
    Area("governance", "Governance", ("check.governance", "check.governance_in_name", "check.evidence")),
    Area(
        "deployment",
        "Deployment and targets",
        ("check.deployment", "check.clouds", "existing", "target", "plan", "overrides"),
    ),
    Area("sites", "Many sites, and lists", ("sites", "lists")),
    Area("platform", "Stores, network and platform", ("platform", "stores", "reach", "crossings", "identities")),
    Area(
        "machines",
        "Machines, capacity and cost",
        ("check.accelerators", "check.priorities", "hardware", "capacity", "budgets", "usage"),
    ),
    Area("plausibility", "Systems that would not work, or are hardly meant", ("check.never_works", "check.plausible")),
    Area("output", "Writing and verifying projects", ("emit", "verify")),
    Area("running", "Running on this machine", ("running",)),
    Area("migrating", "Moving a running system", ("migrating",)),
)
PROVIDERS: Final = tuple(
    Area(name, f"Provider `{name}`", (name,)) for name in (each.split(".")[1] for each in TARGETS.diagnostics())
)
_AREA_OF: Final[Mapping[str, Area]] = {module: area for area in (*AREAS, *PROVIDERS) for module in area.modules}


def area_of(constructor: Constructor) -> Area:
    """Return the area whose page describes a code. New diagnostics modules must be added to an area."""
    package, _, module = constructor.__module__.partition(".diagnostics.")
    return _AREA_OF[module if package == "modelyard" else package.rpartition(".")[2]]


def every_code() -> Mapping[str, Constructor]:
    """Return the diagnostic codes of the compiler and of all providers."""
    return codes(TARGETS.diagnostics())


def link(code: str) -> str:
    """Return a link to a code's description, for pages in docs."""
    return f"errors/{area_of(every_code()[code]).page}.md#{code.lower()}"


def summary(constructor: Constructor) -> str:
    """Return the first paragraph of a code's page, as a table cell."""
    return cleandoc(constructor.__doc__ or "").split("\n\n", maxsplit=1)[0].replace("\n", " ").replace("|", "\\|")


def index_page(printed: str) -> str:
    """Return docs/errors.md, which has a table per area with a row for each code."""
    lines = [
        *("# Errors and warnings", "", printed),
        "`E` is an error and ends the run, `W` is a warning. The codes of a provider begin with its name: `AWS-E001`.",
        "`modelyard explain E0203` prints one of them, with a wrong and a right example.",
    ]
    for area in (*AREAS, *PROVIDERS):
        lines += ["", f"## [{area.title}](errors/{area.page}.md)", "", "| code | what it is about |", "|---|---|"]
        lines += [
            f"| [{code}](errors/{area.page}.md#{code.lower()}) | {summary(each)} |"
            for code, each in every_code().items()
            if area_of(each) is area
        ]
    return "\n".join(lines) + "\n"


def area_page(area: Area, printed: str) -> str:
    """Return an area's page, which describes each code with a reason, a wrong spec and a correct spec."""
    lines = [f"# {area.title}", "", printed, "[All codes](../errors.md)"]
    for code, constructor in every_code().items():
        if area_of(constructor) is area:
            lines += ["", f"## {code}", "", *_documentation(constructor)]
    return "\n".join(lines) + "\n"


def _documentation(constructor: Constructor) -> Iterator[str]:
    """Convert a code's docstring to Markdown with one sentence per line, and indented blocks as YAML."""
    blocks = cleandoc(constructor.__doc__ or "").split("\n\n")
    for at, block in enumerate(blocks):
        indented = block.startswith("    ")
        if not indented:
            yield from _SENTENCE.split(" ".join(block.split("\n")))
        else:
            opens = at == 0 or not blocks[at - 1].startswith("    ")
            closes = at == len(blocks) - 1 or not blocks[at + 1].startswith("    ")
            yield from (["```yaml"] if opens else [])
            yield from (line.removeprefix("    ") for line in block.split("\n"))
            yield from (["```"] if closes else [])
        if at < len(blocks) - 1:
            yield ""
