//! `[server.transfer]`: who may have whole zones, the keys that messages are signed with, and which
//! secondaries are told of new serials.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;

use super::context::Spanned;
use super::server::{refuse_twice, socket};
use super::table::Table;
use super::value::Value;
use crate::problem::{Problem, nearest};
use crate::wire::{Name, tsig};

/// Zones for secondaries.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transfer {
    /// Networks from which anybody may have zones.
    pub allow: Vec<Spanned<IpNet>>,
    /// Keys whose holders may, from anywhere; all of them are among [`Transfer::keys`].
    pub tsig_keys: Vec<Spanned<Name>>,
    /// Keys that messages may be signed with, each name once.
    pub keys: Vec<TsigKey>,
    /// Who is told of new serials.
    pub notify: Vec<Secondary>,
    /// What zones with dynamic records become; `None`: nothing is said, which means
    /// [`Dynamic::Refuse`].
    pub dynamic: Option<Dynamic>,
}

/// A key (RFC 8945).
#[derive(Debug, Clone, PartialEq)]
pub struct TsigKey {
    /// What both sides call it.
    pub name: Spanned<Name>,
    /// How signatures are made.
    pub algorithm: Spanned<tsig::Algorithm>,
    /// The file with the secret in base64.
    pub secret_file: Spanned<PathBuf>,
}

/// A secondary nameserver.
#[derive(Debug, Clone, PartialEq)]
pub struct Secondary {
    /// Where it is told.
    pub address: Spanned<SocketAddr>,
    /// What signs the message, one of [`Transfer::keys`].
    pub key: Option<Spanned<Name>>,
}

/// What a transfer has of dynamic names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dynamic {
    /// Their zones are not transferred.
    #[default]
    Refuse,
    /// Nothing.
    Omit,
    /// What they would answer if every region were up.
    Snapshot,
}

impl TsigKey {
    /// How signatures are made where nothing is said.
    pub const ALGORITHM: tsig::Algorithm = tsig::Algorithm::Sha256;
}

impl Transfer {
    /// Whether anybody may have a zone.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        !self.allow.is_empty() || !self.tsig_keys.is_empty()
    }

    pub(super) fn read(v: &Value<'_>) -> Option<Self> {
        v.table(|t| {
            let mut transfer = Self::default();
            t.set("allow", &mut transfer.allow, |v| {
                let wanted = "a list of networks: [\"192.0.2.0/28\", \"2001:db8::/64\"]";
                v.list(wanted, |v| Some(v.with_place(network(v)?)))
            });
            t.set("keys", &mut transfer.keys, keys);
            let names = "a list of names of [server.transfer.keys]";
            t.set("tsig_keys", &mut transfer.tsig_keys, |v| {
                let list = v.list(names, key_name)?;
                refuse_twice(v, &list);
                Some(list)
            });
            t.set("notify", &mut transfer.notify, notify);
            let words = [
                ("refuse", Dynamic::Refuse),
                ("omit", Dynamic::Omit),
                ("snapshot", Dynamic::Snapshot),
            ];
            t.set("dynamic", &mut transfer.dynamic, |v| v.word(&words).map(Some));
            transfer.unknown(t);
            transfer
        })
    }

    /// Reports names of keys that there are not.
    fn unknown(&self, t: &Table<'_>) {
        let known: Vec<String> = self.keys.iter().map(|key| key.name.to_string()).collect();
        let notified = self.notify.iter().filter_map(|secondary| secondary.key.as_ref());
        let named = self.tsig_keys.iter().map(|name| ("tsig_keys", name));
        for (key, name) in named.chain(notified.map(|name| ("notify", name))) {
            let text = name.to_string();
            if known.contains(&text) {
                continue;
            }
            let found = format!("the unknown key \"{text}\"");
            let wanted = match known.is_empty() {
                true => "the name of a [server.transfer.keys], of which there are none",
                false => "the name of a [server.transfer.keys]",
            };
            let problem = Problem::error(name.place.clone(), t.join(key), found, wanted);
            t.report(match nearest(&text, known.iter().map(String::as_str)) {
                Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
                None => problem,
            });
        }
    }
}

/// A network, or an address as the smallest one.
fn network(v: &Value<'_>) -> Option<IpNet> {
    let wanted = "a network or an address: \"192.0.2.0/28\", \"2001:db8::1\"";
    v.parsed(wanted, |text| {
        text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
    })
}

/// The name of a key, which is a domain name (RFC 8945 section 4.2).
fn key_name(v: &Value<'_>) -> Option<Spanned<Name>> {
    let name = v.parsed("the name of a key: \"transfer\"", |text| {
        Name::from_text(text).ok().filter(|name| name.labels() > 0)
    })?;
    Some(v.with_place(name))
}

fn keys(v: &Value<'_>) -> Option<Vec<TsigKey>> {
    let wanted = "a table of keys: [server.transfer.keys.NAME]";
    let mut keys: Vec<TsigKey> = Vec::new();
    for (name, place, v) in v.entries(wanted)? {
        let named = Name::from_text(name).ok().filter(|name| name.labels() > 0);
        let read = v.table(|t| {
            let hint = "it belongs to [server.transfer]: move it above this table's header";
            for key in ["notify", "dynamic", "allow", "tsig_keys"] {
                t.misplaced(key, "algorithm and secret_file of a key", hint);
            }
            let mut algorithm = v.with_place(TsigKey::ALGORITHM);
            t.set("algorithm", &mut algorithm, |v| {
                Some(v.with_place(v.word(&tsig::Algorithm::ALL)?))
            });
            let wanted = "a file with the secret in base64";
            let secret_file = t.required("secret_file", wanted, |v| Some(v.with_place(v.file()?)));
            Some((algorithm, secret_file?))
        });
        let Some(named) = named else {
            let found = format!("{name:?}");
            let wanted = "a domain name as the name of a key: transfer, \"ns1-ns2.example.com\"";
            v.cx.report(Problem::error(place, &v.path, found, wanted));
            continue;
        };
        let name = Spanned { value: named, place };
        if keys.iter().any(|key| key.name == name) {
            let found = format!("the key {} for a second time", *name);
            v.cx.report(Problem::error(name.place.clone(), &v.path, found, "each key once"));
        }
        if let Some((algorithm, secret_file)) = read.flatten() {
            keys.push(TsigKey { name, algorithm, secret_file });
        }
    }
    Some(keys)
}

fn notify(v: &Value<'_>) -> Option<Vec<Secondary>> {
    let wanted =
        "a list of addresses with ports, or of { address = \"192.0.2.2:53\", key = \"…\" }";
    let list = v.list(wanted, |v| {
        if v.tree.as_table().is_none() {
            return Some(Secondary { address: v.with_place(address(v)?), key: None });
        }
        let mut v = v.clone();
        v.kind = format!("{}.*", v.kind);
        let read = v.table(|t| {
            let wanted = "an address with a port: \"192.0.2.2:53\"";
            let address = t.required("address", wanted, |v| Some(v.with_place(address(v)?)));
            let key = t.optional("key", key_name);
            Some(Secondary { address: address?, key })
        });
        read.flatten()
    })?;
    refuse_twice(v, &list.iter().map(|one| one.address.clone()).collect::<Vec<_>>());
    Some(list)
}

/// Where a secondary is.
fn address(v: &Value<'_>) -> Option<SocketAddr> {
    let address = socket(v)?;
    if address.port() == 0 || address.ip().is_unspecified() || address.ip().is_multicast() {
        return v.refuse("the address and port of a nameserver: \"192.0.2.2:53\"");
    }
    Some(address)
}
