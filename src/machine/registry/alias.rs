//! Finds the canonical name of a key that Windows shows under several names.
//!
//! A plan uses one name for each key, whichever names its specs use; otherwise it would create or delete the key twice.
//! `plan/canonical.rs` handles the names that depend on the machine: the current control set and the number of views.
//!
//! Sources: Microsoft, "HKEY_CLASSES_ROOT Key", "Merged View of HKEY_CLASSES_ROOT", "Registry Keys Affected by WOW64",
//! "Registry Hives" (`HKU\.DEFAULT`), "Predefined Keys" (`HKEY_CURRENT_CONFIG`).

use std::sync::LazyLock;

use super::{
    Key, KeyName, KeyPath, RootKey, View,
    sid::{self, CLASSES},
};

/// A root key, and the path of a key below it; the path is empty for the root key itself.
type Place = (RootKey, &'static str);

/// An alias: another name of a key, and the canonical name of this key.
type Alias = (KeyPath, KeyPath);

/// The aliases that exist on every machine.
static ALIASES: LazyLock<[Alias; 3]> = LazyLock::new(|| {
    aliases([
        // HKCR also shows the classes of the user, but a change of HKCR is intended for the classes of the machine.
        ((RootKey::Hkcr, ""), (RootKey::Hklm, r"SOFTWARE\Classes")),
        ((RootKey::Hkcc, ""), (RootKey::Hklm, r"SYSTEM\CurrentControlSet\Hardware Profiles\Current")),
        ((RootKey::Hku, "S-1-5-18"), (RootKey::Hku, ".DEFAULT")),
    ])
});

/// The aliases that 64-bit Windows makes for 32-bit programs that name `Wow6432Node` themselves. 32-bit Windows has
/// none of these aliases.
static NODE_ALIASES: LazyLock<[Alias; 4]> = LazyLock::new(|| {
    aliases([
        ((RootKey::Hklm, r"SOFTWARE\Wow6432Node\Classes"), (RootKey::Hklm, r"SOFTWARE\Classes\Wow6432Node")),
        ((RootKey::Hklm, r"SOFTWARE\Classes\Wow6432Node\AppID"), (RootKey::Hklm, r"SOFTWARE\Classes\AppID")),
        ((RootKey::Hklm, r"SOFTWARE\Classes\Wow6432Node\PROTOCOLS"), (RootKey::Hklm, r"SOFTWARE\Classes\PROTOCOLS")),
        ((RootKey::Hklm, r"SOFTWARE\Classes\Wow6432Node\TypeLib"), (RootKey::Hklm, r"SOFTWARE\Classes\TypeLib")),
    ])
});

/// The path of the link that Windows makes to its current control set.
static CURRENT_CONTROL_SET: LazyLock<KeyPath> =
    LazyLock::new(|| KeyPath::known(RootKey::Hklm, r"SYSTEM\CurrentControlSet"));

fn aliases<const COUNT: usize>(pairs: [(Place, Place); COUNT]) -> [Alias; COUNT] {
    let known = |(root, below): Place| KeyPath::known(root, below);
    pairs.map(|(from, to)| (known(from), known(to)))
}

impl Key {
    /// Returns the canonical name of the key.
    ///
    /// For kbfix, two names with the same canonical name mean the same key. Names that depend on the machine or the
    /// user, such as `HKLM\SYSTEM\CurrentControlSet` and `HKCU`, are not resolved here, and neither are other links.
    ///
    /// `one_view` says that the target is a 32-bit Windows, on which both views are the same.
    #[must_use]
    pub fn one_name(&self, one_view: bool) -> Self {
        let path = aliased(&self.path);
        if one_view {
            return Self::new(path);
        }
        let path = NODE_ALIASES.iter().fold(path, |path, (from, to)| moved(&path, from, to).unwrap_or(path));
        // A key that both views share has one name, whichever view was given.
        if self.view == View::Bits32 && View::Bits32.stored_at(&path) != path {
            return Self { path, view: View::Bits32 };
        }
        match without_wow6432node(&path) {
            Some(path) => Self { path, view: View::Bits32 },
            None => Self::new(path),
        }
    }

    /// Returns the canonical name of the key that contains this key; `None` for a root key. This key must have its
    /// canonical name.
    ///
    /// A name with `Wow6432Node` is canonical only on 32-bit Windows, so the key above then has its name on a 32-bit
    /// Windows.
    #[must_use]
    pub fn canonical_parent(&self) -> Option<Self> {
        Some(self.parent()?.one_name(self.is_of_one_view()))
    }

    /// Returns the canonical names that the key above this key can have. This key must have its canonical name.
    ///
    /// These are two names for a key directly below `Wow6432Node` whose own name is canonical on every Windows, such as
    /// `HKLM\SOFTWARE\Wow6432Node\Policies`: the key above has its own name on 32-bit Windows, and is in the 32-bit
    /// view on 64-bit Windows. For a root key, there is no such name.
    pub fn canonical_parents(&self) -> impl Iterator<Item = Self> {
        let first = self.canonical_parent();
        let is_open = self.view == View::Bits64 && first.as_ref().is_some_and(|parent| parent.view == View::Bits32);
        let second = self.parent().filter(|_| is_open).map(|parent| parent.one_name(true));
        first.into_iter().chain(second)
    }

    /// Returns whether the name of this key is canonical only on 32-bit Windows, because the name contains
    /// `Wow6432Node`. This key must have its canonical name. The keys below it then have their names on a 32-bit
    /// Windows too.
    pub fn is_of_one_view(&self) -> bool {
        self.one_name(false) != *self
    }

    /// Returns whether Windows shows the content of this key also as that of a key elsewhere: this key is the one to
    /// which an alias leads (such as `HKLM\SOFTWARE\Classes`), the link `CurrentControlSet`, or a user's link
    /// `Software\Classes`.
    ///
    /// The list of subkeys of the parent key can lack such a key, although the key exists.
    pub fn is_also_elsewhere(&self) -> bool {
        self.path == *CURRENT_CONTROL_SET
            || ALIASES.iter().chain(&*NODE_ALIASES).any(|(_, place)| *place == self.path)
            || user_of_classes(&self.path).is_some_and(|(_, rest)| rest.is_empty())
    }

    /// Returns the name of a link that Windows makes directly below this key and that no hive file contains:
    /// `CurrentControlSet` in `HKLM\SYSTEM`, and `Classes` in the `Software` of a user. Returns an empty list for any
    /// other key.
    pub fn links(&self) -> Vec<KeyName> {
        let name = match (self.path.root(), self.path.depth()) {
            (RootKey::Hklm, 1) => "CurrentControlSet",
            (RootKey::Hku, 2) => "Classes",
            _ => return Vec::new(),
        };
        let links = KeyName::new(name).into_iter();
        links.filter(|name| self.child(name).is_also_elsewhere()).collect()
    }
}

impl KeyPath {
    /// Returns the other names that aliases give to this key. This path must be the canonical name of the key.
    ///
    /// Each pair is an alias that leads to this key or to a key above it, and the other name of this key, which begins
    /// with this alias.
    pub fn other_names(&self) -> Vec<(KeyPath, KeyPath)> {
        let mut names = Vec::new();
        for (alias, to) in ALIASES.iter().chain(&*NODE_ALIASES) {
            if let Some(other) = moved(self, to, alias) {
                names.push((alias.clone(), other));
            }
        }
        // `.DEFAULT` is not a SID, but its other name is.
        let of_classes = names.iter().map(|(_, name)| name).chain([self]).find_map(user_of_classes);
        if let Some((sid, rest)) = of_classes
            && let Ok(alias) = Self::from_parts(RootKey::Hku, &format!("{sid}{CLASSES}"))
            && let Some(other) = joined(&alias, rest)
        {
            names.push((alias, other));
        }
        names
    }
}

/// Returns the path with an alias at its beginning replaced by the canonical name. The aliases with `Wow6432Node` are
/// not considered.
fn aliased(path: &KeyPath) -> KeyPath {
    // The SID in the name of a user's classes can itself be an alias.
    let path = below_user(path).unwrap_or_else(|| path.clone());
    ALIASES.iter().find_map(|(from, to)| moved(&path, from, to)).unwrap_or(path)
}

/// For the key `HKU\S-1-…_Classes` or a key below it, returns its path below the hive of the user. Returns `None` for
/// any other key.
fn below_user(path: &KeyPath) -> Option<KeyPath> {
    let first = path.names().next().filter(|_| path.root() == RootKey::Hku)?;
    let sid = sid::of_classes(first)?;
    let rest = path.below_root().get(first.len()..)?;
    KeyPath::from_parts(RootKey::Hku, &format!(r"{sid}\Software\Classes{rest}")).ok()
}

/// Returns the path with `from`, at its beginning, replaced by `to`. Returns `None` if the path is not `from` or below
/// it.
fn moved(path: &KeyPath, from: &KeyPath, to: &KeyPath) -> Option<KeyPath> {
    joined(to, path.relative_to(from)?)
}

/// For a user's key `Software\Classes` or a key below it, returns the user's SID, and the path below `Classes`, which
/// can be empty. Returns `None` for any other key.
fn user_of_classes(path: &KeyPath) -> Option<(&str, &str)> {
    let sid = path.names().next().filter(|sid| path.root() == RootKey::Hku && sid::is_sid(sid))?;
    let mut below = path.below_root().splitn(4, '\\').skip(1);
    let mut is = |wanted: &str| below.next().is_some_and(|name| name.eq_ignore_ascii_case(wanted));
    (is("Software") && is("Classes")).then_some(())?;
    Some((sid, below.next().unwrap_or_default()))
}

/// For a key of the 32-bit view, returns its path in this view. `path` is its path in the 64-bit view, which contains
/// `Wow6432Node`. Returns `None` for any other path.
fn without_wow6432node(path: &KeyPath) -> Option<KeyPath> {
    let node = path.names().position(|name| name.eq_ignore_ascii_case("Wow6432Node"))?;
    let names: Vec<&str> = path.names().enumerate().filter(|(at, _)| *at != node).map(|(_, name)| name).collect();
    let narrow = KeyPath::from_parts(path.root(), &names.join("\\")).ok()?;
    (View::Bits32.stored_at(&narrow) == *path).then_some(narrow)
}

fn joined(to: &KeyPath, rest: &str) -> Option<KeyPath> {
    let below = match (to.below_root(), rest) {
        (names, "") => names.to_owned(),
        ("", rest) => rest.to_owned(),
        (names, rest) => format!("{names}\\{rest}"),
    };
    KeyPath::from_parts(to.root(), &below).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(path: &str, view: View) -> Key {
        Key { path: path.parse().unwrap(), view }
    }

    #[test]
    fn the_paths_of_the_tables_are_valid() {
        for (from, to) in ALIASES.iter().chain(&*NODE_ALIASES) {
            for path in [from, to, &*CURRENT_CONTROL_SET] {
                assert_eq!(path.to_string().parse::<KeyPath>().as_ref(), Ok(path));
            }
        }
    }

    #[test]
    fn several_names_of_a_key_are_one() {
        let wide = |path: &str| key(path, View::Bits64).one_name(false).to_string();
        let narrow = |path: &str| key(path, View::Bits32).one_name(false).to_string();
        assert_eq!(wide(r"HKCR"), r"HKLM\SOFTWARE\Classes");
        assert_eq!(wide(r"HKCR\ms-msdt\shell"), r"HKLM\SOFTWARE\Classes\ms-msdt\shell");
        assert_eq!(wide(r"HKCC\System"), r"HKLM\SYSTEM\CurrentControlSet\Hardware Profiles\Current\System");
        assert_eq!(narrow(r"HKCR\CLSID\x"), r"HKLM\SOFTWARE\Classes\CLSID\x [32-bit view]");
        assert_eq!(wide(r"HKCR\Wow6432Node\CLSID\x"), narrow(r"HKLM\SOFTWARE\Classes\CLSID\x"));
        assert_eq!(wide(r"HKLM\SOFTWARE\wow6432node\X"), r"HKLM\SOFTWARE\X [32-bit view]");
        assert_eq!(wide(r"HKLM\SOFTWARE\Wow6432Node"), r"HKLM\SOFTWARE [32-bit view]");
        assert_eq!(narrow(r"HKLM\SOFTWARE\Wow6432Node\X"), r"HKLM\SOFTWARE\X [32-bit view]");
        assert_eq!(narrow(r"HKLM\SYSTEM\X"), r"HKLM\SYSTEM\X");
        assert_eq!(narrow(r"HKLM\SOFTWARE\Policies\X"), r"HKLM\SOFTWARE\Policies\X");
        // The views share this key, so a key below Wow6432Node is not another name of it.
        assert_eq!(wide(r"HKLM\SOFTWARE\Wow6432Node\Policies\X"), r"HKLM\SOFTWARE\Wow6432Node\Policies\X");
        // Windows links these for programs that name Wow6432Node themselves.
        assert_eq!(wide(r"HKLM\SOFTWARE\Wow6432Node\Classes\x"), r"HKLM\SOFTWARE\Classes\Wow6432Node\x");
        assert_eq!(wide(r"HKLM\SOFTWARE\Wow6432Node\Classes\CLSID\x"), narrow(r"HKCR\CLSID\x"));
        assert_eq!(wide(r"HKLM\SOFTWARE\Wow6432Node\Classes\TYPELIB\x"), r"HKLM\SOFTWARE\Classes\TypeLib\x");
        assert_eq!(wide(r"HKCR\Wow6432Node\AppID"), r"HKLM\SOFTWARE\Classes\AppID");
        assert_eq!(wide(r"HKU\s-1-5-18\Software"), r"HKU\.DEFAULT\Software");
        assert_eq!(wide(r"HKU\S-1-5-181\Software"), r"HKU\S-1-5-181\Software");
        assert_eq!(wide(r"HKU\S-1-5-21-7_CLASSES\x"), r"HKU\S-1-5-21-7\Software\Classes\x");
        assert_eq!(wide(r"HKU\S-1-5-18_Classes\x"), r"HKU\.DEFAULT\Software\Classes\x");
        assert_eq!(wide(r"HKU\a_Classes\x"), r"HKU\a_Classes\x");
        assert_eq!(narrow(r"HKU\S-1-5-21-7_Classes\CLSID"), r"HKU\S-1-5-21-7\Software\Classes\CLSID [32-bit view]");
        assert_eq!(wide(r"HKLM\SOFTWARE\Classes\x"), r"HKLM\SOFTWARE\Classes\x");
    }

    #[test]
    fn the_key_above_has_its_canonical_name_too() {
        let above = |path: &str| -> Vec<String> {
            let above = std::iter::successors(Some(Key::new(path.parse().unwrap())), Key::canonical_parent);
            above.skip(1).map(|key| key.to_string()).collect()
        };
        assert_eq!(above(r"HKLM\SYSTEM\X"), [r"HKLM\SYSTEM", "HKLM"]);
        // This is the canonical name of a key only on 32-bit Windows.
        let of_32 = [r"HKLM\SOFTWARE\Wow6432Node\X", r"HKLM\SOFTWARE\Wow6432Node", r"HKLM\SOFTWARE", "HKLM"];
        assert_eq!(above(r"HKLM\SOFTWARE\Wow6432Node\X\Y"), of_32);
        let narrow = key(r"HKLM\SOFTWARE\Classes\CLSID", View::Bits32);
        assert_eq!(narrow.canonical_parent().unwrap().to_string(), r"HKLM\SOFTWARE\Classes\Wow6432Node");
        let both =
            |path: &str, view| -> Vec<_> { key(path, view).canonical_parents().map(|key| key.to_string()).collect() };
        let node = r"HKLM\SOFTWARE\Wow6432Node";
        assert_eq!(both(&format!(r"{node}\Policies"), View::Bits64), [r"HKLM\SOFTWARE [32-bit view]", node]);
        assert_eq!(both(&format!(r"{node}\Policies\X"), View::Bits64), [format!(r"{node}\Policies")]);
        assert_eq!(both(&format!(r"{node}\X"), View::Bits64), [node]);
        assert_eq!(both(r"HKLM\SOFTWARE\X\Y", View::Bits32), [r"HKLM\SOFTWARE\X [32-bit view]"]);
    }

    #[test]
    fn a_32_bit_windows_has_one_view_and_may_have_a_key_called_wow6432node() {
        let one = |path: &str, view: View| key(path, view).one_name(true).to_string();
        assert_eq!(one(r"HKLM\SOFTWARE\X", View::Bits32), r"HKLM\SOFTWARE\X");
        assert_eq!(one(r"HKCR\CLSID", View::Bits32), r"HKLM\SOFTWARE\Classes\CLSID");
        let node = r"HKLM\SOFTWARE\Wow6432Node\Classes";
        assert_eq!(one(node, View::Bits64), node);
        assert_eq!(one(r"HKLM\SOFTWARE\Wow6432Node\X", View::Bits64), r"HKLM\SOFTWARE\Wow6432Node\X");
    }

    #[test]
    fn links_are_known_by_name_and_have_other_names() {
        let links = |path: &str| -> Vec<String> {
            key(path, View::Bits64).links().iter().map(|name| name.as_str().to_owned()).collect()
        };
        assert_eq!(links(r"HKLM\SYSTEM"), ["CurrentControlSet"]);
        assert_eq!(links(r"HKU\S-1-5-21-7\Software"), ["Classes"]);
        assert!(links(r"HKU\.DEFAULT\Software").is_empty() && links(r"HKLM\SOFTWARE").is_empty());
        let elsewhere = |path: &str| key(path, View::Bits64).is_also_elsewhere();
        assert!(elsewhere(r"HKLM\SOFTWARE\Classes") && elsewhere(r"HKU\.default"));
        assert!(!elsewhere(r"HKLM\SOFTWARE\Classes\x") && !elsewhere(r"HKU\S-1-5-21-7\Software"));
        let others = |path: &str| -> Vec<String> {
            path.parse::<KeyPath>().unwrap().other_names().iter().map(|(_, name)| name.to_string()).collect()
        };
        assert_eq!(others(r"HKLM\SOFTWARE\Classes\x\y"), [r"HKCR\x\y"]);
        let class = r"HKLM\SOFTWARE\Classes\Wow6432Node\CLSID\x";
        assert_eq!(others(class), [r"HKCR\Wow6432Node\CLSID\x", r"HKLM\SOFTWARE\Wow6432Node\Classes\CLSID\x"]);
        assert_eq!(others(r"HKU\.DEFAULT"), [r"HKU\S-1-5-18"]);
        assert_eq!(others(r"HKU\S-1-5-21-7\Software\Classes\x"), [r"HKU\S-1-5-21-7_Classes\x"]);
        let system = [r"HKU\S-1-5-18\Software\Classes\x", r"HKU\S-1-5-18_Classes\x"];
        assert_eq!(others(r"HKU\.DEFAULT\Software\Classes\x"), system);
        assert!(others(r"HKLM\SOFTWARE").is_empty());
    }
}
