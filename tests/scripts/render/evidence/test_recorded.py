"""What the pages of recorded answers say follows from the files of results, and from nothing else."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mkdocs.utils.meta import get_data

from reference_impls.measuring.verifier import sweep
from reference_impls.recorded import registry
from scripts.model import Corpus
from scripts.render.evidence.recorded import (
    FOLDER,
    MONTH,
    TITLES,
    TRAFFIC,
    Recorded,
    read,
    source_views,
)
from scripts.render.evidence.results import figures
from scripts.render.figures.drawing import Figure
from scripts.render.site import render_site
from tests.conftest import ROOT, MakeAtlas, fields, write_entries
from tests.scripts.render import recordings
from tests.scripts.render.pages import Page, render_markdown

PAID, SHARED = "routerarena", "routellm-gsm8k"


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    """One recording with costs, one without."""
    return Recorded(recordings.write(tmp_path))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of an Atlas with both recordings."""
    root = tmp_path_factory.mktemp("recorded")
    for name in ("taxonomy", "site_src"):
        (root / name).symlink_to(ROOT / name)
    (root / "papers").mkdir()
    shutil.copyfile(ROOT / "papers" / "schema.json", root / "papers" / "schema.json")
    write_entries(root, {"ong2024routellm": fields()})
    recordings.write(root)
    render_site(Corpus.load(root), root / "out")
    return root / "out"


@pytest.fixture(scope="module")
def committed() -> Recorded:
    """The results in the repository."""
    return Recorded(ROOT / FOLDER)


def page_of(site: Path, name: str) -> Page:
    return render_markdown(get_data((site / f"{name}.md").read_text(encoding="utf-8"))[0])


def by_label(recorded: Recorded, name: str = PAID) -> dict[str, dict[str, Any]]:
    return {run["label"]: run for run in recorded.pages[name]["runs"]}


def told(figure: Figure | None) -> list[str]:
    """What a pointer is told on each mark of a figure, in the order of the drawing."""
    assert figure
    return re.findall(r"<g><title>([^<]*)</title>", str(figure.wide.body))


# --- numbers --------------------------------------------------------------------------------------------------------


def test_runs_fall_by_gain_which_is_over_the_same_queries(recorded: Recorded) -> None:
    runs = recorded.pages[PAID]["runs"]
    assert [run["name"] for run in runs] == [
        "Oracle", "knn-router (k=20)", "majority-vote", "Best single, chosen on train", "large", "Random choice",
        "small", "frugalgpt",
    ]  # fmt: skip
    assert recorded.pages[PAID]["several"]


def test_verdicts_are_told_from_the_interval(recorded: Recorded) -> None:
    runs = by_label(recorded)
    said = {label: run["gain"]["verdict"] for label, run in runs.items()}
    assert said["knn-router (k=20)"] == "better"
    assert said["majority-vote"] == "no clear difference"
    assert said["frugalgpt"] == "worse"
    assert said["single"] is said["oracle"] is None
    assert said["single (model=large)"] == "no clear difference"
    (pool,) = recorded.pages[PAID]["pools"]
    assert pool["verdicts"] == {"better": 1, "no clear difference": 1, "worse": 1, "unknown": 0}


def test_a_gain_without_an_interval_is_no_verdict(tmp_path: Path) -> None:
    unclear = recordings.run("majority-vote", gain=0.1, category="after/non-cascade")
    unclear["gain"] = recordings.gain_of(None)
    page = Recorded(recordings.write(tmp_path, recordings.result(runs=[unclear, recordings.ROUTER]))).pages[PAID]
    assert [run["gain"] is None for run in page["runs"]] == [False, True]
    assert page["pools"][0]["verdicts"]["unknown"] == 1


def test_a_method_that_has_not_run_yet_is_not_said_to_be_unable(tmp_path: Path) -> None:
    refused = [
        {"method": "gac", "reason": "gac needs distributions"},
        {"method": "weaver", "reason": "not yet run on it"},
    ]
    page = Recorded(recordings.write(tmp_path, recordings.result(refused=refused))).pages[PAID]
    assert [one["method"] for one in page["refused"]] == ["gac"]
    assert page["waiting"] == ["weaver"]


