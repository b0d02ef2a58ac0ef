//! Formats the registry rules of a spec in `.reg` notation. Comments describe what this notation cannot express.

use std::collections::BTreeMap;

use crate::{
    registry::{
        Data, Decoded, RootKey, ValueType, View,
        notation::{self, one_line},
    },
    spec::{
        Spec,
        document::{self, DataExpression, Exclusive, OnSubkeys},
        model::{Condition, Desired, DesiredKey, KeyRule, Label, ValueRule},
    },
};

use super::conditions;
use crate::render::diff;

/// Returns all rules of a spec in `.reg` notation.
pub(super) fn rules(spec: &Spec) -> String {
    let mut out = String::new();
    let mut rules = spec.rules.iter();
    for written in &spec.document.registry {
        // A rule for both views becomes two rules of the checked spec, which are in the order of the document.
        let views = if written.view == Some(document::ViewChoice::Both) { 2 } else { 1 };
        for rule in rules.by_ref().take(views) {
            if !out.is_empty() {
                out.push('\n');
            }
            key(rule, written, &spec.unset, &mut out);
        }
    }
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(&one_line(text));
    out.push('\n');
}

/// Adds a note to `out` as comments, one for each line of the note.
fn note(out: &mut String, text: &str) {
    text.trim().lines().for_each(|text| line(out, format!("; {text}").trim_end()));
}

/// Adds the label, the note and the condition of a rule or value to `out` as comments. `None` adds no comment.
fn head(label: Option<&Label>, note: Option<&str>, when: Option<&Condition>, out: &mut String) {
    if let Some(label) = label {
        line(out, &format!("; {label}"));
    }
    if let Some(text) = note {
        self::note(out, text);
    }
    if let Some(when) = when {
        line(out, &format!("; only if {}", conditions::on_one_line(when)));
    }
}

fn key(rule: &KeyRule, written: &document::KeyRule, unset: &BTreeMap<String, String>, out: &mut String) {
    head(rule.label.as_deref(), written.note.as_deref(), rule.when.as_deref(), out);
    if let Some(done_when) = &rule.done_when {
        let when = conditions::on_one_line(done_when);
        line(out, &format!("; a trigger: written only with --trigger, unless {when}"));
    }
    if rule.key.has_star() {
        line(out, "; * stands for every existing subkey that matches");
    }
    if rule.key.root == RootKey::Hkcu {
        let also =
            if rule.key.default_profile { ", and in the Default profile, which is copied for new users" } else { "" };
        line(out, &format!("; in the hive of each user{also}"));
    }
    if rule.key.view == View::Bits32 {
        line(out, "; in the 32-bit view, which only 64-bit Windows has");
    }
    match rule.exclusive {
        Some(Exclusive::Values) => line(out, "; other values in this key are deleted"),
        Some(Exclusive::Tree) => line(out, "; other values and subkeys, in this key and below it, are deleted"),
        None => {}
    }
    let mut path = rule.key.root.long().to_owned();
    // The internal text for a parameter without a value means nothing to a reader, so the parameter's name is shown.
    if let Some((_, below)) = written.key.split_once('\\').filter(|_| rule.key.unset.is_some()) {
        path.push('\\');
        path.push_str(below);
    } else {
        for name in &rule.key.names {
            path.push('\\');
            path.push_str(&name.to_string());
        }
    }
    match &rule.desired {
        DesiredKey::Absent(on_subkeys) => {
            if *on_subkeys == OnSubkeys::Refuse {
                line(out, "; only if other rules delete all subkeys of the key; otherwise the spec is blocked");
            }
            line(out, &format!("[-{path}]"));
        }
        DesiredKey::Present => line(out, &format!("[{path}]")),
        DesiredKey::Values(values) => {
            line(out, &format!("[{path}]"));
            for (value, (_, written)) in values.iter().zip(&written.values) {
                self::value(value, written, unset, out);
            }
        }
    }
}

