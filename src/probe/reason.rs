//! Reasons as people read them: short, in the words of the field, and harmless to print.
//!
//! What a target sends may end in a reason, so every reason passes through [`clean`].

use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::{AlertDescription, Error as TlsError};

/// The longest reason, in characters.
const MAX: usize = 200;

/// Without control characters and the like, and cut to 200 characters.
pub(super) fn clean(text: &str) -> Arc<str> {
    let mut printable = text.chars().map(|c| if is_odd(c) { ' ' } else { c });
    let mut short: String = printable.by_ref().take(MAX).collect();
    if printable.next().is_some() {
        short.pop();
        short.push('…');
    }
    short.into()
}

/// Control characters, and those that reorder or hide what stands beside them.
fn is_odd(c: char) -> bool {
    let hides = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    c.is_control() || hides
}

/// A text in quotes, cut when it is long.
pub(super) fn quoted(text: &str) -> String {
    const LONG: usize = 60;
    match text.char_indices().nth(LONG) {
        Some((at, _)) => format!("\"{}…\"", text.get(..at).unwrap_or_default()),
        None => format!("\"{text}\""),
    }
}

/// A duration: `2 s`, `1.5 s`, `300 ms`.
pub(super) fn told(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{} s", duration.as_millis() as f64 / 1000.0)
    }
}

/// What a target says by an alert of TLS.
pub(super) fn of_alert(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => "the target wants a client certificate".into(),
        AlertDescription::NoApplicationProtocol => {
            "the target does not offer what is to be spoken".into()
        }
        alert => format!("the target refused the handshake ({alert:?})"),
    }
}

/// An error of a socket, or of TLS over it.
pub(super) fn of_io(error: &Error) -> String {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    if let Some(TlsError::AlertReceived(alert)) = tls {
        return of_alert(*alert);
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => "connection refused".into(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => "connection reset".into(),
        ErrorKind::ConnectionAborted => "connection aborted".into(),
        ErrorKind::UnexpectedEof => "connection closed".into(),
        ErrorKind::HostUnreachable => "no route to the host".into(),
        ErrorKind::NetworkUnreachable => "no route to the network".into(),
        ErrorKind::PermissionDenied => "not permitted (a local firewall?)".into(),
        ErrorKind::TimedOut => "the system's own time-out".into(),
        ErrorKind::InvalidData | ErrorKind::InvalidInput => "malformed".into(),
        _ => error.to_string(),
    }
}

/// Whether this host lacks something (files, memory, a free port of its own, a whole address
/// family), so that nothing was learnt of the target.
pub(super) fn is_local(error: &Error) -> bool {
    let lacking = [
        libc::EMFILE,
        libc::ENFILE,
        libc::ENOBUFS,
        libc::ENOMEM,
        libc::EADDRNOTAVAIL,
        libc::EAFNOSUPPORT,
    ];
    error.raw_os_error().is_some_and(|code| lacking.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_bounded_and_printable() {
        let hostile = format!("a\u{1b}[31mb\r\nc\u{202e}d{}", "é".repeat(1000));
        let reason = clean(&hostile);
        assert!(reason.starts_with("a [31mb  c d"));
        assert_eq!(reason.chars().count(), MAX);
        assert!(reason.ends_with("é…"));
        assert_eq!(&*clean("HTTP 503"), "HTTP 503");
        assert_eq!(clean(&"x".repeat(MAX)).len(), MAX);
    }

    #[test]
    fn durations_as_people_say_them() {
        let texts = [2000, 1500, 300, 0].map(|ms| told(Duration::from_millis(ms)));
        assert_eq!(texts, ["2 s", "1.5 s", "300 ms", "0 ms"]);
    }

    #[test]
    fn a_long_text_is_cut_in_quotes() {
        assert_eq!(quoted("ok"), "\"ok\"");
        assert_eq!(quoted(&"é".repeat(61)), format!("\"{}…\"", "é".repeat(60)));
    }

    #[test]
    fn a_host_out_of_files_or_ports_is_not_the_targets_fault() {
        assert!(is_local(&Error::from_raw_os_error(libc::EMFILE)));
        assert!(is_local(&Error::from_raw_os_error(libc::EADDRNOTAVAIL)));
        assert!(!is_local(&Error::from_raw_os_error(libc::ECONNREFUSED)));
        assert!(!is_local(&ErrorKind::UnexpectedEof.into()));
    }
}
