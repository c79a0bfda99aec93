#!/usr/bin/env python3
"""A million static names and 100,000 dynamic records: load time, memory, reload, lookup; see README.md."""

import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The comparison of nameservers has parts that serve here too.
sys.path.append(str(ROOT / "benches" / "versus"))

import worlds  # noqa: E402
from servers import Gdnsd, Knot, Nsd, Trimtab  # noqa: E402
from targets import free_port  # noqa: E402
from watch import Failed, Peak, TooSlow, ask, cpu_ns, held_mib, until  # noqa: E402

WAIT_SECS = 60
# What a reload has replaced is freed within a second, and given back to the system three seconds later.
CALM_SECS = 5
QUESTIONS = 200_000


@contextlib.contextmanager
def running(command: list, core: int, home: Path):
    """A server on one core; taskset becomes it, so that the process id stays."""
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(["taskset", "-c", str(core), *command], stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Loaded:
    """What it took a server to answer the last of its names, and what it then holds."""

    def __init__(self, process, port: int, name: str):
        with Peak(process.pid) as peak:
            self.secs = until(lambda: ask(port, name), process, WAIT_SECS)
        self.cpu = cpu_ns(process.pid) / 1e9
        self.held, self.most = held_mib(process.pid), peak.mib

    def cells(self) -> list:
        return [self.secs, self.cpu, self.held, self.most]


class Reloaded:
    """The same of a reload, after which its last name has another address."""

    def __init__(self, server, process, port: int):
        with Peak(process.pid) as peak:
            server.reload(process)
            def is_new():
                return ask(port, worlds.LAST) == worlds.SECOND
            self.secs = until(is_new, process, WAIT_SECS)
        self.most = peak.mib
        time.sleep(CALM_SECS)
        self.held = held_mib(process.pid)

    def cells(self) -> list:
        return [self.secs, self.most, self.held]


class Table:
    """Columns of text, the first to the left and the others to the right."""

    def __init__(self, *titles):
        self.rows = [titles]

    def add(self, *cells):
        self.rows.append([f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in cells])
        print(f"  {' '.join(map(str, self.rows[-1]))}", file=sys.stderr)

    def __str__(self) -> str:
        widths = [max(len(row[at]) for row in self.rows) for at in range(len(self.rows[0]))]
        lines = []
        for row in self.rows:
            rest = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))
            lines.append("  ".join([row[0].ljust(widths[0]), *rest]))
        return "\n".join(lines)


def lookup_ns(process, port: int, home: Path, names: int, secs: int, core: int) -> float:
    """CPU of the server for one query, the names being in no order."""
    worlds.write_questions(home / "questions", names, QUESTIONS)
    command = ["taskset", "-c", str(core), "dnsperf", "-s", "127.0.0.1", "-p", str(port),
               "-d", home / "questions", "-l", str(secs)]
    before = cpu_ns(process.pid)
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    used = cpu_ns(process.pid) - before
    good = re.search(r"NOERROR (\d+)", run.stdout)
    return used / int(good[1])


def static(server, kind: str, given, table: Table):
    """Start, reload of what is the same and of what is not, lookup."""
    with tempfile.TemporaryDirectory(prefix="scale-") as name:
        home, port = Path(name), free_port()
        home.chmod(0o755)
        worlds.write_zone(home / "zone", kind, given.names, 1, worlds.FIRST)
        with running(server.static(home, port), given.cores[0], home) as process:
            cells = Loaded(process, port, worlds.LAST).cells()
            ns = "-"
            if kind == "an A record each" and shutil.which("dnsperf"):
                ns = round(lookup_ns(process, port, home, given.names, given.seconds, given.cores[1]))
            worlds.write_zone(home / "zone", kind, given.names, 2, worlds.SECOND)
            cells += Reloaded(server, process, port).cells()
        table.add(f"{server.name}, {kind}", *cells, ns)


def dynamic(server, kind: str, given, table: Table):
    """Start with dynamic records, and for Trimtab a reload of them."""
    with tempfile.TemporaryDirectory(prefix="scale-") as name:
        home, port = Path(name), free_port()
        command = server.dynamic(home, port, kind, given.records)
        last = f"r{given.records - 1}.{worlds.ZONE}"
        with running(command, given.cores[0], home) as process:
            try:
                cells = Loaded(process, port, last).cells()
            except TooSlow:
                return table.add(f"{server.name}, {kind}", f"over {WAIT_SECS}", *["-"] * 6)
            # What has to be told apart by asking is in the zone's file; all else is read again, too.
            if isinstance(server, Trimtab):
                worlds.write_zone(home / "zone", "an A record each", 0, 2, worlds.SECOND)
                cells += Reloaded(server, process, port).cells()
            else:
                cells += ["-"] * 3
        table.add(f"{server.name}, {kind}", *cells)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, default=1_000_000)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=5, help="of queries a server")
    parser.add_argument("--only", choices=["static", "dynamic"])
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/trimtab")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    given.cores = cores[-1], cores[0]
    if not given.binary.exists():
        parser.error(f"{given.binary} is not there: cargo build --release")
    return given


def there(servers: list) -> list:
    for server in servers:
        if not server.binary.exists():
            print(f"{server.name} is not installed, and left out", file=sys.stderr)
    return [server for server in servers if server.binary.exists()]


def main():
    given = arguments()
    titles = "start s", "CPU s", "MiB", "at most", "reload s", "at most", "then MiB"
    tables = []
    if given.only != "dynamic":
        table = Table(f"{given.names:,} names", *titles, "CPU ns a query")
        for kind in worlds.ZONES:
            for server in there([Trimtab(given.binary), Nsd(), Knot()]):
                static(server, kind, given, table)
        tables.append(table)
    if given.only != "static":
        table = Table(f"{given.records:,} dynamic records", *titles)
        for kind in worlds.DYNAMIC:
            for server in there([Trimtab(given.binary), Gdnsd()]):
                dynamic(server, kind, given, table)
        tables.append(table)
    print("", *tables, sep="\n\n")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
    except (OSError, Failed, subprocess.CalledProcessError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
