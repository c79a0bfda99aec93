//! One family: all questions to all servers, over UDP and some of them over TCP.

use std::net::SocketAddr;

use fastrand::Rng;

use crate::exchange::{tcp, udp};
use crate::peers::{PEERS, Peer, Servers};
use crate::questions::{Question, questions};
use crate::reasons::{self, Case};
use crate::reply::{Reply, Rr};
use crate::report::Report;
use crate::zone::Family;

/// One in so many questions is asked over TCP too.
const TCP_EVERY: u32 = 20;

/// Asks and compares all that there is to ask about a family.
pub(crate) fn family(servers: &Servers, family: &Family, rng: &mut Rng, report: &mut Report) {
    let all = questions(family, rng);
    let to = [vec![servers.trimtab()], servers.peers().to_vec()].concat();
    let replies = ask(udp, &to, &all);
    report.family(family, all.len());
    let mut again = Vec::new();
    for (question, replies) in all.into_iter().zip(replies) {
        let [ours, theirs @ ..] = &replies[..] else { unreachable!("four servers") };
        own(family, &question, ours, report);
        let is_cut = replies.iter().any(|reply| reply.tc);
        if is_cut || rng.u32(..TCP_EVERY) == 0 {
            again.push((question.clone(), replies.clone()));
        }
        if !is_cut {
            for (peer, theirs) in PEERS.into_iter().zip(theirs) {
                judge(&Case { family, question: &question, peer }, ours, theirs, report);
            }
        }
    }
    let (questions, over_udp): (Vec<_>, Vec<_>) = again.into_iter().unzip();
    let over_tcp = ask(tcp, &to, &questions);
    report.queries += questions.len();
    for ((question, short), whole) in questions.iter().zip(over_udp).zip(over_tcp) {
        for (at, peer) in PEERS.into_iter().enumerate() {
            let case = Case { family, question, peer };
            judge(&case, &whole[0], &whole[at + 1], report);
            if short.iter().any(|reply| reply.tc) {
                truncation(&case, [&short[0], &short[at + 1]], [&whole[0], &whole[at + 1]], report);
            }
        }
    }
}

type Ask = fn(SocketAddr, &[&[u8]]) -> Vec<Vec<u8>>;

/// For each question what each server says.
fn ask(over: Ask, to: &[SocketAddr], questions: &[Question]) -> Vec<Vec<Reply>> {
    let queries: Vec<&[u8]> = questions.iter().map(|question| &question.wire[..]).collect();
    let queries = &queries[..];
    let by_server: Vec<Vec<Vec<u8>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = to.iter().map(|&to| scope.spawn(move || over(to, queries))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    (0..questions.len())
        .map(|at| {
            by_server
                .iter()
                .map(|answers| {
                    let answer = &answers[at];
                    Reply::read(answer).unwrap_or_else(|| panic!("cannot be read: {answer:?}"))
                })
                .collect()
        })
        .collect()
}

/// What must hold for each reply of Trimtab, whatever the others say.
fn own(family: &Family, question: &Question, reply: &Reply, report: &mut Report) {
    if reply.len > question.limit() {
        report.unexplained(family, "over its size", &format!("{question:?}\n{reply}"));
    }
    let is_known = |rr: &Rr| family.zones.iter().any(|zone| zone.has(&rr.owner, rr.rtype));
    if !reply.additional.iter().all(is_known) {
        report.unexplained(
            family,
            "an address that no zone has",
            &format!("{question:?}\n{reply}"),
        );
    }
    if reply.twice {
        report.unexplained(family, "a record twice", &format!("{question:?}\n{reply}"));
    }
}

/// Compares two replies after all reasons had their turn.
fn judge(case: &Case<'_>, ours: &Reply, theirs: &Reply, report: &mut Report) {
    report.compared += 1;
    if ours.says_the_same(theirs) {
        return;
    }
    let (mut left, mut right) = (ours.clone(), theirs.clone());
    let used = reasons::apply(case, &mut left, &mut right);
    if left.says_the_same(&right) {
        report.explained(case.peer, &used);
    } else {
        let text = format!(
            "{}  ours: {ours}\n  {:?}: {theirs}\n  after {used:?}\n  ours: {left}\n  theirs: {right}\n",
            shown(case),
            case.peer
        );
        report.unexplained(case.family, &kind(case.peer, &left, &right), &text);
    }
}

/// In what the replies differ.
fn kind(peer: Peer, ours: &Reply, theirs: &Reply) -> String {
    let mut kind = format!("Trimtab and {}:", label(peer));
    let (a, b) = (ours, theirs);
    for (what, differs) in [
        (format!(" rcode {} and {}", a.rcode, b.rcode), a.rcode != b.rcode),
        (format!(" AA {} and {}", a.aa, b.aa), a.aa != b.aa),
        (format!(" TC {} and {}", a.tc, b.tc), a.tc != b.tc),
        (" ANSWER".to_owned(), a.answer != b.answer),
        (" AUTHORITY".to_owned(), a.authority != b.authority),
        (" ADDITIONAL".to_owned(), a.additional != b.additional),
    ] {
        if differs {
            kind += &what;
        }
    }
    kind
}

/// Of replies one of which is cut: what is cut cannot be compared, but that it is, can.
fn truncation(case: &Case<'_>, short: [&Reply; 2], whole: [&Reply; 2], report: &mut Report) {
    report.compared += 1;
    let limit = case.question.limit();
    let [ours, theirs] = short;
    let used = if ours.tc && whole[0].len <= limit {
        None
    } else if ours.tc == theirs.tc {
        Some(&[][..])
    } else {
        reasons::truncation(case, short, whole)
    };
    match used {
        Some(used) => report.explained(case.peer, used),
        None => {
            let text = format!(
                "{}  limit {limit}\n  ours: {ours}\n  {:?}: {theirs}\n",
                shown(case),
                case.peer
            );
            report.unexplained(case.family, "truncation", &text);
        }
    }
}

fn shown(case: &Case<'_>) -> String {
    let Case { family, question, .. } = case;
    format!(
        "{} TYPE{} (EDNS {:?}), family {} of seed {}\n",
        question.name, question.rtype, question.edns, family.top, family.seed
    )
}

/// Which peer it is, for tables.
pub(crate) const fn label(peer: Peer) -> &'static str {
    match peer {
        Peer::Nsd => "NSD",
        Peer::Knot => "Knot",
        Peer::Bind => "BIND",
    }
}
