//! Tests damaged hives, and changes after which a name leads to another key. Each change reads back and can be undone,
//! or the file is not changed.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use kbfix::{
    format::regf::{Filetime, Hive},
    journal,
    observe::observe,
    operation,
    registry::{Data, ValueType},
    spec::{self, Settings, Spec},
    targets::{Address, KeyChange, Target, open},
};

use crate::hives::support::{Random, setting};

use super::support::{Machine, NTUSER, SOFTWARE, SYSTEM};

const NOW: Filetime = Filetime(0x01DB_0000_0000_0000);

fn load(text: &str) -> Vec<Spec> {
    let source = spec::Source { name: "test.yaml", bytes: text.as_bytes() };
    spec::load_all(&[source], &Settings::new()).into_specs().unwrap()
}

fn rules(rules: &str) -> Vec<Spec> {
    load(&format!("kbfix: 1\nid: T\ntitle: T\nregistry:\n{rules}"))
}

#[test]
fn a_run_that_alters_where_its_own_names_lead_is_refused() {
    let value = |key: &str, name: &str, data: u32| {
        format!("  - key: {key}\n    values: {{ {name}: {{ type: REG_DWORD, data: {data} }} }}\n")
    };
    let service = value(r"HKLM\SYSTEM\CurrentControlSet\Services\New", "v", 7);
    let select = value(r"HKLM\SYSTEM\Select", "Current", 2);
    let machine = Machine::new();
    machine.edit(SYSTEM, |editor| {
        editor.create_key(r"ControlSet002\Services").unwrap();
        let name = r"ControlSet002\Control\ComputerName\ComputerName";
        editor.create_key(name).unwrap();
        editor.set_value(name, "ComputerName", &Data::sz("FRONTEND1")).unwrap();
    });
    let files = machine.files();
    for both in [format!("{service}{select}"), format!("{select}{service}")] {
        let spec = format!("kbfix: 1\nid: T\ntitle: T\nregistry:\n{both}");
        let spec = machine.beside("spec.yaml", &spec).to_str().unwrap().to_owned();
        machine.kbfix(&["diff", &spec]).exits(1).says("cannot-apply").says("make the two changes in separate runs");
        machine.kbfix(&["apply", &spec, "--check"]).exits(5).says("cannot-apply");
        machine.kbfix(&["apply", &spec]).exits(5).says("make the two changes in separate runs");
        assert!(machine.files() == files, "something was written");
    }
    // In two runs, both changes are made, and then undone one after the other.
    let before = machine.content();
    for (number, one) in [service, select].iter().enumerate() {
        let spec = format!("kbfix: 1\nid: T{number}\ntitle: T\nregistry:\n{one}");
        machine.kbfix(&["apply", machine.beside("spec.yaml", &spec).to_str().unwrap()]).exits(0);
    }
    machine.kbfix(&["rollback", "--last"]).exits(0);
    machine.kbfix(&["rollback", "--last"]).exits(0);
    assert!(machine.content() == before);
}

#[test]
fn the_list_of_users_is_not_changed_together_with_what_is_in_their_hives() {
    let machine = Machine::new();
    let profiles = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";
    let mut target = machine.target();
    let user = r"  - key: HKCU\Software\New
    values: { v: { type: REG_DWORD, data: 7 } }
";
    let list = format!("  - key: {profiles}\n    values: {{ v: {{ type: REG_DWORD, data: 7 }} }}\n");
    let changes = planned(&mut *target, &rules(&format!("{user}{list}")));
    let files = machine.files();
    let error = target.write(&changes).unwrap_err();
    assert!(error.begun.is_empty() && error.to_string().contains("where the hives of users are"), "{error}");
    assert!(target.rehearse(&changes).is_err());
    assert!(machine.files() == files);
    let (of_users, of_list): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| change.key.to_string().starts_with("HKU"));
    for changes in [of_users, of_list] {
        assert!(!changes.is_empty());
        target.rehearse(&changes).unwrap();
    }
}

fn planned(target: &mut dyn Target, specs: &[Spec]) -> Vec<KeyChange> {
    let plan = operation::make_plan(target, specs).unwrap();
    plan.changes().cloned().collect()
}

/// Opens the hive file as a target.
fn target_of(path: &Path) -> Option<Box<dyn Target>> {
    open(&Address::new(&format!(r"hive:{}=HKLM\SOFTWARE", path.display()), None, None).unwrap()).ok()
}

