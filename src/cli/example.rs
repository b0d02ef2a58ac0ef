//! `kbfix example`

use std::{fs, path::PathBuf};

use crate::{
    apply,
    format::pe::minimal,
    review::{Report, human, report},
    spec::{self, Settings, Source},
    target::{Address, open},
    version::FileVersion,
};

use super::{output::Output, stop::Stop};

/// Make the example machine, a server that KB909094 is about, and show what would change on it.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder to make; it must not exist.
    #[arg(value_name = "DIR", default_value = "kbfix-example")]
    folder: PathBuf,
}

/// The export that is the machine's registry.
const EXPORT: &[u8] = include_bytes!("../../examples/front-end.reg");

pub(super) fn run(arguments: &Arguments, output: &mut Output) -> Result<u8, Stop> {
    let folder = &arguments.folder;
    let failed = |e: std::io::Error| Stop::file(&folder.display().to_string(), &e);
    let (export, drive) = (folder.join("front-end.reg"), folder.join("C"));
    let bin = drive.join("Program Files/Exchsrvr/bin");
    fs::create_dir(folder).map_err(failed)?;
    fs::create_dir_all(&bin).map_err(failed)?;
    fs::write(&export, EXPORT).map_err(failed)?;
    fs::write(bin.join("exprox.dll"), minimal::dll(FileVersion([6, 5, 7651, 19]))).map_err(failed)?;

    let bytes = spec::library::find("KB909094").unwrap_or_default();
    let specs = spec::load_all(&[Source { name: "built-in KB909094", bytes }], &Settings::new());
    let specs = specs.into_specs().map_err(|diagnostics| Stop::all(super::stop::USAGE, diagnostics))?;
    let address = Address::new(&format!("reg:{}", export.display()), Some(&drive), None)?;
    let mut target = open(&address)?;
    let plan = apply::make_plan(target.as_mut(), &specs)?;
    let digest = plan.digest();
    let mut report = Report::new(report::Command::Diff).with_specs(plan.specs);
    report.machine = plan.machine;
    report.digest = Some(digest);
    output.result(&human(&report, output.paint()));
    let machine = format!("--target reg:{} --files {}", export.display(), drive.display());
    let state = folder.join("state");
    output.note(&format!(
        "The example machine is {}. What to try next:\n  \
         kbfix diff KB909094 {machine}\n  \
         kbfix apply KB909094 {machine} --state-dir {state}\n  \
         kbfix rollback --last --state-dir {state}",
        folder.display(),
        state = state.display(),
    ));
    Ok(0)
}
