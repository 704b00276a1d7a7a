"""Names, parameters, and the rules that every method file keeps."""

import ast
import dataclasses
import inspect
import re
from pathlib import Path

import pytest

from reference_impls.core.registry import NEEDS, MethodInfo, method
from reference_impls.core.stages import Fusion, Method, Router
from reference_impls.running import catalog
from scripts.model import Corpus

STAGES = [p for p in Path(catalog.__file__).parents[1].glob("*_inference/*.py") if p.name != "__init__.py"]
METHODS = [m for m in catalog.methods().values() if m.category != "baseline"]


@pytest.mark.parametrize(
    ("kind", "wrong", "right"),
    [
        (catalog.method, "majority-vot", "majority-vote"),
        (catalog.benchmark, "mth", "math"),
        (catalog.pool, "bultin", "builtin"),
        (catalog.pool, "oak,sprot", "sprout"),
    ],
)
def test_a_wrong_name_gets_the_nearest_right_one_in_one_line(kind: object, wrong: str, right: str) -> None:
    with pytest.raises(catalog.UnknownNameError, match=f"did you mean '{right}'") as caught:
        kind(wrong)  # type: ignore[operator]
    assert "\n" not in str(caught.value)


def test_parameters_come_from_text() -> None:
    info = catalog.method("knn-router")
    assert info.parameters({"k": "7"}).k == 7
    with pytest.raises(ValueError, match="did you mean 'wtp'"):
        info.parameters({"wpt": "1"})
    with pytest.raises(ValueError, match="k='many' is no int"):
        info.parameters({"k": "many"})
    assert catalog.method("gac").parameters({"weights": "1,3"}).weights == (1.0, 3.0)


def test_registering_refuses_wrong_categories_and_taken_names() -> None:
    class Some(Method):
        def answer(self, query: object) -> str:  # noqa: ARG002
            return ""

    with pytest.raises(ValueError, match="did you mean 'after/cascade'"):
        method(name="x", category="after/cascad")(Some)
    with pytest.raises(ValueError, match="two methods are called"):
        method(name="gac", category="after/cascade")(Some)
    with pytest.raises(ValueError, match="no need 'label'; did you mean 'labels'"):
        method(name="x", category="after/cascade", needs=("label",))(Some)


@pytest.mark.parametrize("info", list(catalog.methods().values()), ids=lambda m: m.name)
def test_needs_fit_what_a_method_does(info: MethodInfo) -> None:
    """Its source asks for what the needs say; `tests/.../recorded` holds the needs against runs."""
    source = inspect.getsource(info.cls) + "".join(inspect.getsource(c) for c in info.cls.__mro__[1:-2])
    drives = any(word in source for word in ("TextSession", "token_models"))
    if issubclass(info.cls, Fusion):
        assert "distributions" in info.needs
    assert ("distributions" in info.needs) == (drives and not issubclass(info.cls, Router))
    if {"labels", "feedback"} & set(info.needs):
        assert info.cls.needs_training
    assert not info.cls.needs_training or "fit" in source
    assert set(info.needs) <= set(NEEDS)
    assert len(set(info.needs)) == len(info.needs)


@pytest.mark.parametrize("path", STAGES, ids=lambda p: p.stem)
def test_methods_import_core_only(path: Path) -> None:
    """NumPy, core's public names and harmless parts of the standard library: nothing that leads around the meter."""
    allowed = {"numpy", "numpy.typing", "reference_impls.core", "collections", "collections.abc", "dataclasses"}
    allowed |= {"functools", "heapq", "itertools", "math", "re", "typing", "bisect", "statistics", "enum"}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {a.name for a in node.names} <= allowed
        elif isinstance(node, ast.ImportFrom):
            assert node.module in allowed, f"{path.name} imports {node.module}"
            assert not any(a.name.startswith("_") for a in node.names)
        elif isinstance(node, ast.Attribute):
            assert not node.attr.startswith("__") or node.attr == "__init__", f"{path.name} uses {node.attr}"
        elif isinstance(node, ast.Name):
            forbidden = ("eval", "exec", "open", "__import__", "globals", "vars")
            assert node.id not in forbidden, f"{path.name} uses {node.id}"


@pytest.mark.parametrize("info", METHODS, ids=lambda m: m.name)
def test_method_files_say_what_they_should(info: MethodInfo) -> None:
    stage = {"before": "before_inference", "during": "during_inference", "after": "after_inference"}
    assert info.path.parent.name == stage[info.category.split("/")[0]]
    assert info.family
    if info.papers:
        assert re.search(r"^Differences from the paper\n1\. ", info.doc, re.MULTILINE), "the numbered differences"
    else:
        assert "The Atlas's own" in info.doc, "what follows no paper says so"
    assert len(info.path.read_text(encoding="utf-8").splitlines()) <= 320
    parameters = info.cls.Parameters
    assert dataclasses.is_dataclass(parameters)
    assert parameters.__dataclass_params__.frozen  # type: ignore[attr-defined]
    parameters()  # every parameter has a default
    assert info.cls.__doc__


#: Methods that are filed otherwise than their paper, and why.
FILED_OTHERWISE = {
    "budget-assignment-router": "FORC and OmniRouter are filed by their predictors; the method is their assignment",
    "logit-averaging": "MOD is filed by its aim, a balance of objectives; the method is its average for any aim",
    "pair-ranker": "LLM-Blender selects and then fuses; the method selects unless `fuse_top` is set",
    "ridge-router": "its paper compares routers and is filed by the one that it speaks for",
}


@pytest.mark.parametrize("info", METHODS, ids=lambda m: m.name)
def test_a_method_is_filed_as_its_papers_are(info: MethodInfo, corpus: Corpus) -> None:
    papers = {entry.key: entry.paper for entry in corpus.entries}
    filed = [papers[key] for key in info.papers]
    # A family belongs to an entry's first category; a benchmark or a survey may hold a method of another.
    families = {paper.family for paper in filed if paper and paper.categories[0] == info.category}
    agree = families <= {info.family}
    assert agree != (info.name in FILED_OTHERWISE), f"{info.name}: {info.family}, its papers: {families}"


@pytest.mark.parametrize(("key", "own"), [("vernikos2024qefusion", []), ("somerstep2025carrot", ["carrot-router"])])
def test_a_paper_is_not_offered_a_method_that_is_not_its_own(key: str, own: list[str]) -> None:
    """QE-fusion splices spans by a quality estimate, CARROT predicts by neighbours or an encoder."""
    assert [info.name for info in METHODS if key in info.papers] == own


@pytest.mark.parametrize(
    ("method", "parameter", "value"),
    [
        ("cluster-router", "top_k", 1),  # the nearest cluster, as in the paper
        ("frugalgpt", "levels", 41),  # as fine as the authors' grid of 40
        ("automix", "samples", 8),  # the default of the authors' function
    ],
)
def test_defaults_are_those_of_the_papers(method: str, parameter: str, value: float) -> None:
    assert getattr(catalog.method(method).parameters(), parameter) == value


def test_added_pools_are_found() -> None:
    catalog.add_pool("mine", lambda: list(catalog.pool("oak")))
    try:
        assert [m.name for m in catalog.pool("mine")] == ["oak"]
    finally:
        catalog._added.pop("mine")
