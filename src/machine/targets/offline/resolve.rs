//! Finds the hive that contains a key, and the key's path in this hive.
//!
//! Windows shows some keys under several names, but a hive contains each key under only one of them. This module finds
//! that name for keys in `HKLM\SYSTEM\CurrentControlSet` (through `Select`), `HKCR`, the 32-bit view, a user's
//! `Software\Classes` and `HKU\S-1-5-18`. Some other keys are in no hive, because Windows creates them in memory at
//! every start; they are unknown.
//!
//! A link that is stored in a hive is followed only if Windows makes it, which means that it leads to the same key
//! under another name. Any other link leads to another key, which could be a protected one.
//!
//! Sources: Microsoft, "HKEY_CLASSES_ROOT Key", "Registry Hives", "Registry Keys Affected by WOW64" and, for `Select`,
//! KB100010 ("What are Control Sets?").

use std::sync::LazyLock;

use crate::{
    format::regf::{Above, Error, Hive, Node},
    registry::{self, Data, Decoded, Key, KeyPath, LINK_VALUE, RootKey, View, control_set, sid},
    targets::{Reason, Unread},
};

use super::{Halt, OfflineRegistry, read};

/// Where a requested key is: in a mounted hive, above the mounted hives, or outside of them.
#[derive(Debug)]
pub(super) enum Place {
    /// The key is in a mounted hive.
    In {
        /// The index of the mounted hive.
        mount: usize,
        /// The key's path below the hive's root.
        below: String,
        /// The key in the hive; `None` if the key is absent.
        node: Option<Node>,
        /// Whether the requested path is the path of a link, which was followed. kbfix neither creates nor deletes a
        /// key by the path of a link.
        link: bool,
    },
    /// The key is above the mounted hives, such as `HKLM`.
    Above(KeyPath),
    /// The key is absent, and it is in no mounted hive.
    Absent,
}

/// The result of looking up a path in one hive.
enum Step {
    Found(Node),
    Absent,
    /// The path contains a link: the link in the hive, and the part of the path after the link.
    Link(Node, String),
}

/// The maximum number of links that are followed to look up a key. A path that leads through more links probably leads
/// in a circle, so its key is malformed.
const MAX_LINKS: usize = 16;

/// Keys below `HKLM` that Windows makes at each start, in memory only or as a link. These keys and all keys below them
/// are unknown.
static VOLATILE: LazyLock<[KeyPath; 5]> = LazyLock::new(|| {
    [
        "HARDWARE",
        r"SYSTEM\CurrentControlSet\Hardware Profiles\Current",
        r"SYSTEM\CurrentControlSet\Control\ComputerName\ActiveComputerName",
        r"SYSTEM\CurrentControlSet\Control\hivelist",
        r"SYSTEM\CurrentControlSet\Control\Session Manager\WPA",
    ]
    .map(|below| KeyPath::known(RootKey::Hklm, below))
});

/// The key at which Windows loads the hive with the control sets.
static SYSTEM: LazyLock<KeyPath> = LazyLock::new(|| KeyPath::known(RootKey::Hklm, "SYSTEM"));

/// The path of the link that leads to the current control set.
static CURRENT: LazyLock<KeyPath> = LazyLock::new(|| KeyPath::known(RootKey::Hklm, r"SYSTEM\CurrentControlSet"));

impl OfflineRegistry {
    /// Finds the mounted hive that contains a key, and the key in this hive.
    pub(super) fn resolve(&mut self, key: &Key) -> Result<Place, Halt> {
        let mut path = self.stored(key)?;
        let mut link = false;
        // Each step but the last follows one link.
        for _ in 0..=MAX_LINKS {
            self.refuse_volatile(&path)?;
            if let Some((to, exactly)) = self.alias(&path)? {
                link |= exactly;
                path = to;
                continue;
            }
            let Some(mount) = self.mount_of(&path) else { return self.outside(path) };
            let below = path.relative_to(&self.mounts[mount].key).unwrap_or_default().to_owned();
            let file = self.opened(mount)?;
            match look_up(&file.hive, &below).map_err(|e| read::unread(&e))? {
                Step::Found(node) => return Ok(Place::In { mount, below, node: Some(node), link }),
                Step::Absent => return Ok(Place::In { mount, below, node: None, link }),
                Step::Link(node, rest) => {
                    link |= rest.is_empty();
                    let at = without(&path, &rest)?;
                    let target = link_target(&file.hive, node, &at)?;
                    if !Key::new(at.clone()).is_at(&target) {
                        return Err(Unread::linked(&at, &target.to_string()).into());
                    }
                    path = joined(&target, &rest)?;
                }
            }
        }
        Err(Unread::new(
            Reason::Malformed,
            format!(
                "the path of {key} leads through more than {MAX_LINKS} registry links, \
            which probably form a circle"
            ),
        )
        .into())
    }

