"""What an entry says in two places must agree: its versions, its notes and fields, its identifiers, its place and the
survey's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scripts.checks.problem import Problem, allowed
from scripts.model.corpus import Corpus
from scripts.model.identifiers import FORMS
from scripts.model.paper import PUBLICATION, Paper
from scripts.model.yaml_reader import YamlPath


def problems(paper: Paper, corpus: Corpus) -> Iterator[Problem]:
    """Where one part of an entry says other than another, or leaves out what another implies."""
    yield from _versions(paper)
    yield from _survey(paper, corpus)
    yield from _notes(paper)
    yield from _identifiers(paper)
    yield from _access(paper)


VERSIONS = ("preprint", "revision", "workshop", PUBLICATION)
# how a summary says whose figures it quotes
_WHOSE = re.compile(r"\b(versions?|preprint|arXiv|publi(cation|shed)|journal|workshop|proceedings)\b", re.IGNORECASE)
# how a note tells another title
_RETITLED = re.compile(
    r"""\b(titled|titles?|called|renamed)\s+(is\s+)?['"“‘][A-Z]|\b[Pp]ublished\b[^.]*\bas\s+['"“‘][A-Z]"""
)


def _versions(paper: Paper) -> Iterator[Problem]:
    for place, one in enumerate(paper.versions):
        path: YamlPath = ("versions", place)
        yield from allowed((*path, "of"), one.of, VERSIONS)
        if not (one.title or one.authors or one.figures):
            yield Problem(path, "version", "says nothing of its own", "give title, authors or figures, or remove it")
        if one.title == paper.title or (one.authors and one.authors == paper.authors):
            yield Problem(path, "version", "repeats the entry's own title or authors", "give what differs")
        if one.of == PUBLICATION and not paper.venue:
            yield Problem(path, "version", "a publication without a venue", "add `venue`, or say revision")
        if one.figures and not _WHOSE.search(paper.summary or ""):
            yield Problem(
                ("summary",),
                "version-figures",
                f"the {one.of} has other figures, and the summary does not say whose it quotes",
                "name the version: in the preprint, in the publication",
            )
    if paper.notes and not any(one.title for one in paper.versions) and _RETITLED.search(paper.notes):
        yield Problem(
            ("notes",),
            "version-in-notes",
            "tells another title of the paper",
            "put it under `versions`: {of: publication, title: ...}",
        )


_ELSEWHERE = re.compile(r"\bsurvey\b", re.IGNORECASE)


def _survey(paper: Paper, corpus: Corpus) -> Iterator[Problem]:
    primary = corpus.taxonomy.category(paper.categories[0])
    if (
        paper.survey
        and primary
        and paper.survey.category != primary.code
        and not _ELSEWHERE.search(paper.notes or "")
    ):
        yield Problem(
            ("categories", 0),
            "survey-placement",
            f"the survey has it under {paper.survey.category}, and no note says why it stands here",
            "say under `notes` what the survey has and which of the category's words decide",
        )


_NO_VENUE = re.compile(r"\bno (venue|publication)\b|\bvenue\b[^.;]*\b(unknown|unconfirmed)\b", re.IGNORECASE)


def _notes(paper: Paper) -> Iterator[Problem]:
    if paper.venue and (found := _NO_VENUE.search(paper.notes or "")):
        yield Problem(
            ("notes",),
            "notes-against-fields",
            f"'{found.group()}' beside the venue {paper.venue.name}",
            "correct the note, or remove the venue",
        )


# Events of the Anthology that give every paper a DOI of this form.
_WITH_DOI = re.compile(r"20(?:2\d|1[6-9])\.(?:acl|emnlp|naacl|eacl|findings)-[a-z]+\.\d+\Z", re.ASCII)


def _identifiers(paper: Paper) -> Iterator[Problem]:
    acl = paper.ids.acl
    if acl and not paper.ids.doi and FORMS["acl"].pattern.match(acl) and _WITH_DOI.match(acl):
        yield Problem(
            ("ids",), "identifier-left-out", f"the DOI of {acl} is left out", f"add 'doi: 10.18653/v1/{acl}'"
        )


def _access(paper: Paper) -> Iterator[Problem]:
    """A decision before any answer sees no answer, unless it learns from them while serving."""
    alone = all(category.startswith("before/") for category in paper.categories)
    sees = paper.attributes.access in ("text", "logprobs", "logits")
    if alone and sees and paper.attributes.supervision != "online" and not paper.notes:
        yield Problem(
            ("attributes", "access"),
            "access-before",
            f"'{paper.attributes.access}' for a decision before any answer",
            "write query, or say under `notes` which answers it sees",
        )
