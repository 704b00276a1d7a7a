"""Authors' names: which are a group's, and the parts of a person's that citations want apart."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from pydantic_core import PydanticCustomError


class GroupName(str):
    """The name of a group, as an entry's `{group: ...}` says. A string to everything that only prints names."""

    __slots__ = ()


class Name(NamedTuple):
    """A person's name in parts, each as it is printed; 'Jr.' and the like are the suffix."""

    given: str
    particle: str
    family: str
    suffix: str
    comma: bool  # before the suffix


def author(value: object) -> str:
    """An item of `authors` in an entry: a name, or a mapping whose only key `group` holds one."""
    if isinstance(value, dict) and set(value) == {"group"} and isinstance(value["group"], str):
        value = GroupName(value["group"])
    if not isinstance(value, str):
        raise PydanticCustomError("author", "input should be a name, or 'group: a name' for a group's")
    if not value:
        raise PydanticCustomError("author", "a name should have at least one character")
    return value


def written(name: str) -> str | dict[str, str]:
    """How an entry writes an author: a plain string unless only `{group: ...}` tells that it is a group."""
    return {"group": str(name)} if isinstance(name, GroupName) and not _looks_like_group(str(name)) else str(name)


def is_group(name: str) -> bool:
    """Whether an author is a group: because the entry says so, or because no person is called like that."""
    return isinstance(name, GroupName) or _looks_like_group(name)


# Words that end the name of a group, and no person's. Those that are family names, too ("Press", "Brain", "Union"),
# are not among them; `{group: ...}` is there for the rest.
_LAST = frozenset(
    re.findall(
        r"\S+",
        """
        academy agency alliance association associates authors center centre coalition collaboration
        collaborators collective college commission committee community consortium contributors cooperative
        corp corporation council department developers federation forum foundation gmbh group groups inc incorporated
        initiative institute institutes institution intelligence lab laboratories laboratory labs limited llc ltd
        maintainers ministry network organisation organization partnership project research school society studio
        studios team teams technologies university universities workshop
        """,
    )
)
# ... and words that begin one, where 'of', 'for' or the like follows
_FIRST = re.compile(
    r"(The\s+)?([A-Z][\w-]*\s+){0,2}(Academy|Agency|Association|Board|Cent(er|re)|College|Commission|Committee"
    r"|Consortium|Council|Department|Faculty|Federation|Foundation|Institute|Laboratory|League|Ministry|Office"
    r"|School|Society|Union|University)\s+(of|for|on|in|at|de|du)\s"
)
_JOINED = re.compile(r"[,;]|(^|\s)(and|&)(\s|$)", re.IGNORECASE)  # two authors rather than one group
_CAPITALS = re.compile(r"[A-Z][A-Z0-9]{2,}\Z")  # NVIDIA, IBM, AI2 (as the only word)
_HUMP = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
# What stands before a capital inside family names: McRae, LeCun, O'Neill, DeWitt, FitzGerald, AlKhamissi, VanderPlas
_PREFIXES = frozenset(
    re.findall(
        r"\S+",
        """
        mc mac o d de del della dello dalla des di da das dos do du le la las lo los l van vande vanden vander von vom
        zu zur ten ter te fitz al el ul ad as abd abdul abu ben bin bint ibn ap ab st saint san santa
        sainte mbi ni nic n m
        """,
    )
)
# Words that companies are named after, and no family: DeepThought, OpenOak. A word made of others, as NaseriFarahi or
# DiazLopez, is a family name where a first name stands before it.
_WORDS = frozenset(
    re.findall(
        r"\S+",
        """
        ai analytics automation big bio block book bot brain bright byte bytes chain chip cloud code compute core
        cyber dance data deep digital drive dynamics edge engine eye face flow forge gen genius graph grid health
        hive hub hugging info insight intel intelligence lab labs language learn learning light link logic loop
        machine matrix med meta micro mind minds ml nano net nets network neural neuro next nlp open page path pixel
        quantum robot robotics scale science seek sense shift signal smart soft solutions space spark speech stack
        stream study super sync synth systems tech technologies think thought time token tool tools true ultra verse
        vision voice ware wave web works
        """,
    )
)
# One or two syllables of Chinese, Korean or Vietnamese as Latin letters write them: JiaHao, SeungHyun, YingjianFu
_SYLLABLES = re.compile(
    r"(?:(?:[bcdfghjklmnpqrstvwxyz]|[zcspktgn]h|gi|ng|ngh|qu|tr|ts|tz|jj|kk|pp|ss|tt)?"
    r"(?:een?|oo(?:n|ng|m|k)?"
    r"|(?:[aeiouy]|[iuoyw][aeou]|[aeo][iuo]|ui|iu|ie|eu|eo|ae|[iy][ae][ou]|yeo|yae|ua[iy]|uye|uoi|oai)"
    r"(?:n|ng|m|nh|k|l|p|t|c|ch|r|h)?)){1,2}\Z"
)


