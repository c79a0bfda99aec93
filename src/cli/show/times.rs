//! Times and lengths of time as people say them.

use std::time::SystemTime;

/// A length of time by its two largest units: `3d 4h`, `12m 5s`, `40s`.
pub(in crate::cli) fn span(secs: f64) -> String {
    // No length of time that there is comes near the end of the range; what is no number is none.
    let mut rest = secs.max(0.0).round() as u64;
    let mut parts = Vec::new();
    for (unit, length) in [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)] {
        let count = rest / length;
        rest %= length;
        if count > 0 {
            parts.push(format!("{count}{unit}"));
        }
        if count > 0 && parts.len() == 2 || parts.len() == 1 && count == 0 {
            break;
        }
    }
    if parts.is_empty() { "0s".into() } else { parts.join(" ") }
}

/// A moment (RFC 3339, in UTC) as it is said on the day of another: `04:30 UTC`, else with its date.
pub(super) fn moment(time: &str, today: &str) -> String {
    let Some(at) = seconds(time) else { return super::clean(time) };
    let text = humantime::format_rfc3339_seconds(at).to_string();
    let (date, clock) = text.split_once('T').unwrap_or_default();
    // Seconds count where they are not those of a full minute.
    let clock = clock.trim_end_matches('Z');
    let clock = clock.strip_suffix(":00").unwrap_or(clock);
    let same = seconds(today)
        .is_some_and(|now| humantime::format_rfc3339_seconds(now).to_string().starts_with(date));
    if same { format!("{clock} UTC") } else { format!("{date} {clock} UTC") }
}

/// A moment with its date: `2026-11-30 04:05:12`.
pub(in crate::cli) fn stamp(time: &str) -> String {
    let Some(at) = seconds(time) else { return super::clean(time) };
    humantime::format_rfc3339_seconds(at).to_string().replace('T', " ").trim_end_matches('Z').into()
}

fn seconds(time: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_two_units_at_most() {
        let all = [0.0, 0.4, 59.6, 61.0, 3600.0, 3601.0, 7380.0, 90_000.0, 86_400.0 * 40.0 + 5.0];
        let told: Vec<String> = all.into_iter().map(span).collect();
        assert_eq!(told, ["0s", "0s", "1m", "1m 1s", "1h", "1h", "2h 3m", "1d 1h", "40d"]);
        assert_eq!((span(-5.0), span(f64::NAN)), ("0s".into(), "0s".into()));
    }

    #[test]
    fn a_moment_of_today_needs_no_date() {
        let today = "2026-11-30T04:05:12Z";
        assert_eq!(moment("2026-11-30T04:30:00Z", today), "04:30 UTC");
        assert_eq!(moment("2026-11-30T04:30:07.250Z", today), "04:30:07 UTC");
        assert_eq!(moment("2026-12-01T04:30:00Z", today), "2026-12-01 04:30 UTC");
        assert_eq!(moment("soon\x1b[2J", today), "soon\u{fffd}[2J");
        assert_eq!(stamp("2026-11-30T04:05:12.9Z"), "2026-11-30 04:05:12");
    }
}
