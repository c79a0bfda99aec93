//! What holds of the OPT record of a reply, and of the options in it.

use trimtab::dns::engine::Transport;
use trimtab::routing::{Cookies, Snapshot};

use super::ask::Way;
use super::reading::{self, Reading};
use super::reply::{BADVERS, FORMERR, NOTIMP, rcode};

/// One OPT, and what is in it, if and only if there was one that could be read (RFC 6891).
pub(crate) fn edns(
    snapshot: &Snapshot,
    way: Way,
    asked: Option<&Reading>,
    read: &Reading,
    reply: &[u8],
) -> Result<(), &'static str> {
    let rcode = rcode(reply, read);
    let Some(asked) = asked else {
        let is_one = read.opts().count() <= 1;
        return if is_one { Ok(()) } else { Err("more than one OPT") };
    };
    let was: Vec<_> = asked.opts().collect();
    let [opt] = was[..] else {
        return match (was.len(), rcode) {
            (0, _) if read.opts().count() > 0 => Err("an OPT to a request without any"),
            (2.., FORMERR | NOTIMP) | (0, _) => Ok(()),
            _ => Err("two OPTs, and no FORMERR"),
        };
    };
    let is_placed = opt.owner == [0] && asked.sections[2].contains(opt);
    let signed = asked.sections[2].iter().position(|record| record.rtype == 250);
    let is_signed_last = signed.is_none_or(|at| at + 1 == asked.sections[2].len());
    let sent: Vec<_> = read.opts().collect();
    if !is_placed || !is_signed_last {
        let is_refused = [FORMERR, NOTIMP].contains(&rcode) && sent.len() < 2;
        return if is_refused { Ok(()) } else { Err("an OPT that is none") };
    }
    let [sent] = sent[..] else { return Err("not one OPT to a request with one") };
    let version = opt.ttl >> 16 & 0xff;
    if version > 0 && ![FORMERR, NOTIMP, BADVERS].contains(&rcode)
        || version == 0 && rcode == BADVERS
    {
        return Err("the version is not judged right");
    }
    if sent.owner != [0] || sent.ttl & 0x00ff_ffff != opt.ttl & 0x8000 {
        return Err("another version than 0, or flags that are not the request's");
    }
    let Some(options) = reading::options(&sent.data) else { return Err("broken options") };
    let Some(wanted) = reading::options(&opt.data).filter(|_| version == 0) else {
        let is_bad = version > 0 || [FORMERR, NOTIMP].contains(&rcode);
        return if is_bad { Ok(()) } else { Err("broken options are no FORMERR") };
    };
    options_answer(snapshot, way, &wanted, &options, rcode)
}

/// Each option at most once, none that was not asked for but an extended error, and those that were.
fn options_answer(
    snapshot: &Snapshot,
    way: Way,
    wanted: &[(u16, &[u8])],
    options: &[(u16, &[u8])],
    rcode: u16,
) -> Result<(), &'static str> {
    let first = |of: u16| wanted.iter().find(|(code, _)| *code == of).map(|(_, data)| *data);
    let is_fine = rcode != FORMERR && rcode != NOTIMP;
    let settings = &snapshot.options;
    for (number, (code, data)) in options.iter().enumerate() {
        if options[..number].iter().any(|(before, _)| before == code) {
            return Err("an option twice");
        }
        let is_right = match code {
            3 => {
                first(3).is_some() && settings.nsid.as_ref().is_some_and(|n| n.as_bytes() == *data)
            }
            8 => first(8).is_some_and(|sent| {
                settings.client_subnet
                    && [&sent[..3], &sent[4..]] == [&data[..3], &data[4..]]
                    && data[3] <= if data[1] == 1 { 32 } else { 128 }
            }),
            10 => data.len() == 24 && first(10).is_some_and(|sent| sent.get(..8) == data.get(..8)),
            11 => first(11).is_some() && data.len() == 2 && way.transport == Transport::Tcp,
            15 => data.len() >= 2,
            _ => false,
        };
        if !is_right {
            return Err("an option that is not right");
        }
    }
    let has = |of: u16| options.iter().any(|(code, _)| *code == of);
    let is_missing = |code, is_on| is_fine && is_on && first(code).is_some() && !has(code);
    if is_missing(3, settings.nsid.is_some())
        || is_missing(8, settings.client_subnet)
        || is_missing(10, settings.cookies != Cookies::Off)
        || is_missing(11, way.transport == Transport::Tcp)
    {
        return Err("an option is missing");
    }
    Ok(())
}
