//! What is asked: a file with `name TYPE` on each line, as dnsperf reads them.

use std::path::Path;

use anyhow::{Context, bail};
use domain::base::{Name, Rtype};

/// The name and the type of a query; the class is IN.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    pub(crate) name: Name<Vec<u8>>,
    pub(crate) rtype: Rtype,
}

/// Reads a file. Empty lines and those that begin with `;` or `#` are skipped.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Question>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    parse(&text).with_context(|| path.display().to_string())
}

pub(crate) fn parse(text: &str) -> anyhow::Result<Vec<Question>> {
    let mut questions = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with([';', '#']) {
            continue;
        }
        let question = question(line);
        questions.push(question.with_context(|| format!("line {}: {line:?}", number + 1))?);
    }
    if questions.is_empty() {
        bail!("there is no question");
    }
    Ok(questions)
}

fn question(line: &str) -> anyhow::Result<Question> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, rtype] = words[..] else { bail!("expected a name and a type") };
    let name = name.parse().context("not a domain name")?;
    let Ok(rtype) = rtype.parse() else { bail!("{rtype:?} is not a type") };
    Ok(Question { name, rtype })
}
