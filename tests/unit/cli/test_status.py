"""`opsmail status`: what it finds, and an exit code by the very list that it prints."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opsmail.cli.proofs import now
from opsmail.messages import msg
from opsmail.output.results.status import Ends, Status, as_json, as_prometheus, problems_of
from opsmail.runtime import Operators
from opsmail.store.backends import open_store
from tests.docs.test_monitoring import EVERYTHING
from tests.prometheus import parse
from tests.published import read_json
from tests.unit.cli.checkout import Checkout
from tests.unit.servers import Server

SOON = (now() + timedelta(days=10)).date()


def figures(checkout: Checkout, *words: str | Path, code: int = 0) -> dict[str, float]:
    """Every figure, with its labels but for the environment."""
    found = {}
    for sample in parse(checkout.run("status", "--format", "prometheus", *words, code=code).out):
        labels = {name: value for name, value in sample.labels if name not in ("environment", "version", "commit")}
        told = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
        found[f"{sample.name}{{{told}}}" if told else sample.name] = sample.value
    return found


def status(checkout: Checkout, *words: str | Path, code: int = 0) -> Any:
    return checkout.run("status", "--format", "json", *words, code=code).json()


@pytest.fixture
def proven(checkout: Checkout, relay: Server) -> Checkout:
    """A fleet that was tested and published."""
    checkout.fleet(relay, "a")
    checkout.edit("operators/a.yaml", "type: basic\n", f"type: basic\n  secret_expires: {SOON}\n")
    checkout.commit()
    checkout.run("test")
    checkout.run("publish", "--yes")
    return checkout


class TestAllIsWell:
    def test_for_people(self, proven: Checkout) -> None:
        lines = proven.run("status").out.splitlines()
        assert lines[0].startswith("published    generation 1 for default, 2 operators, 20")
        assert lines[0].endswith("(0 minutes ago)")
        assert "master       chefe" in lines
        assert "drift        clean" in lines
        assert f"ends         {SOON}: the secret of `a` ends" in lines

    def test_days_later(self, proven: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ages are told in days, and of what ends only what does so soon."""
        proven.edit("operators/a.yaml", f"secret_expires: {SOON}", f"secret_expires: {SOON + timedelta(days=400)}")
        proven.commit()
        monkeypatch.setattr("opsmail.cli.status.now", lambda: now() + timedelta(days=3))
        lines = proven.run("status").out.splitlines()
        assert lines[0].endswith("(3 days ago)")
        # The two operators share a certificate.
        (ends,) = [line for line in lines if line.startswith("ends ")]
        assert ends.endswith("the TLS certificate of `mail.empresa.test:587` ends")

    def test_for_programs(self, proven: Checkout) -> None:
        told = status(proven)
        assert told["problems"] == []
        assert (told["published"]["generation"], told["published"]["drift"]) == (1, "clean")
        assert (told["published"]["master"], told["published"]["master_proven"] is None) == ("chefe", False)
        ends = {(item["kind"], item["operator"]): item["days"] for item in told["ends"]}
        assert ends[("secret", "a")] == 10
        assert ("certificate", "chefe") in ends
        assert told["operators"]["good"] + told["operators"]["warned"] == 2

    def test_for_prometheus(self, proven: Checkout) -> None:
        found = figures(proven)
        assert found["opsmail_store_up"] == found["opsmail_master_proven"] == found["opsmail_generation"] == 1
        assert found["opsmail_status_problems"] == 0
        assert 0 <= found["opsmail_generation_age_seconds"] < 600
        assert 0 <= found["opsmail_master_proof_age_seconds"] < 600
        assert found["opsmail_published_operators"] == 2
        assert found["opsmail_drift_state{state=clean}"] == 1
        assert found["opsmail_drift_state{state=drift}"] == found["opsmail_drift_items{kind=drift}"] == 0
        assert found["opsmail_generation_info{epoch=1}"] == found["opsmail_build_info"] == 1
        remaining = found["opsmail_expiry_remaining_seconds{kind=secret,operator=a}"]
        assert 10 * 86400 < remaining <= 11 * 86400
        assert "opsmail_snapshot_stale" not in found

    def test_several_at_once(self, proven: Checkout) -> None:
        proven.run("status", "--format", "text", "--format", "prometheus:out/opsmail.prom")
        assert parse(proven.read("out/opsmail.prom"))

    def test_git_that_is_ahead_is_nothing_wrong(self, proven: Checkout) -> None:
        proven.edit("operators/a.yaml", "sender:", "name: Novo\nsender:")
        proven.commit()
        found = figures(proven)
        assert found["opsmail_drift_state{state=pending}"] == found["opsmail_drift_items{kind=pending}"] == 1

    def test_evidence_that_a_collection_carried_on(self, proven: Checkout) -> None:
        """The master was proven by a generation that is not kept any more."""
        proven.edit("opsmail.toml", "[gate]", "[store]\nkeep_generations = 1\nkeep_days = 0\n\n[gate]")
        proven.commit()
        proven.run("hold", "a")
        proven.run("store", "collect")
        for path in proven.evidence():
            path.unlink()
        found = figures(proven)
        assert (found["opsmail_generation"], found["opsmail_generation_oldest"]) == (2, 2)
        assert found["opsmail_master_proven"] == 1


