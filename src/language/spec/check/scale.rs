//! Warns about a rule that overwrites all other numbers in a value, although one of them could be stricter because the
//! number is a level, or its bits are switches. Overwriting a stricter number would weaken the machine.

use super::{Context, Part, Path, data, numbers};
use crate::{
    diag::Code,
    registry::ValueType,
    spec::document::{Scalar, ValueRule},
};

/// Warns about a rule for a number if the parameter in its `data`, or its `allowed`, has numbers other than off and on.
/// The rule has no `keep`, so it would overwrite other numbers that the article allows.
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

/// Returns a text that says that the parameter or the `allowed` of the rule has numbers other than off and on; `None`
/// if neither has such numbers. A parameter without `allowed` and `range` has such numbers.
fn several(rule: &ValueRule, meaning: &data::Meaning) -> Option<String> {
    if let Some(name) = &meaning.parameter {
        let numbers: Vec<u64> = meaning.others.iter().filter_map(numbers::number_of).collect();
        let has_middle = meaning.range.is_some_and(|(least, most)| most - least > 1);
        // Without a limit, the parameter can be any number.
        if numbers.is_empty() || has_middle || !is_switch(&numbers) {
            return Some(format!("the parameter `{name}` can be a number that is neither on nor off"));
        }
    }
    let allowed: Vec<u64> =
        rule.allowed.iter().flatten().filter_map(|scalar: &Scalar| numbers::number(scalar)).collect();
    (!is_switch(&allowed)).then(|| "`allowed` has numbers that are neither on nor off".to_owned())
}

/// Returns whether each number means off or on: 0 means off; 1, or a number whose 32 or 64 bits are all set, means on.
fn is_switch(numbers: &[u64]) -> bool {
    numbers.iter().all(|number| [0, 1, u64::from(u32::MAX), u64::MAX].contains(number))
}
