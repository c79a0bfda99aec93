//! Another `[geo]` by a reload.

use super::clients::{DATABASES, NAME, built, configured, database, site, stream};
use crate::harness::goes_to;

const SUCCESSFUL: &str = "trimtab_config_last_reload_successful";
#[test]
fn a_reload_changes_networks_and_the_list_of_databases() {
    let site = site(DATABASES, &database("DE", 1_700_000_000));
    site.write("more.mmdb", &database("FR", 1_700_000_001));
    let server = site.serve();
    let watched = stream(&server, "abc");
    let steps = [
        // An own network wins, the longer before the shorter.
        (
            format!("{DATABASES}\nnetworks = [{{ prefix = \"81.2.3.0/25\", country = \"FR\" }}]"),
            "b",
        ),
        (
            format!(
                "{DATABASES}\nnetworks = [{{ prefix = \"81.2.3.0/25\", country = \"FR\" }}, \
                 {{ prefix = \"81.2.3.0/26\", country = \"US\" }}]"
            ),
            "c",
        ),
        (DATABASES.to_owned(), "a"),
        ("databases = [\"more.mmdb\", \"clients.mmdb\"]".to_owned(), "b"),
        ("databases = [\"clients.mmdb\", \"more.mmdb\"]".to_owned(), "a"),
        ("networks = [{ prefix = \"9.0.0.0/8\", country = \"FR\" }]".to_owned(), "c"),
        ("databases = [\"more.mmdb\"]".to_owned(), "b"),
    ];
    for (geo, wanted) in steps {
        site.configure(&configured(&geo));
        assert!(server.reload(), "{geo}");
        goes_to(&server, NAME, "81.2.3.0/26", wanted);
    }
    watched.finish();
    let metrics = server.metrics();
    assert_eq!(metrics.find(&built(&site)), None, "it is no longer in force");
    let more = built(&site).replace("clients", "more");
    assert_eq!(metrics.value(&more), 1_700_000_001.0);

    // What is watched has changed as well.
    site.write("clients.mmdb", &database("US", 1_700_000_002));
    site.write("more.mmdb", &database("DE", 1_700_000_003));
    goes_to(&server, NAME, "81.2.3.0/26", "a");
    let told = server.log.wait_for("which was replaced");
    assert!(told.contains("more.mmdb") && !told.contains("clients.mmdb"), "{told}");
}

#[test]
fn a_reload_with_a_broken_database_changes_nothing() {
    let site = site(DATABASES, &database("DE", 1_700_000_000));
    let server = site.serve();
    let good = configured(DATABASES);
    let changed = good.replace("default = \"c\"", "default = \"b\"");
    site.write("broken.mmdb", &database("FR", 1)[..1000]);
    for file in ["broken.mmdb", "missing.mmdb"] {
        site.configure(&changed.replace("clients.mmdb", file));
        assert!(!server.reload());
        let told = server.log.wait_for(file);
        assert!(told.contains("geo.databases"), "{told}");
        assert_eq!(server.metrics().value(SUCCESSFUL), 0.0);
        goes_to(&server, NAME, "81.2.3.0/24", "a");
        goes_to(&server, NAME, "9.0.0.0/24", "c");
    }
    // Nothing says any more in which country anybody is.
    site.configure(&changed.replace(DATABASES, ""));
    assert!(!server.reload());
    server.log.wait_for("policies.main.rules");

    site.configure(&changed);
    assert!(server.reload());
    goes_to(&server, NAME, "81.2.3.0/24", "a");
    goes_to(&server, NAME, "9.0.0.0/24", "b");
    assert_eq!(server.metrics().value(SUCCESSFUL), 1.0);
}
