"""Frames of a trace (`reference_impls.running.trace`): one drawing a step, to be gone through one by one or read as a
strip.

A frame is a heading over lines of text and bars. All frames of a trace have one width, which fits a phone; beside one
another they are a strip, also on paper. Each is a `drawing.Figure`, so that it stands in the page and as a file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from markupsafe import Markup

from scripts.render.figures.drawing import (
    NARROW,
    SMALL,
    Drawing,
    Figure,
    cut,
    join,
    line,
    rect,
    text,
    width_of,
    wrapped,
)

View = dict[str, Any]
FOLDER = "reference_impls/results/traces"
#: Frames of a trace at most, and rows of a frame.
MOST, ROWS = 12, 9
#: The three traces of a method, what each is called, and what its file is.
KINDS = {
    "ordinary": "An ordinary question",
    "helps": "Where it helps",
    "hurts": "Where it hurts",
}
_ROOM = NARROW - 16
_BAR = (124.0, 286.0)


@dataclass(frozen=True)
class Bar:
    """A row with a number.

    Attributes:
        label: what has it.
        value: as it is shown.
        share: of the longest bar, 0 to 1; None: no bar.
        chosen: whether it is what was chosen.
    """

    label: str
    value: str
    share: float | None = None
    chosen: bool = False

    @property
    def told(self) -> str:
        """In words."""
        return f"{self.label}: {self.value}" + (" (chosen)" if self.chosen else "")


@dataclass(frozen=True)
class Frame:
    """One step: a heading, and rows of text (a soft one begins with a tab) and bars."""

    title: str
    rows: Sequence[str | Bar]

    @property
    def told(self) -> str:
        """In words, for those who do not see it."""
        parts = [row.told if isinstance(row, Bar) else row.strip() for row in self.rows]
        return " ".join(part if part.endswith((".", "?", "!", "…")) else f"{part}." for part in parts if part)


@dataclass(frozen=True)
class Player:
    """A trace as a page shows it: heading, a sentence on what came of it, and its frames."""

    kind: str
    title: str
    told: str
    figures: Sequence[Figure]


def traces(root: Path, method: str) -> View | None:
    """A method's file of traces; None where there is none."""
    path = root / FOLDER / f"{method}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def players(made: View, title: str, stage: str) -> list[Player]:
    """The traces of a method's file, drawn.

    Args:
        made: the file's content.
        title: the method's.
        stage: for its hue: ``before``, ``during`` or ``after``.
    """
    found = []
    for kind, heading in KINDS.items():
        if trace := made["traces"].get(kind):
            shown = frames(trace)
            name = f"trace-{made['method']}-{kind}"
            figures = [_figure(f"{name}-{n}", n, len(shown), f, title, stage) for n, f in enumerate(shown, 1)]
            found.append(Player(kind, heading, _outcome(trace, made["best"]), figures))
    return found


def _outcome(trace: View, best: str) -> str:
    final = trace["final"]
    single = next((entry for entry in trace["alone"] if entry["model"] == best), None)
    beside = f"; {best}, the best single model, alone {_score(single['score'])}" if single else ""
    cost = "" if final["cost"] is None else f" for {final['cost']:.2g} US dollars"
    return f"It scores {_score(final['score'])}{cost}{beside}."


# --- frames ---------------------------------------------------------------------------------------------------------


def frames(trace: View) -> list[Frame]:
    """The steps of a trace, `MOST` at most: the first ones and the last."""
    made = [_question(trace), *_middle(trace), _end(trace)]
    if len(made) <= MOST:
        return made
    gone = len(made) - MOST + 1
    left = replace(made[MOST - 3], title=f"… and {gone} steps more", rows=["\tThe trace as a file holds them."])
    return [*made[: MOST - 2], left, made[-1]]


def _question(trace: View) -> Frame:
    models = ", ".join(model["name"] for model in trace["models"])
    prompt = _shown(trace["query"]["prompt"].strip().removesuffix("A:"))
    rows = [prompt, f"\tThe pool, from cheap to expensive: {models}."]
    if trace["trained_on"]:
        rows.append(f"\tThe method has learned from the {trace['trained_on']} split.")
    return Frame("The question", rows)


def _end(trace: View) -> Frame:
    final = trace["final"]
    rows: list[str | Bar] = [_shown(final["text"]), f"\tscores {_score(final['score'])}", "\tEach model alone:"]
    rows += [
        Bar(entry["model"], _score(entry["score"]), entry["score"], entry["model"] in final["models"])
        for entry in trace["alone"][:ROWS]
    ]
    rows.append("\tMarked: the models that were called.")
    return Frame("The answer", rows)


