"""A server that runs, alone on its core, and what it does under a load."""

import contextlib
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import message
from measure import Generator, Load, Round, Used
from targets import Targets, free_port
from workloads import ADDRESS, INTERVAL_SECS, WORKLOADS, ZONE, Workload, World

READY_SECS = 30
WARM_UP_SECS = 0.2
# Goals are about 20 reloads of a server that answers.
RELOADS = 20


class Failed(Exception):
    """A server did not do what it must; the text says which, and what."""


class Running:
    """A server in one scene."""

    def __init__(self, server, scene: str, core: int, world: World, targets: Targets):
        self.server, self.scene = server, scene
        self.world, self.targets = world, targets
        self.home = Path(tempfile.mkdtemp(prefix="versus-"))
        self.port = free_port()
        self.serial = 1
        probed = targets.probes.copy()
        # taskset becomes the server: the process id stays.
        command = ["taskset", "-c", str(core),
                   *server.prepare(scene, self.home, self.port, world)]
        self.log = self.home / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            self.wait_for("answer", READY_SECS, self.answers)
            if server.health and scene in ("dynamic", "flips"):
                regions = world.weighted(scene)
                self.wait_for("probe of each region", INTERVAL_SECS * 3, lambda: all(
                    targets.probes[address] > probed[address] for address in regions))
        except BaseException:
            self.stop()
            raise

    def wait_for(self, what: str, secs: float, is_so):
        end = time.monotonic() + secs
        while not is_so():
            if self.process.poll() is not None or time.monotonic() > end:
                said = self.log.read_text(errors="replace")[-2000:]
                raise Failed(f"{self.server.name}, {self.scene}: no {what} in {secs:.0f} s\n{said}")
            time.sleep(0.02)

    def ask(self, name: str, timeout: float = 2, **how) -> message.Reply:
        """One query; `subnet`, `kind` and `tcp` say how."""
        tcp = how.pop("tcp", False)
        return message.ask((ADDRESS, self.port), message.query(name, **how), timeout, tcp)

    def answers(self) -> bool:
        try:
            return self.ask(f"www.{ZONE}", timeout=0.2).shape.rcode == "NOERROR"
        except (OSError, ValueError):
            return False

    def serves(self, serial: int) -> bool:
        try:
            return self.ask(ZONE, kind=message.SOA, timeout=0.2).serial == serial
        except (OSError, ValueError):
            return False

    def reload(self):
        """Has a new version of the zone read."""
        self.serial += 1
        self.server.write_zone(self.scene, self.home, self.serial)
        self.server.reload(self.home, self.process)

    def measure(self, number: int, workload: Workload, generator: Generator, secs: float) -> Round:
        """What `secs` seconds of load cost a server that is warm."""
        questions = self.home / f"questions-{workload.name}"
        questions.write_text(workload.questions())

        def start(duration):
            return generator.start(self.port, workload, questions, duration)

        if workload.saturates:
            generator.finish(start(WARM_UP_SECS))
        before = Used.of(self.process.pid)
        load, happened = self.under(workload, start(secs), secs, generator)
        used = Used.of(self.process.pid).since(before)
        # Without the time in which the generator starts.
        wall_ns = load.secs * 1e9
        if not load.received:
            raise Failed(f"{self.server.name}, {workload.name}: no answers")
        return Round(
            round=number, scene=self.scene, server=self.server.name, workload=workload.name,
            cpu_ns=round(used.cpu_ns / load.received, 1), user_secs=round(used.user_secs, 2),
            answers=load.received, lost=load.lost, wrong=load.wrong,
            queries_per_sec=round(load.received / load.secs),
            busy=round(used.cpu_ns / wall_ns, 3), disturbed=round(used.disturbed_ns / wall_ns, 4),
            p50_us=load.latency_us["p50"], p99_us=load.latency_us["p99"], happened=happened)

    def under(self, workload: Workload, process: subprocess.Popen, secs: float,
              generator: Generator) -> tuple[Load, int]:
        """What the generator saw, and how often happened what is to happen meanwhile."""
        flips, serial = self.targets.flips, self.serial
        self.targets.flipping = workload.meanwhile == "flips"
        try:
            while workload.meanwhile == "reloads" and self.serial - serial < RELOADS:
                time.sleep(secs / (RELOADS + 2))
                if process.poll() is not None:
                    break
                self.reload()
            load = generator.finish(process)
        finally:
            process.kill()
            flips, self.targets.flipping = self.targets.flips - flips, False
        if workload.meanwhile == "reloads":
            self.wait_for("reloaded zone", READY_SECS, lambda: self.serves(self.serial))
            return load, self.serial - serial
        return load, flips if workload.meanwhile == "flips" else 0

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
def started(server, scene: str, core: int, world: World, targets: Targets):
    """A running server, which is ended behind the block."""
    running = Running(server, scene, core, world, targets)
    try:
        yield running
    except TimeoutError as error:
        raise Failed(f"{server.name}, {scene}: a query got no answer") from error
    finally:
        running.stop()


def wanted(server, scene: str) -> list:
    """The server's workloads of a scene."""
    return [WORKLOADS[name] for name in server.workloads
            if server.name == "floor" or WORKLOADS[name].scene == scene]
