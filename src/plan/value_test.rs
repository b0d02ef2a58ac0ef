//! Tests the data of a value, and describes what the test requires.

use super::{Truth, lookup};
use crate::{
    registry::{Data, Decoded, ValueType, name, notation},
    spec::model::{Literal, ValueTest, text_version},
    targets::Answer,
};

/// Tests the answer about a value. Returns a description of what the test requires, and the result. For a test
/// [`ValueTest::SameAs`], `others` contains the values with which the test compares.
pub(super) fn judged(answer: Answer<Data>, test: &ValueTest, others: Option<&Others>) -> (String, Truth) {
    match test {
        ValueTest::SameAs(_) => match others {
            Some(others) => others.judged(&answer),
            None => ("the data of another value".to_owned(), Truth::Unknown),
        },
        ValueTest::Exists(true) => ("present".to_owned(), exists(answer, true)),
        ValueTest::Exists(false) => ("absent".to_owned(), exists(answer, false)),
        ValueTest::OneOf(literals) => {
            let wanted = literals.iter().map(literal_text).collect::<Vec<_>>().join(" or ");
            (wanted, of_data(answer, |data| Truth::any(literals.iter().map(|literal| equals(data, literal)))))
        }
        ValueTest::Number(bounds) => {
            let holds = |data: &Data| match data.decode() {
                Decoded::Number(number) => Truth::of(bounds.hold(number)),
                Decoded::Malformed(_) if is_number(data.value_type) => Truth::Unknown,
                _ => Truth::Unmet,
            };
            (bounds.to_string(), of_data(answer, holds))
        }
        ValueTest::Data(all) => {
            let holds = |data: &Data| match data.decode() {
                _ if all.iter().any(|one| is_equal(data, one)) => Truth::Met,
                Decoded::Malformed(_) if all.iter().any(|one| one.value_type == data.value_type) => Truth::Unknown,
                _ => Truth::Unmet,
            };
            (all.iter().map(|data| format!("{data:?}")).collect::<Vec<_>>().join(" or "), of_data(answer, holds))
        }
        ValueTest::StartsWith(text) => {
            let holds = |found: &str| Truth::of(found.starts_with(text.as_str()));
            (format!("a string that begins with {}", notation::quoted(text)), of_text(answer, holds))
        }
        ValueTest::Contains(text) => {
            let holds = |data: &Data| match data.decode_as_read() {
                Decoded::Text(found) => Truth::of(found.contains(text.as_str())),
                Decoded::List(found) => Truth::of(found.iter().any(|item| name::compare(item, text).is_eq())),
                Decoded::Malformed(_) if is_text(data.value_type) || data.value_type == ValueType::MULTI_SZ => {
                    Truth::Unknown
                }
                _ => Truth::Unmet,
            };
            (
                format!("a string with {} in it, or a list with this item", notation::quoted(text)),
                of_data(answer, holds),
            )
        }
        ValueTest::Matches(expression) => {
            let holds = |found: &str| Truth::of(expression.occurs_in(found));
            (format!("a string in which {} occurs", notation::quoted(expression.as_str())), of_text(answer, holds))
        }
        ValueTest::Version(at_least, below) => {
            let holds = |found: &str| match text_version::within(found).as_slice() {
                [] => Truth::Unmet,
                [version] => Truth::of(
                    at_least.is_none_or(|least| *version >= least) && below.is_none_or(|below| *version < below),
                ),
                _ => Truth::Unknown,
            };
            let least = at_least.map(|version| format!("{} or later", text_version::dotted(version)));
            let below = below.map(|version| format!("below {}", text_version::dotted(version)));
            let range = least.into_iter().chain(below).collect::<Vec<_>>().join(" and ");
            (format!("a version {range}"), of_text(answer, holds))
        }
        ValueTest::OfType(types, test) => {
            let is_other = matches!(&answer, Answer::Present(data) if !types.contains(&data.value_type));
            let (wanted, truth) = judged(answer, test, others);
            let types = types.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
            let wanted = match **test {
                ValueTest::Exists(_) => types,
                // The data already shows its type.
                ValueTest::Data(_) => wanted,
                _ => format!("{types}, {wanted}"),
            };
            (wanted, if is_other { Truth::Unmet } else { truth })
        }
    }
}

/// The values with which a test compares another value. The test is met if one of them has the same data.
pub(super) struct Others {
    pub ignore_case: bool,
    pub all: Vec<Other>,
}

/// One of the values with whose data a test compares the data of the tested value.
pub(super) struct Other {
    pub place: String,
    pub answer: Answer<Data>,
    /// Whether the data of this value is never shown.
    pub is_hidden: bool,
}

