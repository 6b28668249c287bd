"""Which addresses a pull may speak to.

A credential only ever travels to the configured base address (and to hosts an option names on purpose). Links the vendor
hands out to its own other hosts are followed on the base address instead: same path and query.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

from connector_assets.kit.errors import FixConfiguration, ForeignHost


def check_base_url(base_url: str, what: str) -> str:
    """The base address without a trailing slash. `what` is the address's name for messages, with its instance where there
    is one.

    Raises FixConfiguration unless it is https, or http to this machine itself.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FixConfiguration(f"{what} {masked(base_url)!r} is not an address; expected https://host")
    if parts.username or parts.password:
        raise FixConfiguration(f"{what} carries a user or password; put them under credentials")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise FixConfiguration(
            f"{what} uses http to {parts.hostname}; credentials travel over https only",
            hint="write https:// (plain http is accepted for this machine itself, for trying things out)",
        )
    return base_url.rstrip("/")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def matches(host: str, patterns: Iterable[str]) -> bool:
    """Whether a host is one of `patterns`; '*.example.com' matches every subdomain of example.com."""
    host = host.lower()
    return any(
        host.endswith(pattern[1:].lower()) if pattern.startswith("*.") else host == pattern.lower()
        for pattern in patterns
    )


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an address, with the scheme's own port written out. ForeignHost for an unreadable one."""
    try:
        parts = urlsplit(url)
        return parts.scheme, (parts.hostname or "").lower(), parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        raise ForeignHost("the vendor handed out a link that is no address", hint="nothing was sent there") from None


def absolute(base_url: str, path_or_url: str, known_hosts: Iterable[str]) -> str:
    """The address to call for a path or a link of the vendor.

    A link to the base's own origin stays as it is; one to a known host of the vendor moves onto the base address.
    Raises ForeignHost for any other host.
    """
    if not path_or_url.startswith(("http://", "https://")):
        return base_url + (path_or_url if path_or_url.startswith("/") else "/" + path_or_url)
    host = origin(path_or_url)[1]
    link, base = urlsplit(path_or_url), urlsplit(base_url)
    if origin(path_or_url) == origin(base_url) and link.username is None:
        return path_or_url
    # a service behind a gateway writes http:// and no port into links to itself
    is_self = host == (base.hostname or "").lower() and link.port is None
    if is_self or matches(host, known_hosts):
        prefix = base.path.rstrip("/")
        # a base such as https://gateway/v1.0 stands for https://vendor/v1.0: its path is not doubled
        path = link.path if prefix and link.path.startswith(prefix + "/") else prefix + link.path
        return urlunsplit((base.scheme, base.netloc, path, link.query, ""))
    raise ForeignHost(
        f"the vendor handed out a link to {host}, which is neither the base address nor a host of this product",
        url=masked(path_or_url),
        hint="nothing was sent there; if that host is right, make it the instance's base_url",
    )


def redirect_target(url: str, location: str) -> str:
    """The absolute address a redirect leads to; ForeignHost unless it stays on the same origin."""
    target = urljoin(url, location)
    if origin(url) != origin(target):
        raise ForeignHost(
            f"the vendor redirects to another host, {origin(target)[1]}",
            url=masked(url),
            hint="no credential was sent there; set that region's address as base_url if it is yours",
        )
    return target


def masked(url: str) -> str:
    """An address for messages: query keys stay, query values and user info go."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = urlencode([(key, "...") for key, _ in parse_qsl(parts.query, keep_blank_values=True)], safe="$.")
    return urlunsplit((parts.scheme, host, quote(parts.path, safe="/%:@$()',"), query, ""))
