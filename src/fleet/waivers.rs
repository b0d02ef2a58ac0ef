//! Waivers: deviations from specs that are known and accepted for a time.

use std::collections::BTreeSet;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Members, Waiver, scope::Scope};
use crate::{
    diag::{
        Code, Diagnostic,
        text::{first_few, suggest},
    },
    plan::NamedRule,
    registry::{Key, notation},
    spec::{SideDocument, Source, Spec, side_schema},
    targets::{ChangeAction, KeyChange, ValueChange},
};

const ID: &str = "urn:kbfix:schema:waivers:1";

/// The content of a waivers file, in YAML.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "kbfix waivers, version 1")]
struct WaiversDocument {
    /// The version of the format of waivers files: 1.
    #[schemars(extend("const" = 1))]
    #[allow(dead_code, reason = "the schema checks it")]
    kbfix_waivers: u32,
    /// The waivers.
    waivers: Vec<Waiver>,
}

/// The waivers that were read and are valid today.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waivers {
    /// The waivers, in the order of the file.
    pub list: Vec<Waiver>,
    scopes: Vec<Scope>,
}

/// The changes of a spec on one machine, divided into those that remain and those that waivers accept.
#[derive(Debug, Default)]
pub(super) struct Split {
    /// The changes that remain to be made.
    pub(super) left: Vec<KeyChange>,
    /// The changes that are not made, because waivers accept them.
    pub(super) waived: Vec<KeyChange>,
    /// For each key and value in `waived`, the index of the first waiver that accepts its change; sorted, each index
    /// once.
    pub(super) by: Vec<usize>,
}

/// Returns the JSON schema of a waivers file.
pub fn waivers_schema() -> Value {
    side_schema::<WaiversDocument>(ID)
}

