"""The form in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from opsmail.evidence.facts import Depth
from opsmail.live.result import Outcome, StageResult, TestResult
from opsmail.mail.failure import Stage
from opsmail.operator.model import Operator
from tests.browser.chromium import Browser
from tests.unit.form.serving import RH, editor_of, served

_SECONDS = 20


class Form:
    """What a person does at the form."""

    def __init__(self, browser: Browser, root: Path) -> None:
        self.browser = browser
        self.root = root
        #: Set when a test message may be sent to its end.
        self.go_on = Event()

    def send(self, operator: Operator, watch: Callable[[StageResult], None]) -> TestResult:
        """Stand in for a server that is slow to take the message."""
        stages = tuple(StageResult(stage, Outcome.PASSED, 7) for stage in (Stage.RESOLVE, Stage.CONNECT, Stage.SEND))
        for stage in stages[:2]:
            watch(stage)
        self.go_on.wait(_SECONDS)
        watch(stages[2])
        return TestResult(operator.operator, "sha256:" + "ab" * 32, Outcome.PASSED, Depth.SEND, stages)

    def find(self, selector: str) -> str:
        return self.browser.driver.find_element(By.CSS_SELECTOR, selector).text

    def field(self, title: str) -> Any:
        labels = self.browser.driver.find_elements(By.TAG_NAME, "label")
        (label,) = [label for label in labels if label.text == title]
        return self.browser.driver.find_element(By.ID, label.get_attribute("for") or "")

    def enter(self, title: str, text: str) -> None:
        field = self.field(title)
        field.clear()
        field.send_keys(text)

    def choose(self, title: str, value: str) -> None:
        Select(self.field(title)).select_by_value(value)

    def click(self, selector: str) -> None:
        self.browser.driver.find_element(By.CSS_SELECTOR, selector).click()

    def wait(self, holds: Callable[[], object]) -> None:
        WebDriverWait(self.browser.driver, _SECONDS).until(lambda _: holds())

    def text(self, path: str = RH) -> str:
        return (self.root / path).read_text("utf-8")


@pytest.fixture
def form(browser: Browser, tmp_path: Path) -> Iterator[Form]:
    form = Form(browser, tmp_path)
    with served(editor_of(tmp_path, form.send)) as server:
        browser.go(server.address)
        form.wait(lambda: form.find("#list"))
        yield form
        # What the server refuses is logged by the browser; everything else would be a mistake of the page.
        assert [line for line in browser.complaints() if "the server responded with a status of 4" not in line] == []
        browser.go("about:blank")


def test_an_operator_is_changed(form: Form) -> None:
    form.click("#list button")
    form.wait(lambda: form.find("#file") == RH)
    assert form.field("Server").get_attribute("value") == "smtp.empresa.com.br"
    form.enter("Port", "465")
    form.wait(lambda: "OM201" in form.find(".field.error ul"))
    form.wait(lambda: "+   port: 465" in form.find("#changes"))
    form.choose("Encryption", "implicit-tls")
    form.wait(lambda: "OM209" in form.find("#fields") and "OM201" not in form.find("#fields"))
    form.enter("Port", "587")
    form.choose("Encryption", "starttls")
    form.enter("Display name", "Human Resources")
    form.wait(lambda: form.find("#changes").count("\n+") == 1)
    form.click("#save")
    form.wait(lambda: form.find("#told").startswith("Saved."))
    assert "  display_name: Human Resources\n" in form.text()
    assert form.text().startswith("# Human resources\n")


def test_fields_follow_the_login(form: Form) -> None:
    form.click("#list button")
    form.wait(lambda: form.find("#file") == RH)
    assert form.field("Password reference").is_displayed()
    form.choose("Authentication", "modern")
    assert form.field("Tenant").is_displayed()
    labels = [label.text for label in form.browser.driver.find_elements(By.TAG_NAME, "label")]
    assert "Password reference" not in labels


def test_a_password_is_refused(form: Form) -> None:
    form.click("#list button")
    form.wait(lambda: form.find("#file") == RH)
    form.enter("Password reference", "s3nh4-Forte!")
    form.wait(lambda: "OM601" in form.find("#fields"))
    form.click("#save")
    form.wait(lambda: "looks like a password" in form.find("#told"))
    assert "s3nh4" not in form.text()
    assert "s3nh4" not in form.find("#changes")


def test_a_new_operator(form: Form) -> None:
    form.click("#new")
    form.enter("Operator id", "billing")
    form.choose("Authentication", "basic")
    form.enter("Server", "smtp.empresa.com.br")
    form.enter("Port", "587")
    form.enter("Sender address", "billing@empresa.com.br")
    form.enter("User", "billing@empresa.com.br")
    form.enter("Password reference", "env://OPSMAIL_SECRET_BILLING")
    form.choose("Encryption", "starttls")
    form.wait(lambda: "OM" not in form.find("#fields") and "+ operator: billing" in form.find("#changes"))
    form.click("#save")
    form.wait(lambda: form.find("#told").startswith("Saved."))
    assert "billing" in form.find("#list")
    assert "password: env://OPSMAIL_SECRET_BILLING" in form.text("operators/billing.yaml")


def test_a_test_message(form: Form) -> None:
    form.click("#list button")
    form.wait(lambda: form.find("#file") == RH)
    form.click("#test")
    form.wait(lambda: form.find("#stages") == "✓ resolve (7 ms)\n✓ connect (7 ms)")
    assert form.find("#told") == "Sending a test message…"
    form.go_on.set()
    form.wait(lambda: form.find("#told") == "The test message was sent.")
    assert form.find("#stages") == "✓ resolve (7 ms)\n✓ connect (7 ms)\n✓ send (7 ms)"


def test_the_page_survives_being_loaded_again_and_no_other_tab_gets_in(form: Form) -> None:
    form.browser.driver.refresh()
    form.wait(lambda: form.find("#list"))
    form.browser.driver.execute_script("sessionStorage.clear()")
    form.browser.driver.refresh()
    form.wait(lambda: form.find("#told").startswith("This page has no key."))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(form: Form, scheme: str) -> None:
    form.browser.prefer(scheme)
    form.click("#list button")
    form.wait(lambda: form.find("#file") == RH)
    form.enter("Port", "465")
    form.wait(lambda: "OM201" in form.find("#fields"))
    assert form.browser.violations() == []
