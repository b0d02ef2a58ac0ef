//! Checks the rules that change only a part of a value's data: setting and clearing bits, adding and removing strings
//! of a list, and replacing a part of a string.

use std::collections::HashSet;

use crate::{
    diag::{Code, text::shorten},
    registry::{ValueType, name},
    spec::{
        document::{Bits, DataExpression, ListEdit, Literal, Replace, Scalar},
        model::{Desired, Joined, PART, Replacement},
    },
};

use super::{
    Context, Path, data, keep,
    numbers::{self, NoNumber},
    variables,
};

/// Checks the numbers `set` and `clear` of a rule that changes bits. `value_type` is the type of the value. Returns the
/// desired state, or `None` after reporting an error.
pub(super) fn bits(cx: &mut Context<'_>, bits: &Bits, value_type: ValueType, path: &Path) -> Option<Desired> {
    let most = if value_type == ValueType::QWORD { u64::MAX } else { u64::from(u32::MAX) };
    let mut part = |scalar: &Option<Scalar>, field: &str| {
        let Some(scalar) = scalar else { return Some(0) };
        let path = path.field(field);
        match numbers::number(scalar) {
            Some(number) if number <= most => Some(number),
            Some(_) => {
                let message = format!("{} has more bits than a {value_type}", data::show_scalar(scalar));
                cx.error(Code::DATA_RANGE, &path, message, "a REG_DWORD has 32 bits, a REG_QWORD 64");
                None
            }
            None => {
                let text = numbers::text_of(scalar);
                let found = NoNumber::of(&text, Some(value_type));
                cx.error(found.code, &path, found.message(&text), found.hint);
                None
            }
        }
    };
    let (set, clear) = (part(&bits.set, "set"), part(&bits.clear, "clear"));
    let (set, clear) = (set?, clear?);
    if set | clear == 0 {
        cx.error_at_name(
            Code::EMPTY,
            path,
            "`set` and `clear` do not contain any bit",
            "name at least one bit in `set` or `clear`",
        );
        return None;
    }
    if set & clear != 0 {
        let message = format!("the bits {:#x} are in both `set` and `clear`", set & clear);
        cx.error(Code::OVERLAP, &path.field("clear"), message, "write each bit in only one of the two");
        return None;
    }
    Some(Desired::Bits { value_type, set, clear })
}

/// Checks the strings that a rule adds to and removes from a list. Returns the desired state, or `None` after reporting
/// an error.
pub(super) fn list(cx: &mut Context<'_>, edit: &ListEdit, types: &[ValueType], path: &Path) -> Option<Desired> {
    let add = strings(cx, edit.add.as_ref(), &path.field("add"));
    let remove = strings(cx, edit.remove.as_ref(), &path.field("remove"));
    let (add, remove) = (add?, remove?);
    let may_be_empty = |part: &Option<DataExpression>| matches!(part, Some(DataExpression::Parameter(_)));
    if add.is_empty() && remove.is_empty() && !may_be_empty(&edit.add) && !may_be_empty(&edit.remove) {
        cx.error_at_name(
            Code::EMPTY,
            path,
            "`add` and `remove` do not contain any string",
            "name at least one string in `add` or `remove`",
        );
        return None;
    }
    let removed: HashSet<_> = remove.iter().map(|item| name::folded(item)).collect();
    if let Some(both) = add.iter().find(|item| removed.contains(&name::folded(item))) {
        let message = format!("`{}` is in both `add` and `remove`", shorten(both));
        cx.error(Code::OVERLAP, &path.field("remove"), message, "keep the string in only one of the two");
        return None;
    }
    let Some(separator) = &edit.separator else { return Some(Desired::List { add, remove }) };
    for (list, field) in [(&add, "add"), (&remove, "remove")] {
        for item in list {
            let Some(fault) = keep::item_fault(item, separator) else { continue };
            cx.error(Code::DATA_TEXT, &path.field(field), fault, keep::ITEMS_HINT);
            return None;
        }
    }
    if let Some(DataExpression::Literal(_)) = edit.add {
        add.iter().for_each(|item| variables::unexpanded(cx, item, types, &path.field("add")));
    }
    let edit = Joined { separator: separator.clone(), add, remove };
    Some(Desired::Joined { types: types.to_vec(), edit: Box::new(edit) })
}

/// Checks a rule that replaces a part of a string. Returns the desired state, or `None` after reporting an error.
pub(super) fn replace(cx: &mut Context<'_>, from: &Replace, types: &[ValueType], path: &Path) -> Option<Desired> {
    let pattern = keep::expression(cx, &from.pattern, &path.field("pattern"));
    let at = path.field("with");
    let meaning = data::meaning(cx, &from.with, &at)?;
    data::fit(cx, &meaning, *types.first()?, &at)?;
    let Literal::Text(with) = meaning.chosen else { return None };
    if !meaning.is_set {
        variables::unexpanded(cx, &with, types, &at);
    }
    let edit = Replacement { pattern: pattern?, with };
    let has_part = edit.pattern.regex().capture_names().flatten().any(|name| name == PART);
    if !has_part && edit.edit(&edit.with).is_err() {
        let message = "the pattern does not match the whole replacement exactly once, so a later run could not recognize the result";
        let hint = "make the pattern match the old and the new text, such as `old|new`; or give it a group named \
                    `part`, as in `Timeout=(?<part>\\d+)`";
        cx.error(Code::CONTRADICTION, &path.field("pattern"), message, hint);
        return None;
    }
    Some(Desired::Replaced { types: types.to_vec(), edit: Box::new(edit) })
}

fn strings(cx: &mut Context<'_>, expression: Option<&DataExpression>, path: &Path) -> Option<Vec<String>> {
    let Some(expression) = expression else { return Some(Vec::new()) };
    let meaning = data::meaning(cx, expression, path)?;
    data::fit(cx, &meaning, ValueType::MULTI_SZ, path)?;
    let Literal::List(list) = meaning.chosen else { return None };
    let mut before = HashSet::new();
    for (at, item) in list.iter().enumerate() {
        let fault = if item.is_empty() {
            "an item cannot be an empty string".to_owned()
        } else if !before.insert(name::folded(item)) {
            format!("`{}` is in the list twice; letter case is ignored", shorten(item))
        } else {
            continue;
        };
        match &meaning.parameter {
            None => cx.error(Code::DATA_TEXT, &path.item(at), fault, "remove it"),
            Some(name) if meaning.is_set => {
                let shown = shorten(&list.join(","));
                cx.setting_error(
                    name,
                    &shown,
                    &path.field("parameter"),
                    fault,
                    "remove this item from the setting".into(),
                );
            }
            Some(_) => cx.error(Code::DATA_TEXT, &path.field("parameter"), fault, "remove it"),
        }
        return None;
    }
    Some(list)
}
