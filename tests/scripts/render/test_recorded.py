"""What the pages of recorded answers say follows from the files of results, and from nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import altair
import pytest
import yaml
from mkdocs.utils.meta import get_data

from reference_impls.recorded import registry
from scripts.model import Corpus
from scripts.render import render_site
from scripts.render.charts import Chart
from scripts.render.recorded import (
    FOLDER,
    MONTH,
    PUBLISHED,
    TITLES,
    TRAFFIC,
    Recorded,
    read,
    source_views,
)
from scripts.render.results import figures
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


def layers(chart: Chart | None) -> list[list[dict[str, Any]]]:
    """The data of each layer."""
    assert chart
    spec = json.loads(chart.text)
    return [spec["datasets"][layer.get("data", spec.get("data"))["name"]] for layer in spec["layer"]]


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
    assert said["majority-vote"] == "even"
    assert said["frugalgpt"] == "worse"
    assert said["single"] == "best"
    assert said["single (model=large)"] == "even"
    assert recorded.pages[PAID]["verdicts"] == {"better": 1, "even": 1, "worse": 1, "unknown": 0}


def test_a_gain_without_an_interval_is_no_verdict(tmp_path: Path) -> None:
    unclear = recordings.run("majority-vote", gain=0.1, category="after/non-cascade")
    unclear["gain"] = {"mean": None, "low": None, "high": None, "runs": []}
    page = Recorded(recordings.write(tmp_path, recordings.result(runs=[unclear, recordings.ROUTER]))).pages[PAID]
    assert [run["gain"] is None for run in page["runs"]] == [False, True]
    assert page["verdicts"]["unknown"] == 1


def test_the_headline(recorded: Recorded) -> None:
    head = recorded.pages[PAID]["headline"]
    assert head["model"] == "large"
    assert (head["single"]["score"]["mean"], head["oracle"]["score"]["mean"]) == (0.55, 0.8)
    assert head["method"]["label"] == "knn-router (k=20)"


def test_runs_of_different_pools_stand_in_different_tables(tmp_path: Path) -> None:
    """A gain is over the best single model of the run's own pool, so the headline is of one pool too."""
    third = {"name": "third", "score": recordings.estimate(0.9), "cost": None, "latency": None, "price": None}
    base = recordings.result()
    wide = recordings.run(
        "majority-vote", 0.95, 0.3, None, label="majority-vote (all)", category="after/non-cascade",
        pool=["small", "large", "third"],
    )  # fmt: skip
    folder = recordings.write(tmp_path, {**base, "models": [*base["models"], third], "runs": [*base["runs"], wide]})
    page = Recorded(folder).pages[PAID]
    assert [pool["models"] for pool in page["pools"]] == [("large", "small"), ("large", "small", "third")]
    assert [run["label"] for run in page["pools"][1]["runs"]] == ["majority-vote (all)"]
    assert [pool["against"] for pool in page["pools"]] == [None, "0.650"], "0.95 - 0.3; of the first pool they differ"
    head = page["headline"]
    assert (head["pool"], head["method"]["label"]) == (("large", "small"), "knn-router (k=20)")


def test_pools_are_told_on_the_pages(make_atlas: MakeAtlas, tmp_path: Path) -> None:
    atlas = make_atlas({"doe2024a": fields()}, site=True)
    base = recordings.result()
    wide = recordings.run("weighted-vote", 0.95, 0.3, None, category="after/non-cascade", pool=["small"])
    recordings.write(atlas.root, {**base, "runs": [*base["runs"], wide]})
    render_site(atlas, tmp_path / "out")
    text = page_of(tmp_path / "out", f"recorded/{PAID}").text
    assert "All 2 models" in text
    assert "Gain over the best single model of these 2" in text
    assert "1 of the 2 models" in text
    assert "The best of them alone, chosen on the training queries, has a score of 0.650." in text
    assert "1 of its 2 models" in page_of(tmp_path / "out", "methods/weighted-vote").text


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
    assert recorded.pages[SHARED]["called"] is None


def test_rows_are_split_by_whether_there_is_something_to_compare(recorded: Recorded) -> None:
    page = recorded.pages[PAID]
    assert (len(page["compared"]), page["agree"], len(page["computed"])) == (3, 2, 1)
    assert [row["page"] for row in page["compared"]] == [None, "methods/knn-router/", None]


