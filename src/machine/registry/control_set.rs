//! Control sets: `HKLM\SYSTEM\ControlSet001` and so on, and `CurrentControlSet`, which leads to one of them.
//!
//! The current control set can change between two runs: if Windows starts with the last known good configuration, or if
//! someone edits the key `Select` of an image.
//!
//! Source: Microsoft, KB100010 ("What are Control Sets?").

use super::{Key, KeyPath, RootKey};

/// The name of the key below HKLM that contains the control sets.
const SYSTEM: &str = "SYSTEM";
/// The name of the key that leads to the current control set.
const CURRENT: &str = "CurrentControlSet";
/// The name of a numbered control set, without its number.
const NUMBERED: &str = "ControlSet";

/// Returns the name of a control set, such as `ControlSet001`.
pub fn name(number: u16) -> String {
    format!("{NUMBERED}{number:03}")
}

/// Returns the number in the name of the control set to which the key belongs.
///
/// Returns `None` for `CurrentControlSet`, and for a key that is in no control set.
pub fn number_of(path: &KeyPath) -> Option<u16> {
    let number = first_below_system(path)?;
    let (name, number) = (number.get(..NUMBERED.len())?, number.get(NUMBERED.len()..)?);
    let is_number = number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && name.eq_ignore_ascii_case(NUMBERED) { number.parse().ok() } else { None }
}

/// Returns whether the key is the current control set, or in it.
pub fn is_current(path: &KeyPath) -> bool {
    first_below_system(path).is_some_and(|name| name.eq_ignore_ascii_case(CURRENT))
}

fn first_below_system(path: &KeyPath) -> Option<&str> {
    let mut names = path.names();
    let is_system = path.root() == RootKey::Hklm && names.next()?.eq_ignore_ascii_case(SYSTEM);
    names.next().filter(|_| is_system)
}

impl Key {
    /// For a key in `CurrentControlSet`, returns the same key in the control set with this number. Returns any other
    /// key unchanged.
    #[must_use]
    pub fn in_control_set(&self, number: u16) -> Self {
        self.in_set(is_current, &name(number))
    }

    /// For a key in the control set with this number, returns the same key in `CurrentControlSet`. Returns any other
    /// key unchanged.
    #[must_use]
    pub fn in_current_set(&self, number: u16) -> Self {
        self.in_set(|path| number_of(path) == Some(number), CURRENT)
    }

    fn in_set(&self, is_meant: impl Fn(&KeyPath) -> bool, set: &str) -> Self {
        if !is_meant(&self.path) {
            return self.clone();
        }
        let names: Vec<&str> = [SYSTEM, set].into_iter().chain(self.path.names().skip(2)).collect();
        // This fails only if the path already had more names than the registry allows. Such a path stays as it is.
        let path = KeyPath::from_parts(RootKey::Hklm, &names.join("\\"));
        path.map_or_else(|_| self.clone(), |path| Self { path, view: self.view })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(path: &str) -> Key {
        Key::new(path.parse().unwrap())
    }

    #[test]
    fn sets_are_known_by_number() {
        let number = |path: &str| number_of(&key(path).path);
        assert_eq!(number(r"HKLM\SYSTEM\controlset002\Services\x"), Some(2));
        assert_eq!(number(r"HKLM\System\ControlSet001"), Some(1));
        for other in [
            r"HKLM\SYSTEM",
            r"HKLM\SYSTEM\CurrentControlSet",
            r"HKLM\SYSTEM\ControlSet1",
            r"HKLM\SOFTWARE\ControlSet001",
        ] {
            assert_eq!(number(other), None, "{other}");
        }
        assert!(is_current(&key(r"HKLM\SYSTEM\currentcontrolset\Services").path));
        assert!(!is_current(&key(r"HKLM\SYSTEM\CurrentControlSetX").path));
        assert!(!is_current(&key(r"HKU\SYSTEM\CurrentControlSet").path));
    }

    #[test]
    fn a_key_moves_between_the_current_set_and_its_number() {
        let current = key(r"HKLM\SYSTEM\CurrentControlSet\Services\x");
        let numbered = key(r"HKLM\SYSTEM\ControlSet012\Services\x");
        assert_eq!(current.in_control_set(12), numbered);
        assert_eq!(numbered.in_current_set(12), current);
        assert_eq!(numbered.in_control_set(3), numbered);
        assert_eq!(numbered.in_current_set(3), numbered);
        let set = key(r"HKLM\SYSTEM\CurrentControlSet");
        assert_eq!(set.in_control_set(1), key(r"HKLM\SYSTEM\ControlSet001"));
        let other = key(r"HKLM\SOFTWARE\CurrentControlSet");
        assert_eq!(other.in_control_set(1), other);
    }
}
