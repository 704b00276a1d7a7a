"""Fuzzing of everything that reads what strangers wrote: `python -m tests.fuzz --executions 1000000`.

Inputs are made from seeds by mutation, in this process. A reader may raise the errors that it documents and no
other; nor may it take longer than `--slowest` seconds. What breaks a reader is written to build/fuzz/.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from reference_impls import recorded
from reference_impls.recorded import files
from scripts.forms.reading import FORMS, FormError, Issue, parse_form
from scripts.forms.reply import handle
from scripts.imports import bibtex, stubs
from scripts.model import Corpus, yaml_reader
from scripts.model.corpus import Entry, entry_files, read_data
from scripts.model.taxonomy import Taxonomy
from scripts.model.vocabulary import Vocabulary
from scripts.model.yaml_reader import UnreadableError

ROOT = Path(__file__).resolve().parents[1]
MAX_INPUT = 6000  # bytes: long inputs make fewer executions, and no other paths


@dataclass(frozen=True)
class Target:
    """A reader: the call, the errors that it documents, inputs to begin with, and pieces of its language."""

    read: Callable[[bytes], object]
    documented: tuple[type[Exception], ...]
    seeds: tuple[bytes, ...]
    pieces: tuple[bytes, ...]


def read_yaml(raw: bytes) -> object:
    """As `yaml_reader.read_text` and `parse` do with a file's bytes."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError("encoding", "not UTF-8", "save the file as UTF-8") from error
    return yaml_reader.parse(text)


def read_form(raw: bytes) -> object:
    """The text of an issue as either form; bytes that are no UTF-8 stand for lone surrogates, which JSON can hold."""
    text = raw.decode("utf-8", "surrogateescape")
    for kind in FORMS:
        with suppress(FormError):
            parse_form(text, kind)
    return parse_form(text, "add-paper")


class Recordings:
    """A recording's files, one after the other in one input; those without content are not there."""

    MARK = b"\n=====\n"
    FILES = ("queries.jsonl", "responses.jsonl", "models.yml", "replies.jsonl", "scorer.json")

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()

    def read(self, raw: bytes) -> object:
        """ValueError, in one line, for what is no recording."""
        folder = Path(self.folder.name)
        parts = raw.split(self.MARK, len(self.FILES) - 1)
        for number, name in enumerate(self.FILES):
            content = parts[number] if number < len(parts) else b""
            if content or number < 2:
                (folder / name).write_bytes(content)
            else:
                (folder / name).unlink(missing_ok=True)
        found, _ = files.problems(folder)
        for line in found:
            if "\n" in line or not line.startswith(str(folder)):
                raise AssertionError(f"no line that names a file: {line}")
        try:
            made = recorded.load(folder)
        except ValueError as error:
            if str(error) not in found:
                raise AssertionError(f"the check did not tell: {error}") from error
            raise
        if found:
            raise AssertionError(f"the reader did not mind: {found[0]}")
        return made


def small_corpus() -> Corpus:
    """Some of the entries."""
    root = ROOT / "taxonomy"
    entries = [Entry.read(path) for path in entry_files(ROOT / "papers")[::20]]
    taxonomy = read_data(root / "taxonomy.yml", Taxonomy)
    return Corpus(ROOT, taxonomy, read_data(root / "vocabulary.yml", Vocabulary), entries)


class Imports:
    """A whole .bib file, and a stub of each of its entries, as `atlas import bibtex` makes them."""

    def __init__(self) -> None:
        self.corpus = small_corpus()

    def read(self, raw: bytes) -> object:
        """What `bibtex.read` says; an entry that makes no stub is told, and the others go on."""
        found = bibtex.read(raw)
        shelf = stubs.Shelf(self.corpus)
        for entry in found.entries:
            with suppress(stubs.StubError):
                shelf.make({**entry.fields, "name": stubs.name_in(entry.fields["title"])})
        return found


class Issues:
    """The whole way of an issue: form, stub, note. What comes back must be writable, whatever was sent."""

    def __init__(self) -> None:
        self.corpus = small_corpus()

    def read(self, raw: bytes) -> object:
        """FormError where the issue is turned down, so that the count of what was read tells something."""
        text = raw.decode("utf-8", "surrogateescape")
        for kind in FORMS:
            result = handle(self.corpus, Issue(kind, 7, text))
            json.dumps(result.as_json())
            "".join([result.message, result.body or "", result.text or "", result.path or ""]).encode()
            if result.ok:
                return result
        raise FormError("turned down")


def _form(**answers: str) -> bytes:
    """A filled-in form."""
    fields = FORMS["add-paper"].items()
    return "\n\n".join(
        f"### {field.label}\n\n{answers.get(name, '_No response_')}" for name, field in fields
    ).encode()