fn value(rule: &ValueRule, written: &document::ValueRule, unset: &BTreeMap<String, String>, out: &mut String) {
    head(rule.label.as_deref(), written.note.as_deref(), rule.when.as_deref(), out);
    let name = notation::value_name(&rule.name);
    if let Some(DataExpression::Parameter(reference)) = &written.data {
        let parameter = &reference.parameter;
        if unset.contains_key(parameter) && !rule.is_sensitive {
            let types = match &rule.desired {
                Desired::OneOf(choices) | Desired::Kept { choices, .. } => types(choices),
                _ => String::new(),
            };
            let kind = if types.is_empty() { types } else { format!(" {types}") };
            line(out, &format!("; {name}{kind}: the value of the parameter {parameter}, which has no default"));
            return;
        }
        line(out, &format!("; the value of the parameter {parameter}"));
    }
    if rule.is_sensitive {
        line(out, &format!("; {}, so it is not shown", sensitive(&rule.desired)));
        let end = if rule.desired == Desired::Absent { "-" } else { notation::HIDDEN };
        line(out, &format!("{name}={end}"));
        return;
    }
    let quoted = |list: &[String]| list.iter().map(|s| notation::quoted(s)).collect::<Vec<_>>().join(", ");
    match &rule.desired {
        Desired::Absent => line(out, &format!("{name}=-")),
        Desired::OneOf(all) => {
            if let Some((first, others)) = all.split_first() {
                for other in others {
                    line(out, &format!("; also accepted: {name}={}", explained(other)));
                }
                data(&name, first, out);
            }
        }
        Desired::Kept { choices, keep } => {
            line(out, &format!("; kept if present: {}, {keep}", types(choices)));
            if let Some(first) = choices.first() {
                data(&name, first, out);
            }
        }
        Desired::CommaSet { value_type, text } => {
            line(out, &format!("; {value_type}; the order of the items does not matter"));
            data(&name, &Data::text(*value_type, text), out);
        }
        Desired::Bits { value_type, set, clear } => {
            let set = (*set != 0).then(|| format!("bits 0x{set:x} are set"));
            let clear = (*clear != 0).then(|| format!("bits 0x{clear:x} are cleared"));
            let both = set.into_iter().chain(clear).collect::<Vec<_>>().join(", ");
            let absent = if rule.if_absent.is_some() { "" } else { "; an absent value counts as 0" };
            line(out, &format!("; {name} {value_type}: {both}, the others keep their state{absent}"));
        }
        Desired::List { add, remove } => {
            let edit = written.list.as_ref();
            let add = strings(edit.and_then(|l| l.add.as_ref()), quoted(add)).map(|s| format!("{s} added"));
            let remove = strings(edit.and_then(|l| l.remove.as_ref()), quoted(remove)).map(|s| format!("{s} removed"));
            let both = add.into_iter().chain(remove).collect::<Vec<_>>().join(", ");
            line(out, &format!("; {name} REG_MULTI_SZ: {both}, the other strings stay"));
        }
        Desired::Joined { types, edit } => {
            let written = written.list.as_ref();
            let add = strings(written.and_then(|l| l.add.as_ref()), quoted(&edit.add)).map(|s| format!("{s} added"));
            let remove = strings(written.and_then(|l| l.remove.as_ref()), quoted(&edit.remove));
            let both = add.into_iter().chain(remove.map(|s| format!("{s} removed"))).collect::<Vec<_>>().join(", ");
            let (types, separator) = (of_types(types), notation::quoted(&edit.separator));
            line(out, &format!("; {name} {types}, a list separated by {separator}: {both}, the other items stay"));
        }
        Desired::Replaced { types, edit } => {
            let with = match written.replace.as_ref().map(|replace| &replace.with) {
                Some(DataExpression::Parameter(reference)) => {
                    format!("the value of the parameter {}", reference.parameter)
                }
                _ => notation::quoted(&edit.with),
            };
            let (types, pattern) = (of_types(types), notation::quoted(edit.pattern.as_str()));
            line(out, &format!("; {name} {types}: the one match of {pattern} is replaced with {with}, the rest stays"));
        }
    }
    if let Some(data) = &rule.if_absent {
        line(out, &format!("; an absent value means {}", explained(data)));
    }
}

/// Adds the line for a value to `out`, after a comment with the data as text if the line shows it only as hex digits.
fn data(name: &str, data: &Data, out: &mut String) {
    if let Some(text) = readable(data) {
        line(out, &format!("; {text}"));
    }
    line(out, &format!("{name}={}", notation::data(data)));
}

/// Returns data in `.reg` notation, followed by the data as text in parentheses if this notation shows only hex digits.
fn explained(data: &Data) -> String {
    let text = readable(data).map(|text| format!(" ({text})")).unwrap_or_default();
    format!("{}{text}", notation::data(data))
}

/// Returns the type and the data as text, for a string, list or number that `.reg` notation shows as hex digits; `None`
/// for all other data. Unlike in a diff, a long string or list is not cut, because the article shows it nowhere else.
fn readable(data: &Data) -> Option<String> {
    let quoted = |list: &[String]| list.iter().map(|s| notation::quoted(s)).collect::<Vec<_>>().join(", ");
    match data.decode() {
        Decoded::List(list) => Some(format!("{} [{}]", data.value_type, quoted(&list))),
        Decoded::Text(text) if data.value_type != ValueType::SZ || text.contains(['\n', '\r']) => {
            Some(format!("{} {}", data.value_type, notation::quoted(&text)))
        }
        Decoded::Text(_) => None,
        _ => diff::readable(data),
    }
}

/// Describes the desired state of a sensitive value, without its data.
fn sensitive(desired: &Desired) -> String {
    match desired {
        Desired::Absent => "the data is sensitive".to_owned(),
        Desired::OneOf(choices) => format!("{}; the data is sensitive", types(choices)),
        Desired::Kept { choices, .. } => {
            format!("{}: some existing data is kept; the data is sensitive", types(choices))
        }
        Desired::CommaSet { value_type, .. } => format!("{value_type}; the data is sensitive"),
        Desired::Bits { value_type, .. } => format!("{value_type}: some bits change; the data is sensitive"),
        Desired::Joined { types, .. } | Desired::Replaced { types, .. } => {
            format!("{}: part of the data changes; the data is sensitive", of_types(types))
        }
        Desired::List { .. } => "REG_MULTI_SZ: some strings change; the data is sensitive".to_owned(),
    }
}

/// Returns the names of the types of these data, each name once.
fn types(choices: &[Data]) -> String {
    let mut types: Vec<_> = choices.iter().map(|data| data.value_type).collect();
    types.dedup();
    of_types(&types)
}

fn of_types(types: &[crate::registry::ValueType]) -> String {
    types.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

/// Returns `quoted`, the strings of a list in quotes, or a text that names the parameter that contains these strings.
/// Returns `None` if there are no strings.
fn strings(written: Option<&DataExpression>, quoted: String) -> Option<String> {
    match written? {
        DataExpression::Parameter(reference) => Some(format!("those of the parameter {}", reference.parameter)),
        DataExpression::Literal(_) => Some(quoted).filter(|text| !text.is_empty()),
    }
}
