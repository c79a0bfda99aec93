//! Weights: what an operator configured, before health.

/// A configured weight, 0 to 65535; 0 is a standby.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(pub u16);

impl Weight {
    /// The weight of a region that gives none, and of a policy used as a member.
    pub const DEFAULT: Self = Self(100);

    /// Whether a member of this weight is used only when no other can be.
    #[must_use]
    pub const fn is_standby(self) -> bool {
        self.0 == 0
    }
}
