//! The JSON schema of the configuration, for editors.
//!
//! The types here only mirror the keys: nothing is read into them. A test holds them against the
//! keys that the readers know. Where the readers are stricter (a key that belongs to one type of
//! check only, say), the schema is the wider one. Keys that are known but not yet supported are
//! described as such.
#![allow(dead_code, reason = "the types exist for their shape")]

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;

use super::clients::ASN;
use super::defaults::{COUNT, TTL};
use super::policies::{BIAS, TOLERANCE_KM};
use super::process::{EXEC_AT_ONCE as AT_ONCE, FAST};
use super::rate_limit::{RATE, SLIP};
use super::records::ANSWERS;
use super::regions::WEIGHT;
use super::server::{CONNECTIONS, IN_FLIGHT, UDP_PAYLOAD};
use super::webhooks::QUEUE;

/// The JSON schema of the configuration.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Root).to_value()
}

/// The configuration of Trimtab.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "trimtab.toml")]
struct Root {
    /// The version of this format.
    #[schemars(range(min = 1, max = 1))]
    version: u32,
    server: Option<Server>,
    admin: Option<Admin>,
    metrics: Option<Metrics>,
    log: Option<Log>,
    query_log: Option<QueryLog>,
    /// Who is told of events, by name.
    webhooks: Option<BTreeMap<String, Webhook>>,
    probe: Option<Probe>,
    alias: Option<Alias>,
    state: Option<State>,
    geo: Option<Geo>,
    latency: Option<Latency>,
    defaults: Option<Defaults>,
    /// Health checks by name.
    checks: Option<BTreeMap<String, Check>>,
    /// Regions by name.
    regions: Option<BTreeMap<String, Region>>,
    damping: Option<Damping>,
    safety: Option<Safety>,
    plans: Option<Plans>,
    /// Maintenance windows by name.
    windows: Option<BTreeMap<String, Window>>,
    /// What a simulation goes by.
    simulate: Option<Simulate>,
    /// Policies by name.
    policies: Option<BTreeMap<String, Policy>>,
    /// Zones by name.
    zones: Option<BTreeMap<String, Zone>>,
    /// Dynamic records.
    records: Option<Vec<Record>>,
}

/// Known, not yet supported.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Later(serde_json::Value);

