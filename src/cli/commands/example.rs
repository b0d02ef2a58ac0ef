//! The command `kbfix example`: creates the example machine.

use std::{fs, path::PathBuf};

use crate::cli::{error::CommandError, out_file::check_folder, output::Output};

use kbfix::{
    diag::{Code, Diagnostic, Exit},
    example::{self, ExampleError},
    operation::{
        self,
        report::{self, Report},
    },
    render::human,
    spec::{self, Settings, Source},
    targets::{Address, open},
};

/// Create an example machine, and show what the spec KB909094 would change on it. The new folder DIR stands for the
/// mounted disk of a switched-off Windows server, with only a few files.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The folder to create. The folder must not exist, but the folder above it must exist.
    #[arg(value_name = "DIR", default_value = "kbfix-example")]
    folder: PathBuf,
}

pub(in crate::cli) fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, CommandError> {
    let folder = &arguments.folder;
    check_folder(folder)?;
    let name = folder.display();
    // The folder is created here and not in `make`. If it already exists, it belongs to someone else, and nothing may
    // be written to it.
    fs::create_dir(folder).map_err(|e| CommandError::file(&name.to_string(), &e))?;
    example::make(folder).map_err(|error| {
        // An incomplete example is useless and would prevent the next attempt. Everything in the folder was created
        // here, so it is removed.
        let _ = fs::remove_dir_all(folder);
        match error {
            ExampleError::Io(error) => CommandError::file(&name.to_string(), &error),
            other => {
                let hint = "this is a bug in kbfix: please report it";
                CommandError::new(Exit::Refused, Diagnostic::error(Code::FILE_ACCESS, other.to_string()).hint(hint))
            }
        }
    })?;

    let bytes = spec::library::find("KB909094").unwrap_or_default();
    let specs = spec::load_all(&[Source { name: "built-in KB909094", bytes }], &Settings::new());
    let specs = specs.into_specs().map_err(|diagnostics| CommandError::all(Exit::Refused, diagnostics))?;
    let address = Address::new(&format!("image:{name}"), None, None)?;
    let mut target = open(&address)?;
    let plan = operation::make_plan(target.as_mut(), &specs)?;
    let digest = plan.digest();
    let mut report = Report::new(report::Command::Diff).with_specs(plan.specs);
    report.target = Some(plan.target);
    report.machine = plan.machine;
    report.digest = Some(digest);
    output.result(&human(&report, output.paint()));
    let state = folder.join("state");
    output.note(&format!(
        "The example machine is {name}. What to try next:\n  \
         kbfix diff KB909094 --target image:{name}\n  \
         kbfix apply KB909094 --target image:{name} --state-dir {state}\n  \
         kbfix rollback --last --state-dir {state}",
        state = state.display(),
    ));
    Ok(Exit::Done)
}
