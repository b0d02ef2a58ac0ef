//! The target `local`: the live registry and the disks of this Windows machine.
//!
//! The crate windows-registry opens the keys. A query opens its key only once for all that it asks about the key.
//! [`raw`] adds the calls that the crate lacks; [`error`] interprets Windows' error codes. The hive of a user who is
//! not logged on is a file, which [`users`] reads and writes. Symbolic links (REG_LINK) are followed only if Windows
//! makes them ([`place`]).

mod disk;
mod error;
mod events;
mod lock;
mod place;
mod properties;
mod raw;
mod read;
mod sddl;
mod secure;
mod users;
mod write;

use windows_sys::Win32::System::Registry::{KEY_WOW64_32KEY, KEY_WOW64_64KEY};

use crate::{parallel, registry::View};

use super::{
    Answer, EventFacts, EventQuery, FileFacts, KeyChange, KeyFacts, KeyQuery, Lock, PolicyFacts, PolicyQuery,
    PolicyStores, Target, TargetError, WriteError, WriteFailure,
    policy::{self, Place, Stores},
};

pub use secure::{
    FolderError, check_admin_only_dir, create_admin_only_dir, create_private_dir, file_fault, folder_fault,
};

/// The maximum number of keys that one thread reads at a time. For fewer keys, a second thread is not started, because
/// starting it takes time too.
const READ_TOGETHER: usize = 32;

/// This Windows machine as a target: its live registry and the files on its disks.
#[derive(Debug, Default)]
pub struct LocalTarget {
    users: users::Users,
}

impl LocalTarget {
    /// Returns the target. Nothing is opened before the first question.
    pub fn new() -> Self {
        Self::default()
    }
}

/// Gives the code for policy stores access to the keys and files of this machine.
struct StoreFiles {
    questions: read::Questions,
}

impl Stores for StoreFiles {
    fn key(&mut self, query: &KeyQuery) -> Result<Answer<KeyFacts>, TargetError> {
        Ok(read::key_facts(query, &mut self.questions))
    }

    fn bytes(&mut self, place: &Place, folder: &str, most: u64) -> Result<Answer<Vec<u8>>, TargetError> {
        Ok(disk::bytes(folder, &place.below, most))
    }
}

impl Target for LocalTarget {
    fn uri(&self) -> String {
        "local".to_owned()
    }

    fn read_keys(&mut self, queries: &[KeyQuery]) -> Result<Vec<Answer<KeyFacts>>, TargetError> {
        let chunks: Vec<_> = queries.chunks(READ_TOGETHER).collect();
        let read = |chunk: &&[KeyQuery]| {
            let mut questions = read::Questions::new();
            chunk.iter().map(|query| read::key_facts(query, &mut questions)).collect::<Vec<_>>()
        };
        let answers = parallel::map(&chunks, read).into_iter().flatten().zip(queries);
        let with_users = |(answer, query): (Answer<KeyFacts>, &KeyQuery)| match answer {
            Answer::Absent if users::is_away(&query.key.path) => self.users.read(query),
            answer => answer,
        };
        Ok(answers.map(with_users).collect())
    }

    fn read_files(&mut self, paths: &[String]) -> Result<Vec<Answer<FileFacts>>, TargetError> {
        Ok(paths.iter().map(|path| disk::file_facts(path)).collect())
    }

    fn policy_stores(&self) -> PolicyStores {
        PolicyStores::Here
    }

    fn read_policies(&mut self, queries: &[PolicyQuery]) -> Result<Vec<PolicyFacts>, TargetError> {
        policy::read(queries, &mut StoreFiles { questions: read::Questions::new() })
    }

    fn read_events(&mut self, queries: &[EventQuery]) -> Result<Vec<Answer<EventFacts>>, TargetError> {
        events::answers(queries)
    }

    fn control_set(&mut self) -> Result<Answer<u16>, TargetError> {
        Ok(place::control_set())
    }

    fn lock(&mut self) -> Result<Lock, TargetError> {
        let lock = lock::take()?;
        self.users.forget();
        Ok(lock)
    }

    fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        let mut buffer = raw::Buffer::new();
        let (away, here): (Vec<_>, Vec<_>) = changes.iter().partition(|change| users::is_away(&change.key.path));
        let away: Vec<KeyChange> = away.into_iter().cloned().collect();
        let refused =
            here.iter().try_for_each(|change| self.users.refuse_logged_on(change)).map_err(WriteFailure::from);
        // Hive files first: if one of them cannot be replaced, the live registry is still unchanged.
        let written = refused.and_then(|()| self.users.write(&away));
        // After any result, the next question reads the files again.
        self.users.forget();
        written?;
        let mut begun = Vec::with_capacity(here.len());
        write::key_changes(&here, &mut buffer, &mut begun).map_err(|error| {
            let begun = away.into_iter().chain(begun.into_iter().cloned()).collect();
            WriteFailure { error, begun }
        })
    }

    fn rehearse(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        write::refuse_volatile(changes.iter().filter(|change| !users::is_away(&change.key.path)))
    }
}

/// Returns the flag for RegOpenKeyEx that selects a view. On a 32-bit Windows, both flags select its only view.
fn view_flag(view: View) -> u32 {
    match view {
        View::Bits64 => KEY_WOW64_64KEY,
        View::Bits32 => KEY_WOW64_32KEY,
    }
}
