"""Turns the text of an issue form into a stub and the words for its pull request, or into a note for the
maintainers.

    python -m scripts.issue_form --event EVENT.json --out DIR [--online]
    python -m scripts.issue_form --body FILE --kind add-paper --number 12 --out DIR
    python -m scripts.issue_form --apply DIR

Whoever has an account writes this text: it is limited in size, free of control characters, never reaches a
shell, and comes back only inside code spans and code blocks. The first form writes result.json, message.md and,
where there is an entry to propose, body.md and the entry below DIR; it needs no right to write anything else.
`--apply` is for the job that may write: it takes nothing of DIR on trust, and puts the one entry in its place.

Exit status: 0 done, 1 the form cannot be taken (message.md says why), 2 wrong use.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from reference_impls.cli.console import say
from reference_impls.safe.writing import write_bytes, write_json, write_text
from scripts.checks.entry import bad_link
from scripts.checks.findings import Level
from scripts.checks.run import validate
from scripts.imports import stubs
from scripts.imports.identify import Identifier, IdentifyError, identify
from scripts.model import Corpus
from scripts.model.canonical import emit
from scripts.model.corpus import CorpusError
from scripts.model.identifiers import DATE, KEY, arxiv_month
from scripts.model.names import GroupName
from scripts.model.paper import Paper
from scripts.model.yaml_reader import MAX_ENTRY_BYTES
from scripts.upkeep.reports import block, code, link, plain

MAX_EVENT = 1024 * 1024
MAX_BODY = 65_536  # characters; GitHub takes no longer issue
MAX_AUTHORS = 500
NO_ANSWER = "_No response_"
NO_CATEGORY = "I do not know"


@dataclass(frozen=True)
class Field:
    """A field of a form: the label that GitHub puts above the answer, and what an answer may be."""

    label: str
    limit: int  # characters
    required: bool = False
    lines: bool = False  # whether the answer may have several lines


# the labels of .github/ISSUE_TEMPLATE/*.yml; a test holds both against each other
FORMS: dict[str, dict[str, Field]] = {
    "add-paper": {
        "identifier": Field("Identifier", 500, required=True),
        "title": Field("Title", 500, required=True),
        "authors": Field("Authors", 20_000, required=True, lines=True),
        "date": Field("First public version", 10),
        "category": Field("Primary category", 64, required=True),
        "code": Field("Code by the authors", 1_000),
        "summary": Field("Summary", 4_000, lines=True),
    },
    "correct-entry": {
        "key": Field("Entry", 300, required=True),
        "correction": Field("What is wrong, and what is right", 8_000, required=True, lines=True),
        "source": Field("Source", 1_000, required=True, lines=True),
    },
}


class FormError(Exception):
    """The form cannot be taken. `faults` are for its author, each with its repair, as Markdown."""

    def __init__(self, *faults: str, duplicate: str | None = None) -> None:
        super().__init__("; ".join(faults))
        self.faults, self.duplicate = faults, duplicate


class WrongUseError(Exception):
    """What was given is no event, no form, or no handed-over result."""


@dataclass(frozen=True)
class Result:
    """What becomes of a form. Only `message`, `body` and the file's text hold words of its author."""

    kind: str
    number: int
    ok: bool
    message: str  # for the form's author, Markdown
    key: str | None = None
    body: str | None = None  # of the pull request, Markdown
    path: str | None = None  # of the new entry, below the Atlas's root
    text: str | None = None  # of the new entry
    duplicate: str | None = None

    @property
    def branch(self) -> str:
        """Made of the issue's number alone."""
        return f"issue-form/{self.number}"

    @property
    def title(self) -> str:
        """Made of the entry's key, which is letters and digits, and the issue's number."""
        return f"Add {self.key} (#{self.number})"

    def as_json(self) -> dict[str, object]:
        """What the workflow reads."""
        proposal = {"branch": self.branch, "title": self.title, "body": "body.md", "files": [self.path]}
        return {
            "kind": self.kind,
            "number": self.number,
            "ok": self.ok,
            "key": self.key,
            "duplicate": self.duplicate,
            "message": "message.md",
            **(proposal if self.path else {"files": []}),
        }


# --- the text -------------------------------------------------------------------------------------------------


