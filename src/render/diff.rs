//! Formats the change of one key as a section (hunk) of a unified diff, in `.reg` notation.

use similar::ChangeTag;

use crate::{
    diag::number_of,
    registry::{
        Data, Decoded, ValueName, ValueType,
        notation::{self, one_line},
    },
    targets::{ChangeAction, KeyChange, ValueChange},
};

use super::{edits::edits, long_data};

/// The maximum length, in bytes, of data whose hex digits are shown in full. Of longer data, only the first and the
/// last 16 bytes are shown, with the length and the SHA-256. [`LONGEST_TEXT`] names exceptions.
const LONGEST: usize = 96;
/// The maximum length, in bytes, of a REG_SZ that is shown in full. It is also the limit for new data in hex digits:
/// the new data of a value that is created or whose type changes, if this data is neither a string nor a list.
const LONGEST_TEXT: usize = 16 << 10;

/// A line of a hunk, the part of a diff that shows the change of one key.
pub(super) enum Line {
    /// The heading with the key: `@@ [HKEY_…] @@`.
    Head(String),
    /// A removed line, without its `-`.
    Removed(String),
    /// An added line, without its `+`.
    Added(String),
    /// An unchanged line of a value that has changes in other lines, without its leading space.
    Same(String),
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Head(text) => f.write_str(text),
            Self::Removed(text) => write!(f, "-{text}"),
            Self::Added(text) => write!(f, "+{text}"),
            Self::Same(text) => write!(f, " {text}"),
        }
    }
}

/// Returns the lines that show the change of one key.
pub(super) fn hunk(change: &KeyChange) -> Vec<Line> {
    let view = match change.key.view {
        crate::registry::View::Bits64 => "",
        crate::registry::View::Bits32 => " 32-bit view",
    };
    let key = one_line(&format!("[{}]", change.key.path.to_long()));
    let mut lines = vec![Line::Head(format!("@@ {key}{view} @@"))];
    let (mut before, mut after) = (Vec::new(), Vec::new());
    match change.action {
        ChangeAction::Create => after.push(key),
        ChangeAction::Delete => before.push(key),
        ChangeAction::Update => {}
    }
    for value in &change.values {
        if change.sensitive.contains(&value.name) {
            let (was, is) = hidden(value);
            before.extend(was);
            after.extend(is);
            continue;
        }
        let (was, is) = (value.before.as_ref(), value.after.as_ref());
        if [was, is].into_iter().flatten().any(Data::is_not_configured) {
            let (old, new) = (of_policy(&value.name, was), of_policy(&value.name, is));
            before.extend(if was.is_some_and(Data::is_not_configured) { Vec::new() } else { old });
            after.extend(new);
            continue;
        }
        let (old, new) = differing(was, is);
        let old = text(&value.name, was, false, old);
        let new = text(&value.name, is, was.map(|was| was.value_type) != is.map(|is| is.value_type), new);
        if old.iter().any(|line| new.contains(line)) {
            flush(&mut before, &mut after, &mut lines);
            let ops = edits(&old, &new);
            lines.extend(ops.iter().flat_map(|op| op.iter_changes(&old, &new)).map(|one| match one.tag() {
                ChangeTag::Delete => Line::Removed(one.value()),
                ChangeTag::Insert => Line::Added(one.value()),
                ChangeTag::Equal => Line::Same(one.value()),
            }));
        } else {
            before.extend(old);
            after.extend(new);
        }
    }
    flush(&mut before, &mut after, &mut lines);
    lines
}

/// Returns the lines for the state of a value in a policy file: its data, a comment if the value is not configured, or
/// `NAME=-` if `state` is `None`, which means that Group Policy deletes the value.
fn of_policy(name: &ValueName, state: Option<&Data>) -> Vec<String> {
    let shown = one_line(&notation::value_name(name));
    match state {
        None => vec![format!("{shown}=-")],
        Some(data) if data.is_not_configured() => vec![format!("; {shown}: {}", notation::NOT_CONFIGURED)],
        data => text(name, data, true, Vec::new()),
    }
}

/// Returns the removed line and the added line for a value whose data is sensitive; `None` for the removed line if the
/// value was absent, and for the added line if it will be absent. The lines show the type of the data and whether the
/// data differs, but not the data.
fn hidden(value: &ValueChange) -> (Option<String>, Option<String>) {
    let name = one_line(&notation::value_name(&value.name));
    let line = |data: &Data, more: &str| match data.is_not_configured() {
        true => format!("; {name}: {}", notation::NOT_CONFIGURED),
        false => format!("{name}=({}, hidden{more})", data.value_type),
    };
    let differs = if value.before.is_some() { "; it differs" } else { "" };
    (value.before.as_ref().map(|data| line(data, "")), value.after.as_ref().map(|data| line(data, differs)))
}

