//! The arguments that name the machines of a fleet.

use std::path::{Path, PathBuf};

use kbfix::{
    diag::{Code, Diagnostic, Exit},
    files::read::read_stream,
    fleet::{FleetFile, Ignored, Members, snapshots},
};

use super::FLEET;
use crate::cli::{error::CommandError, out_file::Inputs, output::Output};

/// The largest fleet file that is read, in bytes.
const MOST: u64 = 64 << 20;

/// The arguments that name the machines of a fleet.
#[derive(Debug, clap::Args)]
#[group(id = "machines", required = true, multiple = true)]
pub(in crate::cli) struct FleetArguments {
    /// A folder of snapshots. Give this option, --fleet or both. Each `.json` file in this folder is the snapshot of
    /// one machine, except if the name of the file begins with a dot. The name of the machine is the name of the file
    /// without `.json` or `.snapshot.json`. If another snapshot, or a machine with a target in the fleet file, would
    /// have the same name, the name of the machine is the complete name of the file.
    #[arg(long, value_name = "DIR", help_heading = FLEET)]
    snapshots: Option<PathBuf>,

    /// A fleet file: a YAML file that lists machines with their targets, groups and parameters. If this file sets a
    /// parameter for a machine, --set has no effect on this parameter of this machine. Each parameter in this file must
    /// be a parameter of at least one spec. The targets can be of every kind that `kbfix diff --target` reads. `kbfix
    /// schema fleet` prints the schema of the file. If you also give --snapshots, the fleet consists of the machines
    /// with a target in this file and all machines in the folder. To give groups and parameters to a machine in the
    /// folder, list the name of the machine in this file without a target. If there is no snapshot of such a machine,
    /// or you do not give --snapshots, the machine counts as a machine that cannot be read.
    #[arg(long, value_name = "FILE", help_heading = FLEET)]
    fleet: Option<PathBuf>,
}

impl FleetArguments {
    /// Returns the machines, and the names of the entries in the folder of `--snapshots` that were not read, such as
    /// subfolders; see [`snapshots`]. Returns an error if there is no machine.
    pub(in crate::cli) fn members(&self, output: &mut Output) -> Result<(Members, Vec<String>), CommandError> {
        let (found, Ignored(ignored)) = match &self.snapshots {
            Some(folder) => {
                let all = snapshots(folder).map_err(|e| CommandError::file(&folder.display().to_string(), &e))?;
                (Some((folder.as_path(), all.0)), all.1)
            }
            None => (None, Ignored::default()),
        };
        let members = match &self.fleet {
            Some(file) => read(file, output)?.with_snapshots(found),
            None => Members::new(found.into_iter().flat_map(|(_, members)| members).collect(), Vec::new()),
        };
        if members.each.is_empty() {
            let (what, hint) = match &self.snapshots {
                Some(folder) => (
                    format!("the folder {}", folder.display()),
                    "give a folder with snapshots: .json files that `kbfix snapshot` has written",
                ),
                None => ("the fleet file".to_owned(), "list the machines under `machines`, each with its `target`"),
            };
            let diagnostic = Diagnostic::error(Code::FLEET_EMPTY, format!("{what} contains no machine")).hint(hint);
            return Err(CommandError::new(Exit::Refused, diagnostic));
        }
        Ok((members, ignored))
    }

    /// Adds the files that the command reads to `inputs`, so that the command does not overwrite them.
    pub(in crate::cli) fn inputs(&self, members: &Members, inputs: &mut Inputs) {
        self.fleet.iter().for_each(|file| inputs.add(file));
        for address in members.each.iter().filter_map(|member| member.address.as_ref().ok()) {
            inputs.add_target(address);
        }
    }
}

fn read(file: &Path, output: &mut Output) -> Result<FleetFile, CommandError> {
    let name = file.display().to_string();
    let bytes = read_stream(file, MOST).map_err(|error| CommandError::file(&name, &error))?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let fleet = FleetFile::read(&name, &bytes, folder).map_err(|found| CommandError::all(Exit::Refused, found))?;
    output.warnings(&fleet.warnings);
    Ok(fleet)
}
