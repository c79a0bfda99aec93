//! What others wrote, made fit for a line of ours.

/// In one line, without characters that control anything, and cut off behind so many.
pub(super) fn one(text: &str, longest: usize) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut line: String = text.trim().chars().take(longest).map(clean).collect();
    if text.trim().chars().nth(longest).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_an_end_and_no_control_characters() {
        assert_eq!(one(" a\nb\x1b[2Jc ", 9), "a b [2Jc");
        assert_eq!(one("äöü", 3), "äöü");
        assert_eq!(one("äöüß", 3), "äöü…");
    }
}