def parse_form(body: str, kind: str) -> dict[str, str]:
    """The answers by field; '' for an empty one. FormError for text that is no filled-in form of this kind.

    A heading counts where it is the label of a field, so that an answer may hold other headings.
    """
    fields = FORMS[kind]
    if len(body) > MAX_BODY:
        raise FormError(f"The text has more than {MAX_BODY:,} characters: keep the facts, drop the rest.")
    by_label = {f"### {field.label}": name for name, field in fields.items()}
    answers: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        name = by_label.get(line.rstrip())
        if name is None:
            if current is not None:
                current.append(line)
            continue
        if name in answers:
            raise FormError(f"The heading {code(line)} stands twice: keep one of them.")
        current = answers[name] = []
    if not answers:
        raise FormError("This is not the text of the form: please open a new issue and fill in its fields.")
    faults, found = [], {}
    for name, field_ in fields.items():
        text = "\n".join(answers.get(name, [])).strip()
        text = "" if text == NO_ANSWER else text
        faults += _faults(field_, text)
        found[name] = text if field_.lines else " ".join(text.split())
    if faults:
        raise FormError(*faults)
    return found


def _faults(field_: Field, text: str) -> list[str]:
    label = code(field_.label)
    if not text:
        return [f"{label} is empty: please fill it in."] if field_.required else []
    if len(text) > field_.limit:
        return [f"{label} has {len(text):,} characters; at most {field_.limit:,} are taken."]
    if bad := next((c for c in text if c not in "\n\t" and unicodedata.category(c) in _CONTROL), None):
        return [f"{label} holds the invisible character U+{ord(bad):04X}: please remove it."]
    if "\n" in text and not field_.lines:
        return [f"{label} has several lines: please give one answer on one line."]
    return []


_CONTROL = {"Cc", "Cf", "Cs", "Co", "Cn"}


_GROUP = re.compile(r"\{(?:group:)?[\s'\"]*([^{}]*?)[\s'\"]*\}\Z")


def people(text: str) -> list[str]:
    """Authors, one a line; marks of lists are dropped. One line of full names with commas is taken apart. Braces say,
    as in BibTeX and as `{group: ...}` in an entry, that a name is a group's, whatever it holds."""
    lines = [re.sub(r"^(?:[-*+•]|\d{1,3}[.)])\s+", "", " ".join(line.split())) for line in text.split("\n")]
    names = [line.rstrip(",;").strip() for line in lines if line.strip()]
    if len(names) == 1 and not _GROUP.match(names[0]):
        parts = [part.strip() for part in re.split(r"[,;]|\s+and\s+", names[0]) if part.strip()]
        # 'Doe, Jane' is one person; 'Jane Doe, Richard Roe' are two
        if len(parts) > 1 and all(" " in part for part in parts):
            names = parts
    return [GroupName(found[1]) if (found := _GROUP.match(name)) else name for name in names]


# --- a new paper ----------------------------------------------------------------------------------------------


def add_paper(corpus: Corpus, answers: Mapping[str, str], number: int, *, online: bool = False) -> Result:
    """A stub from the answers; with `online`, completed by the sources. FormError says what is missing."""
    try:
        identifier = identify(answers["identifier"])
    except IdentifyError as error:
        label = code(FORMS["add-paper"]["identifier"].label)
        raise FormError(f"{label}: {code(error, 600)}") from error
    authors = people(answers["authors"])
    if len(authors) > MAX_AUTHORS:
        raise FormError(f"`Authors` has {len(authors)} lines; at most {MAX_AUTHORS} are taken.")
    shelf = stubs.Shelf(corpus)
    fields: dict[str, Any] = {
        "title": answers["title"].rstrip("."),
        "name": stubs.name_in(answers["title"]),
        "authors": authors,
        "ids": {identifier.kind: identifier.value},
        "date": _date(answers["date"], identifier),
        "links": {"code": answers["code"].split()},
        **_category(corpus, answers["category"]),
    }
    # what is here already is named before any source is asked
    _refuse_twin(corpus, shelf, fields)
    notes: list[str] = []
    if online:
        fields, notes = _completed(fields, identifier)
        _refuse_twin(corpus, shelf, fields)
    if not fields.get("date"):
        raise FormError("`First public version` is empty: please write the date as YYYY-MM-DD, YYYY-MM or YYYY.")
    stub, left_out = _stub(shelf, fields, answers["summary"])
    path = stub.path.relative_to(corpus.root).as_posix()
    return Result(
        "add-paper",
        number,
        ok=True,
        key=stub.path.stem,
        path=path,
        text=stub.text,
        body=_proposal(answers, stub, notes, left_out, number),
        message=_thanks(stub),
    )


