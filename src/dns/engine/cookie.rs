//! Hot: DNS cookies (RFC 7873), made so that nameservers of any make can share a secret (RFC 9018).
//!
//! A server cookie proves that its bearer receives what is sent to the address that it asks from.
//! Nothing is remembered of clients: the cookie is a hash of what the client sends anyway.

use std::hash::Hasher;
use std::net::IpAddr;

use siphasher::sip::SipHasher24;

use crate::routing::Secret;

/// The option's code.
pub(super) const CODE: u16 = 10;
/// Octets of the option in a reply, code and length included.
pub(super) const OPTION_LEN: usize = 4 + CLIENT_LEN + SERVER_LEN;
const CLIENT_LEN: usize = 8;
const SERVER_LEN: usize = 16;
/// Octets before the hash: version, three that are reserved, and the time.
const HEAD_LEN: usize = 8;
const VERSION: u8 = 1;
/// A cookie older than this is no longer good, in seconds (RFC 9018 section 4.3).
const OLDEST: u32 = 3600;
/// One of the future is good when it is no further ahead, in seconds: clocks differ.
const NEWEST: u32 = 300;
/// One that is older is good, but replaced, in seconds.
const RENEWED: u32 = 1800;

/// A cookie as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cookie {
    client: [u8; CLIENT_LEN],
    server: Server,
}

/// The server's part of a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    /// Not there: a client that does not know us yet.
    Absent,
    /// Of our length.
    Ours([u8; SERVER_LEN]),
    /// Of another length, so not made by us.
    Foreign,
}

/// What a client's cookie is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It carries none of ours.
    New,
    /// It carries one that we made for its address not long ago.
    Known,
    /// It carries one that we did not make, made for another, or too long ago.
    Wrong,
}

/// A cookie that has been looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checked {
    /// What it is worth.
    pub(super) standing: Standing,
    /// What is sent back: the client's part, and ours.
    pub(super) reply: [u8; CLIENT_LEN + SERVER_LEN],
}

impl Cookie {
    /// Reads an option's data; `None` when no cookie has that length (RFC 7873 section 4).
    pub(super) fn read(data: &[u8]) -> Option<Self> {
        let (&client, server) = data.split_first_chunk::<CLIENT_LEN>()?;
        let server = match server.len() {
            0 => Server::Absent,
            8..=32 => server.try_into().map_or(Server::Foreign, Server::Ours),
            _ => return None,
        };
        Some(Self { client, server })
    }

    /// Tells what the cookie of a client at an address is worth, and makes what it gets. The first of
    /// the `secrets` makes new ones; time is in seconds of Unix time, which may wrap.
    pub(super) fn check(&self, from: IpAddr, now: u32, secrets: &[Secret]) -> Checked {
        let made = |secret: &Secret, head| self.server_cookie(from, head, secret);
        let (standing, kept) = match self.server {
            Server::Absent => (Standing::New, None),
            Server::Foreign => (Standing::Wrong, None),
            Server::Ours(sent) => {
                // What is reserved may be anything, and is hashed as it came (section 4.2).
                let [version, r2, r1, r0, t3, t2, t1, t0, ..] = sent;
                let head = [version, r2, r1, r0, t3, t2, t1, t0];
                let age = age(u32::from_be_bytes([t3, t2, t1, t0]), now);
                let maker = secrets.iter().position(|secret| {
                    // All of it is compared, whatever differs first.
                    u128::from_ne_bytes(made(secret, head)) == u128::from_ne_bytes(sent)
                });
                match (maker, age) {
                    (Some(number), Some(age)) if version == VERSION => {
                        (Standing::Known, (number == 0 && age <= RENEWED).then_some(sent))
                    }
                    _ => (Standing::Wrong, None),
                }
            }
        };
        let server = kept.or_else(|| secrets.first().map(|secret| made(secret, head(now))));
        let mut reply = [0; CLIENT_LEN + SERVER_LEN];
        let (client, ours) = reply.split_at_mut(CLIENT_LEN);
        client.copy_from_slice(&self.client);
        ours.copy_from_slice(&server.unwrap_or_default());
        Checked { standing, reply }
    }

