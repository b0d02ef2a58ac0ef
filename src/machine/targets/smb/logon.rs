//! After a machine has refused the password of a domain account, kbfix tries it on no machine that has not accepted it
//! before: each try counts as a wrong one in the domain, and after a few of them Windows locks the account on all
//! machines.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest as _, Sha256};

use super::{Host, Trouble, remote_error::BY_KERBEROS, settings::field};

/// Texts in the message of a failed logon that do not mean a wrong password. Such a failure does not keep kbfix from
/// trying the account on other machines. Source of the status codes: Microsoft, [MS-ERREF] 2.3.1 "NTSTATUS Values".
const NO_WRONG_PASSWORD: [&str; 3] = ["NT_STATUS_NO_LOGON_SERVERS", "NT_STATUS_LOGON_TYPE_NOT_GRANTED", BY_KERBEROS];

/// An account of a domain, with the credentials to try.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Account {
    domain: String,
    user: String,
    /// The SHA-256 of the credentials file.
    credentials: [u8; 32],
}

impl Account {
    /// Returns the account that the host's URI and the text of the credentials file name. Returns `None` if they name
    /// no domain, because each machine then has its own account of this name. With Kerberos, every account is one of a
    /// domain: to get a ticket, Samba sends a proof of the password to a domain controller for each machine.
    pub(super) fn of(host: &Host, text: &str, kerberos: bool) -> Option<Self> {
        let user = host.user.as_deref().or_else(|| field(text, "username")).unwrap_or_default();
        let domain = host.domain.as_deref().or_else(|| field(text, "domain"));
        // To Windows, the domain `.` is the machine itself. A user name can contain the domain, as in user@domain.
        let domain = domain.filter(|domain| !domain.is_empty() && *domain != ".");
        let has_domain = kerberos || user.contains(['@', '\\', '/']);
        let domain = domain.or_else(|| has_domain.then_some(""))?;
        let credentials = Sha256::digest(text).into();
        Some(Self { domain: domain.to_lowercase(), user: user.to_lowercase(), credentials })
    }
}

/// What this process knows about one account: on which machines it could log on with it, and which machine refused it.
#[derive(Debug, Default)]
struct Known {
    /// Whether a logon is being tried while no machine has accepted the account yet (a first logon). All other logons
    /// of the account wait for its result.
    trying: bool,
    /// The machines that accepted the account.
    accepted: BTreeSet<String>,
    /// The machine that first refused the account, perhaps because of a wrong password; `None` if no machine has.
    refused: Option<String>,
}

/// The accounts that this process has tried.
static ACCOUNTS: Mutex<BTreeMap<Account, Known>> = Mutex::new(BTreeMap::new());
/// Wakes the logons that wait for a first logon (see [`Known::trying`]) of their account, when such a logon has ended.
static ENDED: Condvar = Condvar::new();

fn accounts() -> MutexGuard<'static, BTreeMap<Account, Known>> {
    ACCOUNTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A logon that may now be tried. The caller must report its result with [`Attempt::ended`]. If it is dropped without a
/// result, nothing is recorded, and the next logon of the account is tried.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    account: Option<&'a Account>,
    host: &'a Host,
    /// Whether the other logons of the account wait for this logon.
    is_first: bool,
}

/// Waits until no first logon of the account is being tried, and returns the permission to log on to `host`. Without an
/// account, does not wait.
///
/// # Errors
/// Returns [`Trouble::NotTried`] if a machine has refused the account, perhaps because of a wrong password, and this
/// machine has not accepted it before.
pub(super) fn begin<'a>(account: Option<&'a Account>, host: &'a Host) -> Result<Attempt<'a>, Trouble> {
    let mut is_first = false;
    if let Some(account) = account {
        let is_trying = |accounts: &mut BTreeMap<Account, Known>| accounts.get(account).is_some_and(|k| k.trying);
        let mut accounts = ENDED.wait_while(accounts(), is_trying).unwrap_or_else(PoisonError::into_inner);
        let known = accounts.entry(account.clone()).or_default();
        match &known.refused {
            Some(by) if !known.accepted.contains(&host.to_string()) => return Err(Trouble::NotTried(by.clone())),
            _ => is_first = known.accepted.is_empty(),
        }
        known.trying = is_first;
    }
    Ok(Attempt { account, host, is_first })
}

