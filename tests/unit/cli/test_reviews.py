"""Who let a run into its environment: what GitHub is asked, what counts of its answer, and how it can fail."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmail.cli.reviews import LONGEST_ANSWER, ReviewedRun
from opsmail.errors import OpsmailError, RefusedError, UnavailableError, UsageError
from tests.hostile.peer import LIMIT, SLACK, Connection, Peer
from tests.unit.cli.github import PATH, TOKEN, GitHub, github, review
from tests.unit.mail.oauth.identity import http

COMMIT, OTHER = "c0ffee" + "0" * 34, "beef" + "1" * 36


def ask(double: GitHub, environment: str = "default", commit: str = COMMIT, **variables: str) -> tuple[str, ...]:
    return ReviewedRun.of(double.variables(COMMIT) | variables).reviewers(commit, environment)


def failure(kind: type[OpsmailError], double: GitHub, environment: str = "default", **variables: str) -> str:
    """Return the one sentence of a failure and what to do; the token is in neither."""
    with pytest.raises(kind) as caught:
        ask(double, environment, **variables)
    error = caught.value
    assert type(error) is kind
    assert error.hint is not None
    told = f"{error.message} – {error.hint}"
    assert TOKEN not in f"{told}{error!r}{error.__cause__!r}"
    assert told.isprintable()
    return told


@pytest.mark.usefixtures("github_trusted")
class TestAsking:
    def test_one_question_with_the_token_of_the_job(self) -> None:
        with github([review("bia")]) as double:
            assert ask(double) == ("bia",)
        (asked,) = double.asked
        assert (asked["method"], asked["path"]) == ("GET", PATH)
        assert asked["Authorization"] == f"Bearer {TOKEN}"
        assert asked["Accept"] == "application/vnd.github+json"
        assert asked["X-GitHub-Api-Version"] == "2022-11-28"
        assert asked["User-Agent"].startswith("opsmail/")
        assert b"GET" not in double.peer.said(secure=False)

    def test_a_run_about_another_commit_is_not_asked_about(self) -> None:
        with github([review("bia")]) as double, pytest.raises(RefusedError) as caught:
            ask(double, commit=OTHER)
        assert str(caught.value) == "this run was let in with commit c0ffee000000, not with beef11111111"
        assert double.asked == []

    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_a_job_without_the_right(self, status: int) -> None:
        with github(http(status, {"message": f"::error::no {TOKEN}"})) as double:
            told = failure(UnavailableError, double)
        assert f"localhost does not tell who let this run in: it denies this job the answer ({status})" in told
        assert "its job the permission `actions: read`" in told

    def test_a_token_that_is_another_s(self) -> None:
        with github() as double:
            assert "it denies this job the answer (401)" in failure(UnavailableError, double, GITHUB_TOKEN="ghs_x")

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_nobody_is_sent_elsewhere(self, status: int) -> None:
        sink = Peer(lambda connection: connection.hold())
        try:
            with github(http(status, "", f"Location: https://localhost:{sink.port}/")) as double:
                assert f"it answered {status}" in failure(UnavailableError, double)
            assert sink.connections == 0
        finally:
            sink.stop()

    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            (http(500, "<h1>oops</h1>", kind="text/html"), "it answered 500"),
            (http(204, ""), "it answered 204"),
            (http(200, "<html>sign in</html>"), "what it sent is no list of reviews"),
            (http(200, '{"message": "ok"}'), "what it sent is no list of reviews"),
            (http(200, ""), "what it sent is no list of reviews"),
            (http(200, "[" * 100_000), "what it sent is no list of reviews"),
            (http(200, f"[{'9' * 10_000}]"), "what it sent is no list of reviews"),
            (http(200, json.dumps([review("bia")]).encode("utf-16")), "what it sent is no list of reviews"),
            (http(200, f"[{'0,' * 1_000_000}0]"), "its answer has more than 1024 KiB"),
            (b"220 mail.empresa.test ESMTP\r\n", "what it sent is not HTTP"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n[]", "what it sent is not HTTP"),
            (b"", "it closed the connection"),
        ],
    )
    def test_an_answer_that_is_none(self, answer: bytes, told: str) -> None:
        with github(answer) as double:
            assert told in failure(UnavailableError, double)

    def test_the_largest_answer_is_read(self) -> None:
        """A long comment, or many of them, is nobody's fault."""
        long = [review("bia") | {"comment": "x" * (LONGEST_ANSWER - 2000)}]
        with github(long) as double:
            assert ask(double) == ("bia",)

    @pytest.mark.parametrize(
        ("act", "told"),
        [
            (lambda c: c.hold(), "no complete answer in time"),
            (lambda c: c.drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000), "no complete answer in time"),
            (lambda c: c.flood(b"HTTP/1.1 100 Continue\r\n\r\n" * 200), "1024 KiB"),
        ],
    )
    def test_every_wait_ends(
        self, monkeypatch: pytest.MonkeyPatch, act: Callable[[Connection], object], told: str
    ) -> None:
        monkeypatch.setattr("opsmail.cli.reviews.SECONDS", LIMIT + 0.5 if "time" in told else 20)
        with github(act) as double:
            began = time.monotonic()
            assert told in failure(UnavailableError, double)
        if "time" in told:
            assert time.monotonic() - began < LIMIT + 0.5 + SLACK

    def test_one_that_is_not_there(self) -> None:
        with github() as double:
            pass
        told = failure(UnavailableError, double)
        assert "refused the connection" in told
        assert "see whether localhost can be reached from here" in told

    def test_a_name_that_does_not_exist(self) -> None:
        with github() as double:
            told = failure(UnavailableError, double, GITHUB_API_URL="https://api.invalid")
        assert "the name api.invalid does not exist or has no address" in told

    @pytest.mark.parametrize("host", ["10.0.0.1", "a" * 64, "-", "a..b"])
    def test_a_host_that_is_no_name(self, host: str) -> None:
        with github() as double:
            assert f"{host} does not tell" in failure(UnavailableError, double, GITHUB_API_URL=f"https://{host}")

    def test_without_a_port_it_is_that_of_https(self) -> None:
        with github() as double:
            run = ReviewedRun.of(double.variables(COMMIT) | {"GITHUB_API_URL": "https://api.github.com"})
        assert (run.host, run.port, run.target) == ("api.github.com", 443, PATH.removeprefix("/api/v3"))


