//! The part of a spec to which a waiver applies: the whole spec, one of its keys, or one of its values.

use std::collections::{BTreeMap, BTreeSet};

use super::Waiver;
use crate::{
    plan::{NamedRule, Place},
    registry::{Key, KeyPath, RootKey, ValueName, View},
    spec::{
        Spec,
        document::{self, Ensure, Exclusive},
    },
    targets::{ChangeAction, KeyChange, ValueChange},
};

/// The characters that show that a name in a key path can stand for other names: `*` for any characters, `{` for a
/// parameter, and `%` for a variable.
const PLACEHOLDERS: [char; 3] = ['*', '{', '%'];

/// The part of a spec to which a waiver applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    /// The id of a rule or value; `None` if the waiver names none.
    rule: Option<String>,
    /// The key, as the spec or a report writes it; `None` if the waiver names none. A name in the path with `*`, `{` or
    /// `%` matches any name, and `HKCU` matches any user. The key matches in both registry views.
    key: Option<String>,
    value: Option<ValueName>,
    /// The keys that the spec requires to exist even if none of their values must exist. A key of each user is below
    /// `HKCU`.
    required: BTreeSet<KeyPath>,
    /// The key paths with `*`, `{` or `%` whose keys the spec requires to exist even if none of their values must
    /// exist.
    required_patterns: Vec<String>,
    /// The keys of the rules that delete a key, or the subkeys of an exclusive key that the spec does not name.
    deleting: Vec<String>,
}

/// The part of a spec to which a waiver applies, on one target.
pub(super) struct ScopeHere<'a> {
    scope: &'a Scope,
    /// The keys and values of the rule or value whose id the waiver names; empty if the waiver names no id. Each is a
    /// key with a value name, or with `None` for the key itself.
    places: BTreeMap<(&'a Key, Option<&'a ValueName>), &'a Place>,
}

impl Scope {
    /// Returns the part of the spec to which the waiver applies.
    ///
    /// # Errors
    /// Returns the field of the waiver that is wrong, for example because it matches nothing in the spec, and a message
    /// for the user.
    pub(super) fn of(waiver: &Waiver, spec: &Spec) -> Result<Self, (&'static str, String)> {
        let rules = &spec.document.registry;
        let required = rules.iter().filter(|rule| is_required(rule)).map(|rule| &*rule.key);
        let (patterns, keys): (Vec<_>, Vec<_>) = required.partition(|key| key.contains(PLACEHOLDERS));
        let mut scope = Self {
            rule: waiver.rule.clone(),
            key: waiver.key.clone(),
            value: None,
            required: keys.into_iter().filter_map(|key| Some(one_name(key)?.path)).collect(),
            required_patterns: patterns.into_iter().map(str::to_owned).collect(),
            deleting: rules.iter().filter(|rule| is_deleting(rule)).map(|rule| rule.key.clone()).collect(),
        };
        if let Some(name) = &waiver.value {
            scope.value = Some(ValueName::new(name).map_err(|error| ("value", error.to_string()))?);
        }
        if let Some(id) = &waiver.rule {
            if waiver.key.is_some() || waiver.value.is_some() {
                return Err((
                    "rule",
                    "`rule` cannot be combined with `key` or `value`, because `rule` alone \
                    already names a rule or a value of the spec"
                        .to_owned(),
                ));
            }
            let mut ids = rules
                .iter()
                .flat_map(|rule| std::iter::once(&rule.id).chain(rule.values.values().map(|value| &value.id)));
            return match ids.any(|known| known.as_ref() == Some(id)) {
                true => Ok(scope),
                false => Err(("rule", format!("the spec {} has no rule or value with the id `{id}`", spec.id))),
            };
        }
        let fits = |rule: &&document::KeyRule| match &scope.key {
            None => true,
            Some(key) => {
                rule.key.eq_ignore_ascii_case(key)
                    || key.parse::<KeyPath>().is_ok_and(|path| {
                        let of_view = |view| Key { path: path.clone(), view };
                        covers(&rule.key, &of_view(View::Bits64)) || covers(&rule.key, &of_view(View::Bits32))
                    })
            }
        };
        let mut found = rules.iter().filter(fits).peekable();
        if found.peek().is_none() && scope.key.is_some() {
            return Err(("key", format!("the spec {} has no rule for this key", spec.id)));
        }
        if let Some(name) = &scope.value {
            let mut names = found.flat_map(|rule| rule.values.keys());
            if !names.any(|known| ValueName::new(known).is_ok_and(|known| known == *name)) {
                return Err(("value", format!("the spec {} has no rule for the value {name:?}", spec.id)));
            }
        }
        Ok(scope)
    }

