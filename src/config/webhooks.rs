//! `[webhooks.NAME]`: who is told of events over HTTP, of which, and how.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use super::context::Spanned;
use super::names;
use super::table::Table;
use super::value::Value;
use crate::problem::Problem;

/// Someone who is told of events.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// What it is called in logs and metrics.
    pub name: Spanned<Arc<str>>,
    /// Where it is; http or https, without a user and a password. It may be a secret as a whole.
    pub url: Spanned<Url>,
    /// What is sent.
    pub format: WebhookFormat,
    /// The events that it is told of, each once.
    pub events: Vec<Topic>,
    /// The secrets that messages are signed with.
    pub secret_file: Option<Spanned<PathBuf>>,
    /// The token that is shown (RFC 6750).
    pub token_file: Option<Spanned<PathBuf>>,
    /// The only authorities that are trusted, in PEM; `None`: those that the machine trusts.
    pub ca_file: Option<Spanned<PathBuf>>,
    /// From connect to the end of the answer.
    pub timeout: Duration,
    /// How many events may wait.
    pub queue: u32,
    /// For how long an event is kept for.
    pub retry_for: Duration,
    /// How often an alert that is firing is sent again.
    pub repeat: Duration,
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookFormat {
    /// An event a message, as CloudEvents 1.0.
    CloudEvents,
    /// A text for a chat, as Slack takes it.
    Slack,
    /// Alerts, for the second version of Alertmanager's API.
    Alertmanager,
}

/// What an event is about, in the words of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// A target went up or down.
    Transition,
    /// All-down rules were engaged or released.
    AllDown,
    /// The configuration was not loaded again; and that it was, the next time.
    ReloadFailed,
    /// A certificate expires soon, or was renewed.
    Certificate,
    /// A region that changes too often is held down, or not any more.
    Damping,
    /// This nameserver is cut off, or no longer.
    SelfCheck,
    /// More regions fail than may be out at once, or no longer.
    Ejection,
    /// A region waits for an operator, or is let back.
    Failback,
    /// Addresses behind a name cannot be looked up, or can again.
    Lookup,
    /// What operators force, and its end.
    Override,
    /// Plans that go on, are given up, or are over.
    Plan,
}

impl Topic {
    /// All of them with their words.
    pub const ALL: [(&str, Self); 11] = [
        ("transition", Self::Transition),
        ("all_down", Self::AllDown),
        ("reload_failed", Self::ReloadFailed),
        ("certificate", Self::Certificate),
        ("damping", Self::Damping),
        ("self_check", Self::SelfCheck),
        ("ejection", Self::Ejection),
        ("failback", Self::Failback),
        ("lookup", Self::Lookup),
        ("override", Self::Override),
        ("plan", Self::Plan),
    ];

    /// Those that are told of where nothing is said: what nobody has decided on.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        Self::ALL.map(|(_, topic)| topic).into_iter().filter(|&t| t != Self::Override).collect()
    }
}

/// For a request.
pub(super) const TIMEOUT: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(60);
/// Events that wait.
pub(super) const QUEUE: std::ops::RangeInclusive<i64> = 1..=100_000;
const RETRY_FOR: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(7 * 86_400);
const REPEAT: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(3600);

const URL_WANTED: &str = "an http or https URL without a user, a password and a fragment";
const SIGNED: &str = "a webhook of the format cloudevents: the others have no signatures";

impl Webhook {
    /// From connect to the end of the answer, where nothing is said.
    pub const TIMEOUT: Duration = Duration::from_secs(5);
    /// How many events may wait, where nothing is said.
    pub const QUEUE: u32 = 1000;
    /// For how long an event is kept for, where nothing is said.
    pub const RETRY_FOR: Duration = Duration::from_secs(3600);
    /// How often an alert is sent again, where nothing is said.
    pub const REPEAT: Duration = Duration::from_secs(60);

