//! The target `smb://HOST`, and the connection to this remote machine.

use std::{
    collections::BTreeMap,
    fs, io,
    net::{TcpStream, ToSocketAddrs as _},
    time::Duration,
};

use crate::targets::{
    Answer, EventFacts, EventQuery, FileFacts, KeyChange, KeyFacts, KeyQuery, Lock, PolicyFacts, PolicyQuery,
    PolicyStores, Reason, Target, TargetError, WriteFailure,
    drives::Drives,
    lock::lock_beside,
    policy::{self, Place, Stores},
};

use super::{
    Host, Settings, Trouble,
    logon::{self, Account, Attempt},
};

/// The maximum time for connecting to an address of the remote machine, unless [`Settings::limit`] is shorter.
const REACHED_WITHIN: Duration = Duration::from_secs(15);

/// A remote machine as a target.
#[derive(Debug)]
pub struct SmbTarget {
    pub(super) connection: Connection,
    /// Local folders with the files of some drives of the remote machine. kbfix reads these files there, not on the
    /// machine.
    pub(super) drives: Drives,
}

/// The remote machine, and the settings for connections to it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) host: Host,
    pub(super) settings: Settings,
    /// The account, if a domain checks its password; `None` for an account of the machine itself, and if there is no
    /// credentials file, because kbfix then logs on with a Kerberos ticket.
    pub(super) account: Option<Account>,
}

impl SmbTarget {
    /// Returns the target. Does not connect to the machine yet. `drives` are local folders with the files of drives of
    /// the machine; kbfix does not read these drives over the network.
    ///
    /// After a machine has refused a domain account, perhaps because of a wrong password, this process does not try
    /// this account with the same credentials on machines that have not accepted it before: their operations fail with
    /// [`Trouble::NotTried`]. Without a credentials file (with a Kerberos ticket), each target tries to log on.
    ///
    /// # Errors
    /// Returns [`TargetError::Remote`] if there are no credentials, or they cannot be used.
    pub fn open(host: Host, drives: Drives, settings: Settings) -> Result<Self, TargetError> {
        let what = host.to_string();
        let (settings, text) = settings.checked().map_err(|trouble| TargetError::Remote { what, trouble })?;
        let account = text.and_then(|text| Account::of(&host, &text, settings.kerberos));
        Ok(Self { connection: Connection { host, settings, account }, drives })
    }

    pub(super) fn failed(&self, trouble: Trouble) -> TargetError {
        TargetError::Remote { what: self.uri(), trouble }
    }
}

impl Connection {
    /// Returns the settings for Samba that are used instead of those in this system's smb.conf.
    pub(super) fn told(&self) -> BTreeMap<&'static str, String> {
        let mut settings = BTreeMap::from([("name resolve order", "host".to_owned())]);
        settings.insert("smb ports", self.host.port().to_string());
        if self.host.smb1 {
            settings.insert("client min protocol", "NT1".to_owned());
        }
        // Samba itself requires signatures for the registry, but not for files.
        let signing = if self.host.unsigned { "if_required" } else { "required" };
        for setting in ["client ipc signing", "client signing"] {
            settings.insert(setting, signing.to_owned());
        }
        settings
    }

    /// Begins a logon: checks that the machine can be reached, and then waits until the account may be tried.
    ///
    /// # Errors
    /// Returns an error if the machine cannot be reached, or [`Trouble::NotTried`] (see [`logon::begin`]).
    pub(super) fn log_on(&self) -> Result<Attempt<'_>, Trouble> {
        self.reach()?;
        logon::begin(self.account.as_ref(), &self.host)
    }

    /// Checks that a program on the remote machine listens on the port.
    ///
    /// This is checked first, because Samba's own errors do not distinguish a closed port from an unknown host name.
    fn reach(&self) -> Result<(), Trouble> {
        let place = (self.host.name.as_str(), self.host.port());
        let unreachable = |error: io::Error| match error.kind() {
            io::ErrorKind::TimedOut => Trouble::Unreachable("there was no answer to the attempt to connect".to_owned()),
            _ => Trouble::Unreachable(error.to_string()),
        };
        let mut last = Trouble::Unreachable("the host name has no address".to_owned());
        for address in place.to_socket_addrs().map_err(unreachable)? {
            match TcpStream::connect_timeout(&address, REACHED_WITHIN.min(self.settings.limit)) {
                Ok(_) => return Ok(()),
                Err(error) => last = unreachable(error),
            }
        }
        Err(last)
    }
}