impl Waivers {
    /// Reads a waivers file, and returns the waivers with warnings about the file. `today` is the current day in UTC.
    ///
    /// # Errors
    /// Returns the errors that were found in the file. It is also an error if a waiver has expired, names no machine,
    /// or names a spec, rule, key, value, machine or group that does not exist.
    pub fn read(
        name: &str,
        bytes: &[u8],
        specs: &[Spec],
        members: &Members,
        today: Date,
    ) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let document: SideDocument<'_, WaiversDocument> =
            SideDocument::read(Source { name, bytes }, ID, "a waivers file")?;
        let mut wrong = Vec::new();
        let mut scopes = Vec::new();
        let machines: BTreeSet<String> = members.each.iter().map(|member| member.name.to_lowercase()).collect();
        for (at, waiver) in document.content.waivers.iter().enumerate() {
            let number = at.to_string();
            let mut refuse = |code, message: String, field: &[&str], hint: String| {
                let path: Vec<&str> = ["waivers", &number].into_iter().chain(field.iter().copied()).collect();
                wrong.push(Diagnostic::error(code, message).at(document.place(&path)).hint(hint));
            };
            match waiver.expires.parse::<Date>() {
                Err(_) => refuse(
                    Code::WAIVER_EXPIRED,
                    format!("`{}` is not a date", waiver.expires),
                    &["expires"],
                    "write it as year-month-day, for example 2027-01-31".to_owned(),
                ),
                Ok(date) if date < today => refuse(
                    Code::WAIVER_EXPIRED,
                    format!("the waiver with the reason {} expired on {date}", notation::quoted(&waiver.reason)),
                    &["expires"],
                    "remove the waiver; or have the deviation accepted again, and write a later date".to_owned(),
                ),
                Ok(_) => {}
            }
            match specs.iter().find(|spec| spec.id == waiver.spec) {
                None => {
                    let known = specs.iter().map(|spec| &*spec.id);
                    let message = format!("no spec of this run has the id `{}`", waiver.spec);
                    refuse(Code::WAIVER_UNKNOWN, message, &["spec"], meant(&waiver.spec, known));
                }
                Some(spec) => match Scope::of(waiver, spec) {
                    Ok(scope) => scopes.push(scope),
                    Err((field, message)) => {
                        let hint = format!("`kbfix show {}` lists the keys and values of the spec", spec.id);
                        refuse(Code::WAIVER_UNKNOWN, message, &[field], hint);
                    }
                },
            }
            if waiver.machines.is_empty() && waiver.groups.is_empty() {
                let message = "the waiver names no machine".to_owned();
                refuse(Code::WAIVER_UNKNOWN, message, &[], "give `machines` or `groups`".to_owned());
            }
            for (item, machine) in waiver.machines.iter().enumerate() {
                if !machines.contains(&machine.to_lowercase()) {
                    let known = members.each.iter().map(|member| &*member.name);
                    let message = format!("no machine of the fleet is called `{machine}`");
                    let hint = meant(machine, known);
                    refuse(Code::WAIVER_UNKNOWN, message, &["machines", &item.to_string()], hint);
                }
            }
            for (item, group) in waiver.groups.iter().enumerate().filter(|(_, group)| !members.has_group(group)) {
                let message = format!("no machine of the fleet is in the group `{group}`");
                let hint = "name a group that the fleet file gives to a machine".to_owned();
                refuse(Code::WAIVER_UNKNOWN, message, &["groups", &item.to_string()], hint);
            }
        }
        let SideDocument { content, warnings, .. } = document;
        if wrong.is_empty() { Ok((Self { list: content.waivers, scopes }, warnings)) } else { Err(wrong) }
    }

    /// Returns the indexes of the waivers that apply to the machine with this name and these groups.
    pub(super) fn of(&self, name: &str, groups: &[String]) -> Vec<usize> {
        let is_for = |waiver: &Waiver| {
            waiver.machines.iter().any(|machine| machine.to_lowercase() == name.to_lowercase())
                || waiver.groups.iter().any(|group| groups.contains(group))
        };
        (0..self.list.len()).filter(|at| is_for(&self.list[*at])).collect()
    }

    /// Returns the index of the first waiver in `among` that applies to the whole spec; `None` if there is none.
    pub(super) fn whole(&self, spec: &str, among: &[usize]) -> Option<usize> {
        among.iter().copied().find(|at| self.list[*at].spec == spec && self.scopes[*at].is_whole())
    }

    /// Divides the changes of a spec into those that remain and those that the waivers in `among` accept. `named`
    /// contains the rules and values of the spec that have an id, a severity or controls, and apply to the target.
    pub(super) fn split(&self, spec: &str, changes: Vec<KeyChange>, named: &[NamedRule], among: &[usize]) -> Split {
        let mut split = Split::default();
        let scopes: Vec<usize> = among.iter().copied().filter(|at| self.list[*at].spec == spec).collect();
        if scopes.is_empty() {
            split.left = changes;
            return split;
        }
        let required =
            |change: &KeyChange| change.action == ChangeAction::Create && self.scopes[scopes[0]].requires(&change.key);
        let here: Vec<_> = scopes.iter().map(|at| (*at, self.scopes[*at].on(named))).collect();
        for change in changes {
            let by = |value: Option<&ValueChange>| {
                here.iter().find(|(_, scope)| scope.covers(&change, value)).map(|(at, _)| *at)
            };
            let of_key = by(None);
            let of_values: Vec<usize> = change.values.iter().filter_map(|value| by(Some(value))).collect();
            let has_all = of_values.len() == change.values.len();
            if of_key.is_none() && of_values.is_empty() {
                split.left.push(change);
            } else if has_all && (of_key.is_some() || !required(&change)) {
                split.by.extend(of_key.into_iter().chain(of_values));
                split.waived.push(change);
            } else if !of_values.is_empty() {
                let (waived, left) = change.values.iter().cloned().partition(|value| by(Some(value)).is_some());
                split.by.extend(of_values);
                let action = match change.action {
                    // The rest creates the key.
                    ChangeAction::Create => ChangeAction::Update,
                    action => action,
                };
                split.waived.push(KeyChange { values: waived, action, ..change.clone() });
                split.left.push(KeyChange { values: left, ..change });
            } else {
                split.left.push(change);
            }
        }
        split.keep_no_empty_keys(required);
        split.by.sort_unstable();
        split.by.dedup();
        split
    }
}

impl Split {
    /// Also waives a change of a key without values if changes in keys below it are waived, and none in keys below it
    /// is left: the key would stay empty. A change for which `required` returns true is left, because a rule requires
    /// the key itself.
    fn keep_no_empty_keys(&mut self, required: impl Fn(&KeyChange) -> bool) {
        let above = |changes: &[KeyChange]| -> BTreeSet<Key> {
            let holding = changes.iter().filter(|change| !change.values.is_empty() || required(change));
            holding.flat_map(|change| std::iter::successors(change.key.parent(), Key::parent)).collect()
        };
        let of_waived = above(&self.waived);
        let (needless, left): (Vec<_>, Vec<_>) = std::mem::take(&mut self.left)
            .into_iter()
            .partition(|change| change.values.is_empty() && of_waived.contains(&change.key) && !required(change));
        let of_left = above(&left);
        let (kept, waived): (Vec<_>, Vec<_>) = needless.into_iter().partition(|change| of_left.contains(&change.key));
        self.left = kept.into_iter().chain(left).collect();
        self.waived.splice(0..0, waived);
    }
}

/// Returns a hint for an unknown name: the most similar known name, some of the known names, or that there are none.
fn meant<'k>(name: &str, known: impl Iterator<Item = &'k str> + Clone) -> String {
    match suggest(name, known.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.clone().next().is_none() => "there is none in this run; remove the name".to_owned(),
        None => format!("name one of these: {}", first_few(known)),
    }
}
