//! Checks the rule for one value.

use std::collections::HashSet;

use super::{Context, Path, bits, conditions, data, exactly_one, keep, keys, numbers, scale, variables, varying};
use crate::{
    diag::{
        Code,
        text::{first_few, shorten},
    },
    registry::{Data, ValueType},
    spec::{
        document::{Compare, DataExpression, Ensure, Literal, Scalar, TypeChoice, ValueRule},
        model::{self, Desired, Label},
    },
};

/// Checks the rule for the value `name`. The last field of `path` is this name. Returns `None` after reporting an
/// error.
pub(super) fn value_rule(cx: &mut Context<'_>, name: &str, rule: &ValueRule, path: &Path) -> Option<model::ValueRule> {
    let name = keys::name_of_value(cx, name, path, super::Part::Name);
    let when = rule.when.as_ref().map(|w| conditions::condition(cx, w, &path.field("when")));
    let absent = rule.ensure == Some(Ensure::Absent);
    let fields = [
        ("data", rule.data.is_some()),
        ("bits", rule.bits.is_some()),
        ("list", rule.list.is_some()),
        ("replace", rule.replace.is_some()),
        ("ensure: absent", absent),
    ];
    let one = exactly_one(cx, path, "the value", &fields);
    let types = types(cx, rule, one, path);
    let met = std::mem::take(&mut cx.met_unset);
    let desired = one.zip(types.clone()).and_then(|(one, types)| match one {
        "data" => wanted(cx, rule, &types, path),
        "bits" => bits::bits(cx, rule.bits.as_ref()?, *types.first()?, &path.field("bits")),
        "list" => bits::list(cx, rule.list.as_ref()?, &types, &path.field("list")),
        "replace" => bits::replace(cx, rule.replace.as_ref()?, &types, &path.field("replace")),
        _ => Some(Desired::Absent),
    });
    let sound = one.is_none_or(|one| companions(cx, rule, one, path));
    let is_varying = !cx.met_unset.is_empty();
    let if_absent = if_absent(cx, rule, types.as_deref(), path);
    let is_absent_open = !cx.met_unset.is_empty();
    let own = std::mem::replace(&mut cx.met_unset, met);
    cx.met_unset.extend(own);
    if let (Some(Some(meant)), Some(types)) = (&if_absent, &types) {
        absent_is_allowed(cx, rule, meant, types, path);
    }
    let when = match when {
        Some(when) => Some(Box::new(when?)),
        None => None,
    };
    if !sound {
        return None;
    }
    let is_sensitive = rule.is_sensitive(&cx.sensitive);
    let label = Label::new(rule.id.as_ref(), rule.severity, rule.controls.as_deref()).map(Box::new);
    let desired = desired?;
    let varying = match is_varying {
        true => Some(varying::varying(cx, rule, &desired)),
        false => is_absent_open.then(|| model::Varying::Each(vec![desired.clone()])),
    };
    let (varying, if_absent) = (varying.map(Box::new), if_absent?);
    Some(model::ValueRule { name: name?, when, desired, varying, if_absent, is_sensitive, label })
}

/// Returns the types in the field `type` of the rule, or REG_MULTI_SZ for a `list` that needs no `type`. `one` is the
/// field that states the requirement, such as `data` or `bits`. Returns `None` after reporting an error.
fn types(cx: &mut Context<'_>, rule: &ValueRule, one: Option<&str>, path: &Path) -> Option<Vec<ValueType>> {
    let given: Vec<ValueType> = match &rule.types {
        None => Vec::new(),
        Some(TypeChoice::One(name)) => vec![data::value_type(*name)],
        Some(TypeChoice::Any(names)) => {
            for (at, name) in names.iter().enumerate() {
                if names[..at].contains(name) {
                    let message = format!("{} is given twice", data::value_type(*name));
                    cx.error(Code::TYPE_MISMATCH, &path.field("type").item(at), message, "remove one");
                    return None;
                }
            }
            names.iter().map(|name| data::value_type(*name)).collect()
        }
    };
    let at = path.field("type");
    let has_separator = rule.list.as_ref().is_some_and(|list| list.separator.is_some());
    match (one, given.as_slice()) {
        (Some("data"), []) => {
            cx.error_at_name(
                Code::MISSING_FIELD,
                path,
                "the value has `data`, but no `type`",
                "add the type, such as `type: REG_DWORD`",
            );
            None
        }
        (Some("bits"), [ValueType::DWORD | ValueType::QWORD]) => Some(given),
        (Some("bits"), []) => {
            let hint = "add `type: REG_DWORD` or `type: REG_QWORD`";
            cx.error_at_name(Code::MISSING_FIELD, path, "the value has `bits`, but no `type`", hint);
            None
        }
        (Some("bits"), _) => {
            cx.error(
                Code::TYPE_MISMATCH,
                &at,
                "`bits` are only for a REG_DWORD or a REG_QWORD",
                "use one of these types",
            );
            None
        }
        (Some("list"), [] | [ValueType::MULTI_SZ]) if !has_separator => Some(vec![ValueType::MULTI_SZ]),
        (Some("list" | "replace"), all) if one == Some("replace") || has_separator => {
            let is_text = |value_type: &ValueType| [ValueType::SZ, ValueType::EXPAND_SZ].contains(value_type);
            let what = if has_separator { "a list with a separator" } else { "`replace`" };
            if all.is_empty() {
                let hint = "add `type: REG_SZ` or `type: REG_EXPAND_SZ`, or a list of both";
                let message = format!("{what} needs `type`");
                cx.error_at_name(Code::MISSING_FIELD, path, message, hint);
                return None;
            }
            if !all.iter().all(is_text) {
                let message = format!("{what} is only for a REG_SZ or a REG_EXPAND_SZ");
                let hint = match (one, all) {
                    (Some("list"), [ValueType::MULTI_SZ]) => {
                        "remove `separator`, or make the type REG_SZ or REG_EXPAND_SZ"
                    }
                    _ => "use one of these types, or both",
                };
                cx.error(Code::TYPE_MISMATCH, &at, message, hint);
                return None;
            }
            Some(given)
        }
        (Some("list"), _) => {
            let hint = "give the list a `separator`, the string between the items of a REG_SZ or REG_EXPAND_SZ; for \
                        other types, use `data`";
            cx.error(Code::TYPE_MISMATCH, &at, "without a separator, `list` is only for a REG_MULTI_SZ", hint);
            None
        }
        _ => Some(given),
    }
}

