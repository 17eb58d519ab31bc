"""Diagnostics about sites, and values of lists: E0660 to E0669, E0672, E0674, W0675 to E0677, E0688, E0689."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, joined, nearest, quote
from modelyard.records import replace
from modelyard.source import Span

_MOST_NAMED = 3


def sites_unreadable(span: Span, member: str, file: str, reason: str, hint: str) -> Diagnostic:
    """A file with sites, or with the rows of a list, must be a CSV file in the spec's folder or below.

    Compiling reads nothing else, so a spec produces the same output on every machine.

    Wrong:

        sites: {file: ../inventory/shops.csv}

    Right:

        sites: {file: shops.csv}
    """
    return Diagnostic("E0660", Severity.ERROR, f"the {member}s cannot be read from {quote(file)}: {reason}", span, hint)


def malformed_table(span: Span, problem: str, hint: str) -> Diagnostic:
    """A line of the CSV file does not match the header row.

    Values are separated by commas. A value that contains a comma or a quote must be in double quotes, with inner quotes
    doubled, and must not span several lines. Each line needs as many values as the header row.

    Wrong: the line `shop-001` below the line `name,gateway`.

    Right: `shop-001,gw-1.shops.example`
    """
    return Diagnostic("E0661", Severity.ERROR, problem, span, hint)


def bad_columns(span: Span, problem: str, hint: str) -> Diagnostic:
    """The header row of the CSV file must name each column once, and one of the columns must be `name`.

    Columns are used as `${site.COLUMN}` or, in a list, as `${each.COLUMN}`, so they start with a letter and contain
    only letters, digits, hyphens and underscores.

    Wrong: `shop,gateway address`

    Right: `name,gateway`
    """
    return Diagnostic("E0662", Severity.ERROR, problem, span, hint)


def bad_site_name(span: Span, member: str, name: str) -> Diagnostic:
    """A site's name becomes part of stack and file names, and a row's name becomes part of other names.

    It must be a DNS label that starts with a letter: lower-case letters, digits and hyphens, at most 40 characters.
    Some YAML parsers do not read a bare number, or a word such as `no`, as a string.

    Wrong: `Shop 12`

    Right: `shop-12`
    """
    return Diagnostic(
        "E0663",
        Severity.ERROR,
        f"{quote(name)} is not a valid {member} name",
        span,
        "use at most 40 lower-case letters, digits and hyphens, starting with a letter, such as shop-12",
    )


def site_twice(span: Span, member: str, name: str, line: int) -> Diagnostic:
    """Two lines of the CSV file describe the same site or row, so at most one of them can be right.

    Wrong: two lines that begin with `shop-001,`.

    Right: `shop-001,…` and `shop-002,…`
    """
    return Diagnostic(
        "E0664",
        Severity.ERROR,
        f"{member} {quote(name)} is already on line {line}",
        span,
        "remove or rename one of them",
    )


def bad_site_value(span: Span, member: str, name: str, column: str, problem: str, hint: str) -> Diagnostic:
    """A value that the spec uses is missing, is a formula, or differs in type from the column's other values.

    In a CSV file, a spreadsheet formula is only text, so its result would not be used. Numbers in quotes are text.

    Wrong: `shop-002,=B2`

    Right: `shop-002,2`
    """
    return Diagnostic("E0665", Severity.ERROR, f"{quote(column)} for {member} {quote(name)} {problem}", span, hint)


def unknown_site_value(span: Span, column: str, member: str, title: str, columns: Iterable[str]) -> Diagnostic:
    """A reference names a column that the sites of the target, or the rows of the list, do not have.

    Wrong: `${site.gatway}` for

        sites: {values: {shop-001: {gateway: gw-1.shops.example}}}

    Right: `${site.gateway}`.
    """
    known = list(columns)
    hint = nearest(column, known, "did you mean {}?") or f"available: {', '.join(sorted(known)[:8])}"
    return Diagnostic(
        "E0666", Severity.ERROR, f"the {member}s of {title} have no value named {quote(column)}", span, hint
    )


def site_value_elsewhere(span: Span, reference: str) -> Diagnostic:
    """A site's value is used in a part of the spec that is not on a target with `sites`.

    `${site.NAME}` is available in a target with `sites`, and in endpoints, pipelines, monitors, stores and overrides on
    that target. Everything else exists once for all sites. The escape `$${` does not work for `${site.`, which marks
    the placeholders for each site's values.

    Wrong:

        metadata: {name: "shop-${site.name}"}

    Right:

        deployment: {targets: {shops: {provider: kubernetes, context: "${site.name}", sites: {file: shops.csv}}}}
    """
    return Diagnostic(
        "E0667",
        Severity.ERROR,
        f"{quote(reference)} can be used only on a target with `sites`, where each site has its own value",
        span,
        "use it in such a target, or in an endpoint, pipeline, monitor, store or override on that target",
    )


def too_many_kinds(span: Span, target: str, columns: Iterable[str], count: int, most: int) -> Diagnostic:
    """The sites of a group differ in too many ways for one program.

    Names, hosts, IP addresses and address ranges may differ at every site if they are only copied to the output as
    text. Other values, such as numbers of machines, change what is created, so the sites are compiled once for each
    combination of them.

    Wrong: a column `boxes` with a different number at each of 400 sites, in `capacity: [{count: "${site.boxes}", …}]`.

    Right: a column `boxes` with 1, 2 or 3.
    """
    names = [quote(column) for column in columns]
    values = f"combinations of {joined(names)}" if len(names) > 1 else f"values for {joined(names)}"
    return Diagnostic(
        "E0668",
        Severity.ERROR,
        f"the sites of target {quote(target)} have {count} different {values} here, but the maximum is {most}",
        span,
        "use fewer different values, or divide the sites among several targets",
    )


def different_programs(span: Span, target: str, first: str, other: str, what: str) -> Diagnostic:
    """All sites of a group share one Pulumi program, so they need the same add-ons with the same settings.

    Wrong: `present: ["${site.addon}"]`, where some sites install an add-on that others already have.

    Right: two targets, each with its own sites.
    """
    return Diagnostic(
        "E0669",
        Severity.ERROR,
        f"sites {quote(first)} and {quote(other)} of target {quote(target)} need different programs: {what} differs",
        span,
        "divide the sites among several targets",
    )


def no_single_site(span: Span, who: str, what: str, target: str) -> Diagnostic:
    """A resource exists once at every site of a group, so nothing outside the group can use it.

    This applies to the registry, to stores that other targets read, and to pipelines that other targets start.

    Wrong:

        stores: {sales: {type: object, target: shops, endpoint: "https://s3.${site.domain}"}}
        pipelines: {train: {type: training, target: main, inputs: [sales], …}}

    Right:

        stores: {sales: {type: object, target: main}}
    """
    return Diagnostic(
        "E0672",
        Severity.ERROR,
        f"{who} needs {what}, but every site of target {quote(target)} has its own",
        span,
        "place shared resources on a target without `sites`",
    )


def site_value_in_program(span: Span, column: str, target: str, other: str, what: str) -> Diagnostic:
    """A site's value would be used in the program of another target, which all sites share.

    A cloud with stores that the sites access trusts one `issuer` and one `namespace` for all of them, and grants access
    to the same folders. If all sites sign their ServiceAccount tokens with the same key, they can share an issuer.
    Otherwise, they can access stores on AWS using keys, without an issuer.

    Wrong:

        targets:
          main: {provider: aws, region: eu-central-1}
          shops: {provider: kubernetes, issuer: "https://${site.host}", sites: {file: shops.csv}}

    Right:

        targets:
          main: {provider: aws, region: eu-central-1}
          shops: {provider: kubernetes, issuer: "https://tokens.acme.example/shops", sites: {file: shops.csv}}
    """
    return Diagnostic(
        "E0689",
        Severity.ERROR,
        f"{what} on target {quote(other)} exists once for all sites, but would use {quote(column)}, which differs"
        f" between the sites of target {quote(target)}",
        span,
        "use one value for all sites, or divide them among several targets",
    )


def unknown_site(span: Span, name: str, target: str, names: Iterable[str]) -> Diagnostic:
    """The spec names a site that the group does not have.

    Wrong: `sites: [shop-999]` in an override for a target whose CSV file has no line for it.

    Right: `sites: [shop-001]`.
    """
    hint = nearest(name, list(names), "did you mean {}?") or "use a name from the target's `sites`"
    return Diagnostic("E0674", Severity.ERROR, f"target {quote(target)} has no site {quote(name)}", span, hint)


def shrinking_wave(span: Span) -> Diagnostic:
    """Each wave must reach a larger share of the sites than the wave before it.

    The shares count all sites that have a version after the wave, not only those that the wave adds.

    Wrong: `shares: [50%, 10%]`

    Right: `shares: [10%, 50%]`
    """
    return Diagnostic(
        "E0676",
        Severity.ERROR,
        "this wave is not larger than the one before it",
        span,
        "sort the shares in ascending order",
    )


def waves_without_promoter(span: Span, target: str, what: str, hint: str) -> Diagnostic:
    """The promoter carries out waves: it delivers models to sites and reads their alerts. The registry must therefore
    run on another target of the system, together with a Prometheus that receives the sites' metrics
    (`telemetry.remoteWrite`).

    Wrong:

        deployment: {targets: {shops: {sites: {file: shops.csv, waves: {canary: [shop-001]}}, …}, …}}
        registry: {adopt: "https://mlflow.acme.example"}

    Right:

        deployment: {targets: {shops: {sites: {file: shops.csv, waves: {canary: [shop-001]}}, …}, …}}
        registry: {database: runs, artifacts: lake}
    """
    return Diagnostic(
        "E0677",
        Severity.ERROR,
        f"models cannot be rolled out to target {quote(target)} in waves, because {what}",
        span,
        hint,
    )


def alerts_elsewhere(span: Span, target: str, where: str, problem: str) -> Diagnostic:
    """`alertsOn` names a target that cannot evaluate the alerts of this one.

    Set it on a target with `sites`, to a target without `sites` that receives their metrics.

    Wrong:

        deployment: {telemetry: {remoteWrite: "https://metrics.acme.example/write", alertsOn: main}, …}

    Right:

        deployment:
          targets:
            centre: {provider: kubernetes, context: centre}
            shops:
              provider: kubernetes
              sites: {file: shops.csv}
              telemetry: {remoteWrite: "https://metrics.acme.example/api/v1/write", alertsOn: centre}
    """
    return Diagnostic(
        "E0688",
        Severity.ERROR,
        f"target {quote(where)} cannot evaluate the alerts of target {quote(target)}: {problem}",
        span,
        "name a target without `sites` that receives the sites' metrics, or remove `alertsOn`",
    )


def site_left_running(span: Span, target: str, sites: list[str], environment: str) -> Diagnostic:
    """Sites of an earlier compile are no longer in the spec, and their stacks keep running.

    Their settings are removed from the output, so later updates do not reach them. Every compile repeats the warning
    until `modelyard compile --forget-removed` confirms that the stacks are gone.

    Wrong: a line deleted from the CSV file, and nothing else done.

    Right: `pulumi destroy` for the site's stack, then the line deleted, then `modelyard compile --forget-removed`.
    """
    listed = ", ".join(quote(site) for site in sites[:_MOST_NAMED])
    more = f" and {len(sites) - _MOST_NAMED} more" if len(sites) > _MOST_NAMED else ""
    gone, running = (
        ("is no longer a site", "its stack keeps") if len(sites) == 1 else ("are no longer sites", "their stacks keep")
    )
    return Diagnostic(
        "W0675",
        Severity.WARNING,
        f"{listed}{more} {gone} of target {quote(target)}, but {running} running",
        span,
        f"run `pulumi destroy --stack {environment}.{sites[0]}` in the target's projects, then compile with"
        " --forget-removed",
    )


def at_site_value(diagnostic: Diagnostic, span: Span, use: Span) -> Diagnostic:
    """Move a diagnostic to a site's value, and add the spec line that uses the value to the hint."""
    hint = f"{diagnostic.hint}; " if diagnostic.hint else ""
    return replace(diagnostic, span=span, hint=f"{hint}it is used on line {use.line} of {use.file}")


def column_is_text(value: str, line: int) -> str:
    """Return a hint for a number in a CSV column that is text because of another value."""
    return f"the column is text because of {quote(value)} on line {line}, which is the value to correct"


def of_sites(names: list[str]) -> str:
    """Return a message suffix that names the sites where a problem occurs."""
    return f" (at site{'s' if len(names) > 1 else ''} {listed(names)})"


def listed(names: list[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"
