//! Regular expressions of specs, with limits on their size and memory.

use regex::{Regex, RegexBuilder};

/// The maximum length of a regular expression, in bytes.
const LONGEST: usize = 1000;
/// The maximum memory of a compiled regular expression, in bytes. This also limits the time that matching takes for
/// each byte of a string.
const MOST_MEMORY: usize = 256 << 10;
/// The maximum number of groups that may be nested in each other.
const DEEPEST: u32 = 50;

/// A compiled regular expression of a spec.
#[derive(Debug, Clone)]
pub struct Expression(Regex);

impl Expression {
    /// Compiles the regular expression `text`.
    ///
    /// # Errors
    /// Returns the reason why kbfix does not accept `text` as a regular expression: a text for a message.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("the expression has {} bytes, but at most {LONGEST} are allowed", text.len()));
        }
        let built =
            RegexBuilder::new(text).size_limit(MOST_MEMORY).dfa_size_limit(MOST_MEMORY).nest_limit(DEEPEST).build();
        built.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                "the expression needs too much memory; write it shorter, or with smaller numbers in braces".to_owned()
            }
            // The message repeats the expression; only its last line says what is wrong.
            other => {
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default();
                last.strip_prefix("error: ").unwrap_or(last).to_owned()
            }
        })
    }

    /// Returns the text of the regular expression, as the spec contains it.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns whether the regular expression matches a part of `text`.
    pub fn occurs_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// Returns the compiled regular expression.
    pub fn regex(&self) -> &Regex {
        &self.0
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Expression {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_and_time_are_bounded() {
        for (text, fault) in [
            ("(a".to_owned(), "unclosed group"),
            (r"(?<=a)b".to_owned(), "look-around"),
            (r"(a)\1".to_owned(), "backreferences"),
            ("a{1000}{1000}".to_owned(), "too much memory"),
            ("a".repeat(1001), "1001 bytes"),
            (format!("{}a{}", "(".repeat(60), ")".repeat(60)), "nest"),
        ] {
            let error = Expression::new(&text).unwrap_err();
            assert!(error.contains(fault), "{text}: {error}");
        }
        // A regular expression engine that backtracks would need exponential time for this.
        let nested = Expression::new("^(a+)+$").unwrap();
        assert!(!nested.occurs_in(&format!("{}b", "a".repeat(100_000))));
    }
}
