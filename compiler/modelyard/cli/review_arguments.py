"""Define the options of the commands that review a change."""

from __future__ import annotations

import argparse

from modelyard.cli.shared_arguments import colour


def _versions(entry: argparse.ArgumentParser) -> None:
    entry.add_argument(
        "spec",
        nargs="?",
        default=".",
        metavar="SPEC",
        help="the spec or its folder; with NEW, the old version (default: this folder)",
    )
    entry.add_argument("new", nargs="?", metavar="NEW", help="the new version, if SPEC is the old one")
    entry.add_argument(
        "--against", metavar="REV", help="the branch, tag or commit that this branch left (default: the default branch)"
    )
    entry.add_argument("--env", metavar="NAME", help="compare one environment (default: the base and all environments)")
    entry.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="the value of a variable declared under vars, in both versions; repeatable",
    )
    entry.add_argument(
        "--preview",
        metavar="FILE",
        action="append",
        default=[],
        help="output of `pulumi preview --json`, to compare with what is deployed; repeatable, once per stack",
    )


def _fail_on(entry: argparse.ArgumentParser) -> None:
    entry.add_argument(
        "--fail-on",
        choices=("danger", "review", "never"),
        default="danger",
        help="the lowest level at which the exit code is 1 (default: danger)",
    )


def diff(entry: argparse.ArgumentParser) -> None:
    """Add the options of `modelyard diff`."""
    _versions(entry)
    entry.add_argument(
        "--format",
        choices=("text", "markdown", "json", "sarif", "html", "github"),
        default="text",
        help="output format (default: text)",
    )
    entry.add_argument(
        "--level",
        choices=("danger", "review", "note", "quiet"),
        default="note",
        help="the lowest level that is shown (default: note)",
    )
    entry.set_defaults(usage=None)  # `compile --approved` uses no usage file
    _fail_on(entry)
    entry.add_argument(
        "--fingerprint", action="store_true", help="print only the hash of the change, for `compile --approved`"
    )
    colour(entry)


def acknowledge(entry: argparse.ArgumentParser) -> None:
    """Add the options of `modelyard acknowledge`."""
    entry.add_argument("spec", metavar="SPEC", help="the spec or its folder, in the new version")
    entry.add_argument(
        "fingerprint", metavar="FINGERPRINT", help="the fingerprint of a danger or review item in `diff`"
    )
    entry.add_argument("--by", default="", metavar="NAME", help="who accepts it (default with --key: its comment)")
    entry.add_argument("--reason", required=True, metavar="TEXT", help="why")
    entry.add_argument(
        "--until", required=True, metavar="DATE", help="the last day on which it counts, such as 2027-01-31"
    )
    entry.add_argument("--key", metavar="FILE", help="an SSH key of a group under governance.approvers, to sign with")
    entry.add_argument(
        "--against",
        metavar="REV|OLD",
        help="the old version: a branch, tag or commit, or a file or folder (default: the default branch)",
    )
    entry.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="the value of a variable declared under vars, in both versions; repeatable",
    )
    entry.add_argument("--usage", metavar="FILE", help="the usage file of the report that shows the fingerprint")
    entry.set_defaults(env=None)
    colour(entry)


def report(entry: argparse.ArgumentParser) -> None:
    """Add the options of `modelyard report`."""
    _versions(entry)
    entry.add_argument("--out", metavar="FOLDER", default="report", help="where to write (default: report)")
    entry.set_defaults(format="text")  # format of diagnostics
    entry.add_argument("--usage", metavar="FILE", help="how much the system is used, as for modelyard cost")
    _fail_on(entry)
    colour(entry)


def _host(entry: argparse.ArgumentParser) -> None:
    entry.add_argument("host", choices=("github", "gitlab", "azure"), help="the code host")


def comment(entry: argparse.ArgumentParser) -> None:
    """Add the options of `modelyard comment`."""
    _host(entry)
    entry.add_argument("--report", metavar="FOLDER", default="report", help="the report's folder (default: report)")
    entry.add_argument(
        "--author",
        metavar="LOGIN",
        default="github-actions[bot]",
        help="the GitHub user whose comment is updated (default: github-actions[bot], which owns GITHUB_TOKEN)",
    )


def ci(entry: argparse.ArgumentParser) -> None:
    """Add the options of `modelyard ci`."""
    _host(entry)
    entry.add_argument(
        "spec", nargs="?", default=".", metavar="SPEC", help="the spec, or its folder, in the repository (default: .)"
    )
    entry.add_argument(
        "--out", metavar="FOLDER", default=".", help="the root of the repository, or - to print (default: .)"
    )
    entry.add_argument(
        "--requirements",
        metavar="FILE",
        default="",
        help="install from this file in the repository, with hashes, where the repository is checked out",
    )
    entry.add_argument(
        "--source",
        metavar="URL",
        default="",
        help="install from a commit (git+https://...@COMMIT) or a file (https://...#sha256=HASH) "
        "(default: where this modelyard was installed from)",
    )
    entry.add_argument(
        "--preview",
        metavar="NAME",
        default="",
        help="also run `pulumi preview` on the stacks of this environment, where credentials are (default: do not)",
    )
    _fail_on(entry)
