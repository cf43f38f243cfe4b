"""Where HTTP is answered: customers on one listener, probes and operators on another, so that neither waits for the
other. On loopback, where no stranger comes, one does for both."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from avisa.settings.sections import Http
from avisa.web import Site, build
from avisa.web.server import CannotListen, Server, listen


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Bound sockets."""

    public: socket.socket
    admin: socket.socket  # the same one, where one does for both

    @property
    def public_port(self) -> int:
        port: int = self.public.getsockname()[1]
        return port

    @property
    def admin_port(self) -> int:
        port: int = self.admin.getsockname()[1]
        return port

    def close(self) -> None:
        self.public.close()
        self.admin.close()

    def servers(self, site: Site) -> list[Server]:
        """A server for each listener, none started yet."""
        if self.admin is self.public:
            return [Server(build(site), self.public)]
        return [Server(build(site, admin=False), self.public), Server(build(site, public=False), self.admin)]


def bind(http: Http) -> Listeners | CannotListen:
    """Bind the addresses of the settings."""
    public = listen(http.host, http.port)
    if isinstance(public, CannotListen):
        return public
    if http.admin == (http.host, http.port):
        return Listeners(public=public, admin=public)
    admin = listen(*http.admin, settings="AVISA_HTTP__ADMIN")
    if isinstance(admin, CannotListen):
        public.close()
        return admin
    return Listeners(public=public, admin=admin)
