//! What a dns check asks a nameserver, and what it wants to hear.

use crate::model::Digest;

/// One question and what is wanted of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DnsProbe {
    /// The name asked for, absolute.
    pub name: String,
    /// The type asked for, by its number.
    pub rtype: u16,
    /// Records in presentation form that must all be in the answer; none: any of that type will do.
    pub expect: Vec<String>,
}

impl DnsProbe {
    pub(super) fn digest(&self, digest: Digest) -> Digest {
        let Self { name, rtype, expect } = self;
        let digest = digest.text(name).number(u64::from(*rtype)).number(expect.len() as u64);
        expect.iter().fold(digest, |digest, record| digest.text(record))
    }
}
