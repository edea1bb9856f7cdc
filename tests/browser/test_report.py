"""The report in a real browser: it loads nothing, its filter works, and everybody can use it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from gettext import NullTranslations
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from opsmail.messages import msg
from opsmail.report.endings import Ending, EndingKind
from opsmail.report.fleet import Fleet, Served, State, Step
from opsmail.report.page import render
from tests.browser.chromium import Browser
from tests.builders import operator_text
from tests.unit.report.fleets import NOW, digest_of, proof, report_on
from tests.unit.report.test_page import generation

MANY = 10_000
_GOOD = operator_text()


def small() -> Fleet:
    files = {
        "rh.yaml": _GOOD,
        "billing.yaml": operator_text(operator="billing", role="standard", server={"port": 465}),
        "off.yaml": operator_text(operator="off", role="standard", enabled=False),
    }
    steps = (Step(2, generation(2, reason="new relay")), Step(1, None, msg("a bad signature")))
    fleet = report_on(files, evidence=[proof("rh", digest_of(_GOOD))], served=Served({}, steps))
    endings = (
        Ending(NOW.date() + timedelta(days=days), EndingKind.SECRET, msg("the secret of `rh` ends"), ("rh",))
        for days in (-3, 5, *range(60, 75))
    )
    return Fleet(fleet.environment, NOW, fleet.rows, fleet.others, (*endings, *fleet.endings), fleet.steps)


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Browser]:
    file = tmp_path / "report.html"
    file.write_text(render(small(), NullTranslations()), "utf-8")
    browser.open(file)
    yield browser
    assert browser.complaints() == []
    assert browser.requests() == 0


def shown(browser: Browser) -> list[str]:
    rows = browser.driver.find_elements(By.CSS_SELECTOR, "tbody.rows tr")
    return [row.find_element(By.TAG_NAME, "code").text for row in rows if row.is_displayed()]


def test_search_and_filter(page: Browser) -> None:
    search, told = page.driver.find_element(By.ID, "search"), page.driver.find_element(By.ID, "shown")
    state = Select(page.driver.find_element(By.ID, "state"))
    assert shown(page) == ["billing", "off", "rh"]
    search.send_keys("om201 BILLING")
    assert (shown(page), told.text) == (["billing"], "1 of 3 shown")
    search.clear()
    search.send_keys(" ")
    state.select_by_value(State.DISABLED)
    assert (shown(page), told.text) == (["off"], "1 of 3 shown")
    state.select_by_value("")
    assert shown(page) == ["billing", "off", "rh"]


def test_endings_far_away_open_with_a_click(page: Browser) -> None:
    last = page.driver.find_elements(By.CSS_SELECTOR, ".endings time")[-1]
    assert not last.is_displayed()
    page.driver.find_element(By.TAG_NAME, "summary").click()
    assert last.is_displayed()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(page: Browser, scheme: str) -> None:
    page.prefer(scheme)
    page.driver.find_element(By.TAG_NAME, "summary").click()
    assert page.violations() == []


def test_hostile_values_do_nothing(browser: Browser, tmp_path: Path) -> None:
    attack = (
        '"><script>document.title="hacked"</script><img src=x onerror=document.title="hacked"><style>*{display:none}'
    )
    fleet = small()
    ending = Ending(date(2026, 7, 1), EndingKind.WAIVER, msg("{x}", x=attack), (attack,), "")
    file = tmp_path / "report.html"
    file.write_text(render(Fleet(attack, NOW, fleet.rows, (), (ending,), None), NullTranslations()), "utf-8")
    browser.open(file)
    assert browser.driver.title.startswith("E-mail operators")
    assert shown(browser) == ["billing", "off", "rh"]
    assert browser.complaints() == []


def test_ten_thousand_operators(browser: Browser, tmp_path: Path) -> None:
    fleet = small()
    (row,) = (row for row in fleet.rows if row.name == "rh")
    rows = tuple(replace(row, name=f"rh-{number}") for number in range(MANY))
    file = tmp_path / "report.html"
    file.write_text(render(Fleet("default", NOW, rows, (), fleet.endings, None), NullTranslations()), "utf-8")
    browser.open(file)
    browser.driver.find_element(By.ID, "search").send_keys("rh-9999")
    assert browser.driver.find_element(By.ID, "shown").text == "1 of 10000 shown"
