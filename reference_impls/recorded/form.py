"""The generic recorded form: what models answered to queries, with scores, costs and latencies.

A folder with ``queries.jsonl``, ``responses.jsonl`` and, if prices are known, ``models.yml``. Anyone can bring their
own outcomes in it; the readers of the public sources give the same `Recording`. `load` is strict: the first wrong
line is named with what is wrong and how to mend it, and nothing is returned.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import yaml

from reference_impls.core.answers import LETTERS, given_answer
from reference_impls.core.model import Floats, Price
from reference_impls.core.query import ANSWER_KINDS
from reference_impls.core.suggest import nearest
from reference_impls.recorded.lines import Fields, LineError, objects, shown

SPLITS = ("train", "validation", "test")
QUERIES, RESPONSES, MODELS = "queries.jsonl", "responses.jsonl", "models.yml"
MAX_FILE = 4 * 1024**3
"""Bytes of one file of JSON lines."""
MAX_MODELS_FILE = 1024 * 1024
"""Bytes of models.yml."""


@dataclass(frozen=True, slots=True)
class RecordedQuery:
    """One question that models were asked.

    Attributes:
        id: unique within the recording.
        prompt: what the models were given.
        reference: the right answer, where there is one and it is known.
        task: the task or data set that the query belongs to.
        split: ``train``, ``validation`` or ``test``.
        kind: how its answers are read, one of `ANSWER_KINDS`; None leaves it to the reference.
        options: texts of the options of a multiple-choice question, A first, where they are known.
    """

    id: str
    prompt: str
    reference: str | None
    task: str
    split: str
    kind: str | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedResponse:
    """One response of one model to one query; None stands for what was not recorded.

    Attributes:
        query_id: the query's `id`.
        model: the model's name.
        sample: 0, 1, 2, … where a model was asked more than once.
        text: the whole response.
        answer: the final answer in a form in which equal answers are equal strings.
        score: quality in [0, 1]; 1 is right.
        cost: US dollars.
        prompt_tokens, completion_tokens: what was billed.
        latency: seconds.
        calls: how often the model was called for it, where that was more than once, as by an agent.
    """

    query_id: str
    model: str
    sample: int
    text: str | None
    answer: str | None
    score: float | None
    cost: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    latency: float | None
    calls: int | None = None


#: Keys that are written only where they say something.
ADDED = ("kind", "options", "calls")
QUERY_KEYS = tuple(field.name for field in fields(RecordedQuery))
RESPONSE_KEYS = tuple(field.name for field in fields(RecordedResponse))
#: Other names of kinds.
KINDS = {**{kind: kind for kind in ANSWER_KINDS}, "exact": "text", "multiple_choice": "choice", "yes_no": "yes-no"}
QUERY_REQUIRED = ("id", "prompt", "task", "split")
RESPONSE_REQUIRED = ("query_id", "model")


@dataclass(frozen=True)
class Recording:
    """Queries and the responses of models to them.

    Attributes:
        name: the recording's name; for a folder the folder's.
        queries: in the order of the source.
        responses: those of one query and model in the order of their samples.
        prices: US dollars per million tokens of the models whose price is known.
    """

    name: str
    queries: tuple[RecordedQuery, ...]
    responses: tuple[RecordedResponse, ...]
    prices: Mapping[str, Price]

    @cached_property
    def models(self) -> tuple[str, ...]:
        """Names of the models: first those with a price in the order of the prices, then as they appear."""
        return tuple(dict.fromkeys([*self.prices, *(response.model for response in self.responses)]))

    @cached_property
    def row(self) -> Mapping[str, int]:
        """The position of each query by its `id`."""
        return {query.id: i for i, query in enumerate(self.queries)}

    @cached_property
    def scores(self) -> Floats:
        """[queries, models] scores of sample 0; nan where there is none."""
        return self._table({(r.query_id, r.model): r.score for r in self.responses if r.sample == 0})

    @cached_property
    def costs(self) -> Floats:
        """[queries, models] US dollars of sample 0: as recorded, else price times tokens, else nan."""
        return self._table({(r.query_id, r.model): self.cost_of(r) for r in self.responses if r.sample == 0})

    @cached_property
    def latencies(self) -> Floats:
        """[queries, models] seconds of sample 0; nan where none was measured."""
        return self._table({(r.query_id, r.model): r.latency for r in self.responses if r.sample == 0})

    def cost_of(self, response: RecordedResponse) -> float | None:
        """US dollars of one response: as recorded, else price times tokens, else None."""
        if response.cost is not None:
            return response.cost
        price = self.prices.get(response.model)
        if price is None or response.prompt_tokens is None or response.completion_tokens is None:
            return None
        return price.of(response.prompt_tokens, response.completion_tokens)

    def _table(self, cells: Mapping[tuple[str, str], float | None]) -> Floats:
        table = np.full((len(self.queries), len(self.models)), np.nan)
        column = {model: j for j, model in enumerate(self.models)}
        for (query_id, model), value in cells.items():
            if value is not None:
                table[self.row[query_id], column[model]] = value
        return table

    def resplit(self, *, train: int, validation: int = 0, seed: int) -> Recording:
        """The same data with fresh splits: `train` and `validation` queries drawn at random, the rest for testing.

        Raises:
            ValueError: no query would be left to test on.
        """
        if min(train, validation) < 0 or train + validation >= len(self.queries):
            raise ValueError(
                f"{train} queries to train on and {validation} to validate leave none of {len(self.queries)} for"
                " the test; ask for fewer"
            )
        split = np.full(len(self.queries), "test", dtype="<U10")
        order = np.random.default_rng(seed).permutation(len(self.queries))
        split[order[:train]] = "train"
        split[order[train : train + validation]] = "validation"
        queries = (replace(query, split=str(name)) for query, name in zip(self.queries, split, strict=True))
        return replace(self, queries=tuple(queries))

    def only(self, models: Iterable[str]) -> Recording:
        """The same queries with the responses of some models only, in the order given.

        Raises:
            ValueError: a model that the recording does not know.
        """
        wanted = tuple(dict.fromkeys(models))
        for model in wanted:
            if model not in self.models:
                raise ValueError(f"recording {self.name} has no model {model!r}{nearest(model, self.models)}")
        prices = {model: self.prices[model] for model in wanted if model in self.prices}
        place = {model: j for j, model in enumerate(wanted)}
        kept = sorted((r for r in self.responses if r.model in place), key=lambda r: place[r.model])
        return replace(self, responses=tuple(kept), prices=prices)


def load(folder: Path) -> Recording:
    """A folder in the generic form.

    Raises:
        ValueError: ``file:line: what is wrong (how to mend it)`` for the first thing that is wrong.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder (a recording is a folder with {QUERIES} and {RESPONSES})")
    if (folder / "models.yaml").exists():
        raise ValueError(f"{folder / 'models.yaml'}: would not be read (call it {MODELS})")
    try:
        queries = _queries(_existing(folder / QUERIES))
        responses, models = _responses(_existing(folder / RESPONSES), queries)
        prices = _prices(folder / MODELS, models) if (folder / MODELS).exists() else {}
    except OSError as error:
        raise ValueError(f"{error.filename or folder}: cannot be read: {error.strerror or error}") from error
    return Recording(folder.resolve().name, tuple(queries.values()), responses, prices)


