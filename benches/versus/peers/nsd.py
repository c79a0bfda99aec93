"""NSD: one server process, and its rate limits, which are on by default, off."""

import subprocess
from pathlib import Path

from workloads import ADDRESS, World, ZONE

from . import Server, control


class Nsd(Server):
    """Static answers only."""

    name, packages, binary, version_option = "NSD", ("nsd",), "/usr/sbin/nsd", "-v"

    def prepare(self, scene: str, home: Path, port: int, world: World) -> list:
        (home / "nsd.conf").write_text(f"""\
server:
  ip-address: {ADDRESS}@{port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: ""
  database: ""
  pidfile: ""
  xfrdfile: "{home}/xfrd"
  xfrdir: "{home}"
  zonelistfile: "{home}/list"
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  minimal-responses: yes
  tcp-query-count: 0
remote-control:
  control-enable: yes
  control-interface: "{home}/control"
zone:
  name: "{ZONE}"
  zonefile: "{self.zone_file(home)}"
""")
        self.write_zone(scene, home)
        return [self.binary, "-d", "-c", home / "nsd.conf"]

    def reload(self, home: Path, process: subprocess.Popen):
        control("/usr/sbin/nsd-control", "-c", home / "nsd.conf", "reload", ZONE)
