//! Creates and checks folders to which only administrators can write: the folder of the journals and the folder of the
//! lock.
//!
//! Every user can create folders below `C:\ProgramData`. If kbfix trusted such a folder, a user could put a journal
//! into it, and a rollback by an administrator would make the changes in this journal. Therefore a new folder gets its
//! permissions in the same step in which it is created. An existing folder is trusted only if administrators or the
//! system own it, and nobody else can write to it.
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

/// The security descriptor of a folder to which only administrators can write, in SDDL.
///
/// Administrators are owner and group. Nothing is inherited from the parent folder. The system and administrators have
/// full rights, also on everything below the folder.
const ADMINISTRATORS_ONLY: &str = "O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

/// The reason why kbfix could not create or check a folder, or does not trust it.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Windows denied access to the folder, or denied its creation.
    #[error("access to the folder {path} was denied; run kbfix as administrator")]
    Denied {
        /// The path of the folder.
        path: PathBuf,
    },
    /// The path leads to a file or a link, not to a folder.
    #[error("{path} is not a folder, or is a link to one; remove it")]
    NotAFolder {
        /// The path that was given for the folder.
        path: PathBuf,
    },
    /// The owner or the access list of the folder does not show that only administrators and the system can write to
    /// it.
    #[error(
        "{path} is not trusted: {fault}. Only administrators may own it and be able to write to it; remove it, or correct its permissions"
    )]
    Untrusted {
        /// The path of the folder.
        path: PathBuf,
        /// The reason why the folder is not trusted, as a sentence.
        fault: String,
    },
    /// Windows reported another error.
    #[error("{path}: {source}")]
    Io {
        /// The path of the folder.
        path: PathBuf,
        /// The error that Windows reported.
        source: io::Error,
    },
}

/// Creates the folder `path` so that only administrators and the system can read it or write to it. Its parent folder
/// must exist.
///
/// An existing folder is checked, but not changed. Nobody may own it or be able to write to it except administrators,
/// the system and, if this process has administrator rights, the user who runs kbfix.
///
/// # Errors
/// Returns [`FolderError`] if the folder cannot be created, or if the check fails. Nothing in the folder may be trusted
/// then.
pub fn create_admin_only_dir(path: &Path) -> Result<(), FolderError> {
    match create(path, ADMINISTRATORS_ONLY) {
        Err(error) if error.raw_os_error() == Some(ERROR_ALREADY_EXISTS.cast_signed()) => {
            check_admin_only_dir(path).map(drop)
        }
        result => result.map_err(failed(path)),
    }
}

/// Creates the folder `path` so that only this user, administrators and the system can use it. Its parent folder must
/// exist.
///
/// # Errors
/// Returns Windows' error, also if the folder exists already.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    create(path, &format!("D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;{})", own_sid()?))
}

/// Returns the reason, as a sentence, why an account other than this user, administrators and the system may be able to
/// write to the folder `path`; `None` if there is no reason. The path may contain links.
///
/// # Errors
/// Returns Windows' error.
pub fn folder_fault(path: &Path) -> io::Result<Option<String>> {
    let folder = OpenOptions::new()
        .access_mode(READ_CONTROL | FILE_READ_ATTRIBUTES)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(path)?;
    file_fault(&folder)
}

/// Returns the reason, as a sentence, why an account other than this user, administrators and the system may be able to
/// write to an open file; `None` if there is no reason.
///
/// # Errors
/// Returns Windows' error.
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

/// Checks who owns a folder and who can write to it, as [`create_admin_only_dir`] does. Returns true if the folder
/// passes the check, and false if it does not exist.
///
/// # Errors
/// Returns [`FolderError`] if the check fails. Nothing in the folder may be trusted then.
pub fn check_admin_only_dir(path: &Path) -> Result<bool, FolderError> {
    let failed = failed(path);
    // A link itself is opened, not its target. All checks use one handle, so that the folder cannot be exchanged
    // between two checks.
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

/// Memory that Windows allocated. Dropping the value frees the memory with LocalFree.
struct Local(*mut c_void);

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a call whose memory is freed this way; it is null or freed only here.
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

/// Returns the owner and the DACL of an open folder or file, in SDDL.
fn security_of(folder: &File) -> io::Result<String> {
    let what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    let mut descriptor = null_mut();
    // SAFETY: the handle is open as long as `folder` lives; pointers for the parts may be null, the whole goes to a
    // live variable.
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

/// Copies a NUL-terminated string that Windows allocated, and frees the original.
fn take_text(text: *mut u16) -> String {
    let owned = Local(text.cast());
    let mut units = Vec::new();
    let mut at = text;
    // SAFETY: the string is NUL-terminated and lives until `owned` is dropped; `at` does not go beyond the NUL.
    unsafe {
        while *at != 0 {
            units.push(*at);
            at = at.add(1);
        }
    }
    drop(owned);
    String::from_utf16_lossy(&units)
}

/// Returns whether this process has administrator rights now. With UAC, it has them only if it is elevated.
fn is_administrator() -> io::Result<bool> {
    // Aligned like a SID, which begins with bytes and contains u32 fields.
    let mut sid = [0_u32; (SECURITY_MAX_SID_SIZE as usize).div_ceil(4)];
    let mut size = size_of_val(&sid) as u32;
    let mut member = 0;
    // SAFETY: `size` is the size of `sid`.
    check(unsafe { CreateWellKnownSid(WinBuiltinAdministratorsSid, null_mut(), sid.as_mut_ptr().cast(), &mut size) })?;
    // SAFETY: a null token means the calling thread's; `sid` was just filled; the result goes to a live variable.
    check(unsafe { CheckTokenMembership(null_mut(), sid.as_mut_ptr().cast(), &mut member) })?;
    Ok(member != 0)
}

/// Returns the SID, as text, of the user who runs this process.
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
    // SAFETY: `room` is the size of `user`.
    check(unsafe { GetTokenInformation(token.0, TokenUser, user.as_mut_ptr().cast(), room, &mut size) })?;
    let mut text = null_mut();
    // SAFETY: the call filled `user` with a TOKEN_USER, whose SID points into `user`; the result goes to a live
    // variable.
    check(unsafe { ConvertSidToStringSidW((*user.as_ptr().cast::<TOKEN_USER>()).User.Sid, &mut text) })?;
    Ok(take_text(text))
}