def test_a_pool_names_its_own_baselines(recorded: Recorded) -> None:
    (pool,) = recorded.pages[PAID]["pools"]
    assert pool["model"] == "large"
    assert pool["best_run"]["label"] == "knn-router (k=20)"
    beside = {name: (run and run["label"], absent) for name, run, absent in pool["beside"]}
    assert beside["Oracle"] == ("oracle", None)
    assert beside["Cheapest model"] == ("single (model=small)", None)
    assert beside["Samples of the best model at the price of all models"] == (
        None, "recorded answers hold one response a model",
    )  # fmt: skip


def test_what_is_inside_the_noise_is_not_called_the_largest_gain(tmp_path: Path) -> None:
    lucky = recordings.run("majority-vote", 0.9, 0.04, None, category="after/non-cascade")
    page = Recorded(recordings.write(tmp_path, recordings.result(runs=[lucky, recordings.CASCADE]))).pages[PAID]
    assert page["pools"][0]["best_run"] is None


def two_pools() -> dict[str, Any]:
    """The best of the wide pool is another model than that of the narrow one."""
    third = {"name": "third", "score": recordings.estimate(0.9), "cost": None, "latency": None, "price": None}
    base, every = recordings.result(), ["small", "large", "third"]
    over, measure = (recordings.gain_of(gain, baseline="single (all)", judged=gain > 0) for gain in (0.02, 0.0))
    vote = {"label": "majority-vote (all)", "category": "after/non-cascade", "pool": every}
    runs = [
        recordings.run("majority-vote", 0.92, over, None, **vote),
        recordings.run("single", 0.9, measure, None, label="single (all)", pool=every, called={"third": 1.0}),
    ]
    wide = recordings.pool("all three", every, {"best-single": "single (all)"})
    pools = [*base["pools"], wide]
    return {**base, "models": [*base["models"], third], "runs": [*base["runs"], *runs], "pools": pools}


def test_runs_of_different_pools_stand_in_different_tables(tmp_path: Path) -> None:
    """A gain is over the best single model of the run's own pool."""
    pools = Recorded(recordings.write(tmp_path, two_pools())).pages[PAID]["pools"]
    assert [pool["model"] for pool in pools] == ["large", "third"]
    assert [run["label"] for run in pools[1]["runs"]] == ["majority-vote (all)", "single (all)"]
    assert "majority-vote (all)" not in {run["label"] for run in pools[0]["runs"]}


