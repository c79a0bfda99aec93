"""PowerDNS: one receiver, its packet cache as it comes; weighs by Lua, or by its geoip backend."""

import subprocess
from pathlib import Path

from workloads import ADDRESS, GEO, REGIONS, TTL, World, ZONE

from . import STATIC, Server, control


class PowerDns(Server):
    """Zone files by the bind backend; `geo` and `ecs` by the geoip backend. Probes nobody."""

    name, binary, version_option = "PowerDNS", "/usr/sbin/pdns_server", "--version"
    packages = ("pdns-server", "pdns-backend-bind", "pdns-backend-geoip")
    workloads = (*STATIC, "weighted", "geo", "ecs")

    def installed(self) -> bool:
        backends = Path("/usr/lib").glob("*/pdns/libgeoipbackend.so")
        return super().installed() and any(backends)

    def prepare(self, scene: str, home: Path, port: int, world: World) -> list:
        backend = self.places(home, world) if scene == "dynamic" else self.zones(scene, home)
        (home / "pdns.conf").write_text(f"""\
local-address={ADDRESS}
local-port={port}
socket-dir={home}
setuid=
setgid=
daemon=no
guardian=no
loglevel=3
receiver-threads=1
distributor-threads=1
max-tcp-connections=100
security-poll-suffix=
version-string=anonymous
{backend}""")
        return [self.binary, f"--config-dir={home}"]

    def zones(self, scene: str, home: Path) -> str:
        (home / "named.conf").write_text(
            f'zone "{ZONE}" {{ type master; file "{self.zone_file(home)}"; }};\n')
        self.write_zone(scene, home)
        return f"launch=bind\nbind-config={home}/named.conf\n"

    @staticmethod
    def places(home: Path, world: World) -> str:
        """One zone in YAML: Lua for `app`, a name for each continent for `geo`."""
        lua = ",".join(f"{{{weight},'{address}'}}"
                       for address, weight in world.weighted("dynamic").items())
        groups = "".join(
            f"    {code or 'unknown'}.geo.{ZONE}:\n" + "".join(
                f"    - a: {{content: {address}, weight: {weight}}}\n"
                for address, weight in group.items())
            for code, group in GEO.items())
        (home / "places.yaml").write_text(f"""\
domains:
- domain: {ZONE}
  ttl: {TTL}
  records:
    {ZONE}:
    - soa: ns1.{ZONE} hostmaster.{ZONE} 1 900 900 1800 60
    - ns: ns1.{ZONE}
    ns1.{ZONE}:
    - a: {ADDRESS}
    www.{ZONE}:
    - a: {REGIONS[0]}
    app.{ZONE}:
    - lua: A "pickwrandom({{{lua}}})"
{groups}  services:
    geo.{ZONE}: ['%cn.geo.{ZONE}', 'unknown.geo.{ZONE}']
""")
        return (f"launch=geoip\ngeoip-zones-file={home}/places.yaml\n"
                f"geoip-database-files=mmdb:{world.database}\n"
                "enable-lua-records=yes\nedns-subnet-processing=yes\n")

    def reload(self, home: Path, process: subprocess.Popen):
        control("/usr/bin/pdns_control", f"--config-dir={home}", f"--socket-dir={home}",
                "bind-reload-now", ZONE)