/// A duration with its unit: "10s", "500ms".
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Duration(#[schemars(regex(pattern = r"^[0-9]+ ?[a-zµ]+( ?[0-9]+ ?[a-zµ]+)*$"))] String);

/// An address with a port: `192.0.2.1:53`, `[2001:db8::1]:53`.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Socket(String);

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Auto {
    Auto,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum AutoOrCount {
    Auto(Auto),
    Count(u16),
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum OneOrMany<T = String> {
    One(T),
    Many(Vec<T>),
}

/// Sockets and limits of DNS.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Server {
    /// Where UDP and TCP are listened to.
    listen: Option<Vec<Socket>>,
    /// UDP threads for each address; auto: one a core.
    workers: Option<AutoOrCount>,
    /// The largest answer over UDP, in octets.
    #[schemars(range(min = *UDP_PAYLOAD.start(), max = *UDP_PAYLOAD.end()))]
    udp_payload_max: Option<u16>,
    tcp: Option<Tcp>,
    /// What NSID and the CH name id.server tell.
    #[schemars(length(min = 1, max = 128))]
    nsid: Option<String>,
    /// What the CH name version.bind tells.
    #[schemars(length(min = 1, max = 255))]
    version_bind: Option<String>,
    /// The user that root becomes once all sockets are open; default: nobody else.
    user: Option<String>,
    rate_limit: Option<RateLimit>,
    cookies: Option<Cookies>,
    transfer: Option<Transfer>,
}

/// The limits of TCP.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Tcp {
    /// Connections at once.
    #[schemars(range(min = *CONNECTIONS.start(), max = *CONNECTIONS.end()))]
    max_connections: Option<u32>,
    /// Connections of one client at once.
    #[schemars(range(min = *CONNECTIONS.start(), max = *CONNECTIONS.end()))]
    max_per_client: Option<u32>,
    /// How long a connection may take for its first message.
    first_message_timeout: Option<Duration>,
    /// How long a connection may be silent.
    idle_timeout: Option<Duration>,
    /// Queries of a connection that are answered before their replies are sent.
    #[schemars(range(min = *IN_FLIGHT.start(), max = *IN_FLIGHT.end()))]
    max_in_flight: Option<u16>,
}

/// The limits of replies over UDP to one client network (an IPv4 /24, an IPv6 /56).
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct RateLimit {
    /// Whether there are any.
    enabled: Option<bool>,
    /// Answers for one name and type in a second.
    #[schemars(range(min = *RATE.start(), max = *RATE.end()))]
    responses_per_second: Option<u32>,
    /// Errors, and answers for names that do not exist, for one zone in a second.
    #[schemars(range(min = *RATE.start(), max = *RATE.end()))]
    errors_per_second: Option<u32>,
    /// Of the replies over the limit each so many-th is sent without records; 0: none.
    #[schemars(range(min = *SLIP.start(), max = *SLIP.end()))]
    slip: Option<u8>,
    /// Whether replies over the limit are sent all the same, and only counted.
    dry_run: Option<bool>,
    /// Prefixes whose replies are not limited.
    exempt: Option<Vec<String>>,
}

/// DNS cookies (RFC 7873).
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Cookies {
    /// Whether clients that send a cookie get one.
    enabled: Option<bool>,
    /// Secrets that several nameservers share, a line each; default: a random one.
    secret_file: Option<String>,
}

/// Zones for secondaries.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Transfer {
    /// Networks from which anybody may have zones.
    allow: Option<Vec<String>>,
    /// Names of keys whose holders may, from anywhere.
    tsig_keys: Option<Vec<String>>,
    /// Keys of signed messages (TSIG) by name.
    keys: Option<BTreeMap<String, TsigKey>>,
    /// Secondaries that are told of new serials.
    notify: Option<Vec<Notified>>,
    /// What secondaries get of dynamic names: "refuse" their zones, "omit" the names, or "snapshot"
    /// what they would answer if every region were up.
    dynamic: Option<Dynamic>,
}

/// A key of signed messages.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct TsigKey {
    /// How signatures are made.
    algorithm: Option<TsigAlgorithm>,
    /// A file with the secret in base64, relative to the configuration file.
    secret_file: String,
}

#[derive(JsonSchema)]
enum TsigAlgorithm {
    #[schemars(rename = "hmac-sha256")]
    Sha256,
    #[schemars(rename = "hmac-sha384")]
    Sha384,
    #[schemars(rename = "hmac-sha512")]
    Sha512,
    #[schemars(rename = "hmac-sha1")]
    Sha1,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Notified {
    At(Socket),
    Signed(Secondary),
}

/// A secondary, and what the message to it is signed with.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Secondary {
    address: Socket,
    /// The name of a key.
    key: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Dynamic {
    Refuse,
    Omit,
    Snapshot,
}

/// The HTTP side.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Admin {
    /// The API, /metrics, /healthz and /readyz; beyond loopback with a token and TLS.
    listen: Option<Socket>,
    /// /metrics, /healthz and /readyz alone, on any address, without a token.
    metrics_listen: Option<Socket>,
    /// A file of tokens, a line each: TOKEN or NAME:ROLE:TOKEN.
    token_file: Option<String>,
    /// A file with the certificate and its chain in PEM, beside key.
    cert: Option<String>,
    /// A file with the private key in PEM, beside cert.
    key: Option<String>,
    /// Plain HTTP beyond loopback: for a proxy that does TLS.
    insecure: Option<bool>,
}

/// What is counted.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Metrics {
    /// Answers are counted for each record, too.
    per_record: Option<bool>,
}

/// What is logged.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Log {
    /// A level, or a filter such as "info,trimtab::probe=debug".
    level: Option<String>,
    /// The form of a line.
    format: Option<LogFormat>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum LogFormat {
    Text,
    Json,
}

