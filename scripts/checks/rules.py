"""Every rule by its id: how bad a breach is and why the rule exists. The site lists this table for contributors."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.checks.findings import Level

E, W, I = Level.ERROR, Level.WARNING, Level.INFO  # noqa: E741


@dataclass(frozen=True)
class Rule:
    """A rule's id, level and reason."""

    id: str
    level: Level
    reason: str


_TABLE = [
    # reading the file
    ("not-a-file", E, "An entry is a plain file; folders, links and devices are not read."),
    ("too-large", E, "An entry takes about 3 KB; a far larger file is an accident or an attack."),
    ("encoding", E, "Names of authors need one encoding that everybody can read: UTF-8 without BOM."),
    ("empty-file", E, "An empty file is a forgotten one."),
    ("yaml-syntax", E, "What cannot be parsed cannot be checked."),
    ("yaml-feature", E, "Aliases, tags, doubled keys and deep nesting hide content or exhaust a reader."),
    # the form of an entry
    ("unknown-key", E, "A misspelt key would silently drop a fact."),
    ("missing-key", E, "Title, kind and categories place a paper; without them it cannot be shown."),
    ("wrong-type", E, "Tools rely on the type of each field."),
    ("key-form", E, "Keys are cited: family name, year, short name, in lower-case ASCII letters and digits."),
    ("key-folder", E, "The folder, the key and the date must tell the same year, or nobody finds the file."),
    ("vocabulary", E, "A facet works only if its values come from one list."),
    ("category", E, "Every paper has its place in the taxonomy."),
    ("family", E, "A family belongs to the primary category."),
    ("survey-placement", W, "Where the Atlas files a method elsewhere than the survey, a reader is told why."),
    ("benchmark-spelling", E, "One benchmark under three names cannot be searched."),
    ("canonical", E, "One way to write an entry: a diff then shows facts only."),
    # facts
    ("identifier", E, "A malformed identifier leads nowhere."),
    (
        "identifier-mismatch",
        E,
        "The DOI of an ACL paper contains its Anthology id; if not, one of them is wrong.",
    ),
    ("date-future", E, "A first public version cannot lie in the future."),
    ("date-before-arxiv", E, "The first public version cannot be later than the arXiv id's month."),
    ("venue-year", W, "A venue long before the first version is mostly a slip."),
    ("link", E, "Links are shown to readers: http(s) only, with a host, without credentials."),
    ("checked-source", E, "A fact is checked against a source that will last, not against a mirror."),
    ("author-name", E, "Citations are made from the names as they stand."),
    ("author-namesake", I, "Two authors may share a name, but a list copied twice is more frequent."),
    ("title-capitals", E, "Capitals are the style of a venue's page, not the title."),
    ("title-form", W, "A title ends without a full stop and holds no doubled blanks."),
    ("summary-length", E, "Two to four sentences: enough to decide, short enough to read."),
    ("summary-missing", W, "An entry that was checked can be summarised."),
    ("summary-unknown", I, "Nothing could be read of this paper yet, so its summary is unknown."),
    ("unverified", I, "The entry was never held against its sources; the site says so."),
    ("text-html", E, "Entries are plain text; markup is shown as it stands."),
    ("text-control", E, "Invisible characters break search and can disguise text."),
    ("version", E, "Another version is noted for what it says otherwise, and named so that it can be found."),
    ("version-figures", E, "Figures differ between versions: a reader must know whose the summary quotes."),
    ("notes-against-fields", W, "A note that contradicts a field leaves a reader with two truths."),
    ("identifier-left-out", W, "An identifier that follows from another one belongs to the citation."),
    ("access-before", W, "What decides before any answer cannot have seen one."),
    ("version-in-notes", W, "A title that stands in a note alone reaches no citation and no search."),
    # between entries
    ("duplicate-key", E, "A key names one entry."),
    ("duplicate-identifier", E, "Two entries with one identifier are one paper."),
    ("duplicate-title", E, "Two entries with one title and a common author are nearly always one paper."),
    ("same-title", W, "Two papers may share a title; somebody should have looked."),
    ("near-duplicate-title", W, "Nearly equal titles with a common author: a preprint and its publication?"),
    ("summary-equal", E, "Each summary is written for its paper."),
    ("relation", E, "A relation to an entry that is not there helps nobody."),
    ("relation-source", E, "A source is named for a relation that the entry states."),
    ("relation-unsourced", I, "Who builds on whom and who compares with whom stands where a text says so."),
    # the claims of the field (taxonomy/claims.yml)
    (
        "claim",
        E,
        "A claim names entries, methods and results that exist, and is tested by a rule that can be computed.",
    ),
    ("claim-figure", E, "A figure is quoted as it stands in its source, never from memory."),
    # the glossary (taxonomy/glossary.yml)
    ("glossary", E, "A name means one thing here, in a few plain sentences, and all that a term names exists."),
    # the guides (taxonomy/guides.yml)
    ("guide", E, "A guide points to what exists; its numbers come from results and entries, never from memory."),
    # Chinese (`zh` in the files of taxonomy/)
    ("chinese", E, "What is said in Chinese has the same parts as what is said in English."),
    ("chinese-missing", I, "A reader of Chinese meets English here."),
    ("chinese-stale", I, "The English was changed after the Chinese was written; the site says so."),
]

RULES: dict[str, Rule] = {rule_id: Rule(rule_id, level, reason) for rule_id, level, reason in _TABLE}
