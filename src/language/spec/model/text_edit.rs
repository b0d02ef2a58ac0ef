//! Changes a part of a string, and keeps the rest of the string: adds or removes items of a list with separators, or
//! replaces the part that a pattern finds.

use std::collections::HashSet;

use super::Expression;
use crate::registry::name::folded;

/// The name of the group in a pattern that marks the part to replace. Without this group, the whole match is replaced.
pub const PART: &str = "part";

/// A change of a list that is stored in one string, with separators between the items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The text between two items.
    pub separator: String,
    /// The items that the list must contain.
    pub add: Vec<String>,
    /// The items that the list must not contain.
    pub remove: Vec<String>,
}

/// The replacement of one part of the string that a registry value contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The regular expression that finds the part: its group [`PART`], or the whole match if it has no such group.
    pub pattern: Expression,
    /// The text that replaces the part.
    pub with: String,
}

impl Joined {
    /// Returns the list `text` after adding and removing items. Items are compared without the spaces around them and
    /// without regard to letter case. All other items stay as they are.
    pub fn edit(&self, text: &str) -> String {
        let removed: HashSet<_> = self.remove.iter().map(|item| folded(item)).collect();
        let is_removed = |item: &str| removed.contains(&folded(item.trim()));
        let mut items: Vec<&str> = text.split(self.separator.as_str()).collect();
        let before = items.len();
        items.retain(|item| !is_removed(item));
        let mut there: HashSet<_> = items.iter().map(|item| folded(item.trim())).collect();
        let missing: Vec<&str> =
            self.add.iter().map(String::as_str).filter(|item| there.insert(folded(item))).collect();
        if missing.is_empty() && items.len() == before {
            return text.to_owned();
        }
        // A separator at the end of a list stays there if items remain. An empty string is a list without items.
        let ends_empty = items.last().is_some_and(|last| last.trim().is_empty());
        let end = if ends_empty && !missing.is_empty() { items.pop() } else { None };
        let is_empty = items.is_empty();
        items.extend(missing);
        items.extend(end.filter(|_| !is_empty));
        items.join(&self.separator)
    }
}

impl Replacement {
    /// Returns `text` with the part replaced.
    ///
    /// # Errors
    /// Returns the reason why the part cannot be replaced, as a text for a message: the pattern must match exactly once
    /// in `text`, and must find exactly the new part in the result, so that a later run recognizes the result.
    pub fn edit(&self, text: &str) -> Result<String, String> {
        let edited = self.edit_once(text)?;
        match self.edit_once(&edited) {
            Ok(again) if again == edited => Ok(edited),
            _ => Err("after the replacement, the pattern would not find exactly the new text".to_owned()),
        }
    }

    fn edit_once(&self, text: &str) -> Result<String, String> {
        let mut found = self.pattern.regex().captures_iter(text);
        let first = found.next().ok_or("the pattern does not match the string")?;
        if found.next().is_some() {
            return Err("the pattern matches the string more than once".to_owned());
        }
        let named = self.pattern.regex().capture_names().flatten().any(|name| name == PART);
        let part = if named { first.name(PART) } else { first.get(0) };
        let part = part.ok_or("the match of the pattern has no group `part`")?.range();
        Ok(format!("{}{}{}", &text[..part.start], self.with, &text[part.end..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_added_and_removed_and_the_rest_stays() {
        let edit = |separator: &str, text: &str| {
            let (add, remove) = (vec!["B".to_owned(), "c".to_owned()], vec!["x".to_owned()]);
            Joined { separator: separator.to_owned(), add, remove }.edit(text)
        };
        for (separator, text, wanted) in [
            (";", "a;b; c", "a;b; c"),
            (";", "a; X ;b", "a;b;c"),
            (";", "", "B;c"),
            (";", "x", "B;c"),
            (";", "a;", "a;B;c;"),
            (" ", "a x  c", "a  c B"),
            (", ", "a, b, x", "a, b, c"),
        ] {
            assert_eq!(edit(separator, text), wanted, "{text:?}");
            assert_eq!(edit(separator, wanted), wanted);
        }
        let removal = Joined { separator: ";".to_owned(), add: Vec::new(), remove: vec!["x".to_owned()] };
        assert_eq!(removal.edit("x"), "");
        assert_eq!(removal.edit("a;x;;b;"), "a;;b;");
    }

    #[test]
    fn a_part_is_replaced_where_it_occurs_once() {
        let replacement = |pattern: &str, with: &str| Replacement {
            pattern: Expression::new(pattern).unwrap(),
            with: with.to_owned(),
        };
        let section = replacement(r"SharedSection=\d+,\d+,(?<part>\d+)", "2048");
        let windows = r"csrss.exe SharedSection=1024,20480,768 Windows=On";
        assert_eq!(section.edit(windows).unwrap(), windows.replace("768", "2048"));
        assert_eq!(section.edit(&windows.replace("768", "2048")).unwrap(), windows.replace("768", "2048"));
        assert!(section.edit("Windows=On").unwrap_err().contains("does not match"));
        assert!(section.edit(&windows.repeat(2)).unwrap_err().contains("more than once"));
        // A permission entry (ACE) at the end, which may be missing.
        let ace = replacement(r"(?<part>(\(A;;0x1;;;NS\))?)$", "(A;;0x1;;;NS)");
        for text in ["O:BAG:SYD:", "O:BAG:SYD:(A;;0x1;;;NS)"] {
            assert_eq!(ace.edit(text).unwrap(), "O:BAG:SYD:(A;;0x1;;;NS)");
        }
        assert!(replacement("a", "b").edit("a").unwrap_err().contains("after the replacement"));
        assert!(replacement("(?<part>a)|b", "a").edit("b").unwrap_err().contains("no group `part`"));
        assert!(replacement("a", "aa").edit("a").unwrap_err().contains("after the replacement"));
    }
}
