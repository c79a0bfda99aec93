"""What goes on beside the answers: targets, and those who scrape and replace files.

Each is a process of its own, on the core of all else. What is to disturb comes before the server's
own work, and behind the generator.
"""

import multiprocessing
import os
import shutil
import signal
import socket
import time
import urllib.request
from pathlib import Path

HEALTHY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
# What the server logs of databases that are in force.
SWAPPED = "which was replaced"
BROKEN = HEALTHY.replace(b"200 OK", b"503 No")


class Process:
    """Runs a function beside, over and over; `on` says whether it shall disturb."""

    def __init__(self, function, *args, core: int):
        self.on = multiprocessing.Event()
        self.done = multiprocessing.Value("q", 0)

        def run():
            # What the script does at its end is not for its children.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.sched_setaffinity(0, {core})
            try:
                function(self, *args)
            except KeyboardInterrupt:
                pass

        self.process = multiprocessing.Process(target=run, daemon=True)
        self.process.start()

    def count(self):
        with self.done.get_lock():
            self.done.value += 1

    def stop(self):
        self.process.terminate()
        self.process.join()


def flipping(beside: Process, listener: socket.socket):
    """An HTTP target that, when on, is well in every second answer: each probe is a flip."""
    number = 0
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(1)
            try:
                connection.recv(4096)
                number += beside.on.is_set()
                connection.sendall(BROKEN if number % 2 else HEALTHY)
            except OSError:
                pass  # the next probe will tell


def accepting(_: Process, listener: socket.socket):
    """A TCP target."""
    while True:
        connection, _ = listener.accept()
        connection.close()


def scraping(beside: Process, url: str):
    """Scrapes one after the other while it is on."""
    while True:
        beside.on.wait()
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                answer.read()
            beside.count()
        except OSError:
            time.sleep(0.1)  # it does not serve yet


def swapping(beside: Process, sources: list, targets: list, log: Path):
    """Replaces the databases by copies of themselves, again when they are in force, while it is on."""
    while True:
        beside.on.wait()
        for source, target in zip(sources, targets):
            copy = Path(f"{target}.new")
            shutil.copyfile(source, copy)
            copy.rename(target)
        beside.count()
        # A file that changes while it is read is read again: that would never end.
        while log.read_text(errors="replace").count(SWAPPED) < beside.done.value:
            time.sleep(0.1)
