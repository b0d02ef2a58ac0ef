//! Exports specs as Ansible tasks with the module `ansible.windows.win_regedit`.
//!
//! Rules of the module: a path begins with a drive such as `HKLM:\`. The default value of a key can only be a string; a
//! task that deletes it needs `delete_key: false`. An empty list cannot be written. Bytes have the form `hex:01,02`.
//!
//! Source: ansible.windows, `plugins/modules/win_regedit.ps1`.

use crate::{
    registry::{Data, Decoded, KeyPath, ValueName, ValueType, notation},
    spec::Spec,
};

use super::{
    Export, Loss, heading,
    keys::{ExportedKey, KeyState, Users, exported_keys},
};

/// The column after which a long string or comment continues on the next line. ansible-lint allows 160 columns.
const WIDTH: usize = 110;

/// Exports the specs as a file of Ansible tasks: one task for each value that win_regedit can set or delete, for each
/// key to delete, and for each key to create without setting a value in it.
pub fn win_regedit(specs: &[Spec]) -> Export {
    let mut losses = Vec::new();
    let mut tasks = String::new();
    for key in exported_keys(specs, Users::One, &mut losses) {
        key.lose_rest(&mut |what| losses.push(Loss::new(key.spec.id.clone(), what)));
        let ExportedKey { spec, path, state, sensitive, .. } = &key;
        let loss = |what: String| Loss::new(spec.id.clone(), what);
        if path.names().any(|name| name.contains('/')) {
            losses.push(loss(format!("{path}: PowerShell may read the slash in a key name as a separator")));
        }
        match state {
            KeyState::Absent => {
                task(spec, "Delete the key", path, None, &["state: absent".to_owned()], false, &mut tasks)
            }
            KeyState::Present { must_exist, values } => {
                if *must_exist && values.iter().all(|(_, data)| data.is_none()) {
                    task(spec, "Make the key", path, None, &["state: present".to_owned()], false, &mut tasks);
                }
                for (name, data) in values {
                    let is_sensitive = sensitive.contains_key(name);
                    match data.as_ref().map(|data| value(name, data)).transpose() {
                        Ok(Some(lines)) => {
                            task(spec, "Set", path, Some(name), &lines, is_sensitive, &mut tasks);
                            losses.extend(key.shown(name, data.as_ref()));
                        }
                        Ok(None) => {
                            let mut lines = vec!["state: absent".to_owned()];
                            // Otherwise the module deletes the whole key when the default value must be absent.
                            lines.extend(name.is_default().then(|| "delete_key: false".to_owned()));
                            task(spec, "Delete", path, Some(name), &lines, is_sensitive, &mut tasks);
                        }
                        Err(why) => {
                            losses.push(loss(format!("{path} {}: left out: {why}", notation::value_name(name))));
                        }
                    }
                }
            }
        }
    }
    let mut text = String::from("---\n");
    for line in heading(specs, &losses) {
        comment(&line, &mut text);
    }
    text.push_str(if tasks.is_empty() { "[]\n" } else { &tasks });
    Export { bytes: text.into_bytes(), losses }
}

fn comment(line: &str, out: &mut String) {
    let mut at = 0;
    for word in line.split(' ') {
        if at > 0 && at + 1 + word.chars().count() > WIDTH {
            out.push('\n');
            at = 0;
        }
        out.push_str(if at == 0 { "# " } else { " " });
        out.push_str(word);
        at += 2 + word.chars().count();
    }
    out.push('\n');
}

