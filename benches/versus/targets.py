"""HTTP targets of the health checks: one on each region's address, all on one port."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Targets:
    """Answers 200, or 503 on an address in `broken`; counts the probes of each address."""

    def __init__(self, addresses):
        self.broken = set()
        self.probes = dict.fromkeys(addresses, 0)
        self.port = self.free_port()
        self.servers = [self.serve(address) for address in addresses]

    def serve(self, address: str) -> ThreadingHTTPServer:
        targets = self

        class Handler(BaseHTTPRequestHandler):
            """The target of one address."""

            def do_GET(self):  # noqa: N802, the name is http.server's
                targets.probes[address] += 1
                self.send_response(503 if address in targets.broken else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer((address, self.port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()

    @staticmethod
    def free_port() -> int:
        """A port that is free on every address just now, for TCP and for UDP."""
        while True:
            with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
                tcp.bind(("", 0))
                try:
                    udp.bind(tcp.getsockname())
                except OSError:
                    continue
                return tcp.getsockname()[1]
