//! Tests of the whole configuration: schema and readers know the same keys, the documented
//! defaults are the defaults, whatever is read never panics.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;

use super::syntax::Mended;
use super::{Config, Dynamic, parse, read, schema};
use crate::problem::{Problems, Source};

fn source(text: &str) -> Arc<Source> {
    Arc::new(Source { path: "trimtab.toml".into(), text: text.into() })
}

/// A text with every kind of table.
const EVERY_TABLE: &str = r#"
version = 1
[server]
[server.tcp]
[server.rate_limit]
[server.cookies]
[server.transfer]
notify = [{ address = "192.0.2.2:53", key = "k" }]
[server.transfer.keys.k]
secret_file = "k.secret"
[admin]
[metrics]
[log]
[query_log.dnstap]
[webhooks.ops]
url = "https://ops.test/"
[probe]
[alias]
[state]
[[geo.networks]]
prefix = "192.0.2.0/24"
country = "DE"
[latency]
[defaults.check]
[checks]
a = { type = "http" }
b = { type = "https", host = "b.test" }
c = { type = "tcp", port = 1 }
d = { type = "calculated", of = ["a", "c"] }
t = { type = "tls", host = "t.test" }
e = { type = "agent", port = 1 }
g = { type = "grpc", port = 1, tls = true, host = "g.test" }
dns = { type = "dns", question = "a.test A" }
icmp = { type = "icmp" }
exec = { type = "exec", command = ["true"] }
prometheus = { type = "prometheus", url = "http://p.test", query = "up", fail_when = "< 1" }
push = { type = "push", deadline = "30s", token_file = "push.token" }
[damping]
[safety]
[plans]
[windows.kernel]
regions = ["r"]
from = 2030-01-01T02:00:00Z
to = 2030-01-01T04:00:00Z
[regions.r]
location = { latitude = 1, longitude = 2.5 }
[simulate]
[policies]
w = { type = "weighted" }
f = { type = "failover", order = ["r"] }
g = { type = "geolocation", rules = [{ country = "DE", to = "r" }], default = "nodata" }
l = { type = "latency" }
p = { type = "geoproximity", bias = { r = 5 } }
m = { type = "multivalue" }
[zones.test]
file = "test.zone"
[[records]]
name = "a.test"
policy = "r"
endpoints = { r = { alias = "lb.example.net" } }
"#;

#[test]
fn the_schema_and_the_readers_know_the_same_keys() {
    let source = source(EVERY_TABLE);
    let mended = Mended::new(&source.text);
    let (_, problems, known) = read::with_known(&source, &mended);
    assert_eq!(problems, Problems::default(), "{}", problems.render(false));
    let read: BTreeMap<String, BTreeSet<String>> = known
        .into_iter()
        .map(|(kind, keys)| (kind, keys.into_iter().map(Into::into).collect()))
        .collect();
    let schema = schema();
    let mut described = BTreeMap::new();
    collect(&schema, &schema, String::new(), &mut described);
    assert_eq!(read, described);
}

/// Collects the keys of every table that the schema describes.
fn collect(root: &Json, node: &Json, kind: String, found: &mut BTreeMap<String, BTreeSet<String>>) {
    if let Some(reference) = node["$ref"].as_str() {
        let node = root.pointer(reference.trim_start_matches('#')).unwrap();
        return collect(root, node, kind, found);
    }
    for alternatives in ["anyOf", "oneOf"] {
        for node in node[alternatives].as_array().into_iter().flatten() {
            collect(root, node, kind.clone(), found);
        }
    }
    let join = |key: &str| if kind.is_empty() { key.into() } else { format!("{kind}.{key}") };
    if let Some(properties) = node["properties"].as_object() {
        assert_eq!(node["additionalProperties"], Json::Bool(false), "{kind}");
        found.insert(kind.clone(), properties.keys().cloned().collect());
        for (key, node) in properties {
            collect(root, node, join(key), found);
        }
    }
    for several in ["additionalProperties", "items"] {
        if node[several].is_object() {
            collect(root, &node[several], join("*"), found);
        }
    }
}

