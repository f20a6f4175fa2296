"""The network address that a request comes from."""

from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the address of the browser; "" if it is unknown.

    Behind a proxy (`BEHIND_PROXY`) it is the last one in `X-Forwarded-For`: the proxy itself has added that one, while
    the browser may have written those before it. Otherwise anybody could write the whole header, and it is not read.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.PMQA_BEHIND_PROXY else ""
    written = forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")
    try:
        address = ip_address(written.partition("%")[0])
    except ValueError:
        return ""
    return str(address.ipv4_mapped or address) if isinstance(address, IPv6Address) else str(address)
