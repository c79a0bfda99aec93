#!/usr/bin/env python3
"""How much of what goes on beside the answers their askers notice.

A nameserver with one answering thread, alone on a core; all its other threads, at a lower priority,
share the other core with the load generator, the targets and this script. At half of the rate
that it can answer, by the clock, rounds in which something else goes on take turns with quiet ones:

flips      a region's health changes ten times a second, and 100,000 records are compiled anew
probes     1,000 targets are probed every second
scrapes    /metrics is read without a pause
swaps      the databases of DB-IP city (130 MB) are replaced, and so read and compiled anew
all        all of these

The figure that counts is the ratio of p99 to that of the quiet rounds beside it.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benches" / "versus"))

from disturb import SWAPPED, Process, accepting, flipping, scraping, swapping  # noqa: E402
from nameserver import FLIPPING, RECORDS, TARGETS, URGENT, ZONE, Site  # noqa: E402
from validate import build, free_port  # noqa: E402

DATABASES = [ROOT / f"target/databases/dbip-city-{family}.mmdb" for family in ("ipv4", "ipv6")]
# What goes on: which processes are on, whether a thousand targets are probed, how many times as
# long as others it takes to see it.
ROUNDS = {
    "flips": (("flips",), False, 1),
    "scrapes": (("scrapes",), False, 1),
    "swaps": (("swaps",), False, 3),
    "probes": ((), True, 1),
    "all": (("flips", "scrapes", "swaps"), True, 3),
}
PERCENTILES = ("p50", "p99", "p999")


def urgent(busy: bool):
    """For the generator: it comes before all else on its core, or its delays would be measured."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, URGENT)
        if busy:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        pass  # it is still before those with a nice value


class Bench:
    """The server, what disturbs it, and the generator."""

    def __init__(self, given, home: Path, cores: tuple):
        self.given, self.core = given, cores[1]
        self.generator = given.generator or build()
        flips = socket.create_server((FLIPPING, 0))
        # On all addresses of this machine.
        targets = socket.create_server(("", 0), backlog=1024)
        ports = {"dns": free_port(), "admin": free_port(), "flip": flips.getsockname()[1],
                 "probe": targets.getsockname()[1]}
        copies = [home / path.name for path in DATABASES]
        for path, copy in zip(DATABASES, copies):
            shutil.copyfile(path, copy)

        def beside(function, *args):
            return Process(function, *args, core=self.core)

        url = f"http://127.0.0.1:{ports['admin']}/metrics"
        self.beside = {
            "flips": beside(flipping, flips),
            "targets": beside(accepting, targets),
            "scrapes": beside(scraping, url),
            "swaps": beside(swapping, DATABASES, copies, home / "log"),
        }
        self.site = Site(given.trimtab.resolve(), home, ports, copies, cores,
                         given.busy)
        self.questions = home / "questions"
        self.questions.write_text("".join(f"r{n}.{ZONE} A\n" for n in range(RECORDS - TARGETS)))

    def load(self, *how: str) -> dict:
        command = [self.generator, "--server", f"127.0.0.1:{self.site.ports['dns']}",
                   "--questions", self.questions, "--order", "zipf:1", "--ecs", "random24",
                   "--expect", "NOERROR", "--expect-answers", "1..1", "--json", *how]

        def begin():
            os.sched_setaffinity(0, {self.core})
            urgent(self.given.busy)

        ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                             preexec_fn=begin)
        return json.loads(ran.stdout)

    def measure(self, rate: float, on: tuple, seconds: int) -> dict:
        """One round at this rate."""
        before = self.site.counts() | {"scrapes": self.beside["scrapes"].done.value}
        for name in on:
            self.beside[name].on.set()
        if "swaps" in on:
            self.site.wait_for("the databases to be read", self.site.is_reading)
        seen = self.load("--open", f"{rate:.0f}", "--seconds", str(seconds))
        for name in on:
            self.beside[name].on.clear()
        if "swaps" in on:
            # The next round is to be a quiet one.
            swapped = self.beside["swaps"].done.value
            self.site.wait_for("the databases to be in force",
                               lambda: self.site.log().count(SWAPPED) == swapped)
        after = self.site.counts() | {"scrapes": self.beside["scrapes"].done.value}
        return seen | {"done": {key: after[key] - before[key] for key in before}}

    def close(self):
        self.site.stop()
        for process in self.beside.values():
            process.stop()


