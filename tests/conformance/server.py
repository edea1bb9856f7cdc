"""What a store on a server does besides: logging in, TLS, silence, and answers that are lost on the way.

A backend runs this suite, after the one of `store.py`, by a class of its own that says how its server is administered.
"""

from __future__ import annotations

import socket
from abc import abstractmethod
from contextlib import closing
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import trustme

from opsmail.errors import UsageError
from opsmail.store.interface import OutcomeUnknown, Store, StoreUnavailable
from tests.conformance.publishing import ENVIRONMENT, Place, event, generation, invariant, publish
from tests.conformance.store import StoreConformance
from tests.servers.cutting import relay
from tests.servers.databases import DatabaseServer

CANARY = "hunter2-Segredo-ç€"


class ServerConformance(StoreConformance):
    #: The limits of time that a test shortens.
    limits: tuple[str, ...]
    #: What a client says to commit.
    commit: bytes
    kills = 24

    @pytest.fixture
    @abstractmethod
    def server(self) -> DatabaseServer: ...

    @pytest.fixture
    def in_the_clear(self, server: DatabaseServer, place: Place) -> Place:
        """Where the same store is without TLS."""
        return replace(place, url=place.url.replace(f":{server.port}/", f":{server.port_without_tls}/"), ca=None)

    @abstractmethod
    def user_with(self, server: DatabaseServer, place: Place, password: str) -> Place:
        """Return the same store for a user with another password."""

    def refused(self, place: Place, **options: bool) -> StoreUnavailable:
        with pytest.raises(StoreUnavailable) as caught:
            place.open(**options)
        assert place.password is not None
        shown = f"{caught.value!r} {caught.value} {caught.value.hint}"
        assert place.password not in shown
        assert "\n" not in str(caught.value)
        assert caught.value.hint is not None
        return caught.value

    # Coming to it

    def test_the_location_tells_no_password(self, place: Place, store: Store) -> None:
        assert place.password is not None
        assert place.password not in store.location
        assert urlsplit(store.location).username is not None

    def test_without_tls_on_this_machine(self, in_the_clear: Place) -> None:
        with closing(in_the_clear.open(create=True)) as store:
            assert publish(store, "a").number == 1

    def test_an_authority_that_did_not_sign(self, place: Place, store: Store) -> None:
        other = trustme.CA().cert_pem.bytes().decode("ascii")
        assert "certificate" in str(self.refused(replace(place, ca=other))).lower()

    def test_a_certificate_for_another_name(self, place: Place, store: Store) -> None:
        elsewhere = replace(place, url=place.url.replace("127.0.0.1", "localhost"))
        said = str(self.refused(elsewhere)).lower()
        assert "does not match" in said or "mismatch" in said or "not valid for" in said

    @pytest.mark.parametrize("password", [CANARY, None])
    def test_a_wrong_password(self, place: Place, store: Store, password: str | None) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            replace(place, password=password).open()
        shown = f"{caught.value!r} {caught.value.hint}"
        assert CANARY not in shown
        assert "`store.password`" in shown

    def test_a_password_that_is_not_ascii(self, server: DatabaseServer, place: Place, store: Store) -> None:
        identity = store.identity()
        with closing(self.user_with(server, place, CANARY).open()) as again:
            assert again.identity() == identity

    def test_a_password_in_the_url_is_not_repeated(self, place: Place) -> None:
        url = place.url.replace("@", f":{CANARY}@")
        with pytest.raises(UsageError) as caught:
            Place(url, None, place.ca).open()
        assert CANARY not in f"{caught.value!r} {caught.value.hint}"

    # Silence

    def test_a_server_that_is_away(self, place: Place) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        gone = replace(place, url=place.url.replace(f":{urlsplit(place.url).port}/", f":{port}/"))
        self.refused(gone, create=True)

    def test_a_server_that_says_nothing(self, monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
        for limit in self.limits:
            monkeypatch.setattr(limit, 2)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            self.refused(replace(place, url=place.url.replace(f":{urlsplit(place.url).port}/", f":{port}/")))

    # A commit whose answer is lost

    @pytest.mark.case("D-14")
    @pytest.mark.parametrize("heard", [True, False])
    def test_a_connection_that_ends_in_the_commit(
        self, server: DatabaseServer, in_the_clear: Place, store: Store, heard: bool
    ) -> None:
        with relay(server.port_without_tls, self.commit, heard=heard) as cutting:
            url = in_the_clear.url.replace(f":{server.port_without_tls}/", f":{cutting.port}/")
            with closing(replace(in_the_clear, url=url).open()) as cut:
                head = cut.head(ENVIRONMENT)
                digest, blobs = generation(head, "a")
                cut.write_missing(blobs)
                cutting.armed.set()
                with pytest.raises(OutcomeUnknown) as caught:
                    cut.swap_head(head, number=1, digest=digest, events=[event(head, digest)])
                cutting.armed.clear()
                assert caught.value.hint is not None
                # Which is how a publisher learns what happened.
                assert cut.generation(ENVIRONMENT, 1) == (digest if heard else None)
        assert publish(store, "b").number == (2 if heard else 1)
        invariant(store, acknowledged=1, attempted=2)
