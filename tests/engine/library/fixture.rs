//! A fixture: machines, what a spec comes to on each, and the files that make such a machine.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output},
};

use kbfix::{
    format::pe::minimal,
    spec::{self, Settings, Spec},
    targets::{Address, Target, open},
};
use serde::Deserialize;
use tempfile::TempDir;

/// `tests/engine/library/ID.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fixture {
    /// Parameters, as `--set` takes them.
    #[serde(default)]
    pub(crate) set: BTreeMap<String, String>,
    /// Outcomes that no machine can have, each with the reason.
    #[serde(default)]
    pub(crate) without: BTreeMap<String, String>,
    pub(crate) machines: Vec<Machine>,
}

/// A machine, and what the spec comes to on it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Machine {
    pub(crate) title: String,
    /// `6.1.7601 SP1 server x64`: version, service pack, product (client, server, dc), processor (x86, x64).
    pub(crate) windows: Option<String>,
    /// Keys and values as an export has them, without its first line.
    #[serde(default)]
    pub(crate) registry: String,
    /// Files on drive C, each with its file version.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    /// The outcome of the plan.
    pub(crate) outcome: String,
    /// What one of the reasons says.
    pub(crate) reason: Option<String>,
    /// The changes, as hunks of the diff.
    #[serde(default)]
    pub(crate) changes: String,
    /// Parameters of this machine only.
    #[serde(default)]
    pub(crate) set: BTreeMap<String, String>,
}

/// The files of a machine in a folder of their own.
pub(crate) struct Built {
    pub(crate) folder: TempDir,
    pub(crate) address: Address,
}

impl Fixture {
    pub(crate) fn read(path: &Path) -> Self {
        serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }
}

impl Machine {
    /// What `--set` gives on this machine.
    pub(crate) fn settings(&self, fixture: &Fixture) -> BTreeMap<String, String> {
        fixture.set.iter().chain(&self.set).map(|(name, data)| (name.clone(), data.clone())).collect()
    }

    /// Writes the export and the files.
    pub(crate) fn build(&self) -> Built {
        let folder = tempfile::tempdir().unwrap();
        let windows = self.windows.as_deref().map(windows).unwrap_or_default();
        // As regedit writes it, a blank line stands after each key.
        let keys = self.registry.trim_end().replace("\n[", "\n\n[");
        let text = format!("\u{feff}Windows Registry Editor Version 5.00\n\n{windows}{keys}\n\n");
        let bytes: Vec<u8> = text.replace('\n', "\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let export = folder.path().join("machine.reg");
        fs::write(&export, bytes).unwrap();
        let drive = folder.path().join("C");
        fs::create_dir(&drive).unwrap();
        for (path, version) in &self.files {
            let below = path.strip_prefix(r"C:\").unwrap().replace('\\', "/");
            let file = drive.join(below);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, minimal::dll(version.parse().unwrap())).unwrap();
        }
        let address = Address::new(&format!("reg:{}", export.display()), Some(&drive), None).unwrap();
        Built { folder, address }
    }
}

impl Built {
    pub(crate) fn open(&self) -> Box<dyn Target> {
        open(&self.address).unwrap()
    }

    /// Runs kbfix on this machine, its journals beside it.
    pub(crate) fn run(&self, command: &str, arguments: &[String]) -> Output {
        let state = self.folder.path().join("state").display().to_string();
        self.run_without_state(command, &[arguments, &["--state-dir".to_owned(), state]].concat())
    }

    /// Runs a command of kbfix that has no journals.
    pub(crate) fn run_without_state(&self, command: &str, arguments: &[String]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_kbfix"))
            .arg(command)
            .args(arguments)
            .args(["--target", &self.address.uri])
            .arg("--files")
            .arg(self.folder.path().join("C"))
            .output()
            .unwrap()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("machine.reg")).unwrap()
    }
}

/// The checked spec in the file at `path`.
pub(crate) fn load(path: &Path, settings: &BTreeMap<String, String>) -> Spec {
    let settings: Settings = settings.iter().map(|(name, data)| (name.clone(), data.clone())).collect();
    let loaded = spec::load(&path.display().to_string(), &fs::read(path).unwrap(), &settings);
    loaded.spec.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

/// The keys by which a Windows is known, as an export has them.
fn windows(text: &str) -> String {
    let mut words = text.split(' ');
    let version: Vec<&str> = words.next().unwrap().split('.').collect();
    let [major, minor, build, rest @ ..] = version.as_slice() else { panic!("{text}: no version") };
    let current = if *major == "10" { "6.3".to_owned() } else { format!("{major}.{minor}") };
    let mut out = format!(
        "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion]\n\"SystemRoot\"=\"C:\\\\Windows\"\n\
         \"CurrentVersion\"=\"{current}\"\n\"CurrentBuildNumber\"=\"{build}\"\n"
    );
    if *major == "10" {
        out.push_str("\"CurrentMajorVersionNumber\"=dword:0000000a\n\"CurrentMinorVersionNumber\"=dword:00000000\n");
        let revision: u32 = rest.first().unwrap_or(&"1").parse().unwrap();
        out.push_str(&format!("\"UBR\"=dword:{revision:08x}\n"));
    }
    let (mut product, mut processor) = ("WinNT", "AMD64");
    for word in words {
        match word {
            "client" => product = "WinNT",
            "server" => product = "ServerNT",
            "dc" => product = "LanmanNT",
            "x86" => processor = "x86",
            "x64" => processor = "AMD64",
            _ => {
                let number = word.strip_prefix("SP").unwrap_or_else(|| panic!("{text}: {word}"));
                out.push_str(&format!("\"CSDVersion\"=\"Service Pack {number}\"\n"));
            }
        }
    }
    out.push_str(&format!(
        "\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\ProductOptions]\n\"ProductType\"=\"{product}\"\n\n\
         [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment]\n\
         \"PROCESSOR_ARCHITECTURE\"=\"{processor}\"\n\n"
    ));
    out
}