impl Others {
    fn judged(&self, answer: &Answer<Data>) -> (String, Truth) {
        let describe = |other: &Other| {
            let found = match &other.answer {
                Answer::Present(data) if other.is_hidden => notation::message(Some(data), true),
                Answer::Present(data) => lookup::readable(data),
                Answer::Absent => "absent".to_owned(),
                Answer::Unread(why) => why.to_string(),
            };
            format!("the data of {}, which is {found}", other.place)
        };
        let case = if self.ignore_case { ", in any letter case" } else { "" };
        let wanted = self.all.iter().map(describe).collect::<Vec<_>>().join(", or ") + case;
        let holds = |data: &Data| {
            Truth::any(self.all.iter().map(|other| match &other.answer {
                Answer::Present(other) => same(data, other, self.ignore_case),
                // There is no value to compare with.
                Answer::Absent | Answer::Unread(_) => Truth::Unknown,
            }))
        };
        (wanted, of_data(answer.clone(), holds))
    }
}

/// Returns whether `data` has the same type and bytes as `other`, or both are the same REG_MULTI_SZ as programs read
/// it.
fn is_equal(data: &Data, other: &Data) -> bool {
    let is_list = |data: &Data| data.value_type == ValueType::MULTI_SZ;
    data == other || (is_list(data) && is_list(other) && same(data, other, false) == Truth::Met)
}

/// Compares the data of two values. Data of different kinds, such as a number and a string, is not equal. If both have
/// the same kind and one is malformed, the result is unknown.
fn same(one: &Data, other: &Data, ignore_case: bool) -> Truth {
    let equal = |a: &str, b: &str| if ignore_case { name::compare(a, b).is_eq() } else { a == b };
    match (one.decode_as_read(), other.decode_as_read()) {
        (Decoded::Number(a), Decoded::Number(b)) => Truth::of(a == b),
        (Decoded::Text(a), Decoded::Text(b)) => Truth::of(equal(&a, &b)),
        (Decoded::List(a), Decoded::List(b)) => {
            Truth::of(a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| equal(a, b)))
        }
        (Decoded::Bytes, Decoded::Bytes) => Truth::of(one == other),
        (Decoded::Malformed(_), _) | (_, Decoded::Malformed(_)) if kind(one) == kind(other) => Truth::Unknown,
        _ => Truth::Unmet,
    }
}

/// Returns the same type for all types whose data can be equal, such as REG_SZ for all string types.
fn kind(data: &Data) -> ValueType {
    match data.value_type {
        one if is_number(one) => ValueType::DWORD,
        one if is_text(one) => ValueType::SZ,
        one => one,
    }
}

/// Evaluates a test of a string. An absent value or other data does not pass the test. If the string is malformed, or
/// the value could not be read, the result is unknown.
fn of_text(answer: Answer<Data>, holds: impl FnOnce(&str) -> Truth) -> Truth {
    of_data(answer, |data| match data.decode() {
        Decoded::Text(found) => holds(&found),
        Decoded::Malformed(_) if is_text(data.value_type) => Truth::Unknown,
        _ => Truth::Unmet,
    })
}

fn is_text(value_type: ValueType) -> bool {
    [ValueType::SZ, ValueType::EXPAND_SZ].contains(&value_type)
}

/// Evaluates a test of data. An absent value does not pass the test. If the value could not be read, the result is
/// unknown.
fn of_data(answer: Answer<Data>, holds: impl FnOnce(&Data) -> Truth) -> Truth {
    match answer {
        Answer::Present(data) => holds(&data),
        Answer::Absent => Truth::Unmet,
        Answer::Unread(_) => Truth::Unknown,
    }
}

/// Compares data with a literal of the spec. Data of another type is not equal. If the data has the right type but is
/// malformed, the result is unknown.
fn equals(data: &Data, literal: &Literal) -> Truth {
    let of_the_type = match literal {
        Literal::Number(_) => is_number(data.value_type),
        Literal::Text(_) => is_text(data.value_type),
        Literal::List(_) => data.value_type == ValueType::MULTI_SZ,
    };
    match (data.decode_as_read(), literal) {
        (Decoded::Number(found), Literal::Number(wanted)) => Truth::of(found == *wanted),
        (Decoded::Text(found), Literal::Text(wanted)) => Truth::of(found == *wanted),
        (found @ Decoded::List(_), Literal::List(wanted)) => {
            Truth::of(found == Data::multi_sz(wanted).decode_as_read())
        }
        (Decoded::Malformed(_), _) if of_the_type => Truth::Unknown,
        _ => Truth::Unmet,
    }
}

fn is_number(value_type: ValueType) -> bool {
    [ValueType::DWORD, ValueType::DWORD_BIG_ENDIAN, ValueType::QWORD].contains(&value_type)
}

fn literal_text(literal: &Literal) -> String {
    match literal {
        Literal::Number(number) => number.to_string(),
        Literal::Text(text) => notation::quoted(text),
        Literal::List(list) => format!("[{}]", list.iter().map(|s| notation::quoted(s)).collect::<Vec<_>>().join(", ")),
    }
}

/// Evaluates the test whether a value exists (`wanted` is true) or is absent (`wanted` is false). If the value could
/// not be read, the result is unknown.
fn exists(answer: Answer<Data>, wanted: bool) -> Truth {
    answer.known().map_or(Truth::Unknown, |found| Truth::of(found.is_some() == wanted))
}