/// What is told of the answers that are given.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct QueryLog {
    /// Where lines of JSON go; "-": to standard output.
    #[schemars(length(min = 1))]
    file: Option<String>,
    /// The share of answers that are logged.
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0))]
    sample: Option<f64>,
    /// How much of clients is told.
    client: Option<LogClient>,
    dnstap: Option<Dnstap>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum LogClient {
    Subnet,
    Address,
}

/// The same answers as dnstap.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Dnstap {
    /// The socket of whoever takes them.
    #[schemars(length(min = 1))]
    socket: Option<String>,
    /// What this nameserver calls itself; default: as in server.nsid.
    #[schemars(length(min = 1, max = 255))]
    identity: Option<String>,
    /// What it says that it is; default: the program and its version.
    #[schemars(length(min = 1, max = 255))]
    version: Option<String>,
}

/// Someone who is told of events over HTTP.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Webhook {
    /// Where it is: http or https.
    url: String,
    /// What is sent.
    format: Option<WebhookFormat>,
    /// The events that it is told of; default: all but "override".
    #[schemars(length(min = 1))]
    events: Option<Vec<Topic>>,
    /// cloudevents: a file with the secrets that messages are signed with, a line each.
    secret_file: Option<String>,
    /// A file with the token that is shown.
    token_file: Option<String>,
    /// A file with the only authorities that are trusted, in PEM.
    ca_file: Option<String>,
    /// From connect to the end of the answer.
    timeout: Option<Duration>,
    /// How many events may wait; the oldest goes first.
    #[schemars(range(min = *QUEUE.start(), max = *QUEUE.end()))]
    queue: Option<u32>,
    /// For how long an event is kept for.
    retry_for: Option<Duration>,
    /// alertmanager: how often an alert that is firing is sent again.
    repeat: Option<Duration>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum WebhookFormat {
    CloudEvents,
    Slack,
    Alertmanager,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Topic {
    Transition,
    AllDown,
    ReloadFailed,
    Certificate,
    Damping,
    SelfCheck,
    Ejection,
    Failback,
    Lookup,
    Override,
}

/// How probing as a whole is done.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Probe {
    /// Probed although they are link-local or belong to a metadata service.
    allow: Option<Vec<String>>,
    /// Probes in flight at most.
    concurrency: Option<AutoOrCount>,
    /// Probes a second that may be made sooner because their targets are in doubt.
    #[schemars(range(min = *FAST.start(), max = *FAST.end()))]
    fast_budget: Option<u32>,
    /// Programs of exec checks that run at once at most.
    #[schemars(range(min = *AT_ONCE.start(), max = *AT_ONCE.end()))]
    exec_at_once: Option<u16>,
}

/// How the names of endpoints are looked up.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Alias {
    /// The resolvers that are asked, with or without a port; default: those of the system.
    servers: Option<Vec<String>>,
    /// The least time from one look to the next, whatever the TTL.
    ttl_min: Option<Duration>,
    /// The longest time from one look to the next, whatever the TTL.
    ttl_max: Option<Duration>,
    /// How long one look may take.
    timeout: Option<Duration>,
}

/// What survives a restart.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct State {
    /// The directory, relative to the configuration file.
    dir: Option<String>,
}

/// Where clients are.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Geo {
    /// MMDB files in order of precedence, relative to the configuration file.
    databases: Option<Vec<String>>,
    /// Whether an EDNS Client Subnet decides who the client is.
    client_subnet: Option<bool>,
    /// Own networks, which win over the databases.
    networks: Option<Vec<Network>>,
}

/// What is known of an own network; at least one key beside the prefix.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Network {
    /// The prefix: "10.20.0.0/16".
    prefix: String,
    continent: Option<Continent>,
    country: Option<Country>,
    subdivision: Option<Subdivision>,
    asn: Option<Asn>,
    /// Degrees north; with `longitude`.
    #[schemars(range(min = -90, max = 90))]
    latitude: Option<f64>,
    /// Degrees east; with `latitude`.
    #[schemars(range(min = -180, max = 180))]
    longitude: Option<f64>,
}

