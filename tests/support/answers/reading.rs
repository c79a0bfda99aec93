//! A reply in a few words, so that a case can say which reply it is about.

use std::fmt::Write as _;

use domain::base::iana::Rtype;
use domain::base::message::RecordSection;
use domain::base::opt::UnknownOptData;
use domain::base::{Message, ParsedName};
use domain::rdata::AllRecordData;

/// The response code, the flags that matter, the records of each section (addresses in full, others by
/// their type; more than three by their number), and the options; of a cookie, whether it is the one
/// of the request.
pub(crate) fn said(request: &[u8], reply: Option<&[u8]>) -> String {
    let Some(octets) = reply else { return "nothing".into() };
    let message = Message::from_octets(octets).expect("a message");
    let mut said = message.opt_rcode().to_string();
    for (is_set, flag) in [(message.header().aa(), " aa"), (message.header().tc(), " tc")] {
        said += if is_set { flag } else { "" };
    }
    if message.header_counts().qdcount() > 0 {
        let answer = message.answer().expect("an answer");
        let authority = message.authority().expect("an authority section");
        let additional = message.additional().expect("an additional section");
        for (name, section) in [(" ", answer), ("; ", authority), ("; + ", additional)] {
            records(&mut said, name, section);
        }
    }
    if let Some(opt) = message.opt() {
        said += " OPT";
        for option in opt.opt().iter::<UnknownOptData<_>>() {
            let option = option.expect("an option");
            let (code, data): (u16, &[u8]) = (option.code().to_int(), option.data());
            let _ = match (code, data) {
                (3, _) => write!(said, " NSID"),
                (8, [_, _, source, scope, ..]) => write!(said, " subnet/{source}/{scope}"),
                (10, cookie) if request.windows(cookie.len()).any(|sent| sent == cookie) => {
                    write!(said, " same cookie")
                }
                (10, _) => write!(said, " cookie"),
                (15, [high, low, ..]) => {
                    write!(said, " error {}", u16::from_be_bytes([*high, *low]))
                }
                _ => write!(said, " option {code}"),
            };
        }
    }
    said
}

fn records(said: &mut String, name: &str, section: RecordSection<'_, &[u8]>) {
    let mut texts: Vec<String> = Vec::new();
    for record in section {
        let record = record.expect("a record");
        if record.rtype() == Rtype::OPT {
            continue;
        }
        let record = record.into_any_record::<AllRecordData<_, ParsedName<_>>>().expect("data");
        texts.push(match record.data() {
            AllRecordData::A(a) => a.to_string(),
            AllRecordData::Aaaa(aaaa) => aaaa.to_string(),
            _ => record.rtype().to_string(),
        });
    }
    match texts.len() {
        0 => {}
        1..=3 => *said += &format!("{name}{}", texts.join(" ")),
        count => *said += &format!("{name}{count} {}", texts[0]),
    }
}

/// The server's part of the cookie in a reply.
pub(crate) fn server_cookie(reply: &[u8]) -> Vec<u8> {
    let message = Message::from_octets(reply).expect("a message");
    let opt = message.opt().expect("an OPT record");
    let mut options = opt.opt().iter::<UnknownOptData<_>>().flatten();
    let cookie = options.find(|option| option.code().to_int() == 10).expect("a cookie");
    cookie.data()[8..].to_vec()
}
