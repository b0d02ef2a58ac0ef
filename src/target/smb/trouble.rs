//! Why another machine gives no answer, as what to do about it differs.

/// Why another machine, as a whole, could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// A program that kbfix needs for it is not installed.
    #[error("{program} is not there: {detail}")]
    Program {
        /// The program.
        program: String,
        /// What the system said.
        detail: String,
    },
    /// A variable of the environment has no meaning; or no credentials are named, or they cannot be used.
    #[error("{0}")]
    Settings(String),
    /// There is no such machine, or nothing listens there, or it ended the connection.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// The two speak no protocol that both know.
    #[error("it ended the connection before anybody logged on: {0}")]
    Protocol(String),
    /// The connection ended while something was asked or changed.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// It did not let the account in.
    #[error("it does not let the account log on: {0}")]
    Logon(String),
    /// The account is in, but may not use the registry or the share.
    #[error("it denies the account access: {0}")]
    Denied(String),
    /// Its service for the remote registry does not run.
    #[error("its service Remote Registry gives no answer: {0}")]
    Service(String),
    /// It was silent for too long.
    #[error("it gave no answer within {0} s")]
    Silent(u64),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// A status: its number, its name, and what it means for whoever asks.
type Status = (u32, &'static str, fn(String) -> Trouble);

/// The codes that mean something of their own here; Samba's Python bindings give the number, smbclient the name.
///
/// Source: Microsoft, [MS-ERREF] 2.3.1 "NTSTATUS Values".
const STATUS: &[Status] = &[
    (0xC000_0022, "NT_STATUS_ACCESS_DENIED", Trouble::Denied),
    (0xC000_0034, "NT_STATUS_OBJECT_NAME_NOT_FOUND", Trouble::Service),
    (0xC000_005E, "NT_STATUS_NO_LOGON_SERVERS", Trouble::Logon),
    (0xC000_0064, "NT_STATUS_NO_SUCH_USER", Trouble::Logon),
    (0xC000_006A, "NT_STATUS_WRONG_PASSWORD", Trouble::Logon),
    (0xC000_006D, "NT_STATUS_LOGON_FAILURE", Trouble::Logon),
    (0xC000_006E, "NT_STATUS_ACCOUNT_RESTRICTION", Trouble::Logon),
    (0xC000_006F, "NT_STATUS_INVALID_LOGON_HOURS", Trouble::Logon),
    (0xC000_0070, "NT_STATUS_INVALID_WORKSTATION", Trouble::Logon),
    (0xC000_0071, "NT_STATUS_PASSWORD_EXPIRED", Trouble::Logon),
    (0xC000_0072, "NT_STATUS_ACCOUNT_DISABLED", Trouble::Logon),
    (0xC000_00AC, "NT_STATUS_PIPE_NOT_AVAILABLE", Trouble::Service),
    (0xC000_00B5, "NT_STATUS_IO_TIMEOUT", Trouble::Unreachable),
    (0xC000_015B, "NT_STATUS_LOGON_TYPE_NOT_GRANTED", Trouble::Logon),
    (0xC000_0193, "NT_STATUS_ACCOUNT_EXPIRED", Trouble::Logon),
    (0xC000_020C, "NT_STATUS_CONNECTION_DISCONNECTED", Trouble::Protocol),
    (0xC000_020D, "NT_STATUS_CONNECTION_RESET", Trouble::Protocol),
    (0xC000_0224, "NT_STATUS_PASSWORD_MUST_CHANGE", Trouble::Logon),
    (0xC000_0234, "NT_STATUS_ACCOUNT_LOCKED_OUT", Trouble::Logon),
    (0xC000_0236, "NT_STATUS_CONNECTION_REFUSED", Trouble::Unreachable),
    (0xC000_023C, "NT_STATUS_NETWORK_UNREACHABLE", Trouble::Unreachable),
    (0xC000_023D, "NT_STATUS_HOST_UNREACHABLE", Trouble::Unreachable),
    (0xC000_00BB, "NT_STATUS_NOT_SUPPORTED", Trouble::Protocol),
    (0xC000_00C3, "NT_STATUS_INVALID_NETWORK_RESPONSE", Trouble::Protocol),
];

impl Trouble {
    /// From a status while the connection was made; `text` is Samba's sentence for it.
    pub(super) fn of_status(code: u32, text: &str) -> Self {
        match STATUS.iter().find(|(known, ..)| *known == code) {
            Some((_, name, trouble)) => trouble(format!("{text} ({name})")),
            None => Self::Failed(format!("{text} (status 0x{code:08x})")),
        }
    }

    /// From what a program printed.
    pub(super) fn of_text(text: &str) -> Self {
        let line = || text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no word of why").to_owned();
        match STATUS.iter().find(|(_, name, _)| text.contains(name)) {
            Some((.., trouble)) => trouble(line()),
            None => Self::Failed(line()),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Program { .. } => {
                "install Samba's Python bindings and smbclient (Debian: python3-samba smbclient); KBFIX_SMB_PYTHON \
                 names another Python"
            }
            Self::Settings(_) => {
                "name a file of credentials in KBFIX_SMB_AUTH_FILE (lines username=…, password=…, mode 600), or set \
                 KBFIX_SMB_KERBEROS=1"
            }
            Self::Unreachable(_) => {
                "see that the name is right, the machine is on, and its SMB port is open to this one"
            }
            Self::Broken(_) => "see whether the machine and the network between are well, and try again",
            Self::Protocol(_) => {
                "a Windows Server 2003 knows SMB 1 only: add ?smb1 to the target if the network between is trusted"
            }
            Self::Logon(_) => "see account, password and domain; kbfix tries once, so that no account is locked out",
            Self::Denied(_) => "use an account that is an administrator there",
            Self::Service(_) => "start the service RemoteRegistry there",
            Self::Silent(_) => "see whether it is overloaded; KBFIX_SMB_LIMIT=SECONDS waits longer",
            Self::Failed(_) => "see what `smbclient -A FILE //HOST/C$` says",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_troubles_are_different_answers() {
        let logon = Trouble::of_status(0xC000_006D, "The attempted logon is invalid.");
        assert!(logon.to_string().contains("NT_STATUS_LOGON_FAILURE"), "{logon}");
        assert!(matches!(Trouble::of_status(0xC000_0022, "x"), Trouble::Denied(_)));
        assert!(matches!(Trouble::of_status(1, "x"), Trouble::Failed(_)));
        let text = "session setup failed: NT_STATUS_LOGON_FAILURE\n";
        assert_eq!(Trouble::of_text(text), Trouble::Logon("session setup failed: NT_STATUS_LOGON_FAILURE".to_owned()));
        assert!(matches!(Trouble::of_text(""), Trouble::Failed(_)));
    }
}
