//! The admin port beyond metrics: who is let in, over what, and what operators change there.

mod access;
mod explaining;
mod operators;
mod simulating;
mod start;

use crate::harness::Site;

/// Two regions without a check, and a record over both.
const BODY: &str = "[regions.a]\naddresses = [\"192.0.2.1\"]\n[regions.b]\naddresses = [\"192.0.2.2\"]\n\
                    [[records]]\nname = \"app.site.test\"\npolicy = \"weighted\"\n";

const ALICE: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const BOB: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const READER: &str = "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr";

/// A site that others can reach, with tokens and a certificate.
fn reachable() -> Site {
    let site = Site::new("");
    site.write_private("admin.token", &format!("alice:{ALICE}\nreader:read:{READER}\n"));
    let [(certificate, key), _] = &crate::harness::pki().pairs;
    site.write("admin.crt", certificate);
    site.write_private("admin.key", key);
    site.configure_access(
        "listen = \"0.0.0.0:0\"\ntoken_file = \"admin.token\"\ncert = \"admin.crt\"\nkey = \"admin.key\"",
        BODY,
    );
    site
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}
