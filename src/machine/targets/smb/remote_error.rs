//! The reasons why another machine cannot be asked, grouped by what the user can do about them.

/// The reason why nothing could be read from another machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// A program that kbfix needs is not installed.
    #[error("{program} is not available: {detail}")]
    Program {
        /// The name of the program.
        program: String,
        /// The error message of the system.
        detail: String,
    },
    /// An environment variable is invalid, no credentials are given, or they cannot be used.
    #[error("{0}")]
    Settings(String),
    /// The machine is unknown, or nothing listens on its port, or it cannot be connected to.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// The two machines support no common version of the SMB protocol.
    #[error("it ended the connection before the logon: {0}")]
    Protocol(String),
    /// The connection broke during a read or a write.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The machine refused the logon of the account.
    #[error("it does not let the account log on: {0}")]
    Logon(String),
    /// The account is logged on, but may not access the registry or the share.
    #[error("it denies the account access: {0}")]
    Denied(String),
    /// The Remote Registry service is not running.
    #[error("its Remote Registry service does not answer: {0}")]
    Service(String),
    /// The machine did not answer within this number of seconds.
    #[error("it did not answer within {0} s")]
    Silent(u64),
    /// Another error.
    #[error("{0}")]
    Failed(String),
}

impl Trouble {
    /// Returns what the user can do about the problem.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Program { .. } => {
                "install Samba's Python bindings and smbclient (Debian: python3-samba smbclient); set \
                    KBFIX_SMB_PYTHON to use another Python"
            }
            Self::Settings(_) => {
                "give the path of a credentials file in KBFIX_SMB_AUTH_FILE (lines username=…, password=…, mode 600), or set \
                 KBFIX_SMB_KERBEROS=1"
            }
            Self::Unreachable(_) => {
                "check that the name is right, the machine is on, and its SMB port can be reached from here"
            }
            Self::Broken(_) => "check the machine and the network, and try again",
            Self::Protocol(_) => {
                "if this is a Windows Server 2003, which only supports SMB 1, and the network is trusted, add ?smb1 to the target"
            }
            Self::Logon(_) => {
                "check account, password and domain; kbfix tried only once, so that the account is not locked out"
            }
            Self::Denied(_) => {
                "use an account that is an administrator on that machine; for a machine that cannot sign messages, \
                    such as some Windows Server 2003, add ?smb1&unsigned to the target"
            }
            Self::Service(_) => "start the service RemoteRegistry on that machine",
            Self::Silent(_) => "check whether the machine is overloaded; to wait longer, set KBFIX_SMB_LIMIT=SECONDS",
            Self::Failed(_) => "check what `smbclient -A FILE //HOST/C$` prints",
        }
    }
}
