"""Who may import whom, read from the code's own imports, those inside functions and for types included."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT

R = "reference_impls"
METHODS = (f"{R}.before_inference", f"{R}.during_inference", f"{R}.after_inference", f"{R}.baselines")
RUNS = (f"{R}.core", f"{R}.running")

# A room, or a module of one, and what of the Atlas it may import besides its own room; the longest name decides.
MAY: dict[str, tuple[str, ...]] = {
    # the public face
    R: (R,),
    f"{R}.api": (R,),
    f"{R}.safe": (),
    f"{R}.core": (),
    **dict.fromkeys(METHODS, (f"{R}.core",)),
    f"{R}.benchmarks": (f"{R}.core",),
    f"{R}.models": (f"{R}.core", f"{R}.safe"),
    f"{R}.models.corpus": (f"{R}.core", f"{R}.benchmarks"),  # a program: what the models are trained on
    # a program: the trained models' scores
    f"{R}.models.report": (f"{R}.core", f"{R}.safe", f"{R}.backends", f"{R}.benchmarks", f"{R}.running"),
    f"{R}.backends": (f"{R}.core", f"{R}.models"),
    f"{R}.recorded": (f"{R}.core", f"{R}.safe"),
    # recorded answers as a benchmark with models of its own; what came of a query has one form for all benchmarks
    f"{R}.recorded.benchmark": (f"{R}.core", f"{R}.backends.replay", f"{R}.running.outcome"),
    f"{R}.recorded.replies": (f"{R}.core", f"{R}.backends.replay"),
    # other tools' files become what the recorded form's own reader reads
    # what an answer of the OpenAI form says is read as where it is asked for
    f"{R}.importing": (f"{R}.core", f"{R}.recorded", f"{R}.backends.choices", f"{R}.backends.usage"),
    f"{R}.recording": (f"{R}.core", f"{R}.backends", f"{R}.recorded"),
    # programs that models wrote are scored where the benchmarks' are
    f"{R}.recording.scoring": (f"{R}.core", f"{R}.recorded", f"{R}.benchmarks"),
    f"{R}.running": (f"{R}.core", f"{R}.safe", f"{R}.backends", f"{R}.benchmarks", f"{R}.recorded"),
    # the built-in pools by name
    f"{R}.running.catalog": (
        f"{R}.core", f"{R}.safe", f"{R}.backends", f"{R}.benchmarks", f"{R}.models.pool", f"{R}.recorded", *METHODS,
    ),
    f"{R}.measuring": (f"{R}.core",),
    # fitted methods in front of models that are asked as `recording` asks them
    f"{R}.serving": (f"{R}.core", f"{R}.backends", f"{R}.recorded", f"{R}.recording", f"{R}.running"),
    # a recommendation is written whole or not at all
    f"{R}.serving.saved": (f"{R}.core", f"{R}.recorded", f"{R}.running", f"{R}.safe"),
    # these go on learning by their methods' own formulas
    f"{R}.serving.bandits": (
        f"{R}.core", f"{R}.before_inference.linucb_router", f"{R}.before_inference.thompson_router",
        f"{R}.before_inference.budgeted_bandit_router",
    ),
    # these run methods in order to measure them; nothing that runs methods imports them
    **{f"{R}.measuring.{name}": RUNS for name in ("alone", "decision_time", "vocabulary_cost")},
    f"{R}.measuring.overhead": (*RUNS, f"{R}.benchmarks"),
    # the bandits' own states, which know of models that join and of prices that change
    f"{R}.measuring.regret": (*RUNS, f"{R}.before_inference", f"{R}.safe"),
    # the two models of a coin are chosen for its expectation as the method itself chooses them
    f"{R}.reproductions": (f"{R}.core", f"{R}.baselines", f"{R}.measuring", f"{R}.recorded", f"{R}.running"),
    # a study of what AutoMix's published decisions give takes AutoMix's own formulas
    f"{R}.reproductions.llmdrift": (f"{R}.core", f"{R}.recorded", f"{R}.after_inference.automix"),
    # the two models of a coin are chosen as the baseline does
    f"{R}.advising": (f"{R}.core", f"{R}.baselines", f"{R}.measuring", f"{R}.recorded", f"{R}.running"),
    f"{R}.cli": (R,),
    "scripts": (),
    "scripts.model": (),
    # an identifier and a title are compared in one way wherever a paper comes from
    "scripts.checks": ("scripts.model", "scripts.sources", f"{R}.safe"),
    # a claim names methods, benchmarks and recordings
    "scripts.checks.claims": ("scripts.model", f"{R}.benchmarks", f"{R}.recorded.registry", f"{R}.running.catalog"),
    # our own results, compared by the functions that made them
    "scripts.results": (f"{R}.measuring", f"{R}.safe"),
    "scripts.claims": ("scripts.model", "scripts.results", f"{R}.measuring", f"{R}.safe"),
    "scripts.sources": ("scripts.model", "scripts.imports", f"{R}.safe"),
    "scripts.checks.methods": ("scripts.model", f"{R}.running.catalog"),
    "scripts.imports": ("scripts.model", "scripts.checks", "scripts.sources", f"{R}.safe"),
    "scripts.exports": ("scripts.model", f"{R}.safe"),
    "scripts.upkeep": ("scripts.model", "scripts.checks", "scripts.imports", "scripts.sources", f"{R}.safe"),
    "scripts.forms": (
        "scripts.model", "scripts.checks", "scripts.imports", "scripts.sources", "scripts.upkeep", f"{R}.cli.console",
        f"{R}.safe",
    ),
    "scripts.render": (
        "scripts.model", "scripts.checks", "scripts.claims", "scripts.results", "scripts.exports", f"{R}.benchmarks",
        f"{R}.core", f"{R}.models.pool", f"{R}.models.checksums",  # the page play serves the weights
        f"{R}.measuring", f"{R}.recorded.registry", f"{R}.running.catalog", f"{R}.safe",
    ),
    # the page counts as cheaper what advice counts as cheaper
    "scripts.render.deciding.choose": (
        f"{R}.advising.verdict", f"{R}.core", f"{R}.measuring", f"{R}.running.catalog",
    ),
    "scripts.render.building.mkdocs_hook": (  # its words for what failed
        "scripts.model", "scripts.results", f"{R}.cli.console", f"{R}.safe",
    ),
    "scripts.render.reference.reference": (R,),  # it describes the public face, whose files it reads
    "scripts.render.building.unchanged": (R, "scripts"),  # pages are made anew where any of this code has changed
    "scripts.cli": ("scripts", f"{R}.cli", f"{R}.safe"),
}  # fmt: skip

# Libraries that a room may import; where nothing is said, any.
LIBRARIES: dict[str, set[str]] = {
    **{room: {"numpy"} for room in METHODS},
    f"{R}.core": {"numpy", "faiss"},  # faiss: the index of the extra [index]
    f"{R}.benchmarks": {"numpy"},
    f"{R}.safe": {"requests", "urllib3"},
}


def inside(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


@cache
def imports(path: Path) -> tuple[str, ...]:
    """The full names of all that a file imports."""

    def found() -> Iterator[str]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}:{node.lineno}: name the package in full"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    return tuple(found())


def modules() -> dict[str, Path]:
    """All modules of the Atlas's code by their full names."""
    paths = [path for top in (R, "scripts") for path in sorted((ROOT / top).rglob("*.py"))]
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths)
    return dict(zip(names, paths, strict=True))


