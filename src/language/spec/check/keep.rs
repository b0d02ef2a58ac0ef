//! Checks the field `keep` of a value rule, which describes the existing data that kbfix does not replace.

use std::collections::{BTreeSet, HashSet};

use super::{
    Context, Path, data, exactly_one,
    numbers::{self, NoNumber},
};
use crate::{
    diag::{Code, text::shorten},
    registry::{Data, ValueType},
    spec::{
        document::{self, DataExpression, KeepWhich, Literal, Scalar},
        model::{Bounds, Expression, Items, Keep},
    },
};

/// Returns whether the field is `keep: none`. Then `data` is the only accepted data.
pub(super) fn is_none(from: &document::Keep) -> bool {
    *from == document::Keep::Word(document::KeepWord::None)
}

/// Checks the field `keep` of a value that may have each of `types`. Returns `None` after reporting an error.
pub(super) fn keep(cx: &mut Context<'_>, from: &document::Keep, types: &[ValueType], path: &Path) -> Option<Keep> {
    let which = match from {
        document::Keep::Word(document::KeepWord::Any) => return Some(Keep::Any),
        document::Keep::Word(document::KeepWord::None) => return Some(Keep::OneOf(Vec::new())),
        document::Keep::Which(which) => which,
    };
    let (least, most) = (which.at_least.is_some(), which.at_most.is_some());
    // The two bounds together count as one test.
    let fields = [
        ("at_least", least),
        ("at_most", most && !least),
        ("one_of", which.one_of.is_some()),
        ("not", which.not.is_some()),
        ("contains", which.contains.is_some()),
        ("subset", which.subset.is_some()),
        ("matches", which.matches.is_some()),
    ];
    let one = exactly_one(cx, path, "`keep`", &fields)?;
    let at = path.field(one);
    if which.separator.is_some() && !["contains", "subset"].contains(&one) {
        let message = format!("`separator` has no effect together with `{one}`");
        cx.error_at_name(Code::CONTRADICTION, &path.field("separator"), message, "remove `separator`");
        return None;
    }
    if which.separator.is_some() && types.iter().all(|value_type| *value_type == ValueType::MULTI_SZ) {
        let message = "a REG_MULTI_SZ is a list without a separator";
        cx.error_at_name(Code::TYPE_MISMATCH, &path.field("separator"), message, "remove `separator`");
        return None;
    }
    let lists = match one {
        "subset" => true,
        // Without a separator, `contains` looks for these texts in a string, and letter case matters.
        "contains" => which.separator.is_some() || !types.iter().any(|value_type| TEXTS.contains(value_type)),
        _ => false,
    };
    if which.ignore_case.is_some() && !lists {
        let message = "`ignore_case` has an effect only on the items of a list";
        cx.error_at_name(Code::CONTRADICTION, &path.field("ignore_case"), message, "remove `ignore_case`");
        return None;
    }
    match one {
        "one_of" => one_of(cx, which.one_of.as_ref()?, types, &at).map(Keep::OneOf),
        "not" => one_of(cx, which.not.as_ref()?, types, &at).map(Keep::NoneOf),
        "contains" => items(cx, which.contains.as_ref()?, which, types, &at).map(Keep::Contains),
        "subset" => items(cx, which.subset.as_ref()?, which, types, &at).map(Keep::Subset),
        "matches" => {
            of_type(cx, types, &TEXTS, "a string", &at)?;
            expression(cx, which.matches.as_ref()?, &at).map(Keep::Matches)
        }
        _ => numbers(cx, which, types, path),
    }
}

const TEXTS: [ValueType; 2] = [ValueType::SZ, ValueType::EXPAND_SZ];

/// Reports an error and returns `None` if one of `types` is not in `fitting`. `what` describes the fitting types.
fn of_type(cx: &mut Context<'_>, types: &[ValueType], fitting: &[ValueType], what: &str, path: &Path) -> Option<()> {
    let Some(other) = types.iter().find(|value_type| !fitting.contains(value_type)) else { return Some(()) };
    let message = format!("`{}` needs {what}, which a {other} is not", path.last_field().unwrap_or("keep"));
    cx.error_at_name(Code::TYPE_MISMATCH, path, message, "write `one_of` with the data that may stay, or `any`");
    None
}

