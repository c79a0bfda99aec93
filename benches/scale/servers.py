"""The servers that are compared: their configurations, how each is started, and how it reloads."""

import signal
from pathlib import Path

import worlds
from targets import free_port


class Server:
    """Writes its configuration into a directory; SIGHUP makes it read its files again."""

    def reload(self, process):
        process.send_signal(signal.SIGHUP)


class Trimtab(Server):
    """Trimtab, one worker."""

    name = "trimtab"

    def __init__(self, binary: Path):
        self.binary = binary

    def command(self, home: Path, port: int, zone: str, rest: str = "") -> list:
        (home / "trimtab.toml").write_text(f"""\
version = 1
[server]
listen = ["127.0.0.1:{port}"]
workers = 1
[admin]
listen = "127.0.0.1:{free_port()}"
[state]
dir = "{home}/state"
[zones."{worlds.ZONE}"]
file = "{zone}"
{rest}""")
        return [self.binary, "serve", "-c", home / "trimtab.toml"]

    def static(self, home: Path, port: int) -> list:
        return self.command(home, port, "zone")

    def dynamic(self, home: Path, port: int, kind: str, records: int) -> list:
        worlds.write_zone(home / "zone", "an A record each", 0, 1, worlds.FIRST)
        rest = worlds.DYNAMIC[kind][0](records)
        return self.command(home, port, "zone", rest)


class Nsd(Server):
    """NSD, one server process, without its limits."""

    name, binary = "NSD", Path("/usr/sbin/nsd")

    def static(self, home: Path, port: int) -> list:
        (home / "nsd.conf").write_text(f"""\
server:
  ip-address: 127.0.0.1@{port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{home}"
  database: ""
  pidfile: "{home}/pid"
  xfrdfile: "{home}/xfrd"
  xfrdir: "{home}"
  zonelistfile: "{home}/list"
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "{worlds.ZONE}"
  zonefile: "zone"
""")
        return [self.binary, "-d", "-c", home / "nsd.conf"]


class Knot(Server):
    """Knot, one worker."""

    name, binary = "Knot", Path("/usr/sbin/knotd")

    def static(self, home: Path, port: int) -> list:
        (home / "knot.conf").write_text(f"""\
server:
    listen: 127.0.0.1@{port}
    udp-workers: 1
    rundir: "{home}"
database:
    storage: "{home}"
zone:
  - domain: {worlds.ZONE}
    storage: "{home}"
    file: zone
""")
        return [self.binary, "-c", home / "knot.conf"]


class Gdnsd(Server):
    """gdnsd, one thread for UDP; dynamic records by its weighted plugin."""

    name, binary = "gdnsd", Path("/usr/sbin/gdnsd")

    def dynamic(self, home: Path, port: int, kind: str, records: int) -> list:
        plugin, lines = worlds.DYNAMIC[kind][1](records)
        (home / "zones").mkdir()
        zone = home / "zones" / worlds.ZONE
        worlds.write_zone(zone, "an A record each", 0, 1, worlds.FIRST)
        zone.write_text(zone.read_text() + lines + f"behind A {worlds.FIRST}\n")
        (home / "config").write_text(f"""\
options => {{
  listen => [ "127.0.0.1:{port}" ]
  udp_threads => 1
  tcp_threads => 1
  run_dir => "{home}/run"
  state_dir => "{home}/state"
  zones_default_ttl => 60
}}
plugins => {{ weighted => {{
{plugin}}} }}
""")
        return [self.binary, "-c", home, "start"]
