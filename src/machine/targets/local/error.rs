//! Interprets Windows' error codes for registry keys and event logs.
//!
//! Source: Microsoft, "System Error Codes".

use std::io;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_BADDB, ERROR_BADKEY, ERROR_FILE_NOT_FOUND, ERROR_FILENAME_EXCED_RANGE,
    ERROR_KEY_DELETED, ERROR_NOT_REGISTRY_FILE, ERROR_PATH_NOT_FOUND, ERROR_PRIVILEGE_NOT_HELD, ERROR_REGISTRY_CORRUPT,
    ERROR_REGISTRY_IO_FAILED,
};

use crate::targets::{Answer, Reason, WriteError};

/// A Windows error code, such as 5 for ERROR_ACCESS_DENIED.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(pub(super) u32);

impl Code {
    /// Converts a result of the crate windows-registry, which stores an error code as HRESULT_FROM_WIN32, to one with a
    /// [`Code`].
    pub(super) fn of<T>(result: windows_registry::Result<T>) -> Result<T, Self> {
        result.map_err(|error| Self(error.code().0.cast_unsigned() & 0xFFFF))
    }

    /// Returns whether the code means that the key or value does not exist, or was deleted after it was opened.
    pub(super) fn is_absent(self) -> bool {
        matches!(self.0, ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND | ERROR_KEY_DELETED)
    }

    /// Returns whether the code means that the account lacks a right or privilege.
    pub(super) fn is_denied(self) -> bool {
        matches!(self.0, ERROR_ACCESS_DENIED | ERROR_PRIVILEGE_NOT_HELD)
    }

    /// Returns Windows' message for the code.
    pub(super) fn message(self) -> String {
        io::Error::from(self).to_string()
    }

    /// Converts the code into the answer about a key or value: absent if it does not exist, otherwise the reason why it
    /// could not be read.
    pub(super) fn answer<T>(self) -> Answer<T> {
        let reason = match self.0 {
            _ if self.is_absent() => return Answer::Absent,
            _ if self.is_denied() => Reason::Denied,
            ERROR_BADDB
            | ERROR_BADKEY
            | ERROR_REGISTRY_CORRUPT
            | ERROR_REGISTRY_IO_FAILED
            | ERROR_NOT_REGISTRY_FILE => Reason::Malformed,
            ERROR_FILENAME_EXCED_RANGE => Reason::Unsupported,
            // Any other error proves neither that the item exists nor that it does not.
            _ => Reason::Unknown,
        };
        Answer::unread(reason, self.message())
    }

    /// Converts the code into the error of a change. `place` is the key or value in the message.
    pub(super) fn write_error(self, place: String) -> WriteError {
        if self.is_denied() { WriteError::Denied { place } } else { WriteError::Io { place, source: self.into() } }
    }
}

impl From<Code> for io::Error {
    fn from(code: Code) -> Self {
        Self::from_raw_os_error(code.0.cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use crate::targets::local::error::*;

    #[test]
    fn only_absent_is_a_state() {
        assert_eq!(Code(2).answer::<()>(), Answer::Absent);
        assert_eq!(Code(1018).answer::<()>(), Answer::Absent);
        let reason = |code| match Code(code).answer::<()>() {
            Answer::Unread(why) => why.reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(5), Reason::Denied);
        assert_eq!(reason(1314), Reason::Denied);
        assert_eq!(reason(1015), Reason::Malformed);
        assert_eq!(reason(8), Reason::Unknown);
    }
}