/// A continent by its two letters: "EU".
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Continent(
    #[schemars(regex(pattern = "^([aA][fFnNsS]|[eE][uU]|[nNsS][aA]|[oO][cC])$"))] String,
);

/// A country by its two letters (ISO 3166-1): "DE".
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Country(#[schemars(regex(pattern = "^[A-Za-z]{2}$"))] String);

/// A subdivision of a country (ISO 3166-2): "US-CA", or "CA" beside one country.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Subdivision(#[schemars(regex(pattern = "^([A-Za-z]{2}-)?[A-Za-z0-9]{1,3}$"))] String);

/// The number of an autonomous system.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Asn(#[schemars(range(min = *ASN.start(), max = *ASN.end()))] u32);

/// How far clients are from regions.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Latency {
    /// A CSV file of client, region and round-trip time in ms, relative to the configuration file.
    table: Option<String>,
}

/// What records and checks do that say nothing else.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Defaults {
    /// Seconds, when all is calm.
    #[schemars(range(min = *TTL.start(), max = *TTL.end()))]
    ttl: Option<u32>,
    /// The least that doubt may make of it, in seconds.
    #[schemars(range(min = *TTL.start(), max = *TTL.end()))]
    ttl_min: Option<u32>,
    /// `open`, `closed`, `last_good`, or the name of a region or a policy.
    on_all_down: Option<String>,
    check: Option<Timing>,
}