/// Converts the rule's `data` to registry data of each of `types`, and returns the desired state. Returns `None` after
/// reporting an error.
fn wanted(cx: &mut Context<'_>, rule: &ValueRule, types: &[ValueType], path: &Path) -> Option<Desired> {
    let expression = rule.data.as_ref()?;
    let at = path.field("data");
    let meaning = data::meaning(cx, expression, &at)?;
    let allowed = allowed(cx, rule, &meaning, types, path);
    let each: Vec<Option<Data>> = types.iter().map(|t| data::fit(cx, &meaning, *t, &at)).collect();
    let all = each.into_iter().collect::<Option<Vec<Data>>>()?;
    allowed?;
    if let (Literal::Text(text), false) = (&meaning.chosen, meaning.is_set) {
        variables::unexpanded(cx, text, types, &at);
    }
    empty_string(cx, &meaning, &at);
    if rule.keep.is_none() {
        scale::without_keep(cx, rule, &meaning, types, path);
    }
    if let Some(from) = rule.keep.as_ref().filter(|keep| !keep::is_none(keep)) {
        let at = path.field("keep");
        let kept = keep::keep(cx, from, types, &at)?;
        keep::holds_data(cx, &kept, from, &meaning, types, path)?;
        if rule.compare == Some(Compare::CommaSet) {
            let message = "`keep` and `compare: comma_set` both test the existing data";
            cx.error_at_name(Code::CONTRADICTION, &path.field("compare"), message, "keep one of them");
            return None;
        }
        return Some(Desired::Kept { choices: all, keep: Box::new(kept) });
    }
    if rule.compare != Some(Compare::CommaSet) {
        return Some(Desired::OneOf(all));
    }
    let &[value_type @ (ValueType::SZ | ValueType::EXPAND_SZ)] = types else {
        let message = "`comma_set` can only be used with one type, which must be REG_SZ or REG_EXPAND_SZ";
        cx.error(Code::TYPE_MISMATCH, &path.field("compare"), message, "remove `compare`, or make the type REG_SZ");
        return None;
    };
    let Literal::Text(text) = meaning.chosen else { return None };
    Some(Desired::CommaSet { value_type, text })
}

/// Warns if a list has an empty string before another string. `path` is the path of the rule's `data`.
fn empty_string(cx: &mut Context<'_>, meaning: &data::Meaning, path: &Path) {
    let Literal::List(list) = &meaning.chosen else { return };
    let Some(empty) = list.iter().position(String::is_empty) else { return };
    if list[empty..].iter().all(String::is_empty) {
        return;
    }
    let path = match meaning.parameter {
        None => path.item(empty),
        Some(_) => path.field("parameter"),
    };
    let message = format!(
        "string {} of the {} strings is empty; most programs read a REG_MULTI_SZ only up to its first empty string",
        empty + 1,
        list.len()
    );
    let hint = "remove the empty string, unless the program that reads the value expects one, as Windows does in \
                PendingFileRenameOperations";
    cx.warning(Code::EMPTY_STRING, &path, super::Part::Data, message, hint);
}

