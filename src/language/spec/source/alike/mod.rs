//! Recognizes text that both YAML parsers certainly read alike, so that one of them is enough.
//!
//! Most specs consist of lines in a few forms: a field, an item of a list, a comment, and lines of a block scalar. For
//! these forms, the versions of YAML say the same. Any other text is read by both parsers, whose results are compared:
//! tags, tabs, quoted scalars of several lines, most escapes, and everything else that is not listed here.
//! This is not a parser: it accepts less than YAML, and gives no data. A test compares both parsers on accepted texts.

/// The maximum length of a field name, in bytes. YAML requires at least 1024 characters.
const MOST_NAME: usize = 1000;

/// The maximum nesting depth of brackets.
const MOST_DEPTH: usize = 16;

/// Returns whether both parsers certainly read the text alike, if one of them can read it.
pub(in crate::spec) fn is_certain(text: &str) -> bool {
    // The parsers disagree about the end of a block in the last line if there is no line break.
    let Some(text) = text.strip_suffix('\n').filter(|text| !text.contains('\t')) else { return false };
    let (bytes, has_returns) = (text.as_bytes(), text.contains('\r'));
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

/// The mappings, lists and block that the lines read so far have begun and not ended.
struct Lines {
    /// The open mappings and lists, each with the column in which its fields or items begin.
    open: Vec<(usize, Kind)>,
    /// Whether the last line ended with the name of a field, whose data may follow.
    waits: bool,
    /// The column of the mapping or list that contains the unquoted scalar at the end of the last line, which the next
    /// line may continue. `None` if the last line did not end with an unquoted scalar.
    unquoted: Option<usize>,
    block: Option<Block>,
    /// Whether there is a carriage return in the text.
    has_returns: bool,
}

/// A block scalar.
struct Block {
    /// The column of the field or item that contains the block.
    parent: usize,
    /// The column of its lines; `None` before the first.
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

    /// Returns whether a line of the open block is accepted; `None` if there is no block, or the line is after it.
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

    /// Accepts a line with an item or a field.
    fn content(&mut self, mut column: usize, mut rest: &[u8]) -> Option<()> {
        let is_dash = |rest: &[u8]| rest.starts_with(b"- ");
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

    /// Finds the mapping or list to which a field or item in this column belongs.
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

/// Returns the length of a field's name with its colon; `None` if there is no name.
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

/// Returns the text after the anchor at its beginning, if there is one.
fn after_anchor(text: &[u8]) -> Option<&[u8]> {
    if text.first() != Some(&b'&') {
        return Some(text);
    }
    let rest = &text[label(text)?..];
    matches!(rest.first(), None | Some(b' ')).then(|| trimmed(rest))
}

/// Returns the length of an anchor or alias.
fn label(text: &[u8]) -> Option<usize> {
    let length = text[1..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    (length > 0).then_some(length + 1)
}

/// Accepts the rest of a line: nothing, or a comment.
fn ends(rest: &[u8]) -> Option<()> {
    (rest.is_empty() || rest[0] == b' ' && trimmed(rest).first() == Some(&b'#')).then_some(())
}

/// Returns the length of the data at the beginning of `text`: a scalar, an alias, or a list or mapping in brackets.
/// `depth` is the number of brackets around it.
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

/// Returns the length of a quoted scalar in one line. Of the escapes, those of a backslash and a quote are accepted.
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

/// Returns the length of an unquoted scalar in one line, without spaces at its end.
fn plain(text: &[u8], is_in_brackets: bool) -> Option<usize> {
    let is_first = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80 || b"\\./(_$+^~;<=".contains(&byte);
    let first = *text.first()?;
    if !(is_first(first) || first == b'-' && text.get(1).is_some_and(u8::is_ascii_alphanumeric)) {
        return None;
    }
    let mut end = 1;
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            b' ' => continue,
            b'#' if text[at - 1] == b' ' => break,
            b':' => match text.get(at + 1) {
                None | Some(b' ') => break,
                Some(next) if is_in_brackets && !(next.is_ascii_alphanumeric() || b"\\/".contains(next)) => {
                    return None;
                }
                Some(_) => {}
            },
            b',' | b']' | b'}' if is_in_brackets => break,
            b'[' | b'{' if is_in_brackets => return None,
            _ => {}
        }
        end = at + 1;
    }
    Some(end)
}

/// Returns the length of a list or mapping in brackets in one line. Nothing in it is left out.
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

/// Returns the length of a field's name in brackets, with its colon and the space after it.
fn name_in_brackets(text: &[u8]) -> Option<usize> {
    let end = match text.first()? {
        b'\'' | b'"' => quoted(text)?,
        _ => plain(text, true)?,
    };
    (text.get(end..end + 2) == Some(b": ") && end <= MOST_NAME).then_some(end + 2)
}

#[cfg(test)]
mod tests;
