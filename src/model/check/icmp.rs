//! How an icmp check asks.

use crate::model::Digest;

/// Echo requests, of which one must be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IcmpProbe {
    /// How many are sent, spread over the time-out: 1 to 10.
    pub count: u8,
}

impl IcmpProbe {
    pub(super) fn digest(self, digest: Digest) -> Digest {
        digest.number(u64::from(self.count))
    }
}
