"""The servers that are compared: what each needs, its configuration, and how it is started.

A server writes its configuration for one workload into an empty directory and returns the command
that runs it in the foreground. A further peer is one more class here; a further workload is one
more entry of WORKLOADS and a branch in each `prepare`.
"""

import re
import subprocess
from pathlib import Path

ADDRESS = "127.0.0.1"
ZONE = "versus.test"
TTL = 60
# Addresses of the weighted record, and their weights. Each is also an HTTP target.
REGIONS = {"127.0.2.1": 70, "127.0.2.2": 30}
INTERVAL_SECS, TIMEOUT_SECS, FALL, RISE = 2, 1, 3, 2

# Workload: the name that is asked for. All are as long, so that all answers are.
WORKLOADS = {"static": f"www.{ZONE}", "weighted": f"app.{ZONE}"}

ZONE_FILE = f"""\
$TTL {TTL}
@   SOA ns1.{ZONE}. hostmaster.{ZONE}. 1 900 900 1800 60
@   NS  ns1.{ZONE}.
ns1 A   {ADDRESS}
www A   {next(iter(REGIONS))}
"""


class Floor:
    """No nameserver at all: the kernel's share (floor.rs)."""

    name, package, workloads = "floor", None, ("static",)

    def __init__(self, build: Path):
        self.build = build

    def version(self) -> str:
        """Builds it, too."""
        source, self.binary = Path(__file__).with_name("floor.rs"), self.build / "floor"
        command = ["rustc", "--edition", "2024", "-O", source, "-o", self.binary]
        subprocess.run(command, check=True)
        return "fixed answer"

    def prepare(self, workload: str, home: Path, port: int, targets) -> list:
        return [self.binary, f"{ADDRESS}:{port}"]


class Gdnsd:
    """gdnsd: `udp_threads => 1` and an explicit address, so that one thread answers."""

    name, package, workloads = "gdnsd", "gdnsd", ("static", "weighted")
    binary = "/usr/sbin/gdnsd"

    def version(self) -> str:
        usage = subprocess.run([self.binary, "-h"], capture_output=True, text=True)
        return re.search(r"version (\S+)", usage.stdout + usage.stderr)[1]

    def prepare(self, workload: str, home: Path, port: int, targets) -> list:
        (home / "zones").mkdir()
        config = f"""\
options => {{
  listen => {{ {ADDRESS}:{port} => {{ udp_threads => 1, tcp_threads => 1 }} }}
  run_dir => {home}/run
  state_dir => {home}/state
}}
"""
        zone = ZONE_FILE
        if workload == "weighted":
            # Most and least TTL: gdnsd lowers it to the time in which the health can change.
            zone += f"app {TTL}/{TTL} DYNA weighted!app\n"
            config += self.weighted(targets.port)
        (home / "config").write_text(config)
        (home / "zones" / ZONE).write_text(zone)
        return [self.binary, "-c", home, "start"]

    @staticmethod
    def weighted(port: int) -> str:
        # up_thresh: as long as one is up, only those that are up are answered, as in Trimtab.
        members = "\n".join(f"      r{n} => [ {address}, {weight} ]"
                            for n, (address, weight) in enumerate(REGIONS.items()))
        return f"""\
service_types => {{
  web => {{
    plugin => http_status, port => {port}, url_path => /healthz,
    interval => {INTERVAL_SECS}, timeout => {TIMEOUT_SECS},
    up_thresh => {RISE}, ok_thresh => 1, down_thresh => {FALL}
  }}
}}
plugins => {{
  weighted => {{
    app => {{
      service_types => web
      up_thresh => 0.01
{members}
    }}
  }}
}}
"""


class Trimtab:
    """Trimtab: one worker, no rate limits, metrics on (they always are)."""

    name, package, workloads = "trimtab", None, ("static", "weighted")
    limits = "enabled = false"

    def __init__(self, binary: Path):
        self.binary = binary

    def version(self) -> str:
        shown = subprocess.run([self.binary, "--version"], capture_output=True, text=True)
        return shown.stdout.split()[-1]

    def prepare(self, workload: str, home: Path, port: int, targets) -> list:
        config = f"""\
version = 1
[server]
listen = ["{ADDRESS}:{port}"]
workers = 1
[server.rate_limit]
{self.limits}
[admin]
listen = "{ADDRESS}:{targets.free_port()}"
[state]
dir = "{home}/state"
[zones."{ZONE}"]
file = "{ZONE}.zone"
"""
        if workload == "weighted":
            config += self.weighted(targets.port)
        (home / "trimtab.toml").write_text(config)
        (home / f"{ZONE}.zone").write_text(ZONE_FILE)
        return [self.binary, "serve", "--config", home / "trimtab.toml"]

    @staticmethod
    def weighted(port: int) -> str:
        regions = "\n".join(f"""\
[regions.r{n}]
addresses = ["{address}"]
weight = {weight}
check = "web"
""" for n, (address, weight) in enumerate(REGIONS.items()))
        return f"""\
[checks.web]
type = "http"
port = {port}
path = "/healthz"
interval = "{INTERVAL_SECS}s"
timeout = "{TIMEOUT_SECS}s"
fall = {FALL}
rise = {RISE}
{regions}
[[records]]
name = "{WORKLOADS["weighted"]}"
policy = "weighted"
ttl = {TTL}
"""


class TrimtabLimits(Trimtab):
    """The same with every reply charged to its account; all are sent, though over the limit."""

    name = "trimtab + limits"
    limits = "exempt = []\ndry_run = true"
