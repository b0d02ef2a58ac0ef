//! Determines which parameters are sensitive, and the types of parameters that do not declare a type.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    registry::ValueType,
    spec::{
        document::{DataExpression, Document, Keep, ParameterType, TypeChoice, ValueRule},
        model::next_variable,
    },
};

use super::data;

/// Returns the types of parameters by name, as the rules use the parameters. A parameter in the `key` of a rule is a
/// string. A parameter that the rules use with two different types is left out.
pub(in crate::spec) fn kinds(document: &Document) -> BTreeMap<String, ParameterType> {
    let mut found: BTreeMap<String, Option<ParameterType>> = BTreeMap::new();
    // In the name of a key, a parameter is used as a string, in the form in which it was written.
    for rule in &document.registry {
        let mut rest = rule.key.as_str();
        while let Some((_, name, after)) = next_variable(rest) {
            found.insert(name.to_owned(), Some(ParameterType::String));
            rest = after;
        }
    }
    for value in document.registry.iter().flat_map(|rule| rule.values.values()) {
        for (name, kind) in uses(value) {
            let known = found.entry(name).or_insert(Some(kind));
            if *known != Some(kind) {
                *known = None;
            }
        }
    }
    found.into_iter().filter_map(|(name, kind)| Some((name, kind?))).collect()
}

/// Returns the names of the sensitive parameters. A value that uses a sensitive parameter is sensitive, and every
/// parameter that a sensitive value uses is sensitive as well.
pub(super) fn sensitive(document: &Document) -> BTreeSet<String> {
    let own = document.parameters.iter().filter(|(_, parameter)| parameter.sensitive);
    let mut found: BTreeSet<String> = own.map(|(name, _)| name.clone()).collect();
    let values = || document.registry.iter().flat_map(|rule| rule.values.values());
    loop {
        let sensitive = values().filter(|value| value.is_sensitive(&found));
        let new: Vec<_> =
            sensitive.flat_map(|value| value.parameters()).filter(|name| !found.contains(*name)).collect();
        if new.is_empty() {
            return found;
        }
        found.extend(new.into_iter().map(str::to_owned).collect::<Vec<_>>());
    }
}

/// Returns the name of each parameter in a field of the value rule, with the type that this field requires. A field
/// that does not determine the type, because the value accepts several types, is left out.
fn uses(value: &ValueRule) -> Vec<(String, ParameterType)> {
    let types = match &value.types {
        None => Vec::new(),
        Some(TypeChoice::One(name)) => vec![data::value_type(*name)],
        Some(TypeChoice::Any(names)) => names.iter().map(|name| data::value_type(*name)).collect(),
    };
    let kind = match types.as_slice() {
        [one] => Some(kind_of(*one)),
        _ => None,
    };
    let mut out = Vec::new();
    let mut used = |expression: &Option<DataExpression>, kind: Option<ParameterType>| {
        if let (Some(DataExpression::Parameter(reference)), Some(kind)) = (expression, kind) {
            out.push((reference.parameter.clone(), kind));
        }
    };
    used(&value.data, kind);
    used(&value.if_absent, kind);
    if let Some(Keep::Which(which)) = &value.keep {
        used(&which.at_least, kind);
        used(&which.at_most, kind);
    }
    if let Some(edit) = &value.list {
        used(&edit.add, Some(ParameterType::List));
        used(&edit.remove, Some(ParameterType::List));
    }
    if let Some(replace) = &value.replace
        && let DataExpression::Parameter(reference) = &replace.with
    {
        out.push((reference.parameter.clone(), ParameterType::String));
    }
    out
}

fn kind_of(value_type: ValueType) -> ParameterType {
    match value_type {
        ValueType::DWORD | ValueType::DWORD_BIG_ENDIAN | ValueType::QWORD => ParameterType::Number,
        ValueType::MULTI_SZ => ParameterType::List,
        _ => ParameterType::String,
    }
}
