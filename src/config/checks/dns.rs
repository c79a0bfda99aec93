//! The keys of dns checks.

use hickory_proto::rr::{Name, RData, RecordType};

use crate::config::table::Table;
use crate::config::value::Value;
use crate::model::{self, DnsProbe};

const QUESTION_WANTED: &str =
    "a name and a type of record that a name can have: \"health.example.com A\"";
/// So many records may be wanted of one answer.
const EXPECT_MAX: usize = 64;

/// What is asked, and what must be in the answer.
pub(super) fn read(t: &Table<'_>) -> model::Probe {
    let asked = t.required("question", QUESTION_WANTED, |v| v.parsed(QUESTION_WANTED, question));
    let mut expect = Vec::new();
    t.set("expect", &mut expect, |v| expected(v, asked.as_ref().map(|(_, rtype)| *rtype)));
    let (name, rtype) = asked.unwrap_or_else(|| (".".into(), RecordType::SOA));
    model::Probe::Dns(DnsProbe { name, rtype: rtype.into(), expect })
}

fn question(text: &str) -> Option<(String, RecordType)> {
    let mut words = text.split_ascii_whitespace();
    let (name, rtype) = (words.next()?, words.next()?);
    let mut name = Name::from_ascii(name).ok()?;
    name.set_fqdn(true);
    let rtype: RecordType = rtype.to_ascii_uppercase().parse().ok()?;
    let has_data = !matches!(
        rtype,
        RecordType::ANY
            | RecordType::AXFR
            | RecordType::IXFR
            | RecordType::OPT
            | RecordType::TSIG
            | RecordType::ZERO
            | RecordType::Unknown(_)
    );
    (words.next().is_none() && has_data).then(|| (name.to_ascii(), rtype))
}

/// Without a type that can be read, nothing can be said of its records.
fn expected(v: &Value<'_>, rtype: Option<RecordType>) -> Option<Vec<String>> {
    let wanted = "a list of records as they stand in a zone file: [\"192.0.2.1\"]";
    let records = v.list(wanted, |v| {
        let rtype = rtype?;
        let good = |text: &str| RData::try_from_str(rtype, text).is_ok().then(|| text.into());
        v.parsed(&format!("the data of a record of type {rtype}, as in a zone file"), good)
    })?;
    match v.elements().len() {
        0 => v.refuse("at least one record; without the key any of that type will do"),
        1..=EXPECT_MAX => Some(records),
        _ => v.refuse(format!("at most {EXPECT_MAX} records")),
    }
}
