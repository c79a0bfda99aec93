"""What the rounds come to: tables, goals, remarks. Plain functions of the rounds."""

import csv
import statistics
from dataclasses import asdict, dataclass, fields

from measure import TICK, Round
from workloads import WORKLOADS

FLOOR, GDNSD, OURS = "floor", "gdnsd", "trimtab"
# Of a measurement's time: above this, something else was running on the server's core.
DISTURBED_MAX = 0.01
# Of all measurements: with more of them disturbed, the machine was not quiet.
EXCEPTIONS_MAX = 0.1
# Of a server's time: below this, it was the generator that was measured.
BUSY_MIN = 0.95
ROUNDS_MIN = 5


class Results:
    """The rounds, by server and workload."""

    def __init__(self, rounds: list):
        self.rounds = rounds
        self.by = {}
        for each in rounds:
            self.by.setdefault((each.server, each.workload), []).append(each)
        self.floors = {(r.round, r.scene): r for r in rounds if r.server == FLOOR}

    def of(self, server: str, workload: str) -> list:
        return self.by.get((server, workload), [])

    def cpu(self, server: str, workload: str) -> float | None:
        """The median of CPU ns a query."""
        rounds = self.of(server, workload)
        return statistics.median(r.cpu_ns for r in rounds) if rounds else None

    def ratios(self, one: tuple, other: tuple, figure: str = "cpu_ns") -> list:
        """Of one server and workload to another, within each round."""
        others = {r.round: r for r in self.of(*other)}
        return [getattr(r, figure) / getattr(others[r.round], figure)
                for r in self.of(*one) if r.round in others]

    def to_floor(self, server: str, workload: str) -> list:
        """Ratios to the floor of the same round and scene; over TCP there is none."""
        if "--tcp" in WORKLOADS[workload].how:
            return []
        return [r.cpu_ns / self.floors[r.round, r.scene].cpu_ns
                for r in self.of(server, workload) if (r.round, r.scene) in self.floors]

    def user_ns(self, server: str, workload: str) -> tuple[float, float]:
        """User ns a query and its uncertainty: ticks, so only all rounds together resolve it."""
        rounds = self.of(server, workload)
        answers = sum(r.answers for r in rounds)
        user, tick = sum(r.user_secs for r in rounds) * 1e9 / answers, TICK * 1e9 / answers
        return user, (max(user, tick) * tick) ** 0.5

    def lost(self, server: str, workload: str) -> int:
        return sum(r.lost for r in self.of(server, workload))


def write_csv(file, rounds: list):
    """A line for every measurement."""
    writer = csv.DictWriter(file, fieldnames=[field.name for field in fields(Round)])
    writer.writeheader()
    writer.writerows(map(asdict, rounds))


def read_csv(file) -> list:
    """What `write_csv` has written."""
    return [Round(**{field.name: field.type(row[field.name]) for field in fields(Round)})
            for row in csv.DictReader(file)]


def median(values, form: str = ".3f") -> str:
    values = list(values)
    return format(statistics.median(values), form) if values else "-"


def table(lines: list) -> str:
    """Rows of texts as a table in Markdown, the first one its head."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    rows = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
            for line in lines]
    rows.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(rows)


def costs(results: Results) -> str:
    """What an answer costs: the workloads that keep the server's core busy."""
    lines = [("workload", "server", "CPU ns a query", "min..max", "x floor", "x gdnsd", "user ns",
              "queries/s", "busy", "lost", "p50 us", "p99 us")]
    for server, workload in in_order(results, saturating=True):
        rounds = results.of(server, workload)
        cpu = [r.cpu_ns for r in rounds]
        user, give = results.user_ns(server, workload)
        lines.append((
            workload, server, median(cpu, ".0f"), f"{min(cpu):.0f}..{max(cpu):.0f}",
            median(results.to_floor(server, workload)),
            median(results.ratios((server, workload), (GDNSD, workload))),
            f"{user:.0f} ± {give:.0f}", median((r.queries_per_sec for r in rounds), ".0f"),
            median((r.busy for r in rounds), ".0%"), str(results.lost(server, workload)),
            median((r.p50_us for r in rounds), ".0f"), median((r.p99_us for r in rounds), ".0f")))
    return table(lines)