/// How checks are timed that say nothing else.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Timing {
    /// From the start of one probe to the start of the next.
    interval: Option<Duration>,
    /// From connect to the last byte wanted; below the interval.
    timeout: Option<Duration>,
    /// Consecutive failures before down.
    #[schemars(range(min = *COUNT.start(), max = *COUNT.end()))]
    fall: Option<u32>,
    /// Consecutive successes before up.
    #[schemars(range(min = *COUNT.start(), max = *COUNT.end()))]
    rise: Option<u32>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum CheckType {
    Http,
    Https,
    Tcp,
    Tls,
    Agent,
    Grpc,
    Calculated,
    Dns,
    Icmp,
    Exec,
    Prometheus,
    Push,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Status {
    Code(u16),
    Range(String),
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Scalar {
    Text(String),
    Number(f64),
    Truth(bool),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum CheckBody {
    None,
    Health,
}

/// A health check.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Check {
    /// What is spoken.
    r#type: CheckType,
    /// The port; 80 for http, 443 for https and tls, 53 for dns, required for tcp, agent and grpc.
    #[schemars(range(min = 1))]
    port: Option<u16>,
    /// The path with its query.
    path: Option<String>,
    /// The Host header and the TLS name; required for tls, and where `verify_tls` is on.
    host: Option<String>,
    /// An address or a name that is probed instead of the served address.
    target: Option<String>,
    /// The method.
    method: Option<Method>,
    /// Further header fields.
    headers: Option<BTreeMap<String, String>>,
    /// Accepted status codes: 204, "200-299".
    expect_status: Option<Vec<Status>>,
    /// A text that must be within the first 5120 bytes of the body.
    expect_body: Option<String>,
    /// A regular expression that must match within the first 5120 bytes of the body.
    expect_regex: Option<String>,
    /// Values wanted at JSON pointers (RFC 6901) in the body.
    expect_json: Option<BTreeMap<String, Scalar>>,
    /// "health": the body is JSON and says by its `status` how the target is.
    body: Option<CheckBody>,
    /// The longest time from the request to the last byte wanted; not above the timeout.
    max_response_time: Option<Duration>,
    /// A header field in which the target says how much it wants: 75%, drain, maint.
    weight_header: Option<String>,
    /// A header field in which the target says how loaded it is: 0.85, 85%.
    load_header: Option<String>,
    /// Whether the certificate must be valid for `host`.
    verify_tls: Option<bool>,
    /// Certificates of authorities in PEM, trusted instead of those that the machine trusts.
    ca_file: Option<String>,
    /// A certificate to show, with its chain, in PEM; beside `client_key`.
    client_cert: Option<String>,
    /// The key of `client_cert` in PEM.
    client_key: Option<String>,
    /// grpc: whether it is spoken over TLS.
    tls: Option<bool>,
    /// grpc: the service that is asked about; "": the server as a whole.
    #[schemars(length(max = 255))]
    service: Option<String>,
    /// agent: what is sent first; the agent speaks unasked, if not said.
    #[schemars(length(min = 1, max = 1024))]
    send: Option<String>,
    /// From the start of one probe to the start of the next.
    interval: Option<Duration>,
    /// From connect to the last byte wanted; below the interval.
    timeout: Option<Duration>,
    /// Consecutive failures before down.
    #[schemars(range(min = *COUNT.start(), max = *COUNT.end()))]
    fall: Option<u32>,
    /// Consecutive successes before up.
    #[schemars(range(min = *COUNT.start(), max = *COUNT.end()))]
    rise: Option<u32>,
    /// The interval while results are counted that may change the state; the interval, if not said.
    fast_interval: Option<Duration>,
    /// Whether its results decide about health, or are only told.
    role: Option<Role>,
    /// What the health factor of a target that calls itself degraded is multiplied by.
    #[schemars(range(min = 0.0, max = 1.0))]
    degraded_factor: Option<f64>,
    /// So long before a certificate that it sees expires it is told about.
    warn_before: Option<Duration>,
    /// Calculated: the checks that it looks at.
    of: Option<OneOrMany>,
    /// Calculated: how many of them must be up; all, if not said.
    at_least: Option<u32>,
    /// Dns: the name and type that are asked for: "health.example.com A".
    question: Option<String>,
    /// Dns: records in presentation form that must all be in the answer.
    expect: Option<Vec<String>>,
    /// Icmp: how many echo requests are sent; one must be answered.
    #[schemars(range(min = 1, max = 10))]
    count: Option<u8>,
    /// Exec: a program and its arguments, with {address} and {region} in any of them.
    #[schemars(length(min = 1))]
    command: Option<Vec<String>>,
    /// Prometheus: where the server is: "http://127.0.0.1:9090".
    url: Option<String>,
    /// Prometheus: the query, with {region} and {address} in it.
    #[schemars(length(min = 1, max = 4096))]
    query: Option<String>,
    /// Prometheus: which figures are a failure: "> 0.05".
    #[schemars(regex(pattern = "^ *(>=|<=|==|!=|>|<).+$"))]
    fail_when: Option<String>,
    /// Prometheus: a file with a bearer token; push: a file with the tokens that regions show, a line each.
    token_file: Option<String>,
    /// Push: after so long without a report a region has failed.
    deadline: Option<Duration>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Role {
    Route,
    Monitor,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "UPPERCASE")]
enum Method {
    Get,
    Head,
    Options,
    Post,
    Put,
}

/// A region: addresses that are judged and served together.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Region {
    /// What is served.
    addresses: Option<Vec<IpAddr>>,
    /// Its weight where a policy gives none; 0 is a standby.
    #[schemars(range(min = *WEIGHT.start(), max = *WEIGHT.end()))]
    weight: Option<u16>,
    /// How much it can carry, in a unit that is the same for all regions.
    capacity: Option<f64>,
    /// Where it is.
    location: Option<Location>,
    /// The checks that all must pass; none: always up.
    check: Option<OneOrMany>,
    /// How many addresses of a family must be up: a number, or "50%".
    min_healthy: Option<CountOrPercent>,
    /// After a recovery its share grows over this; "0s": it is full at once.
    ramp: Option<Duration>,
    /// The part of the share that a ramp begins with.
    #[schemars(range(min = 0.0, max = 1.0))]
    ramp_from: Option<f64>,
    /// The reported load from which on the share shrinks.
    #[schemars(range(min = 0.0))]
    shed_from: Option<f64>,
    /// The reported load at which nothing of the share is left.
    #[schemars(range(min = 0.0))]
    shed_to: Option<f64>,
    /// Who lets it back after it was down: its health, or an operator.
    failback: Option<Failback>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Failback {
    Auto,
    Manual,
}

/// Holding down what changes its state too often.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Damping {
    /// Whether it is done.
    enabled: Option<bool>,
    /// Each change of state adds 1 to a penalty; above this it is held down.
    #[schemars(range(min = 0.1, max = 1000.0))]
    above: Option<f64>,
    /// It is let go when the penalty has decayed to this.
    #[schemars(range(min = 0.1, max = 1000.0))]
    below: Option<f64>,
    /// In this time half of the penalty decays.
    half_life: Option<Duration>,
    /// It is held no longer than this after its last change.
    at_most: Option<Duration>,
}

/// What keeps this nameserver from trusting its own probes too far.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Safety {
    /// At most this part of the regions may be out at once by probes alone.
    max_ejected: Option<Part>,
    /// Checks with targets of their own that fail only when this nameserver is cut off.
    references: Option<Vec<String>>,
}

