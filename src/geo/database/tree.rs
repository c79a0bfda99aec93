//! The search tree of an MMDB file: from addresses to where their records stand.
//!
//! It is walked here and not by the `maxminddb` crate for three reasons. The crate skips what it
//! takes for an alias of the IPv4 part when it lists networks, but not when it looks an address up,
//! so that the two disagree; it takes every leaf for such an alias that shares its record with an
//! empty IPv4 part; and a damaged file in which branches are shared keeps it busy for ever.
//!
//! The format: <https://maxmind.github.io/MaxMind-DB/>, "Binary Search Tree Section".

use std::net::IpAddr;

use maxminddb::Metadata;

use super::octets::Octets;
use super::record::Record;
use crate::model::Family;

/// What is wrong with a tree.
pub(super) type Broken = &'static str;

pub(super) const LOOPS: Broken = "is broken: its search tree runs in circles";
const OUTSIDE: Broken = "is broken: its search tree points outside the file";
/// Zero octets between tree and data; pointers count them.
const SEPARATOR: u32 = 16;
/// The IPv4 part of an IPv6 tree is at ::/96.
const V4_DEPTH: u32 = 96;

/// A search tree. A branch is the number of a node, or that of all nodes for nothing, or what lies
/// above, for a record.
#[derive(Debug)]
pub(super) struct Tree {
    octets: Octets,
    pub(super) nodes: u32,
    /// Bits of a branch: 24, 28 or 32.
    branch_bits: u16,
    /// The family of its keys; IPv6 trees have a part for IPv4.
    family: Family,
    /// Where IPv4 begins.
    v4: u32,
}

/// What a branch leads to.
pub(super) enum Target {
    Node(u32),
    Nothing,
    /// How far into the data section.
    Record(u32),
}

impl Tree {
    pub(super) fn new(octets: Octets, metadata: &Metadata) -> Result<Self, Broken> {
        let family = if metadata.ip_version == 6 { Family::V6 } else { Family::V4 };
        let nodes = metadata.node_count;
        let mut tree = Self { octets, nodes, branch_bits: metadata.record_size, family, v4: 0 };
        if family == Family::V6 {
            tree.v4 = tree.find_v4()?;
        }
        Ok(tree)
    }

    /// The family of the tree's keys.
    pub(super) const fn family(&self) -> Family {
        self.family
    }

    /// Follows the zeros, to [`V4_DEPTH`] or to a leaf that covers all of IPv4.
    fn find_v4(&self) -> Result<u32, Broken> {
        let mut seen = vec![0];
        let mut branch = 0;
        for _ in 0..V4_DEPTH {
            if branch >= self.nodes {
                break;
            }
            branch = self.child(branch, false)?;
            if seen.contains(&branch) {
                return Err(LOOPS);
            }
            seen.push(branch);
        }
        Ok(branch)
    }

    pub(super) fn child(&self, node: u32, is_right: bool) -> Result<u32, Broken> {
        let width = usize::from(self.branch_bits) / 4;
        let node = (node as usize).checked_mul(width).ok_or(OUTSIDE)?;
        let octets = self.octets.as_ref().get(node..).and_then(|rest| rest.get(..width));
        Ok(match (octets, is_right) {
            (Some(&[a, b, c, _, _, _]), false) | (Some(&[_, _, _, a, b, c]), true) => {
                u32::from_be_bytes([0, a, b, c])
            }
            // The octet in the middle has the highest bits of both.
            (Some(&[a, b, c, both, _, _, _]), false) => u32::from_be_bytes([both >> 4, a, b, c]),
            (Some(&[_, _, _, both, a, b, c]), true) => u32::from_be_bytes([both & 0xF, a, b, c]),
            (Some(&[a, b, c, d, _, _, _, _]), false) | (Some(&[_, _, _, _, a, b, c, d]), true) => {
                u32::from_be_bytes([a, b, c, d])
            }
            _ => return Err(OUTSIDE),
        })
    }

    pub(super) fn target(&self, branch: u32) -> Result<Target, Broken> {
        if branch < self.nodes {
            return Ok(Target::Node(branch));
        }
        if branch == self.nodes {
            return Ok(Target::Nothing);
        }
        let offset = (branch - self.nodes).checked_sub(SEPARATOR).ok_or(OUTSIDE)?;
        let tree = u64::from(self.nodes) * u64::from(self.branch_bits / 4);
        let at = tree + u64::from(SEPARATOR) + u64::from(offset);
        if at < self.octets.as_ref().len() as u64 {
            Ok(Target::Record(offset))
        } else {
            Err(OUTSIDE)
        }
    }

    /// Where a family begins, and how many bits its addresses have.
    pub(super) const fn root(&self, family: Family) -> (u32, u32) {
        match (family, self.family) {
            (Family::V4, _) => (self.v4, 32),
            (Family::V6, Family::V6) => (0, 128),
            (Family::V6, Family::V4) => (self.nodes, 128),
        }
    }

    /// Whether what is at this key and depth is the IPv4 part, or a way into it from elsewhere
    /// (6to4, Teredo, mapped addresses), which for IPv6 is nothing: those are looked up as IPv4.
    pub(super) const fn is_v4_part(
        &self,
        family: Family,
        branch: u32,
        key: u128,
        depth: u32,
    ) -> bool {
        let is_there = depth == V4_DEPTH && key >> 32 == 0;
        let leads_there = branch == self.v4 && branch < self.nodes;
        matches!((family, self.family), (Family::V6, Family::V6)) && (is_there || leads_there)
    }

    /// The record of an address, and the length of the prefix that has it.
    pub(super) fn find(&self, address: IpAddr) -> Result<Option<(Record, u8)>, Broken> {
        let family = Family::of(address);
        let key = match address {
            IpAddr::V4(address) => u128::from(u32::from(address)),
            IpAddr::V6(address) => u128::from(address),
        };
        let (mut branch, bits) = self.root(family);
        for depth in 0..=bits {
            if self.is_v4_part(family, branch, key, depth) {
                return Ok(None);
            }
            match self.target(branch)? {
                Target::Nothing => return Ok(None),
                Target::Record(offset) => {
                    let length = u8::try_from(depth).unwrap_or(u8::MAX);
                    return Ok(Some((Record::new(offset, key), length)));
                }
                Target::Node(_) if depth == bits => break,
                Target::Node(node) => {
                    branch = self.child(node, key >> (bits - 1 - depth) & 1 == 1)?;
                }
            }
        }
        Err(LOOPS)
    }
}
