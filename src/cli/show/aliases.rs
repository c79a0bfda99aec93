//! Names behind aliases that cannot be looked up.

use super::times::span;
use super::words::clean;
use crate::cli::style::{Paint, Tone};
use crate::control::views::AliasView;

/// So many are shown at most, so that all fits a screen.
const LINES: usize = 3;

/// A heading and a line for each; nothing, if all is well.
pub(super) fn aliases(aliases: &[AliasView], paint: Paint) -> String {
    let troubled: Vec<&AliasView> = aliases.iter().filter(|one| one.trouble.is_some()).collect();
    if troubled.is_empty() {
        return String::new();
    }
    let heading = match troubled.len() {
        1 => "1 alias cannot be looked up".to_owned(),
        n => format!("{n} aliases cannot be looked up"),
    };
    let mut out = format!("\n{}\n", paint.tone(Tone::Strong, &heading));
    for alias in troubled.iter().take(LINES) {
        let why = clean(alias.trouble.as_deref().unwrap_or_default());
        let last = match (alias.ipv4.len() + alias.ipv6.len(), alias.found_secs) {
            (0, _) => "nothing is known of it".into(),
            (1, Some(ago)) => format!("its address of {} ago is served", span(ago)),
            (n, Some(ago)) => format!("its {n} addresses of {} ago are served", span(ago)),
            (n, None) => format!("what it had before is served: {n} in all"),
        };
        out += &format!("  {}: {why}; {last}\n", clean(&alias.name));
    }
    if troubled.len() > LINES {
        out += &format!("  and {} more\n", troubled.len() - LINES);
    }
    out
}
