//! Checks JSON documents: no object may contain two members with the same name (such as `"a": 1, "a": 2`).
//! Also words the errors of serde_json for users.
//!
//! RFC 8259 (section 4) does not define the meaning of such an object. In a map, serde_json keeps the last member,
//! but a person who reviews the document may see the first. Therefore kbfix refuses such a document.

use std::{collections::BTreeSet, fmt};

use serde::{
    Deserialize,
    de::{Deserializer, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::error::Category;

/// Checks that `text` is JSON in which no object contains two members with the same name.
///
/// # Errors
/// Returns serde_json's error, with line and column: the text is not JSON, or an object contains such members.
pub fn check(text: &str) -> serde_json::Result<()> {
    serde_json::from_str::<Checked>(text).map(drop)
}

/// Returns the text of a JSON document, which must be UTF-8 (RFC 8259, section 8.1).
///
/// # Errors
/// Returns a sentence that names the first wrong byte and its position, counted from 1.
pub fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        format!("it is not UTF-8 text: byte {} is 0x{:02X}", at + 1, bytes[at])
    })
}

/// Returns the message of an error in a JSON document for users, with line and column if they are known.
pub fn explain(error: &serde_json::Error) -> String {
    match error.line() {
        0 => fault(error),
        line => format!("{} at line {line} column {}", fault(error), error.column()),
    }
}

/// Returns the message of an error in a JSON document for users, without line and column.
///
/// serde_json names types of Rust, such as `struct KeyChange`, and gives its messages only as text. A message that is
/// not known here stays as it is, such as one from the code of kbfix.
pub fn fault(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = whole.strip_suffix(&place).unwrap_or(&whole);
    match (error.classify(), text) {
        (Category::Eof, _) => "the text ends too early".to_owned(),
        (Category::Syntax, "expected ident") => "expected `true`, `false` or `null`".to_owned(),
        (Category::Syntax, "expected value") => "expected a value".to_owned(),
        (Category::Syntax, "key must be a string") => "the name of a member must be in double quotes".to_owned(),
        (Category::Syntax, "trailing characters") => "expected the end of the text".to_owned(),
        (Category::Data, text) => of_data(text).unwrap_or_else(|| text.to_owned()),
        (_, text) => text.to_owned(),
    }
}

/// Returns the words for an error about JSON that is not the expected document; `None` if the message is not known.
fn of_data(text: &str) -> Option<String> {
    let unknown = |rest: &str| match rest.split_once("`, ") {
        Some((name, expected)) if expected.starts_with("expected") => format!("{name}` is not known; {expected}"),
        Some((name, _)) => format!("{name}` is not known"),
        None => format!("{rest} is not known"),
    };
    if let Some(name) = text.strip_prefix("missing field ") {
        return Some(format!("the member {name} is missing"));
    }
    if let Some(name) = text.strip_prefix("duplicate field ") {
        return Some(format!("the member {name} is given twice"));
    }
    if let Some(rest) = text.strip_prefix("unknown field ") {
        return Some(format!("the member {}", unknown(rest)));
    }
    if let Some(rest) = text.strip_prefix("unknown variant ") {
        return Some(unknown(rest));
    }
    let rest = text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: "))?;
    let (found, expected) = rest.rsplit_once(", expected ")?;
    Some(format!("expected {}, found {}", of_expected(expected), of_found(found)))
}

fn of_expected(text: &str) -> &str {
    match text {
        "map" | "a map" => "an object",
        "sequence" | "a sequence" => "a list",
        "string or map" => "a string or an object",
        "a boolean" => "true or false",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" => "a whole number",
        _ if text.starts_with("struct ") => "an object",
        _ if text.starts_with("enum ") => "a string or an object",
        _ if text.starts_with("a tuple ") => "a list",
        _ => text,
    }
}

fn of_found(text: &str) -> String {
    match text.split_once(' ') {
        None if text == "map" => "an object".to_owned(),
        None if text == "sequence" => "a list".to_owned(),
        Some(("integer", number)) => format!("the number {number}"),
        Some(("floating", number)) => format!("the number {}", number.trim_start_matches("point ")),
        Some(("boolean", word)) => word.to_owned(),
        Some(("string", _)) => match text.char_indices().nth(80) {
            Some((at, _)) => format!("the {}…\"", &text[..at]),
            None => format!("the {text}"),
        },
        _ => text.to_owned(),
    }
}

