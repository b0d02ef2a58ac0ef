//! Folders that only administrators may write: that of the journals and the lock.
//!
//! Every user may create folders below `C:\ProgramData`. So that nobody plants a journal for an administrator's rollback to
//! carry out, the folder is made with permissions of its own in one step, and one that is already there is trusted only if
//! nobody but administrators and the system owns it or may write it.
#![allow(unsafe_code)]

use std::{
    ffi::c_void,
    fs::{File, OpenOptions},
    io,
    os::windows::{fs::MetadataExt, fs::OpenOptionsExt, io::AsRawHandle},
    path::{Path, PathBuf},
    ptr::null_mut,
};

use windows_sys::Win32::{
    Foundation::{
        CloseHandle, ERROR_ACCESS_DENIED, ERROR_ALREADY_EXISTS, ERROR_INVALID_OWNER, ERROR_PRIVILEGE_NOT_HELD, HANDLE,
        LocalFree,
    },
    Security::{
        Authorization::{
            ConvertSecurityDescriptorToStringSecurityDescriptorW, ConvertSidToStringSidW,
            ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo, SDDL_REVISION_1, SE_FILE_OBJECT,
        },
        CheckTokenMembership, CreateWellKnownSid, DACL_SECURITY_INFORMATION, GetTokenInformation,
        OWNER_SECURITY_INFORMATION, SECURITY_ATTRIBUTES, SECURITY_MAX_SID_SIZE, TOKEN_QUERY, TOKEN_USER, TokenUser,
        WinBuiltinAdministratorsSid,
    },
    Storage::FileSystem::{
        CreateDirectoryW, FILE_ATTRIBUTE_REPARSE_POINT, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT,
        FILE_READ_ATTRIBUTES, READ_CONTROL,
    },
    System::Threading::{GetCurrentProcess, OpenProcessToken},
};

use super::sddl;
use crate::files::long_path::wide;

/// Owner and group: administrators. Not inherited; full rights for the system and administrators, for all below too.
const ADMINISTRATORS_ONLY: &str = "O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

/// Why a folder is not one that only administrators may write.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Only an administrator can create or look into it.
    #[error("{path}: access denied; run kbfix as administrator")]
    Denied {
        /// The folder.
        path: PathBuf,
    },
    /// It is a file, or a link to somewhere else.
    #[error("{path} is not a folder, or is a link to one; remove it")]
    NotAFolder {
        /// The folder.
        path: PathBuf,
    },
    /// Somebody else may write it.
    #[error(
        "{path} is not trusted: {fault}; only administrators may own or write it: remove it, or correct its permissions"
    )]
    Untrusted {
        /// The folder.
        path: PathBuf,
        /// Who may write it, in SDDL's words.
        fault: String,
    },
    /// Anything else that failed.
    #[error("{path}: {source}")]
    Io {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Creates the folder `path`, whose parent must be there, so that only administrators and the system may read or write it.
/// One that is there is checked, and not changed: nobody else may own it or write it. The user who runs kbfix may, if an
/// administrator.
///
/// # Errors
/// [`FolderError`]; then nothing in the folder may be trusted.
pub fn create_admin_only_dir(path: &Path) -> Result<(), FolderError> {
    match create(path, ADMINISTRATORS_ONLY) {
        Err(error) if error.raw_os_error() == Some(ERROR_ALREADY_EXISTS.cast_signed()) => {
            check_admin_only_dir(path).map(drop)
        }
        result => result.map_err(failed(path)),
    }
}

/// Creates the folder `path`, whose parent must be there, for this user, administrators and the system only.
///
/// # Errors
/// The system's.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    create(path, &format!("D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;{})", own_sid()?))
}

/// Who else than this user, administrators and the system may write the folder `path`, which may be reached by a link; `None` where
/// nobody may.
///
/// # Errors
/// The system's.
pub fn folder_fault(path: &Path) -> io::Result<Option<String>> {
    let folder = OpenOptions::new()
        .access_mode(READ_CONTROL | FILE_READ_ATTRIBUTES)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(path)?;
    file_fault(&folder)
}

/// The same of an open file.
///
/// # Errors
/// The system's.
pub fn file_fault(file: &File) -> io::Result<Option<String>> {
    Ok(sddl::fault(&security_of(file)?, &[own_sid()?]))
}

fn failed(path: &Path) -> impl Fn(io::Error) -> FolderError + '_ {
    move |source| match source.raw_os_error().map(i32::cast_unsigned) {
        // Only an administrator may make administrators the owner.
        Some(ERROR_ACCESS_DENIED | ERROR_INVALID_OWNER | ERROR_PRIVILEGE_NOT_HELD) => {
            FolderError::Denied { path: path.to_owned() }
        }
        _ => FolderError::Io { path: path.to_owned(), source },
    }
}

