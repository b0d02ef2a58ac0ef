//! Tests the fleet plan: one file and one digest for all machines.

use std::io::Cursor;

use kbfix::{
    fleet::{
        Members, Waivers,
        bundle::{self, Bundle, BundleError, Draft, PlanLine},
        survey_with_plans,
    },
    operation::identify,
    plan::{Machine, Plan},
    spec::Spec,
    targets::{Address, open},
};
use proptest::prelude::*;
use serde_json::json;

use super::support::{Folder, OTHER, SPEC, snapshot, specs};

/// Writes the fleet plan; returns its bytes and its digest.
fn written(members: &Members, specs: &[Spec]) -> (Vec<u8>, String) {
    let mut draft = Draft::new(Cursor::new(Vec::new()), members.each.len());
    let lists = [specs.to_vec()];
    let which = vec![0; members.each.len()];
    let found = survey_with_plans(
        members,
        &lists,
        &which,
        &Waivers::default(),
        PlanLine::of,
        |at, line| draft.add(at, line),
        &mut (),
    );
    let bundle = draft.bundle(members, &found, specs).unwrap();
    let mut bytes = Vec::new();
    draft.write(&bundle, &mut bytes).unwrap();
    (bytes, bundle.digest)
}

fn machine(name: &str) -> Machine {
    Machine { computer_name: Some(name.to_owned()), machine_guid: Some(format!("guid of {name}")) }
}

/// Returns the plan of one machine from a fleet plan.
fn taken(bytes: &[u8], digest: Option<&str>, machine: &Machine) -> Result<Plan, BundleError> {
    bundle::read(bytes, digest, |bundle| bundle::choose(bundle, machine, "local"))
}

#[test]
fn each_machine_gets_its_own_plan() {
    let folder = Folder::mixed();
    let specs = specs(&[SPEC, OTHER]);
    let (bytes, digest) = written(&folder.members(), &specs);
    for name in ["PENDING0", "HALF", "DESIRED", "OTHER"] {
        let plan = taken(&bytes, Some(&digest), &machine(name)).unwrap();
        let address = Address::new(&format!("snapshot:{}", folder.path().join(name).display()), None, None).unwrap();
        let address = Address { uri: format!("{}.json", address.uri), ..address };
        let mut target = open(&address).unwrap();
        assert_eq!(identify(target.as_mut()).unwrap(), machine(name));
        let alone = kbfix::operation::make_plan(target.as_mut(), &specs).unwrap();
        assert_eq!(plan.digest(), alone.digest(), "{name}");
    }
    let head: Bundle = serde_json::from_slice(bytes.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    assert_eq!(head.unreadable, ["BROKEN"]);
    assert_eq!(head.machines.len(), 10);
}

#[test]
fn a_machine_that_is_not_in_it_or_twice_gets_none() {
    let folder = Folder::mixed();
    let specs = specs(&[SPEC]);
    let (bytes, _) = written(&folder.members(), &specs);
    assert!(matches!(taken(&bytes, None, &machine("STRANGER")), Err(BundleError::Missing { unreadable: false, .. })));
    assert!(matches!(taken(&bytes, None, &machine("BROKEN")), Err(BundleError::Missing { unreadable: true, .. })));
    assert!(matches!(taken(&bytes, None, &Machine::default()), Err(BundleError::Missing { .. })));
    // The machine was renamed and has the same MachineGuid: its plan is found, and `apply` checks the rest.
    let renamed = Machine { computer_name: Some("NEW".to_owned()), ..machine("HALF") };
    assert!(taken(&bytes, None, &renamed).is_ok());
    // A machine with the same name and another MachineGuid is another machine.
    let other = Machine { machine_guid: Some("another".to_owned()), ..machine("HALF") };
    assert!(matches!(taken(&bytes, None, &other), Err(BundleError::Missing { .. })));
    folder.write("AGAIN.json", &snapshot("HALF", json!({})).to_string());
    let (bytes, _) = written(&folder.members(), &specs);
    match taken(&bytes, None, &machine("HALF")) {
        Err(BundleError::Twice { names, .. }) => assert_eq!(names, ["AGAIN", "HALF"]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_approved_digest_decides() {
    let (bytes, digest) = written(&Folder::mixed().members(), &specs(&[SPEC]));
    let other = digest.replace(|c: char| c.is_ascii_digit(), "0");
    assert!(matches!(taken(&bytes, Some(&other), &machine("HALF")), Err(BundleError::Other { .. })));
    assert!(taken(&bytes, Some(digest.trim_start_matches("sha256:")), &machine("HALF")).is_ok());
}

#[test]
fn groups_and_waves_are_in_the_digest() {
    let folder = Folder::mixed();
    let specs = specs(&[SPEC]);
    let mut members = folder.members();
    let (_, before) = written(&members, &specs);
    members.each[1].groups.push("canary".to_owned());
    let (_, grouped) = written(&members, &specs);
    members.waves = vec![vec!["canary".to_owned()]];
    let (bytes, waved) = written(&members, &specs);
    assert!(before != grouped && grouped != waved);
    let head: Bundle = serde_json::from_slice(bytes.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    assert_eq!((head.machines[0].wave, head.machines[1].wave), (Some(1), Some(2)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn the_digest_does_not_depend_on_the_order(order in Just((0..11).collect::<Vec<usize>>()).prop_shuffle()) {
        let folder = Folder::mixed();
        let specs = specs(&[SPEC]);
        let members = folder.members();
        let shuffled = order.iter().map(|at| members.each[*at].clone()).collect();
        prop_assert_eq!(written(&Members::new(shuffled, Vec::new()), &specs), written(&members, &specs));
    }
}

#[test]
fn another_version_is_named_whatever_else_it_contains() {
    for head in [r#"{"kbfix_fleet_plan":2,"new":1}"#, r#"{"kbfix_fleet_plan":2}"#] {
        let error = taken(format!("{head}\n").as_bytes(), None, &machine("HALF")).unwrap_err().to_string();
        assert!(error.contains("not a fleet plan of version 1: `kbfix_fleet_plan` is not 1"), "{error}");
    }
}

/// Every byte counts, also in the plans of other machines.
#[test]
fn a_fleet_plan_altered_in_one_byte_is_refused() {
    let (bytes, digest) = written(&Folder::mixed().members(), &specs(&[OTHER]));
    assert!(taken(&bytes, Some(&digest), &machine("HALF")).is_ok());
    // Opening a file takes long under Wine.
    let step = if cfg!(windows) { 49 } else { 7 };
    for (at, with) in (0..bytes.len()).step_by(step).zip([b' ', b'0', b'\n', b'}', 0xff].into_iter().cycle()) {
        let mut altered = bytes.clone();
        altered[at] = if altered[at] == with { b'x' } else { with };
        assert!(taken(&altered, None, &machine("HALF")).is_err(), "byte {at}");
        let mut shorter = bytes.clone();
        shorter.remove(at);
        assert!(taken(&shorter, None, &machine("HALF")).is_err(), "without byte {at}");
    }
    for more in [&b"\n"[..], b"x", b"x\n", b"more text\n"] {
        let error = taken(&[&bytes, more].concat(), None, &machine("HALF")).unwrap_err();
        assert!(matches!(error, BundleError::Altered(_)), "{error}");
        assert!(error.to_string().contains("more text after the last plan"), "{error}");
    }
    for size in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        assert!(taken(&bytes[..size], None, &machine("HALF")).is_err());
    }
}