def _date(text: str, identifier: Identifier) -> str | None:
    if text and not _is_date(text):
        raise FormError(f"`First public version` is {code(text)}: please write YYYY-MM-DD, YYYY-MM or YYYY.")
    return text or (arxiv_month(identifier.value) if identifier.kind == "arxiv" else None)


def _is_date(text: str) -> bool:
    try:
        return bool(DATE.match(text)) and bool(len(text) < 10 or datetime.date.fromisoformat(text))
    except ValueError:
        return False  # the 30th of February


def _category(corpus: Corpus, text: str) -> dict[str, list[str]]:
    if text == NO_CATEGORY:
        return {}
    known = [full_id for full_id, _, _ in corpus.taxonomy]
    if text not in known:
        raise FormError(f"`Primary category`: there is no {code(text)}; known are {code(', '.join(known), 2_000)}.")
    return {"categories": [text]}


def _refuse_twin(corpus: Corpus, shelf: stubs.Shelf, fields: Mapping[str, Any]) -> None:
    try:
        probe = Paper.model_validate(
            {
                "title": fields["title"] or "?",
                "authors": fields["authors"],
                "ids": fields["ids"],
                "kind": "method",
                "categories": ["?"],
            }
        )
    except ValueError as error:
        raise FormError(code(error, 600)) from error
    if twin := shelf.twin(probe):
        raise FormError(
            f"This paper is here already: {code(twin)}, {code(corpus.papers[twin].title)}. If something about it is"
            " wrong or missing, please use the form 'Correct an entry'.",
            duplicate=twin,
        )


def _completed(fields: dict[str, Any], identifier: Identifier) -> tuple[dict[str, Any], list[str]]:
    """The fields as the sources give them; the form's own where they give none. A source that is down is a note."""
    from scripts.imports.lookup import describe  # noqa: PLC0415  not needed offline
    from scripts.sources import Client, NotFoundError, Settings, SourceError, Sources  # noqa: PLC0415
    from scripts.sources.match import OVERLAP, RENAMED_TITLE, author_overlap, title_score  # noqa: PLC0415

    shown = f"{identifier.kind} {identifier.value}"
    try:
        described = describe(identifier, Sources.over(Client(Settings.from_environment())))
    except NotFoundError as error:
        raise FormError(f"{code(error.host)} does not know {code(shown)}: please look the identifier up.") from error
    except (SourceError, ValueError) as error:
        return fields, [f"the sources could not be asked: {error}"]
    told, theirs = described.fields["title"], described.fields["authors"]
    same_title = title_score(fields["title"], told) >= RENAMED_TITLE
    if not same_title and author_overlap(fields["authors"], theirs) < OVERLAP:
        raise FormError(
            f"{code(shown)} is {code(told)} by {code(', '.join(theirs[:5]) or 'nobody named')}: identifier and title"
            " are of different papers, please correct one of them."
        )
    notes = list(described.notes)
    for name in ("title", "authors", "date"):
        if fields[name] and described.fields.get(name) and fields[name] != described.fields[name]:
            mine = ", ".join(fields[name]) if isinstance(fields[name], list) else fields[name]
            notes.append(f"the form's {name} differs from the source's, which was taken: {mine}")
    kept = {name: fields[name] for name in ("authors", "date") if not described.fields.get(name)}
    kept |= {"categories": fields["categories"]} if "categories" in fields else {}
    kept |= {"links": fields["links"]} if fields["links"]["code"] else {}
    return {**described.fields, **kept}, notes


def _stub(shelf: stubs.Shelf, fields: dict[str, Any], summary: str) -> tuple[stubs.Stub, str | None]:
    """The stub, and why the summary was left out if the stub could not be made with it."""
    words = " ".join(summary.split())
    if words:
        try:
            return shelf.make({**fields, "summary": words}), None
        except stubs.StubError as error:
            why = str(error)
        stub = _made(shelf, fields)  # a summary that a maintainer has to shorten is no reason to turn a paper away
        return stub, why
    return _made(shelf, fields), None


def _made(shelf: stubs.Shelf, fields: dict[str, Any]) -> stubs.Stub:
    try:
        return shelf.make(fields)
    except stubs.DuplicateError as error:
        raise FormError(code(error), duplicate=error.key) from error
    except stubs.StubError as error:
        raise FormError(f"These answers make no valid entry yet: {code(error, 1_500)}") from error


