//! Shares, healths and other people's texts, in as few letters as say them.

use crate::control::views::{HealthWord, Share};

/// Another's text without what would be an order to the terminal.
pub(in crate::cli) fn clean(text: &str) -> String {
    let turned = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let one = |c: char| if c.is_control() || turned(c) { '\u{fffd}' } else { c };
    text.chars().map(one).collect()
}

/// A part from 0 to 1: `60 %`, `0.4 %`, `100 %`; never 0 or 100 where it is not quite that.
pub(in crate::cli) fn percent(part: f64) -> String {
    let hundred = part.clamp(0.0, 1.0) * 100.0;
    match hundred {
        0.0 => "0 %".into(),
        100.0 => "100 %".into(),
        low if low < 0.1 => "<0.1 %".into(),
        low if low < 9.95 && (low - low.round()).abs() >= 0.05 => format!("{low:.1} %"),
        high if high > 99.9 => ">99.9 %".into(),
        high if high > 99.5 => format!("{high:.1} %"),
        other => format!("{other:.0} %"),
    }
}

/// A share: `60 %`, or `0–100 %` where it is another one for other clients.
pub(in crate::cli) fn share(share: Share) -> String {
    let (least, most) = (percent(share.least), percent(share.most));
    if least == most {
        return most;
    }
    format!("{}–{most}", least.trim_end_matches(" %"))
}

/// The share over several records.
pub(in crate::cli) fn shares_of(of: Option<Share>) -> String {
    of.map_or_else(|| "-".into(), share)
}

/// A health in a word or two.
pub(in crate::cli) const fn health(health: HealthWord) -> &'static str {
    match health {
        HealthWord::Unknown => "unknown",
        HealthWord::Up => "up",
        HealthWord::InDoubt => "in doubt",
        HealthWord::Degraded => "degraded",
        HealthWord::Held => "held back",
        HealthWord::Down => "down",
        HealthWord::Unchecked => "no check",
    }
}

/// `1 record`, `2 records`.
pub(in crate::cli) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_whole_but_where_that_would_hide_something() {
        let all = [0.0, 0.000_01, 0.004, 0.05, 0.055, 0.333_333, 0.6, 0.996, 0.999_99, 1.0, 7.0];
        let told: Vec<String> = all.into_iter().map(percent).collect();
        let wanted = [
            "0 %", "<0.1 %", "0.4 %", "5 %", "5.5 %", "33 %", "60 %", "99.6 %", ">99.9 %", "100 %",
            "100 %",
        ];
        assert_eq!(told, wanted);
        assert_eq!(share(Share { least: 0.6, most: 0.6 }), "60 %");
        assert_eq!(share(Share { least: 0.0, most: 1.0 }), "0–100 %");
        assert_eq!(shares_of(None), "-");
    }

    #[test]
    fn no_text_gives_orders_to_the_terminal() {
        assert_eq!(clean("a\x1b]0;x\x07b\r\nc\u{202e}d"), "a�]0;x�b��c�d");
        assert_eq!(clean("Ä – ✓"), "Ä – ✓");
    }
}
