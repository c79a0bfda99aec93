//! Why a server has not done what it was asked.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::control::command::LeftWithNothing;

/// Why.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) enum Trouble {
    /// There is nobody: nothing has been asked.
    Unreachable(String),
    /// There was somebody, but no answer came in time: a change may have been made or not.
    Silent(String),
    /// The connection broke before there was a whole answer: the same.
    Broken(String),
    /// What answers is no Trimtab that this program understands.
    Strange(String),
    /// It refused.
    Refused(Box<Problem>),
    /// It did it, but then something did not come as it was waited for.
    Afterwards(String),
}

/// A problem document (RFC 9457), as servers send it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Problem {
    /// The kind, for programs.
    #[serde(default)]
    pub(in crate::cli) code: String,
    /// The kind in a few words.
    #[serde(default)]
    pub(in crate::cli) title: String,
    /// The HTTP status.
    #[serde(default)]
    pub(in crate::cli) status: u16,
    /// What it is this time.
    #[serde(default)]
    pub(in crate::cli) detail: String,
    /// What else it says.
    #[serde(flatten)]
    pub(in crate::cli) members: Map<String, Value>,
}

impl Problem {
    /// It in a sentence.
    pub(in crate::cli) fn sentence(&self) -> &str {
        if self.detail.is_empty() { &self.title } else { &self.detail }
    }

    /// The records that would be left with nothing, and how many there are in all.
    pub(in crate::cli) fn left_with_nothing(&self) -> Option<(Vec<LeftWithNothing>, usize)> {
        if self.code != "nothing_left" {
            return None;
        }
        let records = self.members.get("records").cloned().unwrap_or_default();
        let records: Vec<LeftWithNothing> = serde_json::from_value(records).unwrap_or_default();
        let count = self.members.get("count").and_then(Value::as_u64);
        let count = count.and_then(|count| usize::try_from(count).ok()).unwrap_or(records.len());
        Some((records, count))
    }

    /// The problems of a configuration, each as it is reported.
    pub(in crate::cli) fn problems(&self) -> Vec<&str> {
        let problems = self.members.get("problems").and_then(Value::as_array);
        problems.into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

impl Trouble {
    /// It as JSON: the server's own document, or one of the same kind.
    pub(in crate::cli) fn json(&self) -> Value {
        let (code, title, detail) = match self {
            Self::Refused(problem) => return serde_json::to_value(problem).unwrap_or_default(),
            Self::Unreachable(why) => ("unreachable", "The server cannot be reached", why),
            Self::Silent(why) => ("no_answer", "The server does not answer", why),
            Self::Broken(why) => ("broken", "No whole answer came", why),
            Self::Strange(why) => ("strange", "It is no Trimtab that answers", why),
            Self::Afterwards(why) => ("afterwards", "It was done, but then", why),
        };
        json!({ "code": code, "title": title, "detail": detail })
    }
}
