//! Tests an apply with `--through-policy` on random policy files of an image: what Samba reads afterwards, and that a
//! rollback restores the bytes.

use std::fs;

use kbfix::{
    format::{
        gpt_ini,
        regf::{Filetime, Hive},
    },
    journal::{Operation, Store},
    operation::{self, Applied, RollbackOptions},
    plan::Outcome,
    registry::Data,
    spec::{self, Settings, Spec},
    targets::{Address, ChangeAction, open},
};

use super::{KEYS, NAMES, Numbers, file, model, notation, parse, samba_agrees};

fn specs(numbers: &mut Numbers) -> Vec<Spec> {
    let mut rules = String::new();
    for key in &KEYS[..2] {
        let values: Vec<String> = NAMES.iter().filter_map(|name| one_value(name, numbers)).collect();
        if !values.is_empty() {
            rules += &format!("  - key: HKLM\\{key}\n    values: {{ {} }}\n", values.join(", "));
        }
    }
    // The key is outside the policy branches, so the hive is changed.
    rules += "  - key: HKLM\\Software\\One\n    values: { A: { type: REG_DWORD, data: 1 } }\n";
    let text = format!("kbfix: 1\nid: T\ntitle: T\nregistry:\n{rules}");
    let source = spec::Source { name: "test.yaml", bytes: text.as_bytes() };
    spec::load_all(&[source], &Settings::new()).into_specs().unwrap_or_else(|errors| panic!("{errors:?}\n{text}"))
}

fn one_value(name: &str, numbers: &mut Numbers) -> Option<String> {
    let wanted = match numbers.below(4) {
        0 => "{ ensure: absent }".to_owned(),
        1 => format!("{{ type: REG_DWORD, data: {} }}", numbers.below(1000)),
        2 => format!("{{ type: REG_SZ, data: \"text {}\" }}", numbers.below(3)),
        _ => return None,
    };
    Some(format!("{}: {wanted}", serde_json::Value::from(name)))
}

#[cfg_attr(windows, ignore = "Samba runs on Linux")]
#[test]
fn an_apply_through_the_policy_is_what_samba_reads_and_is_rolled_back_exactly() {
    let mut numbers = Numbers(35_378);
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("volume");
    let (config, machine) = (root.join("Windows/System32/config"), root.join("Windows/System32/GroupPolicy/Machine"));
    fs::create_dir_all(&config).unwrap();
    fs::create_dir_all(&machine).unwrap();
    let (hive, pol) = (config.join("SOFTWARE"), machine.join("Registry.pol"));
    let mut new = Hive::create(Filetime::now()).unwrap();
    let mut editor = new.edit(Filetime::now()).unwrap();
    editor.create_key(r"Microsoft\Windows NT\CurrentVersion").unwrap();
    editor.set_value(r"Microsoft\Windows NT\CurrentVersion", "SystemRoot", &Data::sz(r"C:\Windows")).unwrap();
    drop(editor);
    fs::write(&hive, new.to_bytes(Filetime::now()).unwrap()).unwrap();
    let address = Address::new(&format!("image:{}", root.display()), None, None).unwrap().with_through_policy(true);
    let store = Store::new(Some(folder.path())).unwrap();
    let (mut asked, mut models, mut changed) = (String::new(), Vec::new(), 0);
    for round in 0..200 {
        let before = file(&mut numbers);
        fs::write(&pol, &before).unwrap();
        let specs = specs(&mut numbers);
        let mut target = open(&address).unwrap();
        let lock = target.lock().unwrap();
        let plan = operation::make_plan(target.as_mut(), &specs).unwrap();
        // A value that is set only if it is absent is unknown.
        if plan.specs[0].outcome != Outcome::ChangesPending {
            continue;
        }
        changed += 1;
        let version = fs::read(machine.with_file_name("gpt.ini")).map_or(0, |ini| gpt_ini::versions(&ini).unwrap().0);
        let is_of_policy = plan.changes().any(|change| change.key.policy_branch().is_some());
        let applied = operation::execute(&plan, Operation::Apply, address.clone(), target.as_mut(), &store).unwrap();
        let Applied::Done(journal) = applied else { panic!("round {round}: {applied:?}") };
        drop(lock);
        let again = operation::make_plan(open(&address).unwrap().as_mut(), &specs).unwrap();
        assert_eq!(again.specs[0].outcome, Outcome::InDesiredState, "round {round}");
        let after = parse(&fs::read(&pol).unwrap());
        asked += &format!("{}\n", notation::hex_digits(&after.to_bytes()));
        models.push(model(&after));
        let raised = fs::read(machine.with_file_name("gpt.ini")).map_or(0, |ini| gpt_ini::versions(&ini).unwrap().0);
        assert_eq!(raised, version + u16::from(is_of_policy), "round {round}");
        let options = RollbackOptions::default();
        let report = operation::rollback(
            journal,
            None,
            options,
            address.clone(),
            open(&address).unwrap().as_mut(),
            &store,
            &mut (),
        );
        assert!(report.is_ok_and(|report| report.conflicts.is_empty()), "round {round}");
        assert_eq!(model(&parse(&fs::read(&pol).unwrap())), model(&parse(&before)), "round {round}");
        let left = operation::make_plan(open(&address).unwrap().as_mut(), &specs).unwrap();
        assert_eq!(left.specs[0].changes, plan.specs[0].changes, "round {round}");
        let creates = |change: &&kbfix::targets::KeyChange| change.action == ChangeAction::Create;
        assert_eq!(left.changes().filter(creates).count(), 1, "the hive has no key Software\\One");
    }
    assert!(changed > 80, "{changed}");
    samba_agrees(asked, &models);
}
