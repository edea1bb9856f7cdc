"""OM404 to OM406: Microsoft's logins."""

from __future__ import annotations

from collections.abc import Iterator

from opsmail.check.interface import Context, Mark, Problem, operator_rule
from opsmail.findings import Severity
from opsmail.messages import Message, msg
from opsmail.operator.digest import canonical_host
from opsmail.operator.model import Cloud, Delegated, ModernAuthentication, Operator

#: Authorities that stand for no organisation in particular:
#: https://learn.microsoft.com/entra/identity-platform/msal-client-application-configuration
_SHARED = frozenset(("common", "organizations", "consumers"))


@operator_rule("OM404", "modern-needs-microsoft", Severity.ERROR, unwaivable=True)
def modern_needs_microsoft(operator: Operator, context: Context) -> Iterator[Problem]:
    """A Microsoft token is sent to Microsoft, or to whom IT says it may be."""
    if not isinstance(operator.authentication, ModernAuthentication):
        return
    host = canonical_host(operator.server.host)
    provider = context.providers.of_host(host)
    if provider is None and host in context.providers.by_other_host:
        provider = context.providers.by_other_host[host][0]
    entry = context.settings.catalogue.entry(host)
    if (provider is not None and provider.family == "microsoft") or (entry is not None and entry.microsoft_tokens):
        return
    yield Problem(
        "authentication.type",
        msg("modern authentication is Microsoft's, but `{host}` is not", host=host),
        label=msg("its token would go elsewhere"),
        help=msg(
            "use `basic`, or a Microsoft server; for a gateway that takes Microsoft's tokens, "
            "IT writes `microsoft_tokens = true` in its catalogue entry"
        ),
        marks=(Mark("server.host", msg("not one of Microsoft's servers")),),
    )


@operator_rule("OM405", "cloud-mismatch", Severity.ERROR, unwaivable=True)
def cloud_mismatch(operator: Operator, context: Context) -> Iterator[Problem]:
    """Server, tenant and `cloud` belong to one Microsoft cloud."""
    authentication = operator.authentication
    if not isinstance(authentication, ModernAuthentication):
        return
    provider = context.providers.of_host(operator.server.host)
    chosen = authentication.cloud.value
    server = None if provider is None else provider.cloud
    # A GUID or a domain of the organisation's own tells nothing.
    tenant = context.providers.clouds_of_tenants.get(authentication.tenant.lower().partition(".")[2], ())
    server_fits, tenant_fits = server in (None, chosen), not tenant or chosen in tenant
    if server_fits and tenant_fits:
        return
    marks = {
        "server.host": msg("{cloud}", cloud=_named(server)),
        "authentication.tenant": msg("{cloud}", cloud=_named(*tenant)),
        "authentication.cloud": msg("{cloud}", cloud=_named(chosen)),
    }
    # The odd one out is the place: the tenant or the server where the other two agree, else `cloud`.
    if server == chosen:
        path = "authentication.tenant"
    elif tenant and tenant_fits:
        path = "server.host"
    else:
        path = "authentication.cloud"
    known = {"server.host": server is not None, "authentication.tenant": bool(tenant), "authentication.cloud": True}
    yield Problem(
        path,
        msg("server, tenant and `cloud` are not of the same Microsoft cloud"),
        label=marks[path],
        help=_cloud_remedy(path, chosen, server, tenant),
        marks=tuple(Mark(other, text) for other, text in marks.items() if other != path and known[other]),
    )


def _named(*clouds: str | None) -> str:
    return " / ".join(f"`{cloud}`" for cloud in clouds)


def _cloud_remedy(path: str, chosen: str, server: str | None, tenant: tuple[str, ...]) -> Message:
    if path == "authentication.tenant":
        return msg("write the tenant that this organisation has in the cloud `{cloud}`", cloud=chosen)
    if path == "server.host":
        return msg("write the server of the cloud `{cloud}`", cloud=chosen)
    right = next((cloud for cloud in (server, *tenant) if cloud is not None), Cloud.GLOBAL.value)
    return msg("write `cloud: {cloud}` under `authentication`, if that is where the organisation is", cloud=right)


@operator_rule("OM406", "shared-tenant", Severity.ERROR)
def shared_tenant(operator: Operator, context: Context) -> Iterator[Problem]:
    """An application logs in to one organisation, and has to say to which."""
    authentication = operator.authentication
    if not isinstance(authentication, ModernAuthentication) or authentication.tenant.lower() not in _SHARED:
        return
    if isinstance(authentication.credential, Delegated):
        return
    yield Problem(
        "authentication.tenant",
        msg("`{tenant}` is no organisation that an application could log in to", tenant=authentication.tenant),
        label=msg("stands for many"),
        help=msg("write the organisation's GUID or first domain, for example `empresa.onmicrosoft.com`"),
        marks=(Mark("authentication.credential.kind", msg("a credential of an application")),),
    )