def _proposal(
    answers: Mapping[str, str], stub: stubs.Stub, notes: Sequence[str], left_out: str | None, number: int
) -> str:
    """The text of the pull request."""
    name = stub.path.stem
    lines = [
        f"Adds {code(name)} from the form of issue #{number}. Closes #{number}.",
        "",
        "Nobody has held these facts against the paper yet. Before merging:",
        "",
        f"- [ ] `atlas verify {name}`",
        "- [ ] decide on category, kind, family and attributes",
        "- [ ] write the summary, or make sure that it is the sender's own",
    ]
    if answers["category"] == NO_CATEGORY:
        lines.append(f"- [ ] the sender leaves the category open; {code(stub.paper.categories[0])} is a placeholder")
    if stub.namesakes:
        same = ", ".join(map(code, stub.namesakes))
        lines.append(f"- [ ] {same} has the same title: are these two papers?")
    notes = [*notes, *stub.doubts]
    if notes:
        lines += ["", "Notes:", "", *(f"- {code(note, 1_000)}" for note in notes)]
    if left_out:
        lines += ["", f"The summary that was sent is left out: {code(left_out, 600)}", "", block(answers["summary"])]
    return "\n".join(lines) + "\n"


def _thanks(stub: stubs.Stub) -> str:
    return (
        f"Thank you. This makes a new entry, {code(stub.path.stem)}; a maintainer starts its pull request by setting"
        " the label `accepted`, and completes it there.\n\n" + block(stub.text) + "\n"
    )


# --- a correction ---------------------------------------------------------------------------------------------


def correct_entry(corpus: Corpus, answers: Mapping[str, str], number: int) -> Result:
    """A note for the maintainers: what the entry says now, what the sender says, and on whose word."""
    key = find_key(corpus, answers["key"])
    entry = next(entry for entry in corpus.entries if entry.key == key)
    path = entry.path.relative_to(corpus.root).as_posix()
    paper = corpus.papers.get(key)
    shown = {"title", "authors", "date", "venue", "ids", "links", "categories"}
    facts = paper.model_dump(include=shown) if paper else {}
    now = emit({name: _bare(value) for name, value in facts.items()}).partition("\n")[2] if facts else entry.text
    addresses = [word.strip("<>()[],;.") for word in answers["source"].split() if re.match(r"<?https?://", word)]
    told = [link(url) for url in addresses[:5] if not bad_link(url)]
    lines = [
        f"A correction for {code(key)} (`{path}`), for a maintainer to judge; nothing was changed.",
        "",
        "What the entry says now:",
        "",
        block(now),
        "",
        "What the sender writes:",
        "",
        block(answers["correction"]),
        "",
        f"Source: {' '.join(told) if told else code(answers['source'], 1_000)}",
    ]
    if not told:
        lines.append("\nThat is no address. Please add the page that proves it: arXiv, a DOI, the venue's page.")
    lines += ["", f"After the change: `atlas fmt {key} && atlas validate {key} && atlas verify {key}`"]
    return Result("correct-entry", number, ok=True, key=key, message="\n".join(lines) + "\n")


def find_key(corpus: Corpus, text: str) -> str:
    """The key that is meant: the key itself, its page's address, its file, an identifier. FormError names the
    nearest ones."""
    keys = {entry.key.lower(): entry.key for entry in corpus.entries}
    path = re.split("[?#]", text.strip().lower())[0].rstrip("/")
    last = re.split(r"[/\\]", path)[-1]
    words = [text.strip().lower(), last, re.sub(r"\.(ya?ml|html|md)$", "", last)]
    for word in words:
        if word in keys:
            return keys[word]
    try:
        wanted = identify(text)
    except IdentifyError:
        pass
    else:
        for key, paper in corpus.papers.items():
            if wanted in paper.ids.items():
                return key
    by_name = {paper.name.lower(): key for key, paper in corpus.papers.items() if paper.name}
    if words[0] in by_name:
        return by_name[words[0]]
    near = get_close_matches(words[-1][:60], list(keys), n=3, cutoff=0.6)
    hint = "the key stands in the address of the paper's page."
    if near:
        hint = f"did you mean {' or '.join(code(keys[word]) for word in near)}?"
    raise FormError(f"There is no entry {code(text)}: {hint}")


def _bare(value: Any) -> Any:
    """A dumped value without what is empty."""
    if isinstance(value, dict):
        return {name: item for name, item in value.items() if item not in (None, [], {})}
    return value


# --- the event, the folder, the command line ------------------------------------------------------------------


@dataclass(frozen=True)
class Issue:
    """What an event says of its issue."""

    kind: str
    number: int
    body: str


