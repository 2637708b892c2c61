"""Names of hosts as a text prints them."""

from __future__ import annotations

import re

# A name with a domain: labels of letters, digits, - and _, the last one with a letter in it (so 10.0.0.1 is whole);
# a port may follow, as instances of Prometheus have it.
_with_domain = re.compile(r"([\w-]+)(?:\.[\w-]+)*\.(?=[\w-]*[^\W\d_])[\w-]+\.?(:[0-9]{1,5})?").fullmatch


def host_part(name: str) -> str:
    """``db01`` of ``db01.shop.example``; an address, or a text that is no host name, stays whole."""
    found = _with_domain(name) if "." in name else None
    return found[1] + (found[2] or "") if found else name