/// How plans are watched.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Plans {
    /// The Prometheus server whose figures give plans up: the URL below which its API lies.
    prometheus: Option<String>,
    /// A file with a bearer token for it.
    token_file: Option<String>,
    /// A file with the authorities of its certificate, in PEM; else those of this machine.
    ca_file: Option<String>,
    /// How often it is asked.
    interval: Option<Duration>,
    /// How long an answer may take: below the interval.
    timeout: Option<Duration>,
}

/// A time in which regions are empty for maintenance.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Window {
    /// The regions.
    regions: Vec<String>,
    /// From when on: a time with its offset from UTC.
    from: String,
    /// Until when: a time with its offset from UTC.
    to: String,
    /// Over how long they are drained before.
    drain_over: Option<Duration>,
    /// Over how long they return after.
    return_over: Option<Duration>,
    /// Why.
    reason: Option<String>,
}

/// What a simulation goes by: the load of all regions, and which risks are taken.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Simulate {
    /// The load of all regions together, in the unit of their capacities; the most that they can bear
    /// when all is healthy, if not said.
    demand: Option<f64>,
    /// The longest time that clients may stay with a region that has died.
    cut_over_max: Option<Duration>,
    /// The codes of risks that are accepted.
    accept: Option<Vec<Risk>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum Risk {
    SingleRegion,
    NoCheck,
    NoHeadroom,
    StaleProbe,
    LongTtl,
    EndlessOverride,
    AllDownUnexercised,
    UnknownCapacity,
}