/// In `config/trimtab.toml` a line `# key = value` or `# [table]` is an option at its default; other
/// comments start otherwise.
fn uncommented(text: &str) -> String {
    let option = |line: &str| {
        let rest = line.strip_prefix("# ")?;
        let word = rest.split([' ', '.']).next()?;
        let key = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        (rest.starts_with('[') || (key && rest[word.len()..].starts_with(" = ")))
            .then(|| rest.to_owned())
    };
    text.lines().map(|line| option(line).unwrap_or(line.into()) + "\n").collect()
}

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_documented_options_are_all_options_at_their_defaults() {
    let text = shipped("trimtab.toml");
    let full = source(&uncommented(&text));
    let mended = Mended::new(&full.text);
    let (mut config, problems, known) = read::with_known(&full, &mended);
    assert_eq!(problems, Problems::default(), "{}", problems.render(false));
    let (as_it_is, problems) = parse(&source(&text));
    assert_eq!(problems, Problems::default(), "{}", problems.render(false));
    let (empty, problems) = parse(&source("version = 1"));
    assert_eq!(problems, Problems::default());
    assert_eq!(as_it_is, empty);
    assert_eq!(empty, Config { ..Config::default() });

    // The global sections say what is the default anyway; of keys there is an example.
    let keys = std::mem::take(&mut config.server.transfer.keys);
    assert_eq!(config.server.transfer.dynamic.take(), Some(Dynamic::default()));
    assert_eq!(config.server, empty.server);
    assert_eq!(config.admin, empty.admin);
    assert_eq!(config.metrics, empty.metrics);
    assert_eq!(config.log, empty.log);
    assert_eq!(config.query_log, empty.query_log);
    assert_eq!(config.probe, empty.probe);
    assert_eq!(empty.webhooks, []);
    assert_eq!(config.alias, empty.alias);
    assert_eq!(config.state.dir, Path::new("./state"));
    assert_eq!(config.geo, empty.geo);
    assert_eq!(config.latency, empty.latency);
    assert_eq!(config.defaults.ttl, empty.defaults.ttl);
    assert_eq!(config.defaults.ttl_min.as_ref().map(|t| t.value), Some(super::Defaults::TTL_MIN));
    assert_eq!(config.defaults.on_all_down, empty.defaults.on_all_down);
    assert_eq!(config.defaults.check, empty.defaults.check);
    assert_eq!(config.damping, empty.damping);
    assert_eq!(config.safety, empty.safety);
    assert_eq!(config.plans, empty.plans);

    // Named things say what the shortest form of the same thing means.
    let shortest = r#"
        version = 1
        webhooks.ops = { url = "https://ops.example.com/trimtab" }
        webhooks.pager = { url = "http://127.0.0.1:9093", format = "alertmanager" }
        checks.web = { type = "http" }
        checks.secure = { type = "https", host = "app.example.com" }
        checks.port = { type = "tcp", port = 5432 }
        checks.certificate = { type = "tls", host = "mail.example.com" }
        checks.agent = { type = "agent", port = 9777 }
        checks.rpc = { type = "grpc", port = 50051 }
        checks.most = { type = "calculated", of = ["web", "port"] }
        checks.nameserver = { type = "dns", question = "health.example.com A" }
        checks.echo = { type = "icmp" }
        checks.plugin = { type = "exec", command = ["/bin/true", "{address}"] }
        checks.errors.type = "prometheus"
        checks.errors.url = "http://127.0.0.1:9090"
        checks.errors.query = 'sum(rate(http_errors_total{region="{region}"}[1m]))'
        checks.errors.fail_when = "> 0.05"
        checks.reports = { type = "push", deadline = "30s", token_file = "reports.token" }
        regions.us-east = {}
        windows.kernel.regions = ["us-east"]
        windows.kernel.from = 2030-01-01T02:00:00Z
        windows.kernel.to = 2030-01-01T04:00:00Z
        policies.canary = { type = "weighted" }
        policies.standby = { type = "failover", order = ["us-east"] }
        policies.main = { type = "geolocation", rules = [{ continent = "EU", to = "us-east" }], default = "canary" }
        policies.nearest = { type = "latency" }
        policies.close = { type = "geoproximity" }
        policies.all = { type = "multivalue" }
        server.transfer.keys.transfer.secret_file = "transfer.key"
        zones."gslb.example.net".nameservers = { "ns.example.net" = [] }
        [[records]]
        name = "app.gslb.example.net"
        policy = "weighted"
    "#;
    let (short, problems) = parse(&source(shortest));
    assert_eq!(problems, Problems::default(), "{}", problems.render(false));
    let specs = |c: &Config| c.checks.iter().map(|c| (*c.spec).clone()).collect::<Vec<_>>();
    assert_eq!(specs(&config), specs(&short));
    assert_eq!(keys, short.server.transfer.keys);
    assert_eq!(config.webhooks, short.webhooks);
    assert_eq!(config.regions, short.regions);
    assert_eq!(config.windows, short.windows);
    assert_eq!(config.policies, short.policies);
    assert_eq!(config.zones, short.zones);
    let [mut record] = <[_; 1]>::try_from(config.records).unwrap();
    assert_eq!(record.ttl.take().map(|t| t.value), Some(empty.defaults.ttl));
    assert_eq!(record.ttl_min.take().map(|t| t.value), Some(super::Defaults::TTL_MIN));
    assert_eq!(record.on_all_down.take(), Some(empty.defaults.on_all_down));
    assert_eq!(record, short.records[0]);

    // Every key that a reader knows stands in the file.
    for (kind, keys) in known {
        for key in keys {
            let shown = text.lines().any(|line| {
                let line = line.trim_start_matches(['#', ' ', '[']);
                line.split([' ', '.', ']']).any(|word| word == key)
            });
            assert!(shown, "{kind}.{key} is not in config/trimtab.toml");
        }
    }
}

#[test]
fn the_smallest_file_is_good() {
    let (config, problems) = parse(&source(&shipped("minimal.toml")));
    assert_eq!(problems, Problems::default(), "{}", problems.render(false));
    assert_eq!(config.regions.len(), 2);
}

#[test]
fn a_file_that_is_not_there_is_one_problem() {
    let (config, problems) = read(Path::new("/nowhere/trimtab.toml"));
    assert_eq!(config, None);
    assert_eq!(problems.errors(), 1);
    assert!(
        problems.to_string().starts_with("/nowhere/trimtab.toml: configuration: found No such")
    );
}

#[test]
fn any_cut_and_any_lost_character_is_read_without_panic() {
    let text = shipped("trimtab.toml") + EVERY_TABLE;
    let text = uncommented(&text);
    let text = text.lines().filter(|l| !l.starts_with('#')).collect::<Vec<_>>().join("\n");
    for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)).step_by(7) {
        let (_, problems) = parse(&source(&text[..at]));
        let _ = problems.render(false);
        let mut torn = text.clone();
        torn.remove(at);
        let (_, problems) = parse(&source(&torn));
        let _ = problems.render(false);
    }
}
