"""What the pages of claims say follows from the file of claims and from the results, and from nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from mkdocs.utils.meta import get_data

from scripts.claims.log import FILE as LOG
from scripts.claims.verdicts import VERDICTS
from scripts.model import Corpus
from scripts.model.claims import FILE
from scripts.render.deciding.claims import SIGNS, Claims
from scripts.render.site import render_site
from tests.conftest import ROOT, fields, write_entries
from tests.scripts.claims import results
from tests.scripts.claims.results import recording
from tests.scripts.render.pages import Page, render_markdown

VOTE, PAPER, HOSTILE = "majority-vote", "doe2024example", 'Votes *pay* <b>&amp; "more" {{ x }} [a](b)'
REPORT = {"paper": PAPER, "figure": "half of the calls are saved", "conditions": "one set", "source": "summary"}


def claim(text: str = "Votes pay", **test: Any) -> dict[str, Any]:
    usual = {"kind": "gain", "methods": [VOTE], "against": "best-single", "on": ["recorded:*", "*/*"]}
    told = {"claim": text, "conditions": "One answer from each.", "stage": "after", "limits": "Not much."}
    return {**told, "for": [REPORT], "test": usual | test}


def relation() -> dict[str, Any]:
    made = claim("Independence helps", kind="relation", factor="independence", expect="rises")
    return {**made, "for": [], "against": [{**REPORT, "source": "https://arxiv.org/abs/2406.00001"}]}


CLAIMS = {
    "votes-pay": claim(),
    "any-pays": claim("Something pays", methods=["after/non-cascade"], pick="any"),
    "cheap": claim("Cascades are cheap", kind="cost", methods=["after/cascade"], saving=50) | {"stage": "before"},
    "independence": relation(),
    "hostile": claim(HOSTILE),
}
del CLAIMS["cheap"]["test"]["against"]


def make(root: Path, *gains: float) -> Path:
    """An Atlas with these claims, and a recording for each gain of the vote."""
    for name in ("taxonomy", "site_src"):
        shutil.copytree(ROOT / name, root / name)
    (root / LOG).unlink(missing_ok=True)
    (root / "papers").mkdir()
    shutil.copyfile(ROOT / "papers" / "schema.json", root / "papers" / "schema.json")
    write_entries(root, {PAPER: fields()})
    (root / FILE).write_text(json.dumps({"claims": CLAIMS}), encoding="utf-8")
    results.write(root, *made_of(gains))
    log = {
        "votes-pay": [line("2026-01-02", "open", "b"), line("2026-02-03", "supported", "c")],
        "gone": [line("2026-01-01", "refuted", "b")],
    }
    (root / LOG).write_text(json.dumps(log), encoding="utf-8")
    return root


def line(date: str, verdict: str, digest: str) -> dict[str, str]:
    return {"date": date, "verdict": verdict, "sentence": f"It was {verdict}.", "test": "a", "results": digest}


def made_of(gains: tuple[float, ...]) -> list[dict[str, Any]]:
    return [
        recording(
            f"r{i}", {VOTE: gain, "dawid-skene": gain - 0.01, "frugalgpt": 0.0}, effective=1 + 0.1 * i,
            costs={VOTE: None},
        )
        for i, gain in enumerate(gains)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pools for the vote and one undecided, rendered."""
    root = make(tmp_path_factory.mktemp("claims") / "atlas", 0.05, 0.06, 0.07, 0.0)
    render_site(Corpus.load(root), root / "out")
    return root


def page_of(root: Path, name: str) -> Page:
    page = render_markdown(get_data((root / "out" / f"{name}.md").read_text(encoding="utf-8"))[0])
    assert page.problems == []
    return page


def test_a_page_says_verdict_numbers_and_reports(root: Path) -> None:
    page = page_of(root, "claims/votes-pay")
    assert "our own results: supported" in page.text
    assert (
        "Supported: of 4 pools of models that can be compared 3 stand for it (majority-vote is clearly" in page.text
    )
    assert "It would no longer be supported if 1 further pool stood against it." in page.text
    assert "Half of the calls are saved. One set." in page.text
    assert "No entry of the Atlas speaks against it." in page.text
    assert "What this test cannot tell. Not much." in page.text
    assert "+0.050 +0.030 to +0.070" in page.text
    assert "2026-02-03: supported. It was supported." in page.text
    assert f"../../papers/{PAPER}/" in page.attribute("href")
    assert "../../methods/majority-vote/" in page.attribute("href")
    assert (root / "out" / "plots" / "claim-votes-pay.svg").is_file()


def test_a_changed_result_changes_the_page(tmp_path: Path) -> None:
    root = make(tmp_path / "atlas", 0.05, 0.06, 0.07)
    render_site(Corpus.load(root), root / "out")
    assert "Supported: of 3 pools" in page_of(root, "claims/votes-pay").text
    results.write(root, *made_of((0.05, 0.06, -0.07)))
    render_site(Corpus.load(root), root / "out")
    text = page_of(root, "claims/votes-pay").text
    assert "Open: of 3 pools of models that can be compared 2 stand for it" in text
    assert "our own results: open" in text