/// Returns a small hive, with lists of keys in one leaf and in several, and with data in a value record, in a cell and
/// in segments.
fn hive() -> Vec<u8> {
    let mut hive = Hive::create(NOW).unwrap();
    let mut editor = hive.edit(NOW).unwrap();
    for i in 0..6 {
        let key = format!(r"k{i}\deep");
        editor.create_key(&key).unwrap();
        editor.set_value(&key, "text", &Data::sz("some text")).unwrap();
        editor.set_value(&key, "Größe", &Data::dword(i)).unwrap();
        editor.set_value(&key, "", &Data::dword(i)).unwrap();
    }
    for i in 0..520 {
        editor.create_key(&format!(r"many\{i}")).unwrap();
    }
    editor.set_value("k1", "big", &Data::new(ValueType::BINARY, vec![7; 20_000])).unwrap();
    drop(editor);
    hive.to_bytes(NOW).unwrap()
}

/// Returns the values of a hive by key, and the number of keys and values that cannot be read.
fn content(bytes: &[u8]) -> (BTreeMap<String, Vec<(String, Data)>>, usize) {
    let hive = Hive::open_dirty(bytes.to_vec(), &[]).unwrap();
    let (mut keys, mut unread) = (BTreeMap::<_, Vec<_>>::new(), 0);
    let mut path: Vec<String> = Vec::new();
    for (depth, key) in hive.walk(hive.root()) {
        path.truncate(depth.saturating_sub(1));
        let Ok(key) = key else {
            unread += 1;
            continue;
        };
        if depth > 0 {
            path.push(key.name().lossy());
        }
        let values = keys.entry(path.join("\\")).or_default();
        let Ok(list) = hive.values(key.node()) else {
            unread += 1;
            continue;
        };
        for value in list {
            match value.and_then(|value| Ok((value.name().lossy(), hive.data(&value)?))) {
                Ok(value) => values.push(value),
                Err(_) => unread += 1,
            }
        }
        values.sort_by(|a, b| (&a.0, a.1.value_type.0, &a.1.bytes).cmp(&(&b.0, b.1.value_type.0, &b.1.bytes)));
    }
    (keys, unread)
}

/// Changes a few bytes where a key, a value, a list or a record begins.
fn damage(bytes: &mut [u8], random: &mut Random) {
    const STARTS: [&[u8; 2]; 8] = [b"nk", b"vk", b"lh", b"lf", b"li", b"ri", b"sk", b"db"];
    for _ in 0..1 + random.below(3) {
        let from = 4096 + random.below(bytes.len() - 4200);
        let starts = |pair: &[u8]| STARTS.iter().any(|start| pair == *start);
        let next = bytes[from..].windows(2).position(starts).unwrap_or(0);
        let at = ((from + next).saturating_sub(4) + random.below(64)).min(bytes.len() - 8) & !3;
        match random.below(4) {
            0 => bytes[at + random.below(4)] ^= 1 << random.below(8),
            1 => bytes[at..at + 4].copy_from_slice(&[0_u32, 1, 8, 0xFFFF_FFFF][random.below(4)].to_le_bytes()),
            // The offset of another structure.
            _ => {
                let other = (4096 + random.below(bytes.len() - 4200)) & !3;
                bytes.copy_within(other..other + 4, at);
            }
        }
    }
}

/// Returns random rules about one or two keys of the hive.
fn some_rules(random: &mut Random) -> String {
    let key = match random.below(4) {
        0 => format!(r"HKLM\SOFTWARE\many\{}", random.below(600)),
        1 => format!(r"HKLM\SOFTWARE\k{}", random.below(8)),
        2 => format!(r"HKLM\SOFTWARE\k{}\deep", random.below(8)),
        _ => format!(r"HKLM\SOFTWARE\new{}\a\b", random.below(3)),
    };
    let name = ["text", "Größe", "big", "another"][random.below(4)];
    match random.below(4) {
        0 => format!("  - key: '{key}'\n    ensure: absent\n"),
        1 => format!("  - key: '{key}'\n    values: {{ {name}: {{ ensure: absent }} }}\n"),
        2 => format!("  - key: '{key}'\n    values: {{ {name}: {{ type: REG_DWORD, data: 77 }} }}\n"),
        _ => format!(
            "  - key: '{key}'\n    values: {{ {name}: {{ type: REG_SZ, data: {} }} }}\n",
            "y".repeat(random.below(300) + 1)
        ),
    }
}

