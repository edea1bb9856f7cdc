"""Circumstances of the process: outputs that cannot be written, signals, limits, environments."""

from __future__ import annotations

import json
import os
import pty
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.command import COMMAND
from tests.builders import SETTINGS, edited, operator_text, write_files
from tests.hostile.files.command import PLAIN, Ended, opsmail, plain_environment
from tests.hostile.files.contents import CANARY

pytestmark = pytest.mark.acceptance

#: A folder that is not there, and is not made.
NOWHERE = "/no-such-folder-for-opsmail"
BAD = edited("port: 587", "prot: 587  # ação", operator_text(sender={"display_name": "Ação 日本"}))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one mistake."""
    return write_files(tmp_path / "repository", {"opsmail.toml": SETTINGS, "operators/rh.yaml": BAD})


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A repository whose findings fill more than a pipe."""
    files = {f"operators/op-{number}.yaml": BAD for number in range(500)}
    return write_files(tmp_path / "large", {"opsmail.toml": SETTINGS, **files})


class TestOutputs:
    @pytest.mark.case("L-03")
    @pytest.mark.parametrize("format_", ["text", "json"])
    @pytest.mark.parametrize("buffered", ["", "1"])
    def test_nobody_reads(self, large: Path, format_: str, buffered: str) -> None:
        """As `| head -1`."""
        process = subprocess.Popen(
            [*COMMAND, "check", "--format", format_],
            cwd=large,
            env={**plain_environment(), "PYTHONUNBUFFERED": buffered},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        assert process.wait(30) == 141
        assert err == b""

    def test_a_reader_that_takes_its_time_gets_everything(self, large: Path) -> None:
        """Without a buffer, a write takes only what fits into the pipe."""
        for buffered in ("", "1"):
            ended = opsmail(
                "check",
                "--format",
                "json",
                folder=large,
                environment={**plain_environment(), "PYTHONUNBUFFERED": buffered},
            )
            assert len(ended.out) > 2**18
            assert json.loads(ended.out)["summary"]["files"] == 500

    @pytest.mark.case("L-04")
    @pytest.mark.parametrize(
        "arguments", [("check",), ("check", "--format", "json"), ("check", "--help"), ("--version",)]
    )
    def test_a_full_disk(self, repository: Path, arguments: tuple[str, ...]) -> None:
        with Path("/dev/full").open("wb") as full:
            ended = opsmail(*arguments, folder=repository, stdout=full.fileno())
        assert ended.code == 4
        assert ended.err == b"the system refuses: No space left on device\n"

    @pytest.mark.case("L-05")
    def test_standard_output_is_closed(self, repository: Path) -> None:
        """No success without a result."""
        ended = opsmail("check", folder=repository, prepare=lambda: os.close(1))
        assert ended.code == 4
        assert b"standard output is closed" in ended.err

    def test_standard_error_is_closed_or_full(self, repository: Path) -> None:
        assert opsmail("check", folder=repository, prepare=lambda: os.close(2)).code == 1
        with Path("/dev/full").open("wb") as full:
            assert opsmail("check", folder=repository, stderr=full.fileno()).code == 1
            assert opsmail("check", "--nope", folder=repository, stderr=full.fileno()).code == 2

    def test_a_file_that_cannot_be_written(self, repository: Path) -> None:
        ended = opsmail("check", "--format", "json:nowhere/x.json", folder=repository)
        assert ended.code == 4
        assert b"nowhere/x.json cannot be written: No such file or directory" in ended.err

    def test_a_file_is_written_whole(self, repository: Path) -> None:
        ended = opsmail("check", "--format", "json:x.json", "--format", "text", folder=repository)
        assert ended.code == 1
        assert json.loads((repository / "x.json").read_text("utf-8"))["summary"]["errors"] == 1
        assert ended.out.startswith(b"error[OM101]")
        assert sorted(path.name for path in repository.iterdir()) == ["operators", "opsmail.toml", "x.json"]

    def test_two_formats_for_one_output(self, repository: Path) -> None:
        assert opsmail("check", "--format", "json", "--format", "text", folder=repository).code == 2

    @pytest.mark.case("L-06")
    def test_a_terminal(self, repository: Path) -> None:
        """Colours on a terminal only, and none on one that has none."""
        shown = {}
        for term in ("xterm", "dumb"):
            ours, theirs = pty.openpty()
            ended = opsmail(
                "check",
                folder=repository,
                environment={**plain_environment(), "TERM": term, "COLUMNS": "1"},
                stdout=theirs,
            )
            os.close(theirs)
            assert ended.code == 1
            shown[term] = _drained(ours).replace(b"\r\n", b"\n")
        piped = opsmail("check", folder=repository).out
        assert shown["dumb"] == piped
        assert b"\x1b[" in shown["xterm"]

    @pytest.mark.parametrize(
        ("arguments", "variables", "painted"),
        [
            (("--color", "always"), {}, True),
            (("--color", "never"), {"FORCE_COLOR": "1"}, False),
            ((), {"FORCE_COLOR": "1"}, True),
            ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
            ((), {"COLUMNS": "1"}, False),
        ],
    )
    def test_colours(
        self, repository: Path, arguments: tuple[str, ...], variables: dict[str, str], painted: bool
    ) -> None:
        ended = opsmail("check", *arguments, folder=repository, environment={**plain_environment(), **variables})
        assert (b"\x1b[" in ended.out) is painted


def _drained(descriptor: int) -> bytes:
    """Return what was written to a terminal, and close it."""
    content = b""
    while select.select([descriptor], [], [], 1)[0]:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:  # the other side is closed
            break
        content += piece
    os.close(descriptor)
    return content


@pytest.mark.case("L-08", "L-09", "L-16", "L-17")
class TestSameBytes:
    """The verdict and every byte of it are the same everywhere."""

    @pytest.fixture
    def expected(self, repository: Path) -> dict[str, Ended]:
        return {format_: opsmail("check", "--format", format_, folder=repository) for format_ in ("text", "json")}

    @pytest.mark.parametrize(
        "variables",
        [
            {"LC_ALL": "C"},
            {"LC_ALL": "POSIX"},
            {"LC_ALL": "en_US.ISO-8859-1"},
            {"LC_ALL": "no_SUCH.LOCALE"},
            {"LANG": "tlh_KX.UTF-8"},
            {"PYTHONIOENCODING": "ascii"},
            {"PYTHONHASHSEED": "0"},
            {"PYTHONHASHSEED": "4711"},
            {"PYTHONOPTIMIZE": "2"},
            {"TZ": "Pacific/Kiritimati"},
            {"HOME": NOWHERE},
            {"TMPDIR": NOWHERE},
            {"COLUMNS": "1", "LINES": "1"},
            {"OPSMAIL_LANG": "../../etc"},
            {"OPSMAIL_LANG": "\udcff"},
            {"OPSMAIL_CHECK_FAIL_ON": "never", "OPSMAIL_FAIL_ON": "never"},
            {"GIT_DIR": NOWHERE, "GIT_CONFIG_COUNT": "x"},
        ],
        ids=str,
    )
    def test_in_any_environment(self, repository: Path, expected: dict[str, Ended], variables: dict[str, str]) -> None:
        for format_, wanted in expected.items():
            environment = {**plain_environment(), **variables}
            assert opsmail("check", "--format", format_, folder=repository, environment=environment) == wanted
        assert not Path(NOWHERE).exists()

    @pytest.mark.parametrize("variables", [{"LANG": "pt_BR.UTF-8"}, {"LC_ALL": "C", "OPSMAIL_LANG": "pt-BR"}], ids=str)
    def test_only_texts_for_people_have_a_language(
        self, repository: Path, expected: dict[str, Ended], variables: dict[str, str]
    ) -> None:
        environment = {**plain_environment(), **variables}
        told = opsmail("check", "--format", "text", folder=repository, environment=environment)
        assert told.code == expected["text"].code
        assert told.out.startswith(b"erro[OM101]")
        assert opsmail("check", "--format", "json", folder=repository, environment=environment) == expected["json"]

    def test_from_any_folder_below(self, repository: Path, expected: dict[str, Ended]) -> None:
        assert opsmail("check", "--format", "json", folder=repository / "operators") == expected["json"]

    def test_in_a_folder_that_cannot_be_written(self, repository: Path, expected: dict[str, Ended]) -> None:
        for folder in (repository / "operators", repository):
            folder.chmod(0o555)
        try:
            assert opsmail("check", "--format", "json", folder=repository) == expected["json"]
        finally:
            repository.chmod(0o755)

    def test_nothing_is_left_behind(self, repository: Path) -> None:
        opsmail("check", folder=repository)
        assert sorted(str(path.relative_to(repository)) for path in repository.rglob("*")) == [
            "operators",
            "operators/rh.yaml",
            "opsmail.toml",
        ]


class TestSignals:
    @pytest.mark.case("L-01", "L-02")
    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
    def test_end_it_with_a_sentence(self, repository: Path, number: signal.Signals, code: int) -> None:
        """Within two seconds, while it waits for a reader."""
        write_files(repository, {f"operators/op-{item}.yaml": BAD for item in range(400)})
        process = subprocess.Popen(
            [*COMMAND, "check"],
            cwd=repository,
            env=plain_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Tests may run where interruptions are ignored, which children inherit.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread holds a lock
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)  # it runs, and writes more than a pipe takes
        sent = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert time.monotonic() - sent < 2
        assert process.returncode == code
        assert b"nothing half-done is left" in err
        assert b"Traceback" not in out + err


@pytest.mark.case("L-11")
class TestLimits:
    def test_memory(self, repository: Path) -> None:
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_AS, (512 * 2**20, 512 * 2**20))

        assert opsmail("check", folder=repository, prepare=limit).code == 1

    def test_open_files(self, repository: Path) -> None:
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))

        assert opsmail("check", folder=repository, prepare=limit).code == 1

    def test_processes(self, repository: Path) -> None:
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))

        assert opsmail("check", folder=repository, prepare=limit).code == 1

    def test_the_size_of_files(self, large: Path) -> None:
        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

        ended = opsmail("check", "--format", "json:x.json", folder=large, prepare=limit, python=PLAIN)
        assert ended.code == 4
        assert b"x.json cannot be written: File too large" in ended.err
        assert not (large / "x.json").exists()


