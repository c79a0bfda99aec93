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
    /// A tree with the pools in its slots.
    BindingId(u32)
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
