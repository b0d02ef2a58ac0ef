//! Calls of the Windows registry functions for which the crate windows-registry is not sufficient:
//!
//! - It adds zeros to data if a value becomes shorter between the query for its length and the read.
//! - Its iterators stop silently at the first error, and they replace invalid UTF-16 in names.
//! - It cannot delete only a single key, or tell whether a key was created or opened.
//! - It always follows links. It cannot return the real name of a key or whether the key is volatile, and it cannot
//!   flush a key to disk.
//! - In debug builds it refuses strings without a terminating NUL. It also does not prevent Windows from storing a NUL
//!   that follows the data in memory by chance. If its functions that set values are used, the program loads
//!   oleaut32.dll, and with it much of the user interface, at each start.
//!
//! All other operations (handles, opening keys, removing values) use windows-registry. Only this file and
//! [`super::properties`] have `unsafe` calls on registry keys. Names contain no NUL, which [`crate::registry::KeyName`]
//! and [`crate::registry::ValueName`] guarantee.
#![allow(unsafe_code)]

use std::ptr::{null, null_mut};

use windows_registry::Key as Handle;
use windows_sys::{
    Wdk::System::Registry::{KeyFlagsInformation, KeyNameInformation, NtDeleteKey, NtQueryKey},
    Win32::{
        Foundation::{
            ERROR_INVALID_DATA, ERROR_MORE_DATA, ERROR_NO_MORE_ITEMS, ERROR_SUCCESS, NTSTATUS, RtlNtStatusToDosError,
            STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_TOO_SMALL, STATUS_SUCCESS,
        },
        System::Registry::{
            REG_CREATED_NEW_KEY, REG_OPTION_OPEN_LINK, RegCreateKeyExW, RegEnumKeyExW, RegEnumValueW, RegFlushKey,
            RegOpenKeyExW, RegQueryInfoKeyW, RegQueryValueExW, RegSetValueExW,
        },
    },
};

use crate::registry::{Data, ValueType, name::MAX_VALUE_NAME};

use super::error::Code;

/// The size of the buffer for a key name and its terminating NUL, in UTF-16 units.
const KEY_NAME_BUFFER: usize = crate::registry::name::MAX_KEY_NAME + 1;

/// The initial size in bytes of the buffer for data. Most values are shorter, so one call is sufficient to read them.
const FIRST_BUFFER: usize = 4096;

/// The maximum size in bytes of the buffer for data. No value is that long, so a read fails if Windows requests a
/// larger buffer.
const LAST_BUFFER: usize = 1 << 30;

/// Buffers for data and for a value name. They are kept between reads, so that a batch of reads allocates them only
/// once.
pub(super) struct Buffer {
    data: Vec<u8>,
    name: Vec<u16>,
}

impl Buffer {
    /// Returns buffers that are large enough for the data of most values, and for every value name.
    pub(super) fn new() -> Self {
        Self { data: vec![0; FIRST_BUFFER], name: vec![0; MAX_VALUE_NAME + 1] }
    }

    fn grow(&mut self, wanted: u32) -> Result<(), Code> {
        if self.data.len() >= LAST_BUFFER {
            return Err(Code(ERROR_MORE_DATA));
        }
        // At least doubled, because some calls only report that the buffer was too small.
        let wanted = usize::try_from(wanted).unwrap_or(LAST_BUFFER).max(self.data.len() * 2);
        self.data.resize(wanted.min(LAST_BUFFER), 0);
        Ok(())
    }

    fn capacity(&self) -> u32 {
        u32::try_from(self.data.len()).unwrap_or(u32::MAX)
    }

    fn data(&self, value_type: u32, length: u32) -> Data {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(self.data.len());
        Data::new(ValueType(value_type), &self.data[..length])
    }
}

fn wide(name: &str) -> Vec<u16> {
    name.encode_utf16().chain([0]).collect()
}

fn check(code: u32) -> Result<(), Code> {
    if code == ERROR_SUCCESS { Ok(()) } else { Err(Code(code)) }
}

/// Returns the number of subkeys of a key.
///
/// # Errors
/// Returns Windows' error code.
pub(super) fn subkey_count(key: &Handle) -> Result<u32, Code> {
    let mut subkeys = 0;
    // SAFETY: the handle is open as long as `key` lives; the pointer is to a live u32, the others are null as
    // documented.
    let code = unsafe {
        RegQueryInfoKeyW(
            key.as_raw(),
            null_mut(),
            null_mut(),
            null(),
            &mut subkeys,
            null_mut(),
            null_mut(),
            null_mut(),
            null_mut(),
            null_mut(),
            null_mut(),
            null_mut(),
        )
    };
    check(code).map(|()| subkeys)
}

