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
    wait_ns: dict  # thread → time ready to run, but without a core
    user_secs: float

    @classmethod
    def of(cls, pid: int) -> "Used":
        cpu, wait, user = {}, {}, 0.0
        for process in family(pid):
            cpu[process] = time.clock_gettime_ns(cpu_clock(process))
            for thread in Path(f"/proc/{process}/task").glob("*"):
                try:
                    wait[thread.name] = int((thread / "schedstat").read_text().split()[1])
                except OSError:  # it has just ended
                    continue
            # The name may hold spaces, so count from its closing bracket; utime is field 14.
            stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            user += int(stat[11]) * TICK
        return cls(cpu, wait, user)

    def since(self, before: "Used") -> tuple:
        """CPU ns, waiting ns, user seconds since an earlier moment."""
        def grown(now, then):
            return sum(ns - then.get(of, 0) for of, ns in now.items())
        return (grown(self.cpu_ns, before.cpu_ns), grown(self.wait_ns, before.wait_ns),
                self.user_secs - before.user_secs)


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
    wait: float  # part of the time for which it was ready to be, and was not
    p50_us: float
    p99_us: float
    happened: int  # flips of health, or reloads, during the load
