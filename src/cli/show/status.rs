//! One screen: the server, its regions, what is forced, and what is at risk.

use super::aliases::aliases;
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
    out += &alarms(status, paint);
    out += &regions(&status.regions, paint);
    if !status.overrides.is_empty() {
        let heading = super::words::count(status.overrides.len(), "override");
        out += &format!("\n{}\n", paint.tone(Tone::Strong, &heading));
        out += &overrides::lines(&status.overrides, &status.time, paint);
    }
    if !status.plans.is_empty() {
        let heading = super::words::count(status.plans.len(), "plan");
        out += &format!("\n{}\n", paint.tone(Tone::Strong, &heading));
        for view in &status.plans {
            out += &format!("  {}\n", super::plans::summary(view, paint));
        }
    }
    out += &aliases(&status.aliases, paint);
    out.push('\n');
    out + &records(status, paint)
}

/// What is wrong with this nameserver's own view, and which certificates expire soon.
fn alarms(status: &Status, paint: Paint) -> String {
    let mut lines: Vec<String> = Vec::new();
    if let Some(secs) = status.cut_off_secs {
        let text = format!(
            "this nameserver has been cut off for {}: what it last knew stays in force",
            span(secs)
        );
        lines.push(paint.tone(Tone::Bad, &text));
    }
    lines.extend(status.certificates.iter().map(|certificate| {
        let at = format!("{}: {}", clean(&certificate.destination), clean(&certificate.check));
        let text = if certificate.expires_in_secs < 0.0 {
            format!("{at}: its certificate expired {} ago", span(-certificate.expires_in_secs))
        } else {
            format!("{at}: its certificate expires in {}", span(certificate.expires_in_secs))
        };
        paint.tone(Tone::Warn, &text)
    }));
    if lines.is_empty() { String::new() } else { lines.join("\n") + "\n\n" }
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
    if checks.abstaining > 0 {
        parts.push(format!("{} cannot be asked", checks.abstaining));
    }
    let oldest = checks.oldest_secs.map(|secs| format!("; oldest result {}", span(secs)));
    format!("targets: {}{}", parts.join(", "), oldest.unwrap_or_default())
}