def read_event(path: Path) -> Issue:
    """The issue of a GitHub event. WrongUseError where the file is no such event."""
    try:
        if path.stat().st_size > MAX_EVENT:
            raise WrongUseError(f"{path} is larger than {MAX_EVENT:,} bytes")
        event = json.loads(path.read_text(encoding="utf-8"))
        issue = event["issue"]
        labels = {str(label["name"]) for label in issue["labels"]}
        number, body = issue["number"], issue["body"] or ""
        kinds = [kind for kind in FORMS if kind in labels]
        if type(number) is not int or not 0 < number < 10**9 or not isinstance(body, str):
            raise TypeError("number or body")  # noqa: TRY301  one message for all of these
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise WrongUseError(f"{path} is no event of an issue ({plain(error, 100)})") from error
    if len(kinds) != 1:
        raise WrongUseError(f"the issue needs exactly one of the labels {' and '.join(FORMS)}")
    return Issue(kinds[0], number, body)


def handle(corpus: Corpus, issue: Issue, *, online: bool = False) -> Result:
    """What becomes of the issue; a form that cannot be taken is a result, too."""
    try:
        answers = parse_form(issue.body, issue.kind)
        if issue.kind == "add-paper":
            return add_paper(corpus, answers, issue.number, online=online)
        return correct_entry(corpus, answers, issue.number)
    except FormError as error:
        listed = "\n".join(f"- {fault}" for fault in error.faults)
        message = (
            "Thank you. This form cannot be taken yet:\n\n" + listed + "\n\nPlease edit the issue's text;"
            " a maintainer sets its label again then.\n"
        )
        if error.duplicate:
            message = f"Thank you. {error.faults[0]}\n"
        return Result(issue.kind, issue.number, ok=False, message=message, duplicate=error.duplicate)


def write(result: Result, out: Path) -> None:
    """Hands the result over as files."""
    write_text(out / "message.md", result.message)
    if result.path and result.text and result.body:
        write_text(out / "body.md", result.body)
        write_text(out / "files" / result.path, result.text)
    write_json(out / "result.json", result.as_json())


def apply(corpus: Corpus, folder: Path) -> str:
    """Puts the entry of a handed-over result into its place and returns its path. WrongUseError where anything
    is not as `write` makes it, or where the entry would bring an error with it."""
    try:
        told = json.loads(_regular(folder / "result.json", MAX_EVENT).read_text(encoding="utf-8"))
        files, number = told["files"], told["number"]
        sound = told["ok"] is True and told["kind"] == "add-paper" and type(number) is int and len(files) == 1
        name = str(files[0]) if sound else ""
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise WrongUseError(f"{folder} holds no result ({plain(error, 100)})") from error
    found = re.fullmatch(r"papers/(\d{4})/([a-z0-9]{5,80})\.yml", name, re.ASCII)
    key = found[2] if found else ""
    match = KEY.match(key)
    if not found or not match or match[1] != found[1]:
        raise WrongUseError("the result names no entry that may be added")
    expected = Result("add-paper", number, ok=True, message="", key=key, path=name)
    if told.get("branch") != expected.branch or told.get("title") != expected.title:
        raise WrongUseError("branch or title are not those of the entry")
    target = corpus.root / name
    if any(entry.key.lower() == key for entry in corpus.entries) or target.exists():
        raise WrongUseError(f"{key} is here already")
    write_bytes(target, _regular(folder / "files" / name, MAX_ENTRY_BYTES).read_bytes())
    errors = [finding for finding in validate(Corpus.load(corpus.root), [target]) if finding.level is Level.ERROR]
    if errors:
        target.unlink()
        raise WrongUseError("; ".join(finding.text() for finding in errors[:5]))
    return name


def _regular(path: Path, limit: int) -> Path:
    """A path that is a plain file of at most `limit` bytes, no link. WrongUseError otherwise."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > limit:
        raise WrongUseError(f"{path.name} is no plain file of at most {limit:,} bytes")
    return path


def main(words: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.issue_form", description="A filled-in issue form as an entry."
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
            raw = _regular(given.body, 4 * MAX_BODY).read_bytes()
            issue = Issue(given.kind, given.number, raw.decode("utf-8", "replace"))
        else:
            parser.error("say with --kind which form it is")
        result = handle(corpus, issue, online=given.online)
        write(result, given.out)
    except (WrongUseError, CorpusError, OSError) as error:
        say.print(f"issue_form: {plain(error, 1_000)}", markup=False)
        return 2
    sys.stdout.write(f"{'ok' if result.ok else 'refused'}: {result.kind} #{result.number} {result.key or ''}\n")
    return 0 if result.ok else 1


if __name__ == "__main__":
    sys.exit(main())