fn task(
    spec: &Spec,
    verb: &str,
    path: &KeyPath,
    name: Option<&ValueName>,
    lines: &[String],
    is_sensitive: bool,
    out: &mut String,
) {
    let of = match name {
        Some(name) if name.is_default() => "the default value".to_owned(),
        Some(name) => name.to_string(),
        None => path.last().unwrap_or_default().to_owned(),
    };
    // A title is for people, so Jinja must not evaluate anything in it.
    let of: String = of.chars().map(|c| if matches!(c, '{' | '}') || c.is_control() { '_' } else { c }).collect();
    let of: String = of.chars().take(80).collect();
    let title = format!("{verb} {of} ({})", spec.id);
    let mut drive = format!("{}:", path.root().short());
    path.names().for_each(|name| drive.push_str(&format!("\\{name}")));
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(&format!("- name: {}\n", scalar(&title, 8)));
    out.push_str("  ansible.windows.win_regedit:\n");
    out.push_str(&format!("    path: {}\n", scalar(&drive, 10)));
    if let Some(name) = name.filter(|name| !name.is_default()) {
        out.push_str(&format!("    name: {}\n", scalar(name.as_str(), 10)));
    }
    for line in lines {
        out.push_str(&format!("    {line}\n"));
    }
    if is_sensitive {
        // With --diff, the module would also show the previous data.
        out.push_str("  no_log: true\n");
    }
}

/// Returns the lines of an Ansible task that give the data and the type of a value.
///
/// # Errors
/// Returns the reason why win_regedit cannot write this data.
fn value(name: &ValueName, data: &Data) -> Result<Vec<String>, String> {
    let line = |type_name: &str, data: String| vec![format!("data: {data}"), format!("type: {type_name}")];
    let hex = || scalar(&format!("hex:{}", notation::hex_list(&data.bytes)), 10);
    if name.is_default() && data.value_type != ValueType::SZ {
        return Err(format!(
            "win_regedit can only write the default value of a key as a string, not as a {}",
            data.value_type
        ));
    }
    Ok(match (data.value_type, data.decode()) {
        (ValueType::SZ, Decoded::Text(text)) => line("string", scalar(&text, 10)),
        (ValueType::EXPAND_SZ, Decoded::Text(text)) => line("expandstring", scalar(&text, 10)),
        (ValueType::MULTI_SZ, Decoded::List(list)) if list.is_empty() => {
            return Err("win_regedit cannot write an empty list".to_owned());
        }
        (ValueType::MULTI_SZ, Decoded::List(list)) => {
            let items: String = list.iter().map(|item| format!("\n      - {}", scalar(item, 8))).collect();
            vec![format!("data:{items}"), "type: multistring".to_owned()]
        }
        (ValueType::DWORD, Decoded::Number(number)) => line("dword", number.to_string()),
        // A number that does not fit into a signed 64-bit integer is written as text, which the module reads as
        // unsigned.
        (ValueType::QWORD, Decoded::Number(number)) if i64::try_from(number).is_err() => {
            line("qword", format!("\"{number}\""))
        }
        (ValueType::QWORD, Decoded::Number(number)) => line("qword", number.to_string()),
        (ValueType::BINARY, _) => line("binary", hex()),
        (ValueType::NONE, _) => line("none", hex()),
        (other, _) => return Err(format!("win_regedit does not support the type {other}")),
    })
}

/// Formats `text` as a YAML string in double quotes, which begins at `column`. A long string continues in the next
/// line. A string that Jinja would evaluate gets the tag `!unsafe`.
fn scalar(text: &str, column: usize) -> String {
    let mut out = String::new();
    if ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)) {
        out.push_str("!unsafe ");
    }
    out.push('"');
    let mut at = column + out.len();
    for c in text.chars() {
        let piece = match c {
            '"' | '\\' => format!("\\{c}"),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\t' => "\\t".to_owned(),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') => {
                format!("\\u{:04x}", u32::from(c))
            }
            c => c.to_string(),
        };
        if at + piece.len() > WIDTH {
            // A backslash joins the lines. YAML drops spaces at the beginning of a line, so the first one is escaped.
            out.push_str("\\\n        ");
            at = 8;
            if piece == " " {
                out.push('\\');
                at += 1;
            }
        }
        at += piece.chars().count();
        out.push_str(&piece);
    }
    out.push('"');
    out
}