def room_of(module: str) -> str:
    """The folder at the top of its package, or the module itself where it lies there."""
    return ".".join(module.split(".")[:2])


def rule_of(module: str) -> str:
    """The longest name of `MAY` that the module lies in."""
    return max((name for name in MAY if inside(module, (name,))), key=len)


def test_every_room_says_what_it_may_import() -> None:
    rooms = {room_of(module) for module in modules()}
    assert rooms - set(MAY) == set(), "say in MAY what the new room may import"
    assert set(MAY) - set(modules()) == set(), "MAY speaks of a module that is gone"


@pytest.mark.parametrize("module", modules())
def test_arrows(module: str) -> None:
    room = room_of(module)
    own = (module,) if room in METHODS else (room,)  # methods do not import one another
    taken = [name for name in imports(modules()[module]) if inside(name, (R, "scripts"))]
    wrong = [name for name in taken if not inside(name, (*own, *MAY[rule_of(module)]))]
    assert not wrong, f"{module} may import only {', '.join(MAY[rule_of(module)]) or 'nothing of the Atlas'}"


@pytest.mark.parametrize("rule", [rule for rule, allowed in MAY.items() if R not in allowed])
def test_no_arrow_is_allowed_that_nobody_needs(rule: str) -> None:
    taken = {name for module, path in modules().items() if rule_of(module) == rule for name in imports(path)}
    unused = [allowed for allowed in MAY[rule] if not any(inside(name, (allowed,)) for name in taken)]
    assert not unused


@pytest.mark.parametrize("room", LIBRARIES)
def test_libraries(room: str) -> None:
    for module, path in modules().items():
        if inside(module, (room,)):
            outside = {name.split(".")[0] for name in imports(path)} - {R} - sys.stdlib_module_names
            assert outside <= LIBRARIES[room], module


def test_the_data_hold_no_code() -> None:
    """So they import nothing."""
    assert [path for top in ("papers", "taxonomy") for path in (ROOT / top).rglob("*.py")] == []