/// Checks the strings of `contains` or `subset`. Returns `None` after reporting an error.
fn items(
    cx: &mut Context<'_>,
    strings: &[String],
    which: &KeepWhich,
    types: &[ValueType],
    path: &Path,
) -> Option<Items> {
    let needs_separator = path.last_field() == Some("subset") && which.separator.is_none();
    match (&which.separator, needs_separator) {
        (Some(_), _) => of_type(cx, types, &TEXTS, "a string with separators", path)?,
        (None, true) if types.iter().any(|value_type| TEXTS.contains(value_type)) => {
            let message = "`subset` compares lists, but without a separator the string is not a list";
            cx.error_at_name(
                Code::TYPE_MISMATCH,
                path,
                message,
                "give the string between the items, such as `separator: \",\"`",
            );
            return None;
        }
        (None, _) => {
            let what = if needs_separator { "a list of strings" } else { "a string or a list of strings" };
            of_type(cx, types, &[ValueType::MULTI_SZ, TEXTS[0], TEXTS[1]], what, path)?;
        }
    }
    for (at, item) in strings.iter().enumerate() {
        let fault = match &which.separator {
            _ if item.trim().is_empty() => Some("an item cannot be empty or consist only of spaces".to_owned()),
            Some(separator) => item_fault(item, separator),
            None => None,
        };
        let Some(fault) = fault else { continue };
        let hint = if item.trim().is_empty() { "remove this item" } else { ITEMS_HINT };
        cx.error(Code::DATA_TEXT, &path.item(at), fault, hint);
        return None;
    }
    let ignore_case = which.ignore_case.unwrap_or(true);
    Some(Items { items: strings.to_vec(), separator: which.separator.clone(), ignore_case })
}

/// The hint for an item that is not valid in a list.
pub(super) const ITEMS_HINT: &str = "write each item as its own entry of the list, without spaces around it";

/// Returns the reason why `item` cannot be an item of a list in a string with this separator; `None` if it can.
pub(super) fn item_fault(item: &str, separator: &str) -> Option<String> {
    if item.contains(separator) {
        return Some(format!("`{}` contains the separator", shorten(item)));
    }
    (item.trim() != item || item.is_empty())
        .then(|| format!("`{}` has spaces around it, which a list ignores", shorten(item)))
}

/// Compiles the regular expression `text`, which is at `path`. Returns `None` after reporting an error.
pub(super) fn expression(cx: &mut Context<'_>, text: &str, path: &Path) -> Option<Expression> {
    match Expression::new(text) {
        Ok(expression) => Some(expression),
        Err(why) => {
            let message = format!("`{}` is not a regular expression that kbfix accepts: {why}", shorten(text));
            let hint = "use the syntax of the Rust crate `regex`: no look-around, no back-reference; write `\\.` and \
                        `\\(` for a literal `.` and `(`";
            cx.error(Code::REGULAR_EXPRESSION, path, message, hint);
            None
        }
    }
}

/// Converts each literal to registry data of every type for which it is valid. Reports an error and returns `None` if a
/// literal is valid for no type.
fn one_of(cx: &mut Context<'_>, literals: &[Literal], types: &[ValueType], path: &Path) -> Option<Vec<Data>> {
    let each = literals.iter().enumerate().map(|(at, literal)| data::of_types(cx, literal, types, &path.item(at)));
    Some(each.collect::<Option<Vec<_>>>()?.concat())
}

fn numbers(cx: &mut Context<'_>, which: &KeepWhich, types: &[ValueType], path: &Path) -> Option<Keep> {
    const NUMBERS: [ValueType; 5] =
        [ValueType::DWORD, ValueType::DWORD_BIG_ENDIAN, ValueType::QWORD, ValueType::SZ, ValueType::EXPAND_SZ];
    if let Some(other) = types.iter().find(|value_type| !NUMBERS.contains(value_type)) {
        let message = format!("`at_least` and `at_most` compare numbers, but a {other} is not a number");
        cx.error_at_name(Code::TYPE_MISMATCH, path, message, "write `one_of` with the data that may stay, or `any`");
        return None;
    }
    bounds(cx, which.at_least.as_ref(), which.at_most.as_ref(), types.first().copied(), path).map(Keep::Between)
}

