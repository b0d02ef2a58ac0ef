//! Checks the conditions and prerequisites of a spec.

use super::{Context, Path, data, exactly_one, files, keep, keys, versions};
use crate::{
    diag::{Code, text::shorten},
    registry::ValueType,
    spec::{
        document::{
            self, Comparison, DataExpression, OtherValue, RegistryTest, Scalar, TypeChoice, ValuePlace, VersionRange,
        },
        model::{self, Condition, Literal, OsTest, Prerequisite, ValueAt, ValueTest, text_version},
    },
};

/// The maximum number of conditions that may be nested in each other.
const MAX_DEPTH: usize = 8;

/// The fields of a condition, or of a prerequisite, which is a condition with a title.
struct Fields<'d> {
    registry: &'d Option<Box<RegistryTest>>,
    file: &'d Option<Box<document::FileTest>>,
    os: &'d Option<Box<document::OsTest>>,
    all: &'d Option<Vec<document::Condition>>,
    any: &'d Option<Vec<document::Condition>>,
    not: &'d Option<Box<document::Condition>>,
}

/// Checks the condition at `path`. Returns `None` after reporting an error.
pub(super) fn condition(cx: &mut Context<'_>, condition: &document::Condition, path: &Path) -> Option<Condition> {
    nested(cx, condition, path, 1)
}

/// Checks a prerequisite or a cause. Returns `None` after reporting an error.
pub(super) fn prerequisite(cx: &mut Context<'_>, from: &document::Prerequisite, path: &Path) -> Option<Prerequisite> {
    let document::Prerequisite { title, note: _, registry, file, os, all, any, not } = from;
    let fields = Fields { registry, file, os, all, any, not };
    Some(Prerequisite { title: title.clone(), condition: of_fields(cx, &fields, path, 1)? })
}

fn nested(cx: &mut Context<'_>, from: &document::Condition, path: &Path, depth: usize) -> Option<Condition> {
    let document::Condition { registry, file, os, all, any, not } = from;
    let fields = Fields { registry, file, os, all, any, not };
    of_fields(cx, &fields, path, depth)
}

fn of_fields(cx: &mut Context<'_>, from: &Fields<'_>, path: &Path, depth: usize) -> Option<Condition> {
    if depth > MAX_DEPTH {
        let message = format!("conditions are nested deeper than {MAX_DEPTH} levels");
        cx.error_at_name(Code::CONDITION_DEPTH, path, message, "use fewer levels of conditions");
        return None;
    }
    let fields = [
        ("registry", from.registry.is_some()),
        ("file", from.file.is_some()),
        ("os", from.os.is_some()),
        ("all", from.all.is_some()),
        ("any", from.any.is_some()),
        ("not", from.not.is_some()),
    ];
    let one = exactly_one(cx, path, "the condition", &fields);
    // Every field is checked, even if there are too many fields.
    let mut found = None;
    if let Some(test) = from.registry {
        found = registry(cx, test, &path.field("registry"));
    }
    if let Some(test) = from.file {
        let test = files::file_test(cx, test, &path.field("file"));
        found = test.map(|(path, test)| Condition::File { path, test });
    }
    if let Some(test) = from.os {
        found = os(cx, test, &path.field("os")).map(Condition::Os);
    }
    if let Some(all) = from.all {
        found = list(cx, all, &path.field("all"), depth).map(Condition::All);
    }
    if let Some(any) = from.any {
        found = list(cx, any, &path.field("any"), depth).map(Condition::Any);
    }
    if let Some(not) = from.not {
        found = nested(cx, not, &path.field("not"), depth + 1).map(|c| Condition::Not(Box::new(c)));
    }
    one?;
    found
}

fn list(cx: &mut Context<'_>, from: &[document::Condition], path: &Path, depth: usize) -> Option<Vec<Condition>> {
    let all: Vec<_> = from.iter().enumerate().map(|(at, c)| nested(cx, c, &path.item(at), depth + 1)).collect();
    all.into_iter().collect()
}

