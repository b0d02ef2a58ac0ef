//! Writes policies in the text format of Microsoft's LGPO.exe: four lines for each entry, and an empty line between
//! entries.
//!
//! The lines are `Computer` or `User`, the key, the value name, and what to do: `DELETE`, `DELETEALLVALUES`,
//! `CREATEKEY` (these two with `*` as name), or the type and data, such as `DWORD:1`. A line that begins with `;` is a
//! comment.
//!
//! Source: Microsoft, LGPO.exe v3.0 (LGPO.pdf in the Security Compliance Toolkit).

use std::fmt::Write as _;

use crate::registry::{Data, Decoded, KeyPath, RootKey, ValueName, ValueType, notation};

/// The action of one entry of the text.
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
}

/// Returns the lines of an entry, with the empty line after it.
///
/// # Errors
///
/// Returns the reason why the text cannot express the entry, as part of a sentence.
pub fn lgpo(key: &KeyPath, action: TextAction<'_>) -> Result<String, &'static str> {
    let configuration = match key.root() {
        RootKey::Hklm => "Computer",
        RootKey::Hkcu => "User",
        _ => return Err("it is below neither HKLM nor HKCU"),
    };
    let (name, what) = match action {
        TextAction::Set(name, data) => (name.as_str(), set(data)?),
        TextAction::Delete(name) => (name.as_str(), "DELETE".to_owned()),
        TextAction::DeleteAllValues => ("*", "DELETEALLVALUES".to_owned()),
        TextAction::CreateKey => ("*", "CREATEKEY".to_owned()),
    };
    if name.is_empty() {
        return Err("a default value has no name that could be written on a line");
    }
    let mut out = String::new();
    for line in [configuration, key.below_root(), name, &what] {
        if line.contains(['\r', '\n']) || line.trim() != line {
            return Err("a line of the text cannot contain a line break, or begin or end with a space");
        }
        let _ = write!(out, "{line}\r\n");
    }
    Ok(out + "\r\n")
}

fn set(data: &Data) -> Result<String, &'static str> {
    match (data.value_type, data.decode()) {
        (ValueType::DWORD, Decoded::Number(number)) => Ok(format!("DWORD:{number}")),
        (ValueType::QWORD, Decoded::Number(number)) => Ok(format!("QWORD:{number}")),
        (ValueType::SZ, Decoded::Text(text)) => Ok(format!("SZ:{text}")),
        (ValueType::EXPAND_SZ, Decoded::Text(text)) => Ok(format!("EXSZ:{text}")),
        (ValueType::MULTI_SZ, Decoded::List(list))
            if list.iter().any(|item| item.is_empty() || item.contains("\\0")) =>
        {
            Err("the text cannot contain a list with an empty string or with `\\0`")
        }
        (ValueType::MULTI_SZ, Decoded::List(list)) => Ok(format!("MULTISZ:{}", list.join("\\0"))),
        (ValueType::BINARY, _) => Ok(format!("BINARY:{}", notation::hex_digits(&data.bytes))),
        (_, Decoded::Malformed(_)) => Err("its data is malformed"),
        _ => Err("the text has no data of this type"),
    }
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
        assert_eq!(of(Data::new(ValueType::BINARY, [1, 255])).unwrap(), "BINARY:01ff");
        let user: KeyPath = r"HKCU\Software\A".parse().unwrap();
        assert_eq!(lgpo(&user, TextAction::Delete(&name)).unwrap(), "User\r\nSoftware\\A\r\nN\r\nDELETE\r\n\r\n");
        assert!(lgpo(&user, TextAction::DeleteAllValues).unwrap().ends_with("*\r\nDELETEALLVALUES\r\n\r\n"));
        assert!(lgpo(&user, TextAction::CreateKey).unwrap().ends_with("*\r\nCREATEKEY\r\n\r\n"));
    }

    #[test]
    fn what_a_line_cannot_hold_is_an_error() {
        let key: KeyPath = r"HKLM\Software\A".parse().unwrap();
        let set = |name: &str, data: Data| lgpo(&key, TextAction::Set(&ValueName::new(name).unwrap(), &data)).is_err();
        assert!(set("", Data::dword(1)) && set("a\nb", Data::dword(1)) && set("N", Data::sz("a\r\nb")));
        assert!(set("N", Data::sz("a ")) && set("N", Data::multi_sz([r"C:\0x"])) && set("N", Data::multi_sz([""])));
        assert!(set("N", Data::new(ValueType::DWORD, [1])) && set("N", Data::new(ValueType::NONE, [])));
        assert!(lgpo(&"HKU\\A".parse().unwrap(), TextAction::CreateKey).is_err());
    }
}
