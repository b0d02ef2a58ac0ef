//! Symbolic links in the registry: which links Windows itself makes, and where a link leads.
//!
//! Windows follows a link anywhere in a key's path, so an account that can create a link decides which key a program
//! reads, changes or deletes. kbfix knows the links that Windows makes, and treats each as another name of a key
//! ([`Key::one_name`]). kbfix refuses a path with any other link, because that path leads to a key which the reviewer
//! did not approve.
//!
//! Sources: Microsoft, "Registry Key Security and Access Rights", "RegOpenKeyEx function" (REG_OPTION_OPEN_LINK),
//! "Registry Keys Affected by WOW64" (symbolic links), MS10-021.

use std::sync::LazyLock;

use super::{Data, Key, KeyPath, RootKey, ValueType, View, control_set, name};

/// The name of the REG_LINK value that holds the target of a link.
pub const LINK_VALUE: &str = "SymbolicLinkValue";

/// Converts the kernel's path of a key, `\REGISTRY\MACHINE\…` or `\REGISTRY\USER\…`, to a key path. Returns `None` for
/// any other text.
pub fn native_path(text: &str) -> Option<KeyPath> {
    [(r"\Registry\Machine", RootKey::Hklm), (r"\Registry\User", RootKey::Hku)].into_iter().find_map(|(prefix, root)| {
        let (head, tail) = (text.get(..prefix.len())?, text.get(prefix.len()..)?);
        let fits = head.eq_ignore_ascii_case(prefix) && (tail.is_empty() || tail.starts_with('\\'));
        KeyPath::from_parts(root, tail.trim_matches('\\')).ok().filter(|_| fits)
    })
}

/// Returns the target of a link from `value`, the value that contains it; `None` if `value` is not a REG_LINK. The
/// target is `Ok` with a key path, or `Err` with the text in backticks if the text is not a valid path in HKLM or HKU.
pub fn link_target(value: &Data) -> Option<Result<KeyPath, String>> {
    if value.value_type != ValueType::LINK {
        return None;
    }
    let units: Vec<u16> = value.bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    // Windows writes no NUL at the end, and accepts one.
    let text = String::from_utf16_lossy(&units);
    let text = text.trim_end_matches('\0');
    Some(native_path(text).ok_or_else(|| format!("`{text}`")))
}

impl Key {
    /// Returns whether `real` is a known name of this key. `real` is the path of the key that Windows opened, after it
    /// followed all links. Known names result from aliases, registry views and the links that Windows makes. For a key
    /// in HKCU or HKCR, the user in `real` does not matter.
    pub fn is_at(&self, real: &KeyPath) -> bool {
        if self.view == View::Bits64 && self.path == *real {
            return true;
        }
        let found = settled(&Key::new(real.clone()));
        let wanted = settled(self);
        // Only Windows knows to which user HKCU belongs, and which user's classes HKCR contains in addition to those of
        // the machine.
        if found.root() == RootKey::Hku && matches!(self.path.root(), RootKey::Hkcu | RootKey::Hkcr) {
            let below = found.names().skip(1).collect::<Vec<_>>().join("\\");
            return KeyPath::from_parts(wanted.root(), &below).is_ok_and(|path| path == wanted);
        }
        let in_hklm = wanted.root() == RootKey::Hklm;
        wanted.root() == found.root() && wanted.depth() == found.depth() && {
            let (wanted, found): (Vec<_>, Vec<_>) = (wanted.names().collect(), found.names().collect());
            let is_link = |at: usize| in_hklm && leads_to(&wanted, at, found[at]);
            (0..wanted.len()).all(|at| name::compare(wanted[at], found[at]).is_eq() || is_link(at))
        }
    }

    /// Returns the paths, in the 64-bit view, of this key and of the keys above it, topmost first. kbfix refuses to use
    /// this key if one of them is a link.
    ///
    /// Root keys, the keys directly below them and the links that Windows makes are left out.
    pub fn way(&self) -> Vec<KeyPath> {
        let above = std::iter::successors(Some(settled(self)), KeyPath::parent);
        let mut way: Vec<_> = above.filter(|path| path.depth() > 1 && !is_link_of_windows(path)).collect();
        way.reverse();
        way
    }
}