/// Returns the type and the bytes of one value.
///
/// # Errors
/// Returns Windows' error code; it is ERROR_FILE_NOT_FOUND if the value does not exist.
pub(super) fn value(key: &Handle, name: &str, buffer: &mut Buffer) -> Result<Data, Code> {
    let name = wide(name);
    loop {
        let (mut value_type, mut length) = (0, buffer.capacity());
        // SAFETY: the handle is open as long as `key` lives; `name` ends with a NUL; `length` says how many bytes the
        // buffer has.
        let code = unsafe {
            RegQueryValueExW(
                key.as_raw(),
                name.as_ptr(),
                null(),
                &mut value_type,
                buffer.data.as_mut_ptr(),
                &mut length,
            )
        };
        match code {
            ERROR_MORE_DATA => buffer.grow(length)?,
            _ => return check(code).map(|()| buffer.data(value_type, length)),
        }
    }
}

/// Calls `each` with the name (UTF-16 units) and the data of every value, until `each` returns `false`.
///
/// # Errors
/// Returns Windows' error code.
pub(super) fn each_value(
    key: &Handle,
    buffer: &mut Buffer,
    mut each: impl FnMut(&[u16], Data) -> bool,
) -> Result<(), Code> {
    let mut index = 0;
    loop {
        let (mut value_type, mut length, mut units) = (0, buffer.capacity(), buffer.name.len() as u32);
        // SAFETY: the handle is open as long as `key` lives; `units` and `length` say how much the two buffers hold.
        let code = unsafe {
            RegEnumValueW(
                key.as_raw(),
                index,
                buffer.name.as_mut_ptr(),
                &mut units,
                null(),
                &mut value_type,
                buffer.data.as_mut_ptr(),
                &mut length,
            )
        };
        match code {
            ERROR_NO_MORE_ITEMS => return Ok(()),
            ERROR_MORE_DATA => buffer.grow(length)?,
            _ => {
                check(code)?;
                if !each(&buffer.name[..units as usize], buffer.data(value_type, length)) {
                    return Ok(());
                }
                index += 1;
            }
        }
    }
}

/// Calls `each` with the name (UTF-16 units) of every value, until `each` returns `false`. Does not read the data.
///
/// # Errors
/// Returns Windows' error code.
pub(super) fn each_value_name(key: &Handle, buffer: &mut Buffer, each: impl FnMut(&[u16]) -> bool) -> Result<(), Code> {
    let next = |index, name: &mut [u16], units: &mut u32| {
        // SAFETY: the handle is open as long as `key` lives; `units` says how much the buffer holds; the others may be
        // null.
        unsafe {
            RegEnumValueW(key.as_raw(), index, name.as_mut_ptr(), units, null(), null_mut(), null_mut(), null_mut())
        }
    };
    each_name(&mut buffer.name, next, each)
}

/// Calls `each` with the name (UTF-16 units) of every subkey.
///
/// # Errors
/// Returns Windows' error code.
pub(super) fn each_subkey(key: &Handle, mut each: impl FnMut(&[u16])) -> Result<(), Code> {
    let next = |index, name: &mut [u16], units: &mut u32| {
        // SAFETY: the handle is open as long as `key` lives; `units` says how much the buffer holds; the others may be
        // null.
        unsafe {
            RegEnumKeyExW(key.as_raw(), index, name.as_mut_ptr(), units, null(), null_mut(), null_mut(), null_mut())
        }
    };
    each_name(&mut [0; KEY_NAME_BUFFER], next, |name| {
        each(name);
        true
    })
}

/// Calls `each` with each name that `next` returns, until `each` returns `false`.
///
/// `next` gets the index of a name, a buffer, and the size of the buffer in UTF-16 units. It writes the name, replaces
/// the size with the length of the name, and returns Windows' error code.
fn each_name(
    name: &mut [u16],
    next: impl Fn(u32, &mut [u16], &mut u32) -> u32,
    mut each: impl FnMut(&[u16]) -> bool,
) -> Result<(), Code> {
    for index in 0.. {
        let mut units = name.len() as u32;
        let code = next(index, name, &mut units);
        if code == ERROR_NO_MORE_ITEMS {
            break;
        }
        check(code)?;
        if !each(&name[..units as usize]) {
            break;
        }
    }
    Ok(())
}

/// Creates the key `name` directly below `parent`, or opens it if it exists. Returns its handle, and whether the key
/// was created.
///
/// # Errors
/// Returns Windows' error code.
pub(super) fn create_subkey(
    parent: &Handle,
    name: &str,
    class: Option<&str>,
    access: u32,
) -> Result<(Handle, bool), Code> {
    let name = wide(name);
    let class = class.map(wide);
    let (mut handle, mut disposition) = (null_mut(), 0);
    // SAFETY: the handle is open as long as `parent` lives; both strings end with a NUL, and the class may be null;
    // both results go to live variables.
    let code = unsafe {
        RegCreateKeyExW(
            parent.as_raw(),
            name.as_ptr(),
            0,
            class.as_ref().map_or(null(), |class| class.as_ptr()),
            // REG_OPTION_OPEN_LINK: if a link of that name exists, the link itself is opened. No other option is set,
            // so the key is not volatile.
            REG_OPTION_OPEN_LINK,
            access,
            null(),
            &mut handle,
            &mut disposition,
        )
    };
    check(code)?;
    // SAFETY: the call succeeded, so the handle is open, and nobody else closes it.
    let created = unsafe { Handle::from_raw(handle) };
    Ok((created, disposition == REG_CREATED_NEW_KEY))
}