def test_pools_are_told_on_the_pages(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    atlas = make_atlas({"doe2024a": fields()}, site=True)
    recordings.write(atlas.root, two_pools())
    render_site(atlas, tmp_path / "out")
    page = page_of(tmp_path / "out", f"recorded/{PAID}")
    assert page.problems == []
    assert "in 2 pools, each held against its own best single model" in page.text
    assert "Gain over large" in page.text
    assert "Gain over third" in page.text
    assert {"both", "all-three"} <= set(page.attribute("id"))
    assert "against third" in page_of(tmp_path / "out", "methods/majority-vote").text
    assert len(set(page.attribute("id"))) == len(page.attribute("id"))


@pytest.mark.parametrize("folder", ["made", "committed"])
def test_no_page_shows_a_gain_over_a_baseline_of_another_pool(folder: str, tmp_path: Path) -> None:
    """Of every gain that pages show, the baseline is a run of the same pool, the one that heads the table."""
    found = Recorded(recordings.write(tmp_path, two_pools()) if folder == "made" else ROOT / FOLDER)
    for name, page in found.pages.items():
        for pool in page["pools"]:
            file = next(one for one in found.files[name]["pools"] if one["name"] == pool["called_so"])
            runs = {run["label"]: run for run in found.files[name]["runs"]}
            best = file["baselines"]["best-single"]
            assert set(runs[best]["pool"]) == set(file["models"])
            assert pool["model"] in file["models"]
            for run in pool["runs"]:
                assert set(run["pool"]) == set(file["models"]), (name, run["label"])
                assert not run["gain"] or run["gain"]["baseline"] == best, (name, run["label"])


def test_a_month_is_the_mean_cost_times_its_queries(recorded: Recorded) -> None:
    month = recorded.pages[PAID]["month"]
    known = [run for run in month if run["month"] is not None]
    assert [run["month"] for run in known] == sorted(run["month"] for run in known)
    costs = {run["label"]: run["cost"] for run in recorded.files[PAID]["runs"]}
    for run in known:
        assert run["month"] == pytest.approx(costs[run["label"]] * TRAFFIC * MONTH)
    assert [run["label"] for run in month if run["month"] is None] == ["majority-vote"]
    assert month[-1]["label"] == "majority-vote"  # unknown is not cheap


def test_the_share_of_the_dearer_model(recorded: Recorded) -> None:
    runs = by_label(recorded, SHARED)
    assert runs["ridge-router"]["strong"] == 0.25
    assert by_label(recorded)["knn-router (k=20)"]["strong"] is None  # the axis is the cost
    assert recorded.pages[SHARED]["pools"][0]["called"] is None


def test_rows_are_split_by_whether_there_is_something_to_compare(recorded: Recorded) -> None:
    page = recorded.pages[PAID]
    assert (len(page["compared"]), page["agree"], len(page["computed"])) == (3, 2, 1)
    assert [row["page"] for row in page["compared"]] == [None, "methods/knn-router/", None]


def test_a_methods_runs(recorded: Recorded) -> None:
    runs = recorded.of_method("knn-router")
    assert [(run["recording"], run["detail"], run["recording_page"]) for run in runs] == [
        (TITLES[PAID], "k=20", f"recorded/{PAID}/#both")
    ]
    assert recorded.of_method("gac") == []


# --- drawings -------------------------------------------------------------------------------------------------------


def test_the_plot_holds_curves_points_and_published_points(recorded: Recorded) -> None:
    marks = told(recorded.pages[PAID]["pools"][0]["curves"])
    assert marks[0] == "knn-router (k=20)", "its curve"
    assert "knn-router (k=20): 0.7500 (0.7000 to 0.8000)" in marks
    assert "BERT (published): 0.6000, ong2024routellm (arXiv v4)" in marks
    assert not any(text.startswith(("majority-vote", "frugalgpt")) for text in marks)  # no cost, no point


def test_what_costs_nothing_has_no_place_on_a_logarithm(tmp_path: Path) -> None:
    free = recordings.run("oracle", 0.8, 0.2, 0.0)
    page = Recorded(recordings.write(tmp_path, recordings.result(runs=[free, recordings.ROUTER]))).pages[PAID]
    assert [text.split(":")[0] for text in told(page["pools"][0]["curves"])] == [
        "knn-router (k=20)", "knn-router (k=20)", "BERT (published)",
    ]  # fmt: skip
    assert [text.split(":")[0] for text in told(page["spread"])] == ["knn-router (k=20)"]
    assert page["month"][0]["month"] == 0


def test_the_share_needs_no_logarithm(recorded: Recorded) -> None:
    marks = told(recorded.pages[SHARED]["pools"][0]["curves"])
    assert {text.split(":")[0] for text in marks} >= {"small", "large", "ridge-router"}


def test_the_costs_of_single_queries(recorded: Recorded) -> None:
    known = [run for run in recordings.result()["runs"] if run["cost_quantiles"]]
    known.sort(key=lambda run: run["cost"])
    shown = told(recorded.pages[PAID]["spread"])
    assert [text.split(": mean ")[1] for text in shown] == [figures(run["cost"] * 1000) for run in known]
    assert not any(text.startswith("majority-vote") for text in shown)
    assert recorded.pages[SHARED]["spread"] is None


def test_without_an_axis_nothing_is_drawn(tmp_path: Path) -> None:
    (pool,) = Recorded(recordings.write(tmp_path, recordings.result(axis=None))).pages[PAID]["pools"]
    assert pool["curves"] is None


def test_gains_under_another_judge(tmp_path: Path) -> None:
    """Of the runs that were judged otherwise, too; on the page beside the gain as it was judged first."""
    runs = recordings.result()["runs"]
    judged = next(run for run in runs if run["label"] == "random")
    judged["judges"] = {"a strict one": recordings.estimate(-0.2345)}
    root = recordings.write(tmp_path, recordings.result(runs=runs))
    first = Recorded(root).pages[PAID]["pools"][0]["judged"]
    assert first["judges"] == ["a strict one"]
    assert [run["label"] for run in first["runs"]] == ["random"]
    assert Recorded(recordings.write(tmp_path, recordings.result())).pages[PAID]["pools"][0]["judged"] is None


def test_cascades_with_a_verifier(tmp_path: Path) -> None:
    scores, costs = np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]), np.array([[1e-5, 4e-4]] * 3)
    chains = sweep(scores, costs, list(recordings.MODELS))
    changed = recordings.result(verifier={"pool": list(recordings.MODELS), "chains": chains})
    view = Recorded(recordings.write(tmp_path, changed)).pages[PAID]["verifier"]
    (row,) = view["rows"]
    assert row["name"] == "small → large"
    assert row["quality"] == pytest.approx(2 / 3), "of the two queries that one of them has right"
    assert row["cost"] == pytest.approx(1000 * (1e-5 + 4e-4 * 2 / 3)), "the second is asked where the first is wrong"
    assert [text for text in told(view["figure"]) if "perfect" in text] == [
        "small → large: 0.667 with a perfect verifier"
    ]