def _middle(trace: View) -> Iterator[Frame]:
    events = trace["events"]
    if any(event["kind"] == "step" for event in events):
        events = [event for event in events if event["kind"] != "formula"]
    merits = [[entry["value"] for entry in event["models"]] for event in events if event["kind"] == "utilities"]
    written = ""
    rated = any(event["kind"] == "rating" for event in events)
    for kind, run in groupby(events, key=lambda event: _run(event, rated)):
        group = list(run)
        if kind == "step":
            yield from _steps(group, written)
            written += "".join(step["piece"] or "" for step in group)
        elif kind == "choice":
            for event in group:
                if [option["merit"] for option in event["options"]] not in merits:
                    yield _choice(event)
        elif kind == "route":
            if not merits:
                yield Frame("The route", [f"{event['model']} serves the query." for event in group])
        elif kind == "utilities":
            routed = next((event["model"] for event in events if event["kind"] == "route"), "")
            yield from (_utilities(event, routed) for event in group)
        elif kind == "formula":
            if ratings := [event for event in group if event["kind"] == "rating"]:
                yield from _ratings(ratings)
            yield from _formulas([event for event in group if event["kind"] == "formula"], trace.get("formulas", {}))
        elif kind in _OF:
            yield from _OF[kind](group)


def _run(event: View, rated: bool) -> str:
    """What an event is shown together with: ratings with the formulas that call for them."""
    return "formula" if rated and event["kind"] == "rating" else str(event["kind"])


def _calls(group: Sequence[View]) -> Iterator[Frame]:
    for own, run in groupby(group, key=lambda event: event["prompt"]):
        calls = list(run)
        names = list(dict.fromkeys(call["model"] for call in calls))
        title = f"{names[0]} answers" if len(names) == 1 else f"{len(names)} models answer"
        rows: list[str | Bar] = [] if own is None else [f"\tasked: {_shown(own, 240)}"]
        for call in calls:
            cost = "unknown" if call["cost"] is None else f"${call['cost']:.1e}"
            rows.append(Bar(call["model"], f"{call['completion_tokens']} tokens, {cost}"))
            rows += [_shown(response["text"], 120) for response in call["responses"][:3]]
            if len(call["responses"]) > 3:
                rows.append(f"\tand {len(call['responses']) - 3} more")
            if not call["responses"]:
                rows.append("\tNo answer came.")
        yield Frame(title, rows)


def _utilities(event: View, routed: str) -> Frame:
    bars = _bars([(entry["model"], entry["value"]) for entry in event["models"]], {routed})
    return Frame("What each model is worth here", [*bars, f"\t{routed} serves the query." if routed else ""])


def _probability(group: Sequence[View]) -> Iterator[Frame]:
    for event in group:
        value, threshold = event["value"], event["threshold"]
        rows = [*_bars([("needed", value), ("threshold", threshold)], set())]
        yield Frame("Is the strong model needed?", rows)


def _choice(event: View) -> Frame:
    chosen = event["options"][event["chosen"]] if event["chosen"] is not None else {"model": "", "answer": None}
    merits: dict[str, Any] = {}
    voices: dict[str, list[str]] = {}
    for option in event["options"]:
        answer = option["answer"] if option["answer"] is not None else option["model"]
        merits.setdefault(answer, option["merit"])
        voices.setdefault(answer, []).append(option["model"])
    marked = str(chosen["answer"] if chosen["answer"] is not None else chosen["model"])
    rows: list[str | Bar] = []
    for bar in _bars(list(merits.items()), {marked}):
        rows.append(replace(bar, label=_shown(bar.label, 60)))
        if voices[bar.label] != [bar.label]:
            rows.append(f"\tsaid by {', '.join(dict.fromkeys(voices[bar.label]))}")
    if event["tie"]:
        rows.append(f"\tA tie, decided by {event['tie']}.")
    return Frame("The choice", rows)


def _accepts(group: Sequence[View]) -> Iterator[Frame]:
    for event in group:
        verdict = "Good enough: it is returned." if event["accepted"] else "Not good enough: the next model is asked."
        yield Frame(f"Is the answer of {event['model']} good enough?", [*_numbers(event["values"]), verdict])


def _aggregates(group: Sequence[View]) -> Iterator[Frame]:
    for event in group:
        if event["values"]:
            yield Frame("Put together", [*_numbers(event["values"])])


def _steps(group: Sequence[View], written: str) -> Iterator[Frame]:
    """Steps on which all agree are one frame; the others one each."""
    for agreed, run in groupby(group, key=_agreed):
        steps = list(run)
        if agreed:
            names = list(dict.fromkeys(entry["model"] for step in steps for entry in step["models"]))
            rows = [f"\t{_shown(written)}"] if written else []
            rows.append("next: " + " ".join(_token(step["piece"]) for step in steps))
            written += "".join(step["piece"] or "" for step in steps)
            yield Frame("All models agree" if len(names) > 1 else f"{names[0]} writes alone", rows)
            continue
        for step in steps:
            yield _step(step, written)
            written += step["piece"] or ""


