//! Names and RRsets as they are on the wire: what is read from packets, indexed and copied.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::todo,
    clippy::unimplemented,
    reason = "nothing that a packet says may reach a panic"
)]

mod family;
mod key;
mod name;
mod serial;
mod tail;
pub mod tsig;

pub use family::Family;
pub use key::{Key, Suffix, hash_name};
pub use name::{Name, NameError};
pub use serial::is_newer;
pub use tail::{Tail, TailBuf};

/// Numbers of RFC 1035 and its successors that several layers use.
pub mod rtype {
    /// IPv4 address.
    pub const A: u16 = 1;
    /// Nameserver; with a cut or an apex.
    pub const NS: u16 = 2;
    /// Alias of one name.
    pub const CNAME: u16 = 5;
    /// Start of authority.
    pub const SOA: u16 = 6;
    /// Host information; answers ANY.
    pub const HINFO: u16 = 13;
    /// Text.
    pub const TXT: u16 = 16;
    /// IPv6 address.
    pub const AAAA: u16 = 28;
    /// Alias of a subtree (RFC 6672).
    pub const DNAME: u16 = 39;
    /// EDNS (RFC 6891).
    pub const OPT: u16 = 41;
    /// Delegation signer; lives in the parent (RFC 4035).
    pub const DS: u16 = 43;
    /// Meta type of RFC 9824.
    pub const NXNAME: u16 = 128;
    /// Transaction signature (RFC 8945).
    pub const TSIG: u16 = 250;
    /// Incremental transfer.
    pub const IXFR: u16 = 251;
    /// Full transfer.
    pub const AXFR: u16 = 252;
    /// Any type (RFC 8482).
    pub const ANY: u16 = 255;
}

/// The longest name on the wire, RFC 1035 section 2.3.4.
pub const NAME_MAX: usize = 255;
/// Class IN.
pub const CLASS_IN: u16 = 1;