    /// The cookie that the client gets with such a head (RFC 9018 section 4).
    fn server_cookie(
        &self,
        from: IpAddr,
        head: [u8; HEAD_LEN],
        secret: &Secret,
    ) -> [u8; SERVER_LEN] {
        let mut hasher = SipHasher24::new_with_key(&secret.0);
        hasher.write(&self.client);
        hasher.write(&head);
        match from {
            IpAddr::V4(v4) => hasher.write(&v4.octets()),
            IpAddr::V6(v6) => hasher.write(&v6.octets()),
        }
        let mut cookie = [0; SERVER_LEN];
        let (to_head, to_hash) = cookie.split_at_mut(HEAD_LEN);
        to_head.copy_from_slice(&head);
        to_hash.copy_from_slice(&hasher.finish().to_le_bytes());
        cookie
    }
}

/// The head of a cookie that is made now.
const fn head(now: u32) -> [u8; HEAD_LEN] {
    let [t3, t2, t1, t0] = now.to_be_bytes();
    [VERSION, 0, 0, 0, t3, t2, t1, t0]
}

/// How old a cookie of that time is, in seconds, when it is good; 0 for one of the future. Times are
/// compared as serial numbers (RFC 1982).
fn age(time: u32, now: u32) -> Option<u32> {
    let (age, ahead) = (now.wrapping_sub(time), time.wrapping_sub(now));
    if age <= OLDEST { Some(age) } else { (ahead <= NEWEST).then_some(0) }
}