    /// Returns whether the waiver applies to the whole spec.
    pub(super) fn is_whole(&self) -> bool {
        self.rule.is_none() && self.key.is_none() && self.value.is_none()
    }

    /// Returns the scope on one target. `named` contains the rules and values of the spec that have an id, a severity
    /// or controls, and apply to the target.
    pub(super) fn on<'a>(&'a self, named: &'a [NamedRule]) -> ScopeHere<'a> {
        let rules = named.iter().filter(|rule| self.rule.is_some() && rule.label.id == self.rule);
        let places = rules.flat_map(|rule| &rule.places);
        ScopeHere { scope: self, places: places.map(|place| ((&place.key, place.name.as_ref()), place)).collect() }
    }

    /// Returns whether a rule of the spec requires this key to exist, even if nothing in it must exist.
    pub(super) fn requires(&self, key: &Key) -> bool {
        let of_user = || match (key.path.root(), key.path.below_root().split_once('\\')) {
            (RootKey::Hku, Some((_, below))) => format!(r"HKCU\{below}").parse().ok(),
            _ => None,
        };
        self.required.contains(&key.path)
            || of_user().is_some_and(|path| self.required.contains(&path))
            || self.required_patterns.iter().any(|pattern| covers(pattern, key))
    }
}

/// Returns whether the rule requires its key to exist, even if none of its values must exist.
fn is_required(rule: &document::KeyRule) -> bool {
    rule.ensure == Some(Ensure::Present) || rule.ensure.is_none() && rule.values.is_empty()
}

/// Returns whether the rule deletes its key, or subkeys of its key.
fn is_deleting(rule: &document::KeyRule) -> bool {
    rule.ensure == Some(Ensure::Absent) || rule.exclusive == Some(Exclusive::Tree)
}

impl ScopeHere<'_> {
    /// Returns whether the waiver applies to a value of the change. If `value` is `None`, returns whether it applies to
    /// the key itself.
    pub(super) fn covers(&self, change: &KeyChange, value: Option<&ValueChange>) -> bool {
        let Scope { rule, key, value: name, .. } = self.scope;
        if name.is_none() && self.covers_with_above(change) {
            return true;
        }
        if rule.is_some() {
            return self.is_of_rule(change, value);
        }
        let of_key = key.as_ref().is_none_or(|pattern| covers(pattern, &change.key));
        let of_value = match (name, value) {
            (None, _) => true,
            (Some(name), Some(value)) => *name == value.name,
            (Some(_), None) => false,
        };
        of_key && of_value
    }

    /// Returns whether the change deletes a key only because of a rule for a key above it, to which the waiver applies.
    fn covers_with_above(&self, change: &KeyChange) -> bool {
        let Scope { rule, key, deleting, .. } = self.scope;
        let is_deleting = |key: &Key| deleting.iter().any(|pattern| covers(pattern, key));
        let mut with_above = std::iter::successors(Some(change.key.clone()), Key::parent);
        let nearest =
            with_above.find(is_deleting).filter(|at| change.action == ChangeAction::Delete && *at != change.key);
        nearest.is_some_and(|at| match (rule, key) {
            (Some(_), _) => self.places.contains_key(&(&at, None)),
            (None, Some(pattern)) => covers(pattern, &at),
            (None, None) => true,
        })
    }

    fn is_of_rule(&self, change: &KeyChange, value: Option<&ValueChange>) -> bool {
        // The rule of a key also concerns the values of a deleted key, and those that an exclusive key must not have.
        let of_key = |value: &ValueChange| {
            let place = self.places.get(&(&change.key, None));
            let deletes = |place: &&Place| change.action == ChangeAction::Delete || place.exclusive.is_some();
            value.after.is_none() && place.is_some_and(deletes)
        };
        self.places.contains_key(&(&change.key, value.map(|value| &value.name))) || value.is_some_and(of_key)
    }
}

