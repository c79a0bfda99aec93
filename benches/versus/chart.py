"""The bar chart of the README, as SVG: CPU ns a query by server, the floor as a line."""

import statistics
from html import escape

from report import FLOOR, OURS, Results, is_quiet

# Workload → what a reader calls it.
TITLES = {
    "static": "Static names",
    "names": "100,000 names, by Zipf's law",
    "nxdomain": "Names that do not exist, all different",
    "geo": "Weighted by health, share and where the client is",
    "ecs": "The same, a random client subnet in each query",
}
# What a peer leaves out of the work that a title names.
LESS = {
    ("Knot", "geo"): "no weights, no health checks", ("Knot", "ecs"): "no weights, no health checks",
    ("PowerDNS", "geo"): "no health checks", ("PowerDNS", "ecs"): "no health checks",
}
# Bars end at so many times the floor; the figure beside them is the whole one.
CUT = 4
WIDTH, LEFT, RIGHT = 740, 84, 180
BAR, STEP, HEAD, TOP, BOTTOM = 14, 19, 30, 30, 30

# Read in light and dark mode; an image does not know the page's colours, only the reader's.
STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.head { font-weight: 600; }
.ours { fill: #0969da; }
.peer { fill: #8c959f; }
.floor { stroke: #cf222e; stroke-dasharray: 4 3; }
.said { fill: #cf222e; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .ours { fill: #4493f8; }
  .peer { fill: #6e7681; }
  .floor { stroke: #ff7b72; }
  .said { fill: #ff7b72; }
}"""


def draw(results: Results) -> str:
    """The whole file; workloads and servers without figures are left out."""
    floor = results.cpu(FLOOR, "static")
    longest = CUT * floor if floor else max(
        statistics.median(r.cpu_ns for r in rounds) for rounds in results.by.values())
    scale = (WIDTH - LEFT - RIGHT) / longest
    parts, y = [], TOP
    for workload, title in TITLES.items():
        figures = bars(results, workload)
        if not figures:
            continue
        parts.append(label(0, y + 20, title, "head"))
        y += HEAD
        top = y
        for server, cpu in figures:
            parts += bar(server, workload, cpu, y, scale, longest)
            y += STEP
        if floor:
            x = LEFT + floor * scale
            parts.append(f'<line class="floor" x1="{x:.1f}" y1="{top - 3}" x2="{x:.1f}" y2="{y}"/>')
    if floor:
        said = f"the floor: {floor:,.0f}, what the kernel takes"
        parts.append(label(LEFT + floor * scale, TOP - 14, said, "said", "middle"))
    parts.append(label(0, y + 22, "CPU time of the server for one answer over UDP, in nanoseconds: "
                       + grounds(results)))
    about = "Bars of CPU nanoseconds a query, by server and workload; shorter is better."
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + BOTTOM}" '
        f'width="{WIDTH}" height="{y + BOTTOM}" role="img">',
        f"<title>{about}</title>", f"<style>{STYLE}</style>", *parts, "</svg>", ""))


def grounds(results: Results) -> str:
    """What the figures rest on."""
    rounds = len({r.round for r in results.rounds})
    disturbed = "" if is_quiet(results.rounds) else ", on a machine that was not quiet"
    return f"medians of {rounds} round{'s' if rounds > 1 else ''}{disturbed}"


def bars(results: Results, workload: str) -> list:
    """Servers and medians, ours first."""
    found = [(server, results.cpu(server, workload)) for server, load in results.by
             if load == workload and (server == OURS or not server.startswith((OURS, FLOOR)))]
    return sorted(found, key=lambda each: each[0] != OURS)


def bar(server: str, workload: str, cpu: float, y: int, scale: float, longest: float) -> list:
    kind, middle = "ours" if server == OURS else "peer", y + BAR - 3
    end = LEFT + min(cpu, longest) * scale
    parts = [label(LEFT - 8, middle, server, anchor="end"),
             f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{end - LEFT:.1f}" height="{BAR}"/>']
    said = f"→ {cpu:,.0f}" if cpu > longest else f"{cpu:,.0f}"
    if less := LESS.get((server, workload)):
        said += f" ({less})"
    return [*parts, label(end + 6, middle, said)]


def label(x: float, y: float, said: str, kind: str = "", anchor: str = "start") -> str:
    name = f' class="{kind}"' if kind else ""
    return f'<text{name} x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(said)}</text>'
