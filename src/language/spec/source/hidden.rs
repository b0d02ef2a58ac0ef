//! Removes sensitive data from the findings about a document.

use std::collections::BTreeSet;

use super::{reading::Reading, readings::Readings, text::Spot};
use crate::{
    diag::{Code, Diagnostic, Fix, Hint, Place},
    registry::notation::HIDDEN,
    spec::schema,
};

/// The sensitive data of a document, and the places that contain it.
#[derive(Debug)]
pub(in crate::spec) struct Hidden {
    /// The ranges of the text that contain sensitive data.
    pub(super) spots: Vec<Spot>,
    /// The sensitive data.
    pub(super) texts: BTreeSet<String>,
    /// The numbers that a reader or the author can mean with the sensitive data, without their signs: `0777` is 777 or
    /// 511, and `on` can be 1.
    numbers: BTreeSet<u128>,
    /// The words that findings may show, besides those of the spec language. This does not include [`Self::numbers`].
    pub(super) known: BTreeSet<String>,
}

/// The minimum length, in characters, of sensitive data that is hidden in messages about other parts of the document.
/// Shorter data is too common.
const DISTINCT: usize = 4;

/// The maximum number of sensitive texts with which each word of a message is compared. If there are more, words are
/// not compared, because that would take long: each word that is neither in the spec language nor in [`Hidden::known`]
/// may then count as sensitive.
const MOST: usize = 1000;

impl Hidden {
    /// Collects sensitive data. `known` are the words that findings may show, besides those of the spec language.
    pub(super) fn new(spots: Vec<Spot>, texts: BTreeSet<String>, known: BTreeSet<String>) -> Self {
        let mut hidden = Self { spots, texts, numbers: BTreeSet::new(), known };
        hidden.count();
        hidden
    }

    /// Adds the numbers that the sensitive texts can mean. Must be called after a change of the texts.
    pub(super) fn count(&mut self) {
        self.numbers.extend(self.texts.iter().flat_map(|text| numbers(text)));
    }

    /// Removes the sensitive data from `diagnostic`. The code, the line and the column stay.
    pub(in crate::spec) fn hide(&self, diagnostic: &mut Diagnostic) {
        let mut is_within = false;
        if let Some(place) = &mut diagnostic.place {
            let at = (place.line, place.column);
            is_within = self
                .spots
                .iter()
                .any(|spot| ((spot.line, spot.column)..=(spot.end_line, spot.end_column)).contains(&at));
            self.hide_source(place);
        }
        let hint = diagnostic.hint.as_deref().unwrap_or_default();
        if !is_within && !self.is_told_in(&diagnostic.message) && !self.is_told_in(hint) {
            return;
        }
        diagnostic.message = self.message(&diagnostic.message).unwrap_or_else(|| {
            let what = if diagnostic.code == Code::YAML_SYNTAX {
                "not YAML"
            } else {
                "the code of this message names the problem"
            };
            format!("{what}; a longer message would show sensitive data")
        });
        if diagnostic.hint.as_ref().is_some_and(|hint| !self.is_clean(hint)) {
            let fix = diagnostic.fix;
            let hint = match fix {
                Some(Fix::Quote) => "write it in quotes".to_owned(),
                None => format!("the documentation explains the code {}", diagnostic.code),
            };
            diagnostic.set_hint(Hint::new(hint));
            diagnostic.fix = fix;
        }
    }

    /// Removes the line of the file from `place` if the line contains, or may contain, sensitive data.
    pub(in crate::spec) fn hide_source(&self, place: &mut Place) {
        let is_on_line = self.spots.iter().any(|spot| (spot.line..=spot.end_line).contains(&place.line));
        if is_on_line || self.is_told_in(&place.source) {
            // The length would reveal the length of the data.
            (place.source, place.length) = (String::new(), 1);
        }
    }

    /// Returns whether there are at most [`MOST`] sensitive texts, so that words are compared with each of them.
    pub(super) fn is_small(&self) -> bool {
        self.texts.len() <= MOST
    }

    /// Returns whether a text contains, or may contain, sensitive data.
    fn is_told_in(&self, text: &str) -> bool {
        if words(text).any(|word| word.len() >= DISTINCT && self.is_number(word)) {
            return true;
        }
        if !self.is_small() {
            return words(text).any(|word| !self.is_known(word));
        }
        self.texts.iter().any(|secret| secret.chars().count() >= DISTINCT && text.contains(secret.as_str()))
    }

    /// Returns the message with `(hidden)` in place of sensitive data; `None` if the data cannot be separated from the
    /// rest of the message.
    fn message(&self, message: &str) -> Option<String> {
        let pieces: Vec<&str> = message.split('`').collect();
        // Data that contains a backtick.
        if pieces.len().is_multiple_of(2) {
            return None;
        }
        let mut out = String::new();
        for (at, piece) in pieces.iter().enumerate() {
            if at % 2 == 0 {
                out.push_str(&self.outside(piece)?);
            } else if self.may_show(piece) {
                out.push_str(&format!("`{piece}`"));
            } else {
                out.push_str(HIDDEN);
            }
        }
        Some(out)
    }