def targets() -> dict[str, Target]:
    """Every reader by its name."""
    entries = sorted((ROOT / "papers").rglob("*.yml"))[::40]
    bib = (ROOT / "tests" / "scripts" / "imports" / "real.bib").read_bytes()
    blocks = tuple(b"@" + block for block in bib.split(b"\n@") if block)
    paper = {
        "identifier": "https://arxiv.org/abs/2601.01234v2",
        "title": "LateBird: Asking Models One After the Other",
        "authors": "Ada Example\nBo Sample",
        "category": "after/cascade",
    }
    forms = (
        _form(**paper),
        _form(**paper, code="https://github.com/a/b", date="2026-01-02", summary="One thing. Another thing."),
        _form(**{**paper, "identifier": "10.1145/3580305.3599342", "category": "I do not know"}, date="2023"),
        b"### Entry\n\nong2024routellm\n\n### What is wrong, and what is right\n\nAll.\n\n### Source\n\nhttps://a.example",
    )
    form_pieces = (
        *(f"\n### {field.label}\n".encode() for fields in FORMS.values() for field in fields.values()),
        b"\n", b"\r\n", b"\r", b"_No response_", b"### ", b"- ", b"1. ", b", ", b" and ", b": ", b"`", b"```\n",
        b"@x", b"<b>", b"&amp;", b"'", b'"', b"\\", b"#", b"&a ", b"*a", b"{", b"[", b"\x00", b"\x1b[0m",
        b"\xe2\x80\xae", b"\xff", b"\xed\xa0\x80", b"\xe6\x9d\x8e", b"arXiv:2406.18665",
        b"doi.org/10.1/", b"2024-02-30", b"http://[",
    )  # fmt: skip
    return {
        "form": Target(read_form, (FormError,), forms, form_pieces),
        "issue": Target(Issues().read, (FormError,), forms, form_pieces),
        "yaml": Target(
            read_yaml,
            (UnreadableError,),
            (
                b"a: [1, {b: c}]\n", b"? x\n: y\n", b"%YAML 1.2\n---\na: >-\n  b\n...\n",
                *(path.read_bytes() for path in entries),
            ),
            (
                b": ", b"- ", b"\n", b"  ", b"[", b"]", b"{", b"}", b", ", b"'", b'"', b"#", b"&a ", b"*a",
                b"!!python/object:os.system ", b"!<x> ", b"|", b">-\n ", b"? ", b"---\n", b"...\n", b"%TAG ! x\n",
                b"\t", b"\\x", b"\xef\xbb\xbf", b"\xc2\x85", b"\xe2\x80\xa8", b"<<: ", b"~", b"null", b"0x1F",
                b"1e5", b"2024-01-01", b"\x00", b"\x07", b"@", b"`",
            ),
        ),
        "recording": Target(
            Recordings().read,
            (ValueError,),
            (
                Recordings.MARK.join([
                    b'{"id": "a", "prompt": "?", "reference": null, "task": "t", "split": "test"}',
                    b'{"query_id": "a", "model": "m", "sample": 0, "answer": "2", "score": 0.5, "latency": 1e-3}',
                    b"m: {prompt: 1, completion: 2}",
                ]),
                Recordings.MARK.join([
                    b'{"id": "a", "prompt": "?", "task": "t", "split": "test", "metadata": {"x": [1]}}',
                    b'{"query_id": "a", "model": "m", "text": "2", "tokens": ["2"], "logprobs": [-1, -2]}',
                    b"m: {prompt: 1, completion: 2, dress: terse}",
                    b'{"model": "m", "prompt": "2?", "seed": 4, "replies": [{"text": "yes"}, {"grade": 4}]}',
                    b'{"kind": "regex", "pattern": "a(.)"}',
                ]),
            ),
            (
                b"{", b"}", b"[", b"]", b",", b":", b'"', b"\n", b"null", b"true", b"-1", b"1e999", b"NaN",
                b"1" * 4400, b"[" * 2000, b'"\\ud800"', b'"\\u0000"', b"\\", b"\xef\xbb\xbf", b"\xff", b"\x00", b"\r",
                b'"cost": ', b'"sample": 1', b'"text": "', b"&a ", b"*a", b"!!python/name:os ", b"<<: ", b"? ", b"\t",
                b"Infinity", b"---\n", Recordings.MARK, b'"replies": [{}]', b'"seed": ',
                b'"kind": "json", "keys": ["a"]', b'"status": "cut"', b'"messages": [',
                b'"grade": ', b"[-1, 1]", b'{"role": "user"}', b'"pattern": "(?:a*)*"', b"dress: ",
            ),
        ),
        "bibtex": Target(
            Imports().read,
            (bibtex.BibtexError,),
            (bib, b'@string{a = "b" # c}\n@misc{k, title = a # {x}}', *blocks),
            (
                b"@article{", b"@string{", b"@comment{", b"@preamble(", b"@misc(", b"{", b"}", b"(", b")", b'"',
                b"#", b",", b"=", b"\n@", b"\\", b"\\'", b'\\"{', b"\\begin{x}", b"\\end{x}", b"$", b"$$", b"\\(",
                b"\\[", b"%", b"&", b"~", b"--", b"``", b" and ", b" and others", b"crossref = {k}", b"title = ",
                b"author = {", b"eprint = {2406.18665}", b"doi = {10.1/", b"\\frac", b"\\item", b"\\href",
                b"\\verb|", b"\\char", b"\\sqrt[", b"\\c", b"\\i", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\x00",
                b"\\newcommand{\\x}{\\x}", b"@comment{", b"\n% ", b"\n@misc{z, title = {Z}}\n", b"\\}", b"\\{",
                b"family=", b", given=", b", prefix=", b" 0001", b"et al.", b";", b" \\& ", b"\\url{",
                b"https://doi.org/10.1/", b"10.1002/(SICI)1:1<1::AID-A1>3.0.CO;2-6", b"arXiv:cs/0112017", b"%3C",
                b"$<$", b"{\\_}", b"\\textless", b"booktitle = {", b"journal = {", b"AAAI/ACM", b"'93", b"www.",
                b"co-located with ICLR", b"&lt;", b"<i>", b"\\texttt{", b"\\unknown", b"\\mathcal{L}", b"\xc2\xad",
            ),
        ),
    }  # fmt: skip


