//! The fleet file: a list of machines, in YAML.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Member, Members};
use crate::{
    diag::{Code, Diagnostic, text::suggest},
    format::reg::CodePage,
    spec::{Setting, SideDocument, Source, side_schema},
    targets::{Address, Extra},
};

const ID: &str = "urn:kbfix:schema:fleet:1";

/// The content of a fleet file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "kbfix fleet, version 1")]
struct FleetDocument {
    /// The version of the format of fleet files: 1.
    #[schemars(extend("const" = 1))]
    #[allow(dead_code, reason = "the schema checks it")]
    kbfix_fleet: u32,
    /// The machines, by their names in the fleet.
    #[schemars(extend("minProperties" = 1))]
    machines: BTreeMap<String, MachineDocument>,
    /// The order in which the machines are to be changed. kbfix does not enforce this order. Each wave is a list of
    /// groups. Machines that are in no wave come last.
    #[serde(default)]
    waves: Vec<Vec<String>>,
}

/// One machine in a fleet file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MachineDocument {
    /// The target of the machine, in the form that `--target` accepts. Paths are relative to the fleet file. Without a
    /// target, the machine is the snapshot of the same name in the folder of `--snapshots`.
    target: Option<String>,
    /// A local folder with the files of drive C, for a target that is an export, a hive or another machine. The fields
    /// `files`, `drives`, `code_page` and `allow_dirty` need `target`.
    files: Option<PathBuf>,
    /// A local folder with the files of each further drive, by drive letter, for a target that is an image, a hive or
    /// another machine.
    #[serde(default)]
    drives: BTreeMap<String, PathBuf>,
    /// The ANSI code page of a registry export that is not a Unicode file.
    code_page: Option<u16>,
    /// Whether kbfix may read a hive whose last changes are neither in the hive nor in the log files next to it (a
    /// dirty hive).
    #[serde(default)]
    allow_dirty: bool,
    /// The groups to which the machine belongs.
    #[serde(default)]
    groups: Vec<String>,
    /// Parameters for this machine only. Each replaces the same parameter of `--set`.
    #[serde(default)]
    parameters: BTreeMap<String, ParameterDocument>,
}

/// The value of a parameter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum ParameterDocument {
    /// A number.
    Number(i64),
    /// A string.
    Text(String),
    /// A list of strings.
    List(Vec<String>),
}

/// The content of a fleet file that was read and checked.
#[derive(Debug)]
pub struct FleetFile {
    members: Vec<Member>,
    /// The names of the machines that have no target in the file. Their targets are snapshots in the folder of
    /// `--snapshots`.
    of_folder: BTreeSet<String>,
    waves: Vec<Vec<String>>,
    /// Warnings about the file.
    pub warnings: Vec<Diagnostic>,
}

/// Returns the JSON schema of a fleet file.
pub fn fleet_schema() -> Value {
    side_schema::<FleetDocument>(ID)
}

impl FleetFile {
    /// Reads a fleet file. Paths in it are relative to `folder`.
    ///
    /// # Errors
    /// Returns the errors that were found in the file.
    pub fn read(name: &str, bytes: &[u8], folder: &Path) -> Result<Self, Vec<Diagnostic>> {
        let document: SideDocument<'_, FleetDocument> = SideDocument::read(Source { name, bytes }, ID, "a fleet file")?;
        let mut wrong = Vec::new();
        let (mut members, mut of_folder) = (Vec::new(), BTreeSet::new());
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (name, machine) in &document.content.machines {
            let mut refuse = |message: String, hint: String, field: &str| {
                let place = document.place(&["machines", name, field]);
                wrong.push(Diagnostic::error(Code::FLEET_MACHINE, message).at(place).hint(hint));
            };
            if let Some(other) = seen.insert(name.to_lowercase(), name) {
                refuse(
                    format!("the machine `{name}` is also listed as `{other}`"),
                    "name each machine once".into(),
                    "",
                );
            }
            let address = match machine.address(folder) {
                Ok(address) => address,
                Err((field, message, hint)) => {
                    let hint = match (hint, &machine.target) {
                        (Some(hint), _) => hint.to_owned(),
                        (None, Some(_)) => "`kbfix diff --help` describes the targets and their options".to_owned(),
                        (None, None) => format!("give the machine a `target`, or remove `{field}`"),
                    };
                    refuse(message, hint, field);
                    continue;
                }
            };
            if address.is_none() {
                of_folder.insert(name.clone());
            }
            members.push(machine.member(name, address));
        }
        let groups: BTreeSet<&str> =
            document.content.machines.values().flat_map(|m| &m.groups).map(String::as_str).collect();
        for (at, wave) in document.content.waves.iter().enumerate() {
            for (item, group) in wave.iter().enumerate().filter(|(_, group)| !groups.contains(group.as_str())) {
                let place = document.place(&["waves", &at.to_string(), &item.to_string()]);
                let hint = match suggest(group, groups.iter().copied()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "name a group to which a machine belongs".to_owned(),
                };
                let message = format!("no machine is in the group `{group}`");
                wrong.push(Diagnostic::error(Code::FLEET_GROUP, message).at(place).hint(hint));
            }
        }
        let SideDocument { content, warnings, .. } = document;
        if wrong.is_empty() { Ok(Self { members, of_folder, waves: content.waves, warnings }) } else { Err(wrong) }
    }

