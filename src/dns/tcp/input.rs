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
    #[expect(clippy::arithmetic_side_effects, reason = "no input is longer than a few messages")]
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

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// Reads these octets, as many at once as there is room for; returns the most that was held.
    fn read(input: &mut Input, mut octets: &[u8]) -> usize {
        let mut most = 0;
        while !octets.is_empty() {
            let room = input.room();
            let spare = room.capacity() - room.len();
            assert!(spare > 0, "a read without room would look like the end");
            let (now, later) = octets.split_at(octets.len().min(spare));
            room.extend_from_slice(now);
            most = most.max(room.capacity());
            octets = later;
        }
        most
    }

    #[test]
    fn who_announces_much_and_sends_little_holds_little() {
        let mut input = Input::default();
        assert!(read(&mut input, b"\xff\xff") <= READ + PREFIX);
        assert!(read(&mut input, &[0; 10]) <= 2 * READ);
        assert!(!input.has_message());
        assert!(read(&mut input, &[0; 9990]) <= 4 * 10_000);
    }

    #[test]
    fn the_longest_message_fits_and_is_forgotten_when_it_is_taken() {
        let mut input = Input::default();
        let len = PREFIX + usize::from(u16::MAX);
        let most = read(&mut input, &vec![0xff; len]);
        assert!(most <= len + READ, "{most}");
        assert_eq!(message(input.octets()).map(<[u8]>::len), Some(65_535));
        input.take(len);
        assert!(read(&mut input, b"\x00\x01\x02") <= 2 * READ);
        assert_eq!(message(input.octets()), Some(b"\x02".as_slice()));
    }

    #[test]
    fn messages_come_in_order_however_they_are_cut() {
        let octets = b"\x00\x02ab\x00\x00\x00\x01c\x00\x05de";
        for cut in 0..octets.len() {
            let mut input = Input::default();
            let (first, second) = octets.split_at(cut);
            let mut taken = Vec::new();
            for part in [first, second] {
                read(&mut input, part);
                while input.has_message() {
                    let message = message(input.octets()).unwrap().to_vec();
                    input.take(PREFIX + message.len());
                    taken.push(message);
                }
            }
            assert_eq!(taken, [b"ab".as_slice(), b"", b"c"]);
            assert_eq!(input.octets(), b"\x00\x05de");
        }
    }
}
