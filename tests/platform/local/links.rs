//! Tests registry links that Windows did not create: the key to which a link leads is neither read, changed nor deleted
//! through the link.
#![allow(unsafe_code, reason = "the safe wrappers of the registry make no links")]

use std::ptr::{null, null_mut};

use kbfix::{
    registry::{Data, Key},
    targets::{Answer, ChangeAction, KeyQuery, Reason, Target, ValueSelection, WriteError, local::LocalTarget},
};
use windows_sys::{
    Wdk::System::Registry::NtDeleteKey,
    Win32::System::Registry::{
        HKEY_LOCAL_MACHINE, KEY_ALL_ACCESS, KEY_CREATE_LINK, REG_LINK, REG_OPTION_CREATE_LINK, REG_OPTION_OPEN_LINK,
        RegCloseKey, RegCreateKeyExW, RegOpenKeyExW, RegSetValueExW,
    },
};

use crate::local::{
    library::{ends, kbfix},
    scratch::{Scratch, alone, change, in_32_bit_view, is_there, key, make_key, query, read, reg_ok, value},
};

/// A registry link that is removed when the test ends. `reg delete` would delete the key to which it leads.
struct Link(Vec<u16>);

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

impl Link {
    fn new(at: &Key, to: &str) -> Self {
        let (path, name) = (wide(at.path.below_root()), wide("SymbolicLinkValue"));
        let target: Vec<u16> = to.encode_utf16().collect();
        let mut handle = null_mut();
        // SAFETY: names end with NULs, the data is as long as said, the handle goes to a live variable and is closed.
        unsafe {
            let access = KEY_ALL_ACCESS | KEY_CREATE_LINK;
            let (root, options) = (HKEY_LOCAL_MACHINE, REG_OPTION_CREATE_LINK);
            let code =
                RegCreateKeyExW(root, path.as_ptr(), 0, null(), options, access, null(), &mut handle, null_mut());
            assert_eq!(code, 0);
            let length = (target.len() * 2) as u32;
            assert_eq!(RegSetValueExW(handle, name.as_ptr(), 0, REG_LINK, target.as_ptr().cast(), length), 0);
            RegCloseKey(handle);
        }
        Self(path)
    }

