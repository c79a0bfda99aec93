//! Hot: what the server says of itself, in class CH (RFC 4892).

use crate::routing::Options;
use crate::wire::rtype;

use super::message::{CLASS_CH, Ede, HEADER, Rcode};
use super::reply::{Full, Reply};
use super::request::Located;

/// Names that ask what software this is, and which of several nameservers, in wire form.
const VERSION: [&[u8]; 2] = [b"\x07version\x04bind\x00", b"\x07version\x06server\x00"];
const IDENTITY: [&[u8]; 2] = [b"\x02id\x06server\x00", b"\x08hostname\x04bind\x00"];

/// Answers a question about the server itself. What it is not to tell is refused.
pub(super) fn answer(
    options: &Options,
    at: &Located,
    reply: &mut Reply<'_>,
) -> Result<(Rcode, Option<Ede>), Full> {
    let name = at.key.as_wire();
    let text = if VERSION.contains(&name) {
        options.version_bind.as_deref()
    } else if IDENTITY.contains(&name) {
        options.nsid.as_deref()
    } else {
        return Ok((Rcode::REFUSED, Some(Ede::NOT_AUTHORITATIVE)));
    };
    let Some(text) = text else { return Ok((Rcode::REFUSED, Some(Ede::PROHIBITED))) };
    if matches!(at.qtype, rtype::TXT | rtype::ANY) {
        let owner = Reply::owner_at(HEADER).ok_or(Full)?;
        reply.text(owner, CLASS_CH, text)?;
    }
    Ok((Rcode::NOERROR, None))
}
