//! What a client has sent and is not answered yet.

/// Octets of a message's length (RFC 1035 section 4.2.2).
pub(super) const PREFIX: usize = 2;
/// What is read at once when nothing is known of what comes.
const READ: usize = 1024;

/// Octets in the order in which they came.
///
/// There is room for the rest of the message that has begun and no more than that, and it grows as
/// the message comes: whoever announces 65,535 octets and sends ten holds no more than another.
#[derive(Debug, Default)]
pub(super) struct Input {
    octets: Vec<u8>,
}

impl Input {
    /// Where to read to: its spare capacity, which is never none.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        let len = self.octets.len();
        let missing = match self.octets.first_chunk() {
            Some(prefix) => (PREFIX + message_len(*prefix)).saturating_sub(len),
            None => READ,
        };
        let room = missing.clamp(READ, len.max(READ));
        // A long message has gone.
        if self.octets.capacity() > 4 * (len + room) {
            self.octets.shrink_to(len + room);
        }
        self.octets.reserve_exact(room);
        &mut self.octets
    }

    /// What has not been taken yet.
    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Takes so many octets from the start.
    pub(super) fn take(&mut self, len: usize) {
        self.octets.drain(..len.min(self.octets.len()));
    }

    /// Whether a whole message is there.
    pub(super) fn has_message(&self) -> bool {
        message(&self.octets).is_some()
    }
}

/// The message that `octets` start with, if all of it is there.
pub(super) fn message(octets: &[u8]) -> Option<&[u8]> {
    let (prefix, rest) = octets.split_first_chunk()?;
    rest.get(..message_len(*prefix))
}

fn message_len(prefix: [u8; PREFIX]) -> usize {
    usize::from(u16::from_be_bytes(prefix))
}
