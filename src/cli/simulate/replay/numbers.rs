//! Numbers of queries and parts of them, in as few digits as say them.

use crate::simulate::figure;

/// Seconds with one decimal at most: `45.3 s`.
pub(super) fn secs(secs: f64) -> String {
    format!("{} s", (secs * 10.0).round() / 10.0)
}

/// A part with one decimal: `12.4 %`; never 0 or 100 where it is not quite that.
pub(super) fn percent(part: f64) -> String {
    match part * 100.0 {
        0.0 => "0 %".into(),
        low if low < 0.05 => "<0.1 %".into(),
        high if high >= 100.0 - 1e-9 => "100 %".into(),
        high if high >= 99.95 => ">99.9 %".into(),
        other => format!("{other:.1} %"),
    }
}

/// A number of queries that is an expected one.
pub(super) fn whole(queries: f64) -> String {
    match queries {
        none if none <= 0.0 => "0".into(),
        few if few < 0.5 => "<1".into(),
        many => thousands(many.round() as u64),
    }
}

/// `1 query`, `1,234 queries`.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// `1,234,567`.
pub(super) fn thousands(number: u64) -> String {
    figure(number as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_never_none_or_all_where_they_are_not() {
        let parts = [0.0, 0.000_01, 0.001, 0.123_9, 0.999, 0.999_9, 1.0].map(percent);
        assert_eq!(parts, ["0 %", "<0.1 %", "0.1 %", "12.4 %", "99.9 %", ">99.9 %", "100 %"]);
        assert_eq!([0.0, 0.2, 0.6, 1234.5].map(whole), ["0", "<1", "1", "1,235"]);
        let many = [0, 999, 1000, 12_345, 1_234_567].map(thousands);
        assert_eq!(many, ["0", "999", "1,000", "12,345", "1,234,567"]);
        assert_eq!([60.0, 45.25].map(secs), ["60 s", "45.3 s"]);
        assert_eq!(count(1, "file", "files"), "1 file");
    }
}
