//! One key's change as a hunk of a unified diff, in `.reg` notation.

use similar::{ChangeTag, TextDiff};

use crate::{
    registry::{
        Data, Decoded, ValueName, ValueType,
        notation::{self, one_line},
    },
    target::{Action, KeyChange},
};

/// Bytes of data from which on the middle is left out; a digest stands for it.
const LONGEST: usize = 96;

/// A line of a hunk.
pub(super) enum Line {
    /// `@@ [HKEY_…] @@`
    Head(String),
    /// A line that is removed, without its sign.
    Removed(String),
    /// A line that is added, without its sign.
    Added(String),
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Head(text) => f.write_str(text),
            Self::Removed(text) => write!(f, "-{text}"),
            Self::Added(text) => write!(f, "+{text}"),
        }
    }
}

/// The hunk of a change.
pub(super) fn hunk(change: &KeyChange) -> Vec<Line> {
    let view = match change.key.view {
        crate::registry::View::Bits64 => "",
        crate::registry::View::Bits32 => " 32-bit view",
    };
    let key = one_line(&format!("[{}]", change.key.path.to_long()));
    let mut lines = vec![Line::Head(format!("@@ {key}{view} @@"))];
    let (mut before, mut after) = (String::new(), String::new());
    match change.action {
        Action::Create => after.push_str(&format!("{key}\n")),
        Action::Delete => before.push_str(&format!("{key}\n")),
        Action::Update => {}
    }
    for value in &change.values {
        before.push_str(&text(&value.name, value.before.as_ref()));
        after.push_str(&text(&value.name, value.after.as_ref()));
    }
    let diff = TextDiff::from_lines(&before, &after);
    for one in diff.iter_all_changes() {
        let text = one.value().trim_end_matches('\n').to_owned();
        match one.tag() {
            ChangeTag::Delete => lines.push(Line::Removed(text)),
            ChangeTag::Insert => lines.push(Line::Added(text)),
            // Only what differs is in the texts; an equal line would be two values of one data, shown as it is.
            ChangeTag::Equal => lines.push(Line::Head(format!(" {text}"))),
        }
    }
    lines
}

/// A value's lines: the `.reg` line, and a comment that says what hex digits mean. Absent: none.
fn text(name: &ValueName, data: Option<&Data>) -> String {
    let Some(data) = data else { return String::new() };
    let name = one_line(&notation::value_name(name));
    let mut out = format!("{name}={}\n", shortened(data));
    if let Some(comment) = comment(data) {
        out.push_str(&format!("; {}\n", one_line(&comment)));
    }
    out
}

/// Bytes of a REG_SZ that is still shown as text in whole: its notation is what people read.
const LONGEST_TEXT: usize = 512;

/// Whether the notation shows the whole data.
fn is_shown_whole(data: &Data) -> bool {
    let is_text = data.value_type == ValueType::SZ && matches!(data.decode(), Decoded::Text(_));
    data.bytes.len() <= if is_text { LONGEST_TEXT } else { LONGEST }
}

fn shortened(data: &Data) -> String {
    if is_shown_whole(data) {
        return one_line(&notation::data(data));
    }
    let half = 16;
    let (first, last) = (&data.bytes[..half], &data.bytes[data.bytes.len() - half..]);
    format!(
        "{}{},…,{} ({} bytes, sha256 {})",
        notation::hex_prefix(data.value_type),
        notation::hex_list(first),
        notation::hex_list(last),
        data.bytes.len(),
        crate::plan::file::sha256(&data.bytes),
    )
}

/// What the digits mean, where the notation does not show it.
fn comment(data: &Data) -> Option<String> {
    let cut = |text: String| match text.char_indices().nth(200) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    };
    match data.decode() {
        Decoded::Malformed(why) => Some(format!("{}, malformed: {why}", data.value_type)),
        Decoded::Text(text)
            if data.value_type != ValueType::SZ || !is_shown_whole(data) || text.contains(['\n', '\r']) =>
        {
            Some(cut(format!("{} {}", data.value_type, notation::quoted(&text))))
        }
        Decoded::List(list) => {
            let items: Vec<_> = list.iter().map(|item| notation::quoted(item)).collect();
            Some(cut(format!("{} [{}]", data.value_type, items.join(", "))))
        }
        Decoded::Number(number) if data.value_type != ValueType::DWORD => {
            Some(format!("{} 0x{number:x}", data.value_type))
        }
        Decoded::Bytes if data.value_type.0 > ValueType::QWORD.0 => Some(format!("type 0x{:x}", data.value_type.0)),
        _ => None,
    }
}

/// How many keys and values changes create, update and delete, as a sentence.
pub(super) fn count<'a>(changes: impl IntoIterator<Item = &'a KeyChange>) -> String {
    let mut counts = std::collections::BTreeMap::new();
    for change in changes {
        if change.action != Action::Update {
            *counts.entry((0, "key", change.action)).or_insert(0) += 1;
        }
        for value in &change.values {
            *counts.entry((1, "value", value.action())).or_insert(0) += 1;
        }
    }
    let parts = counts.into_iter().map(|((_, what, action), n)| {
        let plural = if n == 1 { "" } else { "s" };
        let done = match action {
            Action::Create => "to create",
            Action::Update => "to update",
            Action::Delete => "to delete",
        };
        format!("{n} {what}{plural} {done}")
    });
    parts.collect::<Vec<_>>().join(", ")
}