    fn is_there(&self) -> bool {
        let mut handle = null_mut();
        // SAFETY: the name ends with a NUL; the handle goes to a live variable and is closed.
        unsafe {
            let code = RegOpenKeyExW(HKEY_LOCAL_MACHINE, self.0.as_ptr(), REG_OPTION_OPEN_LINK, 1, &mut handle);
            RegCloseKey(handle);
            code == 0
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let mut handle = null_mut();
        // SAFETY: the name ends with a NUL; the handle goes to a live variable and is closed.
        unsafe {
            let options = REG_OPTION_OPEN_LINK;
            if RegOpenKeyExW(HKEY_LOCAL_MACHINE, self.0.as_ptr(), options, KEY_ALL_ACCESS, &mut handle) == 0 {
                NtDeleteKey(handle);
                RegCloseKey(handle);
            }
        }
    }
}

fn native(key: &Key) -> String {
    format!(r"\Registry\Machine\{}", key.path.below_root())
}

/// Checks the reason why there is no answer about a key: it names the key to which the link leads.
fn unsupported(key: &Key, to: &str) {
    for (values, subkeys) in [(ValueSelection::Names(Default::default()), false), (ValueSelection::All, true)] {
        match query(key, values, subkeys) {
            Answer::Unread(why) => {
                assert_eq!(why.reason, Reason::Unsupported, "{why}");
                assert!(why.detail.contains(&format!("is a link to {to}")), "{why}");
            }
            other => panic!("{key}: {other:?}"),
        }
    }
}

fn refused(action: ChangeAction, key: &Key, values: Vec<kbfix::targets::ValueChange>) {
    let failure = LocalTarget::new().write(&[change(key, action, values)]).unwrap_err();
    assert!(matches!(failure.error, WriteError::Unsupported { .. } | WriteError::Stale { .. }), "{failure:?}");
    assert_eq!(failure.begun, []);
}

#[test]
fn what_a_link_leads_to_is_neither_read_nor_changed_through_it() {
    let (scratch, precious) = (Scratch::machine("links"), Scratch::machine("links-precious"));
    make_key(&precious.below("sub"));
    reg_ok(&["add", &precious.path(), "/v", "v", "/t", "REG_DWORD", "/d", "1", "/f"]);
    let link = Link::new(&scratch.below("link"), &native(&precious.key));
    let nowhere = Link::new(&scratch.below("nowhere"), &format!("{}-none", native(&precious.key)));
    let at = |path: &str| key(&format!(r"{}\{path}", scratch.key.path));
    for path in ["link", r"link\sub", r"link\none"] {
        unsupported(&at(path), &precious.key.path.to_string());
    }
    for path in ["nowhere", r"nowhere\sub"] {
        unsupported(&at(path), &format!("{}-none", precious.key.path));
    }
    let one = || Some(Data::dword(1));
    refused(ChangeAction::Update, &at("link"), vec![value("v", one(), Some(Data::dword(2)))]);
    refused(ChangeAction::Delete, &at("link"), vec![value("v", one(), None)]);
    refused(ChangeAction::Delete, &at(r"link\sub"), vec![]);
    refused(ChangeAction::Create, &at(r"link\new"), vec![]);
    refused(ChangeAction::Create, &at("nowhere"), vec![]);
    refused(ChangeAction::Create, &at("link"), vec![]);
    assert_eq!(read(&precious.key, "v"), Answer::Present(Data::dword(1)));
    let facts = query(&precious.key, ValueSelection::All, true).known().unwrap().unwrap();
    assert_eq!(facts.subkeys.unwrap().known().unwrap().unwrap().len(), 1);
    assert!(link.is_there() && nowhere.is_there());
    assert!(!is_there(&key(&format!("{}-none", precious.key.path))));
    // Keys next to the links are read as usual.
    let beside = at("beside");
    LocalTarget::new().write(&[change(&beside, ChangeAction::Create, [value("v", None, one())])]).unwrap();
    LocalTarget::new().write(&[change(&beside, ChangeAction::Delete, [value("v", one(), None)])]).unwrap();
}

#[test]
fn a_spec_deletes_nothing_through_a_link_and_changes_nothing_at_all() {
    let _alone = alone();
    let (scratch, precious) = (Scratch::machine("links-spec"), Scratch::machine("links-spec-precious"));
    make_key(&precious.below("sub"));
    reg_ok(&["add", &scratch.path(), "/v", "a", "/d", "b", "/f"]);
    let link = Link::new(&scratch.below("link"), &native(&precious.key));
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.yaml");
    for (path, command) in
        [("", "diff"), ("", "apply"), (r"\link", "apply"), (r"\link\sub", "apply"), (r"\l*\sub", "apply")]
    {
        let text = format!(
            "{{ kbfix: 1, id: X, title: T, registry: [ {{ key: '{}{path}', ensure: absent }} ] }}",
            scratch.path()
        );
        std::fs::write(&spec, text).unwrap();
        let said = kbfix(&[command, spec.to_str().unwrap()], folder.path());
        assert_eq!(said.status.code(), Some(4), "{path}: {said:?}");
        assert!(String::from_utf8_lossy(&said.stdout).contains("is a link to"), "{path}: {said:?}");
    }
    assert!(link.is_there() && is_there(&precious.below("sub")));
    assert!(matches!(read(&scratch.key, "a"), Answer::Present(_)));
    drop(link);
    let text =
        format!("{{ kbfix: 1, id: X, title: T, registry: [ {{ key: '{}', ensure: absent }} ] }}", scratch.path());
    std::fs::write(&spec, text).unwrap();
    ends(0, &["apply", spec.to_str().unwrap()], folder.path());
    assert!(is_there(&precious.below("sub")));
}

/// Each key gets the same answer alone and among others, whichever of them are absent or behind links. So many are read
/// in several threads.
#[test]
fn questions_that_are_asked_together_get_the_same_answers() {
    let (scratch, precious) = (Scratch::machine("links-many"), Scratch::machine("links-many-precious"));
    make_key(&precious.below("sub"));
    let at = |path: &str| key(&format!(r"{}\{path}", scratch.key.path));
    make_key(&at(r"there\below"));
    let links = [
        Link::new(&scratch.below("link"), &native(&precious.key)),
        Link::new(&scratch.below("nowhere"), &format!("{}-none", native(&precious.key))),
        Link::new(&at(r"there\nowhere"), &format!("{}-none", native(&precious.key))),
    ];
    let paths = [
        "none",
        r"none\x",
        "nonesuch",
        "there",
        r"there\a",
        r"there\below",
        r"there\b\c",
        r"there\nowhere",
        r"there\nowhere\x",
        r"there\z",
        "link",
        r"link\none",
        r"link\sub",
        "nowhere",
        r"nowhere\none",
    ];
    let of = |key: Key| KeyQuery { key, values: ValueSelection::Names(Default::default()), subkeys: false };
    let mut queries: Vec<_> = paths.iter().map(|path| of(at(path))).collect();
    queries.extend(paths.iter().map(|path| of(in_32_bit_view(&at(path).path.to_string()))));
    let alone: Vec<_> = queries.iter().map(|one| LocalTarget::new().read_keys(std::slice::from_ref(one))).collect();
    let alone: Vec<_> = alone.into_iter().flat_map(Result::unwrap).collect();
    for times in [1, 10] {
        let many = vec![queries.clone(); times].concat();
        assert_eq!(LocalTarget::new().read_keys(&many).unwrap(), vec![alone.clone(); times].concat());
    }
    let absent: Vec<_> = paths.iter().zip(&alone).filter(|(_, answer)| **answer == Answer::Absent).collect();
    let absent: Vec<_> = absent.into_iter().map(|(path, _)| *path).collect();
    assert_eq!(absent, ["none", r"none\x", "nonesuch", r"there\a", r"there\b\c", r"there\z"]);
    drop(links);
}

/// A protected key is not deleted under the name of a key that links to it.
#[test]
fn a_protected_key_is_protected_behind_a_link() {
    let scratch = Scratch::machine("links-protected");
    let link = Link::new(&scratch.below("link"), r"\Registry\Machine\SYSTEM\CurrentControlSet\Control\Session Manager");
    unsupported(&scratch.below("link"), r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager");
    refused(ChangeAction::Delete, &scratch.below("link"), vec![]);
    drop(link);
}

#[test]
fn the_names_that_windows_links_are_read_as_ever() {
    let there = [
        r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager",
        r"HKCR\CLSID",
        r"HKLM\SOFTWARE\Classes\CLSID",
        r"HKLM\SOFTWARE\Wow6432Node\Microsoft",
        r"HKCU\Software",
    ];
    for path in there {
        assert!(is_there(&key(path)), "{path}");
    }
    for path in [r"HKCR\CLSID", r"HKLM\SOFTWARE\Microsoft", r"HKLM\SOFTWARE\Policies"] {
        let narrow = in_32_bit_view(path);
        let answer = query(&narrow, ValueSelection::Names(Default::default()), true);
        assert!(!matches!(answer, Answer::Unread(_)), "{path}: {answer:?}");
    }
}
