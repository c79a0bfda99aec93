//! Figures as people read them.

use std::time::Duration;

/// A figure with its thousands apart: `14,200`; below 100 with as many decimals as say something.
#[must_use]
pub fn figure(number: f64) -> String {
    if number.abs() < 99.95 {
        let text = format!("{number:.2}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        return if text == "-0" { "0".into() } else { text.into() };
    }
    let whole = format!("{:.0}", number.abs());
    let mut out = String::from(if number < 0.0 { "-" } else { "" });
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A part of a whole, which may be more than it: `118 %`, `0.4 %`.
#[must_use]
pub fn percent(part: f64) -> String {
    let hundred = part * 100.0;
    match hundred {
        low if low != 0.0 && low < 0.1 => "<0.1 %".into(),
        low if low < 9.95 && (low - low.round()).abs() >= 0.05 => format!("{low:.1} %"),
        // What is above a limit is not said to be on it.
        over if over > 100.0 && over < 100.5 => format!("{:.1} %", over.max(100.1)),
        other => format!("{other:.0} %"),
    }
}

/// A length of time in its two largest units: `14h 3m`.
pub(super) fn span(time: Duration) -> String {
    let secs = time.as_secs();
    let all =
        [(secs / 86_400, "d"), (secs / 3600 % 24, "h"), (secs / 60 % 60, "m"), (secs % 60, "s")];
    let parts = all.into_iter().skip_while(|(count, _)| *count == 0).take(2);
    let parts: Vec<String> = parts
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if parts.is_empty() { "0s".into() } else { parts.join(" ") }
}

/// The first few of some names, and how many more there are.
pub(super) fn names(first: &[String], count: usize) -> String {
    const TOLD: usize = 3;
    let told = first.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join(", ");
    match count.saturating_sub(first.len().min(TOLD)) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_as_people_write_them() {
        let all = [0.0, 0.5, 12.0, 99.99, 100.0, 999.6, 14_200.4, 1_204_332.0, -0.001, -2500.0];
        let told = all.map(figure);
        let wanted =
            ["0", "0.5", "12", "100", "100", "1,000", "14,200", "1,204,332", "0", "-2,500"];
        assert_eq!(told, wanted);
        let all = [0.0, 0.0004, 0.004, 0.5, 1.0, 1.0001, 1.184];
        assert_eq!(
            all.map(percent),
            ["0 %", "<0.1 %", "0.4 %", "50 %", "100 %", "100.1 %", "118 %"]
        );
        let all = [0, 59, 60, 3661, 90_000, 86_405].map(|secs| span(Duration::from_secs(secs)));
        assert_eq!(all, ["0s", "59s", "1m", "1h 1m", "1d 1h", "1d"]);
    }

    #[test]
    fn of_many_names_the_first_are_told() {
        let all: Vec<String> = ["a", "b", "c", "d"].map(Into::into).into();
        assert_eq!(names(&all, 4), "a, b, c and 1 more");
        assert_eq!(names(&all[..2], 2), "a, b");
        assert_eq!(names(&all[..1], 9), "a and 8 more");
    }
}
