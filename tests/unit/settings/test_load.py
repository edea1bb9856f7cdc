"""From `opsmail.toml` to settings, and everything that can be wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import trustme

from opsmail.errors import UsageError
from opsmail.operator.model import Encryption, Operator
from opsmail.references import SecretReference
from opsmail.settings.faults import SettingsError
from opsmail.settings.load import Settings, canonical_pem, load_settings, trusted_key_files
from opsmail.settings.model import AuthenticationType, StatementKind
from opsmail.settings.organisation import SeverityName
from opsmail.shape import Decoder
from tests.builders import SETTINGS, MemoryFiles, operator_data, settings_of

FULL = """
    operators = ["operators", "more/"]

    [policy]
    ignore = ["OM5"]
    severity = { OM502 = "error" }
    unwaivable = ["OM202"]
    sender_domains = ["empresa.com.br"]
    deprecation_notice_days = 30

    [[servers]]
    host = "smtp.empresa.com.br"
    connections = ["587/starttls", "465/implicit-tls"]
    authentication = ["basic", "none"]
    sender_domains = ["empresa.com.br"]
    secrets = ["env://OPSMAIL_SECRET_{OPERATOR}", "federated"]
    tenants = ["t"]
    client_ids = ["c"]
    private = true
    ca = "ca/internal.pem"
    address = "127.0.0.1:2587"
    approved_by = "ti@empresa.com.br"
    ticket = "4711"
    review_by = 2027-06-30

    [live]
    recipient = "teste@empresa.com.br"
    timeout_seconds = 20

    [gate]
    require = ["test-send", "approval"]
    max_age = "12h"
    signing_key = "env://KEY"
    [[gate.keys]]
    file = "keys/ci.pub.pem"
    kinds = ["test-send"]
    environments = ["production"]

    [store]
    url = "sqlite:///a.db"
    max_changes = 10

    [environments.production]
    store.url = "sqlite:///b.db"
    gate.require = ["test-send"]