/// Checks the folder `path` as [`create_admin_only_dir`] checks one that is there. Returns whether it is there.
///
/// # Errors
/// [`FolderError`]; then nothing in the folder may be trusted.
pub fn check_admin_only_dir(path: &Path) -> Result<bool, FolderError> {
    let failed = failed(path);
    // The link itself, not what it leads to; all questions go to one handle, so that nothing is exchanged in between.
    let folder = OpenOptions::new()
        .access_mode(READ_CONTROL | FILE_READ_ATTRIBUTES)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path);
    let folder = match folder {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened.map_err(&failed)?,
    };
    let attributes = folder.metadata().map_err(&failed)?;
    if !attributes.is_dir() || attributes.file_attributes() & FILE_ATTRIBUTE_REPARSE_POINT != 0 {
        return Err(FolderError::NotAFolder { path: path.to_owned() });
    }
    let sddl = security_of(&folder).map_err(&failed)?;
    let own = if is_administrator().map_err(&failed)? { vec![own_sid().map_err(&failed)?] } else { Vec::new() };
    match sddl::fault(&sddl, &own) {
        None => Ok(true),
        Some(fault) => Err(FolderError::Untrusted { path: path.to_owned(), fault }),
    }
}

/// Memory that the system allocated with LocalAlloc; freed when dropped.
struct Local(*mut c_void);

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a call that says to free it so; it is null or freed only here.
        unsafe { LocalFree(self.0) };
    }
}

fn check(succeeded: i32) -> io::Result<()> {
    if succeeded == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn create(path: &Path, sddl: &str) -> io::Result<()> {
    let sddl: Vec<u16> = sddl.encode_utf16().chain([0]).collect();
    let mut descriptor = null_mut();
    // SAFETY: `sddl` ends with a NUL; the result goes to a live variable.
    check(unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            sddl.as_ptr(),
            SDDL_REVISION_1,
            &mut descriptor,
            null_mut(),
        )
    })?;
    let descriptor = Local(descriptor);
    let attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: descriptor.0,
        bInheritHandle: 0,
    };
    let path = wide(path)?;
    // SAFETY: `path` ends with a NUL; `attributes` and the descriptor in it live until after the call.
    check(unsafe { CreateDirectoryW(path.as_ptr(), &attributes) })
}

/// Owner and DACL of an open folder, as text.
fn security_of(folder: &File) -> io::Result<String> {
    let what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    let mut descriptor = null_mut();
    // SAFETY: the handle is open as long as `folder` lives; the parts are not asked for, the whole goes to a live variable.
    let code = unsafe {
        GetSecurityInfo(
            folder.as_raw_handle(),
            SE_FILE_OBJECT,
            what,
            null_mut(),
            null_mut(),
            null_mut(),
            null_mut(),
            &mut descriptor,
        )
    };
    if code != 0 {
        return Err(io::Error::from_raw_os_error(code.cast_signed()));
    }
    let descriptor = Local(descriptor);
    let mut text = null_mut();
    // SAFETY: the descriptor is valid until dropped; the result goes to a live variable.
    check(unsafe {
        ConvertSecurityDescriptorToStringSecurityDescriptorW(descriptor.0, SDDL_REVISION_1, what, &mut text, null_mut())
    })?;
    Ok(take_text(text))
}

/// Copies a text that the system allocated and ended with a NUL, and frees it.
fn take_text(text: *mut u16) -> String {
    let owned = Local(text.cast());
    let mut units = Vec::new();
    let mut at = text;
    // SAFETY: the text is NUL-terminated and lives until `owned` is dropped; `at` does not go beyond the NUL.
    unsafe {
        while *at != 0 {
            units.push(*at);
            at = at.add(1);
        }
    }
    drop(owned);
    String::from_utf16_lossy(&units)
}

/// Whether this process has an administrator's rights now (under UAC: elevated).
fn is_administrator() -> io::Result<bool> {
    // Aligned as a SID, which begins with bytes and holds u32.
    let mut sid = [0_u32; (SECURITY_MAX_SID_SIZE as usize).div_ceil(4)];
    let mut size = size_of_val(&sid) as u32;
    let mut member = 0;
    // SAFETY: `size` says how much `sid` holds.
    check(unsafe { CreateWellKnownSid(WinBuiltinAdministratorsSid, null_mut(), sid.as_mut_ptr().cast(), &mut size) })?;
    // SAFETY: no token means this thread's; `sid` was just filled; the result goes to a live variable.
    check(unsafe { CheckTokenMembership(null_mut(), sid.as_mut_ptr().cast(), &mut member) })?;
    Ok(member != 0)
}

/// The SID of the user whose process this is, as text.
fn own_sid() -> io::Result<String> {
    struct Token(HANDLE);
    impl Drop for Token {
        fn drop(&mut self) {
            // SAFETY: the handle was opened by OpenProcessToken and is closed only here.
            unsafe { CloseHandle(self.0) };
        }
    }
    let mut token = Token(null_mut());
    // SAFETY: the pseudo handle of this process is always valid; the result goes to a live variable.
    check(unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &mut token.0) })?;
    // A TOKEN_USER and its SID, aligned for the pointer in it.
    let mut user = [0_u64; 32];
    let mut size = 0;
    let room = size_of_val(&user) as u32;
    // SAFETY: `room` says how much `user` holds.
    check(unsafe { GetTokenInformation(token.0, TokenUser, user.as_mut_ptr().cast(), room, &mut size) })?;
    let mut text = null_mut();
    // SAFETY: the call filled `user` with a TOKEN_USER, whose SID points into `user`; the result goes to a live variable.
    check(unsafe { ConvertSidToStringSidW((*user.as_ptr().cast::<TOKEN_USER>()).User.Sid, &mut text) })?;
    Ok(take_text(text))
}
