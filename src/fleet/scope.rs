//! The part of a spec to which a waiver applies: the whole spec, one of its keys, or one of its values.

use super::Waiver;
use crate::{
    registry::{Key, KeyPath, ValueName},
    spec::Spec,
};

/// The part of a spec to which a waiver applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    /// The key, as the spec or a report writes it; `None` if the waiver applies to all keys. A name in the path with
    /// `*`, `{` or `%` matches any name, and `HKCU` matches any user. The key matches in both registry views.
    key: Option<String>,
    value: Option<ValueName>,
}

impl Scope {
    /// Returns the part of the spec to which the waiver applies.
    ///
    /// # Errors
    /// Returns the field of the waiver that is wrong, for example because it matches nothing in the spec, and a message
    /// for the user.
    pub(super) fn of(waiver: &Waiver, spec: &Spec) -> Result<Self, (&'static str, String)> {
        let mut scope = Self { key: waiver.key.clone(), value: None };
        if let Some(name) = &waiver.value {
            scope.value = Some(ValueName::new(name).map_err(|error| ("value", error.to_string()))?);
        }
        let rules = &spec.document.registry;
        if let Some(id) = &waiver.rule {
            if waiver.key.is_some() || waiver.value.is_some() {
                return Err((
                    "rule",
                    "`rule` cannot be combined with `key` or `value`, because `rule` alone \
                    already names a rule or a value of the spec"
                        .to_owned(),
                ));
            }
            let of_key = rules.iter().find(|rule| rule.id.as_ref() == Some(id)).map(|rule| (rule, None));
            let of_value = || {
                rules.iter().find_map(|rule| {
                    let name =
                        rule.values.iter().find(|(_, value)| value.id.as_ref() == Some(id)).map(|(name, _)| name);
                    name.map(|name| (rule, Some(name)))
                })
            };
            let (rule, name) = of_key
                .or_else(of_value)
                .ok_or_else(|| ("rule", format!("the spec {} has no rule or value with the id `{id}`", spec.id)))?;
            let value = name.map(ValueName::new).transpose().map_err(|e| ("rule", e.to_string()))?;
            return Ok(Self { key: Some(rule.key.clone()), value });
        }
        let fits = |rule: &&crate::spec::document::KeyRule| match &scope.key {
            None => true,
            Some(key) => {
                rule.key.eq_ignore_ascii_case(key)
                    || key.parse::<KeyPath>().is_ok_and(|path| covers(&rule.key, &Key::new(path)))
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
        self.key.is_none() && self.value.is_none()
    }

    /// Returns whether the waiver applies to a value of the key. If `value` is `None`, returns whether it applies to
    /// the key with all of its values.
    pub(super) fn covers(&self, key: &Key, value: Option<&ValueName>) -> bool {
        let of_key = self.key.as_ref().is_none_or(|pattern| covers(pattern, key));
        let of_value = match (&self.value, value) {
            (None, _) => true,
            (Some(name), Some(value)) => name == value,
            (Some(_), None) => false,
        };
        of_key && of_value
    }
}

/// Returns whether `pattern`, which is a key as a spec or a report writes it, matches `key`, in either registry view.
fn covers(pattern: &str, key: &Key) -> bool {
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
        wanted.contains(['*', '{', '%']) || crate::registry::name::compare(wanted, found).is_eq()
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
        ] {
            assert_eq!(covers(pattern, &Key::new(key.parse().unwrap())), wanted, "{pattern} {key}");
        }
    }
}