    pub(super) fn read_all(v: &Value<'_>) -> Option<Vec<Self>> {
        let entries = v.entries("a table of webhooks: [webhooks.ops]")?;
        let read = entries.into_iter().filter_map(|(name, place, v)| {
            let name = names::read(name, place, &v);
            v.table(|t| Self::read(name, t)).flatten()
        });
        Some(read.collect())
    }

    fn read(name: Spanned<Arc<str>>, t: &Table<'_>) -> Option<Self> {
        let url = t.required("url", URL_WANTED, url);
        let mut format = WebhookFormat::CloudEvents;
        t.set("format", &mut format, |v| {
            v.word(&[
                ("cloudevents", WebhookFormat::CloudEvents),
                ("slack", WebhookFormat::Slack),
                ("alertmanager", WebhookFormat::Alertmanager),
            ])
        });
        let mut events = Topic::usual();
        t.set("events", &mut events, topics);
        let file = |v: &Value<'_>| Some(v.with_place(v.file()?));
        let secret_file = t.optional("secret_file", file);
        if let Some(file) = secret_file.as_ref().filter(|_| format != WebhookFormat::CloudEvents) {
            let found = "a secret for signatures";
            let place = file.place.clone();
            t.report(Problem::error(place, t.join("secret_file"), found, SIGNED));
        }
        let (token_file, ca_file) = (t.optional("token_file", file), t.optional("ca_file", file));
        let (mut timeout, mut queue) = (Self::TIMEOUT, Self::QUEUE);
        let (mut retry_for, mut repeat) = (Self::RETRY_FOR, Self::REPEAT);
        t.set("timeout", &mut timeout, |v| v.duration(TIMEOUT));
        t.set("queue", &mut queue, |v| v.integer(QUEUE));
        t.set("retry_for", &mut retry_for, |v| v.duration(RETRY_FOR));
        t.set("repeat", &mut repeat, |v| v.duration(REPEAT));
        if let Some(v) = t.peek("repeat").filter(|_| format != WebhookFormat::Alertmanager) {
            v.refuse::<()>("a webhook of the format alertmanager: the others say each thing once");
        }
        let url = url?;
        if let Some(file) = ca_file.as_ref().filter(|_| url.scheme() != "https") {
            let wanted = "an https URL beside it: without TLS nobody is trusted by a certificate";
            let found = "authorities for an http URL";
            t.report(Problem::warning(file.place.clone(), t.join("ca_file"), found, wanted));
        }
        Some(Self {
            name,
            url,
            format,
            events,
            secret_file,
            token_file,
            ca_file,
            timeout,
            queue,
            retry_for,
            repeat,
        })
    }
}

/// What was found is not told: the URL of a chat's webhook is a secret, and problems get into logs.
fn url(v: &Value<'_>) -> Option<Spanned<Url>> {
    let refuse = |found: &str, hint: Option<&str>| {
        let problem = Problem::error(v.place(), &v.path, found, URL_WANTED);
        v.cx.report(match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        });
        None
    };
    let Some(text) = v.text() else { return v.refuse(URL_WANTED) };
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => return refuse(&format!("a text that is no URL ({error})"), None),
    };
    if !matches!(url.scheme(), "http" | "https") {
        let hint = "write it with its scheme: \"https://…\"";
        return refuse(&format!("a URL of the scheme \"{}\"", url.scheme()), Some(hint));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let hint = "put a token into a file, and set token_file";
        return refuse("a URL with a user or a password", Some(hint));
    }
    if url.fragment().is_some() {
        return refuse("a URL with a fragment (#…)", None);
    }
    Some(v.with_place(url))
}

fn topics(v: &Value<'_>) -> Option<Vec<Topic>> {
    let words = Topic::ALL.map(|(word, _)| format!("\"{word}\"")).join(", ");
    let list = v.list(&format!("a list of events: {words}"), |v| v.word(&Topic::ALL))?;
    let mut topics = Vec::new();
    for topic in list {
        if !topics.contains(&topic) {
            topics.push(topic);
        }
    }
    if v.elements().is_empty() {
        return v.refuse("at least one event; remove the webhook to tell it of none");
    }
    Some(topics)
}
