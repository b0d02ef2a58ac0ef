//! Reads the event logs of a remote machine. Each log file is copied completely to this machine and read here, unless a
//! local folder contains the files of its drive.
//!
//! On Windows Vista and later, the files of open logs can be copied. On Windows Server 2003 they cannot, so its logs
//! are unknown.

use std::fs::File;

use crate::targets::{Answer, EventFacts, EventQuery, KeyQuery, Reason, Target as _, TargetError, events, profiles};

use super::SmbTarget;

impl SmbTarget {
    /// Answers each query about events, in the same order.
    pub(super) fn events(&mut self, queries: &[EventQuery]) -> Result<Vec<Answer<EventFacts>>, TargetError> {
        let system_root = profiles::system_root(|query: &KeyQuery| self.read_key(query))?;
        let system_root = system_root.and_then(|root| {
            let absent = || {
                crate::targets::Unread::new(
                    Reason::Unknown,
                    "the registry of the machine has no value SystemRoot in \
                    HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion",
                )
            };
            root.ok_or_else(absent)
        });
        events::answers(queries, |asked| {
            let place = match events::place(|query: &KeyQuery| self.read_key(query), &asked[0].log, &system_root)? {
                Ok(place) => place,
                Err(why) => return Ok(Answer::Unread(why)),
            };
            for path in &place.paths {
                match self.open_file(path)? {
                    Answer::Present(file) => return Ok(events::facts(file, asked)),
                    Answer::Absent => {}
                    Answer::Unread(why) => return Ok(Answer::Unread(why)),
                }
            }
            Ok(place.nowhere())
        })
    }

    fn read_key(&mut self, query: &KeyQuery) -> Result<Answer<crate::targets::KeyFacts>, TargetError> {
        let not_read = || Answer::unread(Reason::Unknown, "it was not read");
        Ok(self.read_keys(std::slice::from_ref(query))?.pop().unwrap_or_else(not_read))
    }

    /// Opens a file of the remote machine, either in the local folder for its drive or after copying it to this
    /// machine.
    ///
    /// The local copy is already deleted when this function returns, but can still be read through the open file.
    fn open_file(&mut self, path: &str) -> Result<Answer<File>, TargetError> {
        if let Some(drive) = self.drives.of(path) {
            return Ok(drive.open_file(path));
        }
        Ok(match self.connection.fetch(path).map_err(|trouble| self.failed(trouble))? {
            Answer::Present(fetched) => File::open(fetched.path()).map_or_else(
                |error| Answer::unread(Reason::Unknown, format!("the local copy of {path}: {error}")),
                Answer::Present,
            ),
            Answer::Absent => Answer::Absent,
            Answer::Unread(why) => Answer::Unread(why),
        })
    }
}