/// Returns whether Windows makes a link at this path.
fn is_link_of_windows(path: &KeyPath) -> bool {
    let names: Vec<_> = path.names().collect();
    match (path.root(), names.as_slice()) {
        (RootKey::Hklm, [.., _]) => {
            ["ControlSet001", "0001", "009"].iter().any(|to| leads_to(&names, names.len() - 1, to))
        }
        (RootKey::Hku, [_, software, classes]) => {
            software.eq_ignore_ascii_case("Software") && classes.eq_ignore_ascii_case("Classes")
        }
        _ => false,
    }
}

/// Returns the canonical path of a key in the 64-bit view. There, a key of the 32-bit view is below `Wow6432Node`,
/// unless both views share it.
fn settled(key: &Key) -> KeyPath {
    let named = key.one_name(false);
    let stored = named.stored();
    static NODE: LazyLock<KeyPath> = LazyLock::new(|| KeyPath::known(RootKey::Hklm, r"SOFTWARE\Wow6432Node"));
    let shared = || {
        let wide = KeyPath::from_parts(RootKey::Hklm, &format!(r"SOFTWARE\{}", stored.relative_to(&NODE)?)).ok()?;
        (View::Bits32.stored_at(&wide) == wide).then_some(wide)
    };
    shared().unwrap_or(stored)
}