    /// Returns `part`, the text of a message between two texts in backticks, with `(hidden)` in place of sensitive
    /// numbers. Returns `None` if a word that is not a number may be sensitive.
    fn outside(&self, part: &str) -> Option<String> {
        let (mut out, mut rest) = (String::new(), part);
        while let Some(word) = words(rest).next() {
            let (before, after) = rest.split_once(word)?;
            out.push_str(before);
            let is_shown = is_version_of_yaml(&out) || self.is_known(word) || !self.is_part(word);
            if !is_shown && !word.starts_with(|c: char| c.is_ascii_digit()) {
                return None;
            }
            if !is_shown && out.ends_with(['-', '+']) {
                out.pop();
            }
            out.push_str(if is_shown { word } else { HIDDEN });
            rest = after;
        }
        out.push_str(rest);
        Some(out)
    }

    /// Returns whether a text in backticks can be shown: all its words are known, and it shows no sensitive data. A
    /// text without words can be shown only if it is a single character that is in no sensitive data.
    fn may_show(&self, text: &str) -> bool {
        // The index of an item in a path, such as `registry[0]`, is not data.
        let is_index = |word: &&str| word.bytes().all(|b| b.is_ascii_digit()) && text.contains(&format!("[{word}]."));
        let mut words = words(text).filter(|word| !is_index(word)).peekable();
        if words.peek().is_none() {
            return text.chars().count() == 1
                && self.is_small()
                && !self.texts.iter().any(|secret| secret.contains(text));
        }
        let words: Vec<&str> = words.collect();
        let is_language = words.iter().all(|word| schema::words().contains(*word) && !self.is_number(word));
        let is_data = || {
            let is_in = |secret: &String| match secret.chars().count() {
                1 => text == secret,
                _ => text.to_lowercase().contains(&secret.to_lowercase()),
            };
            !self.is_small() || self.texts.iter().any(is_in)
        };
        (is_language && !self.texts.contains(text)) || (words.iter().all(|word| self.is_known(word)) && !is_data())
    }

    /// Returns whether a hint can be shown. Each text in backticks must pass `may_show`. The rest must not contain
    /// quotation marks, and each of its words must be known, or have no digits and not be part of sensitive data.
    /// Numbers are not shown, because a hint can contain a sensitive number in another notation.
    fn is_clean(&self, hint: &str) -> bool {
        let quotes = ['"', '\''];
        let has_quote = hint.char_indices().any(|(at, c)| {
            let is_in_word = hint[..at].ends_with(char::is_alphabetic);
            quotes.contains(&c) && !(c == '\'' && is_in_word)
        });
        let in_backticks = hint.split('`').skip(1).step_by(2).all(|part| self.may_show(part));
        let outside = hint.split('`').step_by(2).flat_map(words);
        let mut others = outside.filter(|word| !self.is_known(word));
        !has_quote
            && hint.matches('`').count().is_multiple_of(2)
            && in_backticks
            && others.all(|word| word == "0x" || !(word.contains(char::is_numeric) || self.is_part(word)))
    }

    fn is_known(&self, word: &str) -> bool {
        (schema::words().contains(word) || self.known.contains(word)) && !self.is_number(word)
    }

    /// Returns whether the word is a number that the sensitive data can mean.
    fn is_number(&self, word: &str) -> bool {
        number(word).is_some_and(|number| self.numbers.contains(&number))
    }

    /// Returns whether a word may be a part of sensitive data. A word of one or two characters that is not a number
    /// does not count as data.
    fn is_part(&self, word: &str) -> bool {
        let lower = word.to_lowercase();
        let is_number = number(word).is_some();
        if !is_number && lower.chars().count() < 3 {
            // Such as `a`, which is in most messages.
            return false;
        }
        if !self.is_small() {
            return true;
        }
        self.is_number(word)
            || self.texts.iter().any(|secret| {
                let secret = secret.to_lowercase();
                let is_word = words(&secret).any(|part| part == lower);
                is_word || (lower.chars().count() > 2 && secret.contains(&lower))
            })
    }
}

/// Returns whether a number after `before` is a part of `YAML 1.1` or `YAML 1.2`, which messages of kbfix contain.
fn is_version_of_yaml(before: &str) -> bool {
    before.ends_with("YAML ") || before.ends_with("YAML 1.")
}

/// Returns the number in a word, decimal or `0x…`; `None` if the word is not a number.
fn number(word: &str) -> Option<u128> {
    let lower = word.to_ascii_lowercase();
    match lower.strip_prefix("0x") {
        Some(digits) => u128::from_str_radix(digits, 16).ok(),
        None => lower.parse().ok(),
    }
}

/// Returns the numbers, without their signs, that YAML readers or the author of a spec can mean with `text` or a word
/// of it. For a truth value such as `on`, these are 0 and 1.
fn numbers(text: &str) -> BTreeSet<u128> {
    let mut numbers = BTreeSet::new();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    for word in words(text).chain([text, text.trim(), &digits]) {
        let readings = Readings::of(word);
        numbers.extend(number(word));
        numbers.extend(readings.numbers().into_iter().map(i128::unsigned_abs));
        if readings.old == Reading::Bool {
            numbers.extend([0, 1]);
        }
    }
    numbers
}

/// Splits a text into words. A word consists of letters, digits and `_`.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_of_word(c)).filter(|word| !word.is_empty())
}

/// Returns whether the character can be a part of a word.
pub(super) fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