/// Opens an existing key. If the key is a link, opens the link itself.
///
/// # Errors
/// Returns Windows' error code.
pub(super) fn open_itself(root: &Handle, path: &str, access: u32) -> Result<Handle, Code> {
    let path = wide(path);
    let mut handle = null_mut();
    // SAFETY: the handle is open as long as `root` lives; `path` ends with a NUL; the result goes to a live variable.
    check(unsafe { RegOpenKeyExW(root.as_raw(), path.as_ptr(), REG_OPTION_OPEN_LINK, access, &mut handle) })?;
    // SAFETY: the call succeeded, so the handle is open, and nobody else closes it.
    Ok(unsafe { Handle::from_raw(handle) })
}

/// Returns the real name of an open key, with all links resolved, such as `\REGISTRY\MACHINE\SOFTWARE`.
///
/// # Errors
/// Returns Windows' error code.
pub(super) fn name(key: &Handle) -> Result<String, Code> {
    // KEY_NAME_INFORMATION: the length of the name in bytes as a u32, then the name. The buffer is of u32 to be
    // aligned.
    let mut room = vec![0_u32; 256];
    loop {
        let (mut needed, size) = (0, (room.len() * 4) as u32);
        // SAFETY: the handle is open as long as `key` lives; `size` says how many bytes `room` has.
        let status =
            unsafe { NtQueryKey(key.as_raw(), KeyNameInformation, room.as_mut_ptr().cast(), size, &mut needed) };
        match status {
            STATUS_BUFFER_OVERFLOW | STATUS_BUFFER_TOO_SMALL if needed > size && (needed as usize) < LAST_BUFFER => {
                room.resize((needed as usize).div_ceil(4), 0);
            }
            _ => {
                check_status(status)?;
                let (length, rest) = room.split_first().map_or((0, &[][..]), |(length, rest)| (*length as usize, rest));
                let units = rest.iter().flat_map(|two| [*two as u16, (*two >> 16) as u16]).take(length / 2);
                let decoded = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER));
                return Ok(decoded.collect());
            }
        }
    }
}

/// Returns whether the key is volatile, which means that it exists in memory only. Returns false on a system that does
/// not answer this question, such as Wine.
///
/// Source: Windows Driver Kit, `KEY_FLAGS_INFORMATION`: `Wow64Flags`, `KeyFlags` (REG_FLAG_VOLATILE is 1),
/// `ControlFlags`.
pub(super) fn is_volatile(key: &Handle) -> bool {
    const REG_FLAG_VOLATILE: u32 = 1;
    let (mut flags, mut length) = ([0_u32; 4], 0);
    let size = size_of_val(&flags) as u32;
    // SAFETY: the handle is open as long as `key` lives; `size` says how many bytes `flags` has.
    let status = unsafe { NtQueryKey(key.as_raw(), KeyFlagsInformation, flags.as_mut_ptr().cast(), size, &mut length) };
    status == STATUS_SUCCESS && length >= 8 && flags[1] & REG_FLAG_VOLATILE != 0
}

/// Writes the hive that contains the key to disk. Returns after the write is complete.
///
/// # Errors
/// Returns Windows' error code.
pub(super) fn flush(key: &Handle) -> Result<(), Code> {
    // SAFETY: the handle is open as long as `key` lives.
    check(unsafe { RegFlushKey(key.as_raw()) })
}

/// Deletes a key and its values. The key must be open with the access right DELETE and must have no subkeys.
///
/// # Errors
/// Returns Windows' error code; it is ERROR_ACCESS_DENIED if the key has subkeys.
pub(super) fn delete(key: &Handle) -> Result<(), Code> {
    // SAFETY: the handle is open as long as `key` lives.
    check_status(unsafe { NtDeleteKey(key.as_raw()) })
}

fn check_status(status: NTSTATUS) -> Result<(), Code> {
    if status >= 0 {
        return Ok(());
    }
    // SAFETY: the function has no preconditions.
    Err(Code(unsafe { RtlNtStatusToDosError(status) }))
}

/// Sets a value to exactly these bytes.
///
/// If a string has no terminating NUL but a NUL follows it in memory by chance, RegSetValueExW stores two bytes more
/// than the given length. To prevent this, the function puts other bytes after the data; with these, empty data has a
/// valid pointer, too.
///
/// # Errors
/// Returns Windows' error code.
pub(super) fn set_value(key: &Handle, name: &str, data: &Data) -> Result<(), Code> {
    let length = u32::try_from(data.bytes.len()).map_err(|_| Code(ERROR_INVALID_DATA))?;
    let mut bytes = Vec::with_capacity(data.bytes.len() + 4);
    bytes.extend_from_slice(&data.bytes);
    bytes.extend_from_slice(&[0xFF; 4]);
    let name = wide(name);
    // SAFETY: the handle is open as long as `key` lives; `name` ends with a NUL; `bytes` has more than `length` bytes.
    check(unsafe { RegSetValueExW(key.as_raw(), name.as_ptr(), 0, data.value_type.0, bytes.as_ptr(), length) })
}
