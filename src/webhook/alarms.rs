//! Alerts for Alertmanager: what is bad is said again and again until it is good, as its clients must
//! (<https://prometheus.io/docs/alerting/latest/clients/>).
//!
//! Whom an alert is about stands in its labels, and those that end it are those that began it, whatever
//! else is known by then.

use std::collections::BTreeMap;

use reqwest::Url;
use serde::Serialize;

use super::lines;
use super::message::{Message, Turn};
use crate::config::Topic;

pub(super) const CONTENT_TYPE: &str = "application/json";

/// How many alerts at most are in one request.
pub(super) const MOST: usize = 100;
/// How many alerts are repeated at most; what is beyond them is said once.
pub(super) const KEPT: usize = 5000;
/// Where alerts are posted.
const PATH: &str = "/api/v2/alerts";
/// The longest text of an annotation, in characters.
const LONGEST: usize = 2000;

/// An alert as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alert {
    labels: BTreeMap<&'static str, String>,
    annotations: BTreeMap<&'static str, String>,
    /// `None`: it is not known any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<String>,
    /// `None`: it is firing.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
}

/// The alerts that are firing.
#[derive(Debug, Default)]
pub(super) struct Alarms(BTreeMap<(Option<Topic>, String), Alert>);

impl Alarms {
    /// Takes an event for what it is; gives the alert that it fires or resolves, if it does either.
    pub(super) fn note(&mut self, instance: &str, message: &Message) -> Option<Alert> {
        let (topic, about) = message.key();
        let key = (topic, about.to_owned());
        match message.turn {
            Turn::Neither => None,
            Turn::Worse => {
                let new = Alert::of(instance, message);
                let known = self.0.get_mut(&key);
                let Some(known) = known else {
                    if self.0.len() < KEPT {
                        self.0.insert(key, new.clone());
                    }
                    return Some(new);
                };
                // It goes on: since when, and about whom, stays.
                known.annotations = new.annotations;
                Some(known.clone())
            }
            Turn::Better => {
                let began = self.0.remove(&key);
                let ended = Alert::of(instance, message);
                let mut alert = began.unwrap_or(Alert { starts_at: None, ..ended.clone() });
                alert.annotations = ended.annotations;
                alert.ends_at = Some(message.time.clone());
                Some(alert)
            }
        }
    }

    /// Knows nothing but what these say.
    pub(super) fn restart<'a>(
        &mut self,
        instance: &str,
        open: impl IntoIterator<Item = &'a Message>,
    ) {
        self.0.clear();
        for message in open {
            self.note(instance, message);
        }
    }

    /// Those that are firing.
    pub(super) fn firing(&self) -> Vec<Alert> {
        self.0.values().cloned().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Alert {
    fn of(instance: &str, message: &Message) -> Self {
        let (name, severity) = title(message.topic);
        let mut labels = BTreeMap::from([
            ("alertname", name.to_owned()),
            ("severity", severity.to_owned()),
            ("instance", instance.to_owned()),
        ]);
        let about = [
            ("subject", &message.subject),
            ("region", &message.region),
            ("record", &message.record),
        ];
        for (label, value) in about {
            labels.extend(value.clone().filter(|value| !value.is_empty()).map(|v| (label, v)));
        }
        let mut annotations = BTreeMap::from([("summary", lines::one(&message.text, LONGEST))]);
        let reason = message.reason.as_ref().map(|reason| lines::one(reason, LONGEST));
        annotations.extend(reason.map(|reason| ("description", reason)));
        Self { labels, annotations, starts_at: Some(message.time.clone()), ends_at: None }
    }

    /// The same, if it ends by itself at this time (RFC 3339).
    pub(super) fn until(mut self, time: String) -> Self {
        self.ends_at = Some(time);
        self
    }

    /// Whether another is about the same.
    fn is_alike(&self, other: &Self) -> bool {
        self.labels == other.labels
    }
}

/// The body: of several alerts about the same, the last.
pub(super) fn body(alerts: &[Alert]) -> Vec<u8> {
    let is_last = |(at, alert): &(usize, &Alert)| {
        !alerts.iter().skip(at + 1).any(|later| later.is_alike(alert))
    };
    let last: Vec<&Alert> = alerts.iter().enumerate().filter(is_last).map(|(_, a)| a).collect();
    serde_json::to_vec(&last).unwrap_or_default()
}

/// The name of an alert, and how bad it is.
const fn title(topic: Option<Topic>) -> (&'static str, &'static str) {
    match topic {
        None => ("TrimtabTest", "info"),
        Some(Topic::Transition) => ("TrimtabTargetDown", "warning"),
        Some(Topic::AllDown) => ("TrimtabRecordAllDown", "critical"),
        Some(Topic::ReloadFailed) => ("TrimtabReloadFailed", "warning"),
        Some(Topic::Certificate) => ("TrimtabCertificateExpires", "warning"),
        Some(Topic::Damping) => ("TrimtabRegionDamped", "warning"),
        Some(Topic::SelfCheck) => ("TrimtabSelfCheckFailed", "critical"),
        Some(Topic::Ejection) => ("TrimtabTooManyRegionsFail", "critical"),
        Some(Topic::Failback) => ("TrimtabFailbackWaits", "warning"),
        Some(Topic::Lookup) => ("TrimtabLookupFailed", "warning"),
        Some(Topic::Override) => ("TrimtabOverride", "info"),
        Some(Topic::Plan) => ("TrimtabPlan", "warning"),
    }
}

/// The address of the API below a URL, unless that is it already.
pub(super) fn address(url: &Url) -> Url {
    let mut url = url.clone();
    let path = url.path().trim_end_matches('/');
    if !path.ends_with(PATH) {
        let path = format!("{path}{PATH}");
        url.set_path(&path);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_found_below_any_path() {
        for (url, wanted) in [
            ("http://a:9093", "http://a:9093/api/v2/alerts"),
            ("http://a:9093/", "http://a:9093/api/v2/alerts"),
            ("https://a/am/", "https://a/am/api/v2/alerts"),
            ("https://a/am/api/v2/alerts?x=1", "https://a/am/api/v2/alerts?x=1"),
        ] {
            assert_eq!(address(&url.parse().unwrap()).as_str(), wanted);
        }
    }
}
