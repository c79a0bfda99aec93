"""The nameserver whose calm is tried: its configuration, and what its process is told to do."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from disturb import SWAPPED

RECORDS = 100_000
# Records of the last thousand names each have a region of their own, with a target each.
TARGETS = 1000
POLICIES = 10
ZONE = "calm.test"
# Where a target of each of these listens: see disturb.py.
FLIPPING, PROBED = "127.0.3.1", "127.9.{}.{}"
READY_SECS = 180
# All threads but the one that answers.
NICE = 10
# The generator.
URGENT = -20


def policies() -> str:
    """Ten trees that ask where a client is; each has the region whose health flips."""
    text = ""
    for n in range(POLICIES):
        text += f"""\
[policies.mix{n}]
type = "weighted"
weights = {{ r0 = 70, r{n % 9 + 1} = 30 }}
[policies.tree{n}]
type = "geolocation"
default = "mix{n}"
rules = [
  {{ continent = "EU", to = "r{(n + 1) % 9 + 1}" }},
  {{ country = ["US", "CA"], to = "r{(n + 2) % 9 + 1}" }},
  {{ country = ["JP", "CN", "IN"], to = "mix{(n + 3) % POLICIES}" }},
]
"""
    return text


def regions(flip_port: int, probe_port: int, probing: bool) -> str:
    text = f"""\
[checks.flip]
type = "http"
port = {flip_port}
path = "/"
interval = "100ms"
timeout = "90ms"
fall = 1
rise = 1
[checks.many]
type = "tcp"
port = {probe_port}
interval = "{"1s" if probing else "1h"}"
timeout = "500ms"
[regions.r0]
addresses = ["{FLIPPING}"]
check = "flip"
"""
    for n in range(1, 10):
        text += f'[regions.r{n}]\naddresses = ["192.0.2.{n}"]\n'
    for n in range(TARGETS):
        address = PROBED.format(n // 250, n % 250 + 1)
        text += f'[regions.p{n}]\naddresses = ["{address}"]\ncheck = "many"\n'
    return text


def records() -> str:
    def policy(n: int) -> str:
        return f"p{RECORDS - 1 - n}" if n >= RECORDS - TARGETS else f"tree{n % POLICIES}"
    return "".join(f'[[records]]\nname = "r{n}.{ZONE}"\npolicy = "{policy(n)}"\n'
                   for n in range(RECORDS))


class Site:
    """A running nameserver: the thread that answers alone on a core, all else on the other."""

    def __init__(self, binary: Path, home: Path, ports: dict, databases: list, cores: tuple,
                 busy: bool):
        self.home, self.ports, self.databases = home, ports, databases
        self.reloads = 0
        self.configure(probing=False)
        self.path = home / "log"
        log = self.path.open("wb")

        def step_back():
            os.sched_setaffinity(0, {cores[1]})
            os.setpriority(os.PRIO_PROCESS, 0, NICE)

        self.process = subprocess.Popen([binary, "serve", "--config", home / "trimtab.toml"],
                                        stderr=log, preexec_fn=step_back)
        self.wait_for("it to answer", lambda: self.log().count("answering on") > 0)
        answering = [int(task.name) for task in self.tasks() if self.name(task) == "udp-0"]
        for thread in answering:
            os.sched_setaffinity(thread, {cores[0]})
            os.setpriority(os.PRIO_PROCESS, thread, 0)
            if busy:
                os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(1))

    def configure(self, probing: bool):
        ports = self.ports
        (self.home / "trimtab.toml").write_text(f"""\
version = 1
[server]
listen = ["127.0.0.1:{ports["dns"]}"]
workers = 1
[server.rate_limit]
enabled = false
[admin]
listen = "127.0.0.1:{ports["admin"]}"
[state]
dir = "{self.home}/state"
[probe]
concurrency = 1100
[geo]
databases = {[str(path) for path in self.databases]}
[zones."{ZONE}"]
nameservers = {{ "ns1.{ZONE}" = ["127.0.0.1"] }}
""" + regions(ports["flip"], ports["probe"], probing) + policies() + records())

    def tasks(self):
        return Path(f"/proc/{self.process.pid}/task").iterdir()

    @staticmethod
    def name(task: Path) -> str:
        try:
            return (task / "comm").read_text().strip()
        except OSError:  # it has just ended
            return ""

    def log(self) -> str:
        return self.path.read_text(errors="replace")

    def wait_for(self, what: str, is_so):
        end = time.monotonic() + READY_SECS
        while not is_so():
            if self.process.poll() is not None or time.monotonic() > end:
                sys.exit(f"waited for {what} in vain:\n{self.log()[-3000:]}")
            time.sleep(0.1)

    def reload(self, probing: bool):
        """Begins or ends the thousand probes a second."""
        self.configure(probing)
        self.reloads += 1
        self.process.send_signal(signal.SIGHUP)
        self.wait_for("a reload", lambda: self.log().count("reloaded ") == self.reloads)

    def is_reading(self) -> bool:
        """Whether it reads files, which a thread of that name does."""
        return any(self.name(task) == "background" for task in self.tasks())

    def scrape(self) -> str:
        address = f"http://127.0.0.1:{self.ports['admin']}/metrics"
        with urllib.request.urlopen(address, timeout=30) as answer:
            return answer.read().decode()

    def counts(self) -> dict:
        """What has happened so far, by the server's own account."""
        text = self.scrape()

        def total(series: str) -> int:
            found = re.findall(rf"^{series}(?:{{.*}})? (\S+)$", text, re.M)
            return int(sum(map(float, found)))

        return {"snapshots": total("trimtab_table_generation"),
                "probes": total("trimtab_check_results_total"),
                "swaps": self.log().count(SWAPPED)}

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