def test_a_methods_runs(recorded: Recorded) -> None:
    runs = recorded.of_method("knn-router")
    assert [(run["recording"], run["detail"], run["recording_page"]) for run in runs] == [
        (TITLES[PAID], "k=20", f"recorded/{PAID}/")
    ]
    assert recorded.of_method("gac") == []


# --- drawings -------------------------------------------------------------------------------------------------------


def test_the_plot_holds_curves_points_and_published_points(recorded: Recorded) -> None:
    lines, marks = layers(recorded.pages[PAID]["curves"])
    curve = [(row["x"], row["y"]) for row in lines]
    assert curve == [(pytest.approx(x * 1000), y) for x, y in recordings.ROUTER["curve"]]
    points = {row["run"]: row for row in marks}
    assert points["BERT (published)"] | {"told": ""} == {
        "run": "BERT (published)", "group": PUBLISHED, "x": pytest.approx(0.2), "y": 0.6, "told": "",
        "says": "BERT (published): score 0.6000, ong2024routellm (arXiv v4)",
    }  # fmt: skip
    assert points["knn-router (k=20)"]["x"] == pytest.approx(0.12)
    assert "majority-vote" not in points  # its cost is unknown
    assert "frugalgpt" not in points


def test_what_costs_nothing_has_no_place_on_a_logarithm(tmp_path: Path) -> None:
    free = recordings.run("oracle", 0.8, 0.2, 0.0)
    page = Recorded(recordings.write(tmp_path, recordings.result(runs=[free, recordings.ROUTER]))).pages[PAID]
    assert [row["run"] for row in layers(page["curves"])[1]] == [
        "knn-router (k=20)", "BERT (published)",
    ]  # fmt: skip
    assert [row["name"] for row in layers(page["spread"])[0]] == ["knn-router (k=20)"]
    assert page["month"][0]["month"] == 0


def test_the_share_needs_no_logarithm(recorded: Recorded) -> None:
    lines, marks = layers(recorded.pages[SHARED]["curves"])
    assert lines[0]["x"] == 0
    assert {row["run"] for row in marks} >= {"small", "large", "ridge-router"}


def test_the_costs_of_single_queries(recorded: Recorded) -> None:
    values = layers(recorded.pages[PAID]["spread"])[0]
    assert [row["mean"] for row in values] == sorted(row["mean"] for row in values)
    router = next(row for row in values if row["name"] == "knn-router (k=20)")
    quantiles = recordings.ROUTER["cost_quantiles"]
    for key, step in (("low", "0"), ("tenth", "0.1"), ("median", "0.5"), ("ninth", "0.9"), ("high", "1")):
        assert router[key] == pytest.approx(quantiles[step] * 1000)
    assert not any(row["name"] == "majority-vote" for row in values)
    assert recorded.pages[SHARED]["spread"] is None


def test_what_is_drawn_fits_the_schema(recorded: Recorded) -> None:
    """Rendering does not check it."""
    for chart in (recorded.pages[name][what] for name in (PAID, SHARED) for what in ("curves", "spread")):
        if chart:
            altair.LayerChart.from_dict(json.loads(chart.text))  # raises where it does not


def test_without_an_axis_nothing_is_drawn(tmp_path: Path) -> None:
    assert Recorded(recordings.write(tmp_path, recordings.result(axis=None))).pages[PAID]["curves"] is None


# --- pages ----------------------------------------------------------------------------------------------------------


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
        assert f"../recorded/{name}/" in index.attribute("href")
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
    assert f"../../recorded/{PAID}/" in page.attribute("href")
    assert "0.75" in page.attribute("data-value")
    assert "On recorded answers" not in page_of(site, "methods/gac").text
    held = json.loads((site / "api/v1/recorded.json").read_text(encoding="utf-8"))["recordings"]
    assert {one["recording"]: one for one in held} == {
        SHARED: json.loads(json.dumps(recordings.unpaid())),
        PAID: json.loads(json.dumps(recordings.result())),
    }


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
    assert hostile.tags == plain.tags
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
    if page["curves"]:
        drawn = [row for row in layers(page["curves"])[-1] if row["group"] == PUBLISHED]
        assert len(drawn) == sum(len(row["points"]) for row in found["published"])
