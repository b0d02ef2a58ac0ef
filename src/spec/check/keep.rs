//! Checks the `keep` of a value: existing data that stays as it is.

use super::{Context, Path, data, exactly_one};
use crate::{
    diag::Code,
    registry::{Data, ValueType},
    spec::{
        document::{self, DataExpression, KeepWhich, Literal, Scalar},
        model::{Bounds, Keep},
    },
};

/// Returns whether `keep` says that only `data` is accepted.
pub(super) fn is_none(from: &document::Keep) -> bool {
    *from == document::Keep::Word(document::KeepWord::None)
}

/// Checks the `keep` of a value whose data can be of these types. `keep: none` keeps no data.
pub(super) fn keep(cx: &mut Context<'_>, from: &document::Keep, types: &[ValueType], path: &Path) -> Option<Keep> {
    let which = match from {
        document::Keep::Word(document::KeepWord::Any) => return Some(Keep::Any),
        document::Keep::Word(document::KeepWord::None) => return Some(Keep::OneOf(Vec::new())),
        document::Keep::Which(which) => which,
    };
    let (least, most) = (which.at_least.is_some(), which.at_most.is_some());
    // Both bounds together are one test.
    let fields = [("at_least", least), ("at_most", most && !least), ("one_of", which.one_of.is_some())];
    exactly_one(cx, path, "`keep`", &fields)?;
    match &which.one_of {
        Some(literals) => one_of(cx, literals, types, &path.field("one_of")),
        None => numbers(cx, which, types, path),
    }
}

/// Converts each literal to data of every type that it fits; it must fit at least one.
fn one_of(cx: &mut Context<'_>, literals: &[Literal], types: &[ValueType], path: &Path) -> Option<Keep> {
    let mut all: Vec<Data> = Vec::new();
    for (at, literal) in literals.iter().enumerate() {
        let before = all.len();
        all.extend(types.iter().filter_map(|value_type| data::convert(literal, *value_type).ok()));
        if all.len() == before {
            let meaning = data::Meaning { chosen: literal.clone(), others: Vec::new(), parameter: None, is_set: false };
            data::fit(cx, &meaning, *types.first()?, &path.item(at))?;
        }
    }
    Some(Keep::OneOf(all))
}

fn numbers(cx: &mut Context<'_>, which: &KeepWhich, types: &[ValueType], path: &Path) -> Option<Keep> {
    const NUMBERS: [ValueType; 5] =
        [ValueType::DWORD, ValueType::DWORD_BIG_ENDIAN, ValueType::QWORD, ValueType::SZ, ValueType::EXPAND_SZ];
    if let Some(other) = types.iter().find(|value_type| !NUMBERS.contains(value_type)) {
        let message = format!("a {other} has no numbers to compare");
        cx.error_at_name(Code::TYPE_MISMATCH, path, message, "write `one_of` with the data that may stay, or `any`");
        return None;
    }
    bounds(cx, which.at_least.as_ref(), which.at_most.as_ref(), path).map(Keep::Between)
}

/// Checks the bounds `at_least` and `at_most` below `path`.
pub(super) fn bounds(
    cx: &mut Context<'_>,
    least: Option<&DataExpression>,
    most: Option<&DataExpression>,
    path: &Path,
) -> Option<Bounds> {
    let least = bound(cx, least, &path.field("at_least"));
    let most = bound(cx, most, &path.field("at_most"));
    let bounds = Bounds { least: least?, most: most? };
    if let (Some(least), Some(most)) = (bounds.least, bounds.most)
        && least > most
    {
        let message = format!("no number is at least {least} and at most {most}");
        cx.error(Code::EMPTY_RANGE, &path.field("at_most"), message, "exchange the two");
        return None;
    }
    Some(bounds)
}

/// Returns a bound; `Some(None)` if there is none.
fn bound(cx: &mut Context<'_>, expression: Option<&DataExpression>, path: &Path) -> Option<Option<u64>> {
    let Some(expression) = expression else { return Some(None) };
    let meaning = data::meaning(cx, expression, path)?;
    let scalar = match &meaning.chosen {
        Literal::Number(number) => Scalar::Number(*number),
        Literal::Text(text) => Scalar::Text(text.clone()),
        Literal::List(_) => Scalar::Text(data::show(&meaning.chosen)),
    };
    let number = data::number(&scalar);
    if number.is_none() {
        let text = data::show_scalar(&scalar);
        let hint = data::write_number(&text);
        cx.error(Code::DATA_KIND, path, format!("`{text}` is not a number"), hint);
    }
    number.map(Some)
}

/// Checks that `keep` accepts the data that is written. The other data that a parameter allows is checked only if the
/// bounds do not depend on parameters.
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
    let others = meaning.others.iter().filter(|_| fixed);
    for literal in std::iter::once(&meaning.chosen).chain(others) {
        let stays = |value_type: &ValueType| {
            data::convert(literal, *value_type).is_ok_and(|data| keep.keeps([*value_type], &data))
        };
        if types.iter().all(stays) {
            continue;
        }
        let message = match &meaning.parameter {
            None => {
                format!("the data `{}` is not what `keep` keeps, and would be written each time", data::show(literal))
            }
            Some(name) => {
                format!("the parameter `{name}` can be `{}`, which is not what `keep` keeps", data::show(literal))
            }
        };
        cx.error(Code::DATA_NOT_ALLOWED, &path.field("data"), message, format!("it keeps: {keep}"));
        return None;
    }
    Some(())
}