/// Any JSON value. It is read to find members with the same name; its content is discarded.
struct Checked;

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Checked;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_str<E>(self, _: &str) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_unit<E>(self) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Checked, A::Error> {
        while items.next_element::<Checked>()?.is_some() {}
        Ok(Checked)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Checked, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if names.contains(&name) {
                return Err(A::Error::custom(format!("the member `{name}` is given twice")));
            }
            names.insert(name);
            members.next_value::<Checked>()?;
        }
        Ok(Checked)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the errors matter")]
    struct Document {
        list: Vec<u32>,
        inner: Option<Box<Document>>,
        word: Option<Word>,
        map: Option<BTreeMap<String, bool>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        One,
        Two,
    }

    #[test]
    fn an_error_has_no_words_of_rust() {
        for (text, message) in [
            ("", "the text ends too early at line 1 column 0"),
            (r#"{"list": [1"#, "the text ends too early at line 1 column 11"),
            (r#"{"list": [}"#, "expected a value at line 1 column 11"),
            (r#"{"list": [], "map": {"a": tru}}"#, "expected `true`, `false` or `null` at line 1 column 30"),
            (r#"{"list": []} x"#, "expected the end of the text at line 1 column 14"),
            ("{1: 2}", "the name of a member must be in double quotes at line 1 column 2"),
            ("{}", "the member `list` is missing at line 1 column 2"),
            (r#"{"list": [], "list": []}"#, "the member `list` is given twice at line 1 column 19"),
            (
                r#"{"lists": []}"#,
                "the member `lists` is not known; expected one of `list`, `inner`, `word`, `map` at line 1 column 8",
            ),
            (r#"{"list": [], "word": "six"}"#, "`six` is not known; expected `one` or `two` at line 1 column 26"),
            (r#"{"list": {}}"#, "expected a list, found an object at line 1 column 9"),
            (r#"{"list": ["a"]}"#, "expected a whole number, found the string \"a\" at line 1 column 13"),
            (r#"{"list": [-1]}"#, "expected a whole number, found the number `-1` at line 1 column 12"),
            (r#"{"list": [1.5]}"#, "expected a whole number, found the number `1.5` at line 1 column 13"),
            (r#"{"list": [], "inner": 7}"#, "expected an object, found the number `7` at line 1 column 23"),
            (r#"{"list": [], "map": {"a": 1}}"#, "expected true or false, found the number `1` at line 1 column 27"),
            (r#"{"list": [], "map": true}"#, "expected an object, found `true` at line 1 column 24"),
        ] {
            assert_eq!(explain(&serde_json::from_str::<Document>(text).unwrap_err()), message, "{text}");
        }
        let long = format!(r#"{{"list": "{}"}}"#, "ö".repeat(70_000));
        let message = explain(&serde_json::from_str::<Document>(&long).unwrap_err());
        assert!(message.starts_with("expected a list, found the string \"öö") && message.len() < 300, "{message}");
        let value = serde_json::from_str("{}").unwrap();
        assert_eq!(explain(&serde_json::from_value::<Document>(value).unwrap_err()), "the member `list` is missing");
    }

    #[test]
    fn the_first_byte_that_is_not_utf_8_is_named() {
        assert_eq!(text("\u{e9}".as_bytes()).unwrap(), "\u{e9}");
        assert_eq!(text(b"{}\xFF\xFE").unwrap_err(), "it is not UTF-8 text: byte 3 is 0xFF");
        // The file ends within a character.
        assert_eq!(text(b"\xC3").unwrap_err(), "it is not UTF-8 text: byte 1 is 0xC3");
    }

    #[test]
    fn a_member_that_is_given_twice_is_refused_wherever_it_stands() {
        for text in [
            r#"{"a": 1, "a": 1}"#,
            r#"[{"b": {"a": [], "c": null, "a": []}}]"#,
            // The same name, spelled in two ways.
            r#"{"a": 1, "\u0061": 2}"#,
        ] {
            let error = check(text).unwrap_err().to_string();
            assert!(error.starts_with("the member `a` is given twice at line 1"), "{error}");
        }
    }

    #[test]
    fn any_other_json_is_accepted_and_nothing_else() {
        for text in ["null", "[1, -1, 1.5, 18446744073709551615, true, \"x\"]", r#"{"a": {"a": {}}, "A": [{"a": 1}]}"#]
        {
            check(text).unwrap();
        }
        for text in ["", "{", "{}x", "{\"a\"}", "[1,]"] {
            check(text).unwrap_err();
        }
    }
}
