//! What is told of a question, for people.

use std::fmt::Write as _;

use crate::app::explain::From;
use crate::dns::{RecordText, Reply};
use crate::routing::Reason;
use crate::routing::explain::{Answers, Client, Explanation, Health, Region};

use super::Told;
use super::path::{family, lines};

/// The whole text; of a running server, which looks at all regions that are not assumed to be down.
pub(super) fn render(told: &Told, live: bool) -> String {
    let mut out = format!("{} {}\n", told.name, told.qtype);
    match &told.from {
        Some(from) => _ = writeln!(out, "  from {from}"),
        None => out += "  from a client of whom nothing is known (see --from)\n",
    }
    match &told.down {
        down if down.is_empty() => {}
        down => {
            let rest = if live { "as it is" } else { "up" };
            let _ = writeln!(out, "  with {} down, and all else {rest}", down.join(", "));
        }
    }
    if let Some(reply) = &told.reply {
        static_answer(told, reply, &mut out);
    }
    if let Some(explanation) = &told.explanation {
        dynamic_answer(told, explanation, &mut out);
    }
    out
}

fn dynamic_answer(told: &Told, explanation: &Explanation, out: &mut String) {
    client(told, &explanation.client, out);
    if !told.chain.is_empty() {
        out.push_str("\nled on by\n");
        records(&told.chain, out);
    }
    if told.anew {
        *out += "  another zone begins here: resolvers ask for the last name anew\n";
    }
    let _ = writeln!(out, "\nrecord {}", explanation.record);
    if explanation.sticky {
        *out +=
            "  sticky: a client network keeps to its region; shares are those of all networks\n";
    }
    if let Some(keeps_to) = &told.keeps_to {
        let to = if keeps_to.is_empty() { "an empty answer".into() } else { keeps_to.join(", ") };
        let _ = writeln!(out, "  this network keeps to {to}");
    }
    let on_all_down = Some(&*explanation.on_all_down);
    if let Some(reason) = reason(explanation.reason, family(explanation), on_all_down) {
        let _ = writeln!(out, "  {reason}");
    }
    let path = lines(explanation);
    if !path.is_empty() {
        *out += "\npath, each line with its share of the answers\n";
        path.iter().for_each(|line| _ = writeln!(out, "{line}"));
    }
    // A CNAME is the same in both families.
    let of = if explanation.regions.iter().any(|region| region.cname.is_some()) {
        "every type"
    } else {
        family(explanation)
    };
    let _ = writeln!(out, "\nregions, for {of}");
    regions(&explanation.regions, out);
    *out += "\nanswers\n";
    answers(&explanation.answers, told.from.is_some(), out);
}

/// What is known of the client, and by whom.
fn client(told: &Told, client: &Client, out: &mut String) {
    if client.scope.is_none() && matches!(told.from, Some(From::ClientSubnet(_))) {
        *out += "  geo.client_subnet is off: the subnet is not looked at\n";
    }
    let mut place: Vec<String> = [client.subdivision.clone(), client.country.clone()]
        .into_iter()
        .chain([client.continent.clone()])
        .flatten()
        .collect();
    if let (Some(latitude), Some(longitude)) = (client.latitude, client.longitude) {
        place.push(format!("at {latitude:.2}, {longitude:.2}"));
    }
    match &client.located_by {
        Some(by) => _ = writeln!(out, "  located in {} by {by}", place.join(", ")),
        None if told.from.is_some() => *out += "  located nowhere: no source knows it\n",
        None => {}
    }
    if let (Some(asn), Some(by)) = (client.asn, &client.asn_by) {
        let _ = writeln!(out, "  of AS{asn} by {by}");
    }
    match client.class {
        Some(class) => {
            let _ = writeln!(out, "  in class {class} of the {} told apart here", client.classes);
        }
        None => *out += "  all clients are alike to this record\n",
    }
    if client.mixed {
        *out +=
            "  not all clients of this prefix are alike: this is what it is answered as a whole\n";
    }
}

/// A rule that decided, in words; nothing where all is as it should be.
pub(super) fn reason(reason: Reason, family: &str, on_all_down: Option<&str>) -> Option<String> {
    let setting = on_all_down.map_or_else(String::new, |to| format!(" (on_all_down = {to})"));
    Some(match reason {
        Reason::Available => return None,
        Reason::NoFamily => {
            format!("no region has an {family} address: NODATA, and nothing is wrong")
        }
        Reason::Drained => {
            "all others are down: what is up but drained or held back is served".into()
        }
        Reason::OpenLive => {
            format!("all down: served as if what has any address up were up{setting}")
        }
        Reason::LastGood => format!("all down: served by the last good health{setting}"),
        Reason::Open => format!("all down: served as if all were up{setting}"),
        Reason::Closed => format!("all down: NODATA{setting}"),
        Reason::Instead => format!("all down: something else is served instead{setting}"),
        Reason::Unresolved => {
            "no alias could be looked up yet, and there is nothing else: SERVFAIL".into()
        }
        Reason::Nothing => format!("all down, and nothing at all may be served: NODATA{setting}"),
    })
}