@pytest.mark.case("L-12", "L-14")
class TestArguments:
    @pytest.mark.parametrize(
        "arguments",
        [
            ("chek",),
            ("check", "--frmat", "text"),
            ("check", "--format", "xml"),
            ("check", "--format", ""),
            ("check", "--format", "json", "--format", "json"),
            ("check", "--fail-on", "always"),
            ("check", "--at", "tomorrow"),
            ("check", "--at", "2027-02-30"),
            ("check", "--at", "2027-W01-1"),
            ("check", "--color", "sometimes"),
            ("check", "--config", "nowhere.toml"),
            ("check", "--config", "operators"),
            ("check", "--env", "nowhere"),
            ("check", ""),
            ("--nope",),
            ("check", b"--x\xff\n\x1b[31m"),
        ],
        ids=repr,
    )
    def test_wrong_ones(self, repository: Path, arguments: tuple[str | bytes, ...]) -> None:
        ended = opsmail(*arguments, folder=repository)
        assert ended.code == 2
        assert ended.out == b""
        first, second = ended.err.decode("utf-8").splitlines()
        assert first.startswith("error: ")
        assert second.startswith("hint: ")
        assert (first + second).isprintable()

    def test_none(self, repository: Path) -> None:
        ended = opsmail(folder=repository)
        assert ended.code == 2
        assert ended.err.startswith(b"Usage: opsmail")

    def test_a_long_one(self, repository: Path) -> None:
        ended = opsmail("check", "x" * 100_000, folder=repository)
        assert ended.code == 1
        assert b"File name too long" in ended.out

    def test_wrong_settings(self, repository: Path) -> None:
        write_files(repository, {"opsmail.toml": "polcy = 1\n[store]\nurll = 'x'\n"})
        ended = opsmail("check", folder=repository)
        assert ended.code == 2
        assert ended.err.decode() == (
            "error: opsmail.toml:1: unknown field `polcy`\n"
            "hint: did you mean `policy`?\n"
            "error: opsmail.toml:3: unknown field `store.urll`\n".replace("store.urll", "urll")
            + "hint: did you mean `url`?\n"
        )


