from __future__ import annotations

from opsmail.mail.endpoint import Encryption, Endpoint, TlsVersion
from opsmail.operator.digest import Connection, EffectiveOperator
from opsmail.operator.model import NoAuthentication, Operator, Sender, Server


def test_an_endpoint_is_what_the_effective_operator_says() -> None:
    operator = Operator(
        version=1,
        operator="rele",
        sender=Sender(address="rele@empresa.com.br"),
        server=Server(
            host="SMTP.Empresa.com.br",
            port=2599,
            encryption=Encryption.IMPLICIT_TLS,
            minimum_tls=TlsVersion.TLS_1_3,
        ),
        authentication=NoAuthentication(type="none"),
    )
    connection = Connection(address="127.0.0.1:2587", ca="PEM", private=True)
    assert Endpoint.of(EffectiveOperator(operator, connection)) == Endpoint(
        host="smtp.empresa.com.br",
        port=2599,
        encryption=Encryption.IMPLICIT_TLS,
        minimum_tls=TlsVersion.TLS_1_3,
        address="127.0.0.1:2587",
        ca="PEM",
        private=True,
    )
