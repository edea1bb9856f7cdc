"""Secrets from environment variables, files and packages: what resolves, what is refused, and that nothing leaks."""

from __future__ import annotations

import os
import socket
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from opsmail.references import LITERAL, SecretReference
from opsmail.secrets import Secret, SecretError, Secrets, known_schemes, open_secrets, password
from opsmail.secrets.env import EnvironmentSecrets
from opsmail.secrets.file import FileSecrets
from opsmail.secrets.remote import MANAGERS
from opsmail.secrets.schemes import ENTRY_POINTS
from tests.unit.secrets.refusals import CANARY, ref, refusal


class TestEnvironment:
    def test_the_value_is_taken_octet_for_octet(self) -> None:
        secrets = EnvironmentSecrets({"A": f" {CANARY}\n", "B": "00123", "C": ""})
        assert secrets.resolve(ref("env://A")).reveal() == f" {CANARY}\n"
        assert secrets.resolve(ref("env://B")).reveal() == "00123"
        assert secrets.resolve(ref("env://C")).reveal() == ""

    def test_a_variable_that_is_not_set(self) -> None:
        error = refusal(lambda: EnvironmentSecrets({"OTHER": CANARY}).resolve(ref("env://A")))
        assert "`A` is not set" in str(error)
        assert error.hint is not None

    def test_octets_that_are_no_text(self) -> None:
        value = os.fsdecode(CANARY.encode("latin-1"))
        assert "is not UTF-8 text" in str(refusal(lambda: EnvironmentSecrets({"A": value}).resolve(ref("env://A"))))

    def test_a_field_is_not_passed_over(self) -> None:
        """`env://KEY#x` is not another name for `env://KEY`: what is reserved by its name would be reached by it."""
        error = refusal(lambda: EnvironmentSecrets({"KEY": CANARY}).resolve(ref("env://KEY#x")))
        assert "has no fields" in str(error)

    def test_its_repr_shows_no_environment(self) -> None:
        assert CANARY not in repr(EnvironmentSecrets({"A": CANARY}))


class TestKeeping:
    """A refresh token is the one secret that opsmail writes."""

    def keep(self, path: Path | str, value: str = CANARY) -> None:
        open_secrets(list).keep(ref(f"file://{path}"), Secret(value))

    @pytest.mark.case("O-15")
    def test_a_file_of_its_owner_s_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "token"
        self.keep(path, "before")
        path.chmod(0o400)
        self.keep(path)
        assert path.stat().st_mode & 0o777 == 0o600
        assert FileSecrets().resolve(ref(f"file://{path}")).reveal() == CANARY
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.case("O-15")
    def test_never_through_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
        error = refusal(lambda: self.keep(tmp_path / "link"))
        assert "it is a link" in str(error)
        assert not (tmp_path / "elsewhere").exists()

    def test_where_nothing_can_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        for place in ("missing/token", "folder"):
            error = refusal(lambda place=place: self.keep(tmp_path / place))  # type: ignore[misc]  # its type is not inferred
            assert "cannot be written" in str(error)
            assert error.hint is not None
        assert [path.name for path in tmp_path.iterdir()] == ["folder"]
        assert "not absolute and plain" in str(refusal(lambda: self.keep(f"{tmp_path}//x")))
        assert "cannot be written" in str(refusal(lambda: self.keep(f"{tmp_path}/a\0b")))

    def test_where_it_is_only_read(self) -> None:
        error = refusal(lambda: open_secrets(list).keep(ref("env://X"), Secret(CANARY)))
        assert str(error) == "nothing can be kept at `env://X`"
        assert "nothing here resolves" in str(refusal(lambda: Secrets({}).keep(ref("env://X"), Secret(CANARY))))


