from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

import opsmail
from opsmail.errors import UsageError
from opsmail.secrets import Secret
from opsmail.store.backends import ENTRY_POINTS, open_store
from opsmail.store.server import Access


def asked_for(url: str, **options: object) -> Any:
    """A backend of another package."""
    return url, options


def installed(value: str) -> Any:
    return lambda: [EntryPoint("elsewhere", value, ENTRY_POINTS)]


def test_the_scheme_chooses(tmp_path: Path) -> None:
    with closing(open_store("sqlite:///store.db", create=True, root=tmp_path)) as store:
        assert store.location == str(tmp_path / "store.db")


def test_packages_add_backends() -> None:
    # Loaded by its module's name, wherever the tests were imported from.
    sys.modules["asked_for"] = sys.modules[__name__]
    try:
        found: Any = open_store("elsewhere+driver://host/x", read_only=True, installed=installed("asked_for:asked_for"))
    finally:
        del sys.modules["asked_for"]
    given = {"read_only": True, "create": False, "root": None, "access": Access()}
    assert found == ("elsewhere+driver://host/x", given)


@pytest.mark.parametrize("value", ["no_such_module_anywhere:open", "json:no_such_name"])
def test_a_backend_that_does_not_load(value: str) -> None:
    with pytest.raises(UsageError, match="cannot be loaded"):
        open_store("elsewhere://host", installed=installed(value))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "opsmail.db",
        "operator:hunter2-secret@host/db",
        "SQLITE:///x",
        "unknown://operator:hunter2-secret@host/db",
        "sqlite://operator:hunter2-secret@host/db",
        " sqlite:///x",
    ],
)
def test_urls_that_open_nothing_repeat_no_password(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_store(url)
    assert caught.value.hint is not None
    assert "hunter2" not in f"{caught.value!r} {caught.value} {caught.value.hint}"


def test_an_unknown_scheme_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="scheme consul") as caught:
        open_store("consul://host", installed=installed("x:y"))
    assert str(caught.value.hint) == "known are: elsewhere, etcd, mariadb, mysql, postgresql, sqlite"


@pytest.mark.parametrize(
    ("scheme", "library", "extra"), [("postgresql", "psycopg", "postgres"), ("mariadb", "pymysql", "mysql")]
)
def test_a_library_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, scheme: str, library: str, extra: str
) -> None:
    for module in [name for name in sys.modules if name.startswith("opsmail.store.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UsageError, match=library) as caught:
        open_store(f"{scheme}://opsmail@127.0.0.1/opsmail")
    assert str(caught.value.hint) == f"run `pip install 'opsmail[{extra}]'`"


def test_a_file_has_no_password(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a password nor a certificate"):
        open_store("sqlite:///store.db", create=True, root=tmp_path, access=Access(Secret("hunter2-secret")))
    assert list(tmp_path.iterdir()) == []


def test_importing_the_port_loads_no_database() -> None:
    program = (
        "import sys, opsmail.store.interface, opsmail.store.backends, opsmail.store.audit\n"
        "print([name for name in ('sqlalchemy', 'sqlite3', 'importlib.metadata') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=True,
        env={"PYTHONPATH": str(Path(opsmail.__file__).parents[1])},
        text=True,
    )
    assert done.stdout == "[]\n"
