//! The example machine: a small volume of a Windows Server 2003 with Exchange, which KB909094 is about.
//!
//! `kbfix example` and the tests create the machine from its registry, `examples/front-end.reg`. The result is a folder
//! with the hives, the event log and the hotfix file of the machine. All of them are generated, so the repository needs
//! no files from real machines.

use std::{fs, io, path::Path};

use jiff::Timestamp;

use crate::{
    format::{
        event::EventLevel,
        evt::{self, NewEvent},
        pe::minimal,
        reg::{Document, RegError},
        regf::{self, Filetime, Hive},
    },
    registry::{KeyPath, KeyPathError},
    version::FileVersion,
};

/// The machine's registry, as an export.
pub const EXPORT: &[u8] = include_bytes!("../examples/front-end.reg");

/// The SID of the machine's one user.
pub const USER: &str = "S-1-5-21-909094-2003-65-500";

/// The file of the hotfix, below the volume's root.
pub const HOTFIX: &str = "Program Files/Exchsrvr/bin/exprox.dll";

/// The event log Application, below the volume's root.
pub const LOG: &str = "Windows/System32/config/AppEvent.Evt";

/// The hives of the machine: for each, the key at which Windows mounts the hive, and the path of the file below the
/// volume's root.
const HIVES: &[(&str, &str)] = &[
    (r"HKLM\SYSTEM", "Windows/System32/config/SYSTEM"),
    (r"HKLM\SOFTWARE", "Windows/System32/config/SOFTWARE"),
    (r"HKLM\SAM", "Windows/System32/config/SAM"),
    (r"HKLM\SECURITY", "Windows/System32/config/SECURITY"),
    (r"HKU\.DEFAULT", "Windows/System32/config/DEFAULT"),
    (r"HKU\S-1-5-21-909094-2003-65-500", "Documents and Settings/Administrator/NTUSER.DAT"),
    (
        r"HKU\S-1-5-21-909094-2003-65-500_Classes",
        "Documents and Settings/Administrator/Local Settings/Application Data/Microsoft/Windows/UsrClass.dat",
    ),
];

/// The reason why the example machine could not be created.
#[derive(Debug, thiserror::Error)]
pub enum ExampleError {
    /// A file or folder could not be created or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The export cannot be read.
    #[error("examples/front-end.reg: {0}")]
    Reg(#[from] RegError),
    /// A hive could not be created.
    #[error(transparent)]
    Hive(#[from] regf::Error),
    /// The key at which a hive is mounted is not a valid key path.
    #[error(transparent)]
    Key(#[from] KeyPathError),
}

/// Creates the machine's volume in `folder`. Creates the folder if it does not exist, and replaces the machine's files
/// if they exist.
///
/// # Errors
/// Returns [`ExampleError`]. Files that were already written remain.
pub fn make(folder: &Path) -> Result<(), ExampleError> {
    for (mount, file) in HIVES {
        let hive = hive(&mount.parse()?)?;
        write(&folder.join(file), &hive)?;
    }
    write(&folder.join(LOG), &evt::create(&events(), 64 << 10))?;
    write(&folder.join(HOTFIX), &minimal::dll(FileVersion([6, 5, 7651, 19])))
}

/// Returns the events that the machine logged on three days: the event that KB909094 describes, and other events.
fn events() -> Vec<NewEvent<'static>> {
    const WARNING: u32 = 0x8000_0000;
    const INFORMATION: u32 = 0x4000_0000;
    let at = |second: i64, source, id: u32, strings: &'static [&'static str]| {
        // The two upper bits of a message's code are its severity.
        let level = if id >> 30 == 2 { EventLevel::Warning } else { EventLevel::Information };
        // `second` counts from the first event, which is at 2008-05-14 06:12:40 UTC.
        let time = Timestamp::from_second(1_210_745_560 + second).unwrap_or_default();
        NewEvent { time, source, id, level, computer: "FRONTEND1", strings }
    };
    vec![
        at(0, "MSExchangeIS", INFORMATION | 1001, &[]),
        at(7_412, "EXPROX", WARNING | 1000, &["BACKEND1"]),
        at(86_933, "MSExchangeIS Mailbox", INFORMATION | 1221, &["412"]),
        at(93_871, "EXPROX", WARNING | 1000, &["BACKEND1"]),
        at(93_872, "EXPROX", INFORMATION | 1003, &[]),
        at(180_447, "EXPROX", WARNING | 1000, &["BACKEND1"]),
        at(194_200, "MSExchangeSA", INFORMATION | 9006, &[]),
    ]
}

/// Returns the bytes of the hive file that Windows mounts at the key `mount`. The hive contains what [`EXPORT`]
/// contains below this key, with `ControlSet001` in place of `CurrentControlSet`, as in a real hive.
fn hive(mount: &KeyPath) -> Result<Vec<u8>, ExampleError> {
    let document = Document::parse(EXPORT.to_vec(), None)?;
    let now = Filetime::now();
    let mut hive = Hive::create(now)?;
    {
        let mut editor = hive.edit(now)?;
        for key in document.keys() {
            let Some(below) = key.relative_to(mount) else { continue };
            // A hive contains no key CurrentControlSet, but numbered control sets. The key Select contains the number
            // of the current one.
            let below = match below.strip_prefix("CurrentControlSet") {
                Some(rest) => format!("ControlSet001{rest}"),
                None => below.to_owned(),
            };
            editor.create_key(&below)?;
            let values = document.values(key);
            for (name, data) in values.iter().flat_map(|values| values.iter()) {
                if let Ok(data) = data {
                    editor.set_value(&below, name.as_str(), data)?;
                }
            }
        }
    }
    Ok(hive.to_bytes(now)?)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ExampleError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(path, bytes)?)
}
