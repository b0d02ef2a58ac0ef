//! Finds suspicious characters in names, such as those of keys, values, files, services and event logs. A copy from a
//! web page or document often adds or changes such characters.

use unicode_script::{Script, UnicodeScript};

use crate::{
    diag::{Code, text::shorten},
    registry::notation,
};

use super::{Context, Part, Path};

/// Warns about suspicious characters in a name: tabs and line breaks, spaces at its ends, invisible characters, and
/// characters that look like others.
pub(super) fn check(cx: &mut Context<'_>, name: &str, path: &Path, part: Part) {
    tab_or_line_break(cx, name, path, part);
    check_in_path(cx, name, path, part);
}

/// Warns as [`check`] does, except about tabs and line breaks. In a key or in the path of a file, these are errors.
pub(super) fn check_in_path(cx: &mut Context<'_>, name: &str, path: &Path, part: Part) {
    // Almost every name has only visible ASCII characters and spaces.
    if !name.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        lookalike(cx, name, path, part);
    }
    if name.starts_with(' ') || name.ends_with(' ') {
        let message = format!("`{}` begins or ends with a space, which is part of the name", shorten(name));
        cx.warning_within(
            Code::OUTER_SPACE,
            path,
            part,
            name,
            message,
            "remove the space, unless the name in the registry has it",
        );
    }
}

/// Warns about a tab or a line break in the name, if there is one. The check of escapes in double quotes reports other
/// control characters.
fn tab_or_line_break(cx: &mut Context<'_>, name: &str, path: &Path, part: Part) {
    let what = match name.chars().find(|c| matches!(c, '\t' | '\n' | '\r')) {
        Some('\t') => "a tab",
        Some(_) => "a line break",
        None => return,
    };
    let message = format!("`{}` contains {what}, which is part of the name", shorten(name));
    cx.warning(Code::LOOKALIKE, path, part, message, "remove it, unless the name on the machine has it");
}

/// Warns about a character in the name that is invisible or looks like another character, if there is one.
fn lookalike(cx: &mut Context<'_>, name: &str, path: &Path, part: Part) {
    if let Some((odd, what, hint)) = odd_character(name) {
        let message = format!("`{}` contains the character U+{:04X}, {what}", shorten(name), u32::from(odd));
        cx.warning_within(Code::LOOKALIKE, path, part, name, message, hint);
    } else if let Some((letter, script)) = foreign_letter(name) {
        let message =
            format!("`{}` contains the {script} letter U+{:04X} among Latin letters", shorten(name), u32::from(letter));
        let hint = "type the name again, or copy it from a registry that contains it";
        cx.warning_within(Code::LOOKALIKE, path, part, name, message, hint);
    }
}

/// Finds the first character that is invisible, or looks like a character on the keyboard, such as a dash that looks
/// like `-`. Returns the character, a description and a hint; `None` if there is no such character.
fn odd_character(name: &str) -> Option<(char, &'static str, &'static str)> {
    name.chars().find_map(|c| {
        let (what, hint) = match c {
            ' ' => return None,
            _ if c.is_whitespace() && !c.is_control() => ("which looks like a space but is not one", "write a space"),
            _ if notation::is_unseen(c) && !c.is_control() => ("which is invisible", "remove it"),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => ("which looks like `-` but is another character", "write `-`"),
            '\u{2018}'..='\u{201b}' => ("a curly quote", "write `'`"),
            '\u{201c}'..='\u{201f}' => ("a curly quote", "write `\"`"),
            '\u{2044}' | '\u{2215}' => ("which looks like a slash but is not one", "write `/`"),
            '\u{2216}' | '\u{29f5}' | '\u{fe68}' => {
                ("which looks like a backslash but is not one", "write a backslash")
            }
            '\u{ff01}'..='\u{ff5e}' => ("a full-width character", "write the ordinary character"),
            _ => return None,
        };
        Some((c, what, hint))
    })
}

/// Finds the first Cyrillic, Greek, Armenian or Cherokee letter in a word that also has Latin letters. Returns the
/// letter and the name of its script; `None` if there is no such letter.
fn foreign_letter(name: &str) -> Option<(char, &'static str)> {
    let foreign = |c: char| match c.script() {
        Script::Cyrillic => Some("Cyrillic"),
        Script::Greek => Some("Greek"),
        Script::Armenian => Some("Armenian"),
        Script::Cherokee => Some("Cherokee"),
        _ => None,
    };
    let mut words = name.split(|c: char| !c.is_alphanumeric());
    words.find_map(|word| {
        word.chars().find(|c| c.script() == Script::Latin)?;
        word.chars().find_map(|c| Some((c, foreign(c)?)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_one_script_are_not_odd() {
        for name in [
            "Größe",
            "Журнал событий",
            "Имя Windows",
            "名前",
            "Übersicht-2 (x86)",
            "RC4 128/128",
            "日本語IME",
            "µTorrent",
        ] {
            assert_eq!((odd_character(name), foreign_letter(name)), (None, None), "{name}");
        }
    }

    #[test]
    fn characters_that_look_like_others_are() {
        for name in ["a\u{a0}b", "a\u{202f}b", "a\u{200b}b", "a–b", "“a”", "a’s", "Ａ", "\u{feff}a", "128⁄128", "a∖b"]
        {
            assert!(odd_character(name).is_some(), "{name}");
        }
        for name in ["Stаrt", "Ρath", "x MRxSmb10 оwn Nоw"] {
            assert!(foreign_letter(name).is_some(), "{name}");
        }
    }
}