#[cfg(test)]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn octets<const N: usize>(hex: &str) -> [u8; N] {
        let octet = |at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
        std::array::from_fn(octet)
    }

    const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";
    /// A cookie of RFC 9018 appendix A.3.
    const A3: &str = "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5";
    const NEXT: &str = "445536bcd2513298075a5d379663c962";

    /// The vectors of RFC 9018 appendix A.
    #[rstest]
    #[case::a1_a_new_client(
        "2464c4abcf10c957",
        "198.51.100.100",
        &[SECRET],
        1_559_731_985,
        Standing::New,
        "2464c4abcf10c957010000005cf79f111f8130c3eee29480"
    )]
    #[case::a2_the_same_client_later(
        "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
        "198.51.100.100",
        &[SECRET],
        1_559_734_385,
        Standing::Known,
        "2464c4abcf10c957010000005cf7a871d4a564a1442aca77"
    )]
    // By then the cookie of this vector is too old; what the client gets is the vector's.
    #[case::a3_a_cookie_of_two_hours_ago(
        A3,
        "203.0.113.203",
        &[SECRET],
        1_559_734_700,
        Standing::Wrong,
        "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e"
    )]
    #[case::a4_ipv6_and_a_new_secret(
        "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
        "2001:db8:220:1:59de:d0f4:8769:82b8",
        &[NEXT, "dd3bdf9344b678b185a6f5cb60fca715"],
        1_559_741_961,
        Standing::Known,
        "22681ab97d52c298010000005cf7c609a6bb79d16625507a"
    )]
    fn rfc9018_a(
        #[case] sent: &str,
        #[case] from: &str,
        #[case] secrets: &[&str],
        #[case] now: u32,
        #[case] standing: Standing,
        #[case] reply: &str,
    ) {
        let data: Vec<u8> = (0..sent.len() / 2).map(|at| octets::<1>(&sent[2 * at..])[0]).collect();
        let secrets: Vec<_> = secrets.iter().map(|hex| Secret(octets(hex))).collect();
        let checked = Cookie::read(&data).unwrap().check(from.parse().unwrap(), now, &secrets);
        assert_eq!(checked, Checked { standing, reply: octets(reply) });
    }

    #[test]
    fn rfc9018_4_2_reserved_octets_that_are_set_are_hashed_as_they_came() {
        let cookie = Cookie::read(&octets::<24>(A3)).unwrap();
        let from = "203.0.113.203".parse().unwrap();
        let checked = cookie.check(from, 1_559_727_985, &[Secret(octets(SECRET))]);
        assert_eq!(checked.standing, Standing::Known);
    }

    const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    const NEW: Cookie = Cookie { client: *b"client!!", server: Server::Absent };

    fn sent_at(time: u32, secret: &Secret) -> Cookie {
        Cookie { server: Server::Ours(NEW.server_cookie(FROM, head(time), secret)), ..NEW }
    }

    #[rstest]
    #[case::fresh(0, Standing::Known, true)]
    #[case::half_an_hour(1800, Standing::Known, true)]
    #[case::is_replaced(1801, Standing::Known, false)]
    #[case::the_oldest(3600, Standing::Known, false)]
    #[case::too_old(3601, Standing::Wrong, false)]
    #[case::a_clock_ahead(-300, Standing::Known, true)]
    #[case::too_far_ahead(-301, Standing::Wrong, false)]
    fn rfc9018_4_3_age(#[case] age: i32, #[case] standing: Standing, #[case] same: bool) {
        let secret = Secret([7; 16]);
        for now in [1_700_000_000_u32, 100, u32::MAX - 100] {
            let cookie = sent_at(now.wrapping_add_signed(-age), &secret);
            let checked = cookie.check(FROM, now, &[secret]);
            assert_eq!(checked.standing, standing, "at {now}");
            let Server::Ours(sent) = cookie.server else { panic!("{cookie:?}") };
            assert_eq!(checked.reply[8..] == sent, same, "at {now}");
        }
    }

    #[test]
    fn rfc9018_5_a_secret_that_is_on_its_way_out_or_in_is_good_but_not_used() {
        let (active, other) = (Secret([1; 16]), Secret([2; 16]));
        let checked = sent_at(1000, &other).check(FROM, 1000, &[active, other]);
        assert_eq!(checked.standing, Standing::Known);
        let fresh = NEW.server_cookie(FROM, head(1000), &active);
        assert_eq!(checked.reply[8..], fresh);
        let checked = sent_at(1000, &other).check(FROM, 1000, &[active]);
        assert_eq!(checked.standing, Standing::Wrong);
    }

    #[test]
    fn rfc9018_4_1_another_version_is_not_ours() {
        let secret = Secret([3; 16]);
        for (version, standing) in
            [(0, Standing::Wrong), (1, Standing::Known), (2, Standing::Wrong)]
        {
            let mut head = head(50);
            head[0] = version;
            let sent = Server::Ours(NEW.server_cookie(FROM, head, &secret));
            let checked = Cookie { server: sent, ..NEW }.check(FROM, 50, &[secret]);
            assert_eq!(checked.standing, standing, "version {version}");
        }
    }

    #[test]
    fn rfc7873_6_a_cookie_is_for_one_address_and_one_client() {
        let secret = Secret([3; 16]);
        let cookie = sent_at(50, &secret);
        let elsewhere = IpAddr::from([192, 0, 2, 2]);
        assert_eq!(cookie.check(elsewhere, 50, &[secret]).standing, Standing::Wrong);
        let other = Cookie { client: [0; 8], ..cookie };
        assert_eq!(other.check(FROM, 50, &[secret]).standing, Standing::Wrong);
        for at in 0..16 {
            let Server::Ours(mut octets) = cookie.server else { panic!("{cookie:?}") };
            octets[at] ^= 1;
            let bent = Cookie { server: Server::Ours(octets), ..cookie };
            assert_eq!(bent.check(FROM, 50, &[secret]).standing, Standing::Wrong, "octet {at}");
        }
    }

    #[test]
    fn rfc7873_4_lengths() {
        for len in 0..=64 {
            let read = Cookie::read(&vec![0; len]);
            let server = match len {
                8 => Some(Server::Absent),
                24 => Some(Server::Ours([0; 16])),
                16..=40 => Some(Server::Foreign),
                _ => None,
            };
            assert_eq!(read.map(|cookie| cookie.server), server, "{len} octets");
        }
    }
}