# --- pages ----------------------------------------------------------------------------------------------------------


def test_the_headroom_of_all_pools_names_whose_data_may_not_be_sold(committed: Recorded) -> None:
    figure = committed.headroom()
    assert figure
    assert "CC-BY-NC-4.0" in figure.credit
    assert figure.terms == "CC BY-NC 4.0"


def test_the_page_shows_the_numbers_of_the_file(site: Path) -> None:
    page = page_of(site, f"recorded/{PAID}")
    assert page.problems == []
    found = {float(value) for value in page.attribute("data-value")}
    for run in recordings.result()["runs"]:
        numbers = [run["score"]["mean"], run["calls"], run["models_called"], run["queries"]]
        numbers += [run["cost"] * 1000, run["cost"] * TRAFFIC * MONTH] if run["cost"] is not None else []
        numbers += [run["gain"]["mean"]] if run["label"] != "single" else []
        for number in numbers:
            assert any(value == pytest.approx(number) for value in found), (run["label"], number)
    for text in (
        "other features",
        "Half to learn, half to test.",
        "atlas reproduce routerarena",
        "gac needs distrib",
    ):
        assert text in page.text
    assert f"{100_000:,} queries a day" in page.text
    assert figures(recordings.ROUTER["cost"] * TRAFFIC * MONTH) in page.text
    assert "2 of 3 numbers that can be compared are within their tolerance" in page.text
    assert "../../papers/ong2024routellm/" in page.attribute("href")


def test_the_source_is_named(site: Path) -> None:
    source = registry.source(PAID)
    page = page_of(site, f"recorded/{PAID}")
    assert source.commit in page.text
    assert source.licence in page.text
    assert f"https://github.com/{source.repository}/tree/{source.commit}" in page.attribute("href")


def test_unknown_is_said(site: Path) -> None:
    paid, unpaid = page_of(site, f"recorded/{PAID}").text, page_of(site, f"recorded/{SHARED}").text
    assert "unknown" in paid
    assert "Unknown: the records hold neither costs nor token counts." in unpaid
    assert "queries a day" not in unpaid
    assert "never" in unpaid  # CPT(80 %) that no threshold reaches
    assert "means over them" in unpaid


def test_every_recording_has_a_page_with_results_or_without(site: Path) -> None:
    for name in registry.recordings():
        text = page_of(site, f"recorded/{name}").text
        assert ("Nothing has been computed" in text) == (name not in (PAID, SHARED))
    index = page_of(site, "recorded/index")
    for name, title in TITLES.items():
        assert any(href.startswith(f"../recorded/{name}/") for href in index.attribute("href"))
        assert title in index.text


