//! Finds the file of a log on a machine that is not asked itself.
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

/// The key of the logs that have programs of before Windows Vista; each has a subkey.
const LOGS: &str = r"SYSTEM\CurrentControlSet\Services\EventLog";
/// The key of all other logs.
const CHANNELS: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion\WINEVT\Channels";

/// The logs of Windows Server 2003 and their files. The first three are on every Windows.
const OLD_FILES: [(&str, &str); 6] = [
    ("Application", "AppEvent.Evt"),
    ("Security", "SecEvent.Evt"),
    ("System", "SysEvent.Evt"),
    ("Directory Service", "NTDS.Evt"),
    ("DNS Server", "DnsEvent.Evt"),
    ("File Replication Service", "NtFrs.Evt"),
];

/// Where the file of a log may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::targets) struct Place {
    /// The paths, as the machine calls them; the first that exists is the file.
    pub(in crate::targets) paths: Vec<String>,
    /// Why the log is unknown where none of them exists; none for a log that the machine does not know.
    unknown: Option<Unread>,
}

impl Place {
    /// Returns the answer where none of the paths exists.
    pub(in crate::targets) fn nowhere<T>(self) -> Answer<T> {
        self.unknown.map_or(Answer::Absent, Answer::Unread)
    }
}

/// Returns where the file of a log is: where its key says, or else where Windows keeps it by default.
///
/// # Errors
/// Returns an error where the target as a whole cannot be read; the inner error is for a registry that cannot be read.
pub(in crate::targets) fn place(mut ask: impl Ask, log: &str, system_root: &Result<String, Unread>) -> Asked<Place> {
    if log.is_empty() || log.contains(['\\', ':']) || log.chars().any(char::is_control) {
        return Ok(Err(Unread::new(Reason::Unsupported, format!("`{log}` is not the name of a log"))));
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
    // Windows writes a slash in the name of a log so.
    let mut paths = vec![format!(r"{root}\System32\winevt\Logs\{}.evtx", log.replace('/', "%4"))];
    let old = OLD_FILES.iter().position(|(name, _)| name.eq_ignore_ascii_case(log));
    paths.extend(old.map(|at| format!(r"{root}\System32\config\{}", OLD_FILES[at].1)));
    let is_known = match old {
        Some(0..3) => Ok(true),
        _ => is_channel(&mut ask, log)?,
    };
    let no_file = || Unread::new(Reason::Unknown, format!("the target has the log {log}, but no file of it"));
    let unknown = is_known.map_or_else(Some, |is_known| is_known.then(no_file));
    Ok(Ok(Place { paths, unknown }))
}

/// Returns whether the machine knows a log of this name.
fn is_channel(mut ask: impl Ask, log: &str) -> Asked<bool> {
    let path = match KeyPath::from_parts(RootKey::Hklm, &format!(r"{CHANNELS}\{log}")) {
        Ok(path) => path,
        Err(error) => return Ok(Err(Unread::new(Reason::Unsupported, error.to_string()))),
    };
    let query = KeyQuery { key: Key::new(path), values: ValueSelection::Names([].into()), subkeys: false };
    Ok(ask(&query)?.known().map(|facts| facts.is_some()))
}
