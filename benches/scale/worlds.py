"""What the servers are loaded with: zone files, and configurations of dynamic records."""

import random
from pathlib import Path

ZONE = "scale.test"
# Behind all others in the file: when it is answered, all is.
LAST = f"last.{ZONE}"
FIRST, SECOND = "192.0.2.1", "192.0.2.2"
REGIONS, TREES, RULES = 12, 10, 249
SEED = 1


def ipv4(n: int, first: int = 10) -> str:
    return f"{first}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"


def ipv6(n: int) -> str:
    return f"2001:db8::{n >> 16:x}:{n & 65535:x}"


def plain(n: int) -> str:
    """An address."""
    return f"h{n} A {ipv4(n)}\n"


def mixed(n: int) -> str:
    """What a large zone has: one to four records, aliases, mail, services, delegations."""
    turn, a = n % 20, ipv4(n)
    if turn < 8:
        return f"h{n} A {a}\n"
    if turn < 13:
        return f"h{n} A {a}\n\tAAAA {ipv6(n)}\n"
    if turn < 15:
        return f"h{n} CNAME h{n - turn}\n"
    if turn < 17:
        return (f"h{n} MX 10 mx1.example.net.\n\tMX 20 mx2.example.net.\n"
                f"\tTXT \"v=spf1 include:example.net -all\"\n\tA {a}\n")
    if turn < 18:
        return f"www.h{n} A {a}\n"
    if turn < 19:
        return f"h{n} NS ns.h{n}\n\tNS ns1.example.net.\nns.h{n} A {a}\n"
    return f"_s._tcp.h{n} SRV 1 2 443 h{n - turn}\n"


ZONES = {"an A record each": plain, "mixed": mixed}


def write_zone(path: Path, kind: str, names: int, serial: int, last: str):
    with path.open("w") as file:
        file.write(f"$ORIGIN {ZONE}.\n$TTL 300\n@ SOA ns1 hostmaster {serial} 900 900 86400 60\n"
                   f"@ NS ns1\nns1 A {FIRST}\n")
        file.writelines(map(ZONES[kind], range(names)))
        file.write(f"last A {last}\n")


def write_questions(path: Path, names: int, count: int):
    """Names that are there, in no order, for dnsperf."""
    draw = random.Random(SEED)
    with path.open("w") as file:
        file.writelines(f"h{draw.randrange(names)}.{ZONE} A\n" for _ in range(count))


def trimtab_shared(records: int) -> str:
    """Records behind ten trees of 250 classes over twelve regions."""
    out = [f"[regions.r{n}]\naddresses = [\"127.0.1.{n + 1}\", \"{ipv6(n)}\"]\n"
           for n in range(REGIONS)]
    pairs = set()
    for tree in range(TREES):
        weights = ", ".join(f"r{n} = {1 + (n + tree) % 7}" for n in range(REGIONS))
        rules = []
        for rule in range(RULES):
            pair = rule % REGIONS, (rule + 1 + tree) % REGIONS
            pairs.add(pair)
            rules.append(f"{{ prefix = \"10.{rule}.0.0/16\", to = \"o{pair[0]}-{pair[1]}\" }}")
        out.append(f"[policies.w{tree}]\ntype = \"weighted\"\nweights = {{ {weights} }}\n"
                   f"[policies.f{tree}]\ntype = \"geolocation\"\ndefault = \"w{tree}\"\n"
                   f"rules = [{', '.join(rules)}]\n")
    out += [f"[policies.o{a}-{b}]\ntype = \"failover\"\norder = [\"r{a}\", \"r{b}\"]\n"
            for a, b in sorted(pairs)]
    out += [f"[[records]]\nname = \"r{n}.{ZONE}\"\npolicy = \"f{n % TREES}\"\n"
            for n in range(records)]
    return "".join(out)


def trimtab_own(records: int) -> str:
    """Records with two pools of their own."""
    out = [f"[regions.r{n}]\naddresses = [\"127.0.1.{n + 1}\"]\n" for n in range(2)]
    out += [f"[[records]]\nname = \"r{n}.{ZONE}\"\npolicy = \"weighted\"\n[records.endpoints]\n"
            f"r0 = [\"{ipv4(n, 10)}\"]\nr1 = [\"{ipv4(n, 11)}\"]\n" for n in range(records)]
    return "".join(out)


def gdnsd_shared(records: int) -> tuple:
    """The same records over ten weighted resources; as plugins, and as lines of a zone file."""
    def resource(tree: int) -> str:
        members = "\n".join(f"    r{n} = [ 127.0.1.{n + 1}, {1 + (n + tree) % 7} ]"
                            for n in range(REGIONS))
        return f"  f{tree} => {{\n    service_types = up\n{members}\n  }}\n"
    plugin = "".join(map(resource, range(TREES)))
    return plugin, "".join(f"r{n} DYNA weighted!f{n % TREES}\n" for n in range(records))


def gdnsd_own(records: int) -> tuple:
    """A weighted resource of two addresses for each record."""
    def resource(n: int) -> str:
        return (f"  f{n} => {{\n    service_types = up\n    a = [ {ipv4(n, 10)}, 1 ]\n"
                f"    b = [ {ipv4(n, 11)}, 1 ]\n  }}\n")
    plugin = "".join(map(resource, range(records)))
    return plugin, "".join(f"r{n} DYNA weighted!f{n}\n" for n in range(records))


DYNAMIC = {
    "on shared pools": (trimtab_shared, gdnsd_shared),
    "with pools of their own": (trimtab_own, gdnsd_own),
}