/// A part of a whole.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Part {
    Number(#[schemars(range(min = 0.0, max = 1.0))] f64),
    Percent(String),
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum CountOrPercent {
    Count(#[schemars(range(min = 1))] u16),
    Percent(#[schemars(regex(pattern = "^[0-9]+%$"))] String),
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Location {
    /// The region of a cloud: "aws:us-east-1".
    Cloud(String),
    Degrees(Degrees),
}

/// Degrees north and east.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Degrees {
    #[schemars(range(min = -90, max = 90))]
    latitude: f64,
    #[schemars(range(min = -180, max = 180))]
    longitude: f64,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum PolicyType {
    Weighted,
    Failover,
    Geolocation,
    Latency,
    Geoproximity,
    Multivalue,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Sticky {
    None,
    Client,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum WhenDown {
    Widen,
    Fence,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Tolerance {
    /// latency: a duration.
    Time(Duration),
    /// geoproximity: km.
    Distance(#[schemars(range(min = *TOLERANCE_KM.start(), max = *TOLERANCE_KM.end()))] f64),
}

#[derive(JsonSchema)]
#[schemars(transparent)]
struct Bias(#[schemars(range(min = *BIAS.start(), max = *BIAS.end()))] i8);

/// Where clients are sent of which all keys given match; a key matches when any of its values does.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Rule {
    /// Network prefixes.
    prefix: Option<OneOrMany>,
    /// Autonomous systems.
    asn: Option<OneOrMany<Asn>>,
    subdivision: Option<OneOrMany<Subdivision>>,
    country: Option<OneOrMany<Country>>,
    continent: Option<OneOrMany<Continent>>,
    /// A region or a policy.
    to: String,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum MissingFamily {
    Nodata,
    Skip,
}

/// How shares follow from weights and health.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Policy {
    /// What it does.
    r#type: PolicyType,
    /// weighted: regions and policies with their weights; default: every region at its own.
    weights: Option<BTreeMap<String, u16>>,
    /// weighted: whether a client network keeps to its region.
    sticky: Option<Sticky>,
    /// failover: regions and policies in order of preference; a nested list shares its tier.
    order: Option<Vec<OneOrMany>>,
    /// failover: what a tier leaves goes to the next.
    spill: Option<bool>,
    /// All but geolocation: with fewer members up all of it counts as down.
    min_up: Option<u16>,
    /// failover, geolocation, latency, geoproximity: what a member without the family asked yields.
    missing_family: Option<MissingFamily>,
    /// geolocation: where clients are sent; the most specific rule that matches wins.
    rules: Option<Vec<Rule>>,
    /// geolocation: the region or policy of clients that no rule names, or "nodata".
    default: Option<String>,
    /// geolocation: whether a rule whose regions are all down gives way to the next that matches.
    when_down: Option<WhenDown>,
    /// latency, geoproximity, multivalue: the regions; default: every region.
    to: Option<Vec<String>>,
    /// latency, geoproximity: all within this of the best share by weight.
    tolerance: Option<Tolerance>,
    /// geoproximity: regions and by how many percent they seem nearer, or farther below 0.
    bias: Option<BTreeMap<String, Bias>>,
    /// multivalue: addresses in one answer at most; default: as many as the record allows.
    #[schemars(range(min = *ANSWERS.start(), max = *ANSWERS.end()))]
    max_answers: Option<u8>,
}

/// What this server has authority over.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Zone {
    /// A master file, relative to the configuration file.
    file: Option<String>,
    /// Without a file: nameservers, those within the zone with addresses.
    nameservers: Option<BTreeMap<String, Vec<IpAddr>>>,
    /// Without a file: the mail address of the SOA.
    hostmaster: Option<String>,
    /// Without a file: how long negative answers may be kept, in seconds.
    #[schemars(range(min = *TTL.start(), max = *TTL.end()))]
    negative_ttl: Option<u32>,
}

/// A name that is answered from shares.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Record {
    /// The owner name.
    name: String,
    /// A policy, a region, or, over every region, "weighted", "latency", "geoproximity" or
    /// "multivalue".
    policy: String,
    /// Seconds, when all is calm.
    #[schemars(range(min = *TTL.start(), max = *TTL.end()))]
    ttl: Option<u32>,
    /// The least that doubt may make of it, in seconds.
    #[schemars(range(min = *TTL.start(), max = *TTL.end()))]
    ttl_min: Option<u32>,
    /// Checks instead of the regions' own.
    check: Option<OneOrMany>,
    /// `open`, `closed`, `last_good`, or the name of a region or a policy.
    on_all_down: Option<String>,
    /// Addresses in one answer at most.
    #[schemars(range(min = *ANSWERS.start(), max = *ANSWERS.end()))]
    max_answers: Option<u8>,
    /// What is served instead of the regions' own addresses; only these regions take part.
    endpoints: Option<BTreeMap<String, Endpoint>>,
}

/// What a record has for a region: addresses, or the name of something that has some.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Endpoint {
    /// Addresses.
    Addresses(Vec<IpAddr>),
    /// A name.
    Named(Named),
}

/// The name of something that has addresses: either of the two keys.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Named {
    /// It is looked up, and its addresses are served.
    alias: Option<String>,
    /// It is served itself, as a CNAME; for all regions of the record, or for none.
    cname: Option<String>,
}
