//! Gives a new file the permissions, owner and attributes of the file that it replaces, on Windows.
//!
//! ReplaceFileW would copy more, but is not atomic. Microsoft documents a failure after which "the replaced file no
//! longer exists and the replacement file exists under its original name" (ERROR_UNABLE_TO_MOVE_REPLACEMENT). Therefore
//! kbfix copies the security descriptor to the new file, and then moves this file to its final path with one rename.
//!
//! Sources: Microsoft, "ReplaceFileW function", "SetKernelObjectSecurity function", "SECURITY_DESCRIPTOR_CONTROL",
//! "MoveFileExW function".
#![allow(unsafe_code)]

use std::{
    fs::{File, OpenOptions},
    io,
    os::windows::{fs::MetadataExt, fs::OpenOptionsExt, io::AsRawHandle},
    path::Path,
};

use tempfile::NamedTempFile;
use windows_sys::Win32::{
    Foundation::{ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_FUNCTION, ERROR_NOT_SUPPORTED},
    Security::{
        DACL_SECURITY_INFORMATION, GROUP_SECURITY_INFORMATION, GetKernelObjectSecurity, GetSecurityDescriptorControl,
        OWNER_SECURITY_INFORMATION, SE_DACL_AUTO_INHERIT_REQ, SE_DACL_AUTO_INHERITED, SetKernelObjectSecurity,
        SetSecurityDescriptorControl,
    },
    Storage::FileSystem::{
        FILE_ATTRIBUTE_ARCHIVE, FILE_ATTRIBUTE_HIDDEN, FILE_ATTRIBUTE_NORMAL, FILE_ATTRIBUTE_NOT_CONTENT_INDEXED,
        FILE_ATTRIBUTE_SYSTEM, FILE_ATTRIBUTE_TEMPORARY, FILE_READ_ATTRIBUTES, MOVEFILE_REPLACE_EXISTING,
        MOVEFILE_WRITE_THROUGH, MoveFileExW, READ_CONTROL, SetFileAttributesW, WRITE_DAC, WRITE_OWNER,
    },
};

use crate::files::long_path::wide;

/// The file attributes to keep. The read-only attribute is not among them, because Windows does not replace a read-only
/// file. Most other attributes describe how the file is stored.
const KEPT: u32 =
    FILE_ATTRIBUTE_ARCHIVE | FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_NOT_CONTENT_INDEXED | FILE_ATTRIBUTE_SYSTEM;

/// Gives the new file the permissions of the file at `path`, if there is one. Also gives it the owner and the group of
/// that file, if this user may set them.
///
/// If this user may not, the owner stays as Windows set it, which for an administrator can be the group of
/// administrators. On a file system without permissions, such as FAT32, nothing is copied.
pub(super) fn like_the_old_one(new: &NamedTempFile, path: &Path) -> io::Result<()> {
    let old = match OpenOptions::new().access_mode(READ_CONTROL | FILE_READ_ATTRIBUTES).open(path) {
        Ok(old) => old,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let all = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    let copied = security_of(&old).and_then(|mut descriptor| {
        set_security(new.path(), WRITE_OWNER | WRITE_DAC, all, &mut descriptor)
            .or_else(|_| set_security(new.path(), WRITE_DAC, DACL_SECURITY_INFORMATION, &mut descriptor))
    });
    match copied {
        // The file system has no permissions to copy.
        Err(error) if keeps_no_permissions(&error) => Ok(()),
        copied => copied,
    }
}

/// Returns whether the error says that the file system has no permissions, as on FAT32.
///
/// The codes are ERROR_INVALID_FUNCTION ("Incorrect function") and ERROR_NOT_SUPPORTED (Microsoft, "System Error
/// Codes").
fn keeps_no_permissions(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(i32::cast_unsigned);
    matches!(code, Some(ERROR_INVALID_FUNCTION | ERROR_NOT_SUPPORTED))
}

/// Moves the new file to `path`, and gives it those attributes of the old file that [`KEPT`] lists. If there is no old
/// file, the new one gets the archive attribute.
///
/// If this fails, returns the error and the new file, so that the caller can try again.
pub(super) fn persist(file: NamedTempFile, path: &Path) -> Result<(), (io::Error, NamedTempFile)> {
    let attributes = path.metadata().map_or(FILE_ATTRIBUTE_ARCHIVE, |old| old.file_attributes() & KEPT);
    let attributes = if attributes == 0 { FILE_ATTRIBUTE_NORMAL } else { attributes };
    let move_it = |from: &[u16]| {
        set_attributes(from, attributes)?;
        let to = wide(path)?;
        // SAFETY: both paths end with a NUL.
        check(unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) })
    };
    let from = match wide(file.path()) {
        Ok(from) => from,
        Err(error) => return Err((error, file)),
    };
    match move_it(&from) {
        Ok(()) => {
            let mut file = file;
            // The temporary name no longer exists.
            file.disable_cleanup(true);
            Ok(())
        }
        Err(error) => {
            let _ = set_attributes(&from, FILE_ATTRIBUTE_TEMPORARY);
            Err((error, file))
        }
    }
}

/// A self-relative security descriptor: owner, group and DACL. It is stored in 64-bit words to align its structures.
type Descriptor = Vec<u64>;

fn security_of(file: &File) -> io::Result<Descriptor> {
    let what = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    let mut descriptor: Descriptor = vec![0; 64];
    loop {
        let (room, mut needed) = (u32::try_from(descriptor.len() * 8).unwrap_or(u32::MAX), 0);
        // SAFETY: the handle is open as long as `file` lives; `room` is the number of bytes in the buffer.
        let read = check(unsafe {
            GetKernelObjectSecurity(file.as_raw_handle(), what, descriptor.as_mut_ptr().cast(), room, &mut needed)
        });
        match read {
            Err(error) if error.raw_os_error() == Some(ERROR_INSUFFICIENT_BUFFER.cast_signed()) && needed > room => {
                descriptor.resize(usize::try_from(needed).unwrap_or(usize::MAX).div_ceil(8), 0);
            }
            read => return read.map(|()| descriptor),
        }
    }
}

fn set_security(path: &Path, access: u32, what: u32, descriptor: &mut Descriptor) -> io::Result<()> {
    let file = OpenOptions::new().access_mode(access).open(path)?;
    let descriptor = descriptor.as_mut_ptr().cast();
    let (mut control, mut revision) = (0, 0);
    // SAFETY: the system made the descriptor; the results are written to live variables.
    check(unsafe { GetSecurityDescriptorControl(descriptor, &mut control, &mut revision) })?;
    if control & SE_DACL_AUTO_INHERITED != 0 {
        // Without the request bit the system clears the flag that says that the entries were inherited.
        let bits = SE_DACL_AUTO_INHERIT_REQ | SE_DACL_AUTO_INHERITED;
        // SAFETY: as above.
        check(unsafe { SetSecurityDescriptorControl(descriptor, bits, bits) })?;
    }
    // SAFETY: the handle is open as long as `file` lives; the descriptor is valid.
    check(unsafe { SetKernelObjectSecurity(file.as_raw_handle(), what, descriptor) })
}

fn set_attributes(path: &[u16], attributes: u32) -> io::Result<()> {
    // SAFETY: the path ends with a NUL.
    check(unsafe { SetFileAttributesW(path.as_ptr(), attributes) })
}

fn check(succeeded: i32) -> io::Result<()> {
    if succeeded == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
