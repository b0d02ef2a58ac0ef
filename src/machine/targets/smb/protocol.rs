//! The JSON documents that kbfix exchanges with its helper script `winreg.py`, which accesses the registry of a remote
//! machine.

use std::{collections::BTreeMap, path::PathBuf, process::Command, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    registry::{Data, Key, KeyPath, KeyProperties, RootKey, ValueType, View, link_target, notation},
    targets::Unread,
};

use super::{Connection, Trouble, program, remote_error::BY_KERBEROS};

const SCRIPT: &str = include_str!("winreg.py");
/// The number of questions, changes and values in an exchange, counted together, for which its time limit grows by one
/// second.
const EACH_SECOND: usize = 20;

/// A request to the helper script.
#[derive(Debug, Serialize)]
struct Request<'a> {
    host: &'a str,
    settings: BTreeMap<&'static str, String>,
    user: Option<&'a str>,
    domain: Option<&'a str>,
    auth_file: Option<&'a PathBuf>,
    kerberos: bool,
    read: &'a [Question],
    write: &'a [Order],
}

/// A key in a request to the helper script.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Place {
    root: &'static str,
    path: String,
    view: u8,
    /// The keys of which none may be a link, each as root key and path: the requested key and the keys above it,
    /// topmost first, as far as [`Key::way`] lists them.
    way: Vec<(&'static str, String)>,
}

/// A question about one key.
#[derive(Debug, Serialize)]
pub(super) struct Question {
    #[serde(flatten)]
    pub(super) place: Place,
    /// The names of the values to read; `None` for all values.
    pub(super) names: Option<Vec<String>>,
    pub(super) subkeys: bool,
    /// Whether to read the key itself although it is a link that Windows makes. Otherwise, the target of the link is
    /// read.
    pub(super) itself: bool,
}

/// A change to one key, as a request to the helper script.
#[derive(Debug, Serialize)]
pub(super) struct Order {
    #[serde(flatten)]
    pub(super) place: Place,
    pub(super) action: crate::targets::ChangeAction,
    /// The class name and security descriptor that a created key gets.
    pub(super) properties: Option<KeyProperties>,
    pub(super) values: Vec<Setting>,
}

/// A value to set or, if there is no data, to delete.
#[derive(Debug, Serialize)]
pub(super) struct Setting {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) value_type: u32,
    /// The data in hex digits; missing if the value is to be deleted.
    pub(super) bytes: Option<String>,
}

/// The response of the helper script.
#[derive(Debug, Deserialize)]
struct Document {
    #[serde(default)]
    answers: Vec<Found>,
    failed: Option<Failed>,
}

/// The response to one question about a key.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    pub(super) error: Option<Fault>,
    #[serde(default)]
    pub(super) values: Vec<FoundValue>,
    pub(super) subkeys: Option<Vec<String>>,
    /// The class name and security descriptor, if all values were asked for.
    pub(super) properties: Option<FoundProperties>,
}

/// The class name and the security descriptor of a key, or the reason why they could not be read.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum FoundProperties {
    Unread { error: Fault },
    Read { class: String, security: String },
}

/// A value of a key in a response.
#[derive(Debug, Deserialize)]
pub(super) struct FoundValue {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) value_type: u32,
    pub(super) bytes: String,
    pub(super) error: Option<Fault>,
}

/// An error code and its text. The code is one of Windows, such as 5 for ERROR_ACCESS_DENIED, except in [`Failed`],
/// where it can be an NTSTATUS code.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Fault {
    pub(super) code: u32,
    pub(super) text: String,
    /// The link in the path of the key, if the request failed because of a link; otherwise `None`.
    pub(super) link: Option<Box<FoundLink>>,
}

/// A link in the path of a requested key.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct FoundLink {
    root: String,
    path: String,
    /// The target of the link, as the data of the value `SymbolicLinkValue` in hex digits.
    to: String,
}

