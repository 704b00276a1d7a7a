"""A new paper: a stub of its entry from the answers of a form, and the words for its pull request."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from scripts.forms.handover import Result
from scripts.forms.reading import FORMS, NO_CATEGORY, FormError, people
from scripts.imports import stubs
from scripts.imports.identify import Identifier, IdentifyError, identify
from scripts.model import Corpus
from scripts.model.identifiers import DATE, arxiv_month
from scripts.model.paper import Paper
from scripts.upkeep.reports import block, code

MAX_AUTHORS = 500


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
