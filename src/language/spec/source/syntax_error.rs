//! Explains to the author of a spec why the text is not valid YAML.
//!
//! The parser reports where it stopped, which can be after the mistake. The functions in this module search the lines
//! around that place for a common mistake.

use crate::diag::text::shorten;

use super::{
    slip::{Line, Slip},
    text::{Spot, Text},
};

/// Returns the author's mistake because of which the parser saphyr-parser stopped at the place `at`. `info` is the
/// error message of the parser. Returns `None` if no common mistake is found.
pub(in crate::spec) fn slip(text: &Text<'_>, at: Spot, info: &str) -> Option<Slip> {
    let line = Line::new(text, at.line);
    let has = |part: &str| info.contains(part);
    if let Some(slip) = line.odd_space(at.column) {
        return Some(slip);
    }
    if has("tab") {
        // The text before the tab may continue on the next line.
        let next = Line::new(text, at.line + 1);
        return next.odd_space(next.chars.iter().take_while(|c| **c == ' ').count() + 1);
    }
    if has("comments must be separated") {
        let hint = "put a space before the `#`; if it belongs to a string, write the string in quotes";
        return Some(line.slip(at.column, 1, "a comment needs a space before its `#`", hint));
    }
    if has("escape") || has("hexadecimal number") {
        return escape(text, at);
    }
    if has("quoted scalar") {
        return match line.at(at.column) {
            Some(quote @ ('"' | '\'')) => Some(line.slip(
                at.column,
                1,
                format!("the string in quotes that begins here does not end where it should ({quote} is missing)"),
                format!("close it with {quote}, and indent its further lines"),
            )),
            _ => line.after_quotes(at.column),
        };
    }
    if has("block sequence entries") || has("\"-\" is only valid") || has("cannot start with '-'") {
        return line.dash(at.column, !has("block sequence entries"));
    }
    if has("wrongly indented line in block scalar") {
        let message = "an empty line before this text has more spaces than the text is indented";
        return Some(line.slip(at.column, 1, message, "remove the spaces from the empty lines before the text"));
    }
    if has("tag") || has("handle") || has("directive") {
        let begin = (1..=at.column).rev().find(|column| matches!(line.at(*column), Some('!' | '%')))?;
        return line.first_character(begin);
    }
    if ["unexpected character", "mapping keys are not allowed", "block scalar"].into_iter().any(has) {
        return line.first_character(at.column);
    }
    if has("anchor") {
        return line.anchor(at.column);
    }
    if has("node content") || has("misplaced bracket") {
        return line.stray(at.column).or_else(|| bracket(text, at));
    }
    if has("flow") || has("illegal placement of ':'") || info == "invalid indentation" {
        return bracket(text, at);
    }
    if has("simple key") {
        return missing_space(text, at);
    }
    if has("mapping values are not allowed") {
        let colon = line.colon_before_bracket().or_else(|| line.second_colon(at.column));
        return colon.or_else(|| too_far(text, at));
    }
    if has("did not find expected '-'") {
        return outdented(text, at);
    }
    if has("did not find expected key") || has("<document start>") {
        return line.after_bracket(at.column).or_else(|| {
            let hint = "begin the fields of a mapping, or the `-` of a list, in one column";
            Some(line.slip(at.column, 1, "this begins neither another field nor another list item", hint))
        });
    }
    None
}

/// Returns the mistake if `info`, the error message of the parser yaml_serde, says that nothing can begin with the
/// character at the place `at`: a block scalar in brackets, or the first character of an unquoted string. Returns
/// `None` for other messages, and if there is no such character.
pub(in crate::spec) fn first_character(text: &Text<'_>, at: Spot, info: &str) -> Option<Slip> {
    let line = Line::new(text, at.line);
    if !info.contains("cannot start any token") || line.at(at.column)?.is_whitespace() {
        return None;
    }
    line.block(at.column).or_else(|| line.first_character(at.column))
}

