"""Tests of what the figures come to: `python3 -m unittest discover benches/versus`."""

import csv
import io
import struct
import unittest
import xml.etree.ElementTree
from dataclasses import fields, replace

import chart
import message
import report
from measure import Round, disturbed

PLAIN = Round(round=1, scene="plain", server="floor", workload="static", cpu_ns=2000.0,
              user_secs=0.1, answers=1_000_000, lost=0, wrong=0, queries_per_sec=500_000.0,
              busy=0.99, disturbed=0.0, p50_us=300.0, p99_us=500.0, happened=0)


def measured(server: str, workload: str, *cpu: float, **other) -> list:
    """A round for each figure."""
    return [replace(PLAIN, round=number, server=server, workload=workload, cpu_ns=ns, **other)
            for number, ns in enumerate(cpu, 1)]


class Figures(unittest.TestCase):
    """Ratios, goals and remarks."""

    def setUp(self):
        # The machine is half as fast in the second round, and for all.
        self.rounds = [*measured("floor", "static", 2000, 4000, 2000),
                       *measured("trimtab", "static", 2100, 4200, 2100),
                       *measured("trimtab", "nxdomain", 2415, 4830, 2415),
                       *measured("gdnsd", "static", 2200, 4400, 2200)]
        self.results = report.Results(self.rounds)

    def test_ratios_are_taken_within_a_round(self):
        for ratio in self.results.ratios(("trimtab", "static"), ("gdnsd", "static")):
            self.assertAlmostEqual(ratio, 2100 / 2200)
        for ratio in self.results.to_floor("trimtab", "static"):
            self.assertAlmostEqual(ratio, 1.05)

    def test_the_floor_is_that_of_the_scene(self):
        rounds = [*measured("floor", "static", 2000), *measured("floor", "static", 3000, scene="x"),
                  *measured("trimtab", "geo", 3300, scene="x")]
        self.assertAlmostEqual(report.Results(rounds).to_floor("trimtab", "geo")[0], 1.1)

    def test_there_is_no_floor_over_tcp(self):
        results = report.Results([*self.rounds, *measured("trimtab", "tcp", 3000)])
        self.assertEqual(results.to_floor("trimtab", "tcp"), [])

    def test_a_goal_is_judged_by_the_median(self):
        goal, = report.goals(self.results)
        self.assertEqual((goal.what, goal.reached), ("nxdomain x static, at most 1.1", False))
        self.assertIn("1.150", goal.figure)

    def test_a_lost_query_misses_the_goal(self):
        for lost in (0, 1):
            results = report.Results(measured("trimtab", "burst", 2000, lost=lost))
            self.assertEqual([goal.reached for goal in report.goals(results)], [lost == 0])

    def test_the_table_has_a_row_for_each_server_and_workload(self):
        rows = report.costs(self.results).splitlines()
        self.assertEqual(len(rows), 2 + 4)
        self.assertEqual(len({len(row) for row in rows}), 1)
        self.assertIn("| 2100 ", rows[3])
        self.assertIn("| 2100..4200 ", rows[3])

    def test_figures_that_cannot_be_trusted_are_named(self):
        self.assertEqual(report.remarks(report.Results(measured("floor", "static", *[1] * 5))), [])
        for fault, said in (({"disturbed": 0.2}, "Not a quiet machine: in 1 of 5"),
                            ({"busy": 0.5}, "floor/static"), ({"wrong": 3}, "3 wrong")):
            found = report.remarks(report.Results(
                [replace(PLAIN, round=number, **(fault if number == 1 or "busy" in fault else {}))
                 for number in range(1, 6)]))
            self.assertEqual(len(found), 1)
            self.assertIn(said, found[0])


class Chart(unittest.TestCase):
    """The drawing."""

    def test_a_bar_is_as_long_as_its_figure_up_to_the_cut(self):
        rounds = [*measured("floor", "static", 1000), *measured("trimtab", "static", 1000),
                  *measured("gdnsd", "static", 2000), *measured("BIND", "static", 9000)]
        drawn = xml.etree.ElementTree.fromstring(chart.draw(report.Results(rounds)))
        wide = [float(rect.get("width")) for rect in drawn.iter("{http://www.w3.org/2000/svg}rect")]
        self.assertAlmostEqual(wide[1], 2 * wide[0], delta=0.2)
        self.assertAlmostEqual(wide[2], chart.CUT * wide[0], delta=0.3)
        said = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
        self.assertIn("→ 9,000", said)

    def test_it_says_what_it_rests_on(self):
        for part, said in ((0.0, "medians of 2 rounds"),
                           (0.2, "medians of 2 rounds, on a machine that was not quiet")):
            rounds = measured("floor", "static", 1000, 1000, disturbed=part)
            self.assertEqual(chart.grounds(report.Results(rounds)), said)


class Accounting(unittest.TestCase):
    """Who had the core."""

    def test_what_siblings_do_disturbs_nobody(self):
        self.assertEqual(disturbed([]), 0)
        self.assertEqual(disturbed([(700, 300), (200, 50), (100, 0)]), 0)
        self.assertEqual(disturbed([(700, 300), (100, 800)]), 200)


class Csv(unittest.TestCase):
    """What was written can be read again."""

    def test_rounds_survive_the_file(self):
        file = io.StringIO()
        report.write_csv(file, [PLAIN])
        file.seek(0)
        self.assertEqual(report.read_csv(file), [PLAIN])
        self.assertEqual(next(csv.reader(io.StringIO(file.getvalue()))),
                         [field.name for field in fields(Round)])


class Messages(unittest.TestCase):
    """Reading replies."""

    def test_a_reply_is_read(self):
        asked = message.query("www.versus.test", subnet="192.0.2.0/24")
        question = asked[12:asked.index(b"\0", 12) + 5]
        record = struct.pack("!HHHIH4B", 0xC00C, 1, 1, 60, 4, 127, 0, 2, 1)
        option = struct.pack("!HHHBB3B", 8, 7, 1, 24, 16, 192, 0, 2)
        opt = struct.pack("!BHHIH", 0, 41, 1232, 0, len(option)) + option
        reply = asked[:2] + struct.pack("!5H", 0x8400, 1, 1, 0, 1) + question + record + opt
        read = message.parse(asked, reply)
        self.assertEqual(read.addresses, ("127.0.2.1",))
        self.assertEqual((read.scope, read.shape.rcode, read.shape.aa), (16, "NOERROR", True))
        self.assertEqual(read.shape.records, ((1, 1, 60),))
        for broken in (reply[:-1], reply + b"\0", b"xx" + reply[2:], reply[:20]):
            with self.assertRaises(ValueError):
                message.parse(asked, broken)


if __name__ == "__main__":
    unittest.main()
