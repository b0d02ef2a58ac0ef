//! Finds the user's hive in which a key below `HKU` is.

use crate::registry::{Key, KeyPath, RootKey, sid};

/// Returns the key directly below `HKU` at which Windows loads the user's hive that contains `path`: `HKU\SID` or
/// `HKU\SID_Classes`. For the hive of the Default profile, returns `HKU\DefaultProfile`, a key that only kbfix uses.
/// Returns `None` for any other path, such as one in the hive of a service or of the system.
///
/// Windows removes the key of a user when the user logs off, but the keys below it still exist in the user's hive file.
pub(super) fn of_a_user(path: &KeyPath) -> Option<Key> {
    if path.root() != RootKey::Hku {
        return None;
    }
    let user = path.names().next()?;
    let is_user = sid::is_person(sid::of_classes(user).unwrap_or(user)) || sid::is_default_profile(user);
    KeyPath::from_parts(RootKey::Hku, user).ok().filter(|_| is_user).map(Key::new)
}

#[cfg(test)]
mod tests {
    use crate::targets::hku::*;

    #[test]
    fn users_and_no_others_have_hives_that_may_not_be_loaded() {
        let hive = |path: &str| of_a_user(&path.parse().unwrap()).map(|key| key.to_string());
        assert_eq!(hive(r"HKU\S-1-5-21-1-2-3-1001\Software\X").as_deref(), Some(r"HKU\S-1-5-21-1-2-3-1001"));
        assert_eq!(hive(r"HKU\s-1-12-1-7_Classes").as_deref(), Some(r"HKU\s-1-12-1-7_Classes"));
        assert_eq!(hive(r"HKU\DefaultProfile\Software").as_deref(), Some(r"HKU\DefaultProfile"));
        assert_eq!(hive(r"HKU\.DEFAULT\Software"), None);
        assert_eq!(hive(r"HKLM\SOFTWARE"), None);
        assert_eq!(hive("HKU"), None);
    }
}