def test_the_overview_lists_every_claim_once_under_its_verdict(root: Path) -> None:
    page = page_of(root, "claims/index")
    links = [href for href in page.attribute("href") if href.startswith("../claims/")]
    assert {f"../claims/{name}/" for name in CLAIMS} <= set(links)
    assert page.text.index("Supported") < page.text.index("Votes pay") < page.text.index("Independence helps")
    assert "3 of 4 pools for it, 0 against" in page.text
    for means in VERDICTS.values():
        assert means in page.text.replace("At least", "at least").replace("Pools", "pools").replace("Too", "too")


def test_the_overview_keeps_the_log(root: Path) -> None:
    page = page_of(root, "claims/index")
    text = page.text[page.text.rindex("Verdicts that changed") :]
    assert text.index("2026-02-03") < text.index("2026-01-02") < text.index("2026-01-01")
    assert "Votes pay2026-02-03supportedopenother results" in text
    assert "gone no longer listed" in text


def test_text_of_strangers_stays_text(root: Path) -> None:
    page = page_of(root, "claims/hostile")
    assert HOSTILE in page.text
    assert [attributes for tag, attributes in page.elements if tag == "b" and "aria-hidden" not in attributes] == []


def test_every_kind_of_test_has_its_page(root: Path) -> None:
    cost = page_of(root, "claims/cheap").text
    assert "a method saves 50 % or more of the best single model's cost" in cost
    related = page_of(root, "claims/independence").text
    assert "From pool to pool, the mean gain rises with the independence" in related
    assert "6 pools whose independence is known and differs are needed" in related
    assert "where the figure stands" in related
    assert "one of the methods" in page_of(root, "claims/any-pays").text


def test_an_unknown_cost_is_unknown(root: Path) -> None:
    assert "unknown" in page_of(root, "claims/votes-pay").text


def test_papers_and_methods_link_to_claims(root: Path) -> None:
    paper = page_of(root, f"papers/{PAPER}")
    assert "Claims this paper speaks to" in paper.text
    assert {"../../claims/votes-pay/", "../../claims/independence/"} <= set(paper.attribute("href"))
    assert "Speaks against it" in paper.text
    method = page_of(root, "methods/majority-vote")
    assert {"../../claims/votes-pay/", "../../claims/any-pays/"} <= set(method.attribute("href"))
    assert "../../claims/cheap/" not in method.attribute("href")


def test_the_api_has_the_claims(root: Path) -> None:
    told = json.loads((root / "out" / "api" / "v1" / "claims.json").read_text(encoding="utf-8"))["claims"]
    assert {one["id"] for one in told} == set(CLAIMS)
    one = next(one for one in told if one["id"] == "votes-pay")
    assert (one["verdict"], one["pools"]) == ("supported", {"for": 3, "against": 0, "undecided": 1})
    assert one["for"] == [REPORT]
    first = one["comparisons"][0]
    assert (first["place"], first["method"], first["over"], first["stand"]) == ("recorded:r0", VOTE, "single", "for")
    assert one["test"]["kind"] == "gain"
    assert [line["verdict"] for line in one["log"]] == ["open", "supported"]


def test_claims_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    root = make(tmp_path / "atlas", 0.05)
    (root / FILE).write_text("claims: {a: 1}\n", encoding="utf-8")
    render_site(Corpus.load(root), root / "out")
    assert "No claims are listed." in page_of(root, "claims/index").text
    (root / FILE).unlink()
    render_site(Corpus.load(root), root / "out")
    assert "No claims are listed." in page_of(root, "claims/index").text


def test_a_licence_that_forbids_sale_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scripts.render.deciding import claims  # noqa: PLC0415

    monkeypatch.setattr(claims, "_licences", lambda: {"r0": "a/b, CC-BY-NC-4.0", "r1": "c/d, MIT"})
    page = Claims(Corpus.load(make(tmp_path / "atlas", 0.05, 0.05))).pages["votes-pay"]
    assert page["credit"] == "With data of a/b, CC-BY-NC-4.0."
    assert page["figure"].credit == page["credit"]


def test_every_verdict_has_a_sign_of_its_own() -> None:
    assert set(SIGNS) == set(VERDICTS)
    assert len({sign for sign, _ in SIGNS.values()}) == len(SIGNS)


def test_the_real_claims_have_pages_with_their_papers(corpus: Corpus) -> None:
    pages = Claims(corpus).pages
    assert len(pages) >= 20
    for page in pages.values():
        assert all(report["page"] for side in ("for", "against") for report in page[side])
        assert page["sentence"].startswith(page["verdict"].capitalize())
