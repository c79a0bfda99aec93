//! One screen: the server, its regions, what is forced, and what is at risk.

use super::overrides;
use super::regions::regions;
use super::risk::records;
use super::times::{span, stamp};
use super::words::clean;
use crate::cli::style::{Paint, Tone};
use crate::control::views::Status;

/// The status of the server at a URL.
pub(in crate::cli) fn status(admin: &str, status: &Status, paint: Paint) -> String {
    let mut out = format!(
        "{}: trimtab {}, up {}, tables {}\n",
        paint.tone(Tone::Strong, &clean(admin)),
        clean(&status.version),
        span(status.uptime_secs),
        status.generation,
    );
    out += &format!("{} UTC; {}\n\n", stamp(&status.time), checks(status));
    out += &regions(&status.regions, paint);
    if !status.overrides.is_empty() {
        let heading = super::words::count(status.overrides.len(), "override");
        out += &format!("\n{}\n", paint.tone(Tone::Strong, &heading));
        out += &overrides::lines(&status.overrides, &status.time, paint);
    }
    out.push('\n');
    out + &records(status, paint)
}

/// The checks in numbers.
fn checks(status: &Status) -> String {
    let checks = &status.checks;
    if checks.targets == 0 {
        return "no checks".into();
    }
    let mut parts = vec![format!("{} up", checks.up)];
    if checks.down > 0 {
        parts.push(format!("{} down", checks.down));
    }
    if checks.unknown > 0 {
        parts.push(format!("{} unknown", checks.unknown));
    }
    let oldest = checks.oldest_secs.map(|secs| format!("; oldest result {}", span(secs)));
    format!("targets: {}{}", parts.join(", "), oldest.unwrap_or_default())
}
