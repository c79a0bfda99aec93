//! Where the logs go and how they look: standard error, as text for people or JSON for programs.
//!
//! What is logged is left to those who log, and whether there are colours to the verb that starts.

use std::fmt;

use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

/// Why logging could not be set up or changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum LogError {
    /// The filter is not one.
    #[error("the log filter {filter:?} cannot be read: {reason}")]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The process has a logger already.
    #[error("logging is set up already")]
    Twice,
}

/// Changes the filter of a logger that is running.
#[derive(Clone)]
pub(super) struct Handle(reload::Handle<EnvFilter, Registry>);

impl Handle {
    /// Logs by another filter from now on.
    ///
    /// # Errors
    ///
    /// When it is not a filter; then nothing changes.
    pub(super) fn set_level(&self, level: &str) -> Result<(), LogError> {
        let filter = parse(level)?;
        // It can only fail once the logger is gone, and then there is nothing to change.
        let _ = self.0.reload(filter);
        Ok(())
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").finish()
    }
}

/// Logs the whole process to standard error: as JSON, or as text with colours if `colour`.
///
/// `level` is a tracing filter: `info`, or `info,trimtab::probe=debug`.
///
/// # Errors
///
/// When `level` is not a filter, or when the process has a logger already.
pub(super) fn init(level: &str, json: bool, colour: bool) -> Result<Handle, LogError> {
    let (subscriber, handle) = build(level, json, colour, std::io::stderr)?;
    subscriber.try_init().map_err(|_| LogError::Twice)?;
    Ok(handle)
}

fn build<W>(
    level: &str,
    json: bool,
    colour: bool,
    writer: W,
) -> Result<(impl Subscriber + for<'a> LookupSpan<'a> + Send + Sync, Handle), LogError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let (filter, handle) = reload::Layer::new(parse(level)?);
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines = if json {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    } else {
        lines.with_target(false).with_ansi(colour).fmt_fields(Sentence).boxed()
    };
    Ok((Registry::default().with(filter).with(lines), Handle(handle)))
}

/// What a sentence tells itself; as fields of their own they are for JSON.
const TOLD: [&str; 6] = ["region", "check", "address", "from", "to", "record"];

/// A line of text: the sentence, and those fields that it does not repeat.
#[derive(Debug, Clone, Copy)]
struct Sentence;

impl<'w> FormatFields<'w> for Sentence {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut words = Words { writer, first: true, result: Ok(()) };
        fields.record(&mut words);
        words.result
    }
}

struct Words<'w> {
    writer: Writer<'w>,
    first: bool,
    result: fmt::Result,
}

impl Visit for Words<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let name = field.name();
        if self.result.is_err() || TOLD.contains(&name) {
            return;
        }
        let blank = if std::mem::replace(&mut self.first, false) { "" } else { " " };
        self.result = match name {
            "message" => write!(self.writer, "{blank}{value:?}"),
            _ => write!(self.writer, "{blank}{name}={value:?}"),
        };
    }
}

fn parse(level: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::try_new(level)
        .map_err(|error| LogError::Filter { filter: level.to_owned(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing::subscriber::with_default;

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Page {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn logged(level: &str, json: bool, colour: bool, tell: impl FnOnce(&Handle)) -> String {
        let page = Page::default();
        let writer = page.clone();
        let (subscriber, handle) = build(level, json, colour, move || writer.clone()).unwrap();
        with_default(subscriber, || tell(&handle));
        page.text()
    }

    #[test]
    fn text_is_time_level_sentence_and_what_it_does_not_say() {
        let text = logged("info", false, false, |_| {
            tracing::info!(region = "us-east", count = 7, "region us-east is down");
        });
        let (_time, rest) = text.split_once(' ').unwrap();
        assert_eq!(rest, " INFO region us-east is down count=7\n");
    }

    #[test]
    fn colours_only_when_asked() {
        let told = |colour| logged("info", false, colour, |_| tracing::warn!("x"));
        assert!(told(true).contains('\x1b'));
        assert!(!told(false).contains('\x1b'));
    }

    #[test]
    fn json_is_one_object_a_line() {
        let text = logged("info", true, true, |_| {
            tracing::info!(region = "us-east", "one");
            tracing::info!("two");
        });
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.starts_with('{') && line.ends_with('}')), "{text}");
        for part in [r#""level":"INFO""#, r#""message":"one""#, r#""region":"us-east""#] {
            assert!(lines[0].contains(part), "{part} in {text}");
        }
        assert!(lines[1].contains(r#""message":"two""#), "{text}");
    }

    #[test]
    fn the_filter_can_be_changed_while_it_logs() {
        let text = logged("warn", false, false, |handle| {
            tracing::info!("first");
            handle.set_level("info").unwrap();
            tracing::info!("second");
            assert!(handle.set_level("trimtab=loud").is_err());
            tracing::info!("third");
            tracing::debug!("fourth");
        });
        assert!(!text.contains("first"), "{text}");
        assert!(text.contains("second"), "{text}");
        assert!(text.contains("third"), "a refused filter changes nothing: {text}");
        assert!(!text.contains("fourth"), "{text}");
    }

    #[test]
    fn a_filter_that_is_none_is_refused_with_its_text() {
        let Err(error) = build("trimtab=loud", false, false, io::sink) else {
            panic!("it was taken");
        };
        assert!(error.to_string().contains("\"trimtab=loud\""), "{error}");
    }
}
