"""From a rule's problem, which names fields, to a finding, which names places."""

from __future__ import annotations

from opsmail.check.disclosure import Disclosure
from opsmail.check.interface import Mark, Problem, ProposedFix
from opsmail.check.placing import FilePlacer
from opsmail.check.severity import Judge
from opsmail.findings import FIRST_CHARACTER, Edit, Finding, FixSafety, Replacement, RuleMeta, Severity, Span
from opsmail.messages import msg
from opsmail.operator.model import Operator
from opsmail.settings.model import Policy
from opsmail.source.reader import read_document
from tests.builders import operator_text

RULE = RuleMeta("OM999", "made-up", Severity.WARNING)
TEXT = operator_text()


def placer(text: str = TEXT, name: str = "rh") -> FilePlacer:
    document, _ = read_document(text.encode())
    return FilePlacer(f"operators/{name}.yaml", text.encode(), document, Disclosure.of(Operator))


def placed(problem: Problem, policy: Policy | None = None, **options: object) -> Finding | None:
    return placer().place(RULE, problem, Judge(policy or Policy()), **options)  # type: ignore[arg-type]  # passed on as they are


def found(problem: Problem) -> Finding:
    finding = placed(problem)
    assert finding is not None
    return finding


def test_a_value_or_its_name() -> None:
    assert found(Problem("server.port", msg("x"))).span == Span(8, 9, 8, 12)
    assert found(Problem("server.port", msg("x"), at_key=True)).span == Span(8, 3, 8, 7)
    assert found(Problem("", msg("x"))).span == FIRST_CHARACTER


def test_what_the_policy_ignores() -> None:
    assert placed(Problem("server", msg("x")), Policy(ignore=("OM9",))) is None


def test_everything_that_a_problem_says() -> None:
    problem = Problem("server.port", msg("m"), msg("l"), msg("h"), severity=Severity.ERROR)
    finding = found(problem)
    assert (finding.message, finding.label, finding.help) == (msg("m"), msg("l"), msg("h"))
    assert (finding.severity, finding.operator, finding.path) == (Severity.ERROR, "rh", "server.port")
    assert finding.file == "operators/rh.yaml"


def test_the_operator_may_be_another() -> None:
    finding = placed(Problem("server", msg("x")), operator="ti")
    assert finding is not None
    assert finding.operator == "ti"


class TestLines:
    def numbers(self, path: str, *marks: str) -> list[int]:
        finding = found(Problem(path, msg("x"), marks=tuple(Mark(mark, msg("y")) for mark in marks)))
        return [line.number for line in finding.excerpt]

    def test_one_before(self) -> None:
        assert self.numbers("server.port") == [7, 8]
        assert self.numbers("version") == [1]

    def test_those_between_two_places_that_are_near(self) -> None:
        assert self.numbers("server.port", "server.encryption") == [7, 8, 9]
        assert self.numbers("server.host", "authentication.type") == [6, 7, 8, 9, 10, 11]

    def test_not_those_between_places_far_apart(self) -> None:
        assert self.numbers("version", "authentication.password") == [1, 12, 13]


class TestFixes:
    def fix(self, *paths: str) -> Finding:
        replacements = tuple(Replacement(path, "new") for path in paths)
        return found(Problem("server", msg("x"), fix=ProposedFix(FixSafety.UNSAFE, msg("d"), replacements)))

    def test_values_that_are_written_are_replaced(self) -> None:
        fix = self.fix("server.port", "server.encryption").fix
        assert fix is not None
        assert (fix.safety, fix.description) == (FixSafety.UNSAFE, msg("d"))
        assert fix.edits == (Edit(Span(8, 9, 8, 12), "new"), Edit(Span(9, 15, 9, 23), "new"))

    def test_none_for_what_would_have_to_be_invented(self) -> None:
        assert self.fix("server.port", "server.minimum_tls").fix is None


class TestMarks:
    def test_in_another_file(self) -> None:
        other = placer(f"# a line\n{TEXT}", "ti")
        finding = placed(
            Problem("role", msg("x"), marks=(Mark("role", msg("y"), "operators/ti.yaml"),)),
            elsewhere=lambda path: other,
        )
        assert finding is not None
        (related,) = finding.related
        assert (related.file, related.span) == ("operators/ti.yaml", Span(4, 7, 4, 13))
        assert [line.number for line in finding.excerpt] == [2, 3]

    def test_in_the_same_one_by_its_name(self) -> None:
        finding = found(Problem("role", msg("x"), marks=(Mark("server", msg("y"), "operators/rh.yaml"),)))
        assert [item.span for item in finding.related] == [Span(6, 1, 6, 7)]


def test_a_file_that_was_not_read() -> None:
    nothing = FilePlacer("operators/x.yaml", b"", None, Disclosure.of(Operator))
    finding = nothing.place(RULE, Problem("server.port", msg("x")), Judge(Policy()))
    assert finding is not None
    assert (finding.span, finding.operator, finding.excerpt) == (FIRST_CHARACTER, None, ())
