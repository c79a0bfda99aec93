//! Where nobody looks at a screen: each change as a line, or as an object of JSON.

use std::io::{Write, stdout};

use serde_json::json;
use tokio::sync::mpsc;

use super::News;
use super::differences::differences;
use crate::cli::Failure;
use crate::cli::client::{Told, Trouble};
use crate::cli::show;
use crate::cli::style::Paint;
use crate::control::views::Status;

/// Prints what has changed until nobody reads it.
///
/// # Errors
/// Output cannot be written.
pub(super) async fn run(
    first: Vec<Told<Status>>,
    mut news: mpsc::Receiver<News>,
    json: bool,
) -> Result<(), Failure> {
    let several = first.len() > 1;
    let mut seen: Vec<Seen> = Vec::new();
    for told in first {
        let mut one = Seen { admin: told.admin, status: None, gone: false };
        emit(&one.look(told.said, json, several))?;
        seen.push(one);
    }
    while let Some(news) = news.recv().await {
        // What happens shows in the status as well, and `events --follow` has it in full.
        let News::Status(at, said) = news else { continue };
        if let Some(seen) = seen.get_mut(at) {
            emit(&seen.look(*said, json, several))?;
        }
    }
    Ok(())
}

fn emit(text: &str) -> Result<(), Failure> {
    stdout().write_all(text.as_bytes())?;
    Ok(stdout().flush()?)
}

/// What was seen of a server.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) admin: String,
    pub(super) status: Option<Status>,
    pub(super) gone: bool,
}

impl Seen {
    /// The lines that another look at it is worth; none when all is as it was.
    pub(super) fn look(
        &mut self,
        said: Result<Status, Trouble>,
        json: bool,
        several: bool,
    ) -> String {
        let prefix = if several { format!("{}  ", self.admin) } else { String::new() };
        let status = match said {
            Ok(status) => status,
            Err(_) if self.gone => return String::new(),
            Err(trouble) => {
                self.gone = true;
                if json {
                    let problem = trouble.json();
                    return json!({ "admin": self.admin, "ok": false, "problem": problem })
                        .to_string()
                        + "\n";
                }
                return format!("{prefix}{}", show::trouble(&trouble, Paint::new(false)));
            }
        };
        let mut lines = differences(self.status.as_ref(), &status);
        if std::mem::take(&mut self.gone) {
            lines.insert(0, "can be reached again".into());
        }
        let text = match lines.is_empty() {
            true => String::new(),
            false if json => {
                json!({ "admin": self.admin, "ok": true, "result": status }).to_string() + "\n"
            }
            false => {
                let stamp = show::stamp(&status.time);
                lines.iter().map(|line| format!("{prefix}{stamp}  {line}\n")).collect()
            }
        };
        self.status = Some(status);
        text
    }
}
