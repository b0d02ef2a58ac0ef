//! Reads and writes policies in the text format of Microsoft's LGPO.exe: four lines for each entry, and an empty line
//! between entries.
//!
//! The lines are `Computer` or `User`, the key, the value name, and the action. `(Default)` is the name of a key's
//! default value. A line that begins with `;` is a comment. The action is one of:
//!
//! - `DWORD:` or `QWORD:` and a number, decimal or `0x…`; `SZ:` or `EXSZ:` and text; `MULTISZ:` and strings with `\0`
//!   between; `BINARY:` and bytes of two hex digits with commas between. In text and strings, `\\` is a backslash.
//! - `DELETE`; `DELETEALLVALUES` and `CREATEKEY`, with `*` as name; `DELETEKEYS`, with subkeys as name and `;` between.
//! - `CLEAR`, which removes all settings of a key from the policy that LGPO.exe edits. It sets nothing in the registry,
//!   so kbfix does not support it.
//!
//! Source: Microsoft, LGPO.exe v3.0 (LGPO.pdf in the Security Compliance Toolkit), as quoted in other documentation.
//! These quotes do not mention the doubled backslash; it is in Salt's tests, which contain output of `LGPO.exe /parse`.
//! This code was not tested with LGPO.exe.

use std::fmt::Write as _;

use super::entry::is_reserved;
use crate::registry::{Data, Decoded, KeyPath, RootKey, ValueName, ValueType};

/// The action of an entry that is to be written as text for LGPO.exe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextAction<'a> {
    /// Sets a value.
    Set(&'a ValueName, &'a Data),
    /// Deletes a value.
    Delete(&'a ValueName),
    /// Deletes all values of the key.
    DeleteAllValues,
    /// Creates the key.
    CreateKey,
    /// Deletes the key with everything below it.
    DeleteKey,
}

/// Returns an entry in the text format of LGPO.exe: its four lines, and the empty line after them.
///
/// # Errors
///
/// Returns the reason why this format cannot express the entry, as part of a sentence.
pub fn lgpo(key: &KeyPath, action: TextAction<'_>) -> Result<String, &'static str> {
    let configuration = match key.root() {
        RootKey::Hklm => "Computer",
        RootKey::Hkcu => "User",
        _ => return Err("the key is not below HKLM or HKCU"),
    };
    let (name, what) = match action {
        TextAction::Set(name, data) => (line_of(name)?, set(data)?),
        TextAction::Delete(name) => (line_of(name)?, "DELETE".to_owned()),
        TextAction::DeleteAllValues => (ANY, "DELETEALLVALUES".to_owned()),
        TextAction::CreateKey => (ANY, "CREATEKEY".to_owned()),
        TextAction::DeleteKey => (deleted_name(key)?, "DELETEKEYS".to_owned()),
    };
    let parent = key.parent().filter(|_| action == TextAction::DeleteKey);
    let path = parent.as_ref().unwrap_or(key).below_root();
    if path.is_empty() {
        return Err("text for LGPO.exe cannot express a setting of a root key itself");
    }
    let mut out = String::new();
    for line in [configuration, path, name, &what] {
        if line.contains(['\r', '\n']) || line.trim() != line || line.starts_with(';') {
            return Err("a line of the text cannot contain a line break, begin or end with a space, or begin with `;`");
        }
        let _ = write!(out, "{line}\r\n");
    }
    Ok(out + "\r\n")
}

/// In text for LGPO.exe, what stands in place of a value name for the default value of a key.
pub(super) const DEFAULT: &str = "(Default)";
/// In text for LGPO.exe, what stands in place of a value name if the entry concerns all values of a key, or creates the
/// key.
pub(super) const ANY: &str = "*";

fn line_of(name: &ValueName) -> Result<&str, &'static str> {
    match name.as_str() {
        "" => Ok(DEFAULT),
        name if name.eq_ignore_ascii_case(DEFAULT) => Err("LGPO.exe reads this name as the default value"),
        name if is_reserved(name) => Err("Windows reads a value name that begins with `**` as an instruction"),
        name => Ok(name),
    }
}

/// Returns what stands in place of a value name, in text for LGPO.exe, if an entry deletes `key`: the name of this key.
/// Returns the reason if the format cannot express this.
fn deleted_name(key: &KeyPath) -> Result<&str, &'static str> {
    match key.last() {
        Some(_) if key.names().nth(1).is_none() => Err("a key directly below a root key cannot be deleted"),
        Some(name) if name.eq_ignore_ascii_case(DEFAULT) => Err("LGPO.exe reads this name as the default value"),
        Some(name) if name.contains(';') => Err("LGPO.exe reads `;` in a name as the end of this name"),
        Some(name) => Ok(name),
        None => Err("a root key cannot be deleted"),
    }
}