/// `KBFIX_DAMAGED` is the number of hives (120).
#[test]
fn a_damaged_hive_is_changed_so_that_it_can_be_undone_or_not_at_all() {
    let good = hive();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hive");
    let (mut changed, mut refused) = (0, 0);
    let rounds = setting("KBFIX_DAMAGED", 120);
    let seed = setting("KBFIX_SEED", 1);
    for round in 0..rounds {
        let mut random = Random(seed << 32 | round);
        let mut bytes = good.clone();
        damage(&mut bytes, &mut random);
        fs::write(&path, &bytes).unwrap();
        let Some(mut target) = target_of(&path) else { continue };
        let text = some_rules(&mut random);
        let Ok(plan) = operation::make_plan(&mut *target, &rules(&text)) else { continue };
        let changes: Vec<_> = plan.changes().cloned().collect();
        if changes.is_empty() {
            continue;
        }
        let rehearsed = target.rehearse(&changes);
        match target.write(&changes) {
            Err(failure) => {
                refused += 1;
                assert_eq!(failure.begun, [], "round {round}: {text}");
                assert!(fs::read(&path).unwrap() == bytes, "round {round}: refused, and written: {text}");
            }
            Ok(()) => {
                changed += 1;
                assert!(rehearsed.is_ok(), "round {round}: {rehearsed:?}: {text}");
                // As in another process later.
                let mut target = target_of(&path).unwrap();
                assert_eq!(planned(&mut *target, &rules(&text)), [], "round {round}: {text}");
                let mut undo = journal::Rollback::default();
                observe(&mut *target, |reader| undo = journal::plan_rollback(&changes, false, reader)).unwrap();
                assert!(undo.conflicts.is_empty() && undo.unread.is_empty(), "round {round}: {undo:?}: {text}");
                target.write(&undo.changes).unwrap_or_else(|error| panic!("round {round}: {error}: {text}"));
                assert!(content(&fs::read(&path).unwrap()) == content(&bytes), "round {round}: not as before: {text}");
            }
        }
    }
    println!("{rounds} damaged hives: {changed} changed and put back, {refused} refused");
    assert!(rounds < 100 || (changed > rounds / 10 && refused > 0), "{changed} {refused}");
}

#[test]
fn two_keys_of_one_name_in_one_list_are_left_alone() {
    let good = hive();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hive");
    // `k2` becomes a second `k1`.
    let mut bytes = good;
    let at = bytes.windows(2).position(|pair| pair == b"k2").unwrap();
    bytes[at + 1] = b'1';
    fs::write(&path, &bytes).unwrap();
    for rule in [
        "  - key: HKLM\\SOFTWARE\\k1\n    ensure: absent\n",
        "  - key: HKLM\\SOFTWARE\\k9\n    values: { v: { type: REG_DWORD, data: 7 } }\n",
        "  - key: HKLM\\SOFTWARE\\k5\n    ensure: absent\n",
    ] {
        let mut target = target_of(&path).unwrap();
        let changes = planned(&mut *target, &rules(rule));
        assert!(!changes.is_empty());
        let told = target.rehearse(&changes).unwrap_err().to_string();
        assert!(told.contains("the key has the name of another key in the same list"), "{told}");
        assert!(target.write(&changes).unwrap_err().begun.is_empty());
        assert!(fs::read(&path).unwrap() == bytes);
    }
}

