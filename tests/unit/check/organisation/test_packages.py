"""Rules from packages: those that the settings name, guarded, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from opsmail.check.organisation import rules_of
from opsmail.check.organisation.pages import page_of
from opsmail.findings import Severity, Span
from tests.builders import operator_text, settings_of
from tests.unit.check.organisation.circumstances import found, refused, settings_with

HEAD = """\
from opsmail.check.interface import *
from opsmail.findings import Severity, Span
from opsmail.messages import msg
E = Severity.ERROR
"""
PLUGINS = '[policy]\nplugins = ["acme-rules"]\n'
SETTINGS = settings_with(top=PLUGINS)


class Site:
    """A folder where packages are installed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def install(
        self, code: str, *, package: str = "acme-rules", entry: str = "{module}:RULES", group: str = "opsmail.rules"
    ) -> None:
        module = package.replace("-", "_")
        (self._folder / f"{module}.py").write_text(HEAD + code)
        metadata = self._folder / f"{module}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[{group}]\nacme = {entry.format(module=module)}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(folder), *(entry for entry in sys.path if entry)])
    for name in ("acme_rules", "other_rules"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return Site(folder)


ONE = '''
@operator_rule("ACME001", "port-of-acme", E, unwaivable=True)
def one(operator, context):
    """Acme's port.

    ```
    Every operator uses it.
    """
    if operator.server.port != 2599:
        yield Problem("server.port", msg("not Acme's port"))
RULES = [one]
'''


def test_an_operator_rule(site: Site) -> None:
    site.install(ONE)
    (finding,) = found(SETTINGS)
    assert (finding.rule.id, finding.rule.name, finding.path) == ("ACME001", "port-of-acme", "server.port")
    assert finding.span == Span(8, 9, 8, 12)
    assert not finding.rule.unwaivable  # only settings decide that


def test_the_policy_judges_it(site: Site) -> None:
    site.install(ONE)
    assert found(settings_with(top=f'{PLUGINS}ignore = ["ACME0"]\n')) == []
    (finding,) = found(settings_with(top=f'{PLUGINS}severity = {{ACME001 = "note"}}\n'))
    assert finding.severity is Severity.NOTE


def test_the_other_kinds_of_rules(site: Site) -> None:
    site.install(
        """
@document_rule("ACME001", "a", E)
def document(document):
    "Documents."
    yield Problem("server.port", msg("document"), label=msg("l"), help=msg("h"), severity=Severity.NOTE)
@fleet_rule("ACME002", "b", E)
def fleet(fleet, context):
    "Fleets."
    mark = Mark("server.port", msg("m"), fleet.members[0].file)
    yield FleetProblem(fleet.members[0].file, Problem("", msg("fleet"), marks=(mark,)))
@settings_rule("ACME003", "c", E)
def settings(fleet, context):
    "Settings."
    yield Problem("operators", msg("settings"))
@server_rule("ACME004", "d", E)
def server(server, context):
    "Servers."
    yield Problem("server.host", msg("server"))
RULES = (document, fleet, settings, server)
"""
    )
    told = {(finding.rule.id, finding.file, str(finding.message)) for finding in found(SETTINGS)}
    assert told == {
        ("ACME001", "operators/rh.yaml", "document"),
        ("ACME002", "operators/rh.yaml", "fleet"),
        ("ACME003", "opsmail.toml", "settings"),
        ("ACME004", "operators/rh.yaml", "server"),
    }
    rules = rules_of(SETTINGS)
    pages = [page_of(meta, rules, SETTINGS) for meta in rules.metas().values()]
    told_first = [page.sections[0].text for page in pages if page is not None]
    assert told_first == ["Documents.", "Fleets.", "Settings.", "Servers."]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("raise KeyError('S3nh4')", "KeyError at acme_rules.py:8"),
        ("import sys; sys.exit('S3nh4')", "SystemExit at acme_rules.py:8"),
        ("yield 'S3nh4'", "TypeError at packages.py"),
        ("yield Problem(7, msg('x'))", "TypeError at packages.py"),
        ("yield Problem('', 'S3nh4')", "TypeError at packages.py"),
        ("yield Problem('', msg('{S3nh4}', a=1))", "KeyError at messages.py"),
        ("return 7", "TypeError at packages.py"),
    ],
)
def test_what_goes_wrong_in_a_rule_is_an_error_at_its_place(site: Site, body: str, error: str) -> None:
    kinds = {
        "operator_rule": ("operators/rh.yaml", "operator, context"),
        "document_rule": ("operators/rh.yaml", "document"),
        "settings_rule": ("opsmail.toml", "fleet, context"),
        "fleet_rule": ("operators/rh.yaml", "fleet, context"),
    }
    code = "".join(
        f"@{kind}('ACME00{n}', 'a', Severity.NOTE)\ndef rule{n}({arguments}):\n    {body}\n"
        for n, (kind, (_, arguments)) in enumerate(kinds.items())
    )
    site.install(f"\n{code}RULES = [rule0, rule1, rule2, rule3]\n")
    findings = {finding.rule.id: finding for finding in found(SETTINGS)}
    assert [findings[f"ACME00{n}"].file for n in range(4)] == [file for file, _ in kinds.values()]
    for rule_id, finding in findings.items():
        assert finding.severity is Severity.ERROR
        assert str(finding.message).startswith(f"the rule {rule_id} of `acme-rules` failed: ")
        assert "S3nh4" not in str(finding.message)
    assert error in str(findings["ACME000"].message)
    assert str(findings["ACME000"].help) == "have the package `acme-rules` corrected"


