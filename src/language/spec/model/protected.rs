//! The protected keys: no spec can delete them, whichever of their names it uses.

use crate::registry::{Key, KeyName, RootKey, View, name};

use super::{KeyPattern, NamePattern};

/// The protected keys, by their canonical names. kbfix does not delete them, because Windows or much of its software
/// needs them.
///
/// `*` matches any name. HKCU stands for HKCU itself and for each key directly below HKU, and `CurrentControlSet` for
/// each control set. A key below `HKLM\SOFTWARE` is protected in both views.
const PROTECTED: &[&str] = &[
    r"HKLM\*",
    r"HKCU\*",
    r"HKU\*",
    r"HKU\*\*",
    r"HKLM\SYSTEM\CurrentControlSet\Hardware Profiles\Current\*",
    r"HKLM\SYSTEM\*",
    r"HKLM\SYSTEM\CurrentControlSet\*",
    r"HKLM\SYSTEM\CurrentControlSet\Control\Class",
    r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName",
    r"HKLM\SYSTEM\CurrentControlSet\Control\CrashControl",
    r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa",
    // The class names of these four keys form the boot key, which encrypts the secrets in SAM and SECURITY.
    r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa\Data",
    r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa\GBG",
    r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa\JD",
    r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa\Skew1",
    r"HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions",
    r"HKLM\SYSTEM\CurrentControlSet\Control\SafeBoot",
    r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders",
    r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager",
    r"HKLM\SAM\*",
    r"HKLM\SECURITY\*",
    r"HKLM\HARDWARE\*",
    r"HKLM\SOFTWARE\Classes",
    r"HKLM\SOFTWARE\Classes\CLSID",
    r"HKLM\SOFTWARE\Classes\Interface",
    r"HKLM\SOFTWARE\Classes\TypeLib",
    r"HKLM\SOFTWARE\Microsoft",
    r"HKLM\SOFTWARE\Microsoft\Cryptography",
    r"HKLM\SOFTWARE\Microsoft\Windows",
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion",
    r"HKLM\SOFTWARE\Microsoft\Windows NT",
    r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion",
    r"HKLM\SOFTWARE\Policies",
    r"HKLM\SOFTWARE\Policies\Microsoft",
    r"HKLM\SOFTWARE\Policies\Microsoft\Windows",
    r"HKCU\Software\Classes",
    r"HKCU\Software\Microsoft",
    r"HKCU\Software\Microsoft\Windows",
    r"HKCU\Software\Microsoft\Windows\CurrentVersion",
];

/// The possible numbers of a control set, such as 1 in `ControlSet001`. Source: Microsoft, KB100010 ("What are Control
/// Sets?").
const CONTROL_SETS: std::ops::RangeInclusive<u16> = 0..=999;

/// The greatest number of names below the root key in any path of a protected key. A path with the SID of a user or
/// with `Wow6432Node` has more names than the canonical one.
const DEEPEST: usize = 6;

/// Returns whether the key is protected, so that kbfix must not delete it. Returns `false` for a root key, which cannot
/// be deleted in any case.
pub fn is_protected(key: &Key) -> bool {
    // Deleting a tree asks this about all its keys.
    if key.path.depth() > DEEPEST {
        return false;
    }
    let names = key.path.names().filter_map(|name| KeyName::new(name).ok()).map(NamePattern::Name).collect();
    can_be_protected(&KeyPattern {
        root: key.path.root(),
        names,
        view: key.view,
        own: None,
        same_user: false,
        default_profile: false,
        unset: None,
    })
}

/// Returns whether the pattern can match a protected key.
pub(in crate::spec) fn can_be_protected(key: &KeyPattern) -> bool {
    let key = key.one_name();
    let narrow = (0..key.names.len()).filter(|at| can_be_wow6432node(&key, *at)).map(|at| {
        let names = key.names.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, name)| name.clone());
        KeyPattern { names: names.collect(), ..key.clone() }
    });
    [key.clone()].into_iter().chain(narrow).any(|key| PROTECTED.iter().any(|protected| can_be(&key, protected)))
}

