//! Warns about text that is valid YAML but probably a mistake: a control character for which YAML has an escape with
//! one letter (a tab or line break only in text that looks like a path), and a typographic quote at the beginning of an
//! unquoted scalar, which YAML reads as part of the text.

use crate::{
    diag::{Code, Diagnostic, text::shorten},
    spec::source::{
        findings::{Findings, Part},
        path::{Path, Step},
        text::Spot,
        tree::{Kind, Style, Visited},
    },
};

/// The fields that contain texts for people.
const FOR_PEOPLE: [&str; 8] = ["title", "summary", "notes", "note", "what", "description", "applies_to", "also"];

/// Warns about suspicious text in field names and data, except in texts for people: the data of [`FOR_PEOPLE`], and the
/// meanings in the `allowed` of a parameter.
pub(in crate::spec) fn check(findings: &mut Findings<'_>) {
    let places = findings.places();
    places.walk(&mut |way, visited| match visited {
        Visited::Name(entry) => {
            if !is_harmless(&entry.name) {
                text(findings, &way.path(), &entry.name, (entry.style, entry.spot), Part::Name);
            }
        }
        Visited::Node(node) => {
            if let Kind::Scalar { text: data, style } = &node.kind
                && !is_harmless(data)
            {
                let path = way.path();
                if !is_for_people(&path) {
                    text(findings, &path, data, (*style, node.spot), Part::Data);
                }
            }
        }
    });
}

/// Returns whether the text has only visible ASCII characters, spaces and, unless it looks like a path, line breaks.
fn is_harmless(text: &str) -> bool {
    // Looks at every byte, because many bytes at a time are compared faster than one after the other.
    let is_visible = |byte: u8| matches!(byte, b' '..=b'~');
    text.bytes().fold(true, |all, byte| all & is_visible(byte))
        || text.bytes().fold(true, |all, byte| all & (is_visible(byte) || byte == b'\n')) && !looks_like_path(text)
}

fn is_for_people(path: &Path) -> bool {
    // An item of a list is for people if the list is.
    let last = path.0.len().saturating_sub(match path.0.last() {
        Some(Step::Item(_)) => 2,
        _ => 1,
    });
    // A registry value or a parameter can have the same name as such a field, but it is not such a field.
    let is_name = match last {
        1 => path.field_at(0) == Some("parameters"),
        3 => path.field_at(2) == Some("values"),
        _ => false,
    };
    // In `allowed`, a list contains data, and a mapping contains the meaning of each data.
    let is_meaning = last == 3 && path.field_at(0) == Some("parameters") && path.field_at(2) == Some("allowed");
    is_meaning || !is_name && path.field_at(last).is_some_and(|name| FOR_PEOPLE.contains(&name))
}

/// Warns about `text` if it is suspicious. It is the name or the data (`part`) of the node at `path`; `style` and
/// `spot` say how and where it is written.
fn text(findings: &mut Findings<'_>, path: &Path, text: &str, (style, spot): (Style, Spot), part: Part) {
    let mut warn = |code, message: String, hint: &str| {
        findings.add(Diagnostic::warning(code, message).hint(hint), path, part);
    };
    if style == Style::Plain && text.starts_with(['“', '”', '„', '‘', '’', '‚']) {
        let message = format!("the typographic quotes in `{}` are part of the string", shorten(text));
        warn(Code::CURLY_QUOTES, message, "write straight quotes, \" or ', if they only enclose the string");
    }
    // In a key, such a character is an error and is reported elsewhere.
    let is_key = part == Part::Data && path.last_field() == Some("key");
    // If the string has several lines, a line break in it need not come from an escape.
    let mut escaped = text.chars().filter(|c| *c != '\n' || spot.line == spot.end_line);
    if let Some((c, escape)) = escaped.find_map(|c| Some((c, escape(c)?)))
        && style == Style::DoubleQuoted
        && !is_key
        && (looks_like_path(text) || !matches!(c, '\t' | '\n' | '\r'))
    {
        let message = format!(
            "the text contains the character U+{:04X}; in double quotes, `{escape}` means this character",
            u32::from(c)
        );
        let hint = "if you mean a backslash, write the string in single quotes or without quotes";
        warn(Code::ESCAPED_CHARACTER, message, hint);
    }
}

fn looks_like_path(text: &str) -> bool {
    let mut chars = text.chars();
    let drive = chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next() == Some(':');
    drive || text.starts_with(['%', '{', '\\'])
}

/// Returns the escape with one lower-case letter, such as `\t`, that YAML replaces with the character `c`; `None` if
/// there is no such escape. Source: YAML 1.2.2, 5.7.
fn escape(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\u{b}' => "\\v",
        '\u{c}' => "\\f",
        '\r' => "\\r",
        '\u{1b}' => "\\e",
        _ => return None,
    })
}