/// Returns the mistake if the string in double quotes that begins at the place `at` has a backslash that does not begin
/// an escape; otherwise `None`. Source: YAML 1.2.2, 5.7.
fn escape(text: &Text<'_>, at: Spot) -> Option<Slip> {
    let mut column = at.column + 1;
    for number in at.line.. {
        let line = Line::new(text, number);
        if number > at.line && line.text.is_empty() && text.line(number + 1).is_empty() {
            return None;
        }
        while let Some(c) = line.at(column) {
            let next = line.at(column + 1);
            let digits =
                |count: usize| (0..count).all(|i| line.at(column + 2 + i).is_some_and(|c| c.is_ascii_hexdigit()));
            let known = match next {
                Some('x') => digits(2),
                Some('u') => digits(4),
                Some('U') => digits(8),
                Some(next) => "0abt\tnvfre \"/\\N_LP".contains(next),
                None => true,
            };
            match c {
                '\\' if !known => {
                    let message = format!(
                        "in double quotes a backslash begins an escape, and `\\{}` is not a valid escape",
                        next?
                    );
                    let hint =
                        "write the string in single quotes or without quotes, where a backslash has no special meaning";
                    return Some(line.slip(column, 2, message, hint));
                }
                '\\' => column += 2,
                '"' => return None,
                _ => column += 1,
            }
        }
        column = 1;
    }
    None
}

/// Returns the line, the column and the character of the innermost bracket that is open at the place `at`; `None` if no
/// bracket is open.
fn open_bracket(text: &Text<'_>, at: Spot) -> Option<(usize, usize, char)> {
    let mut open: Vec<(usize, usize, char)> = Vec::new();
    for number in 1..=at.line {
        let line = Line::new(text, number);
        let mut quote = None;
        let mut before = ' ';
        for (i, c) in line.chars.iter().copied().enumerate() {
            if number == at.line && i + 1 >= at.column {
                break;
            }
            match (quote, c) {
                (None, '#') if before == ' ' => break,
                // Quotes have a meaning only at the beginning of a scalar.
                (None, '"' | '\'') if matches!(before, ' ' | '{' | '[' | ',') => quote = Some(c),
                (Some(q), c) if q == c && before != '\\' => quote = None,
                (None, '{' | '[') if !open.is_empty() || matches!(before, ' ') => open.push((number, i + 1, c)),
                (None, '}' | ']') => drop(open.pop()),
                _ => {}
            }
            before = c;
        }
    }
    open.pop()
}

/// Returns the mistake in the `{ }` or `[ ]` that is open at the place `at`, such as a missing comma or closing
/// bracket; `None` if no bracket is open.
fn bracket(text: &Text<'_>, at: Spot) -> Option<Slip> {
    let (number, column, open) = open_bracket(text, at)?;
    let close = if open == '{' { '}' } else { ']' };
    let line = Line::new(text, at.line);
    let first = Line::new(text, number);
    let comment = |at: &usize| first.at(*at) == Some('#') && first.at(at - 1) == Some(' ');
    let cuts = |comment: &usize| {
        let before = first.part(column + 1, *comment);
        !before.trim().is_empty() && !before.trim_end().ends_with(',')
    };
    if let Some(comment) = (column + 1..=first.chars.len()).find(comment).filter(cuts) {
        let message = format!("` #` begins a comment, so the `{open}` before it is not closed");
        let hint = format!("put a string with ` #` in it in quotes, or put the comment after `{close}`");
        return Some(first.slip(comment, 1, message, hint));
    }
    let from = if number == at.line { column + 1 } else { 1 };
    if let Some(slip) = line.in_brackets(from, at.column) {
        return Some(slip);
    }
    if number == at.line {
        let end = (1..=at.column).rev().find(|c| line.at(*c) == Some(':')).unwrap_or(at.column);
        let begin = (1..end).rev().find(|c| matches!(line.at(*c), Some(' ' | ',' | '{' | '['))).map_or(1, |c| c + 1);
        let word = line.part(begin, end);
        let before = (1..begin).rev().filter_map(|c| line.at(c)).find(|c| *c != ' ');
        let follows = before.is_some_and(|c| !matches!(c, ',' | '{' | '['));
        if follows && !word.is_empty() && line.at(end) == Some(':') {
            let message = format!("a comma is missing before `{}`", shorten(&word));
            return Some(line.slip(
                begin,
                word.chars().count(),
                message,
                format!("separate the items in `{open} {close}` with commas; a string with `: ` in it needs quotes"),
            ));
        }
    }
    let message = format!("the `{open}` here is not closed, or the text after it has a mistake");
    let hint = format!("close it with `{close}`, separate its items with commas, and indent its further lines");
    Some(first.slip(column, 1, message, hint))
}

