"""gdnsd: `udp_threads => 1` and an explicit address, so that one thread answers."""

import subprocess
from pathlib import Path

from workloads import (ADDRESS, FALL, GEO, INTERVAL_SECS, RISE, TIMEOUT_SECS, TTL, World, ZONE)

from . import STATIC, Server, control


class Gdnsd(Server):
    """Weighs, looks at where clients are, and probes: the only peer that does all that we do."""

    name, packages, binary, version_option = "gdnsd", ("gdnsd",), "/usr/sbin/gdnsd", "-h"
    workloads = (*STATIC, "weighted", "geo", "ecs", "steady", "flips")
    health = True

    def zone_file(self, home: Path) -> Path:
        return home / "zones" / ZONE

    def dynamic_names(self, scene: str) -> str:
        # Most and least TTL: gdnsd lowers it to the time in which the health can change.
        lines = {"app": "weighted!app", "geo": "geoip!geo"}
        wanted = {"dynamic": ("app", "geo"), "flips": ("app",)}.get(scene, ())
        return "".join(f"{label} {TTL}/{TTL} DYNA {lines[label]}\n" for label in wanted)

    def prepare(self, scene: str, home: Path, port: int, world: World) -> list:
        config = f"""\
options => {{
  listen => {{ {ADDRESS}:{port} => {{ udp_threads => 1, tcp_threads => 1 }} }}
  run_dir => {home}/run
  state_dir => {home}/state
}}
"""
        if scene == "dynamic":
            resources = {"app": world.weighted(scene)}
            resources |= {f"geo-{code or 'rest'}": group for code, group in GEO.items()}
            config += self.service(world, RISE, FALL)
            config += f"plugins => {{\n{self.weighted(resources)}{self.geoip(world)}}}\n"
        if scene == "flips":
            config += self.service(world, 1, 1)
            config += f"plugins => {{\n{self.weighted({'app': world.weighted(scene)})}}}\n"
        (home / "config").write_text(config)
        self.write_zone(scene, home)
        return [self.binary, "-c", home, "start"]

    @staticmethod
    def service(world: World, rise: int, fall: int) -> str:
        return f"""\
service_types => {{
  web => {{
    plugin => http_status, port => {world.probe_port}, url_path => /healthz,
    interval => {INTERVAL_SECS}, timeout => {TIMEOUT_SECS},
    up_thresh => {rise}, ok_thresh => 1, down_thresh => {fall}
  }}
}}
"""

    @staticmethod
    def weighted(resources: dict) -> str:
        # up_thresh: as long as one is up, only those that are up are answered, as in Trimtab.
        text = "  weighted => {\n    service_types => web\n    up_thresh => 0.01\n"
        for name, members in resources.items():
            text += f"    {name} => {{\n"
            text += "".join(f"      r{n} => [ {address}, {weight} ]\n"
                            for n, (address, weight) in enumerate(members.items()))
            text += "    }\n"
        return text + "  }\n"

    @staticmethod
    def geoip(world: World) -> str:
        names = [code or "rest" for code in GEO]
        places = "\n".join(f"          {code or 'default'} => [ {code or 'rest'} ]" for code in GEO)
        means = "\n".join(f"          {name} => %weighted!geo-{name}" for name in names)
        return f"""\
  geoip => {{
    maps => {{
      world => {{
        geoip2_db => {world.database}
        datacenters => [ {", ".join(names)} ]
        map => {{
{places}
        }}
      }}
    }}
    resources => {{
      geo => {{
        map => world
        dcmap => {{
{means}
        }}
      }}
    }}
  }}
"""

    def reload(self, home: Path, process: subprocess.Popen):
        control("/usr/bin/gdnsdctl", "-c", home, "reload-zones")
