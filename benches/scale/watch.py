"""Watching a server's processes: what they hold, what they use, and whether they answer."""

import os
import socket
import struct
import threading
import time
from pathlib import Path

from measure import family

SAMPLE_SECS = 0.02


class Failed(Exception):
    """A server did not do what it must."""


class TooSlow(Failed):
    """Not in the time that it had."""


def field_kib(path: str, name: str) -> int:
    try:
        for line in Path(path).read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1])
    except OSError:  # it has just ended
        pass
    return 0


def held_mib(pid: int) -> float:
    """What a server holds now; what its processes share is counted once."""
    return sum(field_kib(f"/proc/{p}/smaps_rollup", "Pss:") for p in family(pid)) / 1024


def cpu_ns(pid: int) -> int:
    """The time on a core of all threads of all processes."""
    total = 0
    for process in family(pid):
        for thread in Path(f"/proc/{process}/task").iterdir():
            try:
                total += int((thread / "schedstat").read_text().split()[0])
            except OSError:
                continue
    return total


class Peak:
    """The most that a server holds while this is open.

    Of a lone process the kernel keeps that itself; of several the sum is sampled, which may miss a
    short peak.
    """

    def __init__(self, pid: int):
        self.pid, self.sampled, self.alone, self.mib = pid, 0.0, True, 0.0
        self.stop = threading.Event()

    def __enter__(self) -> "Peak":
        try:
            Path(f"/proc/{self.pid}/clear_refs").write_text("5")  # what was the most before
        except OSError:
            pass
        self.thread = threading.Thread(target=self.sample)
        self.thread.start()
        return self

    def sample(self):
        while not self.stop.wait(SAMPLE_SECS):
            if len(family(self.pid)) > 1:
                self.alone = False
                self.sampled = max(self.sampled, held_mib(self.pid))

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        most = field_kib(f"/proc/{self.pid}/status", "VmHWM:") / 1024
        self.mib = most if self.alone else self.sampled


def ask(port: int, name: str, timeout: float = 0.2):
    """Asks for A; returns the address of the only answer, or None."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    question = labels + b"\0\0\1\0\1"
    ident = os.urandom(2)
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(timeout)
        client.connect(("127.0.0.1", port))
        try:
            client.send(ident + struct.pack("!5H", 0, 1, 0, 0, 0) + question)
            reply = client.recv(4096)
        except OSError:
            return None
    answer = reply[12 + len(question):]
    if reply[:2] != ident or struct.unpack_from("!H", reply, 6)[0] < 1 or len(answer) < 16:
        return None
    return socket.inet_ntoa(answer[12:16])


def until(is_so, process, secs: float) -> float:
    """Waits until something is so; returns the seconds that took."""
    start = time.monotonic()
    command = " ".join(map(str, process.args))
    while not is_so():
        if process.poll() is not None:
            raise Failed(f"{command}: ended")
        if time.monotonic() - start > secs:
            raise TooSlow(f"{command}: not within {secs:.0f} s")
        time.sleep(0.002)
    return time.monotonic() - start