FLEET = "@fleet_rule('ACME001', 'a', E)\ndef rule(fleet, context):\n    {body}\nRULES = [rule]\n"


@pytest.mark.parametrize(
    "body",
    [
        "yield FleetProblem('/etc/passwd', Problem('', msg('x')))",
        "yield FleetProblem(fleet.members[0].file, Problem('', msg('x'), marks=(Mark('', msg('m'), 'x'),)))",
    ],
)
def test_a_place_outside_of_the_fleet_is_the_rules_fault(site: Site, body: str) -> None:
    site.install(FLEET.format(body=body))
    (finding,) = found(SETTINGS)
    assert "failed: TypeError" in str(finding.message)


def test_a_fleet_rule_that_fails_for_nobody_ends_the_run(site: Site) -> None:
    from opsmail.check.engine import check
    from opsmail.check.interface import Context
    from opsmail.errors import UsageError
    from opsmail.providers import Providers
    from tests.builders import DAY, SCHEMES

    site.install(FLEET.format(body="raise KeyError"))
    with pytest.raises(UsageError, match="the rule ACME001 of `acme-rules` failed: KeyError"):
        check([], Context(SETTINGS, Providers(()), DAY, SCHEMES))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1/0", "`acme_rules:RULES` cannot be loaded: ZeroDivisionError at acme_rules.py:5"),
        ("raise SystemExit(0)", "`acme_rules:RULES` cannot be loaded: SystemExit at acme_rules.py:5"),
        ("x = 1", "`acme_rules:RULES` cannot be loaded: AttributeError at "),
        ("RULES = 7", "`acme_rules:RULES` cannot be loaded: TypeError at "),
        ("RULES = ['x']", "a str is no rule of opsmail.check.interface"),
        ("RULES = [document_rule('OM999', 'a', E)(print)]", "its rules may not be called `OM999`"),
        ("RULES = [document_rule('ORG999', 'a', E)(print)]", "its rules may not be called `ORG999`"),
        ("RULES = [document_rule('acme1', 'a', E)(print)]", "its rules may not be called `acme1`"),
        ("RULES = [document_rule('ACME001', 'A b', E)(print)]", "the name or severity of ACME001 is none"),
        ("RULES = [document_rule('ACME001', 'a', 7)(print)]", "the name or severity of ACME001 is none"),
        (
            "RULES = [document_rule('ACME001', 'a', E)(print)] * 2",
            "the rule ACME001 is there already, from `acme-rules`",
        ),
    ],
)
def test_packages_that_cannot_be_used(site: Site, code: str, message: str) -> None:
    site.install(code)
    (told,) = refused(SETTINGS)
    assert told.startswith(f"the rule package `acme-rules`: {message}")
    assert told.endswith("| correct the package, or take it out of `policy.plugins` in opsmail.toml")


def test_one_that_is_not_installed(site: Site) -> None:
    (told,) = refused(SETTINGS)
    assert told.startswith("the rule package `acme-rules` is not installed | install it")


def test_one_that_brings_nothing(site: Site) -> None:
    site.install("RULES = []", group="other")
    (told,) = refused(SETTINGS)
    assert told.startswith("the rule package `acme-rules`: it has no entry point `opsmail.rules`")


def test_what_the_settings_do_not_name_is_not_loaded(site: Site) -> None:
    site.install("raise RuntimeError", package="other-rules")
    site.install(ONE)
    assert len(found(SETTINGS)) == 1
    assert "other_rules" not in sys.modules


@pytest.mark.parametrize("entry", ["", "here"])
def test_nothing_is_loaded_while_the_folder_at_hand_is_searched(
    site: Site, entry: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A pull request could bring a module of the package's name."""
    site.install(ONE)
    monkeypatch.setattr(sys, "path", [entry and str(tmp_path), *sys.path])
    (told,) = refused(SETTINGS)
    assert told.startswith("rule packages are not loaded while Python looks for modules in the folder")
    assert "acme_rules" not in sys.modules


def test_ids_of_packages_in_the_policy_need_a_package(site: Site) -> None:
    with pytest.raises(Exception, match="no rule has an id like `ACME001`"):
        settings_of('[policy]\nignore = ["ACME001"]')


def test_its_page(site: Site) -> None:
    site.install(ONE + "\n@operator_rule('ACME002', 'b', E)\ndef two(o, c):\n    return []\nRULES.append(two)\n")
    rules = rules_of(SETTINGS)
    metas = rules.metas()
    page = page_of(metas["ACME001"], rules, SETTINGS)
    assert page is not None
    assert page.markdown == (
        "# ACME001 port-of-acme\n\nSeverity: error.\n\n## What it checks\n\nAcme's port.\n\n"
        "'''\nEvery operator uses it.\n"
        "\n## Who answers for it\n\nThe package `acme-rules`, named by `policy.plugins` in the settings.\n"
    )
    silent = page_of(metas["ACME002"], rules, SETTINGS)
    assert silent is not None
    assert "has no docstring" in silent.markdown
    assert page_of(metas["OM101"], rules, SETTINGS) is None
    assert found(SETTINGS, operator_text(server={"port": 2599})) == []
