"""Knot: one UDP worker; its module `geoip` weighs, and looks at where clients are."""

import subprocess
from pathlib import Path

from mmdb import CONTINENTS
from workloads import ADDRESS, GEO, World, ZONE

from . import STATIC, Server, control


class Knot(Server):
    """The module either weighs or looks at the place, and probes nobody.

    So `weighted` is without health here, and `geo` and `ecs` have one address for a continent.
    """

    name, packages, binary = "Knot", ("knot", "knot-module-geoip"), "/usr/sbin/knotd"
    workloads = (*STATIC, "weighted", "geo", "ecs")

    def installed(self) -> bool:
        modules = Path("/usr/lib").glob("*/knot/modules-*/geoip.so")
        return super().installed() and any(modules)

    def prepare(self, scene: str, home: Path, port: int, world: World) -> list:
        modules, loaded = "", ""
        if scene == "dynamic":
            modules, loaded = self.modules(home, world), "module: [mod-geoip/place, mod-geoip/weight]"
        (home / "knot.conf").write_text(f"""\
server:
  rundir: "{home}"
  listen: {ADDRESS}@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  edns-client-subnet: on
  tcp-io-timeout: 0
log:
- target: stderr
  any: warning
database:
  storage: "{home}"
{modules}
zone:
- domain: "{ZONE}"
  file: "{self.zone_file(home)}"
  journal-content: none
  zonefile-sync: -1
  {loaded}
""")
        self.write_zone(scene, home)
        return [self.binary, "-c", home / "knot.conf"]

    def dynamic_names(self, scene: str) -> str:
        # What is answered when the module has nothing to say.
        last = next(iter(GEO[""]))
        return f"app A {last}\ngeo A {last}\n" if scene == "dynamic" else ""

    @staticmethod
    def modules(home: Path, world: World) -> str:
        shares = "".join(f"  - weight: {weight}\n    A: {address}\n"
                         for address, weight in world.weighted("dynamic").items())
        (home / "weight").write_text(f"app.{ZONE}:\n{shares}")
        # A continent that is not listed would be answered with scope 0, for the whole world.
        places = "".join(f"  - geo: \"{code}\"\n    A: {next(iter(GEO.get(code, GEO[''])))}\n"
                         for code in CONTINENTS)
        (home / "place").write_text(f"geo.{ZONE}:\n{places}")
        return f"""\
mod-geoip:
- id: weight
  config-file: "{home}/weight"
  ttl: 60
  mode: weighted
- id: place
  config-file: "{home}/place"
  ttl: 60
  mode: geodb
  geodb-file: "{world.database}"
  geodb-key: continent/code
"""

    def reload(self, home: Path, process: subprocess.Popen):
        control("/usr/sbin/knotc", "-s", home / "knot.sock", "-b", "zone-reload", ZONE)
