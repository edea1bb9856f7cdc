"""Tables of an old form in real databases: read over verified TLS, and never the column of passwords."""

from __future__ import annotations

from contextlib import closing

import pytest

from opsmail.errors import UnavailableError
from opsmail.secrets import Secret
from opsmail.store.server import Access
from opsmail.transfer.interface import Row
from opsmail.transfer.sources import Source
from tests.conformance.publishing import Place
from tests.servers import mariadb, postgres
from tests.servers.databases import DatabaseServer
from tests.unit.transfer.tables import expected

WANTED = [
    Row(1, {"operator": "folha", "server.host": "smtp.y.test", "enabled": "false"}),
    Row(
        2,
        {
            "operator": "rh",
            "server.host": "smtp.x.test",
            "server.port": "587",
            "enabled": "true",
            "authentication.secret_expires": "2027-05-01",
        },
    ),
]


def rows(place: Place, table: str, password: str | None = None) -> list[Row]:
    source = Source(place.url, "utf-8", table, Access(Secret(password or place.password or ""), place.ca))
    with source.opened(expected()) as opened:
        assert [str(name) for name in opened.header.secret] == ["`Senha`"]
        return list(opened.rows())


def test_postgresql(postgres_server: DatabaseServer) -> None:
    with postgres.new_place(postgres_server) as place, closing(postgres.administer(postgres_server)) as connection:
        user = place.url.partition("://")[2].partition("@")[0]
        table = f'"{user}"."Operadores"'
        connection.execute(
            f'CREATE TABLE {table} ("Operador" text, "Servidor SMTP" varchar(80), "Porta" numeric, "Senha" text, '
            '"Ativo" boolean, "Validade da senha" date)'
        )
        connection.execute(
            f"INSERT INTO {table} VALUES ('rh', 'smtp.x.test', 587, 'hunter2', true, '2027-05-01'), "  # noqa: S608 - its own
            "('folha', 'smtp.y.test', NULL, 'hunter2', false, NULL)"
        )
        # Whoever reads for an import needs no right to the passwords.
        connection.execute(
            f'GRANT SELECT ("Operador", "Servidor SMTP", "Porta", "Ativo", "Validade da senha") ON {table} TO "{user}"'
        )
        assert rows(place, f"{user}.Operadores") == WANTED
        assert rows(place, "Operadores") == WANTED
        with pytest.raises(UnavailableError, match="there is no such table that this user may see"):
            rows(place, "nowhere")
        with pytest.raises(UnavailableError, match="password authentication failed") as caught:
            rows(place, "Operadores", "hunter2-wrong")
        assert "hunter2" not in str(caught.value)


def test_mariadb(mariadb_server: DatabaseServer) -> None:
    with mariadb.new_place(mariadb_server) as place:
        database = place.url.rpartition("/")[2]
        with closing(mariadb.administer(mariadb_server)) as connection, connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TABLE {database}.operadores (`Operador` VARCHAR(80), `Servidor SMTP` TEXT, `Porta` INT, "
                "`Senha` TEXT, `Ativo` BIT(1), `Validade da senha` DATE)"
            )
            cursor.execute(
                f"INSERT INTO {database}.operadores VALUES ('rh', 'smtp.x.test', 587, 'hunter2', 1, '2027-05-01'), "  # noqa: S608 - its own
                "('folha', 'smtp.y.test', NULL, 'hunter2', 0, NULL)"
            )
            connection.commit()
        found = rows(place, "operadores")
        words = {"false": "0", "true": "1"}
        assert found == [Row(row.number, {**row.cells, "enabled": words[str(row.cells["enabled"])]}) for row in WANTED]
        with pytest.raises(UnavailableError, match="there is no such table that this user may see"):
            rows(place, "nowhere")
        with pytest.raises(UnavailableError, match="Access denied") as caught:
            rows(place, "operadores", "hunter2-wrong")
        assert "hunter2" not in str(caught.value)