#[test]
fn a_hive_whose_bins_are_damaged_is_refused_before_anything_is_begun() {
    let whole = || {
        let machine = Machine::new();
        // Enough data for a second bin, which no spec reads.
        let large = Data::new(ValueType::BINARY, vec![7; 9000]);
        machine.edit(SYSTEM, |editor| assert!(editor.set_value("", "Large", &large).unwrap()));
        machine
    };
    let bin_at = |bytes: &[u8], number: usize| {
        (0..bytes.len()).step_by(4096).filter(|at| bytes[*at..].starts_with(b"hbin")).nth(number).unwrap()
    };
    type Damage = fn(&mut [u8], usize);
    let damages: [(&str, Damage); 3] = [
        ("the signature is wrong", |bytes, bin| bytes[bin] = b'x'),
        ("the offset in the bin's header is wrong", |bytes, bin| bytes[bin + 4] ^= 1),
        ("the cell does not fit into its bin", |bytes, bin| bytes[bin + 32..bin + 36].fill(0x7F)),
    ];
    for (why, damage) in damages {
        let machine = whole();
        let mut bytes = fs::read(machine.path(SYSTEM)).unwrap();
        let bin = bin_at(&bytes, 1);
        damage(&mut bytes, bin);
        fs::write(machine.path(SYSTEM), &bytes).unwrap();
        let files = machine.files();
        for arguments in [&["diff", "KB909094"][..], &["apply", "KB909094", "--check"], &["apply", "KB909094"]] {
            machine.kbfix(arguments).exits(3).says("target-malformed").says(why).says("SYSTEM");
        }
        assert!(machine.files() == files, "something was written");
        machine.kbfix(&["rollback", "--last"]).exits(2).says("journal-missing");
        // Keys in other hives can still be changed.
        let other = "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\SOFTWARE\\New\n    ensure: present\n";
        machine.kbfix(&["apply", machine.beside("other.yaml", other).to_str().unwrap()]).exits(0);
    }
    // The same for a rollback of what an apply changed before the damage.
    let machine = whole();
    machine.kbfix(&["apply", "KB909094"]).exits(0);
    let mut bytes = fs::read(machine.path(SYSTEM)).unwrap();
    let bin = bin_at(&bytes, 1);
    bytes[bin] = b'x';
    fs::write(machine.path(SYSTEM), &bytes).unwrap();
    for arguments in [&["rollback", "--last", "--check"][..], &["rollback", "--last"]] {
        machine.kbfix(arguments).exits(3).says("the signature is wrong");
    }
    assert!(fs::read(machine.path(SYSTEM)).unwrap() == bytes);
}

/// Adds the profile of a user S-1-5-21-1-2-3-1000. Returns the path of the user's hive, which does not exist yet.
fn second_user(machine: &Machine) -> PathBuf {
    let profile = r"Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-1-2-3-1000";
    machine.edit(SOFTWARE, |editor| {
        editor.create_key(profile).unwrap();
        let folder = Data::sz(r"C:\Documents and Settings\b");
        editor.set_value(profile, "ProfileImagePath", &folder).unwrap();
    });
    let hive = machine.path("Documents and Settings/b/NTUSER.DAT");
    fs::create_dir_all(hive.parent().unwrap()).unwrap();
    hive
}

/// A user can damage the hive in the own profile. That must not prevent the changes for other users.
#[test]
fn a_user_whose_hive_is_damaged_is_left_out_and_the_others_are_not() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 6] = [
        ("the file does not begin with the signature `regf`", |bytes| bytes.fill(b'x')),
        ("the file ends inside the base block", |bytes| bytes.truncate(1000)),
        ("the file is shorter than the hive bins", |bytes| bytes.truncate(6000)),
        ("the signature is wrong", |bytes| bytes[4096] = b'x'),
        ("does not fit into its bin", |bytes| bytes[4096 + 32..4096 + 36].fill(0x7F)),
        ("the file does not begin with the signature `regf`", Vec::clear),
    ];
    for (why, damage) in damages {
        let machine = Machine::new();
        let of_b = second_user(&machine);
        let good = fs::read(machine.path(NTUSER)).unwrap();
        let mut bytes = good.clone();
        damage(&mut bytes);
        fs::write(&of_b, &bytes).unwrap();
        let text = "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKCU\\Software\\New\n  - key: HKLM\\SOFTWARE\\New\n";
        let spec = machine.beside("spec.yaml", text);
        let spec = spec.to_str().unwrap();
        let user = "S-1-5-21-1-2-3-1000";
        let before = machine.content();
        machine.kbfix(&["diff", spec]).exits(4).says(user).says(why);
        machine.kbfix(&["apply", spec, "--check"]).exits(4).says(user).says(why);
        let plan = machine.beside("plan.json", "");
        fs::remove_file(&plan).unwrap();
        machine.kbfix(&["diff", spec, "--out", plan.to_str().unwrap()]).exits(4);
        machine.kbfix(&["apply", "--plan", plan.to_str().unwrap()]).exits(4).says("3 keys created").says(why);
        assert!(fs::read(&of_b).unwrap() == bytes, "written: {why}");
        machine.kbfix(&["rollback", "--last"]).exits(0).says("3 keys deleted");
        assert!(machine.content() == before, "{why}");
        // If a hive was damaged after the apply, nothing of the journal is rolled back.
        fs::write(&of_b, &good).unwrap();
        machine.kbfix(&["apply", spec]).exits(0).says("5 keys created");
        let applied = machine.content();
        let whole = fs::read(&of_b).unwrap();
        fs::write(&of_b, &bytes).unwrap();
        machine.kbfix(&["rollback", "--last"]).exits(4).says(why);
        assert!(machine.content() == applied && fs::read(&of_b).unwrap() == bytes, "{why}");
        fs::write(&of_b, &whole).unwrap();
        machine.kbfix(&["rollback", "--last"]).exits(0).says("5 keys deleted");
        assert!(machine.content() == before, "{why}");
    }
}

