//! `--package` and `--install-hotfix`

use std::path::PathBuf;

use kbfix::{operation::Packages, spec::Spec};

use crate::cli::{error::CommandError, out_file::Inputs};

/// The packages, for the commands that plan an installation.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PackageArguments {
    /// The file of the package that installs a spec's hotfix; may be repeated.
    #[arg(long = "package", value_name = "ID=PATH", requires = "install_hotfix", value_parser = id_and_path)]
    packages: Vec<(String, PathBuf)>,

    /// Install the hotfix where a file of it is missing or older. That cannot be rolled back. Target local only.
    #[arg(long, requires = "packages")]
    install_hotfix: bool,
}

fn id_and_path(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((id, path)) if !id.is_empty() && !path.is_empty() => Ok((id.to_owned(), path.into())),
        _ => Err("write it as ID=PATH, as KB909094=C:\\fix.exe".to_owned()),
    }
}

impl PackageArguments {
    /// Returns the packages that were given.
    pub(in crate::cli) fn packages(&self) -> Packages {
        Packages(self.packages.clone())
    }

    /// Notes in each spec whether its hotfix may be installed.
    pub(in crate::cli) fn ask(&self, specs: &mut [Spec]) -> Result<(), CommandError> {
        Ok(self.packages().ask(specs)?)
    }

    /// Adds the files of the packages.
    pub(in crate::cli) fn inputs(&self, inputs: &mut Inputs) {
        self.packages.iter().for_each(|(_, path)| inputs.add(path));
    }
}
