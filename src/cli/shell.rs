//! `trimtab completions` and `trimtab man`

use std::io::{Write, stdout};

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::Failure;
use super::args::Cli;

pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "trimtab", &mut script);
    stdout().write_all(&script)?;
    Ok(())
}

/// One page for the program, with a section for each verb.
pub(super) fn man() -> Result<(), Failure> {
    let mut page = Vec::new();
    let command = Cli::command();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for verb in command.get_subcommands() {
        let man = clap_mangen::Man::new(verb.clone());
        writeln!(page, ".SH \"TRIMTAB {}\"", verb.get_name().to_uppercase())?;
        if let Some(about) = verb.get_about() {
            writeln!(page, "{about}")?;
        }
        man.render_options_section(&mut page)?;
    }
    stdout().write_all(&page)?;
    Ok(())
}