def _step(step: View, written: str) -> Frame:
    rows: list[str | Bar] = [f"\t{_shown(written)}"] if written else []
    for entry in step["models"]:
        rows += [f"{entry['model']}:", *_top(entry["top"], step["piece"])]
    if step["merged"]:
        rows += ["together:", *_top(step["merged"], step["piece"])]
    else:
        rows += _numbers(step["values"])
    return Frame(f"The next token: {_token(step['piece'])}", rows)


def _agreed(step: View) -> bool:
    tops = {entry["top"][0][0] for entry in step["models"] if entry["top"]}
    return tops == {step["piece"] or ""}


def _top(entries: Sequence[Any], piece: str | None) -> list[Bar]:
    return _bars([(_token(token or None), value) for token, value in entries[:3]], {_token(piece)})


def _drafts(group: Sequence[View]) -> Iterator[Frame]:
    rows: list[str | Bar] = []
    for event in group[:ROWS]:
        rows += [f"\t{event['model']} writes{', and ends:' if event['ended'] else ':'}", _shown(event["text"], 200)]
    yield Frame("Proposals", rows)


def _ratings(group: Sequence[View]) -> Iterator[Frame]:
    rows: list[str | Bar] = []
    for words, run in groupby(sorted(group, key=lambda event: event["text"]), key=lambda event: event["text"]):
        rows.append(_shown(words, 90))
        rows += [
            Bar(event["model"], f"{math.exp(-event['mean_logprob']):.3g}")
            for event in list(run)[:6]
            if isinstance(event["mean_logprob"], float)
        ]
    yield Frame("Perplexity of each, by each model", rows[: 2 * ROWS])


def _written(group: Sequence[View]) -> Iterator[Frame]:
    yield Frame("The text so far", [_shown(group[-1]["text"], 400)])


def _formulas(group: Sequence[View], words: View) -> Iterator[Frame]:
    """What tells most of several functions: texts with scores, distributions that they change or return, texts."""
    for read in (_records, _changed, _named, _largest):
        for name in dict.fromkeys(event["name"] for event in group):
            found = [bars for event in group if event["name"] == name and (bars := read(event))]
            if not found or (read is not _named and len({bar.label for bars in found for bar in bars}) < 2):
                continue
            if all(len(bars) == 1 for bars in found):
                found = [_scaled([bar for bars in found for bar in bars][:ROWS])]
            said = [f"\t{words[name]}"] if words.get(name) else []
            yield from (Frame(name.replace("_", " ").capitalize(), [*said, *bars]) for bars in found[:4])
            return
    plain = [(event["name"].replace("_", " "), _plain(event["result"])) for event in group]
    rows = [Bar(name, cut(value, 210)) for name, value in plain if value]
    if rows:
        yield Frame("Computed", rows[:ROWS])


def _records(event: View) -> list[Bar]:
    """Texts with a number each: paths, nodes and candidates with their scores."""
    return _bars([(label, number) for label, number in _texts(event["result"]) if number is not None][:ROWS], set())


def _named(event: View) -> list[Bar]:
    """Texts without one."""
    return [Bar(label, "") for label, _ in _texts(event["result"])][:ROWS]


def _texts(found: Any) -> Iterator[tuple[str, Any]]:
    for item in found if isinstance(found, list) else [found]:
        parts = item if isinstance(item, list) else [item]
        record = next((part for part in parts if isinstance(part, dict) and part.get("text")), None)
        if record:
            numbers = [part for part in parts if _is_number(part)]
            numbers += [record[key] for key in ("score", "reward", "value") if _is_number(record.get(key))]
            yield _shown(record["text"], 60), numbers[0] if numbers else None


def _changed(event: View) -> list[Bar]:
    """A distribution that a function returning nothing has changed."""
    return [] if event["result"] is not None else _entries(event["given"].values())


def _largest(event: View) -> list[Bar]:
    """A distribution that a function returns."""
    return _entries([event["result"]])


def _entries(values: Iterable[Any]) -> list[Bar]:
    for value in values:
        if isinstance(value, dict) and value.get("largest") and isinstance(value["largest"][0][0], str):
            return _bars([(_token(token or None), number) for token, number in value["largest"]], set())
    return []


def _plain(value: Any) -> str:
    if _is_number(value) or isinstance(value, (str, bool)):
        return _shown(str(_number(value)), 60)
    if isinstance(value, list) and value and all(_is_number(part) for part in value):
        return ", ".join(str(_number(part)) for part in value)
    return ""


