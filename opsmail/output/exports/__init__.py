"""Published settings in the forms of other programs. References to secrets stay references.

None of them is signed: whoever can write where they are kept can change them unnoticed, which `opsmail.runtime` would
not let pass.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from opsmail.output.exports import appsettings, env, json, msmtp
from opsmail.transfer.published import Fleet

#: Format to what renders it.
FORMATS: Mapping[str, Callable[[Fleet], str]] = MappingProxyType(
    {"json": json.render, "env": env.render, "appsettings": appsettings.render, "msmtp": msmtp.render}
)
