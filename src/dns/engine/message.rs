//! Numbers of the message header and of EDNS.

/// Octets of a message header (RFC 1035 section 4.1.1).
pub(super) const HEADER: usize = 12;
/// Octets of an OPT record without options (RFC 6891 section 6.1.2).
pub(super) const OPT_LEN: usize = 11;
/// The payload size of a client without EDNS, and the least that one with EDNS can have.
pub(super) const PAYLOAD_MIN: u16 = 512;

/// The class of questions about the server itself (RFC 4892).
pub(super) const CLASS_CH: u16 = 3;

/// Bits of the third header octet.
pub(super) mod flags {
    pub(in super::super) const QR: u8 = 0x80;
    pub(in super::super) const AA: u8 = 0x04;
    pub(in super::super) const TC: u8 = 0x02;
    pub(in super::super) const RD: u8 = 0x01;
    /// Of the fourth octet.
    pub(in super::super) const CD: u8 = 0x10;
    /// Of the OPT record's flags.
    pub(in super::super) const DO: u16 = 0x8000;
}

/// An opcode, 0 to 15.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opcode(pub u8);

impl Opcode {
    /// A standard query, the only one that is answered.
    pub const QUERY: Self = Self(0);
}

/// A response code, extended ones included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rcode(pub u16);

impl Rcode {
    /// No error.
    pub const NOERROR: Self = Self(0);
    /// The request could not be read.
    pub const FORMERR: Self = Self(1);
    /// The server has a problem.
    pub const SERVFAIL: Self = Self(2);
    /// The name does not exist.
    pub const NXDOMAIN: Self = Self(3);
    /// The opcode is not supported.
    pub const NOTIMP: Self = Self(4);
    /// The server does not answer this.
    pub const REFUSED: Self = Self(5);
    /// A name that a DNAME makes too long (RFC 6672 section 2.2).
    pub const YXDOMAIN: Self = Self(6);
    /// Not authoritative for the zone (RFC 5936 section 2.2.1), or a signature that is not taken
    /// (RFC 8945 section 5.2).
    pub const NOTAUTH: Self = Self(9);
    /// The EDNS version is not supported (RFC 6891 section 9).
    pub const BADVERS: Self = Self(16);
    /// The server cookie is not one that was made here (RFC 7873 section 5.4).
    pub const BADCOOKIE: Self = Self(23);
}

/// An extended error (RFC 8914), which tells people more than the response code does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ede {
    /// INFO-CODE.
    pub(super) code: u16,
    /// EXTRA-TEXT, for people.
    pub(super) text: &'static str,
}

impl Ede {
    /// The answer is what is left to say when no region is up.
    pub(super) const ALL_DOWN: Self = Self { code: 0, text: "no region is up" };
    /// Nothing is known of the only thing that there is to answer.
    pub(super) const NOT_LOOKED_UP: Self =
        Self { code: 0, text: "what this is an alias of could not be looked up yet" };
    /// The client may not have this (section 4.19).
    pub(super) const PROHIBITED: Self = Self { code: 18, text: "" };
    /// The name is in none of the zones that are served here (section 4.21).
    pub(super) const NOT_AUTHORITATIVE: Self = Self { code: 20, text: "" };
    /// There is no such service here (section 4.22).
    pub(super) const NOT_SUPPORTED: Self = Self { code: 21, text: "" };
    /// The code of the EDNS option that carries it.
    pub(super) const OPTION: u16 = 15;
}