def mutated(target: Target, pool: list[bytes], chance: random.Random) -> bytes:
    """An input from the pool with one to six changes."""
    data = bytearray(chance.choice(pool))
    for _ in range(chance.randint(1, 6)):
        place = chance.randint(0, len(data))
        match chance.randrange(8):
            case 0 if data:
                data[place % len(data)] = chance.randrange(256)
            case 1:
                del data[place : place + chance.randint(1, 40)]
            case 2 | 3:
                data[place:place] = chance.choice(target.pieces)
            case 4:
                data[place:place] = chance.choice(target.pieces) * chance.randint(2, 60)
            case 5:
                data[place:place] = data[place : place + chance.randint(1, 80)]
            case 6:
                other = chance.choice(pool)
                cut = chance.randint(0, len(other))
                data[place:] = other[cut:]
            case _:
                del data[place:]
    return bytes(data[:MAX_INPUT])


def run(
    target: Target, chance: random.Random, more: Callable[[int], bool], slowest: float
) -> Iterator[tuple[str, bytes]]:
    """Executes until `more` says no; yields what went wrong, and the input. Returns after 20 faults."""
    pool = [seed[:MAX_INPUT] for seed in target.seeds]
    accepted = done = faults = 0
    worst = 0.0
    while more(done) and faults < 20:
        data = mutated(target, pool, chance)
        start = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, slowest)
        try:
            target.read(data)
        except target.documented:
            pass
        except Exception:  # noqa: BLE001  any other error is what is looked for
            faults += 1
            yield traceback.format_exc(limit=-8), data
        else:
            accepted += 1
            # what was read becomes a seed now and then, so that changes add up
            if accepted % 50 == 0 and len(data) < MAX_INPUT // 2:
                pool[len(target.seeds) + accepted // 50 % 200 :] = [
                    *pool[len(target.seeds) + accepted // 50 % 200 + 1 :],
                    data,
                ]
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        worst = max(worst, time.perf_counter() - start)
        done += 1
    COUNTS.append((done, accepted, worst))


COUNTS: list[tuple[int, int, float]] = []  # executions, accepted inputs and the slowest one's seconds of each run


class TooSlowError(Exception):
    """A reader took longer than it may. No reader documents it, so it counts as a fault."""


def too_slow(*_: object) -> NoReturn:
    """Called by the timer."""
    raise TooSlowError


def main() -> int:
    """The command line. Status 1 where a reader broke."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, help="stop each reader after this long")
    parser.add_argument("--executions", type=int, help="stop each reader after this many (default: 10,000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slowest", type=float, default=5.0, help="seconds that one input may take")
    parser.add_argument("targets", nargs="*", help=f"of: {', '.join(targets())}; default: all")
    options = parser.parse_args()
    limit = options.executions or (None if options.seconds else 10_000)
    known = targets()
    if unknown := set(options.targets) - set(known):
        parser.error(f"there is no reader {', '.join(unknown)}")
    signal.signal(signal.SIGALRM, too_slow)
    broken = 0
    for name in options.targets or known:
        start = time.monotonic()

        def more(done: int, start: float = start) -> bool:
            in_time = not options.seconds or time.monotonic() - start < options.seconds
            return in_time and (limit is None or done < limit)

        for why, data in run(known[name], random.Random(options.seed), more, options.slowest):  # noqa: S311
            broken += 1
            path = ROOT / "build" / "fuzz" / f"{name}-{options.seed}-{broken}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            sys.stderr.write(f"{name}: {path}\n{why}\n")
        done, accepted, worst = COUNTS[-1]
        took = time.monotonic() - start
        sys.stdout.write(
            f"{name}: {done:,} executions, {accepted:,} read, {took:.0f} s, "
            f"{done / took:,.0f} a second, slowest {worst * 1000:.0f} ms\n"
        )
        sys.stdout.flush()
    sys.stdout.write(f"{broken} faults\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
