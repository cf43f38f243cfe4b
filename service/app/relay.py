"""The mail relay, as the settings say, and what is probably not meant about who writes to it."""

from __future__ import annotations

from avisa.core.plan import Plan
from avisa.settings import Smtp
from avisa.smtp.relay import Relay


def relay_of(settings: Smtp) -> Relay | None:
    """The relay that is set; None if mail is to go to the embedded inbox."""
    if settings.host is None:
        return None
    return Relay(
        host=settings.host,
        port=settings.relay_port,
        tls=settings.security,
        username=settings.username,
        password=None if settings.password is None else settings.password.get_secret_value(),
    )


def example_senders(plan: Plan) -> list[str]:
    """A line for each brand whose sender nobody owns (RFC 2606 section 3): a real relay refuses or loses its mail."""
    found = []
    for brand in plan.brands.values():
        domain = brand.sender.rpartition("@")[2].rstrip("> ").lower()
        if ("." + domain).endswith((".example", ".example.com", ".example.net", ".example.org")):
            found.append(f"plan.yaml: the brand {brand.key} sends from an example domain")
    return found