/// Returns the last line before the line `number` that is neither empty nor a comment; `None` if there is none.
fn line_before<'t>(text: &Text<'t>, number: usize) -> Option<Line<'t>> {
    let content = |number: &usize| {
        let line = text.line(*number).trim();
        !line.is_empty() && !line.starts_with('#')
    };
    (1..number).rev().find(content).map(|number| Line::new(text, number))
}

/// Returns the mistake for a field at the place `at`, where YAML allows none: it is indented further than the line
/// before, or the line before is not a field ([`missing_space`]). Returns `None` if there is no line before. Empty
/// lines and comments do not count as lines.
fn too_far(text: &Text<'_>, at: Spot) -> Option<Slip> {
    let line = Line::new(text, at.line);
    let indent = line.indent();
    let is_field = |line: &Line<'_>| {
        let ends = |(i, c): (usize, &char)| *c == ':' && line.chars.get(i + 1).is_none_or(|c| c.is_whitespace());
        line.space_after_dash().is_none() && line.chars.iter().enumerate().any(ends)
    };
    let before = line_before(text, at.line);
    // The line before can be an item of a list whose first field lacks a space.
    let is_item = |line: &Line<'_>| line.text.trim_start().starts_with('-');
    if before.is_none_or(|before| before.indent() >= indent || is_item(&before) && !is_field(&before)) {
        return missing_space(text, at);
    }
    let name = line.part(indent + 1, at.column);
    let message = format!("`{}` is indented further than the fields before it", shorten(&name));
    let hint = "indent this field like the fields next to it";
    Some(line.slip(indent + 1, name.chars().count().max(1), message, hint))
}

/// Returns the mistake that the last line before the place `at` is neither a field nor an item of a list. Empty lines
/// and comments do not count. Returns `None` if there is no line before `at`.
///
/// To be called only if the parser found no field in that line. The parser reports this error at `at`, because it
/// notices the error only in the next line.
fn missing_space(text: &Text<'_>, at: Spot) -> Option<Slip> {
    let line = line_before(text, at.line)?;
    if let Some(slip) = line.space_after_dash() {
        return Some(slip);
    }
    let colon = line.chars.iter().position(|c| *c == ':');
    let begin = line.chars.iter().position(|c| !matches!(c, ' ' | '-')).unwrap_or_default() + 1;
    if let Some(colon) = colon
        && line.chars.get(colon + 1).is_some_and(|c| !c.is_whitespace())
    {
        let (name, data): (String, String) = (line.part(begin, colon + 1), line.chars[colon + 1..].iter().collect());
        let hint = format!("write `{}: {}`", shorten(&name), shorten(data.trim_end()));
        return Some(line.slip(colon + 1, 1, "a space is missing after `:`", hint));
    }
    let message = "this line is neither `name: data` nor an item of a list";
    let hint = "indent text of several lines further than its name, and write `|` or `>-` after the name";
    Some(line.slip(begin, line.chars.len().saturating_sub(begin - 1).max(1), message, hint))
}

