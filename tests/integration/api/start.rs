//! What the server does not start with, and `check` finds.

use super::{ALICE, BODY};
use crate::harness::{Site, check, pki, serve_and_fail};

/// `check` and `serve` both refuse it, and say all of this.
#[track_caller]
fn refused(site: &Site, told: &[&str]) {
    for ended in [check(site), serve_and_fail(&site.config())] {
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        for told in told {
            assert!(ended.stderr.contains(told), "{told:?} is not in:\n{}", ended.stderr);
        }
        assert!(!ended.stderr.contains(&ALICE[..8]), "no token is ever told:\n{}", ended.stderr);
    }
}

#[test]
fn beyond_loopback_there_is_no_start_without_a_token_and_tls() {
    let site = Site::new("");
    site.write_private("admin.token", &format!("{ALICE}\n"));
    let any = "listen = \"0.0.0.0:0\"\n";
    site.configure_access(any, BODY);
    refused(&site, &["without a token_file", "openssl rand", "without TLS", "insecure = true"]);
    site.configure_access(&format!("{any}token_file = \"admin.token\""), BODY);
    refused(&site, &["without TLS"]);
    site.configure_access(&format!("{any}insecure = true"), BODY);
    refused(&site, &["without a token_file"]);
    site.configure_access(&format!("{any}token_file = \"admin.token\"\ninsecure = true"), BODY);
    let ended = check(&site);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let server = site.serve();
    let client = crate::harness::Http::new(server.admin);
    assert_eq!(client.get("/openapi.json").code(), "token_missing");
}

#[test]
fn a_file_that_is_not_as_it_must_be_is_told_with_what_to_do() {
    let site = Site::new("");
    let [(certificate, key), (_, other)] = &pki().pairs;
    site.write("admin.crt", certificate);
    site.write_private("admin.key", key);
    let keys = "listen = \"127.0.0.1:0\"\ntoken_file = \"admin.token\"\ncert = \"admin.crt\"\n\
                key = \"admin.key\"";
    site.configure_access(keys, BODY);
    refused(&site, &["admin.token_file", "No such file"]);
    site.write("admin.token", &format!("{ALICE}\n"));
    site.set_mode("admin.token", 0o644);
    refused(&site, &["a file that others may use (mode 644)", "chmod 600"]);
    site.write_private("admin.token", "alice:admin:0123456789012345678901234567890\nxyz\n# end\n");
    refused(&site, &["an unknown role", "a token of 3 octets", "openssl rand -hex 32"]);
    site.write_private("admin.token", "# nobody\n");
    refused(&site, &["no token"]);
    site.write_private("admin.token", &format!("{ALICE}\n"));
    assert_eq!(check(&site).code, Some(0));
    site.write_private("admin.key", other);
    refused(&site, &["a key that cannot be used", "openssl pkey"]);
    site.write("admin.crt", "");
    refused(&site, &["admin.cert", "nothing of the kind in PEM"]);
}