impl FoundLink {
    /// Returns the reason why kbfix does not read a key at or below this link.
    pub(super) fn unread(&self) -> Unread {
        let to = notation::parse_hex_digits(&self.to).unwrap_or_default();
        let to = match link_target(&Data::new(ValueType::LINK, to)) {
            Some(Ok(path)) => path.to_string(),
            Some(Err(text)) => text,
            None => String::new(),
        };
        Unread::linked(&format!("{}\\{}", self.root, self.path), &to)
    }
}

#[derive(Debug, Deserialize)]
struct Failed {
    stage: Stage,
    /// The index of the change that failed, from 0; missing if the error does not concern a single change.
    at: Option<usize>,
    /// The name of the value that could not be changed, if the error concerns a value.
    name: Option<String>,
    /// The number of changes, from the first, that may have been made, perhaps only in part.
    #[serde(default)]
    begun: usize,
    #[serde(flatten)]
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    Bindings,
    Connect,
    Call,
    Write,
}

/// The reason why changes were not made.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The remote machine as a whole could not be accessed. The first `begun` changes may have been made.
    Trouble { trouble: Trouble, begun: usize },
    /// The change with the index `at`, or the change of the value `name` in it, failed. The first `begun` changes may
    /// have been made.
    Change { at: usize, name: Option<String>, begun: usize, fault: Fault },
}

impl Place {
    /// Returns a key for a request. `HKCR` is replaced with the classes of the machine: only for a program on that
    /// machine does Windows merge a user's classes into `HKCR`.
    pub(super) fn new(key: &Key) -> Self {
        let (root, path) = match key.path.root() {
            RootKey::Hkcr => ("HKLM", joined(r"SOFTWARE\Classes", &key.path)),
            root => (root.short(), key.path.below_root().to_owned()),
        };
        let way = key.way().iter().map(|path| (path.root().short(), path.below_root().to_owned())).collect();
        Self { root, path, view: if key.view == View::Bits32 { 32 } else { 64 }, way }
    }
}

fn joined(above: &str, path: &KeyPath) -> String {
    if path.below_root().is_empty() { above.to_owned() } else { format!("{above}\\{}", path.below_root()) }
}

impl Connection {
    /// Returns the response to each question, in the same order. Uses one connection for all questions.
    ///
    /// # Errors
    /// Returns an error if the remote machine as a whole cannot be read.
    pub(super) fn ask(&self, questions: &[Question]) -> Result<Vec<Found>, Trouble> {
        let each = questions.iter().map(|q| 1 + q.names.as_ref().map_or(0, Vec::len)).sum();
        let attempt = self.log_on()?;
        let answers = self.exchange(questions, &[], each).and_then(|document| match document.failed {
            Some(failed) => Err(self.trouble(failed)),
            None => Ok(document.answers),
        });
        attempt.ended(answers.as_ref().err());
        match answers? {
            answers if answers.len() == questions.len() => Ok(answers),
            _ => Err(Trouble::Failed("the machine sent fewer or more answers than kbfix sent queries".to_owned())),
        }
    }

    /// Makes the changes in their order, over one connection.
    ///
    /// # Errors
    /// Returns [`Refusal`], which says how many of the changes, from the first, may have been made.
    pub(super) fn order(&self, orders: &[Order]) -> Result<(), Refusal> {
        let each = orders.iter().map(|order| 1 + order.values.len()).sum();
        let before = |trouble| Refusal::Trouble { trouble, begun: 0 };
        let attempt = self.log_on().map_err(before)?;
        let document = self.exchange(&[], orders, each).map_err(|trouble| match trouble {
            // The program could not be started, or lacks a module.
            Trouble::Program { .. } => before(trouble),
            trouble => Refusal::Trouble { trouble, begun: orders.len() },
        });
        let made = document.and_then(|document| match document.failed {
            None => Ok(()),
            Some(Failed { stage: Stage::Write, at: Some(at), name, begun, fault }) => {
                Err(Refusal::Change { at, name, begun, fault })
            }
            Some(failed) => Err(Refusal::Trouble { begun: failed.begun, trouble: self.trouble(failed) }),
        });
        attempt.ended(match &made {
            Err(Refusal::Trouble { trouble, .. }) => Some(trouble),
            _ => None,
        });
        made
    }