/// Returns the mistake if the field in the line of `at` is indented less than the first field of the list item before
/// it; otherwise `None`.
fn outdented(text: &Text<'_>, at: Spot) -> Option<Slip> {
    let line = Line::new(text, at.line);
    if let Some(slip) = line.space_after_dash() {
        return Some(slip);
    }
    let item =
        (1..at.line).rev().map(|number| Line::new(text, number)).find(|l| l.text.trim_start().starts_with("- "))?;
    let fields = item.chars.iter().enumerate().skip(item.indent() + 1).find(|(_, c)| **c != ' ')?.0;
    let indent = line.indent();
    let missing = fields.checked_sub(indent).filter(|n| *n > 0)?;
    let name = line.text.trim().split(':').next().unwrap_or_default();
    let message =
        format!("`{}` is not indented like the other fields of the item in line {}", shorten(name), item.number);
    let spaces = if missing == 1 { "1 space".to_owned() } else { format!("{missing} spaces") };
    let hint =
        format!("indent this field, and everything that belongs to it, by {spaces} more; a new item begins with `-`");
    Some(line.slip(indent + 1, name.chars().count().max(1), message, hint))
}

#[cfg(test)]
mod tests {
    use crate::spec::{Settings, load};

    #[test]
    fn each_slip_is_named_where_it_is() {
        for (text, line, column, words) in [
            ("id: a\ntitle: \"HKLM\\SOFTWARE\"\n", 2, 13, "`\\S` is not a valid escape"),
            ("id: a\ntitle: \"\\x4\"\n", 2, 9, "`\\x` is not a valid escape"),
            ("id:\ta\n", 1, 4, "a tab where"),
            ("id: a\n\tb: 1\n", 2, 1, "the indentation contains a tab"),
            ("title: Event ID 1000: it fails\n", 1, 21, "'Event ID 1000: it fails'"),
            ("title: \"abc\nid: x\n", 1, 8, "close it with \""),
            ("title: 'abc\n", 1, 8, "close it with '"),
            ("title: 'Microsoft's fix'\n", 1, 18, "single quotes ends here"),
            ("title: \"a\" b\n", 1, 10, "double quotes ends here"),
            ("a: { b: %SystemRoot%\\x }\n", 1, 9, "write it in quotes: '%SystemRoot%\\x'"),
            ("a:\n  @: x\n", 2, 3, "the default value is written \"\""),
            ("a: *\\SOFTWARE\\A\n", 1, 4, "needs quotes: '*\\SOFTWARE\\A'"),
            ("a: *c\n", 1, 4, "no anchor `c`"),
            ("a: {exchange}\\bin # c\n", 1, 4, "needs quotes: '{exchange}\\bin"),
            ("a: [HKLM\\X]\\Y\n", 1, 4, "needs quotes: '[HKLM\\X]\\Y'"),
            ("a:\n  - b: 1\n  c: 2\n", 3, 3, "by 2 spaces more"),
            ("a: { b: 1 c: 2 }\n", 1, 11, "a comma is missing before `c`"),
            ("a: { b: 1\nc: { d: 2 }\n", 1, 4, "the `{` here is not closed"),
            ("a: [x, y\nb: 1\n", 1, 4, "the `[` here is not closed"),
            ("a: { b: c, d: C#5 #x }\n", 1, 19, "` #` begins a comment"),
            ("a: { b: 1 }# c\n", 1, 12, "put a space before the `#`"),
            ("a: { b: 1, ] }\n", 1, 12, "`]` stands where data is expected"),
            ("a: { b: 1,\n", 1, 4, "is not closed"),
            ("a: |b\n", 1, 4, "write it in quotes: '|b'"),
            ("a: { b: |3\n   c }\n", 1, 9, "a block (`|3`) is not allowed between `{ }` or `[ ]`"),
            ("a: [ >-\n  b ]\n", 1, 6, "a block (`>-`) is not allowed"),
            ("a: [ >=5 ]\n", 1, 6, "write it in quotes: '>=5'"),
            ("a: { b: | }\n", 1, 9, "write it in quotes: '|'"),
            ("a: |0\n  b\n", 1, 4, "write it in quotes: '|0'"),
            ("a: |\n    \n  b\n", 3, 3, "remove the spaces from the empty lines"),
            ("a: - b\n", 1, 4, "a line of its own; a string that begins with `-` needs quotes: '- b'"),
            ("a: [b, - c]\n", 1, 8, "remove the `-`; a string that begins with `-` needs quotes: '- c'"),
            ("a: { b: - c }\n", 1, 9, "an item inside brackets does not begin with `-`"),
            ("a: [-]\n", 1, 5, "remove the `-`"),
            ("a: ? b\n", 1, 4, "write it in quotes: '? b'"),
            ("a: !b!c d\n", 1, 4, "write it in quotes: '!b!c d'"),
            ("a: 1\n%b\n", 2, 1, "write it in quotes: '%b'"),
            ("a:\n  - b: 1\n - c\n", 3, 2, "in one column"),
            ("title:T\nid: x\n", 1, 6, "write `title: T`"),
            ("words without sense\nid: x\n", 1, 1, "neither `name: data`"),
            ("a: 1\n  b: 2\n", 2, 3, "`b` is indented further"),
            ("a:\u{a0}{ b: 1, c: 2 }\n", 1, 3, "U+00A0"),
            ("a:\n  Time Out:{ b: c, d: 1 }\n", 2, 11, "write `Time Out: {`"),
            ("a:\n  - b:{ c: 1, d: 2 }\n", 2, 6, "write `b: {`"),
            ("a:{b: 1, c: 2}\n", 1, 2, "write `a: {`"),
            ("a: { b: 1, c:{ d: 1 } }\n", 1, 13, "write `c: {`"),
            ("a: { b: ':{', c: 1 d: 2 }\n", 1, 20, "a comma is missing before `d`"),
            ("a: b:{ c: d: 2\n", 1, 9, "'b:{ c: d: 2'"),
            ("a:\n  - b:HKCU\\X\n    c:\n      d: 1\n", 2, 6, "write `b: HKCU\\X`"),
            ("a:\n  -b: HKCU\\X\n    c:\n      d: 1\n", 2, 3, "write `- b: HKCU\\X`"),
            ("a:\n  - b: 1\n    c: 2\n  -b: 3\n    c: 4\n", 4, 3, "write `- b: 3`"),
            ("a:\n  - { b: {c}\\d.dll, e: 1 }\n", 2, 10, "needs quotes: '{c}\\d.dll'"),
            ("a: [ {c}\\{d}, '{e}\\f' ]\n", 1, 6, "needs quotes: '{c}\\{d}'"),
            ("a: {\n  b: {c}\\d }\n", 2, 6, "needs quotes: '{c}\\d'"),
            ("a: { b: '{c}d, {e}f', h: 1 g: 1 }\n", 1, 28, "a comma is missing before `g`"),
            ("a: { b: 'c''s, {e}f', h: 1 g: 1 }\n", 1, 28, "a comma is missing before `g`"),
            ("a: { b: \"c\\\", {e}f\", h: 1 g: 1 }\n", 1, 27, "a comma is missing before `g`"),
        ] {
            let loaded = load("x", text.as_bytes(), &Settings::new());
            let [found] = loaded.diagnostics.as_slice() else { panic!("{text}: {:#?}", loaded.diagnostics) };
            let place = found.place.as_ref().unwrap();
            let said = format!("{} / {}", found.message, found.hint.as_deref().unwrap_or_default());
            assert_eq!((found.code.as_str(), place.line, place.column), ("yaml-syntax", line, column), "{text}{said}");
            assert!(said.contains(words), "{text}{said}");
        }
    }
}
