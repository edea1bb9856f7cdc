"""Plans: what changes, in fields, bound to what they were made from; saved and applied once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opsmail.errors import UsageError
from opsmail.operator.digest import Connection
from opsmail.publish.plan import Action, FieldChange, Origin, Plan, make_plan
from opsmail.publish.saved import NO_STORE, StalePlanError, document, load, require_same
from opsmail.store.generation import Published
from opsmail.store.interface import Head
from tests.unit.fleets import ENVIRONMENT, ORIGIN, Shop, documents, operator, plan_between

MASTER = operator("chefe", role="master")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def first(*operators: Any) -> Plan:
    """A plan that was made before there was a store."""
    return make_plan(Published(Head(NO_STORE, ENVIRONMENT), None, None, {}), {}, documents(operators), ORIGIN)


class TestChanges:
    def test_everything_is_new_at_first(self) -> None:
        plan = first(MASTER, operator("rh"))
        assert [(change.operator, change.action, change.before) for change in plan.changes] == [
            ("chefe", Action.CREATE, None),
            ("rh", Action.CREATE, None),
        ]
        assert {field.path: field.after for field in plan.changes[0].fields} == {
            "role": "master",
            "enabled": True,
            "sender.address": "chefe@empresa.test",
            "server.host": "mail.empresa.test",
            "server.port": 587,
            "server.encryption": "starttls",
            "authentication.type": "basic",
        }
        assert (plan.base, plan.base_digest, plan.published, plan.unchanged) == (0, None, 0, 0)

    def test_created_updated_deleted_unchanged(self) -> None:
        plan = plan_between(
            [MASTER, operator("a"), operator("b"), operator("c")],
            [MASTER, operator("a"), operator("b", server={"port": 25}), operator("d")],
        )
        assert [(change.operator, change.action) for change in plan.changes] == [
            ("b", Action.UPDATE),
            ("c", Action.DELETE),
            ("d", Action.CREATE),
        ]
        assert (plan.base, plan.published, plan.unchanged) == (1, 4, 2)
        assert plan.with_action(Action.DELETE)[0].after is None
        assert not any(change.master_lost for change in plan.changes)

    def test_fields_in_words_also_where_they_come_and_go(self) -> None:
        before = operator("a", name="Antes", labels={"team": "x"})
        after = operator("a", server={"port": 25}, labels={"team": "y", "new": "1"}, limits={"messages_per_minute": 3})
        connections = Connection(private=True), Connection(address="127.0.0.1:25")
        (change,) = plan_between([before], [after], connections).changes
        assert change.fields == (
            FieldChange("connection.address", None, "127.0.0.1:25"),
            FieldChange("connection.private", True, False),
            FieldChange("labels.new", None, "1"),
            FieldChange("labels.team", "x", "y"),
            FieldChange("limits.messages_per_minute", None, 3),
            FieldChange("name", "Antes", None),
            FieldChange("server.port", 587, 25),
        )

    def test_references_are_shown_and_hold_no_value(self) -> None:
        other = {"type": "basic", "username": "a@empresa.test", "password": "file:///run/secrets/a"}
        (change,) = plan_between([operator("a")], [operator("a", authentication=other)]).changes
        assert change.fields == (
            FieldChange("authentication.password", "env://OPSMAIL_SECRET_A", "file:///run/secrets/a"),
        )

    @pytest.mark.parametrize(
        ("after", "lost"),
        [
            ([operator("chefe", role="master", name="X")], False),
            ([operator("chefe", role="standard")], True),
            ([operator("chefe", role="master", enabled=False)], True),
            ([operator("outro", role="master")], True),
            ([operator("chefe", role="standard"), operator("outro", role="master")], True),
            ([], True),
        ],
    )
    def test_losing_the_master_is_noticed(self, after: list[Any], lost: bool) -> None:
        plan = plan_between([MASTER], after)
        assert [change.operator for change in plan.changes if change.master_lost] == (["chefe"] if lost else [])

    def test_a_master_that_was_switched_off_is_nobody_s_loss(self) -> None:
        off = operator("chefe", role="master", enabled=False)
        assert not any(change.master_lost for change in plan_between([off], []).changes)


class TestIdentity:
    def test_the_same_circumstances_give_the_same_plan(self) -> None:
        wanted = [MASTER, operator("a"), operator("b")]
        assert plan_between([MASTER], wanted).id == plan_between([MASTER], wanted[::-1]).id

    @pytest.mark.parametrize(
        "change",
        [
            {"store": "f" * 32},
            {"epoch": 2},
            {"environment": "staging"},
            {"base": 2},
            {"base_digest": "f" * 64},
            {"repository": "elsewhere"},
            {"commit": "f" * 40},
            {"settings_digest": "sha256:" + "f" * 64},
            {"published": 7},
            {"unchanged": 7},
            {"changes": ()},
        ],
    )
    def test_every_circumstance_is_part_of_the_id(self, change: dict[str, Any]) -> None:
        plan = first(MASTER)
        assert replace(plan, **change).id != plan.id

    def test_so_is_every_part_of_a_change(self) -> None:
        plan = first(MASTER)
        (created,) = plan.changes
        for changed in (
            replace(created, operator="other"),
            replace(created, action=Action.UPDATE),
            replace(created, before="f" * 64),
            replace(created, after="f" * 64),
            replace(created, fields=()),
            replace(created, master_lost=True),
        ):
            assert replace(plan, changes=(changed,)).id != plan.id


class TestSaved:
    def save(self, plan: Plan) -> bytes:
        return json.dumps(document(plan)).encode()

    def test_it_says_what_it_is(self) -> None:
        data = document(first(MASTER))
        assert data["schema"] == "opsmail/plan/v1"
        assert data["id"] == first(MASTER).id
        assert data["changes"][0]["fields"][0] == {"path": "authentication.type", "before": None, "after": "basic"}

    def test_it_fits_the_plan_that_it_was_saved_from(self) -> None:
        plan = plan_between([MASTER], [MASTER, operator("a")])
        saved = load(self.save(plan))
        assert saved.id == plan.id
        require_same(saved, plan)

    def test_saved_before_there_was_a_store_it_fits_the_first_generation_of_any(self, shop: Shop) -> None:
        saved = load(self.save(first(MASTER)))
        require_same(saved, shop.plan(documents([MASTER])))
        shop.publish(MASTER)
        with pytest.raises(StalePlanError):
            require_same(saved, shop.plan(documents([MASTER])))

    def test_it_is_applied_once(self, shop: Shop) -> None:
        shop.publish(MASTER)
        wanted = documents([MASTER, operator("a")])
        saved = load(self.save(shop.plan(wanted)))
        shop.publish(MASTER, operator("a"))
        with pytest.raises(StalePlanError, match="something else was published meanwhile"):
            require_same(saved, shop.plan(wanted))

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"environment": "staging"}, "another environment"),
            ({"store": "f" * 32}, "another store"),
            ({"epoch": 2}, "came back from a backup"),
            ({"repository": "elsewhere"}, "another repository"),
            ({"base": 5}, "published meanwhile"),
            ({"base_digest": "f" * 64}, "published meanwhile"),
            ({"commit": "f" * 40}, "another commit"),
            ({"settings_digest": "sha256:" + "f" * 64}, "the settings have changed"),
            ({"changes": ()}, "lists other changes"),
        ],
    )
    def test_a_stale_one_says_why(self, change: dict[str, Any], told: str) -> None:
        plan = plan_between([MASTER], [MASTER, operator("a")])
        with pytest.raises(StalePlanError, match=told) as caught:
            require_same(load(self.save(replace(plan, **change))), plan)
        assert caught.value.hint is not None

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\xff",
            b"null",
            b"[]",
            b"{}",
            b'{"schema":"opsmail/plan/v1"}',
            b'{"schema":"opsmail/plan/v1","id":7}',
            b'{"schema":"opsmail/plan/v2","id":"x"}',
            b'{"schema":"opsmail/plan/v1","id":"x","base":NaN}',
            b'{"schema":"opsmail/plan/v1","id":"x","base":99999999999999999999}',
            b'{"schema":"opsmail/plan/v1","id":"x","environment":"\\ud800"}',
            b"[" * 100_000,
            b'{"schema":"opsmail/plan/v1","id":"x","a":' + b"[" * 900 + b"]" * 900 + b"}",
        ],
    )
    def test_what_is_no_plan_is_refused_in_one_sentence(self, content: bytes) -> None:
        with pytest.raises(UsageError, match="not a plan that opsmail saved") as caught:
            load(content)
        assert "opsmail plan --out" in str(caught.value.hint)

    def test_an_edited_one_is_refused(self) -> None:
        data = document(first(MASTER, operator("rh")))
        for edited in (
            data | {"changes": data["changes"][:1]},
            data | {"base": 1},
            data | {"extra": 1},
            data | {"id": "sha256:" + "0" * 64},
        ):
            with pytest.raises(UsageError):
                load(json.dumps(edited).encode())


def test_a_plan_is_bound_to_its_origin() -> None:
    origin = Origin(repository="r", commit="c", settings_digest="s")
    plan = make_plan(Published(Head(NO_STORE, ENVIRONMENT), None, None, {}), {}, {}, origin)
    assert (plan.repository, plan.commit, plan.settings_digest, plan.changes) == ("r", "c", "s", ())
