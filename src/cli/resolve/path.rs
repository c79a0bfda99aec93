//! The path through the policies as lines of a tree, each with its share of the answers.

use crate::routing::explain::{
    Compared, ComparedBy, Drained, Explanation, Figure, Forcibly, InPlace, Keys, Kind, Outcome,
    Part, Step,
};

use super::text::{number, percent, reason};

/// A line: its share unless nothing was asked there, how deep it stands, and what it says.
struct Line {
    share: Option<f64>,
    depth: usize,
    text: String,
}

/// The lines of the path, shares in one column.
pub(super) fn lines(explanation: &Explanation) -> Vec<String> {
    let Some(root) = &explanation.path else { return Vec::new() };
    let mut tree = Tree { family: family(explanation), lines: Vec::new() };
    tree.step(root, String::new(), 0, false);
    for drained in &explanation.drained {
        let text = format!("with {}", with(drained));
        tree.line(Some(drained.share), 0, text);
        if let Some(path) = &drained.path {
            tree.step(path, String::new(), 1, false);
        }
    }
    let share = |line: &Line| line.share.map_or_else(|| "-".into(), percent);
    let width = tree.lines.iter().map(|line| share(line).chars().count()).max().unwrap_or_default();
    let line = |line: &Line| {
        format!("  {:>width$}  {}{}", share(line), "  ".repeat(line.depth), line.text)
    };
    tree.lines.iter().map(line).collect()
}

/// What sets a part of the answers apart.
fn with(part: &Drained) -> String {
    let drained =
        (!part.regions.is_empty()).then(|| format!("{} drained", part.regions.join(", ")));
    let in_place = |InPlace { region, of }: &InPlace| format!("{region} in the place of {of}");
    let all: Vec<String> = part.shifted.iter().map(in_place).chain(drained).collect();
    all.join(", ")
}

/// The family as sentences name it.
pub(super) fn family(explanation: &Explanation) -> &'static str {
    if explanation.family == "ipv6" { "IPv6" } else { "IPv4" }
}

struct Tree {
    family: &'static str,
    lines: Vec<Line>,
}

impl Tree {
    fn line(&mut self, share: Option<f64>, depth: usize, text: String) {
        self.lines.push(Line { share, depth, text });
    }

    /// A node behind a label; its weight is told where there is something to weigh it against.
    fn step(&mut self, step: &Step, label: String, depth: usize, weighed: bool) {
        let mut text = label + &title(step);
        if let Some(weight) = step.weight.filter(|_| weighed) {
            text += &format!(" (weight {weight})");
        }
        if let Some(figure) = &step.figure {
            text += &format!(", {}", figure_text(figure));
        }
        if let Some(outcome) = self.outcome(step) {
            text += &format!(", {outcome}");
        }
        let asked = !matches!(step.outcome, Outcome::NotNeeded | Outcome::StandsBy);
        self.line(asked.then_some(step.share), depth, text);
        for part in &step.parts {
            self.part(step, part, depth + 1);
        }
    }

    fn part(&mut self, of: &Step, part: &Part, depth: usize) {
        let several = part.members.len() > 1;
        let label = label(&part.part);
        if let Some(reason) = part.reason.and_then(|r| reason(r, self.family, None)) {
            self.line(None, depth, format!("inside the fence: {reason}"));
        }
        match part.members.as_slice() {
            members if part.part == Kind::Members => {
                members.iter().for_each(|member| self.step(member, String::new(), depth, several));
            }
            [] => self.line(Some(part.share), depth, format!("{label}: nodata, an empty answer")),
            [member] => self.step(member, format!("{label}: "), depth, false),
            members => {
                let within = match (&part.part, &of.compared) {
                    (Kind::Band(_), Some(compared)) => within(compared, &of.policy),
                    _ => String::new(),
                };
                let asked = part.outcome != Outcome::NotNeeded;
                let text = format!("{label}{within}, by weight");
                self.line(asked.then_some(part.share), depth, text);
                members.iter().for_each(|member| self.step(member, String::new(), depth + 1, true));
            }
        }
        if part.nodata > 0.0 && !part.members.is_empty() {
            let text = "in its place: an empty answer".to_string();
            self.line(Some(part.nodata), depth + 1, text);
        }
    }

