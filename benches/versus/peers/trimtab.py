"""Trimtab: one worker, no rate limits, metrics on (they always are)."""

import re
import subprocess
from pathlib import Path

from targets import free_port
from workloads import (ADDRESS, FALL, FLIPPING, GEO, INTERVAL_SECS, REGIONS, RISE, TIMEOUT_SECS,
                       TTL, World, ZONE)

from . import STATIC, Server, hang_up


class Trimtab(Server):
    """This project's release build."""

    name, version_option = "trimtab", "--version"
    workloads = (*STATIC, "weighted", "geo", "ecs", "steady", "flips")
    health = True
    limits = "enabled = false"

    def __init__(self, binary: Path):
        self.binary = binary

    def prepare(self, scene: str, home: Path, port: int, world: World) -> list:
        config = f"""\
version = 1
[server]
listen = ["{ADDRESS}:{port}"]
workers = 1
[server.rate_limit]
{self.limits}
[admin]
listen = "{ADDRESS}:{free_port()}"
[state]
dir = "{home}/state"
[zones."{ZONE}"]
file = "{self.zone_file(home)}"
"""
        if scene == "dynamic":
            config += f'[geo]\ndatabases = ["{world.database}"]\n'
            config += self.check(world, RISE, FALL) + self.regions(REGIONS)
            config += self.policy("app", world.weighted(scene))
            for code, group in GEO.items():
                config += self.policy(f"geo-{code or 'rest'}", group)
            config += self.by_place() + self.record("app", "app") + self.record("geo", "by-place")
        if scene == "flips":
            config += self.check(world, 1, 1) + self.regions(FLIPPING)
            config += self.policy("app", FLIPPING) + self.record("app", "app")
        (home / "trimtab.toml").write_text(config)
        self.write_zone(scene, home)
        return [self.binary, "serve", "--config", home / "trimtab.toml"]

    @staticmethod
    def check(world: World, rise: int, fall: int) -> str:
        return f"""\
[checks.web]
type = "http"
port = {world.probe_port}
path = "/healthz"
interval = "{INTERVAL_SECS}s"
timeout = "{TIMEOUT_SECS}s"
fall = {fall}
rise = {rise}
"""

    @staticmethod
    def regions(addresses) -> str:
        return "".join(f'[regions.{region(address)}]\naddresses = ["{address}"]\ncheck = "web"\n'
                       for address in addresses)

    @staticmethod
    def policy(name: str, members: dict) -> str:
        weights = ", ".join(f"{region(address)} = {n}" for address, n in members.items())
        return f'[policies.{name}]\ntype = "weighted"\nweights = {{ {weights} }}\n'

    @staticmethod
    def by_place() -> str:
        rules = ", ".join(f'{{ continent = "{code}", to = "geo-{code}" }}' for code in GEO if code)
        return (f'[policies.by-place]\ntype = "geolocation"\nrules = [{rules}]\n'
                'default = "geo-rest"\n')

    @staticmethod
    def record(label: str, policy: str) -> str:
        return (f'[[records]]\nname = "{label}.{ZONE}"\npolicy = "{policy}"\n'
                f"ttl = {TTL}\nttl_min = {TTL}\n")

    def reload(self, home: Path, process: subprocess.Popen):
        hang_up(process)


class Limits(Trimtab):
    """The same with every reply charged to its account; all are sent, though over the limit."""

    name = "trimtab + limits"
    workloads = ("static", "weighted")
    limits = "exempt = []\ndry_run = true"


def region(address: str) -> str:
    """A name for the region of an address."""
    return re.sub(r".*\.", "r", address)