fn set(data: &Data) -> Result<String, &'static str> {
    match (data.value_type, data.decode()) {
        (ValueType::DWORD, Decoded::Number(number)) => Ok(format!("DWORD:{number}")),
        (ValueType::QWORD, Decoded::Number(number)) => Ok(format!("QWORD:{number}")),
        (ValueType::SZ, Decoded::Text(text)) => Ok(format!("SZ:{}", escaped(&text))),
        (ValueType::EXPAND_SZ, Decoded::Text(text)) => Ok(format!("EXSZ:{}", escaped(&text))),
        (ValueType::MULTI_SZ, Decoded::List(list)) if list.iter().any(String::is_empty) => {
            Err("text for LGPO.exe cannot express a list with an empty string")
        }
        (ValueType::MULTI_SZ, Decoded::List(list)) => {
            let list: Vec<String> = list.iter().map(|item| escaped(item)).collect();
            Ok(format!("MULTISZ:{}", list.join("\\0")))
        }
        (ValueType::BINARY, _) => {
            let bytes: Vec<String> = data.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(format!("BINARY:{}", bytes.join(",")))
        }
        (_, Decoded::Malformed(_)) => Err("its data is malformed"),
        _ => Err("text for LGPO.exe cannot express data of this type"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_entry_has_four_lines() {
        let key: KeyPath = r"HKLM\Software\Policies\A b".parse().unwrap();
        let name = ValueName::new("N").unwrap();
        let of = |data: Data| {
            lgpo(&key, TextAction::Set(&name, &data)).map(|text| text.split("\r\n").nth(3).unwrap().to_owned())
        };
        assert_eq!(
            lgpo(&key, TextAction::Set(&name, &Data::dword(255))).unwrap(),
            "Computer\r\nSoftware\\Policies\\A b\r\nN\r\nDWORD:255\r\n\r\n"
        );
        assert_eq!(of(Data::sz("a: b")).unwrap(), "SZ:a: b");
        assert_eq!(of(Data::text(ValueType::EXPAND_SZ, "%x%")).unwrap(), "EXSZ:%x%");
        assert_eq!(of(Data::multi_sz(["a", "b"])).unwrap(), r"MULTISZ:a\0b");
        assert_eq!(of(Data::qword(u64::MAX)).unwrap(), format!("QWORD:{}", u64::MAX));
        assert_eq!(of(Data::new(ValueType::BINARY, [1, 255])).unwrap(), "BINARY:01,ff");
        // A path with two backslashes has four in the text.
        assert_eq!(of(Data::sz(r"\\server\0")).unwrap(), r"SZ:\\\\server\\0");
        assert_eq!(of(Data::multi_sz([r"C:\0x", "b"])).unwrap(), r"MULTISZ:C:\\0x\0b");
        let default = ValueName::new("").unwrap();
        let text = lgpo(&key, TextAction::Delete(&default)).unwrap();
        assert!(text.ends_with("(Default)\r\nDELETE\r\n\r\n"), "{text}");
        let user: KeyPath = r"HKCU\Software\A".parse().unwrap();
        assert_eq!(lgpo(&user, TextAction::Delete(&name)).unwrap(), "User\r\nSoftware\\A\r\nN\r\nDELETE\r\n\r\n");
        assert!(lgpo(&user, TextAction::DeleteAllValues).unwrap().ends_with("*\r\nDELETEALLVALUES\r\n\r\n"));
        assert!(lgpo(&user, TextAction::CreateKey).unwrap().ends_with("*\r\nCREATEKEY\r\n\r\n"));
        assert_eq!(lgpo(&user, TextAction::DeleteKey).unwrap(), "User\r\nSoftware\r\nA\r\nDELETEKEYS\r\n\r\n");
    }

    #[test]
    fn what_a_line_cannot_hold_is_an_error() {
        let key: KeyPath = r"HKLM\Software\A".parse().unwrap();
        let set = |name: &str, data: Data| lgpo(&key, TextAction::Set(&ValueName::new(name).unwrap(), &data)).is_err();
        assert!(set("(default)", Data::dword(1)) && set("**soft.N", Data::dword(1)));
        assert!(set("a\nb", Data::dword(1)) && set("N", Data::sz("a\r\nb")));
        assert!(set(";N", Data::dword(1)));
        assert!(set("N", Data::sz("a ")) && set("N", Data::multi_sz([""])));
        assert!(set("N", Data::new(ValueType::DWORD, [1])) && set("N", Data::new(ValueType::NONE, [])));
        for key in [r"HKLM\SOFTWARE", r"HKLM\Software\(default)", r"HKLM\Software\A;B", r"HKLM\Software\ A"] {
            assert!(lgpo(&key.parse().unwrap(), TextAction::DeleteKey).is_err(), "{key}");
        }
        assert!(lgpo(&"HKU\\A".parse().unwrap(), TextAction::CreateKey).is_err());
        let (name, data) = (ValueName::new("N").unwrap(), Data::dword(1));
        for root in ["HKLM", "HKCU"] {
            let root: KeyPath = root.parse().unwrap();
            for action in [TextAction::Set(&name, &data), TextAction::Delete(&name), TextAction::DeleteAllValues] {
                assert!(lgpo(&root, action).unwrap_err().contains("root key"), "{action:?}");
            }
        }
    }
}
