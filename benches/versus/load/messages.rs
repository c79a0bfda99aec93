//! Queries ready to be copied, and what an answer must repeat of them.

use std::net::IpAddr;

use anyhow::ensure;
use ipnet::IpNet;

use super::questions::Question;

/// The longest query: a name, its type, and an OPT record with all options.
pub(crate) const LONGEST: usize = 512;
pub(crate) const HEADER: usize = 12;
/// A random label: its length, and eight digits.
const LABEL: usize = 9;
/// The payload size where an option needs an OPT record and none was asked for.
pub(crate) const PAYLOAD: u16 = 1232;
const COOKIE: u16 = 10;
const CLIENT_SUBNET: u16 = 8;

/// A client subnet to send.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Ecs {
    /// An IPv4 /24 drawn for each query.
    Random24,
    /// This one.
    Fixed(IpNet),
}

/// What queries have beside their question.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extras {
    pub(crate) subdomain: bool,
    pub(crate) edns: Option<u16>,
    pub(crate) ecs: Option<Ecs>,
    pub(crate) cookie: bool,
}

/// What an answer says beside its records.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Answer {
    pub(crate) rcode: u8,
    pub(crate) truncated: bool,
    pub(crate) answers: u16,
}

#[derive(Debug)]
struct Template {
    start: usize,
    len: u16,
    /// Where the question ends.
    question: u16,
}

/// All queries, one behind the other.
#[derive(Debug)]
pub(crate) struct Messages {
    octets: Vec<u8>,
    templates: Vec<Template>,
    subdomain: bool,
    random24: bool,
}

impl Messages {
    /// Makes a query of each question. What is random but the same for all is drawn here.
    ///
    /// # Errors
    /// When a name has no room for a further label.
    pub(crate) fn new(
        questions: &[Question],
        extras: Extras,
        rng: &mut fastrand::Rng,
    ) -> anyhow::Result<Self> {
        let mut octets = Vec::new();
        let mut templates = Vec::with_capacity(questions.len());
        let opt = extras.opt(rng.u64(..));
        for Question { name, rtype } in questions {
            let start = octets.len();
            octets.extend([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(!opt.is_empty())]);
            if extras.subdomain {
                ensure!(name.as_slice().len() + LABEL <= 255, "{name} has no room for a label");
                octets.extend(b"\x08........");
            }
            octets.extend(name.as_slice());
            octets.extend(rtype.to_int().to_be_bytes());
            octets.extend([0, 1]);
            let question = (octets.len() - start) as u16;
            octets.extend(&opt);
            templates.push(Template { start, len: (octets.len() - start) as u16, question });
        }
        let random24 = extras.ecs == Some(Ecs::Random24);
        Ok(Self { octets, templates, subdomain: extras.subdomain, random24 })
    }

    /// Writes a query, and returns its length.
    pub(crate) fn write(
        &self,
        question: u32,
        id: u16,
        label: u32,
        rng: &mut fastrand::Rng,
        into: &mut [u8],
    ) -> usize {
        let Template { start, len, .. } = self.templates[question as usize];
        let len = usize::from(len);
        let into = &mut into[..len];
        into.copy_from_slice(&self.octets[start..start + len]);
        into[..2].copy_from_slice(&id.to_be_bytes());
        if self.subdomain {
            into[HEADER + 1..HEADER + LABEL].copy_from_slice(&digits(label));
        }
        if self.random24 {
            into[len - 3..].copy_from_slice(&network(rng));
        }
        len
    }

    /// What an answer says, if it is one to this question.
    pub(crate) fn read(&self, question: u32, label: u32, reply: &[u8]) -> Option<Answer> {
        let Template { start, question, .. } = self.templates[question as usize];
        let asked = &self.octets[start + HEADER..start + usize::from(question)];
        let header = reply.first_chunk::<HEADER>()?;
        let repeated = reply.get(HEADER..usize::from(question))?;
        let same = if self.subdomain {
            let (first, name) = repeated.split_at(LABEL);
            first[0] == 8 && first[1..] == digits(label) && *name == asked[LABEL..]
        } else {
            repeated == asked
        };
        // QR, and the opcode of a query; one question.
        let sound = same && header[2] & 0xf8 == 0x80 && header[4..6] == [0, 1];
        sound.then(|| Answer {
            rcode: header[3] & 15,
            truncated: header[2] & 2 != 0,
            answers: u16::from_be_bytes([header[6], header[7]]),
        })
    }
}

impl Extras {
    /// The OPT record (RFC 6891); a random subnet's three octets are its last.
    fn opt(&self, cookie: u64) -> Vec<u8> {
        let mut options = Vec::new();
        if self.cookie {
            options.extend(option(COOKIE, &cookie.to_be_bytes()));
        }
        match self.ecs {
            None => {}
            Some(Ecs::Random24) => options.extend(option(CLIENT_SUBNET, &[0, 1, 24, 0, 0, 0, 0])),
            Some(Ecs::Fixed(net)) => options.extend(option(CLIENT_SUBNET, &subnet(net))),
        }
        if options.is_empty() && self.edns.is_none() {
            return options;
        }
        let mut opt = vec![0, 0, 41];
        opt.extend(self.edns.unwrap_or(PAYLOAD).to_be_bytes());
        opt.extend([0; 4]);
        opt.extend((options.len() as u16).to_be_bytes());
        opt.extend(options);
        opt
    }
}

fn option(code: u16, data: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes(), &(data.len() as u16).to_be_bytes(), data].concat()
}

/// Family, source prefix length, scope 0, and as much of the address as the length needs
/// (RFC 7871 section 6).
fn subnet(net: IpNet) -> Vec<u8> {
    let (family, address) = match net.network() {
        IpAddr::V4(address) => (1, address.octets().to_vec()),
        IpAddr::V6(address) => (2, address.octets().to_vec()),
    };
    let len = net.prefix_len();
    let mut data = vec![0, family, len, 0];
    data.extend(&address[..usize::from(len).div_ceil(8)]);
    data
}

/// An IPv4 /24 of those that clients on the internet have, roughly: not 0/8, 10/8, 127/8, nor
/// 224/3.
fn network(rng: &mut fastrand::Rng) -> [u8; 3] {
    loop {
        let [_, net @ ..] = rng.u32(..).to_be_bytes();
        if !matches!(net[0], 0 | 10 | 127 | 224..) {
            return net;
        }
    }
}

/// A label of eight digits.
fn digits(label: u32) -> [u8; 8] {
    let mut left = label;
    [0; 8].map(|_: u8| {
        left = left.rotate_left(4);
        b"0123456789abcdef"[(left & 15) as usize]
    })
}