/// Returns the key with its canonical name; `None` if `key` is not a valid key path.
fn one_name(key: &str) -> Option<Key> {
    Some(Key::new(key.parse().ok()?).one_name(false))
}

/// Returns whether `pattern`, which is a key as a spec or a report writes it, matches the path of `key`. The registry
/// view of `key` does not matter. A pattern below `Wow6432Node` also matches the key of the 32-bit view.
fn covers(pattern: &str, key: &Key) -> bool {
    let of_32 = || one_name(pattern).filter(|one| one.view == View::Bits32 && key.view == View::Bits32);
    is_like(pattern, key) || of_32().is_some_and(|one| is_like(&one.path.to_long(), key))
}

/// Returns whether `pattern`, which is a key as a spec or a report writes it, matches the path of `key`, without regard
/// to the registry view. A name with `*`, `{` or `%` in `pattern` matches any name. `HKCU` also matches the key of any
/// user below `HKU`, and `HKCR` also matches `HKLM\SOFTWARE\Classes`.
fn is_like(pattern: &str, key: &Key) -> bool {
    let long = key.path.to_long();
    let mut found: Vec<&str> = long.split('\\').collect();
    let mut wanted: Vec<&str> = pattern.split('\\').collect();
    let root = |name: &str| match name.to_ascii_uppercase().as_str() {
        "HKLM" => "HKEY_LOCAL_MACHINE".to_owned(),
        "HKU" => "HKEY_USERS".to_owned(),
        "HKCU" => "HKEY_CURRENT_USER".to_owned(),
        "HKCR" => "HKEY_CLASSES_ROOT".to_owned(),
        "HKCC" => "HKEY_CURRENT_CONFIG".to_owned(),
        long => long.to_owned(),
    };
    let [of_pattern, of_key] = [root(wanted.remove(0)), root(found.remove(0))];
    match (of_pattern.as_str(), of_key.as_str()) {
        // In plans, the keys of each user are below HKU.
        ("HKEY_CURRENT_USER", "HKEY_USERS") if !found.is_empty() => drop(found.remove(0)),
        ("HKEY_CLASSES_ROOT", "HKEY_LOCAL_MACHINE") => wanted.splice(0..0, ["SOFTWARE", "Classes"]).for_each(drop),
        (a, b) if a == b => {}
        _ => return false,
    }
    let same = |(wanted, found): (&&str, &&str)| {
        wanted.contains(PLACEHOLDERS) || crate::registry::name::compare(wanted, found).is_eq()
    };
    wanted.len() == found.len() && wanted.iter().zip(&found).all(same)
}

#[cfg(test)]
mod tests {
    use super::covers;
    use crate::registry::Key;

    #[test]
    fn a_key_of_a_spec_stands_for_keys_of_a_plan() {
        for (pattern, key, wanted) in [
            (r"HKLM\SOFTWARE\A", r"HKLM\SOFTWARE\A", true),
            (r"hklm\software\a", r"HKLM\SOFTWARE\A", true),
            (r"HKEY_LOCAL_MACHINE\SOFTWARE\A", r"HKLM\SOFTWARE\A", true),
            (r"HKLM\SOFTWARE\A", r"HKLM\SOFTWARE\A\B", false),
            (r"HKLM\SOFTWARE\*\B", r"HKLM\SOFTWARE\A\B", true),
            (r"HKLM\SOFTWARE\{name}", r"HKLM\SOFTWARE\A", true),
            (r"HKCU\Software\A", r"HKU\S-1-5-21-1-2-3-1001\Software\A", true),
            (r"HKCU\Software\A", r"HKLM\Software\A", false),
            (r"HKCR\.txt", r"HKLM\SOFTWARE\Classes\.txt", true),
            (r"HKLM\SOFTWARE\Wow6432Node\A", r"HKLM\SOFTWARE\A", false),
        ] {
            assert_eq!(covers(pattern, &Key::new(key.parse().unwrap())), wanted, "{pattern} {key}");
        }
    }
}
