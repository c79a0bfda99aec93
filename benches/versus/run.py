#!/usr/bin/env python3
"""Trimtab side by side with its peers: CPU of the server for one answered query.

Each server runs alone, pinned to one core; the load (dnsperf), the HTTP targets of the health
checks and this script share another. Rounds are interleaved. First of all the answers that are
compared are checked to be equivalent, and the weighted ones to follow weights and health.

The figure that counts is CPU nanoseconds a query: what all threads of the server have spent on a
core by the kernel's own accounting (/proc/PID/task/*/schedstat), divided by the answers. Queries
a second tell little here, for the generator is the limit.
"""

import argparse
import contextlib
import csv
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import measure
from servers import (ADDRESS, FALL, INTERVAL_SECS, REGIONS, TTL, WORKLOADS, Floor, Gdnsd, Trimtab,
                     TrimtabLimits)
from targets import Targets

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "target" / "versus"
WARM_UP = ["-n", "20000"]  # queries
READY_SECS = 15
DRAWS = 2000
# Of a server's time: above this, something else was running on its core.
WAIT_MAX = 0.01


@dataclass(frozen=True)
class Round:
    """One measurement; a row of the CSV file."""

    round: int
    server: str
    workload: str
    cpu_ns: float
    user_secs: float
    answers: int
    lost: int
    queries_per_sec: float
    busy: float
    wait: float


class Running:
    """A server, alone, on its core, answering one workload."""

    def __init__(self, server, workload: str, core: int, targets: Targets):
        self.server, self.workload, self.targets = server, workload, targets
        self.home = Path(tempfile.mkdtemp(prefix="versus-"))
        self.port = targets.free_port()
        probes = dict(targets.probes)
        # taskset becomes the server: the process id stays.
        command = ["taskset", "-c", str(core),
                   *server.prepare(workload, self.home, self.port, targets)]
        self.log = self.home / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            self.wait_for("an answer", READY_SECS, self.answers)
            if workload == "weighted":
                self.wait_for("a probe of each region", READY_SECS, lambda: all(
                    n > probes[address] for address, n in targets.probes.items()))
        except BaseException:
            self.stop()
            raise

    def wait_for(self, what: str, secs: float, is_so):
        end = time.monotonic() + secs
        while not is_so():
            if self.process.poll() is not None or time.monotonic() > end:
                said = self.log.read_text(errors="replace")[-2000:]
                sys.exit(f"{self.server.name}, {self.workload}: no {what} in {secs:.0f} s\n{said}")
            time.sleep(0.02)

    def ask(self, timeout: float = 5):
        return measure.ask(ADDRESS, self.port, WORKLOADS[self.workload], timeout)

    def answers(self) -> bool:
        try:
            return self.ask(timeout=0.2)[2] is not None
        except (OSError, ValueError):
            return False

    def load(self, limit: list) -> measure.Load:
        questions = self.home / "questions"
        questions.write_text(f"{WORKLOADS[self.workload]} A\n")
        return measure.dnsperf(ADDRESS, self.port, questions, limit)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


@contextlib.contextmanager
def started(server, workload: str, core: int, targets: Targets):
    """A running server, which is ended behind the block."""
    running = Running(server, workload, core, targets)
    try:
        yield running
    except TimeoutError:
        sys.exit(f"{server.name}, {workload}: a query got no answer")
    finally:
        running.stop()


def check_draws(running: Running):
    """The weighted answers follow the weights, and leave a region whose checks fail."""
    def drawn(n):
        return [running.ask()[2] for _ in range(n)]

    total = sum(REGIONS.values())
    seen = drawn(DRAWS)
    for address, weight in REGIONS.items():
        share, wanted = seen.count(address) / DRAWS, weight / total
        # Four standard deviations.
        if abs(share - wanted) > 4 * (wanted * (1 - wanted) / DRAWS) ** 0.5:
            sys.exit(f"{running.server.name}: {address} is drawn {share:.3f}, not {wanted:.3f}")
    broken = next(iter(REGIONS))
    running.targets.broken.add(broken)
    try:
        running.wait_for(f"answers without the broken {broken}", INTERVAL_SECS * (FALL + 2) + 5,
                         lambda: broken not in drawn(50))
    finally:
        running.targets.broken.clear()


