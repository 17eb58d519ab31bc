"""`modelyard acknowledge`: accept a `modelyard diff` finding in a file that is reviewed with the spec."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from modelyard.cli.acknowledged import path_beside, read_acknowledged, today
from modelyard.cli.approve import CannotApprove, own_key, signed
from modelyard.cli.console import report, say
from modelyard.cli.git import GitError
from modelyard.cli.inputs import other_file
from modelyard.cli.usage_input import read_used
from modelyard.cli.versions import Compared, Version, before_of, not_judged, on_disk, reviewed
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.verify import acknowledgement_invalid
from modelyard.disk.single import write_file_atomically
from modelyard.load import load
from modelyard.nearest import nearest
from modelyard.review.accepting import Signers, can_be_accepted, signers_of, still_needed
from modelyard.review.acknowledged import acknowledgements, entries_of, is_day, statement
from modelyard.review.comparing import Review
from modelyard.review.cost_findings import assumed
from modelyard.review.findings import Finding
from modelyard.source import Document, Json
from modelyard.writers.yaml_text import document

_LEAST = 12
"""The number of digits of a fingerprint that `modelyard diff` prints."""


def run(arguments: argparse.Namespace) -> int:
    """Add an entry to the file. Returns 1 without writing anything if no such finding exists."""
    after, problems = on_disk(arguments.spec, arguments)
    if after is None or problems:
        report(problems, (), "text", arguments.color)
        return 1
    try:
        before, problems = before_of(arguments.against, after, arguments)
        if problems:
            report(problems, (), "text", arguments.color)
            return 1
        usage, problems = read_used(arguments)
        change = reviewed(before, after, None, usage_of=assumed if usage is None else usage.usage_of)
        problems += usage.misfits(change) if usage is not None else ()
        if problems:
            report(problems, (), "text", arguments.color)
            return 1
        invalid = _invalid(path_beside(after))
        if invalid:
            report(invalid, (), "text", arguments.color)
            return 1
        _acknowledge(arguments, change, after)
    except GitError as problem:
        report((not_judged(problem),), (), "text", arguments.color)
        return 1
    except CannotApprove as problem:
        say(f"error: {problem}")
        return 1
    return 0


def _invalid(path: str) -> tuple[Diagnostic, ...]:
    """Report invalid entries already in the file, since `diff` fails until they are fixed."""
    if not os.path.lexists(path):
        return ()
    file, problems = other_file(path)
    if file is None:
        return problems
    _, wrong = acknowledgements(file)
    return tuple(acknowledgement_invalid(entry.place, entry.reason) for entry in wrong)


def _acknowledge(arguments: argparse.Namespace, change: Compared, after: Version) -> None:
    review = change.review
    finding = _finding(review, str(arguments.fingerprint))
    required = tuple(signers_of(name, change.before, change.after) for name in finding.environments)
    if arguments.key:
        _check_group(str(arguments.key), required)
    entry = _entry(arguments, finding, review.system)
    path = path_beside(after)
    _write(path, _with_entry(_written(path), entry, path))
    say(f"{path}: {entry['by']} accepts {finding.code} until {entry['until']}; commit it\n  {finding.message}")
    if missing := still_needed(finding, read_acknowledged(after, review.system), required, today()):
        say(f"  {missing}")


def _check_group(path: str, required: Iterable[Signers | None]) -> None:
    """Refuse a key whose signature would not count, if signatures are required."""
    key = own_key(path)
    signers = [environment for environment in required if environment is not None]
    if signers and not any(environment.of(key.body) for environment in signers):
        groups = ", ".join(dict.fromkeys(name for environment in signers for name in environment.groups)) or "no group"
        raise CannotApprove(
            f"the key of {key.comment or path} is in no group that may sign; the old version of the spec has: {groups}"
        )


def _finding(review: Review, typed: str) -> Finding:
    """Return the finding with the given fingerprint, of which the first twelve digits are enough."""
    open_ones = {finding.whole_fingerprint: finding for finding in review.findings if can_be_accepted(finding)}
    if len(typed) < _LEAST:
        raise CannotApprove(f"a fingerprint has at least {_LEAST} digits; `modelyard diff` prints them")
    matches = [finding for fingerprint, finding in open_ones.items() if fingerprint.startswith(typed)]
    if not matches:
        hint = nearest(typed, [finding.fingerprint for finding in open_ones.values()], "; did you mean {}?")
        raise CannotApprove(f"no danger and nothing to review has the fingerprint {typed[:40]!r}{hint}")
    return matches[0]


def _entry(arguments: argparse.Namespace, finding: Finding, system: str) -> dict[str, str]:
    key = arguments.key
    by = arguments.by or (own_key(str(key)).comment if key else "")
    until = str(arguments.until)
    for option, value in (("--by", by), ("--reason", str(arguments.reason))):
        if not value.strip():
            raise CannotApprove(f"{option} must not be empty")
    if not is_day(until) or until < today().isoformat():
        raise CannotApprove(f"--until must be a day from today on, such as 2027-01-31, not {until[:40]!r}")
    content = statement(system, (finding.code, finding.whole_fingerprint, by, str(arguments.reason), until))
    entry = {name: content[name] for name in ("code", "fingerprint", "by", "reason", "until")}
    return {**entry, "signature": _signature(content, Path(str(key)))} if key else entry


def _signature(content: Mapping[str, str], key: Path) -> str:
    return str(json.loads(signed(content, key))["signature"])


def _written(path: str) -> str:
    """Return the content of the file, or "" if the file does not exist yet."""
    if not os.path.lexists(path):
        return ""
    file, problems = other_file(path)
    if file is None:
        raise CannotApprove(problems[0].message)
    try:
        return file.content if isinstance(file.content, str) else file.content.decode("utf-8")
    except UnicodeDecodeError:
        raise CannotApprove(f"{path} is not valid UTF-8") from None


def _with_entry(text: str, entry: Mapping[str, str], path: str) -> str:
    """Append an entry to the text, or replace the same person's unsigned entry.

    Comments, order and everything else stay unchanged.
    """
    head, _, added = document({"acknowledged": [dict(entry)]}).partition("\n")
    written = _loaded(text, path)
    before = [] if written is None else entries_of(written)
    unsigned = next((at for at, earlier in enumerate(before) if _is_unsigned(earlier, entry)), None)
    if written is not None and unsigned is not None:
        return _replaced(text, written, unsigned, entry, path)
    if not before:
        text = _without_empty_list(text)
        added = f"{head}\n{added}"
    joined = f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{_indented(added, text, bool(before))}"
    loaded, _ = load(joined, path)
    if loaded is None or entries_of(loaded) != [*before, dict(entry)]:
        raise CannotApprove(f"{path} does not end with its list of entries; add this one by hand:\n{added}")
    return joined


def _is_unsigned(earlier: Json, entry: Mapping[str, str]) -> bool:
    """Return whether an earlier entry is the same person's unsigned entry for the same finding."""
    same = ("code", "fingerprint", "by")
    return (
        isinstance(earlier, dict)
        and "signature" not in earlier
        and all(earlier.get(name) == entry[name] for name in same)
    )