    /// Returns the machines of the file and of `folder`, which contains the path of a folder and its snapshots. A
    /// machine without a target in the file gets the snapshot with the machine's name as its target; if there is none,
    /// its address is an error. Each other snapshot becomes a machine. If a machine of the file already has its name,
    /// the snapshot's machine gets the full name of the snapshot's file as its name.
    pub fn with_snapshots(self, folder: Option<(&Path, Vec<Member>)>) -> Members {
        let Self { mut members, of_folder, waves, .. } = self;
        let path = folder.as_ref().map(|(path, _)| path.display().to_string());
        // On Linux, the names of two files can differ only in letter case.
        let mut snapshots: BTreeMap<String, Vec<Member>> = BTreeMap::new();
        for one in folder.into_iter().flat_map(|(_, found)| found) {
            snapshots.entry(one.name.to_lowercase()).or_default().push(one);
        }
        for member in members.iter_mut().filter(|member| of_folder.contains(&member.name)) {
            match (snapshots.get_mut(&member.name.to_lowercase()).and_then(Vec::pop), &path) {
                (Some(snapshot), _) => {
                    member.named = snapshot.named;
                    member.address = snapshot.address;
                }
                (None, Some(path)) => {
                    member.address = Err(format!(
                        "the folder {path} contains no snapshot of this \
                    machine"
                    ))
                }
                (None, None) => {
                    member.address = Err(
                        "this machine has no target, and no folder of snapshots was given (--snapshots)".to_owned(),
                    );
                }
            }
        }
        for member in &members {
            snapshots.get_mut(&member.name.to_lowercase()).into_iter().flatten().for_each(name_by_file);
        }
        members.extend(snapshots.into_values().flatten());
        Members::new(members, waves)
    }
}

/// Replaces the name of a machine whose target is a snapshot with the file name of the snapshot, such as `FE1.json`.
/// Does nothing for another target.
fn name_by_file(snapshot: &mut Member) {
    let file = snapshot.named.strip_prefix("snapshot:").and_then(|path| Path::new(path).file_name());
    if let Some(file) = file {
        snapshot.name = file.to_string_lossy().into_owned();
    }
}

impl MachineDocument {
    /// Returns the address of the machine's target; `None` if the file gives no target for the machine. An error
    /// contains the name of the wrong field, a message, and a hint if there is one for this error.
    fn address(&self, base: &Path) -> Result<Option<Address>, (&'static str, String, Option<&'static str>)> {
        let files = self.files.as_ref().map(|files| base.join(files));
        let mut drives = Vec::new();
        for (letter, folder) in &self.drives {
            match letter.as_bytes() {
                [one] if one.is_ascii_alphabetic() => {
                    let one = one.to_ascii_uppercase();
                    if drives.iter().any(|(known, _)| *known == char::from(one)) {
                        let message = format!("drive {} has two folders", char::from(one));
                        return Err(("drives", message, Some("name one folder for each drive")));
                    }
                    drives.push((char::from(one), base.join(folder)));
                }
                _ => {
                    let message = format!("`{letter}` is not a drive letter");
                    return Err(("drives", message, Some("write one letter from A to Z for each drive")));
                }
            }
        }
        // Without a target, the machine is a snapshot, so that its other fields must be those of a snapshot.
        let uri = self.target.as_ref().map_or_else(|| "snapshot:.".to_owned(), |target| below(base, target));
        let address = Address::new(&uri, files.as_deref(), self.code_page)
            .map_err(|error| ("target", error.to_string(), None))?
            .with_drives(&drives)
            .with_dirty_hives(self.allow_dirty);
        match address.misfit().map_err(|error| ("target", error.to_string(), None))? {
            None => match self.code_page.filter(|number| CodePage::new(*number).is_none()) {
                None => Ok(self.target.is_some().then_some(address)),
                Some(number) => {
                    let known = "the code pages are 874, 932, 936, 949, 950 and 1250 to 1258";
                    let message = format!("kbfix does not know the code page {number}; {known}");
                    Err(("code_page", message, Some("write one of these numbers")))
                }
            },
            Some((extra, why)) => {
                let field = match extra {
                    Extra::Files => "files",
                    Extra::Drives => "drives",
                    Extra::AllowDirty => "allow_dirty",
                    // A fleet file has no such field.
                    Extra::ThroughPolicy => "target",
                    Extra::CodePage => "code_page",
                };
                Err(match &self.target {
                    Some(target) => (field, format!("`{field}` cannot be used with the target {target}: {why}"), None),
                    None => (
                        field,
                        format!(
                            "`{field}` cannot be used for a machine without `target`, which kbfix reads from a snapshot: \
                             {why}"
                        ),
                        None,
                    ),
                })
            }
        }
    }

    fn member(&self, name: &str, address: Option<Address>) -> Member {
        let data = |data: &ParameterDocument| match data {
            ParameterDocument::Number(number) => Setting::Text(number.to_string()),
            ParameterDocument::Text(text) => Setting::Text(text.clone()),
            ParameterDocument::List(list) => Setting::List(list.clone()),
        };
        let mut groups = self.groups.clone();
        groups.sort();
        groups.dedup();
        Member {
            name: name.to_owned(),
            named: self.target.clone().unwrap_or_else(|| "snapshot".to_owned()),
            address: address.ok_or_else(String::new),
            groups,
            parameters: self.parameters.iter().map(|(name, given)| (name.clone(), data(given))).collect(),
        }
    }
}

/// Returns the target URI with a relative path in it resolved against `base`, the folder of the fleet file. Returns a
/// URI without a local path unchanged.
fn below(base: &Path, uri: &str) -> String {
    match uri.split_once(':') {
        Some((kind @ ("image" | "hive" | "reg" | "pol" | "snapshot"), path)) if !path.is_empty() => {
            format!("{kind}:{}", base.join(path).display())
        }
        _ => uri.to_owned(),
    }
}
