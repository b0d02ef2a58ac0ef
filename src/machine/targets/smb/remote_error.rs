//! The reasons why a remote machine cannot be read or changed at all, grouped by what the user can do about them.

/// The reason why a remote machine cannot be read or changed at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// A program or module that kbfix needs for remote machines is not installed, or cannot be started.
    #[error("{program} is not available: {detail}")]
    Program {
        /// The name of the program or module.
        program: String,
        /// The system's error message.
        detail: String,
    },
    /// An environment variable is not valid, there are no credentials, or the credentials cannot be used.
    #[error("{0}")]
    Settings(String),
    /// The host name is unknown, no program listens on the port, or the connection fails for another reason.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// The machine ended the connection before the logon, perhaps because the two machines support no common version of
    /// the SMB protocol.
    #[error("the machine ended the connection before the logon: {0}")]
    Protocol(String),
    /// The connection broke during a read or a write.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The logon of the account failed: the machine refused it, or there is no Kerberos ticket.
    #[error("the logon to the machine failed: {0}")]
    Logon(String),
    /// kbfix did not try to log on, because the machine with this URI refused the logon of the same domain account.
    #[error("kbfix did not try to log on, because {0} refused the logon of this account")]
    NotTried(String),
    /// The account could log on, but may not access the registry or the share.
    #[error("the machine denies the account access: {0}")]
    Denied(String),
    /// The service Remote Registry is not running on the remote machine.
    #[error("the Remote Registry service of the machine does not answer: {0}")]
    Service(String),
    /// The machine did not answer within this number of seconds.
    #[error("the machine did not answer within {0} seconds")]
    Silent(u64),
    /// An error of this system, and not of the remote machine.
    #[error("{0}")]
    Local(String),
    /// Any other error.
    #[error("{0}")]
    Failed(String),
}

impl Trouble {
    /// Returns a hint: what the user can do about the problem.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Program { .. } => {
                "install Samba's Python bindings and smbclient (Debian: python3-samba smbclient); set \
                    KBFIX_SMB_PYTHON to use another Python"
            }
            Self::Settings(_) => {
                "correct what the message names; kbfix needs the path of a credentials file in KBFIX_SMB_AUTH_FILE \
                 (lines username=…, password=…, mode 600), or KBFIX_SMB_KERBEROS=1"
            }
            Self::Unreachable(_) => {
                "check that the name is right, the machine is on, and its SMB port can be reached from here"
            }
            Self::Broken(_) => "check the machine and the network, and try again",
            Self::Protocol(_) => {
                "if this is a Windows Server 2003, which only supports SMB 1, and the network is trusted, add ?smb1 to the target"
            }
            Self::Logon(_) | Self::NotTried(_) => {
                "check account, password and domain (with Kerberos, also the ticket: run kinit) before the next try, so that the account is not locked out"
            }
            Self::Denied(_) => {
                "use an account that is an administrator on that machine; for a machine that cannot sign messages, \
                    such as some Windows Server 2003, add ?smb1&unsigned to the target"
            }
            Self::Service(_) => "start the service RemoteRegistry on that machine",
            Self::Silent(_) => "check whether the machine is overloaded; to wait longer, set KBFIX_SMB_LIMIT=SECONDS",
            Self::Local(_) => "check the folder for temporary files (TMPDIR) and the free memory of this system",
            Self::Failed(_) => {
                "run `smbclient -A FILE //HOST/C$` (with Kerberos: `--use-kerberos=required` instead of `-A FILE`) with \
                    your credentials file and the name of the machine: its error message says more"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Trouble;

    #[test]
    fn the_hint_about_an_error_of_this_system_does_not_name_the_remote_machine() {
        assert!(!Trouble::Local("x".to_owned()).hint().contains("HOST"));
        assert!(Trouble::Failed("x".to_owned()).hint().contains("//HOST/C$"));
    }
}
