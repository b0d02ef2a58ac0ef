//! Keys that Windows shows under several names.
//!
//! Sources: Microsoft, "HKEY_CLASSES_ROOT Key", "Registry Keys Affected by WOW64", "Registry Hives" (`HKU\.DEFAULT`).

use super::{Key, KeyPath, RootKey};

/// A root key and a key below it.
type Place = (RootKey, &'static str);

/// What is another name of what.
const ALIASES: [(Place, Place); 2] = [
    // A user's classes, which HKCR shows too, have no one name; a change through HKCR is meant for the machine's.
    ((RootKey::Hkcr, ""), (RootKey::Hklm, r"SOFTWARE\Classes")),
    ((RootKey::Hku, "S-1-5-18"), (RootKey::Hku, ".DEFAULT")),
];

impl Key {
    /// The one name of the key, in the 64-bit view: two keys are the same place exactly where this is equal. For comparing
    /// only: on a machine the names can differ, since HKCR shows a user's classes before the machine's.
    pub fn one_name(&self) -> KeyPath {
        let path = self.view.stored_at(&self.path);
        for ((root, alias), (to, name)) in ALIASES {
            let Ok(alias) = KeyPath::from_parts(root, alias) else { continue };
            let Some(rest) = path.relative_to(&alias) else { continue };
            let below = if rest.is_empty() { name.to_owned() } else { format!("{name}\\{rest}") };
            if let Ok(path) = KeyPath::from_parts(to, &below) {
                return path;
            }
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::View;

    #[test]
    fn several_names_of_a_key_are_one() {
        let name = |path: &str, view: View| Key { path: path.parse().unwrap(), view }.one_name().to_string();
        let wide = |path: &str| name(path, View::Bits64);
        let narrow = |path: &str| name(path, View::Bits32);
        assert_eq!(wide(r"HKCR"), r"HKLM\SOFTWARE\Classes");
        assert_eq!(wide(r"HKCR\ms-msdt\shell"), r"HKLM\SOFTWARE\Classes\ms-msdt\shell");
        assert_eq!(narrow(r"HKCR\CLSID\x"), r"HKLM\SOFTWARE\Classes\Wow6432Node\CLSID\x");
        assert_eq!(narrow(r"HKLM\SOFTWARE\Classes\CLSID\x"), r"HKLM\SOFTWARE\Classes\Wow6432Node\CLSID\x");
        assert_eq!(narrow(r"HKLM\SOFTWARE\X"), wide(r"HKLM\SOFTWARE\Wow6432Node\X"));
        assert_eq!(narrow(r"HKLM\SYSTEM\X"), wide(r"HKLM\SYSTEM\X"));
        assert_eq!(wide(r"HKU\s-1-5-18\Software"), r"HKU\.DEFAULT\Software");
        assert_eq!(wide(r"HKU\S-1-5-181\Software"), r"HKU\S-1-5-181\Software");
        assert_eq!(wide(r"HKLM\SOFTWARE\Classes\x"), r"HKLM\SOFTWARE\Classes\x");
    }
}