fn registry(cx: &mut Context<'_>, test: &RegistryTest, path: &Path) -> Option<Condition> {
    let key = keys::key(cx, &test.key, test.view.is_some(), &path.field("key")).map(|k| keys::in_view(k, test.view));
    keys::view_without_effect(cx, key.as_ref(), test.view == Some(document::OneView::Bits32), path);
    if let (Some(key), Some(name)) = (&key, &test.name) {
        keys::value_in_key(cx, key, [name.as_str()], &path.field("key"));
    }
    let fields = [
        ("exists", test.exists.is_some()),
        ("equals", test.equals.is_some()),
        ("one_of", test.one_of.is_some()),
        // The two bounds together count as one test.
        ("at_least", test.at_least.is_some()),
        ("at_most", test.at_most.is_some() && test.at_least.is_none()),
        ("starts_with", test.starts_with.is_some()),
        ("contains", test.contains.is_some()),
        ("matches", test.matches.is_some()),
        ("version", test.version.is_some()),
    ];
    let given: Vec<&str> = fields.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    if given.len() > 1 {
        exactly_one(cx, path, "the test", &fields);
        return None;
    }
    let Some(name) = &test.name else {
        let of_type = test.types.is_some().then_some("type");
        if let Some(field) = of_type.or(given.first().copied().filter(|field| *field != "exists")) {
            let message = format!("`{field}` tests a value, but without `name` this is a test of a key");
            cx.error_at_name(
                Code::CONTRADICTION,
                &path.field(field),
                message,
                "add `name`, the name of the value to test",
            );
            return None;
        }
        return Some(Condition::Key { key: key?, exists: test.exists.unwrap_or(true) });
    };
    let name = keys::name_of_value(cx, name, &path.field("name"), super::Part::Data);
    let test = data_test(cx, test, path)?;
    Some(Condition::Value { at: ValueAt { key: key?, name: name? }, test })
}

/// Checks the part of a registry condition that tests a value's type and data. Returns `None` after reporting an error.
fn data_test(cx: &mut Context<'_>, test: &RegistryTest, path: &Path) -> Option<ValueTest> {
    let types = match &test.types {
        Some(choice) => Some(types_of_test(cx, choice, test, path)?),
        None => None,
    };
    let literals = match (&test.equals, &test.one_of) {
        (Some(Comparison::Literal(equals)), _) => vec![(equals, path.field("equals"))],
        (Some(Comparison::Other(_)), _) => Vec::new(),
        (None, Some(all)) => all.iter().enumerate().map(|(at, one)| (one, path.field("one_of").item(at))).collect(),
        (None, None) => Vec::new(),
    };
    let inner = if let (Some(types), false) = (&types, literals.is_empty()) {
        let each: Vec<_> = literals.iter().map(|(literal, path)| data::of_types(cx, literal, types, path)).collect();
        ValueTest::Data(each.into_iter().collect::<Option<Vec<_>>>()?.concat())
    } else if !literals.is_empty() {
        ValueTest::OneOf(literals.into_iter().map(|(one, _)| literal(one)).collect())
    } else if let Some(Comparison::Other(from)) = &test.equals {
        other_value(cx, from, test, &path.field("equals"))?
    } else if let Some(text) = &test.starts_with {
        ValueTest::StartsWith(text.clone())
    } else if let Some(text) = &test.contains {
        ValueTest::Contains(text.clone())
    } else if let Some(text) = &test.matches {
        ValueTest::Matches(keep::expression(cx, text, &path.field("matches"))?)
    } else if let Some(range) = &test.version {
        version_range(cx, range, &path.field("version"))?
    } else if test.at_least.is_some() || test.at_most.is_some() {
        let expression = |scalar: &Option<Scalar>| scalar.clone().map(|scalar| DataExpression::Literal(scalar.into()));
        let (least, most) = (expression(&test.at_least), expression(&test.at_most));
        let value_type = types.as_ref().and_then(|types| types.first().copied());
        ValueTest::Number(keep::bounds(cx, least.as_ref(), most.as_ref(), value_type, path)?)
    } else {
        ValueTest::Exists(test.exists.unwrap_or(true))
    };
    Some(match types {
        Some(types) => ValueTest::OfType(types, Box::new(inner)),
        None => inner,
    })
}

