//! The command `kbfix man`: writes the manual pages.

use std::path::PathBuf;

use crate::cli::{
    definition,
    error::CommandError,
    out_file::{Destination, Inputs, create_folder},
    output::Output,
};
use kbfix::diag::Exit;

/// Write the manual pages: kbfix.1, and a page for each command.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The folder for the pages. kbfix creates the folder if it does not exist.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let folder = &arguments.folder;
    let failed = |error| CommandError::file(&folder.display().to_string(), &error);
    create_folder(folder)?;
    // `kbfix help` needs no page.
    let mut command = definition().disable_help_subcommand(true);
    command.build();
    let mut pages = vec![("kbfix".to_owned(), command)];
    while let Some((name, command)) = pages.pop() {
        let below = command.get_subcommands().map(|one| (format!("{name}-{}", one.get_name()), one.clone()));
        pages.extend(below.collect::<Vec<_>>());
        let mut page = Vec::new();
        let manual = clap_mangen::Man::new(command.display_name(name.clone())).manual("kbfix");
        manual.title(&name).render(&mut page).map_err(failed)?;
        Destination::new(&folder.join(format!("{name}.1")), &Inputs::default())?.write(&page, output)?;
    }
    Ok(Exit::Done)
}
