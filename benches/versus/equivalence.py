"""Whether the answers that are compared are equivalent: the same shape, the right addresses.

Before anything is measured, every server is asked by hand what it will be asked under load. Where
an answer may differ by right, that is returned as a remark and printed.
"""

import ipaddress
import random

from mmdb import Database
from running import Failed, Running
from workloads import APP, FALL, GEO, INTERVAL_SECS, NAMES, REGIONS, Workload, name

DRAWS = 2000
SUBNETS = 200


class Equivalence:
    """Compares each server with the one that was first asked the same."""

    def __init__(self, database: Database):
        self.database = database
        self.first = {}  # workload → server and shape
        self.remarks = []

    def check(self, running: Running, workloads: list):
        """Checks these workloads of the server; raises Failed when one is not equivalent."""
        for workload in workloads:
            one = self.sample(running, workload)
            self.compare(running, workload, one.shape)
            allowed = self.allowed(running, workload)
            if not set(one.addresses) <= set(allowed):
                raise Failed(f"{running.server.name}, {workload.name}: the answer is "
                             f"{one.addresses}, wanted of {sorted(allowed)[:5]}")
            if workload.name == "weighted":
                self.draws(running, workload)
            if workload.name == "ecs":
                self.subnets(running, workload)

    @staticmethod
    def sample(running: Running, workload: Workload):
        """The answer to one question as the workload asks it."""
        owner, how = workload.owner, {}
        if workload.name == "nxdomain":
            owner = f"nothing.{owner}"
        if workload.name == "names":
            owner = name(NAMES - 1)
        if workload.name == "ecs":
            how["subnet"] = "192.0.2.0/24"
        return running.ask(owner, tcp=workload.name == "tcp", **how)

    @staticmethod
    def allowed(running: Running, workload: Workload) -> tuple:
        """The addresses that may be answered."""
        if workload.scene == "names":
            last = NAMES - 1
            return (f"127.{last >> 16}.{last >> 8 & 255}.{last & 255}",)
        if workload.scene == "flips":
            return tuple(running.world.weighted("flips"))
        return {"weighted": tuple(APP), "geo": tuple(GEO[""]), "ecs": REGIONS}.get(
            workload.name, REGIONS[:1])

    def compare(self, running: Running, workload: Workload, shape):
        server = running.server.name
        other, expected = self.first.setdefault(workload.name, (server, shape))
        same = (shape.rcode, shape.aa, shape.tc, shape.counts, shape.records)
        if same != (expected.rcode, expected.aa, expected.tc, expected.counts, expected.records):
            raise Failed(f"{server}, {workload.name}: the answer is {shape}; "
                         f"{other}'s is {expected}")
        if shape.size != expected.size:
            self.remarks.append(f"{workload.name}: {server} answers with {shape.size} octets, "
                                f"{other} with {expected.size}.")

    @staticmethod
    def draws(running: Running, workload: Workload):
        """The weighted answers follow the weights, and leave a region whose checks fail."""
        def drawn(n):
            return [running.ask(workload.owner).addresses[0] for _ in range(n)]

        total = sum(APP.values())
        seen = drawn(DRAWS)
        for address, weight in APP.items():
            share, expected = seen.count(address) / DRAWS, weight / total
            # Four standard deviations.
            if abs(share - expected) > 4 * (expected * (1 - expected) / DRAWS) ** 0.5:
                raise Failed(f"{running.server.name}: {address} is drawn {share:.3f}, "
                             f"not {expected:.3f}")
        if not running.server.health:
            return
        broken = next(iter(APP))
        running.targets.broken.add(broken)
        try:
            running.wait_for(f"answers without the broken {broken}", INTERVAL_SECS * (FALL + 2) + 5,
                             lambda: broken not in drawn(50))
        finally:
            running.targets.broken.clear()

    def subnets(self, running: Running, workload: Workload):
        """Clients of each continent get its addresses, and the scope holds only such clients."""
        server, widest = running.server.name, 0
        for net in self.networks():
            group = self.group(self.database.continent(int(net.network_address)))
            reply = running.ask(workload.owner, subnet=str(net))
            if not set(reply.addresses) <= set(GEO[group]):
                raise Failed(f"{server}: {net} is in {group or 'no group'} and was answered "
                             f"{reply.addresses}")
            if reply.scope is None or not self.alike(net, reply.scope):
                raise Failed(f"{server}: {net} was answered with scope {reply.scope}, "
                             "where not all clients are answered alike")
            widest += not self.alike(net, reply.scope - 1)
        self.remarks.append(f"ecs: {server}'s scope is as wide as it can be for {widest} of "
                            f"{SUBNETS} client networks.")

    @staticmethod
    def networks() -> list:
        """Random clients of the public address space; what is private is nowhere."""
        rng, found = random.Random(1), []
        while len(found) < SUBNETS:
            net = ipaddress.ip_network((rng.randrange(1 << 24) << 8, 24))
            if net.is_global and not net.is_multicast:
                found.append(net)
        return found

    def alike(self, net, scope: int) -> bool:
        """Whether all clients within the scope belong to one group."""
        if scope < 0:
            return False
        around = net.supernet(new_prefix=scope) if scope < 24 else net
        return self.database.uniform(around, self.group)

    @staticmethod
    def group(continent: str) -> str:
        return continent if continent in GEO else ""

    def summary(self) -> str:
        return (f"Answers are equivalent in {len(self.first)} workloads (records, rcode, AA, TC, "
                "TTL), and those that are weighted follow the weights and, if checked, health.")
