//! Determines what a rule can require if it depends on a parameter without data, so that the rule can be compared with
//! others.

use crate::{
    registry::{Data, KeyName},
    spec::{
        document::{self, DataExpression, Keep, Literal, ValueRule},
        model::{Bounds, Desired, KeyPattern, NamePattern, Piece, Varying, pieces},
    },
};

use super::{Context, data, keep};

/// The highest number of states that are listed for all rules of a spec together. A state takes about 200 bytes.
pub(super) const MOST_STATES: usize = 100_000;
/// The highest number of states that are listed for one rule. Two rules are compared state by state.
const MOST_OF_RULE: usize = 200;

/// Returns the states that the rule can require, if its data depends on a parameter without data. `desired` is the
/// state for the example data of this parameter. If there are too many states, returns only their types.
pub(super) fn varying(cx: &mut Context<'_>, rule: &ValueRule, desired: &Desired) -> Varying {
    let types = desired.types();
    let keeps = rule.keep.as_ref().is_some_and(|keep| !keep::is_none(keep));
    let main = match (&rule.data, &rule.replace) {
        (Some(expression), _) => Some(expression),
        (_, replace) => replace.as_ref().map(|replace| &replace.with),
    };
    let resolved = match main {
        Some(DataExpression::Parameter(reference)) => cx.parameters.get(&reference.parameter),
        _ => None,
    };
    let Some(resolved) = resolved.filter(|_| !has_open_bound(rule)) else { return Varying::Of(types, None) };
    if resolved.is_list_of_all {
        let count = resolved.others.len();
        let left = cx.left_states.checked_sub(count).filter(|_| count <= MOST_OF_RULE);
        let Some(left) = left else { return Varying::Of(types, None) };
        cx.left_states = left;
        let each = resolved.others.iter().map(|literal| with_data(desired, literal));
        return each.collect::<Option<_>>().map_or(Varying::Of(types, None), Varying::Each);
    }
    let is_number = matches!(desired, Desired::OneOf(_)) && !keeps;
    let bounds = resolved.range().map(|(least, most)| Bounds { least: Some(least), most: Some(most) });
    Varying::Of(types, bounds.filter(|_| is_number))
}

/// Returns whether a bound of `keep` is a parameter.
fn has_open_bound(rule: &ValueRule) -> bool {
    let is_open = |bound: &Option<DataExpression>| matches!(bound, Some(DataExpression::Parameter(_)));
    matches!(&rule.keep, Some(Keep::Which(which)) if is_open(&which.at_least) || is_open(&which.at_most))
}

/// Returns `desired` with `literal` in place of its data. Returns `None` if `literal` is not valid in `desired`, or if
/// `desired` is a state without such data, such as bits or a list.
fn with_data(desired: &Desired, literal: &Literal) -> Option<Desired> {
    let choices =
        |of: &[Data]| of.iter().map(|data| data::convert(literal, data.value_type).ok()).collect::<Option<Vec<_>>>();
    let text = || match literal {
        Literal::Text(text) => Some(text.clone()),
        _ => None,
    };
    Some(match desired {
        Desired::OneOf(of) => Desired::OneOf(choices(of)?),
        Desired::Kept { choices: of, keep } => Desired::Kept { choices: choices(of)?, keep: keep.clone() },
        Desired::CommaSet { value_type, .. } => Desired::CommaSet { value_type: *value_type, text: text()? },
        Desired::Replaced { types, edit } => {
            let mut edit = edit.clone();
            edit.with = text()?;
            Desired::Replaced { types: types.clone(), edit }
        }
        _ => return None,
    })
}

/// Returns the key of the rule, with `{name}` in place of the data of each parameter `name` without data. Two such keys
/// are equal only if they are the same key whatever data the parameters get. Returns `None` if the key depends on no
/// such parameter.
pub(super) fn comparable(cx: &Context<'_>, rule: &document::KeyRule, key: &KeyPattern) -> Option<KeyPattern> {
    key.unset.as_ref()?;
    let mut key = key.clone();
    for (name, part) in key.names.iter_mut().zip(rule.key.split('\\').skip(1)) {
        if let Some(open) = open(cx, part).and_then(|open| KeyName::new(open).ok()) {
            *name = NamePattern::Name(open);
        }
    }
    Some(key)
}

/// Returns the text of a key for messages, with `{name}` in place of the data of each parameter `name` without data.
/// `above` is the first part of the key as text. `parts` are the names after it as the spec contains them, and `names`
/// the same names after parsing.
pub(super) fn shown<'p>(
    cx: &Context<'_>,
    above: &str,
    parts: impl Iterator<Item = &'p str>,
    names: &[NamePattern],
) -> String {
    parts.zip(names).fold(above.to_owned(), |mut text, (part, name)| {
        text.push('\\');
        text.push_str(&open(cx, part).unwrap_or_else(|| name.to_string()));
        text
    })
}

/// Returns one name of a key, with `{name}` in place of the data of each parameter `name` without data; `None` if there
/// is no such parameter in it.
fn open(cx: &Context<'_>, part: &str) -> Option<String> {
    let mut is_open = false;
    let text: String = pieces(part)
        .into_iter()
        .map(|piece| match piece {
            Piece::Star => "*".to_owned(),
            Piece::Text(text) => text.to_owned(),
            Piece::Variable(variable) => match cx.parameters.get(variable) {
                Some(parameter) if parameter.unset.is_none() => parameter.text(),
                _ => {
                    is_open = true;
                    format!("{{{variable}}}")
                }
            },
        })
        .collect();
    is_open.then_some(text)
}
