//! Finds the file of an event log on a machine that is not asked through the Windows API.
//!
//! Sources: Microsoft, "Eventlog Key" (its value `File`), "Event Logs in Windows Vista and later", and the names that
//! setup gives the logs of Windows Server 2003.

use crate::{
    registry::{Key, KeyPath, RootKey},
    targets::{
        Answer, KeyQuery, Reason, Unread, ValueSelection,
        profiles::{Ask, Asked, expanded, text},
    },
};

/// The key with a subkey for each event log that programs from before Windows Vista can use.
const LOGS: &str = r"SYSTEM\CurrentControlSet\Services\EventLog";
/// The key below `HKLM` with a subkey for each of the event logs that have none in [`LOGS`].
const CHANNELS: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion\WINEVT\Channels";

/// The event logs of Windows Server 2003, and the names of their files. The first three logs exist on every Windows.
const OLD_FILES: [(&str, &str); 6] = [
    ("Application", "AppEvent.Evt"),
    ("Security", "SecEvent.Evt"),
    ("System", "SysEvent.Evt"),
    ("Directory Service", "NTDS.Evt"),
    ("DNS Server", "DnsEvent.Evt"),
    ("File Replication Service", "NtFrs.Evt"),
];

/// The paths at which the file of an event log may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::targets) struct Place {
    /// The possible paths, as the machine names them. The first file that exists is the log.
    pub(in crate::targets) paths: Vec<String>,
    /// The reason why the log is unknown if none of the files exists; `None` if the machine has no log with this name.
    unknown: Option<Unread>,
}

impl Place {
    /// Returns the answer about a log of which no possible file exists: absent if the machine has no log with this
    /// name, otherwise the reason why the log is unknown.
    pub(in crate::targets) fn nowhere<T>(self) -> Answer<T> {
        self.unknown.map_or(Answer::Absent, Answer::Unread)
    }
}

/// Returns the possible paths of an event log's file: the path in the registry if there is one, otherwise the default
/// paths of Windows.
///
/// # Errors
///
/// The outer error means that the target as a whole cannot be read; the inner error, that the path could not be
/// determined.
pub(in crate::targets) fn place(mut ask: impl Ask, log: &str, system_root: &Result<String, Unread>) -> Asked<Place> {
    if log.is_empty() || log.contains(['\\', ':']) || log.chars().any(char::is_control) {
        return Ok(Err(Unread::new(
            Reason::Unsupported,
            format!(
                "`{log}` is not the name of a log: it is empty, or contains a backslash, a colon or a control character"
            ),
        )));
    }
    let registered = match text(&mut ask, &format!(r"{LOGS}\{log}"), "File")? {
        Ok(registered) => registered,
        Err(why) => return Ok(Err(why)),
    };
    if let Some(path) = registered {
        let unknown = Unread::new(Reason::Unknown, format!("the target has the log {log}, but not its file {path}"));
        return Ok(expanded(&path, system_root).map(|path| Place { paths: vec![path], unknown: Some(unknown) }));
    }
    let root = match system_root {
        Ok(root) => root.trim_end_matches('\\'),
        Err(why) => return Ok(Err(why.clone())),
    };
    // Windows writes a slash in the name of a log in this way.
    let mut paths = vec![format!(r"{root}\System32\winevt\Logs\{}.evtx", log.replace('/', "%4"))];
    let old = OLD_FILES.iter().position(|(name, _)| name.eq_ignore_ascii_case(log));
    paths.extend(old.map(|at| format!(r"{root}\System32\config\{}", OLD_FILES[at].1)));
    let is_known = match old {
        Some(0..3) => Ok(true),
        _ => is_registered(&mut ask, log)?,
    };
    let no_file =
        || Unread::new(Reason::Unknown, format!("the target has the log {log}, but the file of the log is missing"));
    let unknown = is_known.map_or_else(Some, |is_known| is_known.then(no_file));
    Ok(Ok(Place { paths, unknown }))
}

/// Returns whether the machine has an event log with this name.
fn is_registered(mut ask: impl Ask, log: &str) -> Asked<bool> {
    for logs in [LOGS, CHANNELS] {
        let path = match KeyPath::from_parts(RootKey::Hklm, &format!(r"{logs}\{log}")) {
            Ok(path) => path,
            Err(error) => return Ok(Err(Unread::new(Reason::Unsupported, error.to_string()))),
        };
        let query = KeyQuery { key: Key::new(path), values: ValueSelection::Names([].into()), subkeys: false };
        match ask(&query)?.known() {
            Ok(None) => {}
            found => return Ok(found.map(|_| true)),
        }
    }
    Ok(Ok(false))
}
