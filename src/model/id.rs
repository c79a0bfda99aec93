//! Small numbers that stand for things of one assembly; they index its vectors.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl $name {
            /// The position in the vector that this id indexes.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(
    /// A region of the configuration.
    RegionId(u16)
);
id!(
    /// A configured check.
    CheckId(u16)
);
id!(
    /// A pool: one region's addresses and checks, or a record's own for that region.
    PoolId(u32)
);
id!(
    /// A policy tree.
    TreeId(u32)
);
id!(
    /// A dynamic record.
    RecordId(u32)
);
id!(
    /// An answer group's place in one tree: a pool, or a ring of pools.
    Slot(u16)
);
id!(
    /// One (check, destination) that is probed; never used again within a process, so it stays
    /// the same across reloads for a target that stays.
    TargetId(u32)
);

/// The address family that a question asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// A.
    V4,
    /// AAAA.
    V6,
}

impl Family {
    /// Both, in the order in which they are shown.
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::V4 => Self::V6,
            Self::V6 => Self::V4,
        }
    }

    /// 0 for IPv4, 1 for IPv6.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The family of an address.
    #[must_use]
    pub const fn of(address: std::net::IpAddr) -> Self {
        match address {
            std::net::IpAddr::V4(_) => Self::V4,
            std::net::IpAddr::V6(_) => Self::V6,
        }
    }

    /// The label of metrics and the word of logs: `ipv4`, `ipv6`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
        }
    }
}
