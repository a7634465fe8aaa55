"""What an owner says about the web page and the API."""

from dataclasses import dataclass
from ipaddress import ip_address

__all__ = ["WebSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """Where the page and the API are, and who may use them."""

    listen: str = "127.0.0.1:8080"
    """Address and port. Anything but this machine needs a password or a token."""
    password: str | None = None
    """For people, in a browser; keep it in secrets.yaml. An argon2 hash works too."""
    token: str | None = None
    """For programs: sent as `Authorization: Bearer …`."""
    allowed_hosts: tuple[str, ...] = ()
    """Names under which the page is called, besides this machine's address."""
    enabled: bool = True
    """Switch the page and the API off altogether."""

    def __post_init__(self) -> None:
        """Refuse an address that cannot be, and an open door to the network."""
        host, port = self.host, self.port
        if not 0 <= port < 1 << 16:
            raise ValueError("listen needs a port from 0 to 65535, like 127.0.0.1:8080")
        if self.enabled and not _is_loopback(host) and not (self.password or self.token):
            raise ValueError(
                f"listen: {self.listen} can be reached from the network, so set web.password "
                "(`password: !secret web`) or web.token"
            )

    def __repr__(self) -> str:
        """Show no secret."""
        return f"WebSettings(listen={self.listen!r})"

    @property
    def host(self) -> str:
        """The address to listen on."""
        return self.listen.rpartition(":")[0].strip("[]") or "127.0.0.1"

    @property
    def port(self) -> int:
        """The port to listen on; 0 takes a free one."""
        text = self.listen.rpartition(":")[2]
        return int(text) if text.isdecimal() else -1


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