/// The user has no hive, so the user has no keys. The report names the user.
#[test]
fn a_condition_about_users_leaves_out_a_user_whose_profile_was_deleted() {
    let machine = Machine::new();
    second_user(&machine);
    let rule = r"{ key: HKLM\SOFTWARE\New }";
    for (condition, rule, outcome) in [
        (r"registry: { key: HKCU\None }", rule, "not_applicable"),
        (r"not: { registry: { key: HKCU\None } }", rule, "changes_pending"),
        (r"registry: { key: HKCU\Control Panel, exists: false }", rule, "not_applicable"),
        (
            r"os: { at_least: '5.0' }",
            r"{ key: HKLM\SOFTWARE\New, when: { registry: { key: HKCU\None } } }",
            "in_desired_state",
        ),
        (r"os: { at_least: '5.0' }", rule, "changes_pending"),
    ] {
        let text = format!("kbfix: 1\nid: T\ntitle: T\napplicable: {{ {condition} }}\nregistry: [{rule}]\n");
        let plan = operation::make_plan(&mut *machine.target(), &load(&text)).unwrap().specs.remove(0);
        assert_eq!(plan.outcome.as_str(), outcome, "{condition}: {:?}", plan.reasons);
        let told = "user S-1-5-21-1-2-3-1000 has a profile in ProfileList but no hive, and is left out";
        let named = plan.reasons.iter().filter(|why| *why == told).count();
        let tests_users = text.contains("HKCU");
        assert_eq!(named, usize::from(tests_users), "{condition}: {:?}", plan.reasons);
    }
    let text = "kbfix: 1\nid: T\ntitle: T\napplicable: { registry: { key: HKCU\\None } }\nregistry: [{ key: HKLM\\SOFTWARE\\New }]\n";
    let spec = machine.beside("spec.yaml", text);
    machine.kbfix(&["diff", spec.to_str().unwrap()]).exits(0).says("not applicable").says("but no hive");
}

#[test]
fn a_condition_that_one_user_meets_is_met_even_if_another_cannot_be_read() {
    let machine = Machine::new();
    fs::write(second_user(&machine), "damaged").unwrap();
    for (condition, outcome) in [
        (r"registry: { key: HKCU\Control Panel }", "changes_pending"),
        (r"registry: { key: HKCU\Control P* }", "changes_pending"),
        (r"registry: { key: HKCU\None, exists: false }", "changes_pending"),
        (r"not: { registry: { key: HKCU\Control Panel } }", "not_applicable"),
        // The unread user may have the key.
        (r"registry: { key: HKCU\None }", "unknown"),
        (r"registry: { key: HKCU\Non*, exists: false }", "unknown"),
        (r"not: { registry: { key: HKCU\None } }", "unknown"),
        (r"registry: { key: HKCU\Control Panel, exists: false }", "unknown"),
    ] {
        let text = format!(
            "kbfix: 1\nid: T\ntitle: T\napplicable: {{ {condition} }}\nregistry: [{{ key: HKLM\\SOFTWARE\\New }}]\n"
        );
        let plan = operation::make_plan(&mut *machine.target(), &load(&text)).unwrap().specs.remove(0);
        assert_eq!(plan.outcome.as_str(), outcome, "{condition}: {:?}", plan.reasons);
        let names_user = plan.reasons.iter().any(|why| why.contains("S-1-5-21-1-2-3-1000: ") && why.contains("`regf`"));
        assert_eq!(names_user, outcome == "unknown", "{condition}: {:?}", plan.reasons);
    }
}
