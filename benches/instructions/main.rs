//! How many instructions an answer takes, and a change of health: counted by callgrind, so that a
//! slow-down is seen on the noisiest machine, and compared with what is stored beside this file.
//!
//! `just instructions` fails when a count is more than 2 % above or below what is stored, or cannot be
//! compared; `just instructions-store` stores what is counted. It needs Debian's valgrind.

mod arena;
mod callgrind;
mod counts;
mod subjects;

#[path = "../../tests/support/answers/mod.rs"]
mod answers;

use std::path::Path;
use std::process::ExitCode;

use counts::Counts;

/// Where the counts are stored.
const FILE: &str = "counts.toml";

fn main() -> ExitCode {
    let has = |argument: &str| std::env::args().any(|given| given == argument);
    if has(callgrind::COUNTED) {
        // A thread's stack starts at a page, that of the process behind paths and variables.
        let counted = std::thread::spawn(|| subjects::run(|subject| println!("{subject}")));
        return counted.join().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    let counted = match callgrind::count() {
        Ok(counted) => counted,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::FAILURE;
        }
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    if has("--store") {
        std::fs::write(&file, counted.to_string()).expect("the file can be written");
        println!("stored in {FILE}");
        return ExitCode::SUCCESS;
    }
    match std::fs::read_to_string(&file).map(|text| Counts::read(&text)) {
        Ok(stored) if counted.compare(&stored) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{FILE}: {error}");
            ExitCode::FAILURE
        }
    }
}
