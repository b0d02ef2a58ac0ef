//! Tests one hundred values that policy stores own, among values without an owner: the report names each with its
//! store, and no other value.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
};

use serde_json::Value;

use super::machine::{APPLIED, LOCAL, LOCAL_USER, Machine, PolEntry, USERS, codes, dword, of_user};

/// Random numbers from a seed (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % most
    }
}

/// A value that a spec wants: its key as specs and stores name it.
struct Wanted {
    spec_key: String,
    view: &'static str,
    store_key: String,
    name: String,
    number: u32,
}

/// Key, view, name, store, and the effect of the store on the value.
pub(super) type Owner = (String, String, String, String, String);

struct Generated {
    stores: BTreeMap<String, Vec<PolEntry>>,
    owners: BTreeSet<Owner>,
}

impl Generated {
    /// Adds an entry for a value to a policy store.
    fn own(&mut self, random: &mut Random, wanted: &Wanted, stores: &str, key: &str) {
        let Wanted { store_key, name, number, .. } = wanted;
        // Windows compares names without case.
        let (store_key, store_name) = match random.below(2) {
            0 => (store_key.to_uppercase(), name.to_uppercase()),
            _ => (store_key.clone(), name.clone()),
        };
        let instruction = |word: &str, number: u32| dword(&store_key, &format!("{word}{store_name}"), number);
        let (entries, result) = match random.below(6) {
            0 => (vec![instruction("", *number)], "keeps"),
            1 => (vec![instruction("", number + 1)], "undoes"),
            2 => (vec![instruction("", *number), instruction("**del.", 0)], "undoes"),
            3 => (vec![instruction("**soft.", number + 1)], "keeps"),
            // The last entry counts.
            4 => (vec![instruction("", number + 1), instruction("", *number)], "keeps"),
            _ => (vec![instruction("**del.", 0), instruction("**soft.", number + 1)], "undoes"),
        };
        self.stores.entry(stores.to_owned()).or_default().extend(entries);
        let owner = [key, wanted.view, name, stores, result].map(str::to_owned);
        self.owners.insert(owner.into());
    }
}

fn wanted(at: usize, is_user: bool, random: &mut Random) -> Wanted {
    let (branch, view) = match (random.below(4), is_user) {
        (0, _) => (r"Software\Policies\Vendor", "64"),
        (1, _) => (r"Software\Microsoft\Windows\CurrentVersion\Policies\Vendor", "64"),
        (2, false) => (r"Software\Vendor", "32"),
        _ => (r"Software\Vendor", "64"),
    };
    let below = format!("{branch}\\{}", at % 7);
    let store_key = if view == "32" { below.replacen("Software", r"Software\Wow6432Node", 1) } else { below.clone() };
    let root = if is_user { "HKCU" } else { "HKLM" };
    let (spec_key, name) = (format!("{root}\\{below}"), format!("value {at}"));
    Wanted { spec_key, view, store_key, name, number: 1000 + at as u32 * 10 }
}

fn spec(all: &[Wanted]) -> String {
    let mut text = "kbfix: 1\nid: T\ntitle: T\nregistry:\n".to_owned();
    let mut by_key: BTreeMap<(&str, &str), Vec<&Wanted>> = BTreeMap::new();
    all.iter().for_each(|one| by_key.entry((&one.spec_key, one.view)).or_default().push(one));
    for ((key, view), values) in by_key {
        let view = if view == "32" { "    view: 32\n" } else { "" };
        let _ = write!(text, "  - key: {key}\n{view}    values:\n");
        for Wanted { name, number, .. } in values {
            let _ = writeln!(text, "      {name}: {{ type: REG_DWORD, data: {number} }}");
        }
    }
    text
}

/// Returns the owners that a report names.
fn owners(report: &Value) -> BTreeSet<Owner> {
    let all = report["specs"][0]["policy"].as_array().cloned().unwrap_or_default();
    let text = |one: &Value, member: &str| one[member].as_str().unwrap_or("64").to_owned();
    let of =
        |one: &Value| (text(one, "key"), text(one, "view"), text(one, "name"), text(one, "path"), text(one, "result"));
    let named: BTreeSet<Owner> = all.iter().map(of).collect();
    assert_eq!(named.len(), all.len(), "an owner is named twice");
    named
}