def check_equivalence(subjects, core: int, targets: Targets):
    """Every answer has the shape and TTL of the floor's, which is the first."""
    expected = None
    for server, workload in subjects:
        with started(server, workload, core, targets) as running:
            shape, ttl, address = running.ask()
            expected = expected or (shape, TTL)
            if (shape, ttl) != expected or address not in REGIONS:
                sys.exit(f"{server.name}, {workload}: the answer is {shape}, TTL {ttl}, {address}; "
                         f"wanted {expected[0]}, TTL {expected[1]}, one of {list(REGIONS)}")
            if workload == "weighted":
                check_draws(running)
    shape = expected[0]
    print(f"Answers are equivalent: rcode {shape.rcode}, AA, {shape.counts[1]} record, "
          f"{shape.size} octets, TTL {TTL}; the weighted ones follow weights and health.", flush=True)


def measure_round(number: int, running: Running, secs: int) -> Round:
    """What `secs` seconds of load cost a server that is warm."""
    running.load(WARM_UP)
    pid = running.process.pid
    before, started = measure.Used.of(pid), time.monotonic()
    load = running.load(["-l", str(secs)])
    cpu_ns, wait_ns, user_secs = measure.Used.of(pid).since(before)
    wall_ns = (time.monotonic() - started) * 1e9
    if load.noerror != load.completed or not load.completed:
        sys.exit(f"{running.server.name}: {load.completed} answers, {load.noerror} NOERROR")
    return Round(
        round=number, server=running.server.name, workload=running.workload,
        cpu_ns=round(cpu_ns / load.completed, 1), user_secs=round(user_secs, 2),
        answers=load.completed, lost=load.sent - load.completed,
        queries_per_sec=round(load.completed / load.secs),
        busy=round(cpu_ns / wall_ns, 3), wait=round(wait_ns / wall_ns, 4))


def table(rounds: list) -> str:
    """Medians over the rounds; ratios are medians of those within a round."""
    floor = {r.round: r.cpu_ns for r in rounds if r.server == Floor.name}
    lines = [("server", "workload", "CPU ns a query", "min..max", "x floor", "user ns", "queries/s",
              "busy", "lost")]
    for key in dict.fromkeys((r.server, r.workload) for r in rounds):
        of = [r for r in rounds if (r.server, r.workload) == key]
        cpu = [r.cpu_ns for r in of]
        # User time comes in ticks, so only all rounds together resolve it.
        user_ns = sum(r.user_secs for r in of) * 1e9 / sum(r.answers for r in of)
        tick_ns = measure.TICK * 1e9 / sum(r.answers for r in of)
        resolution = (max(user_ns, tick_ns) * tick_ns) ** 0.5
        lines.append((
            *key, f"{statistics.median(cpu):.0f}", f"{min(cpu):.0f}..{max(cpu):.0f}",
            f"{statistics.median(r.cpu_ns / floor[r.round] for r in of):.3f}",
            f"{user_ns:.0f} ± {resolution:.0f}",
            f"{statistics.median(r.queries_per_sec for r in of):.0f}",
            f"{statistics.median(r.busy for r in of):.0%}", str(sum(r.lost for r in of))))
    widths = [max(map(len, column)) for column in zip(*lines)]
    rows = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
            for line in lines]
    rows.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(rows)


