"""Which addresses of the internet protocol a page may come from."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

# What IANA's registries of special addresses list as not reachable from everywhere, written out: what the standard
# library knows of them differs between the releases of Python.
_PRIVATE_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' own
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation, as 198.51.100 and 203.0.113
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "168.63.129.16/32",  # Azure's own host, behind a public address
    )
)
# Of version 6 only 2000::/3 is handed out, and of that not these.
_GLOBAL_6 = IPv6Network("2000::/3")
_PRIVATE_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocols' own: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which holds an address of version 4 and is in use no more
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")

# Nobody's pages are there, whatever is allowed: the keys of a machine in a cloud are.
_NEVER_4 = (IPv4Network("169.254.0.0/16"), IPv4Network("224.0.0.0/4"), IPv4Network("168.63.129.16/32"))
_NEVER_6 = (IPv6Network("fe80::/10"), IPv6Network("ff00::/8"), IPv6Network("fd00:ec2::254/128"))


def is_public(address: Address) -> bool:
    """Return whether an address is one of the internet, and hides none that is not."""
    plain = unwrapped(address)
    if isinstance(plain, IPv4Address):
        return not any(plain in network for network in _PRIVATE_4)
    return plain.scope_id is None and plain in _GLOBAL_6 and not any(plain in network for network in _PRIVATE_6)


def is_allowed(address: Address, private: bool) -> bool:
    """Return whether pages may come from an address; with `private`, from all but link-local and multicast ones."""
    if not private:
        return is_public(address)
    plain = unwrapped(address)
    if isinstance(plain, IPv4Address):
        return not any(plain in network for network in _NEVER_4)
    return not any(plain in network for network in _NEVER_6)


def unwrapped(address: Address) -> Address:
    """Return the address of version 4 that one of version 6 stands for (mapped, or through NAT64), else itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
