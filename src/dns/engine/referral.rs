//! Hot: delegations: the referral to a zone that others serve (RFC 1034 section 4.3.2 step 3b).

use crate::wire::rtype;
use crate::zone::EntryId;

use super::lookup::{Here, Query};
use super::reply::{Full, Reply, Section};

impl Query<'_, '_> {
    /// The NS RRset of a cut in AUTHORITY, and the glue that its names need in ADDITIONAL.
    #[expect(clippy::arithmetic_side_effects, reason = "positions within a message")]
    pub(super) fn referral(&mut self, here: Here<'_>, cut: EntryId) -> Result<(), Full> {
        let names = &*self.snapshot.names;
        let Some(ns) = names.rrset(cut, rtype::NS) else { return Ok(()) };
        let cut_name = names.owner(cut);
        let owner = here.suffix(cut_name.len())?;
        self.reply.section(Section::Authority);
        let position = self.reply.position();
        self.reply.rrset(owner, ns)?;
        self.reply.section(Section::Additional);
        // RFC 9471 section 3: in-domain glue must be there, other glue may be, so it comes last.
        for needed in [true, false] {
            let mut behind = position;
            for target in ns.rdata() {
                // Behind owner, type, class, TTL and length.
                let at = behind + 12;
                behind = at + target.len();
                let Some(glue) = names.glue(target) else { continue };
                let entry = names.entry(glue);
                // What another zone served here says of a name is not this zone's to hand out,
                // unless that is a zone further down, which has taken the glue's place.
                let is_ours = entry.zone() == names.entry(cut).zone();
                let in_domain = if is_ours {
                    entry.cut() == Some(cut)
                } else {
                    names.owner(glue).ends_with(cut_name)
                };
                if in_domain != needed || !(is_ours || in_domain) {
                    continue;
                }
                match self.glue(glue, at) {
                    Err(Full) if needed => return Err(Full),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The addresses of a nameserver whose name stands in the message.
    fn glue(&mut self, glue: EntryId, position: usize) -> Result<(), Full> {
        // Behind 16 KB of nameservers no pointer reaches it; there is nothing larger to ask with.
        let Some(owner) = Reply::owner_at(position) else { return Ok(()) };
        for family in [rtype::A, rtype::AAAA] {
            if let Some(tail) = self.snapshot.names.rrset(glue, family) {
                self.reply.rrset(owner, tail)?;
            }
        }
        Ok(())
    }
}
