//! Tests one hundred values of this machine that policy stores own, among values without an owner: the report names
//! each with its store, and no other value. tests/engine/policy has the same for images.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
};

use serde_json::Value;

use crate::local::{
    policy::{Made, file, is_wine, kbfix},
    scratch::alone,
    users::User,
};

const GROUP_POLICY: &str = r"C:\windows\system32\GroupPolicy";
const BELOW: &str = r"Software\kbfix-test-owners";

/// Key, name, store, and the effect of the store on the value, all in lower case.
type Owner = [String; 4];

struct Stores {
    entries: BTreeMap<String, Vec<(String, String, u32)>>,
    owners: BTreeSet<Owner>,
}

impl Stores {
    fn add(&mut self, store: &str, key: &str, name: &str, number: u32) {
        let entry = (key.to_owned(), name.to_owned(), number);
        self.entries.entry(store.to_owned()).or_default().push(entry);
    }

    /// Adds an entry to a store for the value with this number. A spec wants the same number as data.
    fn own(&mut self, at: u32, store: &str, root: &str, key: &str) {
        let name = format!("value {at}");
        // Windows compares names without case.
        let (key_there, name_there) = match at % 3 {
            0 => (key.to_uppercase(), name.to_uppercase()),
            _ => (key.to_owned(), name.clone()),
        };
        let (entry, number, result) = match at % 4 {
            0 => (name_there, at, "keeps"),
            1 => (name_there, at + 1, "undoes"),
            2 => (format!("**del.{name_there}"), 0, "undoes"),
            _ => (format!("**soft.{name_there}"), at + 1, "keeps"),
        };
        self.add(store, &key_there, &entry, number);
        let owner = [&*format!("{root}\\{key}"), &name, store, result];
        self.owners.insert(owner.map(str::to_lowercase));
    }

    fn write(&self, made: &mut Made) {
        for (store, entries) in &self.entries {
            let entries: Vec<_> = entries.iter().map(|(key, name, number)| (&**key, &**name, *number)).collect();
            made.file(store, &file(&entries));
        }
    }
}

fn owners(report: &Value) -> BTreeSet<Owner> {
    let all = report["specs"][0]["policy"].as_array().unwrap();
    let of = |one: &Value| ["key", "name", "path", "result"].map(|part| one[part].as_str().unwrap().to_lowercase());
    let named: BTreeSet<Owner> = all.iter().map(of).collect();
    assert_eq!(named.len(), all.len(), "an owner is named twice");
    named
}

#[test]
fn every_owned_value_of_this_machine_is_named_with_its_store_and_no_other() {
    if !is_wine() {
        return;
    }
    let _alone = alone();
    let users = [User::new(2001), User::new(2002)];
    let profile = |user: usize| users[user].folder.path().join("ntuser.pol").to_str().unwrap().to_owned();
    let (local, applied) = (format!(r"{GROUP_POLICY}\Machine\Registry.pol"), r"C:\ProgramData\ntuser.pol");
    let mut stores = Stores { entries: BTreeMap::new(), owners: BTreeSet::new() };
    let mut spec = "kbfix: 1\nid: P\ntitle: P\nregistry:\n".to_owned();
    for at in 0..135 {
        let is_user = (50..75).contains(&at) || at >= 110;
        let key = format!(r"{BELOW}\{at}");
        let root = if is_user { "HKCU" } else { "HKLM" };
        writeln!(spec, "  - key: {root}\\{key}\n    values: {{ value {at}: {{ type: REG_DWORD, data: {at} }} }}")
            .unwrap();
        let machine = [&*local, applied][at as usize / 2 % 2];
        match at {
            0..50 => stores.own(at, machine, "HKLM", &key),
            50..75 => {
                for (number, user) in users.iter().enumerate() {
                    let own = format!(r"{GROUP_POLICY}Users\{}\User\Registry.pol", user.sid);
                    let store = [own, profile(number)][(at as usize + number) % 2].clone();
                    stores.own(at, &store, &format!("HKU\\{}", user.sid), &key);
                }
            }
            _ => {
                // Entries for a value of the same name in another key and for another value in the same key do not
                // affect the value.
                let store = if is_user { format!(r"{GROUP_POLICY}\User\Registry.pol") } else { machine.to_owned() };
                stores.add(&store, &format!("{key}\\other"), &format!("value {at}"), 7);
                stores.add(&store, &key, &format!("value {at} other"), 7);
            }
        }
    }
    assert_eq!(stores.owners.len(), 100);
    let folder = tempfile::tempdir().unwrap();
    let (file, snapshot) = (folder.path().join("spec.yaml"), folder.path().join("machine.json"));
    fs::write(&file, spec).unwrap();
    let (file, snapshot) = (file.to_str().unwrap(), snapshot.to_str().unwrap());
    let report = |target: &str| {
        let (code, text) = kbfix(folder.path(), &["diff", file, "--target", target, "--format", "json"]);
        let end = text.rfind('}').unwrap();
        assert_eq!(code, 1, "{text}");
        serde_json::from_str::<Value>(&text[..=end]).unwrap()
    };
    let mut made = Made::new();
    stores.write(&mut made);
    assert_eq!(owners(&report("local")), stores.owners);
    assert_eq!(kbfix(folder.path(), &["snapshot", file, "--target", "local", "--out", snapshot]).0, 0);
    assert_eq!(owners(&report(&format!("snapshot:{snapshot}"))), stores.owners, "the snapshot");

    // Two stores are damaged: what they own is unknown, and the owners in other stores are named.
    let own = profile(1);
    for store in [applied, &own] {
        let bytes = fs::read(store).unwrap();
        fs::write(store, &bytes[..bytes.len() - 1]).unwrap();
    }
    let damaged = [applied.to_lowercase(), own.to_lowercase()];
    let left: BTreeSet<Owner> = stores.owners.iter().filter(|one| !damaged.contains(&one[2])).cloned().collect();
    let found = report("local");
    assert_eq!(owners(&found), left);
    let unread = found["specs"][0]["policy_unread"].as_array().unwrap();
    let paths: Vec<_> = unread.iter().map(|one| one["path"].as_str().unwrap().to_lowercase()).collect();
    assert_eq!(paths, damaged, "{unread:#?}");
    assert!(unread.iter().all(|one| one["why"]["reason"] == "malformed"), "{unread:#?}");
    let (code, text) = kbfix(folder.path(), &["diff", file, "--target", "local", "--fail-on", "policy-unknown"]);
    assert!(code == 4 && text.contains("ntuser.pol"), "{text}");
}
