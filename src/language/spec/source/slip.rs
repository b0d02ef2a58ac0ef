//! Finds the author's mistake in one line of text that is not valid YAML.

use crate::diag::text::shorten;

use super::text::{Spot, Text};

/// The maximum number of nested brackets in which a mistake is searched.
const MAX_DEPTH: usize = 32;

/// A mistake of the author, with its place in the text.
pub(in crate::spec) struct Slip {
    /// The range of the text that is wrong.
    pub spot: Spot,
    /// A description of the mistake.
    pub message: String,
    /// A hint that says how to correct the mistake.
    pub hint: String,
}

/// A line of a spec file, with its number and its characters.
pub(super) struct Line<'t> {
    pub number: usize,
    pub text: &'t str,
    pub chars: Vec<char>,
}

impl<'t> Line<'t> {
    pub(super) fn new(text: &Text<'t>, number: usize) -> Self {
        let text = text.line(number);
        Self { number, text, chars: text.chars().collect() }
    }

    /// Returns the character in this column, counted from 1; `None` after the end of the line.
    pub(super) fn at(&self, column: usize) -> Option<char> {
        self.chars.get(column.checked_sub(1)?).copied()
    }

    pub(super) fn slip(
        &self,
        column: usize,
        length: usize,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Slip {
        let spot = Spot { line: self.number, column, end_line: self.number, end_column: column + length };
        Slip { spot, message: message.into(), hint: hint.into() }
    }

    pub(super) fn part(&self, from: usize, to: usize) -> String {
        self.chars.get(from.saturating_sub(1)..to.saturating_sub(1)).unwrap_or_default().iter().collect()
    }

    pub(super) fn indent(&self) -> usize {
        self.chars.iter().take_while(|c| **c == ' ').count()
    }

    /// Returns the unquoted text that begins in this column, for a hint that shows the text in quotes. Inside brackets,
    /// this can be more than the scalar that YAML reads, because the author may have meant more.
    pub(super) fn token(&self, column: usize) -> String {
        let in_flow =
            self.chars[..column.saturating_sub(1).min(self.chars.len())].iter().any(|c| matches!(c, '{' | '['));
        let rest: String = self.chars.iter().skip(column.saturating_sub(1)).collect();
        let rest = rest.split(" #").next().unwrap_or_default();
        let rest = rest.find(": ").map_or(rest, |end| &rest[..end]);
        let rest =
            if in_flow { rest.split(", ").next().unwrap_or_default().trim_end_matches([' ', '}', ']']) } else { rest };
        rest.trim_end().trim_end_matches(':').to_owned()
    }

    /// Returns the mistake if there is a tab in this column or the one before it, or a space character other than the
    /// normal one (such as a no-break space) anywhere in the line; otherwise `None`.
    pub(super) fn odd_space(&self, column: usize) -> Option<Slip> {
        let odd = |c: char| c.is_whitespace() && !matches!(c, ' ' | '\t');
        if let Some(at) = self.chars.iter().position(|c| odd(*c)) {
            let number = u32::from(self.chars[at]);
            let message = format!("this looks like a space but is U+{number:04X}, which YAML does not treat as one");
            return Some(self.slip(at + 1, 1, message, "write a space in its place"));
        }
        let column = [column, column.saturating_sub(1)].into_iter().find(|c| self.at(*c) == Some('\t'))?;
        let indents = self.chars[..column - 1].iter().all(|c| c.is_whitespace());
        Some(match indents {
            true => self.slip(column, 1, "the indentation contains a tab", "indent with spaces, not tabs"),
            false => self.slip(column, 1, "there is a tab where YAML expects a space", "write a space in its place"),
        })
    }

    /// Returns the mistake that text follows the end of a string in quotes, if the last character before this column is
    /// a quotation mark (spaces do not count); otherwise `None`.
    pub(super) fn after_quotes(&self, column: usize) -> Option<Slip> {
        let before = self.chars.get(..column - 1)?.iter().rposition(|c| !c.is_whitespace())?;
        let (kind, hint) = match self.chars[before] {
            '\'' => ("single", "inside single quotes a quote is written twice: ''"),
            '"' => ("double", "inside double quotes a quote is written \\\", or put the whole string in single quotes"),
            _ => return None,
        };
        Some(self.slip(before + 1, 1, format!("the string in {kind} quotes ends here, and more text follows it"), hint))
    }

    /// Returns the mistake that an unquoted string begins with the character in this column, which YAML does not allow;
    /// `None` if the line ends before this column.
    pub(super) fn first_character(&self, column: usize) -> Option<Slip> {
        let first = self.at(column)?;
        let token = self.token(column);
        let hint = match token.as_str() {
            "@" => "the default value is written \"\"".to_owned(),
            _ => format!("write it in quotes: {}", in_quotes(&token)),
        };
        let message = format!("a string without quotes cannot begin with `{first}`");
        Some(self.slip(column, token.chars().count().max(1), message, hint))
    }

    /// Returns the mistake that a block scalar begins between brackets, if its header (such as `|` or `>-`) is in this
    /// column; otherwise `None`.
    pub(super) fn block(&self, column: usize) -> Option<Slip> {
        self.at(column).filter(|c| matches!(c, '|' | '>'))?;
        let rest: String = self.chars.iter().skip(column - 1).collect();
        let header = rest.split(" #").next().unwrap_or_default().trim_end();
        if !header.chars().skip(1).all(|c| c.is_ascii_digit() || matches!(c, '+' | '-')) {
            return None;
        }
        let message = format!("a block (`{}`) is not allowed between `{{ }}` or `[ ]`", shorten(header));
        let hint =
            "write the string in quotes, or write the mapping or list around it without brackets, on several lines";
        Some(self.slip(column, header.len(), message, hint))
    }

    /// Returns the mistake that an item of a list begins with a `-` where YAML does not allow it, if there is a `-` in
    /// this column or the one before it; otherwise `None`. `in_flow` says that the list is in brackets; if it is false,
    /// the list begins on the line of its name.
    pub(super) fn dash(&self, column: usize, in_flow: bool) -> Option<Slip> {
        let column = [column, column.saturating_sub(1)].into_iter().find(|column| self.at(*column) == Some('-'))?;
        let (message, hint) = match in_flow {
            true => ("an item inside brackets does not begin with `-`", "remove the `-`"),
            false => ("a list with `-` cannot begin on the line of its name", "begin each item on a line of its own"),
        };
        let quotes = in_quotes(&self.token(column));
        Some(self.slip(column, 1, message, format!("{hint}; a string that begins with `-` needs quotes: {quotes}")))
    }

    /// Returns the mistake if there is a `*` or `&` in this column, with which YAML begins an alias or anchor;
    /// otherwise `None`.
    pub(super) fn anchor(&self, column: usize) -> Option<Slip> {
        let first = self.at(column).filter(|c| matches!(c, '*' | '&'))?;
        let token = self.token(column);
        let length = token.chars().count().max(1);
        let name = token.get(1..).unwrap_or_default();
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
        let quotes = format!("a string that begins with `{first}` needs quotes: {}", in_quotes(&token));
        Some(match (first, is_name) {
            ('*', true) => {
                let message = format!("there is no anchor `{name}` before the alias");
                self.slip(column, length, message, format!("write `&{name}` before the data that you mean; {quotes}"))
            }
            ('*', false) => self.slip(column, length, "`*` begins an alias in YAML", quotes),
            _ => self.slip(column, length, format!("`{first}` begins an anchor in YAML"), quotes),
        })
    }

    /// Returns the mistake that the line has a second `: `, in this column, if there is another `: ` before it: a
    /// string with `: ` in it needs quotes. Otherwise returns `None`.
    pub(super) fn second_colon(&self, column: usize) -> Option<Slip> {
        let first = (0..column.saturating_sub(1))
            .find(|at| self.chars.get(*at) == Some(&':') && self.chars.get(at + 1) == Some(&' '));
        let begin = (first? + 1..column).find(|at| self.chars.get(*at).is_some_and(|c| *c != ' '))?;
        let all: String = self.chars[begin..].iter().collect();
        let hint = format!("a string with `: ` in it needs quotes: {}", in_quotes(all.trim_end()));
        Some(self.slip(column, 1, "the line has a second `:`", hint))
    }

    /// Returns the mistake if there is a closing bracket or a comma in this column, where the parser does not allow
    /// one; otherwise `None`.
    pub(super) fn stray(&self, column: usize) -> Option<Slip> {
        let found = self.at(column).filter(|c| matches!(c, '}' | ']' | ','))?;
        Some(self.slip(column, 1, format!("`{found}` stands where data is expected, or closes nothing"), "remove it"))
    }

    /// Returns the mistake that text follows the end of a list or mapping, if the character before this column is its
    /// closing bracket; otherwise `None`.
    pub(super) fn after_bracket(&self, column: usize) -> Option<Slip> {
        let close = self.at(column.checked_sub(1)?)?;
        let open = match close {
            '}' => '{',
            ']' => '[',
            _ => return None,
        };
        let begin = self.chars[..column - 2].iter().rposition(|c| *c == open)? + 1;
        let all: String = self.chars[begin - 1..].iter().collect();
        Some(self.text_after(begin, all.trim_end()))
    }

    /// Returns the mistake that `all`, an unquoted string in this column, begins with a bracket.
    fn text_after(&self, column: usize, all: &str) -> Slip {
        let open = self.at(column).unwrap_or('{');
        let what = if open == '{' { "a mapping" } else { "a list" };
        let message = format!("`{open}` begins {what}, and text follows its end");
        let hint = format!("a string that begins with `{open}` needs quotes: {}", in_quotes(all));
        self.slip(column, all.chars().count(), message, hint)
    }

    /// Returns the first mistake between these two columns, which are inside brackets, of which YAML readers notice
    /// only that a bracket is not closed: no space after the `:` before a bracket, as in `values:{ }`, or a string
    /// without quotes that begins with a bracket, as in `{folder}\a.dll`. Returns `None` if there is none.
    pub(super) fn in_brackets(&self, from: usize, to: usize) -> Option<Slip> {
        let mut quote = None;
        let mut begins = true;
        let mut column = from;
        while column <= to {
            let c = self.at(column)?;
            let next = self.at(column + 1);
            match (quote, c) {
                (None, '"' | '\'') if begins => quote = Some(c),
                (None, '{' | '[') if begins => {
                    let all = self.bracketed_text(column)?;
                    if !all.is_empty() {
                        return Some(self.text_after(column, &all));
                    }
                }
                (None, ':') if matches!(next, Some('{' | '[')) => return self.colon(column),
                // An escape, or two single quotes, which mean one.
                (Some('"'), '\\') => column += 1,
                (Some('\''), '\'') if next == Some('\'') => column += 1,
                (Some(q), c) if q == c => quote = None,
                _ => {}
            }
            let separates = matches!(c, ',' | '{' | '[') || c == ':' && next == Some(' ');
            begins = quote.is_none() && (separates || begins && c == ' ');
            column += 1;
        }
        None
    }

    /// Returns the string that begins with the bracket in this column, if text follows directly after the bracket that
    /// closes it; an empty string if no text follows; `None` if the line does not close the bracket. The string ends
    /// where an unquoted string in brackets ends.
    fn bracketed_text(&self, column: usize) -> Option<String> {
        let mut open = 0;
        let mut text = String::new();
        let mut closed = false;
        for at in column..=self.chars.len() {
            let c = self.at(at)?;
            let next = self.at(at + 1).unwrap_or(' ');
            match c {
                // Without a limit, a crafted line would take long.
                '{' | '[' if open == MAX_DEPTH => return None,
                '{' | '[' => open += 1,
                '}' | ']' if open == 0 => break,
                '}' | ']' => {
                    open -= 1;
                    if open == 0 && !closed {
                        closed = true;
                        if matches!(next, ' ' | ',' | '}' | ']' | ':') {
                            return Some(String::new());
                        }
                    }
                }
                ',' | ':' if closed && next == ' ' => break,
                _ => {}
            }
            text.push(c);
        }
        closed.then(|| text.trim_end().to_owned())
    }

    /// Returns the mistake that no space follows the `:` in this column, which is after the name of a field.
    fn colon(&self, column: usize) -> Option<Slip> {
        let name = self.chars[..column - 1].rsplit(|c| matches!(c, ',' | '{' | '[')).next()?;
        let name: String = name.iter().collect();
        let name = name.trim_start_matches([' ', '-']).trim_end();
        let bracket = self.at(column + 1)?;
        if name.is_empty() || name.contains(": ") || name.contains(" #") {
            return None;
        }
        let hint = format!("write `{}: {bracket}`", shorten(name));
        Some(self.slip(column, 1, "a space is missing after `:`", hint))
    }

    /// Returns the mistake that no space follows the `:` after the name with which this line begins, and that a bracket
    /// follows, as in `restart:{ computer: never }`; otherwise `None`.
    pub(super) fn colon_before_bracket(&self) -> Option<Slip> {
        let column = self.chars.iter().position(|c| *c == ':')? + 1;
        let is_bracket = matches!(self.at(column + 1), Some('{' | '['));
        let quoted = self.text.trim_start_matches([' ', '-']).starts_with(['"', '\'', '#']);
        if is_bracket && !quoted { self.colon(column) } else { None }
    }

    /// Returns the mistake that no space follows the `-` with which this line begins, as in `-key: HKLM\SOFTWARE`;
    /// `None` if the line does not begin with a `-` before a letter.
    pub(super) fn space_after_dash(&self) -> Option<Slip> {
        let column = self.indent() + 1;
        let next = self.at(column + 1)?;
        if self.at(column) != Some('-') || !next.is_alphabetic() {
            return None;
        }
        let item = self.part(column + 1, self.chars.len() + 1);
        let hint = format!("write `- {}`", shorten(item.trim_end()));
        Some(self.slip(column, 1, "a space is missing after `-`", hint))
    }
}

/// Returns `text` in single quotes. A backslash in single quotes has no special meaning.
fn in_quotes(text: &str) -> String {
    format!("'{}'", shorten(text).replace('\'', "''"))
}