def test_who_does_not_show_who_it_is_hears_no_token() -> None:
    """Here the system trusts nobody new."""
    with github([review("bia")]) as double:
        assert "the certificate does not lead to a trusted root" in failure(UnavailableError, double)
    assert double.asked == []


class TestVariables:
    @pytest.mark.parametrize("system", [{}, {"GITLAB_CI": "true"}, {"TF_BUILD": "True"}, {"GITHUB_ACTIONS": "1"}])
    def test_elsewhere_nobody_can_tell(self, system: dict[str, str]) -> None:
        with pytest.raises(UsageError, match="only GitHub Actions tells who let a run into its environment"):
            ReviewedRun.of(system)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("GITHUB_API_URL", ""),
            ("GITHUB_API_URL", "http://localhost"),
            ("GITHUB_API_URL", "https://ana@localhost"),
            ("GITHUB_API_URL", "https://localhost:0"),
            ("GITHUB_API_URL", "https://localhost:65536"),
            ("GITHUB_API_URL", "https://localhost?x=1"),
            ("GITHUB_API_URL", "https://localhost\r\nX: y"),
            ("GITHUB_API_URL", "https://[::1]"),
            ("GITHUB_REPOSITORY", "empresa"),
            ("GITHUB_REPOSITORY", "empresa/operadores/x"),
            ("GITHUB_REPOSITORY", "empresa/operadores\n"),
            ("GITHUB_RUN_ID", "٤٢"),
            ("GITHUB_RUN_ID", "1/../2"),
            ("GITHUB_SHA", "HEAD"),
            ("GITHUB_SHA", COMMIT[:12]),
            ("GITHUB_TOKEN", ""),
            ("GITHUB_TOKEN", f"{TOKEN}\r\nX: y"),
            ("GITHUB_TOKEN", f"{TOKEN}ã"),
        ],
    )
    def test_what_the_runner_does_not_set(self, name: str, value: str) -> None:
        with github() as double:
            told = failure(UnavailableError, double, **{name: value})
        assert f"the variable `{name}` does not hold what GitHub Actions has for it" in told
        assert ("actions: read" in told) is (name == "GITHUB_TOKEN")
        assert double.peer.connections == 0

    def test_the_token_shows_itself_nowhere(self) -> None:
        with github() as double:
            assert TOKEN not in repr(ReviewedRun.of(double.variables(COMMIT)))


