"""The common reader of answers held against what the public sources' own readers make of the same texts.

``python -m reference_impls.recorded.agreement`` prints both counts for ZeroEval and RouteLLM (GSM8K, from the cache
or ``ATLAS_DATA_MIRROR``), and for MMLU-Pro's texts against their ``pred`` where the mirror holds them;
``--every 50`` reads only each 50th question of MMLU-Pro, ``--show 5`` prints so many texts of each kind.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reference_impls.core.answers import final_answer, given_answer
from reference_impls.recorded import fetch, registry
from reference_impls.recorded.readers import read_source
from reference_impls.recorded.readers.parse import zipped_json

_FIRST_RULE = re.compile(r"answer is \(?([A-J])\)?")
_LAST_LETTER = re.compile(r"\b[A-J]\b")


@dataclass
class Agreement:
    """How often the common reader and a source's agree.

    Attributes:
        texts: responses read.
        same: of them those with one answer in both readings.
        stated, stated_same: of MMLU-Pro the texts in which "the answer is X" names the source's letter, and of them
            those with the same letter in both readings.
        ours, theirs: right answers by the common reader and by the source's.
        kinds: how many differences there are of each kind.
        examples: some texts of each kind: model, their answer, ours, the reference, the end of the text.
    """

    texts: int = 0
    same: int = 0
    ours: int = 0
    theirs: int = 0
    stated: int = 0
    stated_same: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[tuple[str, str | None, str | None, str, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def differ(self, kind: str, model: str, theirs: str | None, ours: str | None, reference: str, text: str) -> None:
        """Notes a difference."""
        self.kinds[kind] += 1
        if len(self.examples[kind]) < 100:
            self.examples[kind].append((model, theirs, ours, reference, text[-300:]))


def gsm8k(name: str, *, cache: Path | None = None) -> Agreement:
    """Of ``zeroeval-gsm8k`` or ``routellm-gsm8k``: right by the common reader against the source's scores.

    Raises:
        ValueError: the files are not there: one line.
    """
    recording = read_source(name, cache=cache)
    references = {query.id: given_answer(query.reference or "", "number") or "" for query in recording.queries}
    found = Agreement()
    for response in recording.responses:
        answer = final_answer(response.text or "", "number")
        right, theirs = answer == references[response.query_id], response.score == 1
        found.texts += 1
        found.ours += right
        found.theirs += theirs
        found.same += right == theirs
        if right != theirs:
            kind = "right by the common reader only" if right else "right by the source's reader only"
            score = f"score {response.score:g}" if response.score is not None else None
            text, reference = response.text or "", references[response.query_id]
            found.differ(kind, response.model, score, answer, reference, text)
    return found


def mmlu_pro(folder: Path, every: int = 1) -> Mapping[str, Agreement]:
    """Of each model's file of MMLU-Pro the letters by the common reader against ``pred``.

    Args:
        folder: with ``model_outputs_*.zip``.
        every: only each so many-th question.
    """
    found = {}
    for file in sorted(folder.glob("model_outputs_*.zip")):
        made = found[file.stem.removeprefix("model_outputs_").removesuffix("_5shots")] = Agreement()
        for row in zipped_json(file)[::every]:
            text, theirs = str(row.get("generated_text") or row.get("model_outputs") or ""), row["pred"]
            ours = final_answer(text, "choice")
            made.texts += 1
            made.ours += ours == row["answer"]
            made.theirs += theirs == row["answer"]
            made.same += ours == theirs
            if theirs in _FIRST_RULE.findall(text):
                made.stated += 1
                made.stated_same += ours == theirs
            if ours != theirs:
                made.differ(difference(text, theirs, ours), file.stem, theirs, ours, str(row["answer"]), text)
    return found


def difference(text: str, theirs: str | None, ours: str | None) -> str:
    """What kind of difference there is between MMLU-Pro's letter and ours."""
    if theirs is None:
        return "theirs reads only 'the answer is X', ours another statement"
    if theirs in _FIRST_RULE.findall(text):
        if ours is not None and "," in ours:
            return "the text names several letters, theirs takes the first"
        return "the text states several answers, theirs takes the first, ours the last"
    if theirs in _LAST_LETTER.findall(text):
        return "no statement: theirs takes the last capital letter of the text, whatever it stands for"
    return "theirs stands nowhere in the text"


def main() -> None:
    """Prints all agreements."""
    parser = argparse.ArgumentParser(description="The common reader of answers against the sources' own readers.")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th question of MMLU-Pro")
    parser.add_argument("--show", type=int, default=0, help="so many texts of each kind of difference")
    chosen = parser.parse_args()
    for name in ("zeroeval-gsm8k", "routellm-gsm8k"):
        _print(name, gsm8k(name), chosen.show)
    source = registry.source("mmlu-pro")
    folder = fetch.fetch(source)[source.files[0].path].parent
    whole = Agreement()
    for model, found in mmlu_pro(folder, chosen.every).items():
        print(f"{model}: {found.same / found.texts:.4f} of {found.texts}")
        for part in ("texts", "same", "stated", "stated_same", "ours", "theirs"):
            setattr(whole, part, getattr(whole, part) + getattr(found, part))
        whole.kinds.update(found.kinds)
        for kind, examples in found.examples.items():
            whole.examples[kind].extend(examples)
    _print("MMLU-Pro", whole, chosen.show)


def _print(name: str, found: Agreement, show: int) -> None:
    share = found.same / found.texts
    print(f"{name}: {found.texts} texts, {share:.4f} agree; right: {found.ours} here, {found.theirs} by the source")
    if found.stated:
        print(
            f"  where the text states the source's letter: {found.stated_same / found.stated:.4f} of {found.stated}"
        )
    for kind, count in found.kinds.most_common():
        print(f"  {count:6} {kind}")
        for example in found.examples[kind][:: max(1, len(found.examples[kind]) // max(show, 1))][:show]:
            print(f"         {example}")


if __name__ == "__main__":
    main()
