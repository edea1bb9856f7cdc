"""Pins: what is not approved is refused before DNS, and what is connected is asked about once more."""

from __future__ import annotations

from typing import Any

import pytest

from opsmail.live.pins import NotPinnedError, require_pinned_peer
from opsmail.mail.destination import SocketAddress
from opsmail.mail.endpoint import Endpoint
from opsmail.mail.submission import Submission
from opsmail.mail.tls import TrustStores
from opsmail.operator.model import Operator
from opsmail.settings.load import Settings
from tests.unit.fleets import operator, settings
from tests.unit.live.running import MODERN, Vault, catalogue, live
from tests.unit.servers import server


class TestPins:
    """What the catalogue does not allow is refused before a name is resolved, a port opened or a secret read."""

    @pytest.mark.case("C-01", "C-04", "C-05", "C-12", "C-16", "C-20")
    @pytest.mark.parametrize(
        ("asked", "told"),
        [
            ({"server": {"host": "mail.atacante.test"}}, "the server `mail.atacante.test` is not approved"),
            ({"server": {"host": "mail.empresa.test.atacante.test"}}, "is not approved"),
            ({"server": {"port": 2525}}, "port 2525 with `starttls` is not approved"),
            ({"server": {"port": 25}}, "port 25 with `starttls` is not approved"),
            ({"server": {"encryption": "none"}}, "port 587 with `none` is not approved"),
            (
                {"authentication": {"type": "basic", "username": "x", "password": "env://OPSMAIL_SECRET_CHEFE"}},
                "may not be sent to `mail.empresa.test` by operator `rh`",
            ),
            (
                {"authentication": {"type": "basic", "username": "x", "password": "env://OPSMAIL_SIGNING_KEY"}},
                "a secret of opsmail's own settings",
            ),
            (
                {"authentication": {"type": "basic", "username": "x", "password": "senha-digitada"}},
                "`authentication.password` holds no secret reference",
            ),
            ({"authentication": MODERN | {"tenant": "other.test"}}, "the tenant `other.test` is not approved"),
        ],
    )
    def test_what_is_not_allowed(self, asked: dict[str, Any], told: str) -> None:
        vault = Vault()
        with server() as running:
            approved = catalogue(running)
            if asked.get("authentication", {}).get("password") == "env://OPSMAIL_SIGNING_KEY":
                approved = settings(
                    '[[servers]]\nhost = "mail.empresa.test"\nconnections = ["587/starttls"]\n'
                    'authentication = ["basic"]\nsecrets = ["env://OPSMAIL_*"]\n'
                )
            with pytest.raises(NotPinnedError, match="`rh` is not tested") as caught:
                live(approved, vault).run(
                    [operator("chefe", server={"host": "mail.empresa.test"}), operator("rh", **asked)]
                )
            assert told in str(caught.value)
            assert running.peer.connections == 0
        assert vault.asked == []

    def test_everything_that_is_not_allowed_is_told(self) -> None:
        with server() as running, pytest.raises(NotPinnedError) as caught:
            live(catalogue(running)).run([operator("a", server={"port": 1}), operator("b", server={"host": "x.test"})])
        assert [str(error).partition(":")[0] for error in (caught.value, *caught.value.further)] == [
            "`a` is not tested",
            "`b` is not tested",
        ]

    def test_without_a_catalogue_nothing_is_allowed(self) -> None:
        with pytest.raises(NotPinnedError, match="no catalogue of approved servers") as caught:
            live(settings("")).run([operator("rh")])
        assert "[[servers]]" in str(caught.value.hint)

    def test_an_empty_catalogue_allows_nothing(self) -> None:
        with pytest.raises(NotPinnedError, match="is not approved"):
            live(settings("servers = []")).run([operator("rh")])

    def test_nothing_to_test_needs_no_catalogue(self) -> None:
        assert list(live(settings("")).run([])) == []


class TestPinnedPeer:
    """Asked once more of the open connection, right before the secret is read."""

    def submission(self, approved: Settings, subject: Operator, **changes: Any) -> Submission:
        endpoint = Endpoint.of(approved.effective(subject))
        values = {name: getattr(endpoint, name) for name in ("host", "port", "encryption", "minimum_tls")}
        values |= {"address": endpoint.address, "ca": endpoint.ca, "private": endpoint.private} | changes
        return Submission(Endpoint(**values), TrustStores())

    def test_connected_where_it_should_be(self) -> None:
        with server() as running:
            approved = catalogue(running)
            with self.submission(approved, operator("rh")) as submission:
                submission.resolve()
                submission.connect()
                require_pinned_peer(submission, operator("rh"), approved)

    def test_not_connected_at_all(self) -> None:
        with server() as running:
            approved = catalogue(running)
            with self.submission(approved, operator("rh")) as submission, pytest.raises(NotPinnedError):
                require_pinned_peer(submission, operator("rh"), approved)

    def test_connected_to_another_address(self) -> None:
        with server() as running, server() as other:
            approved = catalogue(running)
            with self.submission(approved, operator("rh"), address=other.address) as submission:
                submission.resolve()
                submission.connect()
                with pytest.raises(NotPinnedError, match=f"connected to {other.address}, which is not approved"):
                    require_pinned_peer(submission, operator("rh"), approved)
                # Even where the endpoint claims to be the approved one, the address that answered decides.
                submission.endpoint = Endpoint.of(approved.effective(operator("rh")))
                with pytest.raises(NotPinnedError):
                    require_pinned_peer(submission, operator("rh"), approved)

    @pytest.mark.parametrize(
        ("peer", "private", "allowed"),
        [
            (SocketAddress("93.184.216.34", 587), False, True),
            (SocketAddress("93.184.216.34", 25), False, False),
            (SocketAddress("10.0.0.1", 587), False, False),
            (SocketAddress("10.0.0.1", 587), True, True),
            (SocketAddress("169.254.169.254", 587), True, False),
        ],
    )
    def test_where_a_name_was_resolved_its_address_is_judged(
        self, peer: SocketAddress, private: bool, allowed: bool
    ) -> None:
        approved = settings(
            '[[servers]]\nhost = "mail.empresa.test"\nconnections = ["587/starttls"]\nauthentication = ["basic"]\n'
            f'secrets = ["env://OPSMAIL_SECRET_{{OPERATOR}}"]\nprivate = {str(private).lower()}\n'
        )
        submission = self.submission(approved, operator("rh"))
        submission.peer = peer
        if allowed:
            require_pinned_peer(submission, operator("rh"), approved)
        else:
            with pytest.raises(NotPinnedError):
                require_pinned_peer(submission, operator("rh"), approved)

    def test_no_longer_allowed(self) -> None:
        with server() as running:
            approved = catalogue(running)
            submission = self.submission(approved, operator("rh"))
            with pytest.raises(NotPinnedError, match="is not approved"):
                require_pinned_peer(submission, operator("rh"), settings("servers = []"))