    /// What came of a node, where its share does not say so.
    fn outcome(&self, step: &Step) -> Option<String> {
        let is_region = step.policy == "region";
        if let Some(forced) = step.forced {
            return Some(forced_text(forced, step));
        }
        let partly = step.health.filter(|health| *health > 0.0 && *health < 1.0);
        Some(match step.outcome {
            Outcome::Used if !is_region => return None,
            Outcome::Used => match (step.health, partly) {
                (_, Some(health)) => format!("{} up", percent(health)),
                (Some(0.0), _) => "down, but counted as up".into(),
                _ => "up".into(),
            },
            Outcome::Down if is_region => "down".into(),
            Outcome::Down => "nothing up".into(),
            Outcome::TooFew => "too few of its members up".into(),
            Outcome::OfferedBefore => "asked before".into(),
            Outcome::NoAddress => format!("no {} address", self.family),
            Outcome::NoPart => "takes no part".into(),
            Outcome::StandsBy => "stands by".into(),
            Outcome::NotNeeded => "not needed".into(),
        })
    }
}

/// A state that an operator forces, and the health behind it.
fn forced_text(forced: Forcibly, step: &Step) -> String {
    let word = match forced {
        Forcibly::Up => "forced up",
        Forcibly::Drained => "drained",
        Forcibly::Down => "forced down",
    };
    match step.health {
        Some(health) if health > 0.0 => format!("{word} (observed up)"),
        Some(_) => format!("{word} (observed down)"),
        None => word.into(),
    }
}

/// The name and, of a policy, the type.
fn title(step: &Step) -> String {
    let policy = match (&step.compared, step.ring.as_slice()) {
        (Some(compared), _) => format!("{}{}", step.policy, compared_text(compared)),
        (None, []) => step.policy.to_string(),
        (None, ring) => format!("{}, a ring of {}", step.policy, ring.join(", ")),
    };
    match &step.name {
        Some(name) if step.policy == "region" => match &step.in_place_of {
            Some(of) => format!("{name} in the place of {of}"),
            None => name.clone(),
        },
        // A record may name a policy by its type.
        Some(name) if *name != step.policy => format!("{name}: {policy}"),
        _ => policy,
    }
}

fn label(kind: &Kind) -> String {
    match kind {
        Kind::Members => String::new(),
        Kind::Tier(number) => format!("tier {number}"),
        Kind::Rule(keys) => format!("rule {}", keys_text(keys)),
        Kind::Default => "default".into(),
        Kind::Band(number) => format!("band {number}"),
    }
}

/// Values shown of one key; a rule may list every country there is.
const VALUES_SHOWN: usize = 6;

fn keys_text(keys: &Keys) -> String {
    let asn: Vec<String> = keys.asn.iter().map(ToString::to_string).collect();
    let all = [
        ("prefix", &keys.prefix),
        ("asn", &asn),
        ("subdivision", &keys.subdivision),
        ("country", &keys.country),
        ("continent", &keys.continent),
    ];
    let given = all.iter().filter(|(_, values)| !values.is_empty());
    let text = |(key, values): &(&str, &Vec<String>)| {
        let shown = values.iter().take(VALUES_SHOWN).map(String::as_str).collect::<Vec<_>>();
        let more = values.len() - shown.len();
        let more = if more > 0 { format!(" or {more} more") } else { String::new() };
        format!("{key} = {}{more}", shown.join(" or "))
    };
    given.map(text).collect::<Vec<_>>().join(", ")
}

fn compared_text(compared: &Compared) -> String {
    match compared.by {
        ComparedBy::Table => " by the table".into(),
        ComparedBy::Distance => {
            let (latitude, longitude) = compared.from.unwrap_or_default();
            let middle = if compared.of_country { ", the middle of its country" } else { "" };
            format!(" by distance from {latitude:.2}, {longitude:.2}{middle}")
        }
        ComparedBy::Probes => " by this nameserver's own probes".into(),
        ComparedBy::Weight => ", of which nothing is known for this client: by weight".into(),
        ComparedBy::Mixed => " by figures that differ within the client's prefix".into(),
    }
}

fn within(compared: &Compared, policy: &str) -> String {
    let unit = if policy == "latency" { "ms" } else { "km" };
    match compared.by {
        ComparedBy::Weight => String::new(),
        _ => format!(", within {} {unit}", number(compared.tolerance)),
    }
}

fn figure_text(figure: &Figure) -> String {
    let mut parts = Vec::new();
    if let Some(rtt_ms) = figure.rtt_ms {
        parts.push(format!("{rtt_ms:.1} ms"));
    }
    if let Some(row) = &figure.row {
        parts.push(format!("(row {row})"));
    }
    if let Some(km) = figure.km {
        parts.push(if figure.rtt_ms.is_some() {
            format!("({km:.0} km)")
        } else {
            format!("{km:.0} km")
        });
    }
    match (figure.bias, figure.biased_km) {
        (Some(bias), Some(biased_km)) if bias != 0 => {
            parts.push(format!("(bias {bias}: {biased_km:.0} km)"));
        }
        (Some(bias), None) if bias != 0 => parts.push(format!("(bias {bias})")),
        _ => {}
    }
    if parts.is_empty() { "distance unknown".into() } else { parts.join(" ") }
}