def save(recording: Recording, folder: Path) -> None:
    """Writes the generic form into a new or empty folder, which holds all of it or nothing.

    Raises:
        ValueError: the folder is in use or cannot be written, or the recording could not be loaded again.
    """
    folder = Path(folder)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ValueError(f"{folder}: is there already and not empty (name a new folder)")
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".part", dir=folder.parent))
        try:
            _write_lines(draft / QUERIES, recording.queries, QUERY_KEYS)
            _write_lines(draft / RESPONSES, recording.responses, RESPONSE_KEYS)
            if recording.prices:
                prices = {
                    model: {"prompt": price.prompt, "completion": price.completion}
                    for model, price in recording.prices.items()
                }
                text = yaml.safe_dump(prices, sort_keys=False, allow_unicode=True)
                (draft / MODELS).write_text(text, encoding="utf-8")
            load(draft)  # what it refuses to read is not worth keeping
            draft.chmod(0o755)
            if folder.exists():
                folder.rmdir()
            draft.replace(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise ValueError(f"{folder}: cannot be written: {error.strerror or error}") from error


def _write_lines(file: Path, items: Iterable[RecordedQuery | RecordedResponse], keys: tuple[str, ...]) -> None:
    with file.open("w", encoding="utf-8", newline="\n") as stream:
        for item in items:
            values = {key: getattr(item, key) for key in keys if key not in ADDED or getattr(item, key)}
            stream.write(json.dumps(values, ensure_ascii=False, allow_nan=False) + "\n")


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise ValueError(f"{file}: no such file (a recording is a folder with {QUERIES} and {RESPONSES})")
    if file.stat().st_size > MAX_FILE:
        raise ValueError(f"{file}: larger than {MAX_FILE // 1024**3} GiB (split the recording)")
    return file


def _queries(file: Path) -> dict[str, RecordedQuery]:
    made: dict[str, RecordedQuery] = {}
    for line, values in objects(file):
        row = Fields(file, line, values)
        row.check_keys(QUERY_REQUIRED, (*QUERY_KEYS, "scorer"))
        name, split = row.name("id"), row.name("split")
        if name in made:
            raise row.wrong(f"the query {shown(name)} is there already", "give every query an id of its own")
        if split not in SPLITS:
            raise row.wrong(f"'split' is {shown(split)}", f"write one of {', '.join(SPLITS)}")
        task, prompt = sys.intern(row.name("task")), row.required_text("prompt")
        reference, options = row.written("reference"), row.texts("options")
        kind = _kind(row)
        if options:
            if kind not in (None, "choice"):
                raise row.wrong(f"'options' of a question of kind {kind}", "leave out 'options', or write choice")
            if len(options) > len(LETTERS):
                raise row.wrong(f"{len(options)} options", f"at most {len(LETTERS)}, {LETTERS[0]} to {LETTERS[-1]}")
            if reference and given_answer(reference, "choice", options) not in set(LETTERS[: len(options)]):
                what = f"the reference {shown(reference)} is none of the options"
                raise row.wrong(what, f"write a letter from A to {LETTERS[len(options) - 1]} or the option's text")
        made[name] = RecordedQuery(name, prompt, reference, task, sys.intern(split), kind, options)
    if not made:
        raise LineError(file, 1, "holds no query", "write at least one")
    return made


def _kind(row: Fields) -> str | None:
    """The kind that a line asks for, as ``kind`` or as ``scorer``, a name or an object with a ``kind``."""
    found = None
    for key in ("kind", "scorer"):
        value = row.values.get(key)
        if isinstance(value, dict) and set(value) == {"kind"}:
            value = value["kind"]
        if value is None:
            continue
        if not isinstance(value, str) or value not in KINDS:
            raise row.wrong(f"'{key}' is {shown(value)}", f"write one of {', '.join(KINDS)}, or null")
        if found not in (None, KINDS[value]):
            raise row.wrong(f"'kind' is {found} and 'scorer' is {KINDS[value]}", "keep one of them")
        found = KINDS[value]
    return found


def _responses(
    file: Path, queries: Mapping[str, RecordedQuery]
) -> tuple[tuple[RecordedResponse, ...], frozenset[str]]:
    made: list[RecordedResponse] = []
    samples: dict[tuple[str, str], int] = {}
    known = {name: query.id for name, query in queries.items()}
    for line, values in objects(file):
        row = Fields(file, line, values)
        row.check_keys(RESPONSE_REQUIRED, RESPONSE_KEYS)
        name, model = row.name("query_id"), sys.intern(row.name("model"))
        if name not in known:
            raise row.wrong(f"{QUERIES} has no query {shown(name)}", "correct 'query_id' or add the query")
        name = known[name]  # one string for all responses
        sample, expected = row.count("sample") or 0, samples.get((name, model), 0)
        if sample != expected:
            if sample < expected:
                raise row.wrong(f"sample {sample} of {shown(model)} to {shown(name)} is there already", "remove one")
            raise row.wrong(
                f"sample {sample} of {shown(model)} to {shown(name)} comes before sample {expected}",
                "number the samples of a model 0, 1, 2, … in the order of the file",
            )
        samples[name, model] = expected + 1
        text, answer, score = row.text("text"), row.written("answer"), row.number("score", 1)
        if text is None and answer is None and score is None:
            mend = 'give at least one of them; of a call that failed, "text": ""'
            raise row.wrong("neither text nor answer nor score", mend)
        if answer is not None and len(answer) < 32:
            answer = sys.intern(answer)
        response = RecordedResponse(
            name, model, sample, text, answer, score,
            row.number("cost"), row.count("prompt_tokens"), row.count("completion_tokens"), row.number("latency"),
            row.count("calls"),
        )  # fmt: skip
        made.append(response)
    answered = {name for name, _ in samples}
    for number, name in enumerate(queries, 1):
        if name not in answered:
            what = f"no model answered the query {shown(name)}"
            raise LineError(file.with_name(QUERIES), number, what, f"remove it or add a response to {RESPONSES}")
    return tuple(made), frozenset(model for _, model in samples)


def _prices(file: Path, models: frozenset[str]) -> dict[str, Price]:
    """Walks the nodes of the YAML document, so that no alias and no tag ever becomes an object."""

    def wrong(node: yaml.Node, what: str, mend: str) -> LineError:
        return LineError(file, node.start_mark.line + 1, what, mend)

    form = "write `model: {prompt: 0.5, completion: 1.5}`, US dollars per million tokens"
    made: dict[str, Price] = {}
    root = _yaml(file)
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.MappingNode):
            raise wrong(key, "no model with a price", form)
        model = str(key.value)
        if model not in models:
            raise wrong(key, f"{RESPONSES} has no model {shown(model)}", f"remove it{nearest(model[:512], models)}")
        if model in made:
            raise wrong(key, f"the model {shown(model)} stands twice", "remove one")
        price: dict[str, float] = {}
        for part, amount in value.value:
            name = str(part.value) if isinstance(part, yaml.ScalarNode) else ""
            if name not in {"prompt", "completion"} or name in price:
                raise wrong(part, f"{shown(name)} where 'prompt' or 'completion' is wanted, once each", form)
            price[name] = _dollars(amount) if isinstance(amount, yaml.ScalarNode) else np.nan
            if not 0 <= price[name] <= 1e9:
                raise wrong(amount, f"the price of {shown(model)} is no amount", form)
        if len(price) < 2:
            raise wrong(value, f"the price of {shown(model)} is not complete", form)
        made[model] = Price(**price)
    if not made:
        raise wrong(root, "holds no price", form) if root else LineError(file, 1, "holds no price", form)
    return made


def _dollars(node: yaml.ScalarNode) -> float:
    try:
        return float(node.value)
    except ValueError:
        return np.nan


def _yaml(file: Path) -> yaml.Node | None:
    if not file.is_file():
        raise ValueError(f"{file}: no plain file (replace it by one)")
    if file.stat().st_size > MAX_MODELS_FILE:
        raise ValueError(f"{file}: larger than {MAX_MODELS_FILE} bytes (it holds prices only)")
    raw = file.read_bytes()
    try:
        node: yaml.Node | None = yaml.compose(raw.decode("utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise LineError(
            file, line, f"byte 0x{raw[error.start]:02x} is not UTF-8", "save the file as UTF-8"
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"not valid YAML: {error.problem or error.context}"
        raise LineError(
            file, mark.line + 1 if mark else 1, what, "look at this line and the one before it"
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else "holds a character that YAML has not"
        raise LineError(file, 1, what, "write plain text") from error
    return node
