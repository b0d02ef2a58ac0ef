//! Asks the Windows API for the folders of Windows.
//!
//! Environment variables are not used: in an elevated process, the unprivileged user controls some of them, through
//! `HKCU\Environment` or the parent process.
#![allow(unsafe_code)]

use std::{ffi::OsString, io, os::windows::ffi::OsStringExt, path::PathBuf, ptr::null_mut};

use windows_sys::Win32::{
    Foundation::MAX_PATH,
    System::{Com::CoTaskMemFree, SystemInformation::GetSystemDirectoryW},
    UI::Shell::{FOLDERID_ProgramData, KF_FLAG_DEFAULT, SHGetKnownFolderPath},
};

/// Returns the folder of Windows' own programs, such as `C:\Windows\System32`.
///
/// Source: Microsoft, "GetSystemDirectoryW function".
///
/// # Errors
/// Returns the system's error.
pub fn system_folder() -> io::Result<PathBuf> {
    let mut buffer = [0_u16; MAX_PATH as usize];
    // SAFETY: the buffer has MAX_PATH units.
    let length = unsafe { GetSystemDirectoryW(buffer.as_mut_ptr(), MAX_PATH) } as usize;
    match buffer.get(..length) {
        None => Err(io::Error::other("the path of the system folder is too long")),
        Some([]) => Err(io::Error::last_os_error()),
        Some(units) => Ok(OsString::from_wide(units).into()),
    }
}

/// Returns the folder for program data of all users, such as `C:\ProgramData`.
///
/// Source: Microsoft, "SHGetKnownFolderPath function", "KNOWNFOLDERID" (FOLDERID_ProgramData).
///
/// # Errors
/// Returns the system's error.
pub fn program_data() -> io::Result<PathBuf> {
    let mut text = null_mut();
    // SAFETY: the folder is the same for all users, so no token is given; the result goes to a live variable.
    let code = unsafe { SHGetKnownFolderPath(&FOLDERID_ProgramData, KF_FLAG_DEFAULT as u32, null_mut(), &mut text) };
    let path = (code >= 0).then(|| {
        let mut length = 0;
        // SAFETY: where the call succeeds the string ends with a NUL, and it lives until it is freed below.
        while unsafe { *text.add(length) } != 0 {
            length += 1;
        }
        // SAFETY: the loop above counted these units.
        PathBuf::from(OsString::from_wide(unsafe { std::slice::from_raw_parts(text, length) }))
    });
    // SAFETY: the caller must free the string, also after a failure; it is null or no longer used.
    unsafe { CoTaskMemFree(text.cast()) };
    path.ok_or_else(|| io::Error::from_raw_os_error(code))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_environment_does_not_name_them() {
        let (system, data) = (super::system_folder().unwrap(), super::program_data().unwrap());
        assert!(system.join("kernel32.dll").exists() && data.is_absolute(), "{system:?} {data:?}");
    }
}