class TestSomethingIsWrong:
    def test_a_master_that_nobody_tested(self, published: Checkout) -> None:
        said = published.run("status", code=1)
        assert said.out.startswith("no test send is known of the master `chefe` as it is published\n")
        assert status(published, code=1)["published"]["master_proven"] is None
        found = figures(published, code=1)
        assert (found["opsmail_master_proven"], found["opsmail_status_problems"]) == (0, 1)
        assert "opsmail_master_proof_age_seconds" not in found

    def test_something_else_changed_the_store(self, proven: Checkout) -> None:
        with closing(open_store(f"sqlite:///{proven.root / 'opsmail.db'}")) as store:
            backend: Any = store._backend  # type: ignore[attr-defined]  # what only SQL stores have
            with backend.writing() as connection:
                connection.exec_driver_sql("UPDATE opsmail_operators SET server_port = 25 WHERE operator = 'a'")
        assert "something else than a publish changed the store" in proven.run("status", code=1).out
        found = figures(proven, code=1)
        assert (found["opsmail_drift_state{state=drift}"], found["opsmail_drift_items{kind=drift}"]) == (1, 1)

    def test_before_the_first_publish(self, checkout: Checkout) -> None:
        checkout.fleet(None)
        for _ in range(2):
            said = checkout.run("status", code=1)
            assert said.out.splitlines()[0] == "nothing is published in environment default"
            found = figures(checkout, code=1)
            assert (found["opsmail_generation"], found["opsmail_store_up"]) == (0, 1)
            assert "opsmail_generation_age_seconds" not in found
            # A store with nothing but a refusal in its log.
            checkout.run("publish", "--yes", code=3)

    def test_a_store_that_is_away(self, proven: Checkout) -> None:
        (proven.root / "opsmail.db").write_bytes(b"not a store" * 100)
        found = figures(proven, code=4)
        assert found["opsmail_store_up"] == 0
        assert "opsmail_generation" not in found
        assert "opsmail_expiry_remaining_seconds{kind=secret,operator=a}" in found
        assert status(proven, code=4)["published"] is None
        assert "operators" in proven.run("status", code=4).out

    def test_uncommitted_changes(self, published: Checkout) -> None:
        published.edit("operators/a.yaml", "sender:", "name: Novo\nsender:")
        assert "uncommitted changes" in published.run("status", code=3).err


class TestSnapshot:
    def snapshot(self, checkout: Checkout) -> Path:
        path = checkout.root / "out/snapshot"
        keys = [checkout.root / "keys/ci.pub.pem"]
        Operators.open(f"sqlite:///{checkout.root / 'opsmail.db'}", keys=keys, snapshot=path).close()
        return path

    def test_what_an_application_server_has(self, proven: Checkout) -> None:
        path = self.snapshot(proven)
        found = figures(proven, "--snapshot", path)
        assert (found["opsmail_snapshot_generation"], found["opsmail_snapshot_stale"]) == (1, 0)
        assert 0 <= found["opsmail_snapshot_age_seconds"] < 600
        assert "snapshot     generation 1, confirmed 0 minutes ago" in proven.run("status", "--snapshot", path).out
        proven.run("hold", "a")
        found = figures(proven, "--snapshot", path, code=1)
        assert (found["opsmail_generation"], found["opsmail_snapshot_stale"]) == (2, 1)
        assert (
            "the snapshot has generation 1, the store another one"
            in proven.run("status", "--snapshot", path, code=1).out
        )
        assert status(proven, "--snapshot", path, code=1)["snapshot"]["stale"] is True

    def test_while_the_store_is_away(self, proven: Checkout) -> None:
        path = self.snapshot(proven)
        (proven.root / "opsmail.db").write_bytes(b"not a store" * 100)
        found = figures(proven, "--snapshot", path, code=4)
        assert found["opsmail_snapshot_generation"] == 1
        assert "opsmail_snapshot_stale" not in found

    def test_that_is_none(self, proven: Checkout) -> None:
        proven.write("out/none", "{}")
        assert "is not a snapshot" in proven.run("status", "--snapshot", "out/none", code=1).out
        assert "there is no snapshot at" in proven.run("status", "--snapshot", "out/missing", code=1).out


class TestEnds:
    def test_a_fleet_that_has_no_master(self) -> None:
        assert EVERYTHING.serving is not None
        found = replace(EVERYTHING, serving=replace(EVERYTHING.serving, master=None, proven=None))
        assert [str(told) for told in problems_of(found)] == ["no master is published that is switched on"]

    def test_the_soonest_of_each_kind_counts(self) -> None:
        made = datetime(2026, 3, 10, 12, tzinfo=UTC)
        ends = [
            Ends("waiver", date(2026, 3, 9), "a", msg("x")),
            Ends("waiver", date(2026, 3, 12), "a", msg("y")),
            Ends("secret", date(2026, 3, 10), "", msg("z")),
        ]
        found = Status(environment="x", now=made, serving=None, states={}, ends=ends)
        assert [str(told) for told in problems_of(found)] == ["ended on 2026-03-09: x"]
        samples = {sample.labels: sample.value for sample in parse(as_prometheus(found)) if "expiry" in sample.name}
        assert list(samples.values()) == [-12 * 3600, 12 * 3600]
        assert [item["days"] for item in read_json(as_json(found))["ends"]] == [-1, 2, 0]