/// Checks a test that compares a value with another value of the target. `from` is that other value. Returns `None`
/// after reporting an error.
fn other_value(cx: &mut Context<'_>, from: &OtherValue, test: &RegistryTest, path: &Path) -> Option<ValueTest> {
    let ValuePlace { key: named, name, view } = &from.registry;
    let path = path.field("registry");
    let key = keys::key(cx, named, view.is_some(), &path.field("key")).map(|key| keys::in_view(key, *view));
    keys::view_without_effect(cx, key.as_ref(), *view == Some(document::OneView::Bits32), &path);
    if let Some(key) = &key {
        keys::value_in_key(cx, key, [name.as_str()], &path.field("key"));
    }
    let value_name = keys::name_of_value(cx, name, &path.field("name"), super::Part::Data);
    let is_same = named.eq_ignore_ascii_case(&test.key)
        && test.view == *view
        && test.name.as_ref().is_some_and(|tested| tested.eq_ignore_ascii_case(name));
    if is_same {
        let message = "a value is always equal to itself";
        cx.error_at_name(Code::CONTRADICTION, &path, message, "name the other value to compare with");
        return None;
    }
    let at = ValueAt { key: key?, name: value_name? };
    Some(ValueTest::SameAs(Box::new(model::OtherValue { at, ignore_case: from.ignore_case })))
}

fn types_of_test(
    cx: &mut Context<'_>,
    choice: &TypeChoice,
    test: &RegistryTest,
    path: &Path,
) -> Option<Vec<ValueType>> {
    if test.exists == Some(false) {
        let message = "a value that is absent has no type";
        cx.error_at_name(Code::CONTRADICTION, &path.field("type"), message, "remove `type`, or `exists: false`");
        return None;
    }
    Some(match choice {
        TypeChoice::One(name) => vec![data::value_type(*name)],
        TypeChoice::Any(names) => names.iter().map(|name| data::value_type(*name)).collect(),
    })
}

fn version_range(cx: &mut Context<'_>, range: &VersionRange, path: &Path) -> Option<ValueTest> {
    let mut bound = |text: &Option<String>, field: &str| {
        let Some(text) = text else { return Some(None) };
        let version = text_version::parse(text);
        if version.is_none() {
            let message = format!("`{}` is not a version", shorten(text));
            let hint = "write one to four numbers with dots between them: \"16.0.10730\"";
            cx.error(Code::FILE_VERSION, &path.field(field), message, hint);
        }
        version.map(Some)
    };
    let (at_least, below) = (bound(&range.at_least, "at_least"), bound(&range.below, "below"));
    let (at_least, below) = (at_least?, below?);
    if let (Some(least), Some(below)) = (at_least, below)
        && least >= below
    {
        let message = "no version can satisfy both `at_least` and `below`";
        cx.error(Code::EMPTY_RANGE, &path.field("below"), message, "make `below` higher than `at_least`");
        return None;
    }
    Some(ValueTest::Version(at_least, below))
}

fn literal(from: &document::Literal) -> Literal {
    match from {
        document::Literal::Number(number) => Literal::Number(*number),
        document::Literal::Text(text) => Literal::Text(text.clone()),
        document::Literal::List(list) => Literal::List(list.clone()),
    }
}

fn os(cx: &mut Context<'_>, test: &document::OsTest, path: &Path) -> Option<OsTest> {
    let version = |cx: &mut Context<'_>, text: &Option<String>, field: &str| match text {
        Some(text) => versions::os_version(cx, text, &path.field(field)).map(Some),
        None => Some(None),
    };
    let at_least = version(cx, &test.at_least, "at_least");
    let below = version(cx, &test.below, "below");
    let (at_least, below) = (at_least?, below?);
    if let (Some(at_least), Some(below)) = (at_least, below)
        && at_least >= below
    {
        let message = "no version can satisfy both `at_least` and `below`";
        cx.error(Code::EMPTY_RANGE, &path.field("below"), message, "make `below` higher than `at_least`");
        return None;
    }
    let editions = test.edition.clone().unwrap_or_default();
    super::display_names::editions(cx, &editions, &path.field("edition"));
    let products = test.product.clone().unwrap_or_default();
    if at_least.is_none()
        && below.is_none()
        && editions.is_empty()
        && products.is_empty()
        && test.service_pack.is_none()
    {
        let hint = "give `at_least`, `below`, `edition`, `product` or `service_pack`";
        cx.error_at_name(Code::EXACTLY_ONE, path, "the test has none of the fields that it can have", hint);
        return None;
    }
    Some(OsTest { at_least, below, editions, products, service_pack: test.service_pack })
}
