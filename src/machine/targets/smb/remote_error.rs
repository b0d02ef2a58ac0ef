//! The reasons why a remote machine cannot be read or changed at all, grouped by what the user can do about them.

/// Begins the message of a refused logon by Kerberos whose status code does not tell why. For a wrong password, Samba
/// returns NT_STATUS_LOGON_FAILURE also with Kerberos (`gensec_gssapi_client_creds`, `krb5_to_nt_status`).
pub(super) const BY_KERBEROS: &str = "by Kerberos: ";

/// The reason why a remote machine cannot be read or changed at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// A program or module that kbfix needs for remote machines is not installed, or cannot be started.
    #[error("{program} is not available: {detail}")]
    Program {
        /// The name of the program or module that is not available.
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
    /// The connection failed before the logon, for example because the machine ended it. Perhaps the two machines
    /// support no common version of the SMB protocol.
    #[error("the machine ended the connection before the logon: {0}")]
    Protocol(String),
    /// The connection broke during a read or a write. The string is the error message.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The logon of the account failed, for example because the machine refused it or there is no Kerberos ticket.
    #[error("the logon to the machine failed: {0}")]
    Logon(String),
    /// kbfix did not try to log on, because the machine with this URI refused the logon of the same domain account.
    #[error("kbfix did not try to log on, because {0} refused the logon of this account")]
    NotTried(String),
    /// The machine denied access, for example because the account may log on, but may not access the registry.
    #[error("the machine denies the account access: {0}")]
    Denied(String),
    /// The service Remote Registry of the remote machine does not answer, probably because it is not running.
    #[error("the Remote Registry service of the machine does not answer: {0}")]
    Service(String),
    /// The machine did not answer within this number of seconds.
    #[error("the machine did not answer within {0} seconds")]
    Silent(u64),
    /// An error on the machine that runs kbfix, and not on the remote one. The string is the error message.
    #[error("{0}")]
    Local(String),
    /// An error that kbfix assigns to none of the other variants. The string is the error message.
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
            Self::Logon(text) if text.contains("NT_STATUS_NO_LOGON_SERVERS") => {
                "no domain controller was found: with Kerberos, name the realm in full and as the domain spells it \
                 (username = user@CORP.EXAMPLE or domain = CORP.EXAMPLE in the credentials file), and check that DNS \
                 or krb5.conf names its domain controllers; without Kerberos, check that the machine reaches one"
            }
            Self::Logon(text)
                if ["NT_STATUS_PASSWORD_EXPIRED", "NT_STATUS_PASSWORD_MUST_CHANGE"]
                    .iter()
                    .any(|s| text.contains(s)) =>
            {
                "the password has expired: change it, and write the new one into the credentials file"
            }
            Self::Logon(text) if text.starts_with(BY_KERBEROS) => {
                "check that the realm is complete and spelled as in the domain (such as CORP.EXAMPLE), that DNS knows \
                 the machine by this name, that the clock here differs from that of the domain by at most 5 minutes, \
                 and that the password has not expired; without a credentials file, run kinit"
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
    use super::{BY_KERBEROS, Trouble};

    #[test]
    fn the_hint_about_a_refused_logon_names_what_the_status_leaves_to_check() {
        let hint = |text: &str| Trouble::Logon(text.to_owned()).hint();
        let of_realm = hint("no (NT_STATUS_NO_LOGON_SERVERS)");
        assert!(of_realm.contains("user@CORP.EXAMPLE") && of_realm.contains("DNS"), "{of_realm}");
        for status in ["NT_STATUS_PASSWORD_EXPIRED", "NT_STATUS_PASSWORD_MUST_CHANGE"] {
            assert!(hint(status).contains("change it"), "{status}");
        }
        let by_kerberos = hint(&format!("{BY_KERBEROS}no (status 0xc0000001)"));
        assert!(["realm", "DNS", "clock", "expired", "kinit"].iter().all(|what| by_kerberos.contains(what)));
        assert!(hint("no (NT_STATUS_LOGON_FAILURE)").contains("check account, password and domain"));
    }

    #[test]
    fn the_hint_about_an_error_of_this_system_does_not_name_the_remote_machine() {
        assert!(!Trouble::Local("x".to_owned()).hint().contains("HOST"));
        assert!(Trouble::Failed("x".to_owned()).hint().contains("//HOST/C$"));
    }
}