/// Moves the collected lines to `lines`: the lines in `before` as removed, then the lines in `after` as added.
fn flush(before: &mut Vec<String>, after: &mut Vec<String>, lines: &mut Vec<Line>) {
    lines.extend(before.drain(..).map(Line::Removed));
    lines.extend(after.drain(..).map(Line::Added));
}

/// Returns the lines for a value: the `.reg` line, comments with the meaning of the data, and the differences `parts`
/// as comments. If `is_new` is true, [`LONGEST_TEXT`] is the limit for hex digits that are shown in full. Returns no
/// lines if `data` is `None`, which means that the value is absent.
fn text(name: &ValueName, data: Option<&Data>, is_new: bool, parts: Vec<String>) -> Vec<String> {
    let Some(data) = data else { return Vec::new() };
    // New bytes are shown in full, because they are shown nowhere else.
    let is_bytes = !matches!(data.decode(), Decoded::Text(_) | Decoded::List(_));
    let whole = is_shown_whole(data) || (is_new && is_bytes && data.bytes.len() <= LONGEST_TEXT);
    let digits = if whole { one_line(&notation::data(data)) } else { shortened(data) };
    let mut lines = vec![format!("{}={digits}", one_line(&notation::value_name(name)))];
    lines.extend(comment(data).into_iter().chain(parts).map(|comment| format!("; {}", one_line(&comment))));
    lines
}

/// Returns the differing parts of the data before and after a change, if one of the two is too long to be shown in
/// full. Returns no parts if both are short, if one is absent, or if their types differ.
fn differing(before: Option<&Data>, after: Option<&Data>) -> long_data::Lines {
    let (Some(before), Some(after)) = (before, after) else { return long_data::Lines::default() };
    let is_hidden = |data: &Data| match data.decode() {
        Decoded::Text(_) | Decoded::List(_) => data.bytes.len() > LONGEST_TEXT,
        _ => data.bytes.len() > LONGEST,
    };
    if before.value_type != after.value_type || !(is_hidden(before) || is_hidden(after)) {
        return long_data::Lines::default();
    }
    match (before.decode(), after.decode()) {
        (Decoded::Text(before), Decoded::Text(after)) => long_data::text(&before, &after),
        (Decoded::List(before), Decoded::List(after)) => long_data::list(&before, &after),
        _ => long_data::bytes(&before.bytes, &after.bytes),
    }
}

/// Returns whether the data is short enough that its `.reg` line shows it in full, even if the data is not new.
fn is_shown_whole(data: &Data) -> bool {
    // In `.reg` notation, a REG_SZ is readable text.
    let is_text = data.value_type == ValueType::SZ && matches!(data.decode(), Decoded::Text(_));
    data.bytes.len() <= if is_text { LONGEST_TEXT } else { LONGEST }
}