def test_every_recording_is_named_and_in_the_navigation() -> None:
    assert set(registry.recordings()) == set(TITLES)
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    nav = yaml.safe_load(config.partition("\nnav:")[2].join(("nav:", "")).partition("\n\n")[0])["nav"]
    results = next(part["Results"] for part in nav if "Results" in part)
    pages = next(part["Recorded answers"] for part in results if "Recorded answers" in part)
    named = {path: title for part in pages[1:] for title, path in part.items()}
    assert named == {f"recorded/{name}.md": title for name, title in TITLES.items()}


def test_a_methods_page_and_the_api_hold_its_runs(site: Path) -> None:
    page = page_of(site, "methods/knn-router")
    assert f"../../recorded/{PAID}/#both" in page.attribute("href")
    assert "0.75" in page.attribute("data-value")
    assert "On recorded answers" not in page_of(site, "methods/gac").text
    held = json.loads((site / "api/v1/recorded.json").read_text(encoding="utf-8"))["recordings"]
    assert {one["recording"]: one for one in held} == {
        SHARED: json.loads(json.dumps(recordings.unpaid())),
        PAID: json.loads(json.dumps(recordings.result())),
    }


def test_a_method_of_the_atlas_s_own_has_no_paper_to_differ_from(site: Path) -> None:
    headings = ("Differences from the paper", "Papers", "Parameters")
    for name, own in (("stacked-router", True), ("knn-router", False)):
        text = (site / "methods" / f"{name}.md").read_text(encoding="utf-8")
        assert ("The Atlas's own: made to win" in text) == own
        # This Atlas holds no papers.
        assert [f"\n## {heading}\n" in text for heading in headings] == [not own, False, True]


def test_hostile_text_stays_text(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    bad = "<script>alert(1)</script> {{ 7*7 }} **bold** <!-- /raw --> \"quoted' &lt;"
    runs = [
        {**run, "label": f"{run['method']} ({bad})", "settings": {"model": bad}}
        for run in recordings.result()["runs"]
    ]
    pages = []
    for name, text in (("hostile", bad), ("plain", "word")):
        atlas = make_atlas({"doe2024a": fields()}, site=True)
        changes = recordings.result(
            protocol=text, tasks={text: 1}, runs=json.loads(json.dumps(runs).replace(json.dumps(bad)[1:-1], text))
            if text == "word" else runs, refused=[{"method": text, "reason": text}],
            rows=[recordings.row(text, 0.5, setting=text, published=0.5, published_in=text, tolerance=0.1,
                                 difference=0.0, agrees=False, reason=text)],
            published=[{"label": text, "source": text, "cpt50": None, "cpt80": None, "apgr": 0.5, "points": []}],
        )  # fmt: skip
        recordings.write(atlas.root, changes)
        render_site(atlas, tmp_path / name)
        pages.append((tmp_path / name / f"recorded/{PAID}.md").read_text(encoding="utf-8"))
    hostile, plain = (Page(get_data(text)[0]) for text in pages)
    drawn = {"g", "path", "rect", "text", "title"}  # how labels wrap depends on their length
    assert [tag for tag in hostile.tags if tag not in drawn] == [tag for tag in plain.tags if tag not in drawn]
    assert "<script>alert(1)</script> {{ 7*7 }}" in hostile.text


def test_a_file_that_is_no_recording_is_left_out(tmp_path: Path) -> None:
    folder = recordings.write(tmp_path)
    (folder / "Not <a> recording.json").write_text("{}", encoding="utf-8")
    assert list(read(folder)) == [SHARED, PAID]  # in the registry's order


def test_sources_for_the_page_of_the_form() -> None:
    views = source_views()
    assert [view["name"] for view in views] == list(registry.sources())
    for view in views:
        assert view["megabytes"] == pytest.approx(sum(file.bytes for file in view["files"]) / 1e6)


# --- the committed results ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(read(ROOT / FOLDER)))
def test_committed_results_have_all_that_a_page_shows(committed: Recorded, name: str) -> None:
    found, page = committed.files[name], committed.pages[name]
    assert page["agree"] == sum(row["agrees"] is True for row in found["rows"])
    assert len(page["runs"]) == len(found["runs"])
    assert len({run["name"] for run in page["runs"]}) == len(page["runs"])  # a reader can tell them apart
