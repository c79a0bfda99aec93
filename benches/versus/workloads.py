"""What is asked: the zone that all servers serve, and the questions of each workload.

Workloads that need the same configuration share a scene: a server is started once for all of them.
Every name has as many octets as the others of its scene, so that all answers are of one size.
"""

from dataclasses import dataclass
from pathlib import Path

ADDRESS = "127.0.0.1"
ZONE = "versus.test"
TTL = 60
NAMES = 100_000

# Regions by address, each also an HTTP target. What is weighted among them, by who is asked:
# for the record `app` anybody, for the record `geo` clients of a continent.
APP = {"127.0.2.1": 70, "127.0.2.2": 30}
GEO = {
    "EU": {"127.0.2.1": 70, "127.0.2.2": 30},
    "NA": {"127.0.2.3": 60, "127.0.2.4": 40},
    "": {"127.0.2.1": 50, "127.0.2.3": 50},  # everybody else, and whoever is nowhere
}
REGIONS = tuple(dict.fromkeys(address for group in GEO.values() for address in group))
# Of the scene `flips`: with a probe every two seconds each, and a check that passes every other
# time, health changes ten times a second.
FLIPPING = {f"127.0.2.{n}": 50 for n in range(1, 21)}
INTERVAL_SECS, TIMEOUT_SECS, FALL, RISE = 2, 1, 3, 2

# As many as fit into a receive buffer of the usual size, so that none is lost, and batches are full.
CLOSED = ("--closed", "192")
OPEN = ("--open", "60000")


@dataclass(frozen=True)
class Workload:
    """Questions, and how they are sent."""

    name: str
    scene: str
    owner: str  # the name that is asked for, or the first of many
    how: tuple = CLOSED  # options of the generator
    rcode: str = "NOERROR"
    answers: str = "1..1"
    meanwhile: str = ""  # what happens during the load: "flips" or "reloads"
    saturates: bool = True  # whether the CPU of an answer is what is measured

    def questions(self) -> str:
        """The generator's file: a question a line."""
        if self.scene == "names":
            return "".join(f"{name(n)} A\n" for n in range(NAMES))
        return f"{self.owner} A\n"


def name(number: int) -> str:
    """One of the many names of the scene `names`."""
    return f"n{number:05}.{ZONE}"


def workloads() -> dict:
    """All of them, by name, in the order in which they are run and shown."""
    www, app, geo = (f"{label}.{ZONE}" for label in ("www", "app", "geo"))
    several = [
        Workload("static", "plain", www),
        Workload("nxdomain", "plain", ZONE, (*CLOSED, "--subdomain"), "NXDOMAIN", "0..0"),
        Workload("tcp", "plain", www, ("--closed", "192", "--tcp", "16")),
        Workload("burst", "plain", www, ("--open", "10000", "--burst", "1000"), saturates=False),
        Workload("reload", "plain", www, OPEN, meanwhile="reloads", saturates=False),
        Workload("names", "names", name(0), (*CLOSED, "--order", "zipf:1")),
        Workload("weighted", "dynamic", app),
        Workload("geo", "dynamic", geo),
        Workload("ecs", "dynamic", geo, (*CLOSED, "--edns", "1232", "--ecs", "random24")),
        Workload("steady", "flips", app),
        Workload("flips", "flips", app, meanwhile="flips"),
    ]
    return {workload.name: workload for workload in several}


WORKLOADS = workloads()
SCENES = tuple(dict.fromkeys(workload.scene for workload in WORKLOADS.values()))


def zone_text(scene: str, serial: int = 1) -> str:
    """The static part of the zone; `serial` tells one version from the next."""
    text = f"""\
$ORIGIN {ZONE}.
$TTL {TTL}
@   IN SOA ns1.{ZONE}. hostmaster.{ZONE}. {serial} 900 900 1800 60
@   IN NS  ns1.{ZONE}.
ns1 IN A   {ADDRESS}
www IN A   {REGIONS[0]}
"""
    if scene == "names":
        text += "".join(f"{name(n)}. IN A 127.{n >> 16}.{n >> 8 & 255}.{n & 255}\n"
                        for n in range(NAMES))
    return text


@dataclass(frozen=True)
class World:
    """What the servers are configured with, beside the zone."""

    probe_port: int  # of the HTTP targets
    database: Path  # MMDB, in GeoIP2's layout

    @staticmethod
    def weighted(scene: str) -> dict:
        """Addresses and weights of the record `app`."""
        return FLIPPING if scene == "flips" else APP