    /// Returns where a key outside the mounted hives is: above one of them, or absent. Returns an error if the target
    /// contains no information about the key.
    fn outside(&self, path: KeyPath) -> Result<Place, Halt> {
        if self.mounts.iter().any(|mount| mount.key.is_within(&path)) {
            return Ok(Place::Above(path));
        }
        if self.complete.contains(&path.root()) || self.without_hive.iter().any(|key| path.is_within(key)) {
            return Ok(Place::Absent);
        }
        Err(Unread::new(Reason::Unknown, format!("{} does not contain {path}", self.what)).into())
    }

    /// Returns the path at which a hive contains the key: its path in the 64-bit view. But a hive `SOFTWARE` without
    /// the key `Wow6432Node` is from a 32-bit Windows, which has only one view: the path of the key is then returned as
    /// it is.
    fn stored(&mut self, key: &Key) -> Result<KeyPath, Halt> {
        let stored = key.stored();
        if key.view == View::Bits64 || stored == key.path {
            return Ok(stored);
        }
        let Some(mount) = self.mounted_at(&hklm("SOFTWARE")?) else { return Ok(stored) };
        let hive = &self.opened(mount)?.hive;
        let node = hive.subkey(hive.root(), "Wow6432Node").map_err(|e| read::unread(&e))?;
        Ok(if node.is_some() { stored } else { key.path.clone() })
    }

    /// If the path begins with a link that Windows makes, returns the path with this link replaced by its target, and
    /// whether the given path is the link itself. Returns `None` if no link must be replaced.
    fn alias(&mut self, path: &KeyPath) -> Result<Option<(KeyPath, bool)>, Halt> {
        let moved = |from: &KeyPath, to: KeyPath| {
            let Some(rest) = path.relative_to(from) else { return Ok(None) };
            joined(&to, rest).map(|to| Some((to, rest.is_empty())))
        };
        if path.is_within(&CURRENT) && self.mounted_at(&SYSTEM).is_some() {
            let (_, to) = self.current_set()?;
            // Both paths have the same depth, so the result is a valid path.
            return Ok(path.moved(&CURRENT, to).map(|moved| (moved, *path == *CURRENT)));
        }
        if let (RootKey::Hku, Some(sid)) = (path.root(), path.names().next()) {
            let classes = below(RootKey::Hku, &format!("{sid}_Classes"))?;
            if self.mounted_at(&classes).is_some() {
                return moved(&below(RootKey::Hku, &format!(r"{sid}\Software\Classes"))?, classes);
            }
        }
        if self.mount_of(path).is_some() {
            return Ok(None);
        }
        // A key with several names is in the hive that is mounted at one of these names.
        let named = Key::new(path.clone()).one_name(false);
        let one_name = named.stored();
        let others = one_name.other_names().into_iter().map(|(_, name)| name);
        let mut names = [one_name].into_iter().chain(others).filter(|name| name != path);
        let found = names.find(|name| self.mount_of(name).is_some());
        Ok(found.map(|name| (name, named.is_also_elsewhere())))
    }

    /// Returns the number of the current control set, from the key `HKLM\SYSTEM\Select`.
    pub(super) fn current_control_set(&mut self) -> Result<u16, Halt> {
        self.current_set().map(|(number, _)| *number)
    }

    /// Returns the number of the current control set, and the path of its key. Keeps them for later calls, because each
    /// key below `CurrentControlSet` needs them.
    fn current_set(&mut self) -> Result<&(u16, KeyPath), Halt> {
        let Some(mount) = self.mounted_at(&SYSTEM) else {
            return Err(Unread::new(Reason::Unknown, format!(r"{} does not contain HKLM\SYSTEM", self.what)).into());
        };
        let file = self.opened(mount)?;
        let known = match file.current_set.take() {
            Some(known) => known,
            None => {
                let number = selected_set(&file.hive)?;
                (number, hklm(&format!(r"SYSTEM\{}", control_set::name(number)))?)
            }
        };
        Ok(file.current_set.insert(known))
    }

