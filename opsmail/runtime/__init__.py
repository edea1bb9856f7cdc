"""What application servers import: the published operators, verified, with a snapshot for the day the store is down.

    from opsmail.runtime import Operators

    operators = Operators.open(
        "sqlite:////var/lib/opsmail/opsmail.db",
        environment="production",
        keys=["/etc/opsmail/ci.pub.pem"],
        snapshot="/var/lib/opsmail/snapshot.json",
    )
    operators["rh-notificacoes"].send(message)
    operators.master.send(message)

`operators.refresh()` asks the store for something newer; call it from time to time.
"""

from __future__ import annotations

from opsmail.runtime.endings import Ending, EndingKind
from opsmail.runtime.health import Health, State
from opsmail.runtime.loaded import StoreReplacedError
from opsmail.runtime.operator import OperatorDisabledError, PublishedOperator
from opsmail.runtime.reader import (
    NoMasterError,
    NothingPublishedError,
    OperatorNotPublishedError,
    Operators,
)

__all__ = [
    "Ending",
    "EndingKind",
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