/// Returns whether the name at the index `at` of the pattern, from 0, can be `Wow6432Node`: the key in which 64-bit
/// Windows stores the 32-bit view.
fn can_be_wow6432node(key: &KeyPattern, at: usize) -> bool {
    let below_software = key.root == RootKey::Hklm && (at == 1 || at == 2);
    let below_classes = matches!(key.root, RootKey::Hkcu | RootKey::Hku) && (at == 2 || at == 3);
    key.view == View::Bits64 && (below_software || below_classes) && fits(&key.names[at], "Wow6432Node")
}

fn fits(pattern: &NamePattern, name: &str) -> bool {
    match pattern {
        NamePattern::Name(found) => name::compare(found.as_str(), name).is_eq(),
        NamePattern::Like(like) => like.fits(name),
    }
}

/// Returns whether the pattern `key` can match a key that `protected`, an item of [`PROTECTED`], stands for.
fn can_be(key: &KeyPattern, protected: &str) -> bool {
    let mut parts = protected.split('\\');
    let mut names = key.names.iter();
    let root = parts.next();
    // HKCU matches any key directly below HKU.
    let same_root =
        root == Some(key.root.short()) || (root == Some("HKCU") && key.root == RootKey::Hku && names.next().is_some());
    same_root && parts.all(|part| names.next().is_some_and(|name| is(name, part))) && names.next().is_none()
}

fn is(name: &NamePattern, part: &str) -> bool {
    let any_set = || CONTROL_SETS.into_iter().any(|number| fits(name, &format!("ControlSet{number:03}")));
    part == "*" || fits(name, part) || (part == "CurrentControlSet" && any_set())
}

#[cfg(test)]
mod tests {
    use crate::spec::model::protected::*;

    #[test]
    fn a_protected_key_is_known_by_each_of_its_names() {
        let protected = |path: &str| is_protected(&path.parse().unwrap());
        for path in [
            r"HKLM\SYSTEM\CurrentControlSet\Services",
            r"HKLM\SYSTEM\ControlSet002\services",
            r"HKLM\SYSTEM\ControlSet001\Control\Lsa",
            r"HKLM\SYSTEM\ControlSet001\Control\LSA\jd",
            r"HKLM\SOFTWARE\Wow6432Node",
            r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Windows",
            r"HKLM\SOFTWARE\Wow6432Node\Classes",
            r"HKLM\SOFTWARE\Wow6432Node\Policies",
            r"HKLM\SOFTWARE\Classes\Wow6432Node",
            r"HKCR\CLSID",
            r"HKCR\Wow6432Node\CLSID",
            r"HKCU\Software\Microsoft",
            r"HKU\S-1-5-21-1-2-3-1001\Software\Microsoft",
            r"HKU\.DEFAULT\Software\Microsoft\Windows",
            r"HKU\S-1-5-18\Software",
            r"HKU\S-1-5-21-1-2-3-1001_Classes",
            r"HKCC\System",
        ] {
            assert!(protected(path), "{path}");
        }
        for path in [
            r"HKLM\SYSTEM\CurrentControlSet\Services\Vendor",
            r"HKLM\SYSTEM\ControlSet001\Control\Lsa\Vendor",
            r"HKLM\SOFTWARE\Vendor",
            r"HKLM\SOFTWARE\Wow6432Node\Vendor",
            r"HKLM\SOFTWARE\Vendor\Wow6432Node",
            r"HKCR\ms-msdt",
            r"HKU\S-1-5-21-1-2-3-1001\Software\Vendor",
            r"HKU\S-1-5-21-1-2-3-1001_Classes\ms-msdt",
        ] {
            assert!(!protected(path), "{path}");
        }
    }

    #[test]
    fn no_protected_key_is_deeper() {
        let names = |protected: &str| match protected.split('\\').collect::<Vec<_>>()[..] {
            // With the SID of the user and `Wow6432Node`.
            ["HKCU", ref names @ ..] => names.len() + 2,
            // With `Wow6432Node`.
            [_, ref names @ ..] => names.len() + 1,
            [] => 0,
        };
        assert_eq!(PROTECTED.iter().map(|protected| names(protected)).max(), Some(DEEPEST));
    }
}
