//! Counts, and how they are stored and compared.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

/// The counts of all subjects, and what they are true of.
#[derive(Debug, PartialEq)]
pub(crate) struct Counts {
    /// The compiler, and the machine it makes code for: that of another is other code.
    pub(crate) compiler: String,
    /// Instructions, by subject.
    pub(crate) instructions: BTreeMap<String, u64>,
}

/// How far a count may be from the one that is stored, in parts of a hundred.
const BOUND: u64 = 2;

const HEAD: &str = "\
# Instructions of one batch of 32 answers by kind, or of one change of health, as callgrind counts them.
# Written by `just instructions-store`; a change that has other counts brings them along.
";

impl Counts {
    /// Reads what [`Display`] has written.
    pub(crate) fn read(text: &str) -> Self {
        let table: toml::Table = text.parse().expect("the file of counts is TOML");
        let compiler = table["compiler"].as_str().expect("a text").to_owned();
        let counts = table["instructions"].as_table().expect("a table").iter();
        let count = |count: &toml::Value| u64::try_from(count.as_integer()?).ok();
        let counts =
            counts.map(|(subject, value)| (subject.clone(), count(value).expect("a count")));
        Self { compiler, instructions: counts.collect() }
    }

    /// Prints all beside what is stored; whether all of them are within the bound.
    pub(crate) fn compare(&self, stored: &Self) -> bool {
        println!("{:<24}{:>12}{:>12}{:>9}", "instructions", "stored", "counted", "");
        let mut holds = true;
        let subjects = self.instructions.keys().chain(stored.instructions.keys());
        for subject in subjects.collect::<std::collections::BTreeSet<_>>() {
            let [was, is] = [stored, self].map(|of| of.instructions.get(subject).copied());
            let within = was.zip(is).is_some_and(|(was, is)| is_within(was, is));
            let change = was.zip(is).map(|(was, is)| 100.0 * (is as f64 / was as f64 - 1.0));
            let [was, is] = [was, is].map(|count| count.map_or("-".into(), |n| n.to_string()));
            let change = change.map_or(String::new(), |change| format!("{change:+.2} %"));
            let mark = if within { "" } else { "  <-- beyond the bound" };
            println!("{subject:<24}{was:>12}{is:>12}{change:>11}{mark}");
            holds &= within;
        }
        if self.compiler != stored.compiler {
            println!(
                "\nThese counts cannot be compared: what is stored is of {}, and this is {}.\n\
                 Store those of the last commit that was good, with this compiler, then look again.",
                stored.compiler, self.compiler
            );
            return false;
        }
        if !holds {
            println!(
                "\nMore than {BOUND} % from what is stored, to either side. Find out why; if it is meant, \
                 store\nthe new counts with `just instructions-store`, and say so in the commit."
            );
        }
        holds
    }
}

fn is_within(stored: u64, counted: u64) -> bool {
    stored.abs_diff(counted) * 100 <= stored * BOUND
}

impl Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{HEAD}compiler = {:?}\n\n[instructions]\n", self.compiler)?;
        self.instructions
            .iter()
            .try_for_each(|(subject, count)| writeln!(f, "{subject:?} = {count}"))
    }
}
