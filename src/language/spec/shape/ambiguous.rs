//! Reports unquoted scalars that YAML readers interpret differently ([`crate::spec::source::readings`]).
//!
//! Some readers interpret `on` as a string, others as true; `0777` can be 777, 511 or a string. kbfix does not guess
//! which of these the author means.

use serde_json::Value;

use crate::{
    diag::{Code, Hint, text::shorten},
    spec::source::{
        findings::Findings,
        path::Path,
        reading::Reading,
        readings::{Readings, is_plainly_text, quote_hint},
        tree::{Kind, Places, Style, Visited},
        yaml11::is_day,
    },
};

use super::hints;

/// Reports unquoted field names and scalars that YAML readers interpret differently or that kbfix does not accept, such
/// as a floating-point number. `schema` returns the JSON schema of the document, for hints.
pub(in crate::spec) fn check<'s>(findings: &mut Findings<'_>, schema: &impl Fn() -> &'s Value) {
    let places = findings.places();
    places.walk(&mut |way, visited| match visited {
        Visited::Name(entry) => {
            if entry.style == Style::Plain && !is_plainly_text(&entry.name) {
                let readings = Readings::of(&entry.name);
                if readings.agreed() != Some(Reading::Text) {
                    name(findings, &way.path(), &entry.name, readings);
                }
            }
        }
        Visited::Node(node) => {
            if let Kind::Scalar { text, style: Style::Plain } = &node.kind
                && !is_plainly_text(text)
            {
                let readings = Readings::of(text);
                if !is_clear(readings) {
                    data(findings, &way.path(), text, readings, schema);
                }
            }
        }
    });
}

/// Returns whether all readers interpret a scalar in the same way, and not as a floating-point number or as a number
/// with more than 64 bits.
fn is_clear(readings: Readings) -> bool {
    match readings.agreed() {
        Some(Reading::Int(Some(number))) => u64::try_from(number).is_ok() || i64::try_from(number).is_ok(),
        Some(Reading::Int(None) | Reading::Float) | None => false,
        Some(_) => true,
    }
}

fn data<'s>(findings: &mut Findings<'_>, path: &Path, text: &str, readings: Readings, schema: &impl Fn() -> &'s Value) {
    match readings.agreed() {
        // PyYAML converts a date to a date object, which becomes the same text again before kbfix reads it.
        None if is_day(text) && is_review(path) => {}
        _ if findings.only_counts() => {}
        Some(Reading::Float) => {
            let message =
                format!("`{}` without quotes is a floating-point number, which kbfix does not accept", shorten(text));
            let hint = hints::for_fraction(findings.places(), path, text)
                .or_else(|| hints::without_quotes(schema(), path, text, false));
            findings.data(Code::UNQUOTED_SCALAR, path, message, hint.map(Hint::new).or_else(|| quote_hint(text)));
        }
        Some(Reading::Int(_)) => too_large(findings, path, text),
        Some(_) => {}
        None => {
            let hint = hint(findings.places(), path, text, readings, schema);
            findings.data(Code::AMBIGUOUS_SCALAR, path, readings.message(text), hint);
        }
    }
}

/// Returns a hint for the unquoted scalar `text`, which YAML readers interpret differently; `None` if there is no hint.
fn hint<'s>(
    places: &Places,
    path: &Path,
    text: &str,
    readings: Readings,
    schema: &impl Fn() -> &'s Value,
) -> Option<Hint> {
    let truth = if readings.old == Reading::Bool { hints::for_truth(places, path, text) } else { None };
    if let Some(hint) = truth {
        return Some(Hint::new(hint));
    }
    let numbers = readings.numbers();
    match (hints::type_beside(places, path), numbers.as_slice()) {
        (Some(value_type), _) if !hints::is_number_type(&value_type) => quote_hint(text),
        (Some(value_type), _) if text.contains(':') => {
            Some(format!("a {value_type} takes one number, without `:`").into())
        }
        (Some(value_type), [one]) => Some(format!("a {value_type} takes a number: write {one}").into()),
        (Some(value_type), [decimal, octal, ..]) => {
            let write = format!("write {decimal} if it is a decimal number, or {octal} if it is an octal number");
            Some(format!("a {value_type} takes a number: {write}").into())
        }
        _ => match hints::without_quotes(schema(), path, text, !numbers.is_empty()) {
            Some(hint) => Some(Hint::new(hint)),
            None => readings.hint(text),
        },
    }
}

fn too_large(findings: &mut Findings<'_>, path: &Path, text: &str) {
    let message = format!("`{}` without quotes is a number outside the range of every registry type", shorten(text));
    let hint = "a REG_QWORD goes from 0 to 18446744073709551615; a string, or bytes in hex digits, need quotes";
    findings.data(Code::NUMBER_TOO_LARGE, path, message, Some(hint));
}

fn is_review(path: &Path) -> bool {
    let is_expiry = path.0.len() == 3 && path.field_at(0) == Some("waivers") && path.field_at(2) == Some("expires");
    is_expiry || path.0.len() == 2 && path.field_at(0) == Some("article") && path.field_at(1) == Some("reviewed")
}

fn name(findings: &mut Findings<'_>, path: &Path, text: &str, readings: Readings) {
    match readings.agreed() {
        Some(Reading::Text) => {}
        // This is reported as a merge key.
        _ if text == "<<" => {}
        // The name of a field can be a number only in its shortest decimal form: any other number would become a
        // different name.
        Some(Reading::Int(Some(number))) if number.to_string() == text => {}
        _ if findings.only_counts() => {}
        Some(_) if text.is_empty() => {
            let hint = Hint::new("write the name before the `:`");
            findings.name(Code::UNQUOTED_SCALAR, path, "there is no name before `:`", Some(hint));
        }
        Some(reading) => {
            let message = format!("`{}` without quotes is {}, not the name of a field", shorten(text), reading.word());
            findings.name(Code::UNQUOTED_SCALAR, path, message, quote_hint(text));
        }
        None => findings.name(Code::AMBIGUOUS_SCALAR, path, readings.message(text), quote_hint(text)),
    }
}