    fn exchange(&self, read: &[Question], write: &[Order], each: usize) -> Result<Document, Trouble> {
        let host = &self.host;
        let request = Request {
            host: &host.name,
            settings: self.told(),
            user: host.user.as_deref(),
            domain: host.domain.as_deref(),
            auth_file: self.settings.file.as_ref(),
            kerberos: self.settings.kerberos,
            read,
            write,
        };
        let mut line = serde_json::to_vec(&request).map_err(|error| Trouble::Local(error.to_string()))?;
        line.push(b'\n');
        let mut command = Command::new(&self.settings.python);
        // Python runs isolated: neither the current folder nor the user's folders add modules.
        command.args(["-I", "-c", SCRIPT]);
        let limit = self.settings.limit + Duration::from_secs((each / EACH_SECOND) as u64);
        let said = program::run(&mut command, &line, limit)?;
        serde_json::from_slice(&said.out).map_err(|_| Trouble::of_text(&String::from_utf8_lossy(&said.error)))
    }

    fn trouble(&self, failed: Failed) -> Trouble {
        let Fault { code, text, .. } = failed.fault;
        match failed.stage {
            Stage::Bindings => Trouble::Program { program: "Samba's Python module `samba`".to_owned(), detail: text },
            Stage::Connect => match Trouble::of_status(code, &text) {
                // If there is no Kerberos ticket, Samba reports the status "invalid argument".
                Trouble::Failed(text) if self.settings.kerberos => Trouble::Logon(format!("{BY_KERBEROS}{text}")),
                trouble => trouble,
            },
            Stage::Call | Stage::Write => Trouble::Broken(format!("{text} (0x{code:08x})")),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _};

    use super::*;
    use crate::targets::{ChangeAction, smb::Settings};

    /// Returns the number of changes that may have been made, of two changes that are requested, if the helper program
    /// prints `out` and then ends.
    fn begun(out: &str) -> usize {
        let (folder, listener) = (tempfile::tempdir().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let python = folder.path().join("python");
        fs::write(&python, format!("#!/bin/sh\nread -r line\necho '{out}'\n")).unwrap();
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
        order(listener.local_addr().unwrap().port(), python)
    }

    fn order(port: u16, python: std::path::PathBuf) -> usize {
        let host = format!("smb://127.0.0.1:{port}").parse().unwrap();
        let connection = Connection { host, settings: Settings { python, ..Settings::default() }, account: None };
        let order = || Order {
            place: Place::new(&r"HKLM\SOFTWARE\T".parse().unwrap()),
            action: ChangeAction::Update,
            properties: None,
            values: Vec::new(),
        };
        match connection.order(&[order(), order()]) {
            Err(Refusal::Trouble { begun, .. }) => begun,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_was_changed_if_the_connection_fails_before_the_first_change() {
        let failed = |stage: &str, begun: usize| {
            format!(r#"{{"failed": {{"stage": "{stage}", "code": 1, "text": "broken", "begun": {begun}}}}}"#)
        };
        assert_eq!(begun(&failed("connect", 0)), 0);
        assert_eq!(begun(&failed("bindings", 0)), 0);
        assert_eq!(begun(&failed("call", 0)), 0);
        assert_eq!(begun(&failed("call", 1)), 1);
        // The program ended without an answer, so any change may have been made.
        assert_eq!(begun(""), 2);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(order(port, "/nonexistent/python".into()), 0);
        drop(listener);
        assert_eq!(order(port, "/bin/true".into()), 0);
    }
}