class TestFile:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        path = tmp_path / "secret"
        path.touch(0o600)
        return path

    def resolve(self, path: Path | str, content: bytes | None = None) -> str:
        if content is not None:
            Path(path).write_bytes(content)
        return FileSecrets().resolve(ref(f"file://{path}")).reveal()

    @pytest.mark.parametrize(
        ("written", "read"),
        [
            (CANARY.encode(), CANARY),
            (CANARY.encode() + b"\n", CANARY),
            (CANARY.encode() + b"\r\n", CANARY),
            (CANARY.encode() + b"\n\n", CANARY + "\n"),
            (CANARY.encode() + b"\r", CANARY + "\r"),
            (b"  00123 \n", "  00123 "),
            (b"", ""),
            (b"x" * 65536, "x" * 65536),
        ],
    )
    def test_one_line_end_is_taken_off_and_nothing_else(self, path: Path, written: bytes, read: str) -> None:
        assert self.resolve(path, written) == read

    @pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
    def test_its_owner_and_group_may_read_it(self, path: Path, mode: int) -> None:
        path.write_text(CANARY)
        path.chmod(mode)
        assert self.resolve(path) == CANARY

    @pytest.mark.case("O-15")
    @pytest.mark.parametrize("mode", [0o604, 0o644, 0o602, 0o601, 0o620, 0o666])
    def test_what_others_may_read_or_change_is_refused(self, path: Path, mode: int) -> None:
        path.write_text(CANARY)
        path.chmod(mode)
        error = refusal(lambda: self.resolve(path))
        assert "other users" in str(error)
        assert str(error.hint) == f"`chmod 600 {path}`"

    def test_a_link_is_followed_and_its_end_is_judged(self, path: Path, tmp_path: Path) -> None:
        """Kubernetes mounts each secret as a link to a folder that is exchanged as a whole."""
        path.write_text(CANARY)
        link = tmp_path / "link"
        link.symlink_to(path)
        assert self.resolve(link) == CANARY
        path.chmod(0o644)
        assert "other users" in str(refusal(lambda: self.resolve(link)))

    def test_nothing_there(self, tmp_path: Path) -> None:
        assert "No such file" in str(refusal(lambda: self.resolve(tmp_path / "none")))
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        assert "symbolic links" in str(refusal(lambda: self.resolve(tmp_path / "loop")))
        assert "not a path" in str(refusal(lambda: self.resolve("/run/\0secret")))

    def test_a_fifo_is_refused_without_waiting(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo", 0o600)
        assert "not a plain file" in str(refusal(lambda: self.resolve(tmp_path / "fifo")))

    def test_folders_sockets_and_devices_are_refused(self, tmp_path: Path) -> None:
        assert "directory" in str(refusal(lambda: self.resolve(tmp_path)))
        assert "not a plain file" in str(refusal(lambda: self.resolve("/dev/null")))
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "socket"))
            assert "No such device" in str(refusal(lambda: self.resolve(tmp_path / "socket")))

    def test_a_large_file_is_refused(self, path: Path) -> None:
        assert "larger than 64 KiB" in str(refusal(lambda: self.resolve(path, CANARY.encode() + b"x" * 65536)))

    @pytest.mark.parametrize("content", [CANARY.encode("latin-1"), b"\xef\xbb\xbf" + CANARY.encode()])
    def test_what_is_no_utf_8_is_refused(self, path: Path, content: bytes) -> None:
        assert "not UTF-8 text" in str(refusal(lambda: self.resolve(path, content)))

    @pytest.mark.parametrize("spelling", ["//tmp/x", "/tmp//x", "/tmp/./x", "/tmp/../x", "/tmp/x/"])
    def test_one_file_has_one_spelling(self, spelling: str) -> None:
        """Another spelling would reach what the settings reserve for themselves."""
        assert "absolute and plain" in str(refusal(lambda: self.resolve(spelling)))

    def test_a_field_is_not_passed_over(self, path: Path) -> None:
        path.write_text(CANARY)
        assert "no fields" in str(refusal(lambda: FileSecrets().resolve(ref(f"file://{path}#x"))))


class TestPassword:
    REFERENCE = SecretReference("env", "A")

    @pytest.mark.parametrize("value", ["1234", "x" * 1024, "ção com espaço ", "00123", "\N{SNOWMAN}" * 4])
    def test_text_is_taken_as_it_is(self, value: str) -> None:
        secret = Secret(value)
        assert password(secret, self.REFERENCE) is secret

    @pytest.mark.case("X-13")
    @pytest.mark.case("C-21")
    @pytest.mark.parametrize("value", ["", "123", CANARY * 100])
    def test_too_short_or_too_long(self, value: str) -> None:
        error = refusal(lambda: password(Secret(value), self.REFERENCE))
        assert str(error) == "the password from `env://A` does not have 4 to 1024 characters"

    @pytest.mark.case("C-21")
    @pytest.mark.parametrize("control", ["\n", "\r", "\0", "\t", "\x1b", "\x7f", "\x85", "\x9f"])
    def test_control_characters(self, control: str) -> None:
        error = refusal(lambda: password(Secret(CANARY + control), self.REFERENCE))
        assert str(error) == "the password from `env://A` contains a line end or another control character"