_OF = {
    "call": _calls, "probability": _probability, "accept": _accepts, "aggregate": _aggregates, "draft": _drafts,
    "written": _written,
}  # fmt: skip


# --- words ----------------------------------------------------------------------------------------------------------


def _bars(pairs: Sequence[tuple[str, Any]], chosen: set[str]) -> list[Bar]:
    """Bars from zero; of numbers some of which are negative, none."""
    finite = [value for _, value in pairs if _is_number(value)]
    largest = max(finite, default=0)
    drawn = bool(finite) and min(finite) >= 0 and largest > 0
    return [
        Bar(label, str(_number(value)), value / largest if drawn and _is_number(value) else None, label in chosen)
        for label, value in pairs
    ]


def _scaled(bars: Sequence[Bar]) -> list[Bar]:
    """Bars of several frames as those of one."""
    shares = [bar.share for bar in bars]
    numbers = [float(bar.value) for bar in bars] if all(share is not None for share in shares) else []
    return (
        [replace(bar, share=n / max(numbers)) for bar, n in zip(bars, numbers, strict=True)] if numbers else [*bars]
    )


def _numbers(values: View) -> list[str | Bar]:
    return [
        Bar(name.replace("_", " "), found) for name, value in list(values.items())[:4] if (found := _plain(value))
    ]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Any) -> Any:
    return f"{value:.3g}" if isinstance(value, float) else "unknown" if value is None else value


def _score(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"


def _shown(words: str, most: int = 600) -> str:
    """In one line, line breaks to be seen."""
    flat = " ".join(words.strip().replace("\n", " ⏎ ").split())
    return (flat if len(flat) <= most else f"{flat[: most - 1]}…") or "(nothing)"


def _token(piece: str | None) -> str:
    """A token with its blanks to be seen."""
    return "⟨end⟩" if piece is None else piece.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥")


# --- drawing --------------------------------------------------------------------------------------------------------


def _figure(name: str, number: int, total: int, frame: Frame, title: str, stage: str) -> Figure:
    frame = Frame(_printable(frame.title), [_cleaned(row) for row in frame.rows])
    drawing = _drawn(frame, number, total, stage)
    return Figure(name, f"{title}, step {number} of {total}: {frame.title}", frame.told, drawing, drawing)


def _cleaned(row: str | Bar) -> str | Bar:
    if isinstance(row, Bar):
        return replace(row, label=_printable(row.label), value=_printable(row.value))
    soft = row.startswith("\t")
    return f"\t{_printable(row[1:])}" if soft else _printable(row)


def _printable(words: str) -> str:
    """Without what no XML holds, and what turns the direction of writing: a model may write anything."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in words)


def _drawn(frame: Frame, number: int, total: int, stage: str) -> Drawing:
    head = wrapped(frame.title, _ROOM - 40)
    parts = [rect(0, 0, NARROW, 14.0 + 17 * len(head), f"soft-{stage}")]
    parts += [text(8, 19 + 17 * i, words, "strong") for i, words in enumerate(head)]
    parts.append(text(NARROW - 8, 19, f"{number}/{total}", "end soft small"))
    y = 18.0 + 17 * len(head)
    for before, row in zip([None, *frame.rows], frame.rows, strict=False):
        if isinstance(row, Bar):
            y += 21
            parts += _bar(row, y, stage)
            continue
        y += 3 if isinstance(before, Bar) else 0
        soft, size = row.startswith("\t"), SMALL if row.startswith("\t") else 13
        for words in wrapped(row.strip(), _ROOM, size)[:9]:
            y += 15 if soft else 18
            parts.append(text(8, y, words, "soft small" if soft else ""))
        y += 4 if row else 0
    height = y + 12
    edge = rect(0.5, 0.5, NARROW - 1, height - 1, "grid")
    return Drawing(NARROW, height, join([*parts, edge]))


def _bar(row: Bar, y: float, stage: str) -> list[Markup]:
    start, end = _BAR
    name, kind = ("▸ " if row.chosen else "") + row.label, "strong" if row.chosen else ""
    if row.share is None:
        value = cut(row.value, NARROW - start)
        return [text(8, y, cut(name, _ROOM - width_of(value) - 8), kind), text(NARROW - 8, y, value, "end")]
    label = cut(name, start - 14)
    width = max((end - start) * max(row.share, 0.0), 1.0)
    return [
        text(8, y, label, kind),
        line(start, y - 13, start, y + 4, "grid"),
        rect(start, y - 11, width, 13, f"fill-{stage}" if row.chosen else "fill even"),
        text(NARROW - 8, y, row.value, "end"),
    ]