@pytest.mark.case("L-15")
class TestFoldersThatCommandsRunIn:
    """A checkout brings no code into the program."""

    @pytest.mark.parametrize("name", ["yaml.py", "click.py", "sitecustomize.py", "opsmail_x.py", "errno.py", "json.py"])
    def test_modules_lying_there_are_not_imported(self, repository: Path, name: str) -> None:
        write_files(repository, {name: f"print({CANARY!r})\nraise SystemExit(99)\n"})
        environment = {key: value for key, value in plain_environment().items() if key != "PYTHONSAFEPATH"}
        ended = opsmail("check", folder=repository, python=PLAIN, environment=environment)
        assert ended.code == 1
        assert CANARY.encode() not in ended.out + ended.err


class TestImports:
    def test_a_check_loads_nothing_that_is_slow_or_talks_to_the_network(self, repository: Path) -> None:
        """Nor the parser, where files are as nearly all are."""
        write_files(repository, {"operators/rh.yaml": edited("port: 587", "prot: 587")})
        program = (
            "import sys\n"
            "before = set(sys.modules)\n"
            "from opsmail.cli.face import run\n"
            "code = run(['check'])\n"
            "print('\\n'.join(set(sys.modules) - before), file=sys.stderr)\n"
            "sys.exit(code)\n"
        )
        ended = opsmail(folder=repository, python=(sys.executable, "-P", "-c", program))
        assert ended.code == 1
        loaded = set(ended.err.decode().split())
        slow = (
            "yaml msal sqlalchemy rich jinja2 requests pydantic jsonschema cryptography idna securesystemslib urllib3"
        )
        network = "http.client smtplib socket ssl asyncio subprocess"
        assert {"opsmail.check.engine", "click"} <= loaded
        assert loaded & {*slow.split(), *network.split()} == set()