/// Gives the code for policy stores access to the keys and files of a remote machine.
struct StoreFiles<'a>(&'a mut SmbTarget);

impl Stores for StoreFiles<'_> {
    fn key(&mut self, query: &KeyQuery) -> Result<Answer<KeyFacts>, TargetError> {
        let answers = self.0.read_keys(std::slice::from_ref(query))?;
        Ok(answers.into_iter().next().unwrap_or(Answer::Absent))
    }

    fn bytes(&mut self, place: &Place, folder: &str, most: u64) -> Result<Answer<Vec<u8>>, TargetError> {
        let path = format!("{}\\{}", folder.trim_end_matches('\\'), place.below);
        if let Some(drive) = self.0.drives.of(&path) {
            return Ok(drive.bytes(&path, most));
        }
        // The registry can be read without shares and smbclient. So if these are missing, only this store is unknown.
        let fetched = self.0.connection.bytes(&path, most);
        Ok(fetched.unwrap_or_else(|trouble| Answer::unread(Reason::Unknown, format!("{path}: {trouble}"))))
    }
}

impl Target for SmbTarget {
    fn uri(&self) -> String {
        self.connection.host.to_string()
    }

    fn read_keys(&mut self, queries: &[KeyQuery]) -> Result<Vec<Answer<KeyFacts>>, TargetError> {
        self.connection.read(queries).map_err(|trouble| self.failed(trouble))
    }

    fn read_files(&mut self, paths: &[String]) -> Result<Vec<Answer<FileFacts>>, TargetError> {
        let mut facts = Vec::new();
        for path in paths {
            facts.push(match self.drives.facts(path) {
                Some(known) => known,
                None => self.connection.file(path).map_err(|trouble| self.failed(trouble))?,
            });
        }
        Ok(facts)
    }

    fn policy_stores(&self) -> PolicyStores {
        PolicyStores::Here
    }

    fn read_policies(&mut self, queries: &[PolicyQuery]) -> Result<Vec<PolicyFacts>, TargetError> {
        policy::read(queries, &mut StoreFiles(self))
    }

    fn read_events(&mut self, queries: &[EventQuery]) -> Result<Vec<Answer<EventFacts>>, TargetError> {
        self.events(queries)
    }

    fn control_set(&mut self) -> Result<Answer<u16>, TargetError> {
        self.connection.control_set().map_err(|trouble| self.failed(trouble))
    }

    /// Takes a lock on this system, a file in the state folder. The lock excludes other runs of this user on this
    /// system, but not runs of other users, on other systems, or with another host name or port for the same machine.
    fn lock(&mut self) -> Result<Lock, TargetError> {
        let failed = |source| TargetError::Io { what: format!("the lock for {}", self.uri()), source };
        let Connection { host, settings, .. } = &self.connection;
        let unnamed = || {
            failed(io::Error::other(
                "neither the environment variable XDG_STATE_HOME nor HOME names a \
            folder for the lock",
            ))
        };
        let folder = settings.locks.as_ref().ok_or_else(unnamed)?;
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = lock_beside(&folder.join(format!("smb-{}-{}", host.name, host.port())));
        let lock = lock.map_err(|error| match error {
            TargetError::Locked { .. } => TargetError::Locked { what: self.uri() },
            other => other,
        })?;
        self.drives.forget();
        Ok(lock)
    }

    fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        self.connection.write(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samba itself asks for signatures of files only if the other machine requires them.
    #[test]
    fn registry_data_and_files_are_signed_unless_the_target_says_otherwise() {
        for (uri, signing) in
            [("smb://fe1", "required"), ("smb://fe1?smb1", "required"), ("smb://fe1?unsigned", "if_required")]
        {
            let connection = Connection { host: uri.parse().unwrap(), settings: Settings::default(), account: None };
            let told = connection.told();
            assert_eq!([&told["client ipc signing"], &told["client signing"]], [signing; 2], "{uri}");
        }
    }
}
