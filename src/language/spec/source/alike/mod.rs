//! Recognizes YAML text that the crates saphyr-parser and yaml_serde certainly read in the same way. Then kbfix uses
//! only one of them, which saves time.
//!
//! Most specs consist of a few forms of lines: a field, an item of a list, a comment, and the lines of a block scalar.
//! All versions of YAML define these forms in the same way. kbfix reads any other text (for example with tags, tabs,
//! quoted scalars of several lines, or most escapes) with both parsers and compares the results. This module is not a
//! parser: it accepts less than YAML, and returns no data. A test compares both parsers on accepted texts.

/// The maximum length of a field name that is accepted, in bytes. YAML parsers support at least 1024 characters.
const MOST_NAME: usize = 1000;

/// The maximum number of lists and mappings in brackets (`[…]` or `{…}`) that an accepted text nests in each other.
const MOST_DEPTH: usize = 16;

/// Returns whether the parsers saphyr-parser and yaml_serde certainly read the text in the same way, provided that one
/// of them accepts it.
pub(in crate::spec) fn is_certain(text: &str) -> bool {
    // The parsers disagree about the end of a block in the last line if there is no line break.
    let Some(text) = text.strip_suffix('\n') else { return false };
    let bytes = text.as_bytes();
    if memchr::memchr(b'\t', bytes).is_some() {
        return false;
    }
    let has_returns = memchr::memchr(b'\r', bytes).is_some();
    let mut lines = Lines { open: Vec::new(), waits: false, unquoted: None, block: None, has_returns };
    let mut from = 0;
    let ends = memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]);
    ends.into_iter().all(|end| lines.accepts(&bytes[std::mem::replace(&mut from, end + 1)..end]))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Mapping,
    List,
}

/// The state after the lines that were read so far: the mappings, lists and block scalar that have not ended yet.
struct Lines {
    /// The mappings and lists that have not ended, each with the column in which its fields or items begin.
    open: Vec<(usize, Kind)>,
    /// Whether the last line ended with the name of a field, so that the next line may contain its data.
    waits: bool,
    /// If the last line ended with an unquoted scalar, which the next line may continue: the column of the mapping or
    /// list that contains the scalar. Otherwise `None`.
    unquoted: Option<usize>,
    block: Option<Block>,
    /// Whether the text contains a carriage return.
    has_returns: bool,
}

/// A block scalar, which begins with `|` or `>`.
struct Block {
    /// The column, from 0, of the mapping or list whose field or item is the block scalar.
    parent: usize,
    /// The number of spaces before the first line of the block scalar; `None` if this line was not read yet.
    column: Option<usize>,
    is_folded: bool,
}

impl Lines {
    fn accepts(&mut self, line: &[u8]) -> bool {
        let line = if self.has_returns { line.strip_suffix(b"\r").unwrap_or(line) } else { line };
        let column = line.iter().take_while(|byte| **byte == b' ').count();
        let rest = &line[column..];
        if self.has_returns && rest.contains(&b'\r') || line.last() == Some(&b' ') {
            return false;
        }
        if let Some(accepted) = self.of_block(column, rest) {
            return accepted;
        }
        let unquoted = self.unquoted.take();
        if rest.is_empty() || rest[0] == b'#' {
            return true;
        }
        if unquoted.is_some_and(|parent| column > parent) {
            self.unquoted = unquoted;
            return plain(rest, false) == Some(rest.len());
        }
        self.content(column, rest).is_some()
    }

    /// Returns whether the next line, which belongs to the open block scalar, is accepted. Returns `None` if no block
    /// scalar is open, or if it ends before this line. (A block scalar that ends without any line is not accepted:
    /// `Some(false)`.) `column` is the number of spaces before `rest`, the text of the line.
    fn of_block(&mut self, column: usize, rest: &[u8]) -> Option<bool> {
        let block = self.block.as_mut()?;
        if rest.is_empty() {
            // Empty lines before the first line would belong to the text.
            return Some(block.column.is_some());
        }
        if column <= block.parent {
            let is_empty = block.column.is_none();
            self.block = None;
            return is_empty.then_some(false);
        }
        let first = *block.column.get_or_insert(column);
        // In a folded block, lines that are indented further are not joined.
        Some(column == first || column > first && !block.is_folded)
    }

