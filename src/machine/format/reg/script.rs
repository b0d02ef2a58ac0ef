//! Writes new registration scripts (version 5) for `regedit` and `reg import`.

use super::{edit::EditError, encoding::TextEncoding, version::Version};
use crate::registry::{Data, KeyPath, ValueName, notation};

/// One key in a `.reg` file that [`script`] writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptKey<'a> {
    /// The key's path in the 64-bit view.
    pub path: &'a KeyPath,
    /// Whether to write `[-key]`, which deletes the key and everything below it. The values are not written then.
    pub delete: bool,
    /// The values to write, in this order.
    pub values: Vec<ScriptValue<'a>>,
}

/// One value of a key in a `.reg` file that [`script`] writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptValue<'a> {
    /// The value name.
    pub name: &'a ValueName,
    /// The data to set; `None` writes `"name"=-`, which deletes the value.
    pub data: Option<&'a Data>,
    /// A one-line comment to write above the value; no comment is written if it is empty.
    pub comment: String,
}

/// Returns the bytes of a version 5 script: UTF-16LE with a byte order mark and CRLF.
///
/// The script ends with an empty line, because Samba ignores the last value without it. `comment` is written below the
/// header, each line after a semicolon.
///
/// # Errors
/// Returns [`EditError::LineBreak`] for a name with a line break, because programs read such names in different ways.
pub fn script(comment: &str, keys: &[ScriptKey<'_>]) -> Result<Vec<u8>, EditError> {
    let mut out = String::from("\u{feff}Windows Registry Editor Version 5.00\r\n");
    for line in comment.lines() {
        out.push_str(&format!("; {}\r\n", notation::one_line(line)));
    }
    for key in keys {
        let path = key.path.to_long();
        if path.contains(['\r', '\n']) {
            return Err(EditError::LineBreak);
        }
        out.push_str(&format!("\r\n[{}{path}]\r\n", if key.delete { "-" } else { "" }));
        for value in key.values.iter().filter(|_| !key.delete) {
            if value.name.as_str().contains(['\r', '\n']) {
                return Err(EditError::LineBreak);
            }
            if !value.comment.is_empty() {
                // A comment must not contain a line break, because the text after it would be read as a line of the
                // script.
                out.push_str(&format!("; {}\r\n", notation::one_line(&value.comment)));
            }
            let name = format!("{}=", notation::value_name(value.name));
            let data = match value.data {
                None => "-".to_owned(),
                Some(data) => {
                    let column = name.chars().count();
                    super::data::print(data, column, "\r\n", Version::V5, TextEncoding::Utf16, None)
                        .map_err(EditError::Encoding)?
                }
            };
            out.push_str(&name);
            out.push_str(&data);
            out.push_str("\r\n");
        }
    }
    out.push_str("\r\n");
    Ok(out.encode_utf16().flat_map(u16::to_le_bytes).collect())
}
