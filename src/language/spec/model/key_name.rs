//! One name in the path of a key in a spec, and how specs write such a name.
//!
//! In a name, `*` matches any characters, and `{name}` is replaced with the data of a parameter. `[*]`, `[{]` and `[[]`
//! are the characters `*`, `{` and `[` themselves, as in shell patterns.

use std::{borrow::Cow, fmt};

use crate::registry::{
    KeyName,
    name::{compare, fits},
};

use super::variable::variable_at;

/// One name in the path of a [`KeyPattern`](super::KeyPattern).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamePattern {
    /// Matches only the key with this name, in any letter case.
    Name(KeyName),
    /// Matches every existing subkey whose name matches this pattern with `*`.
    Like(Like),
}

/// A pattern for names, in which each `*` matches any number of characters, including none. Letter case is ignored. The
/// field contains the texts before, between and after the stars.
#[derive(Debug, Clone)]
pub struct Like(Vec<String>);

/// A part of a name in the form in which a spec contains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::spec) enum Piece<'t> {
    /// Text that has no special meaning.
    Text(&'t str),
    /// A `*`, which matches any characters.
    Star,
    /// A `{name}`, which is replaced with the data of a parameter; the field is the name.
    Variable(&'t str),
}

/// The first characters of the parts of a name that are not plain text: `*`, parameters and escapes.
const SPECIAL: [char; 3] = ['*', '{', '['];

/// Each escape, with the character that it means.
const ESCAPES: [(&str, &str); 3] = [("[*]", "*"), ("[{]", "{"), ("[[]", "[")];

impl Like {
    /// Creates a pattern with a `*` between every two of `parts`: it matches names that begin with the first part, end
    /// with the last, and contain the others in between, in this order.
    pub(in crate::spec) fn new(parts: Vec<String>) -> Self {
        Self(parts)
    }

    /// Returns whether `name` matches the pattern.
    pub fn fits(&self, name: &str) -> bool {
        fits(name, &self.0)
    }

    /// Returns whether every name matches the pattern, as with `*`.
    pub(in crate::spec) fn is_any(&self) -> bool {
        self.0.iter().all(String::is_empty)
    }
}

impl PartialEq for Like {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| compare(a, b).is_eq())
    }
}

impl Eq for Like {}

impl NamePattern {
    /// Writes the name in the form in which a spec contains it, with escapes.
    pub(super) fn write(&self, out: &mut impl fmt::Write) -> fmt::Result {
        match self {
            Self::Name(name) => out.write_str(&escaped(name.as_str())),
            Self::Like(Like(parts)) => {
                out.write_str(&parts.iter().map(|part| escaped(part)).collect::<Vec<_>>().join("*"))
            }
        }
    }

    /// Returns whether there can be a name that matches both patterns. If both contain a `*`, returns `true`.
    pub(in crate::spec) fn may_meet(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => a == b,
            (Self::Like(like), Self::Name(name)) | (Self::Name(name), Self::Like(like)) => like.fits(name.as_str()),
            (Self::Like(_), Self::Like(_)) => true,
        }
    }
}

/// Formats the name in the form in which a spec contains it, with escapes.
impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

/// Splits a name from a spec into its parts.
pub(in crate::spec) fn pieces(text: &str) -> Vec<Piece<'_>> {
    if !text.contains(SPECIAL) {
        return if text.is_empty() { Vec::new() } else { vec![Piece::Text(text)] };
    }
    let mut out = Vec::new();
    let (mut rest, mut plain) = (text, 0);
    loop {
        let here = &rest[plain..];
        let special = if let Some((_, itself)) = ESCAPES.iter().find(|(escape, _)| here.starts_with(escape)) {
            Some((Piece::Text(itself), 3))
        } else if here.starts_with('*') {
            Some((Piece::Star, 1))
        } else {
            variable_at(here).map(|name| (Piece::Variable(name), name.len() + 2))
        };
        let next = here.chars().next();
        if special.is_some() || next.is_none() {
            if plain > 0 {
                out.push(Piece::Text(&rest[..plain]));
            }
            let Some((piece, length)) = special else { return out };
            out.push(piece);
            rest = &rest[plain + length..];
            plain = 0;
        } else {
            plain += next.map_or(0, char::len_utf8);
        }
    }
}

/// Formats a name for a spec. A character is escaped only if it would otherwise have a special meaning.
fn escaped(name: &str) -> Cow<'_, str> {
    if !name.contains(SPECIAL) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        let is_escape = ESCAPES.iter().any(|(escape, _)| rest.starts_with(escape));
        if c == '*' || is_escape || variable_at(rest).is_some() {
            out.extend(['[', c, ']']);
        } else {
            out.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_stands_for_itself() {
        use Piece::{Star, Text, Variable};
        assert_eq!(pieces("a[*]b"), [Text("a"), Text("*"), Text("b")]);
        assert_eq!(pieces("[{]name}"), [Text("{"), Text("name}")]);
        assert_eq!(pieces("[[][*]]"), [Text("["), Text("*"), Text("]")]);
        assert_eq!(pieces("{{name}}"), [Text("{"), Variable("name"), Text("}")]);
        assert_eq!(pieces("[*"), [Text("["), Star]);
        // Text that is not an escape stays as it is.
        assert_eq!(pieces("{*}"), [Text("{"), Star, Text("}")]);
        for plain in ["{CLSID-1}", "[a]", "[]", "[", "é]", "a]b"] {
            assert_eq!(pieces(plain), [Text(plain)]);
        }
        assert_eq!(pieces(""), []);
    }

    #[test]
    fn any_name_is_read_back_as_it_was_written() {
        let characters = ['*', '{', '}', '[', ']', 'a', 'Z', 'é'];
        let mut state = 1_u64;
        for _ in 0..5000 {
            let name: String = (0..8)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    characters[(state >> 33) as usize % characters.len()]
                })
                .collect();
            let written = escaped(&name);
            let mut back = String::new();
            for piece in pieces(&written) {
                let Piece::Text(text) = piece else { panic!("{name} {written}") };
                back.push_str(text);
            }
            assert_eq!(back, name, "{written}");
        }
        assert_eq!(escaped("{CLSID-1}[x]"), "{CLSID-1}[x]");
    }
}
