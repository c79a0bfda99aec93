//! What a child writes to its standard error, line by line.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::wait::until;

/// All lines so far.
#[derive(Debug)]
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Log {
    /// Reads until the other side closes.
    pub(crate) fn read(from: impl Read + Send + 'static) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let page = Arc::clone(&lines);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                page.lock().unwrap().push(line);
            }
        });
        Self { lines, reader: Some(reader) }
    }

    /// Waits until the other side has closed, so that nothing is missing. Only for a process
    /// that has ended.
    pub(crate) fn finish(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
    }

    /// All lines as they were written.
    pub(crate) fn text(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// The messages: of a line of JSON its message, any other line as it is.
    pub(crate) fn messages(&self) -> Vec<String> {
        let message = |line: &String| {
            let json: Option<serde_json::Value> = serde_json::from_str(line).ok();
            json.and_then(|json| Some(json["message"].as_str()?.to_owned())).unwrap_or(line.clone())
        };
        self.lines.lock().unwrap().iter().map(message).collect()
    }

    /// How many messages contain `part`.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.messages().iter().filter(|message| message.contains(part)).count()
    }

    /// Waits until so many messages contain `part`; panics when there are more.
    #[track_caller]
    pub(crate) fn wait_for_count(&self, part: &str, wanted: usize) {
        let count = until(&format!("{wanted} messages in the log with {part:?}"), || {
            let count = self.count(part);
            (count >= wanted).then_some(count)
        });
        assert_eq!(count, wanted, "{part:?}");
    }

    /// The first message that contains `part`; waits for it.
    #[track_caller]
    pub(crate) fn wait_for(&self, part: &str) -> String {
        until(&format!("a message in the log with {part:?}"), || {
            self.messages().into_iter().find(|message| message.contains(part))
        })
    }
}
