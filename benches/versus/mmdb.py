"""A geolocation database of our own making, in the layout of MaxMind's GeoIP2 Country.

All servers that look at where clients are can read that layout, and a database that is made from a
seed needs no download. It has 360,000 IPv4 networks, most of them /19 to /24, and neighbours are often
in different countries: more mixed than real ones, for nothing can be merged by allocation.
"""

import bisect
import ipaddress
import random
import struct
from pathlib import Path

# Country and continent, and how often among the networks.
COUNTRIES = {"DE": ("EU", 8), "FR": ("EU", 6), "GB": ("EU", 7), "PL": ("EU", 3), "US": ("NA", 20),
             "CA": ("NA", 4), "MX": ("NA", 3), "BR": ("SA", 6), "JP": ("AS", 7), "IN": ("AS", 9),
             "CN": ("AS", 12), "AU": ("OC", 3), "ZA": ("AF", 2)}
CONTINENTS = tuple(dict.fromkeys(continent for continent, _ in COUNTRIES.values()))
SEED = 8
MARKER = b"\xab\xcd\xefMaxMind.com"


class Database:
    """Countries by IPv4 network: in memory to check answers by, and as a file for the servers."""

    def __init__(self):
        rng = random.Random(SEED)
        codes, often = list(COUNTRIES), [weight for _, weight in COUNTRIES.values()]
        self.networks = []  # first address, prefix length, country
        at = 0
        while at < 1 << 32:
            aligned = 32 - (at & -at).bit_length() + 1 if at else 0
            length = max(aligned, rng.choice((8, 11, 13, 14, 16, 17, 18, 19, 20, 21, 22, 22, 23, 24)))
            # Loopback is nowhere, as in every database.
            country = "" if at >> 24 == 127 else rng.choices(codes, often)[0]
            self.networks.append((at, length, country))
            at += 1 << (32 - length)
        self.starts = [start for start, _, _ in self.networks]

    def continent(self, address: int) -> str:
        country = self.networks[bisect.bisect_right(self.starts, address) - 1][2]
        return COUNTRIES[country][0] if country else ""

    def uniform(self, network: ipaddress.IPv4Network, group) -> bool:
        """Whether `group` makes the same of the continents of all addresses in there."""
        first, last = int(network.network_address), int(network.broadcast_address)
        within = self.starts[bisect.bisect_right(self.starts, first):
                             bisect.bisect_right(self.starts, last)]
        return len({group(self.continent(at)) for at in (first, *within)}) == 1

    def write(self, path: Path):
        """Writes the file: the search tree with records of 32 bits, the data, the metadata."""
        tree, offsets, data = [[None, None]], {"": None}, b""
        for code, (continent, _) in COUNTRIES.items():
            offsets[code] = len(data)
            data += _value({"continent": {"code": continent}, "country": {"iso_code": code}})
        for start, length, country in self.networks:
            node = 0
            for bit in range(length - 1):
                side = start >> (31 - bit) & 1
                if tree[node][side] is None:
                    tree[node][side] = len(tree)
                    tree.append([None, None])
                node = tree[node][side]
            # A leaf is told from a node by being a text.
            tree[node][start >> (32 - length) & 1] = country
        count = len(tree)

        def record(entry):
            if isinstance(entry, int):
                return entry
            offset = offsets[entry or ""]
            return count if offset is None else count + 16 + offset

        packed = b"".join(struct.pack("!II", record(zero), record(one)) for zero, one in tree)
        about = {"binary_format_major_version": (5, 2), "binary_format_minor_version": (5, 0),
                 "build_epoch": (9, 1_700_000_000), "database_type": "GeoLite2-Country",
                 "description": {"en": "made from a seed"}, "ip_version": (5, 4),
                 "languages": ["en"], "node_count": (6, count), "record_size": (5, 32)}
        path.write_bytes(packed + bytes(16) + data + MARKER + _value(about))


def _value(value) -> bytes:
    """A field of the data section; a number is a pair of its type and itself."""
    if isinstance(value, str):
        return _control(2, len(value)) + value.encode()
    if isinstance(value, dict):
        return _control(7, len(value)) + b"".join(
            _value(key) + _value(each) for key, each in value.items())
    if isinstance(value, list):
        return _control(11, len(value)) + b"".join(map(_value, value))
    kind, number = value
    octets = number.to_bytes(8, "big").lstrip(b"\0")
    return _control(kind, len(octets)) + octets


def _control(kind: int, size: int) -> bytes:
    """The control octet; types above 7 have a second one. No field here is longer than 28."""
    return bytes([kind << 5 | size]) if kind <= 7 else bytes([size, kind - 7])
