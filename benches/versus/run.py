#!/usr/bin/env python3
"""Trimtab side by side with its peers: CPU of the server for one answered query.

Each server runs alone, pinned to one core; the load, the HTTP targets of the health checks and this
script share another. Rounds are interleaved. First of all the answers that are compared are checked
to be equivalent, and the weighted ones to follow weights and health.

The figure that counts is CPU nanoseconds a query: what all threads of the server have spent on a
core by the kernel's own accounting (/proc/PID/task/*/schedstat), divided by the answers.
"""

import argparse
import contextlib
import fnmatch
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import chart
import equivalence
import report
from measure import Generator
from mmdb import Database
from peers import every
from running import Failed, started, wanted
from targets import Targets
from workloads import FLIPPING, SCENES, World

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "target" / "versus"


class Plan:
    """What is to be run: servers by scene, and the cores they run on."""

    def __init__(self, servers: list, only: list):
        self.only = only
        self.subjects = {scene: [server for server in servers if scene in server.scenes()
                                 and self.workloads(server, scene)] for scene in SCENES}
        self.servers = [server for server in servers
                        if any(server in subjects for subjects in self.subjects.values())]

    def workloads(self, server, scene: str) -> list:
        """The workloads of a server in a scene that were asked for."""
        def asked(workload):
            full = f"{server.name}/{workload.name}".lower()
            return any(fnmatch.fnmatchcase(full, pattern) or
                       fnmatch.fnmatchcase(full, f"{pattern}/*") for pattern in self.only)

        return [workload for workload in wanted(server, scene) if asked(workload)]

    def turns(self, number: int):
        """Scenes and servers of a round: nobody is always first, or behind the same one."""
        for scene, servers in self.subjects.items():
            turn = number % len(servers) if servers else 0
            for server in servers[turn:] + servers[:turn]:
                yield scene, server


def install(packages: list):
    """Installs Debian packages, and says which services Debian started with them."""
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run([*sudo, "apt-get", "update", "-q"], check=True)
    subprocess.run([*sudo, "apt-get", "install", "-qy", "--no-install-recommends", *packages],
                   check=True)
    running = []
    if shutil.which("systemctl"):
        names = ("gdnsd", "nsd", "knot", "pdns", "named")
        running = [name for name in names if subprocess.run(
            ["systemctl", "is-active", "--quiet", name]).returncode == 0]
    if running:
        print(f"Debian has started: {', '.join(running)}. They disturb the measurement; stop them "
              f"with: systemctl disable --now {' '.join(running)}")


def generator() -> Path:
    """Builds the load generator; the path is cargo's to say."""
    command = ["cargo", "build", "--release", "--locked", "--bench", "load",
               "--message-format=json-render-diagnostics"]
    built = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    for message in map(json.loads, built.stdout.splitlines()):
        if message.get("executable") and message["target"]["name"] == "load":
            return Path(message["executable"])
    sys.exit("cargo built no load generator.")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="5 or more to publish")
    parser.add_argument("--seconds", type=float, default=2, metavar="S", help="of load each")
    parser.add_argument("--only", nargs="+", default=["*"], metavar="SERVER/WORKLOAD",
                        help="patterns, either part of which may be left out: trimtab, '*/ecs'")
    parser.add_argument("--trimtab", type=Path, default=ROOT / "target/release/trimtab",
                        metavar="PATH", help="the binary (default: this project's release build)")
    parser.add_argument("--load", type=Path, metavar="PATH",
                        help="the load generator (default: built by cargo)")
    parser.add_argument("--csv", type=Path, metavar="PATH",
                        help="where every round is written to (default: target/versus/versus.csv; "
                             "with --only, part.csv there)")
    parser.add_argument("--svg", type=Path, metavar="PATH", help="where a chart is written to")
    parser.add_argument("--again", action="store_true",
                        help="run nothing: tables and chart of what --csv holds")
    parser.add_argument("--install", action="store_true", help="install missing Debian packages")
    given = parser.parse_args()
    if given.rounds < 1 or given.seconds <= 0:
        parser.error("--rounds is 1 or more, --seconds above 0")
    # What is only a part does not replace what is whole.
    given.csv = given.csv or BUILD / ("versus.csv" if given.only == ["*"] else "part.csv")
    given.only = [pattern.lower() for pattern in given.only]
    return given


def requirements(given, servers: list) -> tuple[int, int]:
    """Everything that is needed is there, or the script ends and says what is missing."""
    missing = [package for server in servers if not server.installed()
               for package in server.packages]
    if missing and given.install:
        install(missing)
    elif missing:
        sys.exit(f"Missing: {', '.join(missing)}. Run again with --install, or: "
                 f"apt-get install {' '.join(missing)}. Or leave servers out with --only.")
    if not shutil.which("rustc"):
        sys.exit("Missing: rustc, which builds the floor.")
    if not given.trimtab.is_file():
        sys.exit(f"Missing: {given.trimtab}. Run: cargo build --release")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("Two cores are needed: one for the server, one for the load.")
    return cores[0], cores[1]


def run(given) -> list:
    """All rounds."""
    BUILD.mkdir(parents=True, exist_ok=True)
    plan = Plan(every(given.trimtab.resolve(), BUILD), given.only)
    if not plan.servers:
        sys.exit("No server has such a workload.")
    server_core, load_core = requirements(given, plan.servers)
    load = Generator(given.load or generator())
    os.sched_setaffinity(0, {load_core})
    print(", ".join(f"{server.name} {server.version()}" for server in plan.servers),
          f"; Linux {platform.release()}; server on core {server_core}, load on {load_core}",
          sep="", flush=True)
    database, world_file, rounds = Database(), BUILD / "world.mmdb", []
    database.write(world_file)
    with contextlib.closing(Targets(FLIPPING)) as targets:
        world = World(targets.port, world_file.resolve())
        equal = equivalence.Equivalence(database)
        for scene, server in plan.turns(0):
            with started(server, scene, server_core, world, targets) as running:
                equal.check(running, plan.workloads(server, scene))
        print(equal.summary(), *equal.remarks, sep="\n", flush=True)
        for number in range(1, given.rounds + 1):
            for scene, server in plan.turns(number):
                with started(server, scene, server_core, world, targets) as running:
                    rounds += [running.measure(number, workload, load, given.seconds)
                               for workload in plan.workloads(server, scene)]
            # In the order in which they are shown, whoever was first in this round.
            names = [server.name for server in plan.servers]
            rounds.sort(key=lambda r: (names.index(r.server), r.round))
            with given.csv.open("w", newline="") as file:
                report.write_csv(file, rounds)
            print(f"Round {number} of {given.rounds} done", file=sys.stderr, flush=True)
    return rounds


def main():
    given = arguments()
    # End by an exception, so that what was started is ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended by a signal."))
    if given.again:
        with given.csv.open(newline="") as file:
            rounds = report.read_csv(file)
    else:
        rounds = run(given)
    results = report.Results(rounds)
    for part in filter(None, (report.costs(results), report.losses(results))):
        print(f"\n{part}")
    print("\nGoals:", *report.goals(results), sep="\n")
    print("", *report.remarks(results), f"Every round: {given.csv}", sep="\n")
    if given.svg:
        given.svg.write_text(chart.draw(results))
    if any(r.wrong for r in rounds):
        sys.exit("There were wrong answers.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
    except (Failed, OSError, ValueError, subprocess.CalledProcessError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