def _replaced(text: str, written: Document, at: int, entry: Mapping[str, str], path: str) -> str:
    """Replace the entry at position `at` in the text. Comments after it belong to the next entry."""
    added = document({"acknowledged": [dict(entry)]}).partition("\n")[2]
    entries = entries_of(written)
    starts = [written.value_span(("acknowledged", each)).line - 1 for each in range(len(entries))]
    lines = text.splitlines(keepends=True)
    end = starts[at + 1] if at + 1 < len(starts) else len(lines)
    while lines[end - 1].lstrip().startswith("#") or not lines[end - 1].strip():
        end -= 1
    joined = "".join([*lines[: starts[at]], _indented(added, text, has_entries=True), *lines[end:]])
    result, _ = load(joined, path)
    if result is None or entries_of(result) != [*entries[:at], dict(entry), *entries[at + 1 :]]:
        raise CannotApprove(f"{path} has this entry without a signature; replace it by hand with:\n{added}")
    return joined


def _loaded(text: str, path: str) -> Document | None:
    """Return the file's document, or None if it is empty."""
    if not text.strip():
        return None
    loaded, problems = load(text, path, may_be_empty=True)
    if loaded is None:
        raise CannotApprove(f"{path}: {problems[0].message}")
    return loaded


def _without_empty_list(text: str) -> str:
    return text.replace("acknowledged: []\n", "").replace("acknowledged:\n", "")


def _indented(added: str, text: str, has_entries: bool) -> str:
    """Indent the entry to the column where the existing entries begin."""
    dash = next((line for line in text.splitlines() if line.lstrip().startswith("- ")), "") if has_entries else ""
    space = " " * (len(dash) - len(dash.lstrip()))
    return "".join(f"{space}{line}\n" if line else "\n" for line in added.splitlines())


def _write(path: str, text: str) -> None:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        problems = write_file_atomically(Path(path), text.encode())
    except OSError as problem:
        raise CannotApprove(f"cannot create {Path(path).parent}: {problem.strerror}") from None
    if problems:
        raise CannotApprove(problems[0].message)
