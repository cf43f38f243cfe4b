"""What operators may write where the plan asks for the address of a page, or for a host. Like `values`."""

from __future__ import annotations

from avisa import links
from avisa.plan_file.values import invalid, quoted


def link(text: str) -> str:
    """Return the address of a page in its canonical form."""
    found = links.read(text)
    if isinstance(found, links.Flaw):
        problem = f"{quoted(text)} is not a link: {found.problem}; allowed: https://shop.example/…"
        raise invalid("bad_link", problem)
    return found.href


def host(text: str) -> str:
    """Return the name of a host in ASCII."""
    found = links.read(f"https://{text.strip()}/")
    if isinstance(found, links.Flaw) or found.href != f"https://{found.host}/":
        meant = links.read(text)
        nearest = meant.host if isinstance(meant, links.Link) else None
        raise invalid("bad_link", f"{quoted(text)} is not a host; allowed: shop.example.com", nearest)
    return found.host
