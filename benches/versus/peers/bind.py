"""BIND: one thread, no rate limits, answers as short as the others'."""

import base64
import os
import subprocess
from pathlib import Path

from targets import free_port
from workloads import ADDRESS, World, ZONE

from . import Server, control


class Bind(Server):
    """Static answers only: its views look at the source address, and nothing weighs."""

    name, packages, binary = "BIND", ("bind9",), "/usr/sbin/named"

    def prepare(self, scene: str, home: Path, port: int, world: World) -> list:
        secret, control_port = base64.b64encode(os.urandom(32)).decode(), free_port()
        key = f'key "versus" {{ algorithm hmac-sha256; secret "{secret}"; }};\n'
        (home / "rndc.conf").write_text(
            key + f'options {{ default-key "versus"; default-server {ADDRESS}; '
            f"default-port {control_port}; }};\n")
        (home / "named.conf").write_text(key + f"""\
options {{
  directory "{home}";
  managed-keys-directory "{home}";
  pid-file none;
  session-keyfile none;
  lock-file none;
  listen-on port {port} {{ {ADDRESS}; }};
  listen-on-v6 {{ none; }};
  recursion no;
  minimal-responses yes;
  notify no;
  empty-zones-enable no;
  dnssec-validation no;
}};
controls {{
  inet {ADDRESS} port {control_port} allow {{ {ADDRESS}; }} keys {{ "versus"; }};
}};
logging {{
  channel quiet {{ stderr; severity warning; }};
  category default {{ quiet; }};
}};
zone "{ZONE}" {{ type primary; file "{self.zone_file(home)}"; }};
""")
        self.write_zone(scene, home)
        return [self.binary, "-f", "-4", "-n", "1", "-c", home / "named.conf"]

    def reload(self, home: Path, process: subprocess.Popen):
        control("/usr/sbin/rndc", "-c", home / "rndc.conf", "reload", ZONE)
