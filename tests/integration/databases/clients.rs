//! A site whose one database says where the clients in 81.2.0.0/16 are.

use crate::harness::{Question, Reply, Server, Site, Stream, letters, regions, sent};
use crate::support::mmdb::{Client, Mmdb};

pub(super) const NAME: &str = "app.site.test";
/// Clients in Germany go to a, in France to b, all others to c.
pub(super) const RULES: &str = r#"
[policies.main]
type = "geolocation"
rules = [{ country = "DE", to = "a" }, { country = "FR", to = "b" }]
default = "c"
[[records]]
name = "app.site.test"
policy = "main"
"#;

/// A database in which 81.2.0.0/16 is of a country.
pub(super) fn database(country: &'static str, build_epoch: u64) -> Vec<u8> {
    let client = Client { country: Some(country), ..Client::default() };
    let prefix = "81.2.0.0/16".parse().unwrap();
    // Some hundred networks more, so that half of the file is not next to nothing.
    let others = (0..400_u32).map(|n| (format!("5.{}.{}.0/24", n >> 8, n & 255), "JP"));
    let others = others.map(|(prefix, country)| {
        let client = Client { country: Some(country), ..Client::default() };
        (prefix.parse().unwrap(), client.nested())
    });
    let entries: Vec<_> = others.chain([(prefix, client.nested())]).collect();
    Mmdb { build_epoch, ..Mmdb::default() }.write(&entries)
}

pub(super) fn site(geo: &str, database: &[u8]) -> Site {
    let site = Site::new(&configured(geo));
    site.write("clients.mmdb", database);
    site
}

/// With this in `[geo]`.
pub(super) fn configured(geo: &str) -> String {
    format!("[geo]\n{geo}\n{}{RULES}", regions(&[""; 3]))
}

pub(super) const DATABASES: &str = "databases = [\"clients.mmdb\"]";

/// The time at which the database in force was built.
pub(super) fn built(site: &Site) -> String {
    let path = site.path("clients.mmdb");
    format!("trimtab_geo_database_build_timestamp_seconds{{file=\"{}\"}}", path.display())
}

/// A stream of queries for one client, answered by one of these regions.
pub(super) fn stream(server: &Server, wanted: &'static str) -> Stream {
    let question = Question::a(NAME).options(sent("81.2.3.0/24"));
    Stream::start(server.v4, vec![question], move |reply: &Reply| {
        let found = letters(reply);
        assert!(found.len() == 1 && wanted.contains(&found), "{found} is none of {wanted}");
    })
}
