"""Measuring: the load of the generator, and what the processes of a server have used."""

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from workloads import ADDRESS, Workload

# Of the kernel's accounting of user time (/proc/PID/stat), in seconds.
TICK = 1 / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list:
    """A process and all that descend from it."""
    found = [pid]
    for process in found:
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:  # it has just ended
                continue
    return found


def cpu_clock(pid: int) -> int:
    """The clock of the CPU time of another process, as clock_getcpuclockid(3) has it.

    It is the sum of what /proc/PID/task/*/schedstat says of the threads, and of those that ended.
    """
    return ~pid << 3 | 2


@dataclass(frozen=True)
class Used:
    """What a server has used up to a moment; all threads of all its processes together."""

    cpu_ns: dict  # process → time on a core, also of threads that have ended
    threads: dict  # thread → time on a core; time ready to run, but without one
    user_secs: float

    @classmethod
    def of(cls, pid: int) -> "Used":
        cpu, threads, user = {}, {}, 0.0
        for process in family(pid):
            try:
                cpu[process] = time.clock_gettime_ns(cpu_clock(process))
                for thread in Path(f"/proc/{process}/task").glob("*"):
                    threads[thread.name] = schedstat(thread)
                # The name may hold spaces, so count from its closing bracket; utime is field 14.
                stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
                user += int(stat[11]) * TICK
            except OSError:  # it has just ended
                continue
        return cls(cpu, threads, user)

    def since(self, before: "Used") -> "Use":
        """What was used since an earlier moment."""
        cpu_ns = sum(ns - before.cpu_ns.get(process, 0) for process, ns in self.cpu_ns.items())
        threads = []
        for thread, (cpu, wait) in self.threads.items():
            cpu_before, wait_before = before.threads.get(thread, (0, 0))
            threads.append((max(0, cpu - cpu_before), max(0, wait - wait_before)))
        return Use(cpu_ns, disturbed(threads), self.user_secs - before.user_secs)


@dataclass(frozen=True)
class Use:
    """What a server has used in a while."""

    cpu_ns: int
    disturbed_ns: int
    user_secs: float


def schedstat(thread: Path) -> tuple[int, int]:
    """Nanoseconds on a core, and ready to run without one; none of either if it has just ended."""
    try:
        cpu, wait, _ = (thread / "schedstat").read_text().split()
    except OSError:
        return 0, 0
    return int(cpu), int(wait)


def disturbed(threads: list) -> int:
    """For how long something else had the core, at least, by the (CPU, waiting) of all threads.

    The busiest thread waits while its siblings run, and while something else does.
    """
    cpu, wait = max(threads, default=(0, 0))
    return max(0, wait - sum(ns for ns, _ in threads) + cpu)


@dataclass(frozen=True)
class Load:
    """What the generator saw."""

    sent: int
    received: int
    lost: int
    wrong: int
    secs: float
    latency_us: dict

    @classmethod
    def of(cls, printed: str) -> "Load":
        said = json.loads(printed)
        return cls(said["sent"], said["received"], said["lost"], said["wrong"], said["seconds"],
                   said["latency_us"])


class Generator:
    """The load generator, on the core that this script is pinned to."""

    def __init__(self, program: Path):
        self.program = program

    def start(self, port: int, workload: Workload, questions: Path,
              secs: float) -> subprocess.Popen:
        command = [self.program, "--server", f"{ADDRESS}:{port}", "--questions", questions,
                   "--seconds", f"{secs:g}", "--expect", workload.rcode,
                   "--expect-answers", workload.answers, *workload.how, "--json"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @staticmethod
    def finish(process: subprocess.Popen) -> Load:
        out, err = process.communicate()
        if process.returncode:
            raise ValueError(f"the generator ended with {process.returncode}: {out}{err}")
        return Load.of(out)


@dataclass(frozen=True)
class Round:
    """One measurement; a row of the CSV file."""

    round: int
    scene: str
    server: str
    workload: str
    cpu_ns: float  # a query
    user_secs: float
    answers: int
    lost: int
    wrong: int
    queries_per_sec: float
    busy: float  # part of the time for which the server was on its core
    disturbed: float  # part of the time for which something else was there, at least
    p50_us: float
    p99_us: float
    happened: int  # flips of health, or reloads, during the load