def losses(results: Results) -> str:
    """What is lost at a given rate."""
    lines = [("workload", "server", "answers", "lost", "queries/s", "p50 us", "p99 us", "reloads")]
    for server, workload in in_order(results, saturating=False):
        rounds = results.of(server, workload)
        happened = sum(r.happened for r in rounds)
        lines.append((
            workload, server, str(sum(r.answers for r in rounds)),
            str(results.lost(server, workload)), median((r.queries_per_sec for r in rounds), ".0f"),
            median((r.p50_us for r in rounds), ".0f"), median((r.p99_us for r in rounds), ".0f"),
            str(happened) if happened else "-"))
    return table(lines) if len(lines) > 1 else ""


def in_order(results: Results, saturating: bool) -> list:
    """Servers and workloads, by workload, servers in the order of the rounds."""
    return sorted((key for key in results.by if WORKLOADS[key[1]].saturates == saturating),
                  key=lambda key: list(WORKLOADS).index(key[1]))


@dataclass(frozen=True)
class Goal:
    """A goal, what was measured of it, and whether that is enough."""

    what: str
    figure: str
    reached: bool

    def __str__(self):
        return f"{'yes' if self.reached else 'NO ':3}  {self.what}: {self.figure}"


def goals(results: Results) -> list:
    """Those goals of which this run has figures."""
    found = []

    def at_most(what: str, limit: float, values: list):
        if values:
            figure = statistics.median(values)
            found.append(Goal(f"{what}, at most {limit}",
                              f"{figure:.3f} ({min(values):.3f}..{max(values):.3f})",
                              figure <= limit))

    at_most("weighted and geolocation answers x floor", 1.06, results.to_floor(OURS, "geo"))
    at_most("weighted and geolocation answers x gdnsd's", 0.97,
            results.ratios((OURS, "geo"), (GDNSD, "geo")))
    for server in dict.fromkeys(r.server for r in results.rounds):
        if not server.startswith((OURS, FLOOR)):
            at_most(f"weighted and geolocation answers x {server}'s static ones", 1,
                    results.ratios((OURS, "geo"), (server, "static")))
    if results.of(OURS, "geo"):
        user, give = results.user_ns(OURS, "geo")
        found.append(Goal("user ns of such an answer, at most 100", f"{user:.0f} ± {give:.0f}",
                          user <= 100))
    for workload, plain in (("nxdomain", "static"), ("names", "static"), ("ecs", "geo")):
        at_most(f"{workload} x {plain}", 1.10, results.ratios((OURS, workload), (OURS, plain)))
    slower = results.ratios((OURS, "flips"), (OURS, "steady"), "queries_per_sec")
    at_most("queries a second without flips x with flips", 1.03, [1 / ratio for ratio in slower])
    for workload in ("flips", "reload", "burst"):
        if results.of(OURS, workload):
            lost = results.lost(OURS, workload)
            found.append(Goal(f"{workload}: none lost", str(lost), lost == 0))
    return found


def remarks(results: Results) -> list:
    """How far the figures are to be trusted."""
    said, rounds = [], results.rounds
    if disturbed := [r.disturbed for r in rounds if r.disturbed > DISTURBED_MAX]:
        quiet = "A few were disturbed" if is_quiet(rounds) else "Not a quiet machine"
        said.append(f"{quiet}: in {len(disturbed)} of {len(rounds)} measurements something else "
                    f"ran on the server's core, up to {max(disturbed):.0%} of the time.")
    idle = [key for key in in_order(results, saturating=True)
            if statistics.median(r.busy for r in results.of(*key)) < BUSY_MIN]
    if idle:
        said.append(f"The server was not busy, so that its batches were smaller, in: "
                    f"{', '.join(map('/'.join, idle))}.")
    for (server, workload), of in results.by.items():
        if wrong := sum(r.wrong for r in of):
            said.append(f"{server}/{workload}: {wrong} wrong answers. Its figures are void.")
        if workload == "flips":
            said.append(f"{server}: health flipped {median(map(flips_a_second, of), '.1f')} times a "
                        "second.")
    if len({r.round for r in rounds}) < ROUNDS_MIN:
        said.append(f"Fewer than {ROUNDS_MIN} rounds: take the figures for a smoke test.")
    return said


def is_quiet(rounds: list) -> bool:
    """Whether hardly anything else ran on the servers' core; medians bear a few exceptions."""
    return sum(r.disturbed > DISTURBED_MAX for r in rounds) <= EXCEPTIONS_MAX * len(rounds)


def flips_a_second(flips: Round) -> float:
    return flips.happened * flips.queries_per_sec / flips.answers
