//! A timeline as a picture: share and TTL over the seconds, with the state as a band. SVG, without
//! anything that moves or is fetched.

use std::fmt::Write as _;

use trimtab::control::views::HealthWord;

use super::night::{Look, share};

const WIDTH: f64 = 760.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 48.0;
const TOP: f64 = 44.0;
const HEIGHT: f64 = 220.0;
const BAND: f64 = 18.0;

/// The picture of one region's night.
pub(crate) fn draw(looks: &[Look], region: &str, dies: f64, back: f64) -> String {
    let last = looks.last().map_or(1, |look| look.secs) as f64;
    let x = |secs: f64| LEFT + secs / last * (WIDTH - LEFT - RIGHT);
    let y = |part: f64| TOP + HEIGHT * (1.0 - part);
    let bottom = TOP + HEIGHT;
    let tall = bottom + BAND + 64.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {tall}\" \
         font-family=\"sans-serif\" font-size=\"12\" role=\"img\" \
         aria-label=\"Share and TTL of a region that dies and recovers\">\n\
         <rect width=\"{WIDTH}\" height=\"{tall}\" fill=\"#ffffff\"/>\n"
    );
    for part in [0.0, 0.2, 0.4, 0.6] {
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{x2:.1}\" y2=\"{y:.1}\" stroke=\"#e3e3e3\"/>\
             <text x=\"{tx}\" y=\"{ty:.1}\" text-anchor=\"end\" fill=\"#1f5fa8\">{p:.0} %</text>\
             <text x=\"{rx:.1}\" y=\"{ty:.1}\" fill=\"#a85a1f\">{secs:.0} s</text>",
            y = y(part / 0.7),
            x2 = WIDTH - RIGHT,
            tx = LEFT - 6.0,
            ty = y(part / 0.7) + 4.0,
            rx = WIDTH - RIGHT + 6.0,
            p = part * 100.0,
            secs = part * 100.0,
        );
    }
    for (secs, what) in [(dies, "dies"), (back, "is back")] {
        let _ = writeln!(
            out,
            "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\" stroke=\"#777\" \
             stroke-dasharray=\"4 4\"/><text x=\"{x:.1}\" y=\"{ty}\" text-anchor=\"middle\" \
             fill=\"#444\">{what}</text>",
            x = x(secs),
            ty = TOP - 8.0,
        );
    }
    line(&mut out, "#1f5fa8", looks.iter().map(|l| (x(l.secs as f64), y(share(l, region) / 0.7))));
    line(
        &mut out,
        "#a85a1f",
        looks.iter().map(|l| (x(l.secs as f64), y(f64::from(l.ttl) / 100.0 / 0.7))),
    );
    for pair in looks.windows(2) {
        let [one, next] = pair else { continue };
        let health = one.regions.iter().find(|r| r.name == region).map(|r| r.health);
        let (from, to) = (x(one.secs as f64), x(next.secs as f64));
        let colour = health.map_or("#cccccc", colour);
        let _ = writeln!(
            out,
            "<rect x=\"{from:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{BAND}\" \
             fill=\"{colour}\"/>",
            top = bottom + 6.0,
            width = to - from + 0.2,
        );
    }
    let words = [
        (HealthWord::Up, "up"),
        (HealthWord::InDoubt, "in doubt"),
        (HealthWord::Down, "down"),
        (HealthWord::Degraded, "growing"),
    ];
    for (n, (health, word)) in words.into_iter().enumerate() {
        let left = LEFT + 100.0 * n as f64;
        let _ = writeln!(
            out,
            "<rect x=\"{left}\" y=\"{top}\" width=\"12\" height=\"12\" fill=\"{fill}\"/>\
             <text x=\"{tx}\" y=\"{ty}\" fill=\"#444\">{word}</text>",
            top = bottom + BAND + 38.0,
            fill = colour(health),
            tx = left + 18.0,
            ty = bottom + BAND + 48.0,
        );
    }
    for secs in (0..=last as u64).step_by(30) {
        let _ = writeln!(
            out,
            "<text x=\"{x:.1}\" y=\"{ty}\" text-anchor=\"middle\" fill=\"#444\">{secs} s</text>",
            x = x(secs as f64),
            ty = bottom + BAND + 22.0,
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{LEFT}\" y=\"18\" fill=\"#1f5fa8\">share of {region}</text>\
         <text x=\"{tx}\" y=\"18\" text-anchor=\"end\" fill=\"#a85a1f\">TTL of answers</text>\n</svg>",
        tx = WIDTH - RIGHT,
    );
    out
}

fn line(out: &mut String, colour: &str, points: impl Iterator<Item = (f64, f64)>) {
    let mut path = String::new();
    let mut last_y = None;
    for (x, y) in points {
        // What is in force stays so until something else is.
        match last_y {
            None => drop(write!(path, "M{x:.1} {y:.1}")),
            Some(was) if was == y => drop(write!(path, "H{x:.1}")),
            Some(_) => drop(write!(path, "H{x:.1}V{y:.1}")),
        }
        last_y = Some(y);
    }
    let _ =
        writeln!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>");
}

const fn colour(health: HealthWord) -> &'static str {
    match health {
        HealthWord::Up | HealthWord::Unchecked => "#4f9d5b",
        HealthWord::InDoubt | HealthWord::Unknown => "#e0b13c",
        HealthWord::Degraded | HealthWord::Held => "#8fc2e8",
        HealthWord::Down => "#c0483f",
    }
}
