"""Measuring: one query of our own, the load of dnsperf, and what a process has used."""

import os
import re
import socket
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Of the kernel's accounting of user time (/proc/PID/stat), in seconds.
TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Shape:
    """What must be alike in answers that are compared."""

    rcode: int
    aa: bool
    tc: bool
    counts: tuple  # QUERY, ANSWER, AUTHORITY, ADDITIONAL
    size: int


def ask(address: str, port: int, name: str, timeout: float):
    """Asks for A; returns the answer's shape, TTL and address (None when there is none)."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    question = labels + b"\0\0\1\0\1"
    ident = int.from_bytes(os.urandom(2), "big")
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(timeout)
        client.connect((address, port))
        client.send(struct.pack("!6H", ident, 0, 1, 0, 0, 0) + question)
        reply = client.recv(4096)
    got, flags, *counts = struct.unpack_from("!6H", reply)
    if got != ident or not flags & 0x8000 or reply[12:12 + len(question)] != question:
        raise ValueError(f"not an answer to the question: {reply.hex()}")
    shape = Shape(flags & 15, bool(flags & 0x400), bool(flags & 0x200), tuple(counts), len(reply))
    # The owner is a pointer, so the TTL is 6 octets behind the question and the address 12.
    record = reply[12 + len(question):]
    if counts[1] != 1 or len(record) < 16:
        return shape, None, None
    ttl, = struct.unpack_from("!I", record, 6)
    return shape, ttl, socket.inet_ntoa(record[12:16])


@dataclass(frozen=True)
class Used:
    """What a process has used up to a moment; all threads together."""

    cpu_ns: dict  # thread → time on a core
    wait_ns: dict  # thread → time ready to run, but without a core
    user_secs: float

    @classmethod
    def of(cls, pid: int) -> "Used":
        cpu, wait = {}, {}
        for thread in Path(f"/proc/{pid}/task").iterdir():
            try:
                fields = (thread / "schedstat").read_text().split()
            except OSError:  # it has just ended
                continue
            cpu[thread.name], wait[thread.name] = int(fields[0]), int(fields[1])
        # The name may hold spaces, so count from its closing bracket; utime is field 14.
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return cls(cpu, wait, int(stat[11]) * TICK)

    def since(self, before: "Used") -> tuple:
        """CPU ns, waiting ns, user seconds since an earlier moment."""
        def grown(now, then):
            return sum(ns - then.get(thread, 0) for thread, ns in now.items())
        return (grown(self.cpu_ns, before.cpu_ns), grown(self.wait_ns, before.wait_ns),
                self.user_secs - before.user_secs)


@dataclass(frozen=True)
class Load:
    """What dnsperf saw."""

    sent: int
    completed: int
    noerror: int
    secs: float


def dnsperf(address: str, port: int, questions: Path, limit: list) -> Load:
    """Runs dnsperf on the core that this script is pinned to."""
    command = ["dnsperf", "-s", address, "-p", str(port), "-d", questions, *limit]
    run = subprocess.run(command, check=True, capture_output=True, text=True)

    def figure(pattern, otherwise=None):
        found = re.search(pattern, run.stdout)
        if not found and otherwise is None:
            raise ValueError(f"dnsperf printed no {pattern!r}:\n{run.stdout}{run.stderr}")
        return float(found[1]) if found else otherwise

    return Load(int(figure(r"Queries sent:\s+(\d+)")), int(figure(r"Queries completed:\s+(\d+)")),
                int(figure(r"NOERROR (\d+)", 0)), figure(r"Run time \(s\):\s+([\d.]+)"))