/// Returns whether Windows itself makes the key with the name `names[at]` as a link to the key `found` in the same
/// parent key. `names` is a path below HKLM. For example, `CurrentControlSet` is a link to `ControlSet001`.
fn leads_to(names: &[&str], at: usize, found: &str) -> bool {
    let is = |at: usize, name: &str| names.get(at).is_some_and(|n| n.eq_ignore_ascii_case(name));
    let above = |name: &str| at > 0 && is(at - 1, name);
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let set = |text: &str| {
        KeyPath::from_parts(RootKey::Hklm, &format!(r"SYSTEM\{text}"))
            .is_ok_and(|path| control_set::number_of(&path).is_some())
    };
    (at == 1 && above("SYSTEM") && is(at, "CurrentControlSet") && set(found))
        || (at == 3 && is(0, "SYSTEM") && above("Hardware Profiles") && is(at, "Current") && digits(found, 4))
        || (is(0, "SOFTWARE") && above("Perflib") && is(at, "CurrentLanguage") && digits(found, 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_at(asked: &str, view: View, real: &str) -> bool {
        Key { path: asked.parse().unwrap(), view }.is_at(&native_path(real).unwrap())
    }

    #[test]
    fn the_links_of_windows_lead_to_the_same_key() {
        let wide = |asked: &str, real: &str| is_at(asked, View::Bits64, real);
        let narrow = |asked: &str, real: &str| is_at(asked, View::Bits32, real);
        assert!(wide(r"HKLM\SOFTWARE\Vendor", r"\REGISTRY\MACHINE\software\VENDOR"));
        assert!(wide(r"HKLM\SYSTEM\CurrentControlSet\Control", r"\REGISTRY\MACHINE\SYSTEM\ControlSet002\Control"));
        // Wine has no control sets.
        assert!(wide(r"HKLM\SYSTEM\CurrentControlSet\Control", r"\REGISTRY\MACHINE\SYSTEM\CurrentControlSet\Control"));
        let profile = r"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Hardware Profiles\0001\System";
        assert!(wide(r"HKCC\System", profile));
        let classes = r"\REGISTRY\MACHINE\SOFTWARE\Classes\Wow6432Node\CLSID\x";
        assert!(narrow(r"HKCR\CLSID\x", classes) && narrow(r"HKLM\SOFTWARE\Classes\CLSID\x", classes));
        assert!(wide(r"HKLM\SOFTWARE\Wow6432Node\Classes\CLSID\x", classes));
        assert!(narrow(r"HKLM\SOFTWARE\X", r"\REGISTRY\MACHINE\SOFTWARE\Wow6432Node\X"));
        assert!(narrow(r"HKLM\SOFTWARE\Policies\X", r"\REGISTRY\MACHINE\SOFTWARE\Policies\X"));
        assert!(wide(r"HKLM\SOFTWARE\Wow6432Node\Policies\X", r"\REGISTRY\MACHINE\SOFTWARE\Policies\X"));
        assert!(wide(r"HKU\S-1-5-18\Software", r"\REGISTRY\USER\.DEFAULT\Software"));
        assert!(wide(r"HKU\S-1-5-21-7\Software\Classes\x", r"\REGISTRY\USER\S-1-5-21-7_Classes\x"));
        assert!(wide(r"HKCR\x", r"\REGISTRY\USER\S-1-5-21-7_Classes\x"));
        assert!(wide(r"HKCU\Software\Classes\x", r"\REGISTRY\USER\S-1-5-21-7_Classes\x"));
        assert!(wide(r"HKCU\Environment", r"\REGISTRY\USER\S-1-5-21-7\Environment"));
        let counters = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Perflib";
        assert!(wide(&format!(r"HKLM\{counters}\CurrentLanguage"), &format!(r"\REGISTRY\MACHINE\{counters}\009")));
    }

    #[test]
    fn any_other_link_leads_elsewhere() {
        for (asked, real) in [
            (r"HKLM\SOFTWARE\Vendor\Link", r"\REGISTRY\MACHINE\SOFTWARE\Precious"),
            (r"HKLM\SOFTWARE\Vendor\Link\x", r"\REGISTRY\MACHINE\SOFTWARE\Vendor\x"),
            (r"HKLM\SOFTWARE\Vendor", r"\REGISTRY\MACHINE\SOFTWARE\Wow6432Node\Vendor"),
            (r"HKLM\SOFTWARE\Vendor\Link", r"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Control\Session Manager"),
            (r"HKLM\SYSTEM\CurrentControlSet\Services\a", r"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\b"),
            (r"HKLM\SYSTEM\ControlSet001\Services", r"\REGISTRY\MACHINE\SYSTEM\ControlSet002\Services"),
            (r"HKLM\SYSTEM\CurrentControlSet\Services", r"\REGISTRY\MACHINE\SYSTEM\ControlSet0AB\Services"),
            (r"HKU\SYSTEM\CurrentControlSet", r"\REGISTRY\USER\SYSTEM\ControlSet001"),
            (r"HKLM\SOFTWARE\Vendor", r"\REGISTRY\USER\S-1-5-21-7\Vendor"),
            (r"HKU\S-1-5-21-7\Software\Classes\x", r"\REGISTRY\USER\S-1-5-21-8_Classes\x"),
            (r"HKCR\x", r"\REGISTRY\USER\S-1-5-21-7\Software\x"),
            (r"HKCU\Environment", r"\REGISTRY\MACHINE\SOFTWARE\Environment"),
        ] {
            assert!(!is_at(asked, View::Bits64, real), "{asked} {real}");
        }
        assert!(!is_at(r"HKLM\SOFTWARE\Vendor", View::Bits32, r"\REGISTRY\MACHINE\SOFTWARE\Vendor"));
        assert_eq!(native_path(r"\Registry\Machinery\x"), None);
        assert_eq!(native_path(r"\Device\x"), None);
    }

    #[test]
    fn the_way_to_a_key_leaves_the_links_of_windows_out() {
        let way = |path: &str, view: View| -> Vec<String> {
            let key = Key { path: path.parse().unwrap(), view };
            key.way().iter().map(|path| path.below_root().to_owned()).collect()
        };
        let service = r"SYSTEM\CurrentControlSet\Services";
        assert_eq!(way(r"HKLM\SYSTEM\CurrentControlSet\Services\a", View::Bits64), [service, &format!(r"{service}\a")]);
        let narrow = [r"SOFTWARE\Wow6432Node", r"SOFTWARE\Wow6432Node\Vendor"];
        assert_eq!(way(r"HKLM\SOFTWARE\Vendor", View::Bits32), narrow);
        assert_eq!(
            way(r"HKU\S-1-5-21-7\Software\Classes\x", View::Bits64),
            [r"S-1-5-21-7\Software", r"S-1-5-21-7\Software\Classes\x"]
        );
        let policies = way(r"HKLM\SOFTWARE\Wow6432Node\Policies\x", View::Bits64);
        assert_eq!(policies, [r"SOFTWARE\Policies", r"SOFTWARE\Policies\x"]);
        assert_eq!(way("HKLM", View::Bits64), Vec::<String>::new());
    }
}
