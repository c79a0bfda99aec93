//! The key of exec checks.

use crate::config::table::Table;
use crate::model::{self, ExecProbe};

const WANTED: &str =
    "a list of a program and its arguments: [\"/usr/lib/nagios/plugins/check_ssh\", \"{address}\"]";
const PROGRAM: &str = "an absolute path, or a name without a slash";
/// Octets of the program and its arguments.
const MOST: usize = 4096;

/// The program and its arguments.
pub(super) fn read(t: &Table<'_>) -> model::Probe {
    let command = t.required("command", WANTED, |v| {
        let words = v.list(WANTED, |v| {
            v.parsed("a text without NUL", |text| (!text.contains('\0')).then(|| text.to_owned()))
        })?;
        let octets: usize = words.iter().map(|word| word.len() + 1).sum();
        match (words.first(), v.elements().first()) {
            (None, _) if v.elements().is_empty() => v.refuse("at least a program"),
            (Some(program), Some(first)) if !is_program(program) => {
                let hint = "there is no shell; placeholders are for arguments";
                first.refuse_with(PROGRAM, hint)
            }
            _ if octets > MOST => v.refuse(format!("at most {MOST} octets")),
            _ => Some(words),
        }
    });
    model::Probe::Exec(ExecProbe::new(command.unwrap_or_default()))
}

fn is_program(text: &str) -> bool {
    let name = !text.is_empty() && !text.contains(['/', '{']) && text != "." && text != "..";
    name || text.starts_with('/') && !text.ends_with('/') && !text.contains('{')
}