@lru_cache(maxsize=100_000)
def _looks_like_group(name: str) -> bool:
    words = name.split()
    if not words or _JOINED.search(name):
        return False
    last = words[-1].rstrip(".")
    if len(words) > 1 and (last.lower() in _LAST or last == "AI"):
        return True
    if _FIRST.match(name) or (len(words) == 1 and (_CAPITALS.match(last) or last.endswith("-AI"))):
        return True
    return _is_camel(last, alone=len(words) == 1)


def _is_camel(word: str, *, alone: bool) -> bool:
    """Whether a word is made of several, as names of companies are: OpenOak, DeepThought, xAI. `alone`: no first name
    stands before it, so that it need not hold a company's word as long as it is made as no person's name is."""
    humps = _HUMP.findall(word)
    if len(humps) < 2 or "".join(humps) != word:
        return False
    letters = [hump.lower() for hump in humps]
    if letters[0] in _PREFIXES:
        return False
    return not _WORDS.isdisjoint(letters) or (alone and not all(map(_SYLLABLES.match, letters)))


# --- parts of a person's name --------------------------------------------------------------------------------------

_SUFFIX = re.compile(r"(?:Jr|Sr|Jnr|Snr)\.?\Z|(?:II|III|IV|VI|VII|VIII)\Z")
SUFFIX_AFTER_COMMA = re.compile(r",(?=\s*(?:(?:Jr|Sr|Jnr|Snr)\.?|II|III|IV|VI|VII|VIII)\Z)")
_PARTICLES = re.compile(
    r"(al|bin|da|de|del|den|der|di|dos|du|el|ibn|la|le|ten|ter|van|von|zu|zum|zur)\Z", re.IGNORECASE
)
# a comma, a brace, a tie: BibTeX reads them as signs of its own
_SIGNS = re.compile(r"[,{}\\~]")
# names in these scripts put the family first, with or without a blank: they stand as they are
_FAMILY_FIRST = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U000323af]")


@lru_cache(maxsize=100_000, typed=True)  # the same people write many papers; a GroupName is another key than a str
def split(name: str) -> Name | None:
    """The parts of 'Given van der Family Jr.'; None where a name has no such parts: a group's, a single word, a name
    in Chinese characters, a name with signs that BibTeX reads as its own."""
    words = SUFFIX_AFTER_COMMA.sub(" ,", name).split()
    suffix = words.pop() if len(words) > 2 and _SUFFIX.match(words[-1]) else ""
    if comma := bool(suffix) and words[-1] == ",":
        words.pop()
    if len(words) < 2 or _SUFFIX.match(words[-1]) or any(map(_SIGNS.search, words)):
        return None
    if is_group(name) or _FAMILY_FIRST.search(name):
        return None
    small = [place for place, word in enumerate(words[:-1]) if place and _is_small(word)]
    if _is_small(words[0]):
        if _PARTICLES.match(words[0]):
            return None  # a family name alone
        small = []  # who writes the first name small writes none in capitals: bell hooks, danah boyd
    end = small[-1] + 1 if small else len(words) - 1
    start = small[0] if small else end
    if small and start > 1 and _PARTICLES.match(words[start - 1]):
        start -= 1  # Eva Van den Berg
    return Name(" ".join(words[:start]), " ".join(words[start:end]), " ".join(words[end:]), suffix, comma)


def _is_small(word: str) -> bool:
    """Whether the first letter of a word is small."""
    return next((char.islower() for char in word if char.isalpha()), False)