    fn refuse_volatile(&self, path: &KeyPath) -> Result<(), Halt> {
        let in_memory = match path.root() {
            RootKey::Hklm => VOLATILE.iter().any(|volatile| path.is_within(volatile)),
            // In a user's own hive, the classes are a link to another hive.
            RootKey::Hkcu => path.is_within(&below(RootKey::Hkcu, r"Software\Classes")?),
            RootKey::Hku => match path.names().next() {
                Some(user) => {
                    let classes = below(RootKey::Hku, &format!(r"{user}\Software\Classes"))?;
                    let other = self.mounted_at(&below(RootKey::Hku, &format!("{user}_Classes"))?).is_some();
                    let environment = below(RootKey::Hku, &format!(r"{user}\Volatile Environment"))?;
                    let own = sid::is_person(user);
                    (own && !other && path.is_within(&classes)) || path.is_within(&environment)
                }
                None => false,
            },
            RootKey::Hkcr | RootKey::Hkcc => false,
        };
        if !in_memory {
            return Ok(());
        }
        let detail = format!("{path} is not in the hive: Windows creates it at startup or when the user logs on");
        Err(Unread::new(Reason::Unknown, detail).into())
    }
}

/// Returns the number of the current control set from the key `Select` of the hive `SYSTEM`.
fn selected_set(hive: &Hive) -> Result<u16, Unread> {
    let select = hive.find("Select").map_err(|e| read::unread(&e))?;
    let data = match select {
        Some(node) => hive.value(node, "Current").map_err(|e| read::unread(&e))?,
        None => None,
    };
    match data.as_ref().map(Data::decode) {
        Some(Decoded::Number(number @ 1..=999)) => Ok(number as u16),
        _ => {
            let detail = "the value Current of HKLM\\SYSTEM\\Select is not the number of a control set, so \
                CurrentControlSet cannot be found";
            Err(Unread::new(Reason::Malformed, detail))
        }
    }
}

/// Follows the path from the hive's root, up to the end of the path or up to the first link.
fn look_up(hive: &Hive, below: &str) -> Result<Step, Error> {
    // Many keys are looked up together with the same parent.
    if let Some(node) = hive.known_above(below) {
        return Ok(Step::Found(node));
    }
    let (mut node, mut rest) = (hive.root(), below);
    if let Some((above, name)) = below.rsplit_once('\\') {
        match hive.above(above)? {
            Above::Key(found) => (node, rest) = (found, name),
            Above::Absent => return Ok(Step::Absent),
            Above::Link => {}
        }
    }
    loop {
        let key = hive.key(node)?;
        if key.is_symbolic_link() {
            return Ok(Step::Link(node, rest.to_owned()));
        }
        if rest.is_empty() {
            return Ok(Step::Found(node));
        }
        let (name, below) = rest.split_once('\\').unwrap_or((rest, ""));
        match hive.subkey(node, name)? {
            Some(found) => node = found,
            None => return Ok(Step::Absent),
        }
        rest = below;
    }
}

/// Returns the key to which a link in a hive leads.
fn link_target(hive: &Hive, node: Node, at: &KeyPath) -> Result<KeyPath, Unread> {
    let value = hive.value(node, LINK_VALUE).map_err(|e| read::unread(&e))?;
    match value.as_ref().and_then(registry::link_target) {
        Some(Ok(path)) => Ok(path),
        Some(Err(text)) => Err(Unread::linked(at, &text)),
        None => Err(Unread::new(Reason::Malformed, format!("{at} is a link without a target"))),
    }
}

/// Returns the path without the names in `rest`, which are at its end.
fn without(path: &KeyPath, rest: &str) -> Result<KeyPath, Unread> {
    let names = path.below_root();
    let length = names.len().saturating_sub(rest.len());
    below(path.root(), names.get(..length).unwrap_or_default().trim_end_matches('\\'))
}

fn hklm(names: &str) -> Result<KeyPath, Unread> {
    below(RootKey::Hklm, names)
}

fn below(root: RootKey, names: &str) -> Result<KeyPath, Unread> {
    KeyPath::from_parts(root, names).map_err(|e| Unread::new(Reason::Unsupported, e.to_string()))
}

fn joined(to: &KeyPath, rest: &str) -> Result<KeyPath, Halt> {
    let names = match (to.below_root(), rest) {
        (names, "") => names.to_owned(),
        ("", rest) => rest.to_owned(),
        (names, rest) => format!("{names}\\{rest}"),
    };
    Ok(below(to.root(), &names)?)
}