/// Generates a machine with 50 owned values of the machine and 25 of each user, and 60 that nobody owns.
pub(super) fn generated(seed: u64) -> (Machine, BTreeSet<Owner>) {
    let mut random = Random(seed);
    let mut made = Generated { stores: BTreeMap::new(), owners: BTreeSet::new() };
    let mut all = Vec::new();
    for at in 0..135 {
        let is_user = (50..75).contains(&at) || at >= 110;
        let one = wanted(at, is_user, &mut random);
        if at < 50 {
            let store = [LOCAL, APPLIED][random.below(2)];
            let key = format!("HKLM\\{}", one.spec_key.split_once('\\').unwrap().1);
            made.own(&mut random, &one, store, &key);
        } else if at < 75 {
            for (user, sid) in USERS.iter().enumerate() {
                let store = &of_user(user)[random.below(2)];
                let key = format!("HKU\\{sid}\\{}", one.store_key);
                made.own(&mut random, &one, store, &key);
            }
        } else {
            // Entries for a value of the same name in another key and for another value in the same key do not affect
            // the value.
            let store = if is_user { LOCAL_USER } else { [LOCAL, APPLIED][random.below(2)] };
            let entries = made.stores.entry(store.to_owned()).or_default();
            entries.push(dword(&format!("{}\\Other", one.store_key), &one.name, 7));
            entries.push(dword(&one.store_key, &format!("{} other", one.name), 7));
        }
        all.push(one);
    }
    let machine = Machine::new();
    machine.beside("spec.yaml", &spec(&all));
    made.stores.iter().for_each(|(store, entries)| machine.write(store, entries));
    (machine, made.owners)
}

#[test]
fn every_owned_value_is_named_with_its_store_and_no_other() {
    for seed in [1, 2, 3] {
        let (machine, expected) = generated(seed * 0x9E37_79B9);
        assert_eq!(expected.len(), 100);
        let report = machine.report("spec.yaml", &machine.uri());
        assert_eq!(report["specs"][0]["outcome"], "changes_pending", "{report:#}");
        assert_eq!(owners(&report), expected, "seed {seed}");
        assert!(codes(&report).contains(&"policy-owned") && !codes(&report).contains(&"policy-unknown"));
        let snapshot = machine.snapshot("spec.yaml");
        assert_eq!(owners(&machine.report("spec.yaml", &snapshot)), expected, "seed {seed}, the snapshot");
    }
}

#[test]
fn a_damaged_store_makes_owners_unknown_and_is_said() {
    let (machine, expected) = generated(0x1234_5678);
    fs::write(machine.store(APPLIED), b"PReg\x01\0\0\0[\0broken").unwrap();
    let own = &of_user(1)[1];
    let size = fs::read(machine.store(own)).unwrap();
    fs::write(machine.store(own), &size[..size.len() - 1]).unwrap();
    let left: BTreeSet<Owner> = expected.into_iter().filter(|one| one.3 != APPLIED && one.3 != *own).collect();
    for target in [machine.uri(), machine.snapshot("spec.yaml")] {
        let report = machine.report("spec.yaml", &target);
        assert_eq!(owners(&report), left, "{target}");
        assert!(codes(&report).contains(&"policy-unknown"), "{report:#}");
        let unread = report["specs"][0]["policy_unread"].as_array().unwrap();
        let found: Vec<_> = unread.iter().map(|one| (one["path"].as_str().unwrap(), one["values"].as_u64())).collect();
        // The stores of the machine and of the one user are damaged: no owner of their values is known.
        assert_eq!(found, [(APPLIED, Some(85)), (own.as_str(), Some(50))]);
        assert!(unread.iter().all(|one| one["why"]["reason"] == "malformed"), "{unread:#?}");
        machine.kbfix(&["diff", "spec.yaml", "--target", &target, "--fail-on", "policy-unknown"]).exits(4);
    }
}
