//! Finds data without `keep` whose numbers are a scale or bits: it would weaken a machine that is hardened further.

use super::{Context, Part, Path, data};
use crate::{
    diag::Code,
    registry::ValueType,
    spec::document::{Literal, Scalar, ValueRule},
};

/// Reports a number for which the article allows other data than `data`, and which would overwrite that data.
pub(super) fn without_keep(
    cx: &mut Context<'_>,
    rule: &ValueRule,
    meaning: &data::Meaning,
    types: &[ValueType],
    path: &Path,
) {
    const NUMBERS: [ValueType; 3] = [ValueType::DWORD, ValueType::DWORD_BIG_ENDIAN, ValueType::QWORD];
    if !types.iter().any(|value_type| NUMBERS.contains(value_type)) {
        return;
    }
    let Some(what) = several(rule, meaning) else { return };
    let message = format!("{what}, but any data other than `data` is overwritten, even if it is stricter");
    let hint = "use `keep` to say what may stay, such as `keep: { at_least: 3 }`; use `bits` if each bit \
                is a switch; or write `keep: none` if only `data` is correct";
    cx.warning(Code::NO_KEEP, &path.field("data"), Part::Name, message, hint);
}

/// Returns a description if there are more states than the on and off of a switch.
fn several(rule: &ValueRule, meaning: &data::Meaning) -> Option<String> {
    let of_parameter = meaning.others.iter().filter_map(|literal| match literal {
        Literal::Number(number) => Some(*number),
        Literal::Text(text) => data::number_in(text),
        Literal::List(_) => None,
    });
    if let Some(name) = &meaning.parameter {
        let numbers: Vec<u64> = of_parameter.collect();
        // Without a limit, the parameter can be any number.
        if numbers.is_empty() || !is_switch(&numbers) {
            return Some(format!("the parameter `{name}` can be other than on or off"));
        }
    }
    let allowed: Vec<u64> = rule.allowed.iter().flatten().filter_map(|scalar: &Scalar| data::number(scalar)).collect();
    (!is_switch(&allowed)).then(|| "`allowed` has data other than on and off".to_owned())
}

/// Returns whether all numbers are states of a switch: 0 is off, and 1, or every bit, is on.
fn is_switch(numbers: &[u64]) -> bool {
    numbers.iter().all(|number| [0, 1, u64::from(u32::MAX), u64::MAX].contains(number))
}
