"""DNS messages, as far as comparing answers needs them: a query, and what is in its reply."""

import ipaddress
import os
import socket
import struct
from dataclasses import dataclass

A, SOA, OPT = 1, 6, 41
RCODES = {0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}
CLIENT_SUBNET = 8


@dataclass(frozen=True)
class Shape:
    """What must be alike in answers that are compared."""

    rcode: str
    aa: bool
    tc: bool
    counts: tuple  # QUERY, ANSWER, AUTHORITY, ADDITIONAL
    records: tuple  # section and type of each record but OPT, and its TTL
    size: int


@dataclass(frozen=True)
class Reply:
    """A reply to one of our queries."""

    shape: Shape
    addresses: tuple  # of the A records in ANSWER
    serial: int | None  # of the first SOA record
    scope: int | None  # of the client subnet


def query(name: str, kind: int = A, subnet: str = "") -> bytes:
    """A query with a random id; with EDNS and the client subnet, if there is one."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    head = os.urandom(2) + struct.pack("!5H", 0, 1, 0, 0, 1 if subnet else 0)
    message = head + labels + struct.pack("!BHH", 0, kind, 1)
    if subnet:
        net = ipaddress.ip_network(subnet)
        prefix = net.network_address.packed[:(net.prefixlen + 7) // 8]
        option = struct.pack("!HBB", 1, net.prefixlen, 0) + prefix
        option = struct.pack("!HH", CLIENT_SUBNET, len(option)) + option
        message += struct.pack("!BHHIH", 0, OPT, 1232, 0, len(option)) + option
    return message


def parse(message: bytes, reply: bytes) -> Reply:
    """Raises ValueError when it is no reply to the message, or not sound."""
    try:
        return _parse(message, reply)
    except (IndexError, struct.error) as error:
        raise ValueError(f"a reply that cannot be read ({error}): {reply.hex()}") from error


def _parse(message: bytes, reply: bytes) -> Reply:
    end = message.index(b"\0", 12) + 5
    flags, *counts = struct.unpack_from("!5H", reply, 2)
    if reply[:2] != message[:2] or not flags & 0x8000 or reply[12:end] != message[12:end]:
        raise ValueError(f"not a reply to the question: {reply.hex()}")
    records, addresses, serial, scope = [], [], None, None
    for section, count in enumerate(counts[1:], 1):
        for _ in range(count):
            owner = _skip(reply, end)
            kind, _, ttl, length = struct.unpack_from("!HHIH", reply, owner)
            data, end = owner + 10, owner + 10 + length
            if kind == OPT:
                scope = _scope(reply[data:end])
                continue
            records.append((section, kind, ttl))
            if kind == A and section == 1:
                addresses.append(socket.inet_ntoa(reply[data:end]))
            if kind == SOA:
                serial, = struct.unpack_from("!I", reply, _skip(reply, _skip(reply, data)))
    if end != len(reply):
        raise ValueError(f"octets behind the records: {reply.hex()}")
    shape = Shape(RCODES.get(flags & 15, str(flags & 15)), bool(flags & 0x400),
                  bool(flags & 0x200), tuple(counts), tuple(records), len(reply))
    return Reply(shape, tuple(addresses), serial, scope)


def _skip(reply: bytes, at: int) -> int:
    """Where a name that begins there ends."""
    while reply[at]:
        if reply[at] >= 0xC0:
            return at + 2
        at += reply[at] + 1
    return at + 1


def _scope(options: bytes) -> int | None:
    while options:
        code, length = struct.unpack_from("!HH", options)
        if code == CLIENT_SUBNET:
            return options[7]
        options = options[4 + length:]
    return None


def ask(server: tuple, message: bytes, timeout: float = 2, tcp: bool = False) -> Reply:
    """Asks, and reads the reply."""
    kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
    with socket.socket(type=kind) as client:
        client.settimeout(timeout)
        client.connect(server)
        if not tcp:
            client.send(message)
            return parse(message, client.recv(4096))
        client.sendall(struct.pack("!H", len(message)) + message)
        with client.makefile("rb") as stream:
            length, = struct.unpack("!H", stream.read(2))
            return parse(message, stream.read(length))
