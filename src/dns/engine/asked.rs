//! Hot: what the options of a request's OPT record ask for (RFC 6891 section 6.1.2).

use crate::routing::{Cookies, Options};

use super::cookie::{self, Cookie};
use super::subnet::{self, Carried, Subnet};

/// What a request's options ask for. Options that are not known are stepped over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Asked {
    /// What network the client says that it is in (RFC 7871).
    pub(super) subnet: Carried,
    /// Its cookie (RFC 7873), where cookies are in use.
    pub(super) cookie: Option<Cookie>,
    /// Whether it wants to know which nameserver answers (RFC 5001).
    pub(super) nsid: bool,
    /// Whether it wants to know how long a TCP connection may be idle (RFC 7828).
    pub(super) keepalive: bool,
}

/// An option that its standard calls malformed, or options that do not fill their record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// NSID's code.
pub(super) const NSID: u16 = 3;
/// The code of edns-tcp-keepalive.
pub(super) const KEEPALIVE: u16 = 11;

impl Asked {
    /// Reads the options, which fill the record's data exactly. What was read before the mistake
    /// stays, but for the subnet: of what cannot be read nothing is sent back.
    pub(super) fn read(&mut self, data: &[u8], options: &Options) -> Result<(), Malformed> {
        let read = self.read_all(data, options);
        if read.is_err() {
            self.subnet = Carried::Nothing;
        }
        read
    }

    fn read_all(&mut self, mut data: &[u8], options: &Options) -> Result<(), Malformed> {
        while let Some((&[c1, c0, l1, l0], after)) = data.split_first_chunk::<4>() {
            let len = usize::from(u16::from_be_bytes([l1, l0]));
            let (option, after) = after.split_at_checked(len).ok_or(Malformed)?;
            match u16::from_be_bytes([c1, c0]) {
                subnet::CODE => self.read_subnet(option, options)?,
                // Of several only the first counts (RFC 7873 section 5.2).
                cookie::CODE if self.cookie.is_none() && options.cookies != Cookies::Off => {
                    self.cookie = Some(Cookie::read(option).ok_or(Malformed)?);
                }
                NSID => self.nsid = true,
                KEEPALIVE => self.keepalive = true,
                _ => {}
            }
            data = after;
        }
        if data.is_empty() { Ok(()) } else { Err(Malformed) }
    }

    fn read_subnet(&mut self, option: &[u8], options: &Options) -> Result<(), Malformed> {
        self.subnet = match self.subnet {
            Carried::Nothing | Carried::Ignored if !options.client_subnet => Carried::Ignored,
            Carried::Nothing => Carried::Subnet(Subnet::read(option).ok_or(Malformed)?),
            Carried::Ignored | Carried::Subnet(_) => return Err(Malformed),
        };
        Ok(())
    }
}