fn regions(regions: &[Region], out: &mut String) {
    let standing = |region: &Region| match region.health {
        Health::NoPart => "takes no part: no endpoints in this record".to_string(),
        Health::NoAddress => "no address".into(),
        Health::NotLookedUp => String::new(),
        Health::Up | Health::Down => {
            let word = if region.health == Health::Up { "up" } else { "down" };
            let noun = if region.addresses == 1 { "address" } else { "addresses" };
            match &region.cname {
                Some(_) => word.into(),
                None => format!("{word}, {} of {} {noun}", region.up, region.addresses),
            }
        }
    };
    let standing = |region: &Region| {
        let standing = standing(region);
        match (&region.alias, &region.cname) {
            (Some(alias), _) if region.health == Health::NotLookedUp => {
                format!("alias {alias} (not looked up)")
            }
            (Some(alias), _) => format!("{standing}, alias {alias}"),
            (None, Some(cname)) => format!("{standing}, CNAME {cname}"),
            (None, None) => standing,
        }
    };
    let width = |text: &dyn Fn(&Region) -> String| {
        regions.iter().map(|region| text(region).chars().count()).max().unwrap_or_default()
    };
    let (names, standings) = (width(&|region| region.name.clone()), width(&standing));
    for region in regions {
        let ring = match region.ring_share {
            share if share > 0.0 => format!(", in a ring for {}", percent(share)),
            _ => String::new(),
        };
        let _ = writeln!(
            out,
            "  {:names$}  {:standings$}  weight {:>5}  share {}{ring}",
            region.name,
            standing(region),
            region.weight,
            percent(region.share),
        );
    }
}

fn answers(answers: &[Answers], known: bool, out: &mut String) {
    let width = answers.iter().map(|answer| percent(answer.share).chars().count()).max();
    for answer in answers {
        let addresses: Vec<String> = answer.addresses.iter().map(ToString::to_string).collect();
        let what = match (addresses.as_slice(), &answer.cname, &answer.not_looked_up) {
            (_, Some(cname), _) => format!("CNAME {cname}"),
            (_, None, Some(alias)) => format!("the addresses of {alias}, not looked up"),
            (addresses, ..) => told(addresses, answer),
        };
        let from = match answer.regions.as_slice() {
            [] => String::new(),
            regions => format!(" ({})", regions.join(", ")),
        };
        // For a client of whom nothing is known the scope says something only if it is everyone.
        let scope = match answer.scope {
            Some(scope) if known || scope == 0 => format!(", scope /{scope}"),
            _ => String::new(),
        };
        let (share, width) = (percent(answer.share), width.unwrap_or_default());
        let _ = writeln!(out, "  {share:>width$}  {what}{from}, TTL {} s{scope}", answer.ttl);
    }
}

/// Addresses, and how they are given.
fn told(addresses: &[String], answer: &Answers) -> String {
    match addresses {
        [] => "NODATA".to_string(),
        [one] => one.clone(),
        all if answer.sets > 1 => {
            let (at_once, each) = (answer.at_once, percent(answer.probability));
            format!("{at_once} in a row of the ring {}, each start {each}", all.join(", "))
        }
        all => format!("{} in any turn", all.join(", ")),
    }
}

/// What is served where no policy decides.
fn static_answer(told: &Told, reply: &Reply, out: &mut String) {
    let is = |rtype: &str| reply.authority.iter().any(|record| record.rtype == rtype);
    let dynamic = !["A", "AAAA"].contains(&&*told.qtype);
    let what = match (&*reply.rcode, reply.answer.is_empty()) {
        ("NXDOMAIN", true) => "NXDOMAIN: there is no such name",
        ("NXDOMAIN", false) => "NXDOMAIN: the name that this leads to does not exist",
        ("YXDOMAIN", _) => "YXDOMAIN: the DNAME makes the name too long",
        (_, true) if is("NS") => "a referral: the name is delegated",
        (_, false) if is("NS") => {
            "static, and then a referral: the name that this leads to is delegated"
        }
        (_, true) if dynamic => "NODATA: the name has no such records",
        (_, true) => "NODATA: the name has no addresses",
        (_, false) if is("SOA") => {
            "static, and then NODATA: the name that this leads to has no such records"
        }
        (_, false) => "static: no policy has a part in it",
    };
    let _ = writeln!(out, "\n{what}");
    records(&reply.answer, out);
    records(&reply.authority, out);
    records(&reply.additional, out);
    if let Some(record) = &told.dynamic {
        let _ = writeln!(out, "  the record {record} has A and AAAA, by policy");
    }
}

fn records(records: &[RecordText], out: &mut String) {
    for RecordText { name, ttl, rtype, data } in records {
        let _ = writeln!(out, "  {name} {ttl} {rtype} {data}");
    }
}

/// A share in percent, with no more than two decimals.
pub(super) fn percent(share: f64) -> String {
    // What rounding makes of a whole is a whole.
    match (share * 1e9).round() / 1e7 {
        little if little > 0.0 && little < 0.005 => "<0.01 %".into(),
        nearly if nearly < 100.0 && nearly > 99.995 => ">99.99 %".into(),
        percent => format!("{} %", number(percent)),
    }
}

/// With no more than two decimals, and none that are zero.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}