def remarks(rounds: list) -> list:
    """What the table comes to, and how far it is to be trusted."""
    said = []
    by = {(r.server, r.workload, r.round): r.cpu_ns for r in rounds}
    def compare(one: str, other: str, workload: str) -> str:
        ratios = [ns / by[other, workload, number] for (server, load, number), ns in by.items()
                  if (server, load) == (one, workload)]
        return (f"{one}'s {workload} answers cost {statistics.median(ratios):.3f} x {other}'s "
                f"({min(ratios):.3f}..{max(ratios):.3f}).")
    for workload in Trimtab.workloads:
        said.append(compare(Trimtab.name, Gdnsd.name, workload))
        said.append(compare(TrimtabLimits.name, Trimtab.name, workload))
    if disturbed := [r.wait for r in rounds if r.wait > WAIT_MAX]:
        said.append(f"Not a quiet machine: in {len(disturbed)} of {len(rounds)} measurements the "
                    f"server waited for its core, up to {max(disturbed):.0%} of the time. "
                    f"Take the figures for a smoke test.")
    if len({r.round for r in rounds}) < 5:
        said.append("Fewer than 5 rounds: take the figures for a smoke test.")
    return said


def install(packages: list):
    """Installs Debian packages."""
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run([*sudo, "apt-get", "install", "-y", "--no-install-recommends", *packages],
                   check=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="5 or more to publish")
    parser.add_argument("--seconds", type=int, default=10, metavar="S", help="of load in a round")
    parser.add_argument("--trimtab", type=Path, default=ROOT / "target/release/trimtab",
                        metavar="PATH", help="the binary (default: this project's release build)")
    parser.add_argument("--csv", type=Path, default=BUILD / "versus.csv", metavar="PATH",
                        help="where every round is written to (default: target/versus/versus.csv)")
    parser.add_argument("--install", action="store_true", help="install missing Debian packages")
    given = parser.parse_args()
    if given.rounds < 1 or given.seconds < 1:
        parser.error("--rounds and --seconds are 1 or more")
    return given


def requirements(given):
    """Everything that is needed is there, or the script ends and says what is missing."""
    programs = {"gdnsd": Gdnsd.binary, "dnsperf": "dnsperf"}
    missing = [package for package, program in programs.items() if not shutil.which(program)]
    if missing and given.install:
        install(missing)
    elif missing:
        sys.exit(f"Missing: {', '.join(missing)}. Run again with --install, or: "
                 f"apt-get install {' '.join(missing)}")
    if not shutil.which("rustc"):
        sys.exit("Missing: rustc, which builds the floor.")
    if not given.trimtab.is_file():
        sys.exit(f"Missing: {given.trimtab}. Run: cargo build --release")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("Two cores are needed: one for the server, one for the load.")
    return cores[0], cores[1]


def main():
    given = arguments()
    server_core, load_core = requirements(given)
    # End by an exception, so that what was started is ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended by a signal."))
    os.sched_setaffinity(0, {load_core})
    BUILD.mkdir(parents=True, exist_ok=True)
    binary = given.trimtab.resolve()
    servers = [Floor(BUILD), Gdnsd(), Trimtab(binary), TrimtabLimits(binary)]
    peers = ", ".join(f"{server.name} {server.version()}" for server in servers)
    print(f"{peers}; Linux {platform.release()}; server on core {server_core}, load on {load_core}",
          flush=True)
    subjects = [(server, load) for load in WORKLOADS for server in servers
                if load in server.workloads]
    rounds = []
    with contextlib.closing(Targets(REGIONS)) as targets:
        check_equivalence(subjects, server_core, targets)
        for number in range(1, given.rounds + 1):
            # Nobody is always the first, or always behind the same one.
            turn = number % len(subjects)
            for server, workload in subjects[turn:] + subjects[:turn]:
                with started(server, workload, server_core, targets) as running:
                    rounds.append(measure_round(number, running, given.seconds))
            print(f"Round {number} of {given.rounds} done", file=sys.stderr)
    order = [(server.name, load) for server, load in subjects]
    rounds.sort(key=lambda r: (order.index((r.server, r.workload)), r.round))
    with given.csv.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(asdict(rounds[0])))
        writer.writeheader()
        writer.writerows(map(asdict, rounds))
    print(f"\n{table(rounds)}\n", *remarks(rounds), f"Every round: {given.csv}", sep="\n")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