"""


@pytest.fixture(scope="module")
def pem() -> str:
    return trustme.CA().cert_pem.bytes().decode()


def faults_of(text: str, files: Mapping[str, bytes] | None = None, *, environment: str = "default") -> list[str]:
    """Return what is told of wrong settings, each with its hint."""
    with pytest.raises(SettingsError) as caught:
        settings_of(text, files, environment=environment)
    told = [caught.value, *caught.value.further]
    return [f"{error} | {error.hint}" for error in told]


def load(text: str, pem: str, environment: str = "default") -> Settings:
    return settings_of(text, {"ca/internal.pem": pem, "keys/ci.pub.pem": pem}, environment=environment)


class TestGoodSettings:
    def test_everything(self, pem: str) -> None:
        settings = load(FULL, pem)
        file = settings.file
        assert settings.present
        assert file.operators == ("operators", "more")
        assert file.policy.severity == {"OM502": SeverityName.ERROR}
        (entry,) = file.servers or ()
        assert [(pair.port, pair.encryption) for pair in entry.connections] == [
            (587, Encryption.STARTTLS),
            (465, Encryption.IMPLICIT_TLS),
        ]
        assert entry.authentication == (AuthenticationType.BASIC, AuthenticationType.NONE)
        assert str(entry.review_by) == "2027-06-30"
        assert file.gate.max_age.length.total_seconds() == 12 * 3600
        assert file.store.url == "sqlite:///a.db"
        assert str(settings.signing_key) == "env://KEY"
        assert [(key.kinds, text) for key, text in trusted_key_files(settings)] == [((StatementKind.TEST_SEND,), pem)]

    def test_an_environment_is_laid_over_it(self, pem: str) -> None:
        file = load(FULL, pem, "production").file
        assert file.store.url == "sqlite:///b.db"
        assert file.store.max_changes == 10  # tables merge
        assert file.gate.require == (StatementKind.TEST_SEND,)  # arrays replace
        assert str(file.gate.max_age) == "12h"

    def test_the_default_environment_may_have_a_table_too(self) -> None:
        text = "[environments.default.store]\nurl = 'sqlite:///x.db'\n"
        assert settings_of(text).file.store.url == "sqlite:///x.db"

    def test_without_a_file_there_are_defaults_and_no_catalogue(self) -> None:
        settings = settings_of()
        assert not settings.present
        assert settings.file.operators == ("operators",)
        assert settings.catalogue.servers is None
        assert settings.waivers is None

    def test_waivers_are_read_beside_it(self) -> None:
        assert settings_of("", {"waivers.yaml": "- x\n"}).waivers == b"- x\n"

    def test_one_folder_needs_no_list(self) -> None:
        assert settings_of('operators = "config/operators/"').file.operators == ("config/operators",)

    def test_an_empty_catalogue_is_not_none(self) -> None:
        assert settings_of("servers = []").catalogue.servers == ()


class TestEffectiveOperators:
    def operator(self) -> Operator:
        value, _ = Decoder(Operator).decode(operator_data())
        assert value is not None
        return value

    def test_the_catalogue_adds_the_connection(self, pem: str) -> None:
        connection = load(FULL, pem).effective(self.operator()).connection
        assert (connection.address, connection.private) == ("127.0.0.1:2587", True)
        assert connection.ca == canonical_pem(pem)

    def test_nothing_for_a_server_that_is_not_in_it(self) -> None:
        connection = settings_of("servers = []").effective(self.operator()).connection
        assert (connection.address, connection.ca, connection.private) == (None, None, False)

    def test_the_bytes_of_a_certificate_file_do_not_matter(self, pem: str) -> None:
        one = load(FULL, pem).effective(self.operator())
        other = load(FULL, f"a comment\r\n{pem.replace(chr(10), chr(13) + chr(10))}").effective(self.operator())
        assert one.digest == other.digest


class TestIdentityProvider:
    """What the catalogue says of it is part of the operator, for those whom it concerns; the digests of others stay."""

    MODERN: Mapping[str, object] = {
        "type": "modern", "username": "a@empresa.com.br", "tenant": "t", "client_id": "x",
    }  # fmt: skip
    MORE = SETTINGS + (
        'authority = "https://localhost:9443"\nauthority_ca = "a.pem"\nfederated_audience = "empresa"\n'
        'federated_token = "file:///run/token"\n'
    )

    def document(self, text: str, pem: str, authentication: Mapping[str, object] | None = None) -> dict[str, object]:
        data = operator_data() | ({} if authentication is None else {"authentication": dict(authentication)})
        value, problems = Decoder(Operator).decode(data)
        assert value is not None, problems
        found = settings_of(text, {"a.pem": pem}).effective(value)
        assert type(found).parse(found.canonical()) == found
        connection: dict[str, object] = found.document()["connection"]
        return connection

    def test_for_a_federated_credential(self, pem: str) -> None:
        login = {**self.MODERN, "credential": {"kind": "federated"}}
        assert self.document(SETTINGS, pem, login) == {"private": False}
        assert self.document(self.MORE, pem, login) == {
            "private": False,
            "authority": "https://localhost:9443",
            "authority_ca": canonical_pem(pem),
            "federated_audience": "empresa",
            "federated_token": "file:///run/token",
        }

    def test_for_others(self, pem: str) -> None:
        login = {**self.MODERN, "credential": {"kind": "client-secret", "secret": "env://X"}}
        assert set(self.document(self.MORE, pem, login)) == {"private", "authority", "authority_ca"}
        assert self.document(self.MORE, pem) == {"private": False}

    def test_the_place_of_its_tokens_is_the_settings_own(self) -> None:
        assert (
            "file:///run/token" in settings_of(self.MORE, {"a.pem": trustme.CA().cert_pem.bytes()}).catalogue.reserved
        )


class TestStore:
    SERVED = '[store]\nurl = "postgresql://opsmail@db/opsmail"\npassword = "env://DB"\nca = "a.pem"\n'

    @pytest.mark.parametrize("writing", [True, False])
    def test_how_it_is_come_to(self, pem: str, writing: bool) -> None:
        settings = settings_of(self.SERVED, {"a.pem": f"# the database's\n{pem}"})
        assert settings.store_login(writing=writing) == (
            "postgresql://opsmail@db/opsmail",
            SecretReference("env", "DB"),
        )
        assert settings.store_ca == canonical_pem(pem)
        # No operator may have it sent anywhere.
        assert "env://DB" in settings.catalogue.reserved

    @pytest.mark.parametrize(
        ("url", "read"),
        [
            ("postgresql://opsmail@db/opsmail", "postgresql://le%40r@db/opsmail"),
            ("postgresql://db:5433/opsmail", "postgresql://le%40r@db:5433/opsmail"),
            ("postgresql://a@/opsmail?socket=/run/a@b", "postgresql://le%40r@/opsmail?socket=/run/a@b"),
            ("mysql://a%40b@[::1]:3306/opsmail", "mysql://le%40r@[::1]:3306/opsmail"),
            ("etcd://db:2379/a@b", "etcd://le%40r@db:2379/a@b"),
            ("postgresql:nonsense", "postgresql:nonsense"),
        ],
    )
    def test_a_reader_logs_in_where_nothing_is_written(self, url: str, read: str) -> None:
        text = f'[store]\nurl = "{url}"\npassword = "env://DB"\nreader = "le@r"\nreader_password = "env://READ"\n'
        settings = settings_of(text)
        assert settings.store_login(writing=False) == (read, SecretReference("env", "READ"))
        assert settings.store_login(writing=True) == (url, SecretReference("env", "DB"))
        assert {"env://DB", "env://READ"} <= settings.catalogue.reserved

    def test_a_reader_needs_no_password_where_the_server_asks_for_none(self) -> None:
        settings = settings_of('[store]\nurl = "postgresql://a@localhost/b"\npassword = "env://DB"\nreader = "c"\n')
        assert settings.store_login(writing=False) == ("postgresql://c@localhost/b", None)

    def test_a_file_needs_neither(self) -> None:
        settings = settings_of("")
        assert (
            settings.store_login(writing=True) == settings.store_login(writing=False) == ("sqlite:///opsmail.db", None)
        )
        assert settings.store_ca is None
        assert settings.catalogue.reserved == {settings.file.gate.signing_key}


class TestDigest:
    def test_it_covers_what_decides(self, pem: str) -> None:
        base = load(FULL, pem).digest
        assert base == load(FULL.replace("timeout_seconds = 20", "timeout_seconds = 21"), pem).digest
        changes = {
            'ignore = ["OM5"]': "ignore = []",
            "private = true": "private = false",
            'max_age = "12h"': 'max_age = "13h"',
        }
        digests = {load(FULL.replace(old, new), pem).digest for old, new in changes.items()}
        assert len(digests | {base}) == 4
        assert load(FULL, f"{pem}\n").digest != base

    def test_and_the_waivers(self) -> None:
        assert settings_of("", {"waivers.yaml": "- a\n"}).digest != settings_of("").digest

    def test_no_catalogue_is_not_an_empty_one(self) -> None:
        assert settings_of("").digest != settings_of("servers = []").digest


class TestFaults:
    def test_all_are_told_in_the_order_of_their_lines(self) -> None:
        text = """\
        polcy = 1
        [policy]
        severity = { OM502 = "errors" }
        [store]
        max_changes = 0
        """
        assert faults_of(text) == [
            "opsmail.toml:1: unknown field `polcy` | did you mean `policy`?",
            (
                "opsmail.toml:3: `policy.severity.OM502` cannot be `errors` | "
                "did you mean `error`? allowed: `error`, `warning`, `note`"
            ),
            "opsmail.toml:5: `store.max_changes` is 0, out of range | from 1 to 1000000",
        ]

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("operators = []", "opsmail.toml:1: `operators` names no folder"),
            ('operators = "../x"', "opsmail.toml:1: `../x` is not a folder below the one of the settings"),
            ('operators = "/etc"', "opsmail.toml:1: `/etc` is not a folder below"),
            ('operators = "."', "opsmail.toml:1: `.` is not a folder below"),
            ('operators = "a/.."', "opsmail.toml:1: `a/..` is not a folder below"),
            ('[policy]\nignore = ["5"]', "opsmail.toml:2: `policy.ignore.0` is not a rule id or the start of one"),
            ('[policy]\nseverity = {OM5 = "error"}', "opsmail.toml:2: `policy.severity.OM5` is not a rule id"),
            ('[policy]\nsender_domains = ["A.com"]', "opsmail.toml:2: `policy.sender_domains.0` is not a domain"),
            ('[gate]\nsigning_key = "S3cr3t"', "opsmail.toml:2: `gate.signing_key` is not a secret reference"),
            ('[gate]\nmax_age = "7 days"', "opsmail.toml:2: `gate.max_age` is not a number of minutes, hours or days"),
            (f"{SETTINGS}\n{SETTINGS.partition('[[')[1]}{SETTINGS.partition('[[')[2]}", "stands twice"),
            (
                SETTINGS.replace("587/", "0/"),
                "opsmail.toml:5: `servers.0.connections.0` is not a port and an encryption",
            ),
            (SETTINGS.replace("starttls", "tls"), "opsmail.toml:5: `servers.0.connections.0` is not a port and an"),
            (SETTINGS.replace("smtp.empresa", "SMTP"), "opsmail.toml:4: `servers.0.host` is not a host name"),
            (SETTINGS.replace("env://", "*://"), "opsmail.toml:7: `*://OPSMAIL_SECRET_{OPERATOR}` is not a pattern"),
            (
                f'{SETTINGS}address = "localhost:25"',
                "opsmail.toml:8: `servers.0.address` is not an IP address and a port",
            ),
            (f'{SETTINGS}ca = "../ca.pem"', "opsmail.toml:8: `../ca.pem` leads out of the repository"),
            (f'{SETTINGS}ca = "ca.pem"', "opsmail.toml:8: there is no file `ca.pem`"),
            (f'{SETTINGS}ca = "not.pem"', "opsmail.toml:8: `not.pem` is not a PEM file"),
            (f'{SETTINGS}ca = "bad.pem"', "opsmail.toml:8: `bad.pem` is not a PEM file"),
            (f'{SETTINGS}ca = "cut.pem"', "opsmail.toml:8: `cut.pem` is not a PEM file"),
            (f'{SETTINGS}authority = "http://localhost"', "`servers.0.authority` is not an https address of a host"),
            (f'{SETTINGS}authority = "https://localhost/x"', "`servers.0.authority` is not an https address of a host"),
            (f'{SETTINGS}authority = "https://localhost:70000"', "`authority` has a port that there is none of"),
            ('[live]\nproxy = "https://proxy:3128"\n', "`live.proxy` is not `http://`, a host and a port"),
            ('[live]\nproxy = "http://u:p@proxy:3128"\n', "`live.proxy` is not `http://`, a host and a port"),
            ('[live]\nproxy = "http://proxy:70000"\n', "opsmail.toml:2: `live.proxy` has a port that there is none of"),
            (f'{SETTINGS}authority_ca = "good.pem"', "opsmail.toml:8: `authority_ca` is for an `authority`"),
            (
                f'{SETTINGS}authority = "https://localhost"\nauthority_ca = "bad.pem"',
                "opsmail.toml:9: `bad.pem` is not a PEM file",
            ),
            (
                f'{SETTINGS}federated_token = "eyJ0.e30.x"',
                "opsmail.toml:8: `servers.0.federated_token` is not a secret reference",
            ),
            ('[store]\npassword = "hunter2"', "opsmail.toml:2: `store.password` is not a secret reference"),
            (
                '[store]\nurl = "etcd://a/b"\nreader = "c"\nreader_password = "hunter2"',
                "opsmail.toml:4: `store.reader_password` is not a secret reference",
            ),
            (
                '[store]\nreader_password = "env://DB"',
                "opsmail.toml:2: `store.reader_password` is for a `store.reader`, who is not named",
            ),
            ('[store]\nreader = "c"', "opsmail.toml:2: nobody logs in to a SQLite store"),
            ('[store]\nca = "ca.pem"', "opsmail.toml:2: there is no file `ca.pem`"),
            ('[store]\nca = "bad.pem"', "opsmail.toml:2: `bad.pem` is not a PEM file"),
        ],
    )
    def test_each(self, text: str, fault: str) -> None:
        files = {
            "good.pem": trustme.CA().cert_pem.bytes(),
            "not.pem": b"\xff",
            "bad.pem": b"nothing",
            "cut.pem": b"-----BEGIN CERTIFICATE-----\nAAAA\n",
        }
        (told,) = faults_of(text, files)
        assert fault in told
        assert not told.endswith(" | None")

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("a = ", "opsmail.toml:1: not valid TOML: Invalid value"),
            ("a = 1\na = 2", "opsmail.toml:2: not valid TOML: Cannot overwrite a value"),
            ("[a]\n[a]\n", "opsmail.toml:2: not valid TOML: Cannot declare `a` twice"),
            ("[a.b]\n[a.b]\n", "opsmail.toml:2: not valid TOML: Cannot declare `a.b` twice"),
            ("a = 'x", "opsmail.toml:1: not valid TOML: "),
            (f"a = {'9' * 5000}", "opsmail.toml:1: not valid TOML: Exceeds the limit"),
            (f"a = {'[' * 20_000}", "opsmail.toml:1: not valid TOML: "),
            ("a = 1\n# \u202e", "opsmail.toml:2: invisible character U+202E"),
        ],
    )
    def test_what_is_not_toml(self, text: str, fault: str) -> None:
        (told,) = faults_of(text)
        assert told.startswith(fault)

    def test_what_is_not_utf8(self) -> None:
        with pytest.raises(SettingsError, match=r"opsmail\.toml is not UTF-8"):
            load_settings(MemoryFiles({"opsmail.toml": b"\xff"}))

    def test_every_environment_is_judged(self) -> None:
        text = """\
        [environments.production.store]
        max_changes = 0
        [environments.test.gate]
        maxage = "7d"
        """
        assert faults_of(text) == [
            "opsmail.toml:2: `store.max_changes` is 0, out of range | from 1 to 1000000",
            "opsmail.toml:4: unknown field `maxage` | did you mean `max_age`?",
        ]

    def test_a_fault_outside_the_environments_is_told_once(self) -> None:
        text = "[policy]\nignor = []\n[environments.a.store]\n[environments.b.store]\n"
        assert len(faults_of(text)) == 1

    def test_files_are_looked_for_in_the_wanted_environment_only(self) -> None:
        text = '[[environments.a.gate.keys]]\nfile = "a.pem"\nkinds = ["approval"]\n'
        assert settings_of(text).file.gate.keys == ()
        assert "there is no file `a.pem`" in faults_of(text, environment="a")[0]

    @pytest.mark.parametrize(
        ("text", "environment", "told"),
        [
            ("environments = 1", "default", "`environments` holds one table per environment"),
            ("[environments]\na = 1", "default", "`environments` holds one table per environment"),
            ("[environments.a.policy]\nignore = []", "default", "`environments.a` cannot change `policy`"),
            ("[environments.a.store]", "b", "opsmail.toml has no environment `b` | known: a, default"),
        ],
    )
    def test_environments_themselves(self, text: str, environment: str, told: str) -> None:
        assert told in faults_of(text, environment=environment)[0]

    def test_an_environment_without_a_file(self) -> None:
        with pytest.raises(UsageError, match=r"there is no opsmail\.toml, so there is no environment `production`"):
            settings_of(environment="production")


class TestPem:
    def test_one_spelling(self, pem: str) -> None:
        assert canonical_pem(f"x\n{pem}\ny\n{pem}") == canonical_pem(pem) * 2

    @pytest.mark.parametrize("text", ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA"])
    def test_no_certificate(self, text: str) -> None:
        with pytest.raises(ValueError, match="certificate"):
            canonical_pem(text)
