//! Why a server has not done it, with the numbers, and what can be done.

use super::table::{Align, Table};
use super::words::clean;
use crate::cli::client::{Problem, Trouble};
use crate::cli::style::Paint;

/// It as lines behind "error: "; what one has to know and what can be done follow the first.
pub(in crate::cli) fn trouble(trouble: &Trouble, paint: Paint) -> String {
    match trouble {
        Trouble::Unreachable(why) => format!("cannot be reached: {}\n", clean(why)),
        Trouble::Silent(why) | Trouble::Broken(why) => {
            format!(
                "{}
help: a change may have been made or not; trimtab status tells
",
                clean(why)
            )
        }
        Trouble::Strange(why) | Trouble::Afterwards(why) => clean(why) + "\n",
        Trouble::Refused(problem) => refused(problem, paint),
    }
}

fn refused(problem: &Problem, paint: Paint) -> String {
    let mut out = clean(problem.sentence()) + "\n";
    if let Some((records, all)) = problem.left_with_nothing() {
        let mut table =
            Table::new(&[Align::Left, Align::Left, Align::Right, Align::Right, Align::Right]);
        table.heads(["record", "family", "pools", "up now", "up then"]);
        for left in &records {
            table.row([
                left.record.as_str().into(),
                left.family.as_str().into(),
                left.pools.to_string().into(),
                left.now.to_string().into(),
                left.then.to_string().into(),
            ]);
        }
        out += &table.render(paint);
        let more = all.saturating_sub(records.len());
        if more > 0 {
            out += &format!("  and {more} more\n");
        }
    }
    for problem in problem.problems() {
        for line in problem.lines() {
            out += &format!("  {}\n", clean(line));
        }
    }
    if let Some(help) = help(&problem.code) {
        out += &format!("help: {help}\n");
    }
    out
}

/// What can be done about it.
fn help(code: &str) -> Option<&'static str> {
    Some(match code {
        "nothing_left" | "over_capacity" => {
            "--force does it all the same; --dry-run --force shows what would come of it"
        }
        "token_missing" => "give --token-file, or set TRIMTAB_TOKEN_FILE",
        "token_wrong" => "is it the token file of this server? --token-file names another",
        "read_only" => "use a token with the role operate",
        "configuration_refused" => {
            "what was in force stays in force; trimtab check shows the lines"
        }
        "timed_out" => "it may have been done or not; trimtab status tells",
        _ => return None,
    })
}
