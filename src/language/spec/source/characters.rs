//! Gives the characters of a text to the crate saphyr-parser, faster than the parser's own input.
//!
//! The parser reads each character several times, and its own input decodes UTF-8 each time. The input in this module
//! does not decode ASCII characters, which are almost all characters in specs. A test checks that the parser reports
//! the same events with both inputs.

use saphyr_parser::input::{Input, is_blank_or_breakz, is_flow};

/// The part of a text that the parser has not read yet.
pub(super) struct Characters<'t> {
    text: &'t str,
    /// The offset of the next character, in bytes. It can be after the end of the text.
    at: usize,
    /// The byte of the text at the offset `at`; NUL if `at` is not before the end of the text.
    byte: u8,
    /// The number of characters that the parser last asked for.
    asked: usize,
}

impl<'t> Characters<'t> {
    /// Returns an input with all characters of `text`.
    pub(super) fn of(text: &'t str) -> Self {
        let byte = text.bytes().next().unwrap_or(0);
        Self { text, at: 0, byte, asked: 0 }
    }

    /// Skips this number of bytes, which are whole characters.
    #[inline]
    fn advance(&mut self, bytes: usize) {
        self.at += bytes;
        self.byte = self.text.as_bytes().get(self.at).copied().unwrap_or(0);
    }

    /// Returns the next character, which is not ASCII, and its length in bytes.
    #[cold]
    fn decode(&self) -> (char, usize) {
        self.text[self.at..].chars().next().map_or(('\0', 0), |c| (c, c.len_utf8()))
    }
}

impl Input for Characters<'_> {
    #[inline]
    fn lookahead(&mut self, count: usize) {
        self.asked = count;
    }

    // All characters are always available.
    #[inline]
    fn buflen(&self) -> usize {
        usize::MAX
    }

    /// Returns a number that the parser uses twice: it asks for this many characters before it skips the indentation of
    /// a block scalar, and reserves memory for this many more (after the first 32) at each word of an unquoted scalar.
    #[inline]
    fn bufmaxlen(&self) -> usize {
        3
    }

    /// Returns whether the parser may read a line of a block scalar as a whole, which is faster. This is true if the
    /// parser last asked for fewer than [`Self::bufmaxlen`] characters, as it does before such a line. In the
    /// indentation before, it asked for more: the answer must be false there, or the parser would never reach the end
    /// of the indentation.
    #[inline]
    fn buf_is_empty(&self) -> bool {
        self.asked < self.bufmaxlen()
    }

    #[inline]
    fn raw_read_ch(&mut self) -> char {
        let c = self.peek();
        self.skip();
        c
    }

    #[inline]
    fn raw_read_non_breakz_ch(&mut self) -> Option<char> {
        match self.byte {
            b'\0' | b'\n' | b'\r' => None,
            byte if byte.is_ascii() => {
                self.advance(1);
                Some(char::from(byte))
            }
            _ => {
                let (c, length) = self.decode();
                self.advance(if c == '\u{feff}' { 0 } else { length });
                (c != '\u{feff}').then_some(c)
            }
        }
    }

    #[inline]
    fn skip(&mut self) {
        let length = if self.byte.is_ascii() { 1 } else { self.decode().1 };
        self.advance(length);
    }

    #[inline]
    fn skip_n(&mut self, count: usize) {
        (0..count).for_each(|_| self.skip());
    }

    #[inline]
    fn peek(&self) -> char {
        if self.byte.is_ascii() { char::from(self.byte) } else { self.decode().0 }
    }

    #[inline]
    fn peek_nth(&self, n: usize) -> char {
        match self.text.as_bytes().get(self.at..=self.at + n) {
            Some([byte]) | Some([0..0x80, byte]) if byte.is_ascii() => char::from(*byte),
            _ => self.text.get(self.at..).and_then(|rest| rest.chars().nth(n)).unwrap_or('\0'),
        }
    }

    #[inline]
    fn peek_opt(&self) -> Option<char> {
        (self.at < self.text.len()).then(|| self.peek())
    }

    #[inline]
    fn next_can_be_plain_scalar(&self, in_flow: bool) -> bool {
        match self.byte {
            b':' => !matches!(self.peek_nth(1), next if is_blank_or_breakz(next) || in_flow && is_flow(next)),
            byte if byte.is_ascii() => !(in_flow && is_flow(char::from(byte))),
            _ => self.decode().0 != '\u{feff}',
        }
    }

    #[inline]
    fn next_is_blank_or_breakz(&self) -> bool {
        matches!(self.byte, b'\0' | b' ' | b'\t' | b'\n' | b'\r')
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use saphyr_parser::{BufferedInput, Input, Parser, StrInput};

    use super::Characters;

    /// Everything that the parser reports: the events with their places, and the first error.
    fn events(input: impl Input) -> Vec<String> {
        let mut events = Vec::new();
        for event in Parser::new(input) {
            events.push(format!("{event:?}"));
            if event.is_err() {
                break;
            }
        }
        events
    }

    proptest! {
        #[test]
        fn the_parser_reports_the_same_as_with_its_own_input(
            text in "([ \t\n\r:,#&*!|>'\"%@`{}\\[\\]?.~0-9a-c\u{feff}\0\\\\é日-]|- |: |\n  |---|\\.\\.\\.|'a b'|\\|2\n|a: ){0,60}"
        ) {
            // Not `StrInput`, because it counts the bytes of a directive where it should count characters.
            prop_assert_eq!(events(Characters::of(&text)), events(BufferedInput::new(text.chars())));
        }
    }

    #[test]
    fn the_parser_reports_the_same_about_the_library() {
        for id in crate::spec::library::ids() {
            let text = std::str::from_utf8(crate::spec::library::find(id).unwrap()).unwrap();
            assert_eq!(events(Characters::of(text)), events(StrInput::new(text)), "{id}");
            // A text that ends in its middle, and one with deep indentation.
            let half = &text[..text.len() / 2];
            let deep = text.lines().fold("a:\n".to_owned(), |all, line| all + &" ".repeat(60) + line + "\n");
            for text in [half, &deep] {
                assert_eq!(events(Characters::of(text)), events(StrInput::new(text)), "{id}");
            }
        }
    }
}
