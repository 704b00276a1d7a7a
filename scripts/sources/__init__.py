"""The public sources of metadata: one client a file, one form of answer (`Metadata`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scripts.sources.acl import AclAnthology
from scripts.sources.arxiv import Arxiv
from scripts.sources.crossref import Crossref
from scripts.sources.datacite import DataCite
from scripts.sources.dblp import Dblp
from scripts.sources.errors import NotFoundError, SourceDownError, SourceError
from scripts.sources.http import Client
from scripts.sources.match import same_paper
from scripts.sources.metadata import Metadata
from scripts.sources.openalex import OpenAlex
from scripts.sources.openreview import OpenReview
from scripts.sources.semanticscholar import SemanticScholar
from scripts.sources.settings import Settings

__all__ = ["Client", "Metadata", "NotFoundError", "Settings", "SourceDownError", "SourceError", "Sources"]


@dataclass(frozen=True)
class Sources:
    """Every source behind one polite client."""

    arxiv: Arxiv
    crossref: Crossref
    datacite: DataCite
    acl: AclAnthology
    openreview: OpenReview
    dblp: Dblp
    semanticscholar: SemanticScholar
    openalex: OpenAlex

    @classmethod
    def over(cls, client: Client) -> Sources:
        """All sources, asked through `client`."""
        return cls(
            Arxiv(client), Crossref(client), DataCite(client), AclAnthology(client), OpenReview(client),
            Dblp(client), SemanticScholar(client), OpenAlex(client),
        )  # fmt: skip

    def fetch(self, kind: str, identifier: str) -> Metadata:
        """The paper with this identifier, from the source that gave it out. NotFoundError,
        SourceDownError."""
        match kind:
            case "arxiv":
                return self.arxiv.fetch(identifier)
            case "acl":
                return self.acl.fetch(identifier)
            case "openreview":
                return self.openreview.fetch(identifier)
            case "s2":
                return self.semanticscholar.fetch(identifier)
            case "doi":
                return self._by_doi(identifier)
        raise ValueError(f"no source for identifiers of kind '{kind}'")

    def _by_doi(self, doi: str) -> Metadata:
        """Crossref knows the publishers' DOIs, DataCite those of arXiv and other repositories."""
        first, second = (self.datacite, self.crossref) if _repository(doi) else (self.crossref, self.datacite)
        try:
            return first.fetch(doi)
        except NotFoundError:
            return second.fetch(doi)

    def opinions(
        self, title: str, authors: list[str], ids: Mapping[str, str], *, all_of_them: bool = True
    ) -> Iterator[Metadata | SourceError]:
        """What DBLP, and with `all_of_them` Semantic Scholar and OpenAlex, say of a paper that is known
        already.

        Only records that agree in title and authors come back; a source that is down comes back as its error.
        """

        def mine(record: Metadata) -> bool:
            return same_paper(title, authors, record.title, record.authors)

        try:
            yield from filter(mine, self.dblp.search(title))
        except SourceError as error:
            yield error
        if not all_of_them:
            return
        kind = next((kind for kind in ("arxiv", "doi", "acl", "s2") if ids.get(kind)), None)
        if kind:
            try:
                yield from filter(mine, [self.semanticscholar.fetch(ids[kind], kind)])
            except NotFoundError:
                pass
            except SourceError as error:
                yield error
        try:
            yield from filter(mine, self._openalex(title, ids))
        except NotFoundError:
            pass
        except SourceError as error:
            yield error

    def _openalex(self, title: str, ids: Mapping[str, str]) -> list[Metadata]:
        doi = ids.get("doi") or (f"10.48550/arXiv.{ids['arxiv']}" if ids.get("arxiv") else None)
        return [self.openalex.fetch(doi)] if doi else self.openalex.search(title)


def _repository(doi: str) -> bool:
    return doi.lower().startswith(("10.48550/", "10.5281/"))
