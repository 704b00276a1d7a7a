"""A reader of Chinese: finds the language, stays in it, searches in it, and gets back to the same page in English."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Tab
from tests.browser.test_accessibility import serious_in_both_schemes

pytestmark = pytest.mark.browser

TRANSLATED = [
    "/",
    "/choose/",
    "/glossary/",
    "/guides/",
    "/guides/translation/",
    "/methods/",
    "/methods/knn-router/",
    "/taxonomy/",
    "/taxonomy/after/",
    "/taxonomy/after/cascade/",
]
HEADINGS = ".md-search-result__item h1"


def test_the_switch_leads_to_the_same_page_and_back(page: Page) -> None:
    for address in TRANSLATED:
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("lang", "en")
        english = page.url
        page.get_by_role("link", name="中文").click()
        page.wait_for_url(f"**/zh{address}")
        expect(page.locator("html")).to_have_attribute("lang", "zh")
        for language, url in (("en", english), ("zh", page.url)):
            link = page.locator(f'link[hreflang="{language}"]')
            assert link.evaluate("link => link.href") == url
        page.get_by_role("link", name="English").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        assert page.url == english


def test_where_there_is_no_chinese_page_the_switch_leads_home(page: Page) -> None:
    for address in ("/papers/ong2024routellm/", "/results/"):
        page.goto(address)
        assert page.locator("link[hreflang]").count() == 0
        page.get_by_role("link", name="中文").click()
        page.wait_for_url("**/zh/")
        expect(page.get_by_role("heading", level=1)).to_have_text("大模型集成图谱")


def test_the_page_choose_advises_the_same_in_chinese_and_the_switch_keeps_the_answers(page: Page) -> None:
    advised = "items => items.map(item => item.dataset.method)"
    page.goto("/choose/?see=text&labels=some")
    expect(page.locator('.atlas-choose[data-state="ready"]')).to_be_visible()
    english = page.locator(".atlas-choose-fits > li").evaluate_all(advised)
    page.get_by_role("link", name="中文").click()
    page.wait_for_url("**/zh/choose/?see=text&labels=some")
    expect(page.locator('.atlas-choose[data-state="ready"]')).to_be_visible()
    assert english
    assert page.locator(".atlas-choose-fits > li").evaluate_all(advised) == english
    expect(page.locator(".atlas-choose-status")).to_have_text(re.compile(r"^[\d,]+ 个方法的 [\d,]+ 次运行符合条件"))
    # what is left in English are names, numbers and commands
    for text in page.locator(
        ".atlas-choose-facts dt, .atlas-choose-rest summary, label > span, option"
    ).all_inner_texts():
        assert re.search("[\u4e00-\u9fff]", text), text
        assert not re.search("[A-Za-z]{4}", text), text
    page.locator(".atlas-choose-fits a").first.click()
    page.wait_for_url("**/zh/methods/*/")


def test_the_script_of_the_page_choose_has_its_words_in_both_languages(page: Page) -> None:
    page.goto("/zh/choose/")
    english, chinese = page.evaluate(
        "async () => Object.values((await import('/assets/choose-words.js')).LANGUAGES).map(one => Object.keys(one))"
    )
    assert english == chinese


def test_from_home_to_when_to_use_a_cascade(page: Page) -> None:
    page.goto("/zh/")
    page.get_by_role("link", name="级联", exact=True).click()
    page.wait_for_url("**/zh/taxonomy/after/cascade/")
    expect(page.locator(".atlas-when > p")).to_contain_text("价格")
    # the words of the theme, too, and the sections of the site
    expect(page.locator(".md-skip")).to_have_text("跳转至")
    expect(page.locator(".md-tabs__link").nth(1)).to_have_text("分类体系")
    # numbers are those of the English page
    count = re.compile(r"\d+").findall(page.locator(".atlas-papers > p").inner_text())
    page.get_by_role("link", name="English").click()
    assert re.compile(r"\d+").findall(page.locator(".atlas-papers > p").inner_text()) == count


@pytest.mark.parametrize(("query", "address"), [
    ("级联", "/zh/taxonomy/after/cascade/"),
    ("词表对齐", "/zh/taxonomy/during/token-level/"),
    ("RouteLLM", "/papers/ong2024routellm/"),
])  # fmt: skip
def test_search_finds_words_of_a_language_without_blanks(page: Page, query: str, address: str) -> None:
    page.goto("/zh/")
    box = page.locator(".md-search__input")
    box.click()
    box.press_sequentially(query)
    found = page.locator(f'.md-search-result__link[href*="{address}"]')
    expect(found.first).to_be_attached()
    expect(page.locator(".md-search-result__meta")).not_to_have_text(re.compile("^0"))


def test_a_search_in_english_finds_no_chinese_page(page: Page) -> None:
    page.goto("/")
    box = page.locator(".md-search__input")
    box.click()
    box.press_sequentially("cascade")
    expect(page.locator(HEADINGS).first).to_be_attached()
    assert page.locator('.md-search-result__link[href*="/zh/"]').count() == 0


def test_pages_are_accessible_and_fit_a_phone(tab: Tab) -> None:
    page = tab(size=PHONE)
    for address in TRANSLATED:
        page.goto(f"/zh{address}")
        found = serious_in_both_schemes(page)
        assert not found, f"{address}\n{found}"
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], address