class Vault:
    """A scheme as a package brings it; counts how often it is made."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1

    def resolve(self, reference: SecretReference) -> Secret:
        return Secret(f"from {reference.locator}")


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, ENTRY_POINTS)


class TestSchemes:
    def test_an_unknown_scheme_is_refused_and_its_reference_not_repeated(self) -> None:
        """It may be a password with `://` in it."""
        with pytest.raises(SecretError) as caught:
            Secrets({"env": EnvironmentSecrets({})}).resolve(ref(f"senha://{CANARY}"))
        assert str(caught.value) == "nothing here resolves `senha://`"
        assert str(caught.value.hint) == "known here: env"

    def test_a_literal_resolves_nowhere(self) -> None:
        with pytest.raises(SecretError):
            open_secrets().resolve(LITERAL)

    def test_built_in_are_environment_and_files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPSMAIL_TEST_SECRET", CANARY)
        (tmp_path / "secret").write_text(CANARY)
        (tmp_path / "secret").chmod(0o600)
        secrets = open_secrets()
        assert secrets.resolve(ref("env://OPSMAIL_TEST_SECRET")).reveal() == CANARY
        assert secrets.resolve(ref(f"file://{tmp_path}/secret")).reveal() == CANARY
        assert {"env", "file"} <= set(known_schemes())

    def test_what_is_built_in_is_known_without_looking_for_packages(self) -> None:
        def look() -> list[EntryPoint]:
            raise AssertionError

        assert "env" in known_schemes(look)

    def test_a_package_adds_a_scheme_that_is_loaded_when_it_is_needed_and_once(self) -> None:
        points = [entry("cofre", f"{__name__}:Vault"), entry("quebrado", "no.such.module:Store")]
        known = known_schemes(lambda: points)
        assert set(known) == {"env", "file", *MANAGERS, "cofre", "quebrado"}
        assert len(known) == len(set(known))
        assert "cofre" in known
        assert "outro" not in known
        before = Vault.made
        secrets = open_secrets(lambda: points)
        assert Vault.made == before
        assert secrets.resolve(ref("cofre://a/b")).reveal() == "from a/b"
        assert secrets.resolve(ref("cofre://c")).reveal() == "from c"
        assert Vault.made == before + 1

    def test_packages_are_looked_for_when_a_scheme_is_not_built_in_and_once(self) -> None:
        looks: list[str] = []

        def installed() -> list[EntryPoint]:
            looks.append("look")
            return []

        secrets = open_secrets(installed)
        with pytest.raises(SecretError, match="is not set"):
            secrets.resolve(ref("env://OPSMAIL_NO_SUCH_VARIABLE"))
        assert not looks
        for _ in range(2):
            with pytest.raises(SecretError, match="nothing here resolves"):
                secrets.resolve(ref("outro://a"))
        assert looks == ["look"]

    @pytest.mark.parametrize("value", ["no.such.module:Store", f"{__name__}:NoSuchName"])
    def test_a_broken_package_breaks_nothing_but_its_own_scheme(self, value: str) -> None:
        secrets = open_secrets(lambda: [entry("quebrado", value)])
        error = refusal(lambda: secrets.resolve(ref("quebrado://a")))
        assert "`quebrado://` cannot be loaded" in str(error)
        assert value in str(error.hint)
        with pytest.raises(SecretError, match="is not set"):
            secrets.resolve(ref("env://OPSMAIL_NO_SUCH_VARIABLE"))

    def test_a_package_does_not_take_the_place_of_a_built_in_scheme(self) -> None:
        secrets = open_secrets(lambda: [entry("env", f"{__name__}:Vault")])
        with pytest.raises(SecretError, match="is not set"):
            secrets.resolve(ref("env://OPSMAIL_NO_SUCH_VARIABLE"))
