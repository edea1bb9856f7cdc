"""What application servers import: the published operators, verified, with a snapshot for the day the store is down.

    from opsmail.runtime import Operators

    operators = Operators.open("sqlite:////var/lib/opsmail/opsmail.db", environment="production", keys=["/etc/opsmail/ci.pub.pem"])
    operators["rh-notificacoes"].send(message)
    operators.master.send(message)
"""

from __future__ import annotations

from opsmail.runtime.operator import OperatorDisabledError, PublishedOperator
from opsmail.runtime.reader import (
    Health,
    NoMasterError,
    NothingPublishedError,
    OperatorNotPublishedError,
    Operators,
    State,
    StoreReplacedError,
)

__all__ = [
    "Health",
    "NoMasterError",
    "NothingPublishedError",
    "OperatorDisabledError",
    "OperatorNotPublishedError",
    "Operators",
    "PublishedOperator",
    "State",
    "StoreReplacedError",
]
