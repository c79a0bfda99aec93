"""The servers that are compared, a file each; here is what they have in common.

A server writes its configuration for one scene into an empty directory and returns the command
that runs it in the foreground. A further peer is one more file, and one more line in `every`.
"""

import re
import shutil
import signal
import subprocess
from pathlib import Path

from workloads import ADDRESS, WORKLOADS, ZONE, World, zone_text

# What answers from zone files can do; the floor, which knows one answer, cannot.
STATIC = ("static", "nxdomain", "tcp", "burst", "reload", "names")


class Server:
    """A server that is compared; class attributes say what it needs and what it can do."""

    name: str
    packages: tuple = ()  # of Debian
    binary: str = ""
    version_option = "-V"
    workloads: tuple = STATIC
    health = False  # whether what it weighs is probed

    def installed(self) -> bool:
        return not self.binary or bool(shutil.which(self.binary))

    def version(self) -> str:
        shown = subprocess.run([self.binary, self.version_option], capture_output=True, text=True)
        found = re.search(r"\d+\.\d+(\.\d+)?", shown.stdout + shown.stderr)
        return found[0] if found else "of unknown version"

    def scenes(self) -> list:
        return list(dict.fromkeys(WORKLOADS[name].scene for name in self.workloads))

    def zone_file(self, home: Path) -> Path:
        return home / f"{ZONE}.zone"

    def write_zone(self, scene: str, home: Path, serial: int = 1):
        """Writes the zone file anew, whole before it is in its place."""
        path = self.zone_file(home)
        path.parent.mkdir(exist_ok=True)
        new = path.parent / ".new"
        new.write_text(zone_text(scene, serial) + self.dynamic_names(scene))
        new.replace(path)

    def dynamic_names(self, scene: str) -> str:
        """Lines of the zone file that are this server's own."""
        return ""

    def prepare(self, scene: str, home: Path, port: int, world: World) -> list:
        """Writes the configuration; returns the command."""
        raise NotImplementedError

    def reload(self, home: Path, process: subprocess.Popen):
        """Has the zone file read again; the zone may change some time later."""
        raise NotImplementedError


def control(*command):
    """Runs a control program to its end."""
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise ValueError(f"{command[0]}: {run.stdout}{run.stderr}")


def hang_up(process: subprocess.Popen):
    """The signal that makes many daemons read their files again."""
    process.send_signal(signal.SIGHUP)


def every(trimtab: Path, build: Path) -> list:
    """All servers, in the order in which they are shown."""
    from . import bind, floor, gdnsd, knot, nsd, powerdns
    from . import trimtab as ours
    return [floor.Floor(build), ours.Trimtab(trimtab), ours.Limits(trimtab), gdnsd.Gdnsd(),
            nsd.Nsd(), knot.Knot(), powerdns.PowerDns(), bind.Bind()]


__all__ = ["ADDRESS", "STATIC", "Server", "control", "every", "hang_up"]
