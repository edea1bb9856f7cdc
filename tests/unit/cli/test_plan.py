"""`opsmail plan`: what would change, in every form, and nothing done."""

from __future__ import annotations

from tests.published import read_json
from tests.unit.cli.checkout import Checkout


def test_a_first_plan_makes_no_store(checkout: Checkout) -> None:
    commit = checkout.fleet(None, "a")
    said = checkout.run("plan")
    assert said.out.splitlines()[0] == f"environment default, nothing published yet, commit {commit[:12]}"
    assert "+ a  a@empresa.test at mail.empresa.test:587, starttls, authentication basic" in said.out
    assert said.out.endswith("2 to create, 0 to update, 0 to delete, 0 unchanged\n")
    assert list(checkout.root.glob("*.db*")) == []


def test_later_plans_compare(published: Checkout) -> None:
    published.edit("operators/a.yaml", "role: standard", "role: standard\nname: Novo")
    (published.root / "operators/b.yaml").unlink()
    published.commit()
    said = published.run("plan")
    assert "generation 1" in said.out.splitlines()[0]
    assert "~ a\n    name – → Novo\n" in said.out
    assert "publish would refuse: `b` would be deleted  (--prune b)" in said.out


def test_in_every_form(checkout: Checkout) -> None:
    checkout.fleet(None)
    said = checkout.run("plan", "--format", "json", "--format", "markdown:out/plan.md", "--out", "out/plan.json")
    assert said.json() == read_json(checkout.read("out/plan.json"))
    assert said.json()["schema"] == "opsmail/plan/v1"
    assert checkout.read("out/plan.md").startswith("<!-- opsmail plan default -->\n### opsmail: 1 to create")


def test_its_exit_code_may_tell_whether_something_would_change(published: Checkout) -> None:
    assert "0 to create, 0 to update, 0 to delete, 3 unchanged" in published.run("plan", "--exit-code").out
    published.operator("c")
    published.commit()
    published.run("plan")
    published.run("plan", "--exit-code", code=1)


def test_a_commit_with_errors_has_none(checkout: Checkout) -> None:
    checkout.fleet(None)
    checkout.edit("operators/chefe.yaml", "port: 587", "port: 465")
    checkout.commit()
    said = checkout.run("plan", "--out", "out/plan.json", code=1)
    assert "error[OM201]" in said.err
    assert said.err.endswith("there is no plan for a commit with errors\n")
    assert said.out == ""
    assert not (checkout.root / "out/plan.json").exists()


def test_findings_are_told_also_while_the_store_is_away(published: Checkout) -> None:
    published.edit("operators/a.yaml", "port: 587", "port: 465")
    published.commit()
    published.write("opsmail.db", "no database at all, for sure; it has to be longer than a header")
    said = published.run("plan", code=1)
    assert "error[OM201]" in said.err
    assert "what is published was not looked at: " in said.err


def test_an_earlier_commit(checkout: Checkout) -> None:
    first = checkout.fleet(None)
    checkout.operator("a")
    checkout.commit()
    assert "1 to create" in checkout.run("plan", "--commit", first).out


def test_a_change_does_not_say_which_store_its_plan_is_made_from(published: Checkout) -> None:
    published.git("branch", "trusted")
    published.operator("c")
    published.write("opsmail.toml", f'{published.read("opsmail.toml")}\n[store]\nurl = "sqlite:///another.db"\n')
    published.commit()
    assert "nothing published yet" in published.run("plan").out
    said = published.run("plan", "--trust", "trusted")
    assert "generation 1" in said.out.splitlines()[0]
    assert said.out.endswith("1 to create, 0 to update, 0 to delete, 3 unchanged\n")
    assert "judged by the settings of trusted" in said.err


def test_a_plan_by_other_settings_is_not_saved(published: Checkout) -> None:
    said = published.run("plan", "--trust", "HEAD", "--out", "out/plan.json", code=2)
    assert "a plan by the settings of another revision cannot be applied" in said.err
    assert not (published.root / "out/plan.json").exists()


def test_another_environment(checkout: Checkout) -> None:
    checkout.fleet(None, more='[environments.production]\nstore.url = "sqlite:///production.db"\n', require="[]")
    assert "environment production" in checkout.run("plan", "--env", "production").out
    checkout.run("publish", "--yes", "--env", "production")
    assert "1 unchanged" in checkout.run("plan", "--env", "production").out
    assert "1 to create" in checkout.run("plan").out
    assert "has no environment `nope`" in checkout.run("plan", "--env", "nope", code=2).err


def test_wrong_options(checkout: Checkout) -> None:
    checkout.fleet(None)
    assert "there is no format `yaml`" in checkout.run("plan", "--format", "yaml", code=2).err
    assert "cannot be written" in checkout.run("plan", "--out", "none/plan.json", code=4).err