impl Attempt<'_> {
    /// Records the result of the logon. `trouble` is the error if the exchange with the machine failed; `None` means
    /// that the machine accepted the account.
    pub(super) fn ended(self, trouble: Option<&Trouble>) {
        let Some(account) = self.account else { return };
        let (mut accounts, host) = (accounts(), self.host.to_string());
        let known = accounts.entry(account.clone()).or_default();
        match trouble {
            None => _ = known.accepted.insert(host),
            Some(Trouble::Logon(text)) if !NO_WRONG_PASSWORD.iter().any(|status| text.contains(status)) => {
                known.refused.get_or_insert(host);
            }
            // This does not tell whether the password is right, so the next logon has to find it out.
            Some(_) => {}
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let Some(account) = self.account.filter(|_| self.is_first) else { return };
        if let Some(known) = accounts().get_mut(account) {
            known.trying = false;
        }
        ENDED.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        net::TcpListener,
        os::unix::fs::PermissionsExt as _,
        panic::{self, AssertUnwindSafe},
        path::Path,
        process::Command,
        thread,
    };

    use super::*;
    use crate::targets::{
        KeyQuery, Target as _, TargetError, ValueSelection,
        drives::Drives,
        smb::{Settings, SmbTarget},
    };

    /// The answer of a machine that refuses the logon, with the status code NT_STATUS_LOGON_FAILURE.
    const REFUSED: &str = r#"{"failed": {"stage": "connect", "code": 3221225581, "text": "no"}}"#;
    /// The answer of a machine that refuses the logon, with the status code NT_STATUS_LOGON_TYPE_NOT_GRANTED.
    const NOT_GRANTED: &str = r#"{"failed": {"stage": "connect", "code": 3221225819, "text": "no"}}"#;
    const ACCEPTED: &str = r#"{"answers": [{"error": {"code": 2, "text": "absent"}}]}"#;

    /// Reads a key of four machines at the same time. The n-th logon gets the n-th answer, or the last one. Returns the
    /// number of logons, then the number of machines that were not tried. Each test needs an account of its own.
    fn logons(account: &str, credentials: &str, kerberos: bool, answers: &[&str]) -> (usize, usize) {
        let folder = tempfile::tempdir().unwrap();
        let (auth, python) = (folder.path().join("auth"), folder.path().join("python"));
        fs::write(&auth, format!("password = x\n{credentials}\n")).unwrap();
        fs::set_permissions(&auth, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(folder.path().join("answers"), answers.join("\n") + "\n").unwrap();
        program(&python, folder.path());
        let listeners = [0; 4].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let not_tried = thread::scope(|scope| {
            let read = |listener: &TcpListener| {
                let host = format!("smb://{account}127.0.0.1:{}", listener.local_addr().unwrap().port());
                let settings =
                    Settings { file: Some(auth.clone()), kerberos, python: python.clone(), ..Settings::default() };
                let mut target = SmbTarget::open(host.parse().unwrap(), Drives::default(), settings).unwrap();
                scope.spawn(move || {
                    let key = r"HKLM\SOFTWARE\T".parse().unwrap();
                    target.read_keys(&[KeyQuery { key, values: ValueSelection::All, subkeys: false }])
                })
            };
            let runs = listeners.each_ref().map(read).map(|run| run.join().unwrap());
            let is_not_tried = |run: &Result<_, TargetError>| {
                matches!(run, Err(TargetError::Remote { trouble: Trouble::NotTried(_), .. }))
            };
            runs.iter().filter(|run| is_not_tried(run)).count()
        });
        (fs::read_dir(folder.path().join("tries")).unwrap().count(), not_tried)
    }

    /// Writes the program that stands in for Python. Another process writes it: if this process had it open, another
    /// thread that starts a program at this moment would keep it open, and it could not be started.
    fn program(python: &Path, folder: &Path) {
        let script = format!(
            "#!/bin/sh\ncd '{}'\nread -r line\nnumber=1\nwhile ! mkdir tries/$number 2>/dev/null; do\n\
            number=$((number + 1))\ndone\nsed -n \"${{number}}p\" answers | grep . || tail -n 1 answers\n",
            folder.display()
        );
        fs::create_dir(folder.join("tries")).unwrap();
        let write = r#"printf %s "$1" > "$0" && chmod 755 "$0""#;
        let ended = Command::new("/bin/sh").args(["-c", write]).arg(python).arg(script).status().unwrap();
        assert!(ended.success());
    }

    #[test]
    fn a_refused_account_of_a_domain_is_tried_once() {
        assert_eq!(logons("CORP;one@", "", false, &[REFUSED]), (1, 3));
        assert_eq!(logons("two@", "Domain = corp", false, &[REFUSED]), (1, 3));
        assert_eq!(logons("", "username = three@corp.example", false, &[REFUSED]), (1, 3));
        // The same accounts with another password.
        assert_eq!(logons("CORP;one@", "password = y", false, &[REFUSED]), (1, 3));
        assert_eq!(logons("corp;ONE@", "password = y", false, &[REFUSED]), (0, 4));
    }

    #[test]
    fn a_password_that_gets_no_ticket_is_tried_once() {
        assert_eq!(logons("CORP;ten@", "", true, &[REFUSED]), (1, 3));
        assert_eq!(logons("eleven@", "", true, &[REFUSED]), (1, 3));
        // Samba's status code if the KDC does not know the machine, or there is no ticket.
        let unknown = r#"{"failed": {"stage": "connect", "code": 3221225485, "text": "no"}}"#;
        assert_eq!(logons("CORP;twelve@", "", true, &[unknown]), (4, 0));
    }

    #[test]
    fn an_account_of_each_machine_is_tried_on_each() {
        assert_eq!(logons("four@", "domain =", false, &[REFUSED]), (4, 0));
        assert_eq!(logons(".;four@", "domain = corp", false, &[REFUSED]), (4, 0));
        assert_eq!(logons("", "username = four", false, &[REFUSED]), (4, 0));
    }

    #[test]
    fn what_tells_nothing_about_the_password_stops_no_logon() {
        assert_eq!(logons("CORP;five@", "", false, &[ACCEPTED]), (4, 0));
        assert_eq!(logons("CORP;six@", "", false, &[NOT_GRANTED]), (4, 0));
        // The output of the program is no answer.
        assert_eq!(logons("CORP;seven@", "", false, &["broken"]), (4, 0));
        assert_eq!(logons("CORP;eight@", "", false, &["broken", REFUSED]), (2, 2));
    }

    #[test]
    fn a_panic_leaves_no_logon_waiting_and_an_accepted_account_stays_accepted() {
        let hosts = ["smb://CORP;nine@a", "smb://CORP;nine@b", "smb://CORP;nine@c"].map(|uri| uri.parse().unwrap());
        let account = Account::of(&hosts[0], "password = x", false);
        let begin = |at: usize| begin(account.as_ref(), &hosts[at]);
        let panicked = panic::catch_unwind(AssertUnwindSafe(|| {
            let _attempt = begin(0).unwrap();
            panic::resume_unwind(Box::new(()));
        }));
        assert!(panicked.is_err());
        begin(0).unwrap().ended(None);
        let (b, c) = (begin(1).unwrap(), begin(2).unwrap());
        b.ended(Some(&Trouble::Logon("no".to_owned())));
        c.ended(Some(&Trouble::Logon("no".to_owned())));
        // An apply on this machine can go on.
        begin(0).unwrap().ended(None);
        let by = "smb://CORP;nine@b".to_owned();
        assert_eq!(
            [begin(1).unwrap_err(), begin(2).unwrap_err()],
            [Trouble::NotTried(by.clone()), Trouble::NotTried(by)]
        );
    }
}