@pytest.mark.usefixtures("github_trusted")
class TestReading:
    def read(self, *reviews: Any, environment: str = "default") -> tuple[str, ...]:
        with github(list(reviews)) as double:
            return ask(double, environment)

    def test_in_the_order_of_the_history_each_once(self) -> None:
        assert self.read(review("bia"), review("ana"), review("bia")) == ("bia", "ana")

    @pytest.mark.parametrize("name", ["Production", "PRODUCTION", "production"])
    def test_names_of_environments_differ_by_more_than_case(self, name: str) -> None:
        assert self.read(review("bia", "approved", "staging", name), environment="production") == ("bia",)

    def test_nor_does_a_letter_that_only_looks_like_one_in_lower_case(self) -> None:
        with github([review("bia", "approved", "\u212a8s")]) as double:
            assert "environment `k8s`" in failure(RefusedError, double, "k8s")

    @pytest.mark.parametrize("login", ["ana", "a", "ana-maria", "ana_empresa", "A1"])
    def test_accounts(self, login: str) -> None:
        assert self.read(review(login)) == (login,)

    @pytest.mark.parametrize(
        "nobody",
        [
            review("bia", "rejected"),
            review("bia", "pending"),
            review("bia", "Approved"),
            review("bia", "approved", "staging"),
            review("bia", "approved", "Default\u0130"),
            review("bia", "approved", None, 7, ["default"], {"name": "default"}),
            review("deploy[bot]"),
            review(""),
            review("a\nb"),
            review("ana\x1b]0;y\x07"),
            review("::add-mask::x"),
            review("a" * 101),
            review("\ud800"),
            review(7),
            review(None),
            review({"login": "bia"}),
            review("bia") | {"user": None},
            review("bia") | {"user": []},
            review("bia") | {"environments": {"name": "default"}},
            review("bia") | {"environments": ["default"]},
            review("bia") | {"environments": "default"},
            review("bia") | {"environments": []},
            review("bia") | {"state": ["approved"]},
            {},
            None,
            "approved",
            [],
            0,
        ],
    )
    def test_what_lets_nobody_in(self, nobody: Any) -> None:
        with github([nobody]) as double:
            told = failure(RefusedError, double)
        assert "nobody let this run into the environment `default` by a review" in told
        assert "give that environment required reviewers on GitHub" in told
        assert self.read(nobody, review("caio")) == ("caio",)

    def test_an_environment_without_reviewers(self) -> None:
        with github([]) as double:
            failure(RefusedError, double)

    def test_who_has_rejected_it_once_does_not_count(self) -> None:
        for history in ([review("bia"), review("bia", "rejected")], [review("bia", "rejected"), review("bia")]):
            assert self.read(*history, review("ana")) == ("ana",)
        assert self.read(review("bia"), review("bia", "rejected", "staging")) == ("bia",)


# Whatever a list may hold that JSON can say, near to a review and far from one.
WORDS = st.sampled_from(["approved", "rejected", "default", "DEFAULT", "bia", "a\x1bb", "", "x[bot]"]) | st.text(
    max_size=5
)
KEYS = st.sampled_from(["state", "environments", "user", "name", "login", "comment"]) | st.text(max_size=3)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)
NEARLY = st.fixed_dictionaries(
    {
        "state": WORDS,
        "environments": st.lists(st.fixed_dictionaries({"name": WORDS}) | ANYTHING, max_size=3),
        "user": st.fixed_dictionaries({"login": WORDS}) | ANYTHING,
    }
)


@given(st.lists(NEARLY | ANYTHING, max_size=6))
def test_whatever_the_history_holds(reviews: list[Any]) -> None:
    """Nobody counts whom it does not call an approver of this environment in so many words."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ReviewedRun, "_history", lambda _: json.loads(json.dumps(reviews)))
        run = ReviewedRun.of(GitHub(Nowhere()).variables(COMMIT))  # type: ignore[arg-type]  # nobody is asked
        try:
            found = run.reviewers(COMMIT, "default")
        except RefusedError:
            found = ()
    named = {
        item["user"]["login"]
        for item in reviews
        if isinstance(item, dict)
        and item.get("state") == "approved"
        and isinstance(item.get("user"), dict)
        and isinstance(item["user"].get("login"), str)
        and "default" in json.dumps(item.get("environments")).lower()
    }
    assert set(found) <= named
    assert len(set(found)) == len(found)
    assert all(login.isascii() and login.replace("-", "").replace("_", "").isalnum() for login in found)


class Nowhere:
    """A peer that is not there."""

    port = 1
