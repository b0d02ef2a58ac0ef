//! Formats conditions and file versions in words.

use crate::{
    registry::{RootKey, notation},
    spec::{
        document::Product,
        model::{Condition, FileTest, KeyPattern, Literal, OsTest, ValueAt, ValueTest, VersionTest, text_version},
    },
    version::Platform,
};

use super::Item;

/// Formats a condition as items of a list. The parts of the condition are nested one level deeper.
pub(super) fn condition(condition: &Condition, depth: usize, out: &mut Vec<Item>) {
    let mut group = |word: &str, parts: &[&Condition]| {
        out.push(Item { depth, ..Item::new(word) });
        parts.iter().for_each(|part| self::condition(part, depth + 1, out));
    };
    match condition {
        Condition::All(all) => group("all of these:", &all.iter().collect::<Vec<_>>()),
        Condition::Any(any) => group("at least one of these:", &any.iter().collect::<Vec<_>>()),
        Condition::Not(not) => group("not this:", &[not]),
        single => out.push(Item { depth, ..Item::new(sentence(single)) }),
    }
}

/// Returns a condition as one line of text.
pub(super) fn on_one_line(condition: &Condition) -> String {
    let each = |all: &[Condition], word: &str| all.iter().map(on_one_line).collect::<Vec<_>>().join(word);
    match condition {
        Condition::All(all) => format!("({})", each(all, " and ")),
        Condition::Any(any) => format!("({})", each(any, " or ")),
        Condition::Not(not) => format!("not ({})", on_one_line(not)),
        single => sentence(single),
    }
}

fn sentence(condition: &Condition) -> String {
    match condition {
        Condition::Key { key, exists } => {
            format!("the key {}{} {}", key, several(key), if *exists { "exists" } else { "does not exist" })
        }
        Condition::Value { at, test } => {
            let place = format!("{}{} {}", at.key, several(&at.key), notation::value_name(&at.name));
            format!("{place} {}", of_value(test))
        }
        Condition::File { path, test } => match test {
            FileTest::Absent => format!("the file {path} is absent"),
            FileTest::Present { version: None, platform: None } => format!("the file {path} exists"),
            FileTest::Present { version, platform } => {
                format!("the file {path} has {}", file(version.as_ref(), *platform))
            }
        },
        Condition::Os(test) => os(test),
        Condition::All(_) | Condition::Any(_) | Condition::Not(_) => on_one_line(condition),
    }
}

/// Describes what a test requires of a value. The text continues a line that begins with the value's key and name.
fn of_value(test: &ValueTest) -> String {
    match test {
        ValueTest::Exists(true) => "is there".to_owned(),
        ValueTest::Exists(false) => "is absent".to_owned(),
        ValueTest::OneOf(all) => format!("is {}", all.iter().map(literal).collect::<Vec<_>>().join(" or ")),
        ValueTest::Number(bounds) => format!("is {bounds}"),
        ValueTest::Data(all) => format!("is {}", all.iter().map(|d| format!("{d:?}")).collect::<Vec<_>>().join(" or ")),
        ValueTest::SameAs(other) => {
            let case = if other.ignore_case { ", in any letter case" } else { "" };
            let ValueAt { key, name } = &other.at;
            format!("has the same data as {key}{} {}{case}", several(key), notation::value_name(name))
        }
        ValueTest::StartsWith(text) => format!("begins with {}", notation::quoted(text)),
        ValueTest::Contains(text) => format!("contains {}", notation::quoted(text)),
        ValueTest::Matches(expression) => format!("matches {}", notation::quoted(expression.as_str())),
        ValueTest::Version(at_least, below) => {
            let least = at_least.map(|version| format!("{} or later", text_version::dotted(version)));
            let below = below.map(|version| format!("below {}", text_version::dotted(version)));
            format!("names a version {}", least.into_iter().chain(below).collect::<Vec<_>>().join(" and "))
        }
        ValueTest::OfType(types, test) => {
            let types = types.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
            match **test {
                ValueTest::Exists(_) => format!("is a {types}"),
                ValueTest::Data(_) => of_value(test),
                _ => format!("is a {types} and {}", of_value(test)),
            }
        }
    }
}

/// Returns a text that says for which keys or users the test must pass, such as ` (for at least one subkey)`. The text
/// is empty if the pattern is one fixed key.
fn several(key: &KeyPattern) -> &'static str {
    if key.own.is_some() {
        " (of the same key)"
    } else if key.same_user && key.has_star() {
        " (of the same user, for at least one subkey)"
    } else if key.same_user {
        " (of the same user)"
    } else if key.has_star() {
        " (for at least one subkey)"
    } else if key.root == RootKey::Hkcu {
        " (for at least one user)"
    } else {
        ""
    }
}

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Number(number) => number.to_string(),
        Literal::Text(text) => notation::quoted(text),
        Literal::List(list) => format!("[{}]", list.iter().map(|s| notation::quoted(s)).collect::<Vec<_>>().join(", ")),
    }
}

/// Describes what a test requires of a file, such as `version 6.5.7651.19 or later, built for x86`.
pub(super) fn file(version: Option<&VersionTest>, platform: Option<Platform>) -> String {
    let version = version.map(|test| match test {
        VersionTest::AtLeast(version) => format!("version {version} or later"),
        VersionTest::Branches(branches) => {
            let each = branches.iter().map(|b| format!("{} or later in the branch from {}", b.version, b.from));
            format!("a version depending on its branch: {}", each.collect::<Vec<_>>().join("; "))
        }
    });
    let platform = platform.map(|platform| format!("built for {platform}"));
    version.into_iter().chain(platform).collect::<Vec<_>>().join(", ")
}

fn os(test: &OsTest) -> String {
    use text_version::dotted;
    let mut words = Vec::new();
    words.extend(test.at_least.map(|version| format!("version {} or later", dotted(version))));
    words.extend(test.below.map(|version| format!("below version {}", dotted(version))));
    if !test.editions.is_empty() {
        words.push(format!("of edition {}", test.editions.join(" or ")));
    }
    if !test.products.is_empty() {
        words.push(test.products.iter().map(|p| product(*p)).collect::<Vec<_>>().join(" or "));
    }
    words.extend(test.service_pack.map(|number| format!("with service pack {number} or higher")));
    format!("Windows is {}", words.join(", "))
}

fn product(product: Product) -> &'static str {
    match product {
        Product::Client => "a client",
        Product::Server => "a server that is not a domain controller",
        Product::DomainController => "a domain controller",
    }
}
