//! Choices from the octets of an input, so that a fuzzer that changes an octet changes a choice.

/// The octets that are left; when there are none, every choice is the first.
pub(crate) struct Dice<'a>(&'a [u8]);

impl<'a> Dice<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    pub(crate) fn octet(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.octet(), self.octet()])
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from(self.u16()) << 16 | u32::from(self.u16())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from(self.u32()) << 32 | u64::from(self.u32())
    }

    /// Whether it happens, once in `n` for even octets.
    pub(crate) fn once_in(&mut self, n: u8) -> bool {
        self.octet() % n == n - 1
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        let number = if n > 256 { usize::from(self.u16()) } else { usize::from(self.octet()) };
        number % n.max(1)
    }

    pub(crate) fn one_of<'b, T>(&mut self, of: &'b [T]) -> &'b T {
        &of[self.below(of.len())]
    }

    /// So many octets, or as many as there are.
    pub(crate) fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }
}
