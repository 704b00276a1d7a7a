"""The command that the workflow issue-form.yml starts.

Exit status: 0 done, 1 the form cannot be taken (message.md says why), 2 wrong use.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reference_impls.cli.console import say
from scripts.forms.handover import apply, regular, write
from scripts.forms.reading import FORMS, MAX_BODY, Issue, WrongUseError, read_event
from scripts.forms.reply import handle
from scripts.model import Corpus
from scripts.model.corpus import CorpusError
from scripts.upkeep.reports import plain


def main(words: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.forms", description="A filled-in issue form as an entry."
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--event", type=Path, help="the file of a GitHub issue event (GITHUB_EVENT_PATH)")
    source.add_argument("--body", type=Path, help="a file with the issue's text; needs --kind")
    source.add_argument("--apply", type=Path, metavar="DIR", help="put the entry of an earlier result into papers/")
    parser.add_argument("--kind", choices=list(FORMS), help="which form, with --body")
    parser.add_argument("--number", type=int, default=1, help="the issue's number, with --body")
    parser.add_argument("--out", type=Path, help="folder for the result")
    parser.add_argument("--online", action="store_true", help="complete the entry from its sources")
    given = parser.parse_args(words)
    try:
        corpus = Corpus.load()
        if given.apply:
            sys.stdout.write(apply(corpus, given.apply) + "\n")
            return 0
        if given.out is None:
            parser.error("give a folder for the result with --out")
        if given.event:
            issue = read_event(given.event)
        elif given.kind:
            raw = regular(given.body, 4 * MAX_BODY).read_bytes()
            issue = Issue(given.kind, given.number, raw.decode("utf-8", "replace"))
        else:
            parser.error("say with --kind which form it is")
        result = handle(corpus, issue, online=given.online)
        write(result, given.out)
    except (WrongUseError, CorpusError, OSError) as error:
        say.print(f"forms: {plain(error, 1_000)}", markup=False)
        return 2
    sys.stdout.write(f"{'ok' if result.ok else 'refused'}: {result.kind} #{result.number} {result.key or ''}\n")
    return 0 if result.ok else 1


if __name__ == "__main__":
    sys.exit(main())
