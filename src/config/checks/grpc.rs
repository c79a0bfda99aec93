//! The keys of grpc checks.

use super::credentials::CredentialFiles;
use super::http;
use crate::config::table::Table;
use crate::config::value::Value;
use crate::model::{self, GrpcProbe, TlsVerify};

/// The longest name of a service, in octets.
const SERVICE_MAX: usize = 255;

/// What is asked about, over TLS or not, and the files that it takes.
pub(super) fn read(t: &Table<'_>) -> (model::Probe, CredentialFiles) {
    let (mut probe, mut files) = (GrpcProbe::default(), CredentialFiles::default());
    t.set("service", &mut probe.service, |v| {
        let fits = |text: &str| text.len() <= SERVICE_MAX;
        v.parsed("a text of at most 255 octets", |text| fits(text).then(|| text.into()))
    });
    t.set("host", &mut probe.host, http::host);
    let mut secure = false;
    t.set("tls", &mut secure, Value::boolean);
    if secure {
        let verify = http::tls(t);
        probe.tls = Some(verify);
        files = CredentialFiles::read(t, verify == TlsVerify::Full);
    } else {
        let (wanted, hint) = ("a key of a grpc check without TLS", "tls = true speaks TLS");
        t.misplaced("verify_tls", wanted, hint);
        CredentialFiles::refuse(t, wanted, hint);
    }
    (model::Probe::Grpc(probe), files)
}
