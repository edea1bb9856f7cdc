"""Who let this run into its protected environment, as GitHub's review history of the run tells it.

Sources: https://docs.github.com/en/rest/actions/workflow-runs#get-the-review-history-for-a-workflow-run,
https://docs.github.com/en/rest/about-the-rest-api/api-versions, and for `GITHUB_…`, which the runner sets and no step
can change, https://docs.github.com/en/actions/reference/workflows-and-actions/variables
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from opsmail import __version__
from opsmail.errors import RefusedError, UnavailableError, UsageError
from opsmail.expressions import expression
from opsmail.mail.destination import canonical_host, resolve
from opsmail.mail.endpoint import TlsVersion
from opsmail.mail.failure import Failure
from opsmail.mail.http import Request, Response, UnusableAnswer, exchange
from opsmail.mail.tls import TrustStores
from opsmail.mail.transport import Deadline, Transport
from opsmail.messages import Message, msg
from opsmail.secrets import Secret
from opsmail.values import dataclass

#: Seconds for the whole question.
SECONDS = 20.0
#: Octets of an answer that are read, its header included; one review has some thousand.
LONGEST_ANSWER = 1024 * 1024

_HTTPS = 443
_VARIABLES = {
    "GITHUB_API_URL": expression(
        r"https://(?P<host>[A-Za-z0-9.-]+)(?::(?P<port>[1-9][0-9]{0,4}))?(?P<path>(?:/[A-Za-z0-9._-]+)*)/?"
    ),
    "GITHUB_REPOSITORY": expression(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+"),
    "GITHUB_RUN_ID": expression(r"[0-9]{1,20}"),
    "GITHUB_SHA": expression(r"[0-9a-f]{40}|[0-9a-f]{64}"),
    "GITHUB_TOKEN": expression(r"[!-~]{1,4096}"),
}
# A person's account. An app's ends in `[bot]`, and an app has looked at nothing.
_LOGIN = expression(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_RIGHTS = msg("give the step `GITHUB_TOKEN: ${{ github.token }}`, and its job the permission `actions: read`")
_DENIED = (401, 403, 404)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedRun:
    """A run of GitHub Actions.

    Args:
        host: of GitHub's API; the job's token belongs to it.
        port: likewise.
        target: the path of the run's review history.
        commit: what the run is about, a full id.
        token: the job's.
    """

    host: str
    port: int
    target: str
    commit: str
    token: Secret

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> ReviewedRun:
        """Return the run that opsmail is part of.

        Args:
            environment: the variables.

        Raises:
            UsageError: it is no run of GitHub Actions.
            UnavailableError: the variables do not say where to ask, or with which token.
        """
        if environment.get("GITHUB_ACTIONS") != "true":
            raise UsageError(
                msg("only GitHub Actions tells who let a run into its environment, and this is no run there"),
                hint=msg("say who approves, for example `--as ti@empresa.com.br`"),
            )
        api, repository, run, commit, token = (_value(environment, name) for name in _VARIABLES)
        port = int(api["port"] or _HTTPS)
        if port > 65535:
            raise _no_value("GITHUB_API_URL")
        return cls(
            host=api["host"],
            port=port,
            target=f"{api['path']}/repos/{repository[0]}/actions/runs/{run[0]}/approvals",
            commit=commit[0],
            token=Secret(token[0]),
        )

    def reviewers(self, commit: str, environment: str) -> tuple[str, ...]:
        """Ask GitHub, and return the accounts of who let this run in, at least one.

        Args:
            commit: what they shall have approved, a full id.
            environment: of the settings; GitHub's has the same name.

        Raises:
            RefusedError: the run is about another commit, or nobody let it in.
            UnavailableError: GitHub does not tell.
        """
        if commit != self.commit:
            raise RefusedError(
                msg(
                    "this run was let in with commit {wanted}, not with {commit}",
                    wanted=self.commit[:12],
                    commit=commit[:12],
                ),
                hint=msg("approve the commit that the run is about, without `--commit` and another checkout"),
            )
        found = tuple(dict.fromkeys(_approvers(self._history(), environment)))
        if not found:
            raise RefusedError(
                msg("nobody let this run into the environment `{environment}` by a review", environment=environment),
                hint=msg("give that environment required reviewers on GitHub, or say who approves with `--as`"),
            )
        return found

    def _history(self) -> list[object]:
        try:
            response = self._ask(Deadline(SECONDS))
        except Failure as failure:
            raise self._unknown(failure.detail) from None
        except UnusableAnswer as answer:
            raise self._unknown(answer.reason) from None
        if response.status in _DENIED:
            raise self._unknown(msg("it denies this job the answer ({status})", status=response.status), _RIGHTS)
        if response.status != 200:  # a redirect is one of these: the token goes nowhere else
            raise self._unknown(msg("it answered {status}", status=response.status))
        reviews = _decoded(response.content)
        if not isinstance(reviews, list):
            raise self._unknown(msg("what it sent is no list of reviews"))
        return reviews

    def _ask(self, deadline: Deadline) -> Response:
        # The runner names the host, so it may be one inside the organisation.
        host = canonical_host(self.host)
        transport = Transport()
        try:
            addresses = resolve(host, self.port, private=True, seconds=deadline.remaining())
            transport.connect(addresses, deadline)
            transport.start_tls(TrustStores().context(None, TlsVersion.TLS_1_2), host, deadline)
            return exchange(transport, deadline, self._request(host), longest=LONGEST_ANSWER)
        finally:
            transport.close()

    def _request(self, host: str) -> Request:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token.reveal()}",
            # GitHub refuses requests without one: https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api
            "User-Agent": f"opsmail/{__version__}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        return Request(host=host, port=self.port, tls=True, method="GET", target=self.target, headers=headers)

    def _unknown(self, reason: Message, hint: Message | None = None) -> UnavailableError:
        return UnavailableError(
            msg("{host} does not tell who let this run in: {reason}", host=self.host, reason=reason),
            hint=hint or msg("see whether {host} can be reached from here, and run the job again", host=self.host),
        )


def _value(environment: Mapping[str, str], name: str) -> re.Match[str]:
    found = _VARIABLES[name].fullmatch(environment.get(name, ""))
    if found is None:
        raise _no_value(name)
    return found


def _no_value(name: str) -> UnavailableError:
    """Return the error of a variable, whose value is not repeated: it may be the token."""
    return UnavailableError(
        msg("the variable `{name}` does not hold what GitHub Actions has for it", name=name),
        hint=_RIGHTS if name == "GITHUB_TOKEN" else msg("leave the variables of the runner as it sets them"),
    )


def _decoded(content: bytes) -> object:
    """Return what a JSON text says, None for any other; RFC 8259 section 8.1 leaves UTF-8 as the only encoding."""
    try:
        return json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _approvers(reviews: Iterable[object], environment: str) -> Iterator[str]:
    """Yield the account of each review that let a run into an environment, in the order of the history.

    The history holds all attempts of the run and does not say which came last, so who has rejected it once does not
    count.
    """
    told = list(_opinions(reviews, environment))
    against = {login for login, state in told if state == "rejected"}
    yield from (login for login, state in told if state == "approved" and login not in against)


def _opinions(reviews: Iterable[object], environment: str) -> Iterator[tuple[str, str]]:
    """Yield account and state of each review of an environment; what does not have the form of one is passed over."""
    for review in reviews:
        match review:
            case {"state": str(state), "environments": [*entered], "user": {"login": str(login)}}:
                if _LOGIN.fullmatch(login) and any(_is_named(item, environment) for item in entered):
                    yield login, state


def _is_named(item: object, environment: str) -> bool:
    """Whether this is GitHub's environment of the name.

    Its names do not differ by case alone:
    https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/manage-environments
    """
    match item:
        case {"name": str(name)}:
            # Letters of other scripts that become ASCII letters in lower case make no other name this one.
            return name.isascii() and name.lower() == environment.lower()
    return False