/// Checks the bounds `at_least` and `at_most` of the field at `path`. `value_type` is the type of the value; `None` if
/// it is not known. Returns `None` after reporting an error.
pub(super) fn bounds(
    cx: &mut Context<'_>,
    least: Option<&DataExpression>,
    most: Option<&DataExpression>,
    value_type: Option<ValueType>,
    path: &Path,
) -> Option<Bounds> {
    let least = bound(cx, least, value_type, &path.field("at_least"));
    let most = bound(cx, most, value_type, &path.field("at_most"));
    let bounds = Bounds { least: least?, most: most? };
    if let (Some(least), Some(most)) = (bounds.least, bounds.most)
        && least > most
    {
        let message = format!("no number is at least {least} and at most {most}");
        cx.error(Code::EMPTY_RANGE, &path.field("at_most"), message, "swap the two numbers");
        return None;
    }
    Some(bounds)
}

/// Returns the number of a bound, or `Some(None)` if the spec gives no bound. Returns `None` after reporting an error.
fn bound(
    cx: &mut Context<'_>,
    expression: Option<&DataExpression>,
    value_type: Option<ValueType>,
    path: &Path,
) -> Option<Option<u64>> {
    let Some(expression) = expression else { return Some(None) };
    let meaning = data::meaning(cx, expression, path)?;
    let scalar = match &meaning.chosen {
        Literal::Number(number) => Scalar::Number(*number),
        Literal::Text(text) => Scalar::Text(text.clone()),
        Literal::List(_) => Scalar::Text(data::show(&meaning.chosen)),
    };
    let number = numbers::number(&scalar);
    if number.is_none() {
        let text = numbers::text_of(&scalar);
        let found = NoNumber::of(&text, value_type);
        cx.error(found.code, path, found.message(&text), found.hint);
    }
    number.map(Some)
}

/// Checks that `keep` accepts the data that the rule writes. If this data comes from a parameter, and no bound of
/// `keep` is a parameter, also checks the data in the `allowed` or `range` of the parameter. Returns `None` after
/// reporting an error.
pub(super) fn holds_data(
    cx: &mut Context<'_>,
    keep: &Keep,
    from: &document::Keep,
    meaning: &data::Meaning,
    types: &[ValueType],
    path: &Path,
) -> Option<()> {
    let fixed = match from {
        document::Keep::Which(which) => {
            let fixed = |bound: &Option<DataExpression>| !matches!(bound, Some(DataExpression::Parameter(_)));
            fixed(&which.at_least) && fixed(&which.at_most)
        }
        document::Keep::Word(_) => true,
    };
    let middle = refused_in_range(from, meaning);
    let others = meaning.others.iter().chain(&middle).filter(|_| fixed);
    let listed: HashSet<&Data> = match keep {
        Keep::OneOf(all) | Keep::NoneOf(all) => all.iter().collect(),
        _ => HashSet::new(),
    };
    for literal in std::iter::once(&meaning.chosen).chain(others) {
        let stays = |value_type: &ValueType| {
            data::convert(literal, *value_type).is_ok_and(|data| match keep {
                // A set is faster if both this list and `allowed` of the parameter are long.
                Keep::OneOf(_) => listed.contains(&data),
                Keep::NoneOf(_) => !listed.contains(&data) && Keep::Any.keeps([*value_type], &data),
                _ => keep.keeps([*value_type], &data),
            })
        };
        if types.iter().all(stays) {
            continue;
        }
        let message = match &meaning.parameter {
            None => {
                format!("`keep` does not accept the data `{}`, which the rule itself writes", data::show(literal))
            }
            Some(name) => {
                format!(
                    "`data` comes from the parameter `{name}`, which can be `{}`, but `keep` does not accept this data",
                    data::show(literal)
                )
            }
        };
        cx.error(Code::DATA_NOT_ALLOWED, &path.field("data"), message, format!("`keep` accepts: {keep:#}"));
        return None;
    }
    Some(())
}

/// Returns a number in the range of the parameter that `one_of` or `not` of `keep` refuses; `None` if there is none.
/// Bounds of `keep` are not tested here: if a bound refuses a number of the range, it also refuses the least or the
/// greatest number of the range, which the caller tests.
fn refused_in_range(keep: &document::Keep, meaning: &data::Meaning) -> Option<Literal> {
    let document::Keep::Which(which) = keep else { return None };
    let numbers = |list: &[Literal]| -> BTreeSet<u64> { list.iter().filter_map(numbers::number_of).collect() };
    match (&which.one_of, &which.not) {
        (Some(one_of), _) => meaning.outside(&numbers(one_of)),
        (None, Some(not)) => {
            let (least, most) = meaning.range?;
            numbers(not).range(least..=most).next().copied().map(Literal::Number)
        }
        (None, None) => None,
    }
}
