#!/usr/bin/env python3
"""Our load generator beside dnsperf: the same server under the same load, told by both.

The server is pinned to one core, the generators in turn to the other. The server's own counters
say how many queries there really were. What is compared: rate and loss in a closed loop; means
and percentiles of latency in an open loop (percentiles from dnsperf's list of all queries, so the
rate is low there); and what a query costs the generator and the server.
"""

import argparse
import json
import os
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = "www.validate.test"
# Workload: what is the same for both, as (dnsperf's arguments, ours).
LOADS = {
    "closed, 100 outstanding": (["-q", "100"], ["--closed", "100"]),
    "open, 20000 a second": (["-q", "60000", "-Q", "20000"], ["--open", "20000"]),
    "open, 2000 a second": (["-q", "60000", "-Q", "2000", "-v"], ["--open", "2000"]),
}
COLUMNS = ("rate", "lost", "uncounted", "mean µs", "min µs", "p50 µs", "p99 µs",
           "p99 since due", "own CPU ns", "server CPU ns")


def free_port() -> int:
    with socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        return tcp.getsockname()[1]


class Server:
    """Trimtab with one name and one worker."""

    def __init__(self, binary: Path, home: Path, core: int):
        self.port, self.admin = free_port(), free_port()
        (home / "trimtab.toml").write_text(f"""\
version = 1
[server]
listen = ["127.0.0.1:{self.port}"]
workers = 1
[server.rate_limit]
enabled = false
[admin]
listen = "127.0.0.1:{self.admin}"
[state]
dir = "{home}/state"
[zones."validate.test"]
file = "zone"
""")
        (home / "zone").write_text("$TTL 60\n@ SOA ns1 h 1 1 1 1 60\n NS ns1\n"
                                   "ns1 A 127.0.0.1\nwww A 192.0.2.1\n")
        self.log = (home / "log").open("wb")
        self.process = subprocess.Popen(
            ["taskset", "-c", str(core), binary, "serve", "--config", home / "trimtab.toml"],
            stderr=self.log)
        end = time.monotonic() + 15
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > end:
                sys.exit(f"the server does not start:\n{(home / 'log').read_text()}")
            time.sleep(0.05)

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=5) as answer:
            return answer.read().decode()

    def is_ready(self) -> bool:
        try:
            return self.get("/readyz") is not None
        except OSError:
            return False

    def requests(self) -> int:
        """Queries that it has received."""
        found = re.findall(r"^trimtab_dns_requests_total\{.*\} (\S+)$", self.get("/metrics"), re.M)
        return int(sum(map(float, found)))

    def cpu_ns(self) -> int:
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


def run(command: list) -> tuple:
    """Runs a generator; returns what it prints, and its CPU seconds."""
    def used():
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime
    before = used()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout, used() - before


def dnsperf(server: Server, questions: Path, seconds: int, how: list) -> dict:
    text, cpu = run(["dnsperf", "-s", "127.0.0.1", "-p", str(server.port), "-d", questions,
                     "-l", str(seconds), "-t", "2", *how])

    def figure(pattern: str) -> float:
        return float(re.search(pattern, text)[1])

    sent, completed = figure(r"Queries sent:\s+(\d+)"), figure(r"Queries completed:\s+(\d+)")
    times = sorted(float(secs) * 1e6 for secs in re.findall(r"^> \S+ \S+ A (\S+)$", text, re.M))
    quantile = (lambda part: times[int(part * (len(times) - 1))]) if times else (lambda part: None)
    return {"sent": sent, "rate": figure(r"Queries per second:\s+(\S+)"),
            "lost": sent - completed, "mean µs": figure(r"Average Latency \(s\):\s+(\S+)") * 1e6,
            "min µs": figure(r"\(min (\S+),") * 1e6, "p50 µs": quantile(0.5),
            "p99 µs": quantile(0.99), "p99 since due": None,
            # With a line for each query its cost is that of printing.
            "own CPU ns": None if times else cpu * 1e9 / sent}


