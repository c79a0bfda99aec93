//! What an answer means, and when to try again.

use std::time::{Duration, SystemTime};

use super::lines;

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// What `Retry-After` says, if anything that can be read.
    pub retry_after: Option<String>,
    /// The beginning of the body.
    pub body: String,
}

/// A reply, or why there is none.
pub type Answer = Result<Reply, String>;

/// What it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Delivered,
    /// It may be taken later, after so long if that was asked for; and why not now.
    Later(Option<Duration>, String),
    /// It will never be; and why.
    Never(String),
}

/// The longest wait that a receiver may ask for.
const ASKED_MOST: Duration = Duration::from_secs(600);
/// The longest wait that is not asked for, in seconds.
const PAUSE_MOST: u64 = 60;
/// So much of a body is told.
const TOLD: usize = 200;

impl Outcome {
    /// What an answer comes to at `now`, by which dates are read.
    #[must_use]
    pub fn of(answer: &Answer, now: SystemTime) -> Self {
        let reply = match answer {
            Ok(reply) => reply,
            Err(why) => return Self::Later(None, why.clone()),
        };
        let mut why = format!("HTTP {}", reply.status);
        let body = lines::one(&reply.body, TOLD);
        if !body.is_empty() {
            why = format!("{why}: {body}");
        }
        match reply.status {
            200..=299 => Self::Delivered,
            300..=399 => Self::Never(format!("HTTP {}: redirects are not followed", reply.status)),
            // What is not over, or is not about what was sent.
            408 | 425 | 429 | 500.. => Self::Later(asked(reply.retry_after.as_deref(), now), why),
            _ => Self::Never(why),
        }
    }
}

/// How long a receiver wants to be left alone (RFC 9110 section 10.2.3).
fn asked(text: Option<&str>, now: SystemTime) -> Option<Duration> {
    let text = text?.trim();
    let wait = match text.parse() {
        Ok(secs) => Duration::from_secs(secs),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(ASKED_MOST))
}

/// How long to wait after so many failures in a row, the last included: from 1 to 2 s, and each time
/// about twice as long, up to a minute. `random` is from 0 to 1: those who fail together should not come
/// back together.
pub(super) fn pause(failures: u32, random: f64, asked: Option<Duration>) -> Duration {
    let most = 2_u64.checked_pow(failures.max(1)).map_or(PAUSE_MOST, |secs| secs.min(PAUSE_MOST));
    let most = Duration::from_secs(most);
    let wait = most.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0);
    wait.max(asked.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn outcome(status: u16, retry_after: Option<&str>) -> Outcome {
        let retry_after = retry_after.map(Into::into);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        Outcome::of(&Ok(Reply { status, retry_after, body: " no\n".into() }), now)
    }

    #[rstest]
    #[case(200, true, false)]
    #[case(204, true, false)]
    #[case(301, false, false)]
    #[case(308, false, false)]
    #[case(400, false, false)]
    #[case(404, false, false)]
    #[case(410, false, false)]
    #[case(408, false, true)]
    #[case(425, false, true)]
    #[case(429, false, true)]
    #[case(500, false, true)]
    #[case(503, false, true)]
    #[case(599, false, true)]
    fn a_status_means_done_later_or_never(
        #[case] status: u16,
        #[case] delivered: bool,
        #[case] later: bool,
    ) {
        let outcome = outcome(status, None);
        assert_eq!(outcome == Outcome::Delivered, delivered, "{outcome:?}");
        assert_eq!(matches!(outcome, Outcome::Later(None, _)), later, "{outcome:?}");
    }

    #[rstest]
    #[case("7", Some(7))]
    #[case(" 0 ", Some(0))]
    #[case("99999999999", Some(600))]
    #[case("Sun, 06 Nov 1994 08:50:07 GMT", Some(30))]
    #[case("Sun, 06 Nov 1994 08:00:00 GMT", Some(0))]
    #[case("Sat, 06 Nov 1999 08:00:00 GMT", Some(600))]
    #[case("soon", None)]
    #[case("-5", None)]
    fn a_receiver_may_ask_for_a_pause(#[case] text: &str, #[case] secs: Option<u64>) {
        let wanted = Outcome::Later(secs.map(Duration::from_secs), "HTTP 429: no".into());
        assert_eq!(outcome(429, Some(text)), wanted);
    }

    #[test]
    fn pauses_grow_to_a_minute_and_what_was_asked_for_is_kept() {
        let secs = |random| (1..=8).map(move |n| pause(n, random, None).as_secs_f64());
        assert_eq!(secs(0.0).collect::<Vec<_>>(), [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]);
        assert_eq!(secs(1.0).collect::<Vec<_>>(), [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]);
        assert_eq!(pause(u32::MAX, 1.0, None).as_secs(), 60);
        assert_eq!(pause(1, 0.0, Some(Duration::from_secs(90))).as_secs(), 90);
        assert_eq!(pause(1, 0.0, Some(Duration::ZERO)).as_secs(), 1, "no hammering on demand");
    }
}