    /// Reads a line with a field or an item of a list. `rest` is the text of the line, which begins at `column` (from
    /// 0). Returns `None` if the line is not accepted.
    fn content(&mut self, mut column: usize, mut rest: &[u8]) -> Option<()> {
        let is_dash = |rest: &[u8]| rest.starts_with(b"- ");
        // The data of the field in the last line.
        if self.waits && matches!(rest.first(), Some(b'{' | b'[')) && column > self.open.last()?.0 {
            self.waits = false;
            return ends(&rest[data(rest, 0)?..]);
        }
        self.place(column, if is_dash(rest) { Kind::List } else { Kind::Mapping })?;
        let first = column;
        while is_dash(rest) {
            if column > first {
                self.open.push((column, Kind::List));
            }
            (column, rest) = (column + 2, &rest[2..]);
        }
        let value = match name(rest) {
            Some(length) => {
                if column > first {
                    self.open.push((column, Kind::Mapping));
                }
                trimmed(&rest[length..])
            }
            // Only an item is data without a name.
            None if column > first => rest,
            None => return None,
        };
        let value = after_anchor(value)?;
        self.waits = matches!(value.first(), None | Some(b'#')) && value.len() < rest.len();
        if self.waits {
            return Some(());
        }
        match value.first()? {
            b'|' | b'>' => {
                let is_folded = value[0] == b'>';
                if !matches!(&value[1..], b"" | b"-") {
                    return None;
                }
                self.block = Some(Block { parent: self.open.last()?.0, column: None, is_folded });
                Some(())
            }
            first => {
                let end = data(value, 0)?;
                let is_unquoted = !b"'\"*[{".contains(first);
                self.unquoted = (is_unquoted && end == value.len()).then_some(self.open.last()?.0);
                ends(&value[end..])
            }
        }
    }

    /// Prepares for a field (`kind` is a mapping) or an item (`kind` is a list) in this column: closes the mappings and
    /// lists that end before it, and opens a new one if necessary. Returns `None` if a field or item is not accepted
    /// there.
    fn place(&mut self, column: usize, kind: Kind) -> Option<()> {
        let before = self.open.len();
        while self.open.last().is_some_and(|(open, _)| *open > column) {
            self.open.pop();
        }
        let is_child = self.waits && self.open.len() == before || before == 0;
        match (self.open.last().copied(), kind) {
            (Some((open, of)), _) if open == column && of == kind => Some(()),
            // A list can begin in the column of the field that it is the data of.
            (Some((open, Kind::Mapping)), Kind::List) if open == column && is_child => {
                self.open.push((column, kind));
                Some(())
            }
            (Some((open, Kind::List)), Kind::Mapping) if open == column => {
                self.open.pop();
                (self.open.last() == Some(&(column, kind))).then_some(())
            }
            (Some((open, _)), _) if open == column => None,
            _ if is_child => {
                self.open.push((column, kind));
                Some(())
            }
            _ => None,
        }
    }
}

/// Returns the length of the field name at the beginning of `text`, with its colon, in bytes; `None` if there is no
/// field name that is accepted.
fn name(text: &[u8]) -> Option<usize> {
    let end = match text.first()? {
        b'\'' | b'"' => quoted(text)?,
        _ => plain(text, false)?,
    };
    let is_name = text.get(end) == Some(&b':') && matches!(text.get(end + 1), None | Some(b' '));
    (is_name && end <= MOST_NAME).then_some(end + 1)
}

fn trimmed(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| **byte == b' ').count()..]
}

/// Returns `text` without the anchor (`&name`) and the spaces at its beginning; all of `text` if it does not begin with
/// an anchor. Returns `None` if the anchor is not accepted.
fn after_anchor(text: &[u8]) -> Option<&[u8]> {
    if text.first() != Some(&b'&') {
        return Some(text);
    }
    let rest = &text[label(text)?..];
    matches!(rest.first(), None | Some(b' ')).then(|| trimmed(rest))
}

