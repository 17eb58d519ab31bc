"""Where a pipeline installs modelyard from: a commit of a repository, or a file with its hash."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any, Final, cast

from modelyard.patterns import pattern

_HOST: Final = r"https://[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?"
_COMMIT: Final = pattern(rf"git\+{_HOST}/[A-Za-z0-9._~/-]+@[0-9a-f]{{40}}(?:[0-9a-f]{{24}})?")
_FILE: Final = pattern(rf"{_HOST}/[A-Za-z0-9._~/%+-]+\.(?:whl|tar\.gz|zip)#sha256=[0-9a-f]{{64}}")
FORMS: Final = (
    "git+https://HOST/OWNER/modelyard@COMMIT with all digits of the commit, or https://HOST/FILE.whl#sha256=HASH"
)


def is_pinned(source: str) -> bool:
    """Return whether a source always leads to the same content. A package's name, a branch and a tag do not."""
    return bool(_COMMIT.fullmatch(source) or _FILE.fullmatch(source))


def installed_source() -> str:
    """Return the source of the modelyard that runs, or "" if it has none that a pipeline could use.

    pip records it (PEP 610), except for a package that it found by its name.
    """
    try:
        recorded = distribution("modelyard").read_text("direct_url.json")
    except PackageNotFoundError:
        return ""
    return recorded_source(recorded or "{}")


def recorded_source(text: str) -> str:
    """Return the pinned source that a `direct_url.json` records, or ""."""
    found = cast("dict[str, Any]", json.loads(text))
    url = str(found.get("url", ""))
    commit = str(found.get("vcs_info", {}).get("commit_id", ""))
    digest = str(found.get("archive_info", {}).get("hashes", {}).get("sha256", ""))
    source = f"git+{url}@{commit}" if commit else f"{url}#sha256={digest}"
    return source if is_pinned(source) else ""
