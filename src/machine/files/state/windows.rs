//! Asks the Windows API for the folders of Windows.
//!
//! Environment variables are not used: in an elevated process, the unprivileged user controls some of them, through
//! `HKCU\Environment` or the parent process.
#![allow(unsafe_code)]

use std::{
    ffi::{OsStr, OsString},
    io,
    os::windows::ffi::OsStringExt,
    path::PathBuf,
    ptr::null_mut,
};

use windows_sys::{
    Win32::{
        Foundation::{ERROR_SUCCESS, MAX_PATH},
        System::{
            Registry::{HKEY_LOCAL_MACHINE, RRF_NOEXPAND, RRF_RT_REG_EXPAND_SZ, RRF_RT_REG_SZ, RegGetValueW},
            SystemInformation::GetSystemDirectoryW,
        },
    },
    w,
};

/// Returns the folder of Windows' own programs, such as `C:\Windows\System32`.
///
/// Source: Microsoft, "GetSystemDirectoryW function".
///
/// # Errors
/// Returns the system's error, or that the path is too long.
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
/// Windows keeps its path in `ProfileList`, which only administrators can change. SHGetKnownFolderPath returns the same
/// folder, but a program that imports it loads shell32.dll, and with it much of the user interface, at each start.
///
/// Source: Microsoft, "FolderLocations: ProgramData" (the setting from which Windows Setup writes the value),
/// "RegGetValueW function".
///
/// # Errors
/// Returns the system's error, or that the value is not an absolute path.
pub fn program_data() -> io::Result<PathBuf> {
    let key = w!(r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList");
    let mut buffer = [0_u16; MAX_PATH as usize];
    let mut size = size_of_val(&buffer) as u32;
    // The environment is not used: RRF_NOEXPAND.
    let flags = RRF_RT_REG_SZ | RRF_RT_REG_EXPAND_SZ | RRF_NOEXPAND;
    // SAFETY: both names end with a NUL; `size` is the size of the buffer in bytes.
    let code = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            key,
            w!("ProgramData"),
            flags,
            null_mut(),
            buffer.as_mut_ptr().cast(),
            &mut size,
        )
    };
    if code != ERROR_SUCCESS {
        return Err(io::Error::from_raw_os_error(code.cast_signed()));
    }
    let text: Vec<u16> = buffer.into_iter().take_while(|unit| *unit != 0).collect();
    let drive = system_folder()?.components().next().map(|drive| drive.as_os_str().to_owned()).unwrap_or_default();
    expanded(OsString::from_wide(&text), &drive).ok_or_else(|| {
        io::Error::other(format!(
            "the value ProgramData in ProfileList is `{}`, which is not an absolute path",
            String::from_utf16_lossy(&text)
        ))
    })
}

/// Returns the path `text` with `%SystemDrive%`, at its beginning, replaced by `drive`. Returns `None` if the result is
/// not an absolute path.
fn expanded(text: OsString, drive: &OsStr) -> Option<PathBuf> {
    const DRIVE: &str = "%SystemDrive%";
    let below = text.to_str().filter(|text| text.get(..DRIVE.len()).is_some_and(|s| s.eq_ignore_ascii_case(DRIVE)));
    let path = match below {
        Some(text) => PathBuf::from(format!("{}{}", drive.display(), &text[DRIVE.len()..])),
        None => PathBuf::from(text),
    };
    path.is_absolute().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_does_not_name_them() {
        let (system, data) = (system_folder().unwrap(), program_data().unwrap());
        assert!(system.join("kernel32.dll").exists() && data.is_dir(), "{system:?} {data:?}");
    }

    #[test]
    fn the_drive_of_windows_is_the_only_variable() {
        let path = |text: &str| expanded(text.into(), OsStr::new("E:"));
        assert_eq!(path(r"%systemdrive%\ProgramData"), Some(r"E:\ProgramData".into()));
        assert_eq!(path(r"D:\Data"), Some(r"D:\Data".into()));
        for text in ["", "ProgramData", r"\ProgramData", r"%TEMP%\ProgramData", "%SystemDrive%ProgramData"] {
            assert_eq!(path(text), None, "{text}");
        }
    }
}