def measure_all(bench: Bench, rate: float) -> list:
    """All rounds: a list of what went on, what was seen, and what quiet ones beside it saw."""
    results, probing = [], False
    for number in range(bench.given.rounds):
        for name, (on, probes, times) in ROUNDS.items():
            quiet = [bench.measure(rate, (), bench.given.seconds)] if not probes else []
            if probes != probing:
                bench.site.reload(probing := probes)
            seen = bench.measure(rate, on, bench.given.seconds * times)
            if not quiet:
                # Without the probes there would be a reload in between: the last quiet round.
                quiet = [results[-1][2]]
            results.append((name, seen, quiet[0]))
        bench.site.reload(probing := False)
        print(f"Round {number + 1} of {bench.given.rounds} done", file=sys.stderr)
    return results


def table(results: list) -> str:
    """A line for each thing that went on; medians over the rounds, and of ratios within them."""
    lines = [("beside", *(f"{name} µs" for name in PERCENTILES), "p99 x quiet", "least..most",
              "p999 x quiet", "lost", "of", "late µs", "what went on")]

    def line(name: str, seen: list, quiet: list):
        def ratios(percentile):
            return [one["latency_us"][percentile] / other["latency_us"][percentile]
                    for one, other in zip(seen, quiet)]
        done = {key: sum(one["done"][key] for one in seen) for key in seen[0]["done"]}
        p99 = ratios("p99")
        lines.append((
            name, *(f"{statistics.median(one['latency_us'][p] for one in seen):.0f}"
                    for p in PERCENTILES),
            f"{statistics.median(p99):.2f}", f"{min(p99):.2f}..{max(p99):.2f}",
            f"{statistics.median(ratios('p999')):.2f}",
            str(sum(one["lost"] + one["wrong"] for one in seen)),
            str(sum(one["sent"] for one in seen)),
            f"{statistics.median(one['behind_us'] for one in seen):.0f}",
            ", ".join(f"{count} {key}" for key, count in done.items() if count)))

    quiet = [other for name, _, other in results if not ROUNDS[name][1]]
    line("nothing", quiet, quiet)
    for name in ROUNDS:
        of = [(seen, other) for this, seen, other in results if this == name]
        line(name, *map(list, zip(*of)))
    widths = [max(map(len, column)) for column in zip(*lines)]
    rows = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
            for line in lines]
    rows.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(rows)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--seconds", type=int, default=3, metavar="S",
                        help="of each measurement; swaps take three times as long")
    parser.add_argument("--rate", type=float, metavar="Q",
                        help="queries a second (default: half of what the server can do)")
    parser.add_argument("--trimtab", type=Path, default=ROOT / "target/release/trimtab",
                        metavar="PATH", help="the binary (default: this project's release build)")
    parser.add_argument("--busy", action="store_true",
                        help="put answers and load before other programs of this machine, by "
                             "real-time priority; the kernel may still take 50 ms of a second")
    parser.add_argument("--generator", type=Path, metavar="PATH",
                        help="the load generator (default: it is built)")
    return parser.parse_args()


def main():
    given = arguments()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("Two cores are needed: one for the answers, one for all else.")
    if missing := [path for path in DATABASES if not path.is_file()]:
        sys.exit(f"Missing: {missing[0]}. Run: tests/fetch_databases.sh")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended by a signal."))
    os.sched_setaffinity(0, {cores[1]})
    with tempfile.TemporaryDirectory(prefix="calm-") as home, \
            contextlib.closing(Bench(given, Path(home), cores[:2])) as bench:
        most = bench.load("--closed", "200", "--seconds", "2")["rate"]
        rate = given.rate or most / 2
        print(f"{most:.0f} answers a second at most; the rounds ask {rate:.0f} a second",
              flush=True)
        results = measure_all(bench, rate)
    print(table(results))
    print("late: how late the generator itself was at worst; it is in the latency.")


if __name__ == "__main__":
    main()