def ours(generator: Path, server: Server, questions: Path, seconds: int, how: list) -> dict:
    text, cpu = run([generator, "--server", f"127.0.0.1:{server.port}", "--questions", questions,
                     "--seconds", str(seconds), "--json", *how,
                     "--expect", "NOERROR", "--expect-answers", "1..1"])
    told = json.loads(text)
    if told["wrong"]:
        sys.exit(f"{told['wrong']} answers are wrong: {text}")
    return {"sent": told["sent"], "rate": told["rate"], "lost": told["lost"],
            # From when a query was sent, as dnsperf counts.
            **{f"{key} µs": told["since_sent_us"][key] for key in ("mean", "min", "p50", "p99")},
            "p99 since due": told["latency_us"]["p99"],
            "own CPU ns": cpu * 1e9 / told["sent"]}


def measured(server: Server, generate) -> dict:
    """What a generator says, and what the server says of it."""
    requests, cpu = server.requests(), server.cpu_ns()
    seen = generate()
    counted, cpu = server.requests() - requests, server.cpu_ns() - cpu
    return seen | {"uncounted": seen["sent"] - counted, "server CPU ns": cpu / counted}


def median(rounds: list, column: str):
    values = [seen[column] for seen in rounds if seen[column] is not None]
    return statistics.median(values) if values else None


def table(results: dict) -> str:
    """A line for each load and generator: medians over the rounds; loss is summed up."""
    lines = [("load", "generator", *COLUMNS)]
    for (load, generator), rounds in results.items():
        cells = []
        for column in COLUMNS:
            summed = column in ("lost", "uncounted")
            value = sum(seen[column] for seen in rounds) if summed else median(rounds, column)
            cells.append("-" if value is None else f"{value:.0f}")
        lines.append((load, generator, *cells))
        if generator == "ours":
            ratios = []
            for column in COLUMNS:
                one, other = median(rounds, column), median(results[load, "dnsperf"], column)
                ratios.append(f"{one / other:.2f}" if one and other else "-")
            lines.append(("", "ours / dnsperf", *ratios))
    widths = [max(map(len, column)) for column in zip(*lines)]
    rows = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
            for line in lines]
    rows.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(rows)


def build() -> Path:
    """Builds the generator; returns its path."""
    command = ["cargo", "build", "--release", "--locked", "--bench", "load",
               "--message-format=json-render-diagnostics"]
    built = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    messages = map(json.loads, built.stdout.splitlines())
    return next(Path(message["executable"]) for message in messages
                if message.get("target", {}).get("name") == "load" and message.get("executable"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--seconds", type=int, default=4, metavar="S", help="of each measurement")
    parser.add_argument("--trimtab", type=Path, default=ROOT / "target/release/trimtab",
                        metavar="PATH", help="the binary (default: this project's release build)")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended by a signal."))
    generator = build()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("Two cores are needed: one for the server, one for the load.")
    os.sched_setaffinity(0, {cores[1]})
    results = {(load, name): [] for load in LOADS for name in ("dnsperf", "ours")}
    with tempfile.TemporaryDirectory(prefix="validate-") as home:
        questions = Path(home) / "questions"
        questions.write_text(f"{NAME} A\n")
        server = Server(given.trimtab.resolve(), Path(home), cores[0])
        try:
            for _ in range(given.rounds):
                for load, (theirs, own) in LOADS.items():
                    args = (server, questions, given.seconds)
                    results[load, "dnsperf"].append(
                        measured(server, lambda: dnsperf(*args, theirs)))
                    results[load, "ours"].append(
                        measured(server, lambda: ours(generator, *args, own)))
        finally:
            server.stop()
    print(table(results))
    print("uncounted: sent, but not received by the server, by its own counters. since due: with "
          "the time by which the generator was late, which dnsperf does not count.")


if __name__ == "__main__":
    main()
