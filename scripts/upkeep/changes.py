"""Which files a branch changes, asked of git without a shell."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class ChangesError(Exception):
    """git cannot tell; the message says what is missing."""


def changed_entries(root: Path, base: str | None = None) -> list[Path]:
    """The entries that differ from where this branch left `base`, uncommitted and new files included.

    `base` is by default the branch that a pull request aims at (GITHUB_BASE_REF), else origin/HEAD,
    origin/main, main. Names of files come from strangers: they are read NUL-separated and never reach a
    shell.
    """
    start = _merge_base(root, base)
    listed = _git(root, "diff", "--name-only", "-z", "--diff-filter=ACMRT", "--end-of-options", start, "--", "papers")
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", "papers")
    names = sorted({name for name in (listed + new).split("\0") if name})
    return [root / name for name in names if name.endswith((".yml", ".yaml")) and (root / name).is_file()]


def _merge_base(root: Path, base: str | None) -> str:
    target = os.environ.get("GITHUB_BASE_REF")
    known = [base] if base else [f"origin/{target}"] if target else ["origin/HEAD", "origin/main", "main"]
    for name in known:
        try:
            commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()
            return _git(root, "merge-base", commit, "HEAD").strip()
        except ChangesError:
            continue
    raise ChangesError(
        f"there is no common ancestor with {' or '.join(known)}: fetch it (in a workflow: fetch-depth: 0), "
        "or name another base with --base"
    )


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603  fixed words; names follow --end-of-options or --
            ["git", "-C", str(root), *words],  # noqa: S607  the git of the machine
            capture_output=True,
            check=True,
            timeout=60,
        )
    except FileNotFoundError as error:
        raise ChangesError("git is not installed") from error
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise ChangesError(f"git {words[0]} failed in {root}") from error
    return done.stdout.decode("utf-8", "surrogateescape")