/// Checks that `allowed` is valid for the types, and that it contains the data of the rule. If this data comes from a
/// parameter, `allowed` must also contain all data in the `allowed` or `range` of the parameter. Compares registry
/// data: `0x10` equals 16 as a number but not as a string. Returns `None` after reporting an error.
fn allowed(
    cx: &mut Context<'_>,
    rule: &ValueRule,
    meaning: &data::Meaning,
    types: &[ValueType],
    path: &Path,
) -> Option<()> {
    let Some(allowed) = &rule.allowed else { return Some(()) };
    // A set, because `allowed` of the value and of the parameter can both be long.
    let mut each = HashSet::new();
    let mut sound = true;
    for (at, scalar) in allowed.iter().enumerate() {
        let literal = match scalar {
            Scalar::Number(number) => Literal::Number(*number),
            Scalar::Text(text) => Literal::Text(text.clone()),
        };
        let of_types: Result<Vec<Data>, _> = types.iter().map(|t| data::convert(&literal, *t)).collect();
        match of_types {
            Ok(data) => drop(each.insert(data)),
            Err(data::Misfit { code, message, hint, part }) => {
                let path = path.field("allowed").item(at);
                cx.error_within(code, &path, &part.unwrap_or_default(), message, hint);
                sound = false;
            }
        }
    }
    if !sound {
        return None;
    }
    let list = || first_few(allowed.iter().map(|s| format!("`{}`", data::show_scalar(s))));
    let numbers = allowed.iter().filter_map(numbers::number).collect();
    let middle = meaning.outside(&numbers);
    for literal in std::iter::once(&meaning.chosen).chain(meaning.others.iter()).chain(&middle) {
        // Data that is not valid for a type is reported elsewhere, at the data itself.
        let of_types: Result<Vec<Data>, _> = types.iter().map(|t| data::convert(literal, *t)).collect();
        if of_types.map_or(true, |data| each.contains(&data)) {
            continue;
        }
        let hint = match allowed.len() {
            1 => format!("only {} is allowed", list()),
            _ => format!("allowed are {}", list()),
        };
        match &meaning.parameter {
            None => {
                let message = format!("the data `{}` is not allowed", data::show(literal));
                cx.error(Code::DATA_NOT_ALLOWED, &path.field("data"), message, hint);
            }
            Some(name) => {
                let message = format!(
                    "`data` comes from the parameter `{name}`, which can be `{}`, but `allowed` does not contain this data",
                    data::show(literal)
                );
                cx.error(Code::DATA_NOT_ALLOWED, &path.field("data").field("parameter"), message, hint);
            }
        }
        return None;
    }
    Some(())
}

/// Returns the name of a value for a message. The default value has an empty name.
pub(super) fn shown_name(name: &str) -> String {
    match name {
        "" => "the default value".to_owned(),
        name => format!("`{}`", shorten(name)),
    }
}

/// Reports each field that has no effect together with `one`, the field that states the requirement, such as `bits`.
/// Returns `true` if there is no such field.
fn companions(cx: &mut Context<'_>, rule: &ValueRule, one: &str, path: &Path) -> bool {
    let with_data = one == "data";
    let absent = one == "ensure: absent";
    let faults = [
        ("type", absent && rule.types.is_some()),
        ("keep", !with_data && rule.keep.is_some()),
        ("allowed", !with_data && rule.allowed.is_some()),
        ("compare", !with_data && rule.compare.is_some()),
        ("if_absent", absent && rule.if_absent.is_some()),
    ];
    let mut sound = true;
    for (field, _) in faults.into_iter().filter(|(_, fault)| *fault) {
        let message = format!("`{field}` has no effect together with `{one}`");
        cx.error_at_name(Code::CONTRADICTION, &path.field(field), message, format!("remove `{field}`"));
        sound = false;
    }
    sound
}

/// Warns if `if_absent` is not in `allowed`. `meant` is the registry data of `if_absent`.
fn absent_is_allowed(cx: &mut Context<'_>, rule: &ValueRule, meant: &Data, types: &[ValueType], path: &Path) {
    let Some(allowed) = &rule.allowed else { return };
    let mut literals = allowed.iter().map(|scalar| match scalar {
        Scalar::Number(number) => Literal::Number(*number),
        Scalar::Text(text) => Literal::Text(text.clone()),
    });
    if literals.any(|one| types.iter().any(|t| data::convert(&one, *t).is_ok_and(|data| data == *meant))) {
        return;
    }
    let list = first_few(allowed.iter().map(|s| format!("`{}`", data::show_scalar(s))));
    let message = "`if_absent` is not one of `allowed`";
    let allowed = match allowed.len() {
        1 => format!("only {list} is allowed"),
        _ => format!("allowed are {list}"),
    };
    let hint = format!(
        "{allowed}; add the data that Windows uses if the value is absent to `allowed`, or correct `if_absent`"
    );
    cx.warning(Code::DATA_NOT_ALLOWED, &path.field("if_absent"), super::Part::Data, message, hint);
}

/// Converts `if_absent`, the data that Windows uses if the value is absent, to registry data. Returns `Some(None)` if
/// the rule has no `if_absent`, and `None` after reporting an error.
fn if_absent(cx: &mut Context<'_>, rule: &ValueRule, types: Option<&[ValueType]>, path: &Path) -> Option<Option<Data>> {
    let Some(expression) = &rule.if_absent else { return Some(None) };
    let at = path.field("if_absent");
    let types = types?;
    if let DataExpression::Literal(literal) = expression
        && let Some(data) = types.iter().find_map(|t| data::convert(literal, *t).ok())
    {
        return Some(Some(data));
    }
    Some(Some(data::evaluate(cx, expression, *types.first()?, &at)?))
}