fn shortened(data: &Data) -> String {
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

/// Returns comments with the meaning of data that is hard to read in `.reg` notation; empty if none are needed. A list
/// of more than [`LONGEST`] bytes gets a comment for each string; but a string or list of more than [`LONGEST_TEXT`]
/// bytes gets only one comment, cut after 200 characters.
fn comment(data: &Data) -> Vec<String> {
    let is_long = data.bytes.len() > LONGEST_TEXT;
    let cut = |text: String| match text.char_indices().nth(200) {
        Some((at, _)) if is_long => format!("{}…", &text[..at]),
        _ => text,
    };
    let one = match data.decode() {
        _ if data.is_not_configured() => notation::NOT_CONFIGURED.to_owned(),
        Decoded::Malformed(why) => format!("{}, malformed: {why}", data.value_type),
        Decoded::Text(text)
            if data.value_type != ValueType::SZ || !is_shown_whole(data) || text.contains(['\n', '\r']) =>
        {
            cut(format!("{} {}", data.value_type, notation::quoted(&text)))
        }
        Decoded::List(list) => {
            let items: Vec<_> = list.iter().map(|item| notation::quoted(item)).collect();
            if !is_shown_whole(data) && !is_long {
                let head = format!("{} of {} strings", data.value_type, items.len());
                return [head].into_iter().chain(items.into_iter().map(|item| format!("  {item}"))).collect();
            }
            cut(format!("{} [{}]", data.value_type, items.join(", ")))
        }
        Decoded::Number(number) if data.value_type != ValueType::DWORD => {
            format!("{} 0x{number:x}", data.value_type)
        }
        Decoded::Bytes if data.value_type.0 > ValueType::QWORD.0 => format!("type 0x{:x}", data.value_type.0),
        _ => return Vec::new(),
    };
    vec![one]
}

/// Returns the meaning of data on one line, cut after 200 characters for a string or list of more than [`LONGEST_TEXT`]
/// bytes; `None` if `.reg` notation itself is readable, or if there is no other form, as for REG_BINARY.
pub(super) fn readable(data: &Data) -> Option<String> {
    if let (Decoded::List(list), true) = (data.decode(), data.bytes.len() <= LONGEST_TEXT) {
        let items: Vec<_> = list.iter().map(|item| notation::quoted(item)).collect();
        return Some(one_line(&format!("{} [{}]", data.value_type, items.join(", "))));
    }
    comment(data).first().map(|line| one_line(line))
}

/// Returns the number of keys that are created or deleted, and of values that are created, updated or deleted, such as
/// `1 key to create, 2 values to update`; empty if there are no changes.
pub(super) fn count<'a>(changes: impl IntoIterator<Item = &'a KeyChange>) -> String {
    let mut counts = std::collections::BTreeMap::new();
    for change in changes {
        if change.action != ChangeAction::Update {
            *counts.entry((0, "key", change.action)).or_insert(0) += 1;
        }
        for value in &change.values {
            *counts.entry((1, "value", value.action())).or_insert(0) += 1;
        }
    }
    let parts = counts.into_iter().map(|((_, what, action), n)| {
        let done = match action {
            ChangeAction::Create => "to create",
            ChangeAction::Update => "to update",
            ChangeAction::Delete => "to delete",
        };
        format!("{} {done}", number_of(n, what))
    });
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::render::diff::*;
    use crate::{registry::Key, targets::ValueChange};

    fn shown(before: Option<Data>, after: Option<Data>) -> String {
        let values = vec![ValueChange { name: ValueName::new("v").unwrap(), before, after }];
        let key = Key { path: r"HKLM\SOFTWARE\K".parse().unwrap(), view: crate::registry::View::Bits64 };
        crate::render::changes([&KeyChange::new(key, ChangeAction::Update, values)])
    }

    #[test]
    fn the_middle_of_a_long_text_is_shown() {
        let path = |middle: &str| format!(r"%SystemRoot%\{}{middle}{}", "a;".repeat(170), "b;".repeat(170));
        let expand = |text: &str| Data { value_type: ValueType::EXPAND_SZ, ..Data::sz(text) };
        for of in [expand, Data::sz] {
            let shown = shown(Some(of(&path("old"))), Some(of(&path("new"))));
            assert!(shown.contains("a;oldb;") && shown.contains("a;newb;"), "{shown}");
        }
        let path = |middle: &str| format!("{}{middle}{}", "a;".repeat(9000), "b;".repeat(9000));
        let shown = shown(Some(Data::sz(&path("old"))), Some(Data::sz(&path("new"))));
        assert!(shown.contains("-; at character 18001: \"a;a;a;a;[old]b;b;b;b;\""), "{shown}");
        assert!(shown.contains("+; at character 18001: \"a;a;a;a;[new]b;b;b;b;\""), "{shown}");
        assert!(shown.len() < 2000, "{}", shown.len());
    }

    #[test]
    fn a_long_list_is_shown_string_by_string() {
        let list = |middle: &str| {
            Data::multi_sz(["first", "second and rather long", middle, "fourth and the last one of all"])
        };
        let shown = shown(Some(list("third")), Some(list("other")));
        let lines: Vec<_> = shown.lines().filter(|line| line.contains("; ")).collect();
        assert_eq!(
            lines,
            [
                " ; REG_MULTI_SZ of 4 strings",
                r#" ;   "first""#,
                r#" ;   "second and rather long""#,
                r#"-;   "third""#,
                r#"+;   "other""#,
                r#" ;   "fourth and the last one of all""#,
            ]
        );
    }

    #[test]
    fn the_parts_of_long_binary_data_that_differ_are_shown_and_new_data_is_whole() {
        let bytes =
            |at: u8| Data::new(ValueType::BINARY, (0..200).map(|n| if n == 100 { at } else { n }).collect::<Vec<u8>>());
        let both = shown(Some(bytes(100)), Some(bytes(0xff)));
        assert!(both.contains("-; at 0x0064: 5c,5d,5e,5f,60,61,62,63,[64],65,66,67,68,69,6a,6b,6c"), "{both}");
        assert!(both.contains("+; at 0x0064: 5c,5d,5e,5f,60,61,62,63,[ff],65,66,67,68,69,6a,6b,6c"), "{both}");
        let new = shown(None, Some(bytes(0xff)));
        assert!(new.contains(",63,ff,65,") && !new.contains("sha256"), "{new}");
        let gone = shown(Some(bytes(0xff)), None);
        assert!(gone.contains("(200 bytes, sha256 "), "{gone}");
    }
}