/// Returns the length of the anchor (`&name`) or alias (`*name`) at the beginning of `text`, in bytes; `None` if its
/// name does not begin with an ASCII letter, a digit or `_`.
fn label(text: &[u8]) -> Option<usize> {
    let length = text[1..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    (length > 0).then_some(length + 1)
}

/// Returns `Some` if the rest of a line is empty or a comment, otherwise `None`.
fn ends(rest: &[u8]) -> Option<()> {
    (rest.is_empty() || rest[0] == b' ' && trimmed(rest).first() == Some(&b'#')).then_some(())
}

/// Returns the length of the data at the beginning of `text`, in bytes: a scalar, an alias, or a list or mapping in
/// brackets. `depth` is the number of open brackets around the data. Returns `None` if the data is not accepted.
fn data(text: &[u8], depth: usize) -> Option<usize> {
    match text.first()? {
        b'\'' | b'"' => quoted(text),
        b'*' => label(text),
        b'[' | b'{' if depth < MOST_DEPTH => brackets(text, depth + 1),
        _ => {
            let end = plain(text, depth > 0)?;
            (text.get(end) != Some(&b':')).then_some(end)
        }
    }
}

/// Returns the length of the quoted scalar at the beginning of `text`, in bytes. Returns `None` if the scalar does not
/// end in this line, or is in double quotes and has an escape other than `\\` and `\"`.
fn quoted(text: &[u8]) -> Option<usize> {
    let quote = *text.first()?;
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'\\' if quote == b'"' => match text.get(at + 1)? {
                b'\\' | b'"' => at += 2,
                _ => return None,
            },
            byte if *byte == quote && quote == b'\'' && text.get(at + 1) == Some(&quote) => at += 2,
            byte if *byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// Returns the length in bytes of the unquoted scalar at the beginning of `text`, without spaces at its end. Returns
/// `None` if there is none, or if the YAML parsers could read it differently.
fn plain(text: &[u8], is_in_brackets: bool) -> Option<usize> {
    let is_first = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80 || b"\\./(_$+^~;<=".contains(&byte);
    let first = *text.first()?;
    if !(is_first(first) || first == b'-' && text.get(1).is_some_and(u8::is_ascii_alphanumeric)) {
        return None;
    }
    if !is_in_brackets {
        // Only a comment, or the colon after a field name, ends the scalar.
        let is_end = |at: &usize| match text[*at] {
            b'#' => text[at - 1] == b' ',
            _ => matches!(text.get(at + 1), None | Some(b' ')),
        };
        let end = memchr::memchr2_iter(b'#', b':', text).find(is_end).unwrap_or(text.len());
        return Some(text[..end].trim_ascii_end().len());
    }
    let mut end = 1;
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            b' ' => continue,
            b'#' if text[at - 1] == b' ' => break,
            b':' => match text.get(at + 1) {
                None | Some(b' ') => break,
                Some(next) if next.is_ascii_alphanumeric() || b"\\/".contains(next) => {}
                Some(_) => return None,
            },
            b',' | b']' | b'}' => break,
            b'[' | b'{' => return None,
            _ => {}
        }
        end = at + 1;
    }
    Some(end)
}

/// Returns the length of the list or mapping in brackets at the beginning of `text`, in bytes. Returns `None` if the
/// list or mapping does not end in this line, or contains something that is not accepted.
fn brackets(text: &[u8], depth: usize) -> Option<usize> {
    let is_mapping = *text.first()? == b'{';
    let close = if is_mapping { b'}' } else { b']' };
    let skip = |at: usize| at + text[at..].iter().take_while(|byte| **byte == b' ').count();
    let mut at = skip(1);
    if text.get(at) == Some(&close) {
        return Some(at + 1);
    }
    loop {
        if is_mapping {
            at += name_in_brackets(&text[at..])?;
            at = skip(at);
        }
        at = text.len() - after_anchor(text.get(at..)?)?.len();
        at = skip(at + data(&text[at..], depth)?);
        match text.get(at)? {
            b',' => at = skip(at + 1),
            byte if *byte == close => return Some(at + 1),
            _ => return None,
        }
    }
}

/// Returns the length of the field name at the beginning of `text`, inside brackets, with its colon and the space after
/// it, in bytes; `None` if there is no field name that is accepted.
fn name_in_brackets(text: &[u8]) -> Option<usize> {
    let end = match text.first()? {
        b'\'' | b'"' => quoted(text)?,
        _ => plain(text, true)?,
    };
    (text.get(end..end + 2) == Some(b": ") && end <= MOST_NAME).then_some(end + 2)
}

#[cfg(test)]
mod tests;
