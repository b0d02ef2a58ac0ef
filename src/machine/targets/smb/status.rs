//! Interprets Samba's status codes for errors that occur while a connection is established.
//!
//! Samba's Python bindings return them as numbers, and smbclient prints them as names.

use super::Trouble;

/// A status code: its number, its name, and a function that makes the error for it from Samba's message.
type Status = (u32, &'static str, fn(String) -> Trouble);

/// The status codes for which kbfix has a specific error.
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
    /// Returns the error for a status code that Samba returned while the connection was established. `text` is Samba's
    /// message. For a code that is not in [`STATUS`], the error is [`Trouble::Failed`].
    pub(super) fn of_status(code: u32, text: &str) -> Self {
        match STATUS.iter().find(|(known, ..)| *known == code) {
            Some((_, name, trouble)) => trouble(format!("{text} ({name})")),
            None => Self::Failed(format!("{text} (status 0x{code:08x})")),
        }
    }

    /// Returns the error for a Samba program that failed with the output `text`. If the output contains a name from
    /// [`STATUS`], this determines the error, otherwise the error is [`Trouble::Failed`]. The last line of the output
    /// that is not empty is the message.
    pub(super) fn of_text(text: &str) -> Self {
        let line =
            || text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("Samba gave no reason").to_owned();
        match STATUS.iter().find(|(_, name, _)| text.contains(name)) {
            Some((.., trouble)) => trouble(line()),
            None => Self::Failed(line()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::targets::smb::status::*;

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
