"""HTTP targets of the health checks: one on each region's address, all on one port."""

import socket
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Targets:
    """Answers 200, or 503 on an address in `broken`; counts the probes of each address.

    While `flipping`, every address answers 503 to every other probe.
    """

    def __init__(self, addresses):
        self.broken = set()
        self.flipping = False
        self.probes = Counter()
        self.failed = set()  # addresses whose last answer was 503
        self.flips = 0
        self.port = free_port()
        self.servers = [self.serve(address) for address in addresses]

    def fails(self, address: str) -> bool:
        """Whether this probe does; each address is probed by one server, once at a time."""
        self.probes[address] += 1
        was = address in self.failed
        fails = not was if self.flipping else address in self.broken
        self.flips += fails != was
        (self.failed.add if fails else self.failed.discard)(address)
        return fails

    def serve(self, address: str) -> ThreadingHTTPServer:
        targets = self

        class Handler(BaseHTTPRequestHandler):
            """The target of one address."""

            def do_GET(self):  # noqa: N802, the name is http.server's
                self.send_response(503 if targets.fails(address) else 200)
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
