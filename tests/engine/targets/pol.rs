//! Tests the target `pol:`: the three states of a value, and that apply and rollback change one state exactly into
//! another.

use std::{
    fs,
    path::{Path, PathBuf},
};

use kbfix::{
    format::{
        gpt_ini,
        pol::{Document, Setting},
    },
    journal::{Journal, Operation, Store},
    operation::{self, Applied, RollbackOptions},
    plan::{Outcome, Plan},
    registry::{Data, KeyPath, RootKey, ValueName},
    render,
    spec::{self, Settings, Spec},
    targets::{Address, open},
};

use crate::policy_file::{self, entry};

const KEY: &str = r"Software\Policies\Example";

fn load(rules: &str) -> Vec<Spec> {
    let text = format!("kbfix: 1\nid: T\ntitle: T\n{rules}");
    let source = spec::Source { name: "test.yaml", bytes: text.as_bytes() };
    spec::load_all(&[source], &Settings::new()).into_specs().unwrap()
}

fn values(values: &str) -> Vec<Spec> {
    load(&format!("registry:\n  - key: HKLM\\{KEY}\n    values: {{ {values} }}\n"))
}

struct Policy {
    folder: tempfile::TempDir,
    file: PathBuf,
    address: Address,
}

impl Policy {
    fn new(entries: &[(&str, Data)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("Registry.pol");
        let entries = entries.iter().map(|(name, data)| policy_file::entry(KEY, name, data));
        fs::write(&file, policy_file::file(entries)).unwrap();
        Self::at(folder, file)
    }

    fn at(folder: tempfile::TempDir, file: PathBuf) -> Self {
        let address = Address::new(&format!("pol:{}", file.display()), None, None).unwrap();
        Self { folder, file, address }
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(&self.file).unwrap()
    }

    fn document(&self) -> Document {
        Document::parse(self.bytes(), RootKey::Hklm).unwrap()
    }

    fn plan(&self, specs: &[Spec]) -> Plan {
        operation::make_plan(open(&self.address).unwrap().as_mut(), specs).unwrap()
    }

    fn outcome(&self, specs: &[Spec]) -> Outcome {
        self.plan(specs).specs.remove(0).outcome
    }

    /// Applies the specs, and checks that the plan is empty afterwards.
    fn apply(&self, specs: &[Spec]) -> Journal {
        let mut target = open(&self.address).unwrap();
        let _lock = target.lock().unwrap();
        let plan = operation::make_plan(target.as_mut(), specs).unwrap();
        assert_eq!(plan.specs[0].outcome, Outcome::ChangesPending, "{:?}", plan.specs[0].reasons);
        assert!(Plan::from_text(&plan.to_text(), Some(&plan.digest())).is_ok());
        let changes: Vec<_> = plan.changes().cloned().collect();
        target.rehearse(&changes).unwrap();
        let applied = operation::execute(&plan, Operation::Apply, self.address.clone(), target.as_mut(), &self.store());
        let Applied::Done(journal) = applied.unwrap() else { panic!("the apply was not completed") };
        assert_eq!(
            self.outcome(specs),
            Outcome::InDesiredState,
            "{}",
            render::changes(&self.plan(specs).specs[0].changes)
        );
        journal
    }

    fn roll_back(&self, journal: Journal) {
        let mut target = open(&self.address).unwrap();
        let options = RollbackOptions::default();
        let report =
            operation::rollback(journal, None, options, self.address.clone(), target.as_mut(), &self.store(), &mut ());
        let report = report.unwrap();
        assert!(report.outcome == Some(Outcome::Changed) && report.conflicts.is_empty(), "{report:?}");
    }

    fn store(&self) -> Store {
        Store::new(Some(self.folder.path())).unwrap()
    }
}

fn space() -> Data {
    Data::sz(" ")
}

#[test]
fn what_the_file_does_not_say_is_neither_present_nor_absent() {
    let policy = Policy::new(&[("A", Data::dword(1)), ("**del.B", space())]);
    let plan = policy.plan(&values(
        "A: { type: REG_DWORD, data: 1 }, B: { ensure: absent }, C: { ensure: absent }, D: { type: REG_DWORD, data: 4 }",
    ));
    let changes = render::changes(&plan.specs[0].changes);
    assert!(
        changes.contains("+\"C\"=-\n")
            && !changes.contains("not configured")
            && !changes.contains("\"A\"=")
            && !changes.contains("\"B\""),
        "{changes}"
    );
    let changed: Vec<_> = plan.changes().flat_map(|change| &change.values).map(|value| value.name.as_str()).collect();
    assert_eq!(changed, ["C", "D"]);
    let condition = |test: &str| {
        policy.outcome(&load(&format!("applicable: {{ registry: {{ {test} }} }}\nregistry:\n  - key: HKLM\\SOFTWARE\\X\n    values: {{ v: {{ type: REG_DWORD, data: 1 }} }}\n")))
    };
    let key = format!("key: HKLM\\{KEY}");
    assert_eq!(condition(&format!("{key}, name: A")), Outcome::ChangesPending);
    assert_eq!(condition(&format!("{key}, name: B")), Outcome::NotApplicable);
    assert_eq!(condition(&format!("{key}, name: C")), Outcome::Unknown);
    assert_eq!(condition(&key), Outcome::ChangesPending);
    assert_eq!(condition("key: HKLM\\SOFTWARE\\Other"), Outcome::Unknown);
    assert_eq!(condition("key: HKU\\S-1-5-18\\Software"), Outcome::Unknown);
}

#[test]
fn a_part_of_data_can_be_changed_only_where_the_file_has_the_data() {
    let bits = values("A: { type: REG_DWORD, bits: { set: 2 } }");
    assert_eq!(Policy::new(&[]).outcome(&bits), Outcome::Unknown);
    let policy = Policy::new(&[("A", Data::dword(1))]);
    policy.apply(&bits);
    assert_eq!(policy.bytes(), Policy::new(&[("A", Data::dword(3))]).bytes());
}

#[test]
fn what_cannot_be_said_is_unknown() {
    let one = values("A: { type: REG_DWORD, data: 1 }");
    assert_eq!(Policy::new(&[("**soft.A", Data::dword(1))]).outcome(&one), Outcome::Unknown);
    let policy = Policy::new(&[("A", Data::dword(1))]);
    fs::write(&policy.file, [policy.bytes(), entry(r"Software\\X", "A", &space())].concat()).unwrap();
    assert_eq!(policy.outcome(&one), Outcome::Unknown);
    let gone = load(&format!("registry:\n  - key: HKLM\\{KEY}\n    ensure: absent\n"));
    assert_eq!(Policy::new(&[("A", space())]).outcome(&gone), Outcome::Unknown);
    let policy = Policy::new(&[]);
    fs::write(
        &policy.file,
        [policy.bytes(), entry(r"Software\Policies", "**DeleteKeys", &Data::sz("Example"))].concat(),
    )
    .unwrap();
    assert_eq!(policy.outcome(&gone), Outcome::InDesiredState);
    let before = policy.bytes();
    let journal = policy.apply(&one);
    policy.roll_back(journal);
    assert_eq!(policy.bytes(), before);
    assert!(open(&Address::new("pol:/no/such/folder/Registry.pol", None, None).unwrap()).is_err());
    fs::write(&policy.file, "PReg").unwrap();
    let error = open(&policy.address).err().map(|error| error.to_string()).unwrap();
    assert!(error.contains("Registry.pol: file offset 0x4: expected the version, found the end"), "{error}");
}

#[test]
fn values_are_known_even_if_another_spec_asks_for_the_subkeys() {
    let policy = Policy::new(&[("A", Data::dword(1))]);
    let one = values("A: { type: REG_DWORD, data: 1 }");
    let star =
        load(&format!("registry:\n  - key: HKLM\\{KEY}\\*\n    values: {{ A: {{ type: REG_DWORD, data: 1 }} }}\n"));
    let [one, star] = [one, star].map(|mut specs| specs.remove(0));
    let second = |spec: &Spec| Spec { id: "U".into(), ..spec.clone() };
    for (specs, unknown) in [([one.clone(), second(&star)], 1), ([star, second(&one)], 0)] {
        let plan = policy.plan(&specs);
        let outcomes = plan.specs.iter().map(|spec| spec.outcome);
        assert!(outcomes.enumerate().all(|(at, outcome)| match at == unknown {
            true => outcome == Outcome::Unknown,
            false => outcome == Outcome::InDesiredState,
        }));
        // The plan is current, and its text contains the reason why the subkeys are not known.
        let plan = Plan::from_text(&plan.to_text(), Some(&plan.digest())).unwrap();
        let again = kbfix::observe::observe_again(open(&policy.address).unwrap().as_mut(), &plan.facts).unwrap();
        assert_eq!(plan.facts.moved(&again), []);
    }
}

#[test]
fn exclusive_deletes_all_other_values() {
    let exclusive = load(&format!(
        "registry:\n  - key: HKLM\\{KEY}\n    exclusive: true\n    values: {{ A: {{ type: REG_DWORD, data: 1 }} }}\n"
    ));
    let policy = Policy::new(&[("A", Data::dword(1)), ("B", Data::dword(2))]);
    let before = policy.document();
    let journal = policy.apply(&exclusive);
    assert_eq!(policy.bytes(), Policy::new(&[("**DelVals.", space()), ("A", Data::dword(1))]).bytes());
    policy.roll_back(journal);
    let path = KeyPath::from_parts(RootKey::Hklm, KEY).unwrap();
    assert_eq!(policy.document().values(&path), before.values(&path));
    assert_eq!(policy.bytes(), before.to_bytes());
    assert_eq!(
        Policy::new(&[("**delvals.", space()), ("A", Data::dword(1))]).outcome(&exclusive),
        Outcome::InDesiredState
    );
}

#[test]
fn a_plan_is_stale_if_the_policy_no_longer_deletes_a_value() {
    let exclusive = load(&format!("registry:\n  - key: HKLM\\{KEY}\n    exclusive: true\n"));
    let policy = Policy::new(&[("**del.B", space())]);
    let plan = policy.plan(&exclusive);
    let moved = |entries: &[(&str, Data)]| {
        let now = Policy::new(entries);
        plan.facts.moved(&kbfix::observe::observe_again(open(&now.address).unwrap().as_mut(), &plan.facts).unwrap())
    };
    assert_eq!(moved(&[("**del.B", space())]), []);
    for (entries, is) in [(vec![], "not configured: "), (vec![("B", Data::dword(1))], "REG_DWORD")] {
        let moved = moved(&entries);
        let [drift] = moved.as_slice() else { panic!("{moved:?}") };
        assert!(drift.place.ends_with("\"B\"") && drift.was == "absent" && drift.is.starts_with(is), "{drift:?}");
    }
    // The other way round.
    let plan = Policy::new(&[]).plan(&exclusive);
    let now = kbfix::observe::observe_again(open(&policy.address).unwrap().as_mut(), &plan.facts).unwrap();
    assert_eq!(plan.facts.moved(&now).len(), 1);
}

#[test]
fn a_policy_that_is_not_there_is_made_and_its_version_raised() {
    let one = values("A: { type: REG_DWORD, data: 1 }");
    let folder = tempfile::tempdir().unwrap();
    let machine = folder.path().join("GroupPolicy/Machine");
    fs::create_dir_all(&machine).unwrap();
    let policy = Policy::at(folder, machine.join("Registry.pol"));
    let ini = policy.folder.path().join("GroupPolicy/gpt.ini");
    assert_eq!(open(&policy.address).unwrap().missing_file(), Some(policy.file.as_path()));
    let journal = policy.apply(&one);
    assert_eq!(open(&policy.address).unwrap().missing_file(), None);
    assert_eq!(policy.bytes(), Policy::new(&[("A", Data::dword(1))]).bytes());
    assert_eq!(gpt_ini::versions(&fs::read(&ini).unwrap()), Ok((1, 0)));
    policy.roll_back(journal);
    assert_eq!(policy.bytes(), Policy::new(&[]).bytes());
    assert_eq!(gpt_ini::versions(&fs::read(&ini).unwrap()), Ok((2, 0)));
    fs::write(&ini, "[General]\r\nVersion=many\r\n").unwrap();
    let mut target = open(&policy.address).unwrap();
    let plan = policy.plan(&one);
    let changes: Vec<_> = plan.changes().cloned().collect();
    let refused = target.rehearse(&changes).unwrap_err().to_string();
    assert!(refused.contains("gpt.ini: line 2: expected a version"), "{refused}");
    assert!(target.write(&changes).is_err());
    assert_eq!(policy.bytes(), Policy::new(&[]).bytes());
}

#[cfg(unix)]
#[test]
fn a_version_file_that_is_a_link_stays_one() {
    use std::os::unix::fs::symlink;

    let one = values("A: { type: REG_DWORD, data: 1 }");
    let folder = tempfile::tempdir().unwrap();
    let machine = folder.path().join("GroupPolicy/Machine");
    fs::create_dir_all(&machine).unwrap();
    let (ini, real) = (folder.path().join("GroupPolicy/gpt.ini"), folder.path().join("real.ini"));
    symlink(&real, &ini).unwrap();
    let policy = Policy::at(folder, machine.join("Registry.pol"));
    let changes: Vec<_> = policy.plan(&one).changes().cloned().collect();
    // The link leads nowhere.
    let mut target = open(&policy.address).unwrap();
    assert!(target.rehearse(&changes).unwrap_err().to_string().contains("gpt.ini"));
    assert!(target.write(&changes).unwrap_err().begun.is_empty());
    assert!(!policy.file.exists());
    fs::write(&real, "[General]\r\nVersion=4\r\n").unwrap();
    policy.apply(&one);
    assert_eq!(gpt_ini::versions(&fs::read(&real).unwrap()), Ok((5, 0)));
    assert_eq!(fs::read_link(&ini).unwrap(), real);
}

#[test]
fn a_users_policy_needs_its_root_key() {
    let error = |uri: &str| Address::new(uri, None, None).unwrap_err().to_string();
    assert!(error("pol:GroupPolicy/User/Registry.pol").contains("=HKCU"));
    assert!(error("pol:ntuser.pol").contains("=HKCU"));
    assert!(error("pol:a.pol=HKU").contains("HKLM or HKCU"));
    assert!(Address::new("pol:a=b.pol", None, None).unwrap().uri.ends_with("a=b.pol=HKLM"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ntuser.pol");
    let address = Address::new(&format!("pol:{}=HKCU", file.display()), None, None).unwrap();
    let policy = Policy { folder, file, address };
    let specs =
        load(&format!("registry:\n  - key: HKCU\\{KEY}\n    values: {{ A: {{ type: REG_DWORD, data: 1 }} }}\n"));
    let journal = policy.apply(&specs);
    assert_eq!(policy.bytes(), Policy::new(&[("A", Data::dword(1))]).bytes());
    policy.roll_back(journal);
    assert_eq!(policy.outcome(&values("A: { type: REG_DWORD, data: 1 }")), Outcome::Unknown);
}

#[test]
fn a_rule_for_the_other_kind_of_policy_is_unknown_with_the_reason() {
    let reason = |root: &str, rule: &str| {
        let policy = Policy::new(&[]);
        let address = Address::new(&format!("pol:{}={root}", policy.file.display()), None, None).unwrap();
        let specs = load(&format!("registry:\n  - {rule}\n    values: {{ A: {{ type: REG_DWORD, data: 1 }} }}\n"));
        let mut plan = Policy { address, ..policy }.plan(&specs);
        let spec = plan.specs.remove(0);
        assert_eq!(spec.outcome, Outcome::Unknown);
        spec.reasons.join("; ")
    };
    let other = r"key: HKLM\Software\Policies\Other";
    for (root, rule, of) in [
        ("HKLM", format!("key: HKCU\\{KEY}"), "HKCU"),
        ("HKLM", format!("key: HKCU\\{KEY}\n    default_profile: true"), "HKCU"),
        ("HKLM", format!("{other}\n    when: {{ registry: {{ key: HKCU\\{KEY} }} }}"), "HKCU"),
        ("HKLM", format!("key: HKU\\.DEFAULT\\{KEY}"), "HKU"),
        ("HKLM", format!("key: HKU\\*\\{KEY}"), "HKU"),
        ("HKCU", format!("key: HKLM\\{KEY}"), "HKLM"),
        ("HKCU", format!("key: HKU\\.DEFAULT\\{KEY}"), "HKU"),
    ] {
        let reason = reason(root, &rule);
        let expected = format!("a policy file for {root} cannot contain settings for {of}");
        assert!(reason.contains(&expected), "{rule}: {reason}");
    }
}

/// Tests every file of two entries from a pool with each of several specs: an apply, and a rollback to the file before.
#[test]
fn apply_and_rollback_are_exact_whatever_stands_in_the_file() {
    let pool = [
        ("A", Data::dword(1)),
        ("a", Data::dword(3)),
        ("**del.A", space()),
        ("**delvals.", space()),
        ("**DeleteValues", Data::sz("A;B")),
        ("B", Data::sz("x")),
        ("**Comment:c", space()),
    ];
    let specs = [
        values("A: { type: REG_DWORD, data: 2 }"),
        values("A: { ensure: absent }, B: { type: REG_SZ, data: why }, C: { type: REG_DWORD, data: 1 }"),
        load(&format!(
            "registry:\n  - key: HKLM\\{KEY}\n    exclusive: true\n    values: {{ B: {{ type: REG_SZ, data: why }} }}\n"
        )),
    ];
    let path = KeyPath::from_parts(RootKey::Hklm, KEY).unwrap();
    let model = |document: &Document| {
        let names = ["A", "B", "C", "D"].map(|name| ValueName::new(name).unwrap());
        let state = |name| match document.value(&path, name) {
            Setting::Data(data) => format!("{data:?}"),
            other => format!("{other:?}"),
        };
        names.iter().map(state).collect::<Vec<_>>()
    };
    let mut changed = 0;
    for code in 0..pool.len().pow(2) {
        let picked: Vec<_> = (0..2).map(|place| pool[code / pool.len().pow(place) % pool.len()].clone()).collect();
        for specs in &specs {
            let policy = Policy::new(&picked);
            if policy.outcome(specs) == Outcome::InDesiredState {
                continue;
            }
            let before = policy.document();
            let journal = policy.apply(specs);
            assert!(!Path::new(&policy.folder.path().join(".kbfix-Registry.pol.lock")).exists());
            policy.roll_back(journal);
            assert_eq!(model(&policy.document()), model(&before), "{picked:?}");
            changed += 1;
        }
    }
    assert!(changed > 80, "{changed}");
}
