//! `fleet::survey` and its report.

use std::collections::BTreeMap;

use kbfix::{
    diag::Exit,
    fleet::{FleetOutcome, Members},
    render::{self, Paint},
};
use serde_json::json;

use super::support::{Folder, OTHER, SPEC, dword, report, snapshot, specs, text};

fn names(machines: &[std::sync::Arc<str>]) -> Vec<&str> {
    machines.iter().map(|name| &**name).collect()
}

#[test]
fn machines_with_the_same_changes_stand_together() {
    let report = Folder::mixed().report(&specs(&[SPEC]));
    let pending: Vec<_> = report.cases_of(FleetOutcome::ChangesPending).collect();
    assert_eq!(pending.len(), 2);
    assert_eq!(names(&pending[0].machines), ["PENDING0", "PENDING1", "PENDING2", "PENDING3", "PENDING4"]);
    assert_eq!(pending[0].size(), 2);
    assert_eq!(names(&pending[1].machines), ["HALF"]);
    assert_eq!(pending[1].size(), 1);
    assert_ne!(pending[0].digest, pending[1].digest);
    let blocked: Vec<_> = report.cases_of(FleetOutcome::Blocked).collect();
    assert_eq!(names(&blocked[0].machines), ["OLD"]);
    let (_, evidence) = blocked[0].evidence().next().unwrap();
    assert!(evidence.found.contains('1') && evidence.wanted.contains('2'), "{evidence:?}");
    let unknown: Vec<_> = report.cases_of(FleetOutcome::Unknown).collect();
    assert_eq!(names(&unknown[0].machines), ["DENIED"]);
    assert!(unknown[0].reasons[0].contains("no right to read Version"), "{:?}", unknown[0].reasons);
}

#[test]
fn one_bad_snapshot_is_one_row() {
    let report = Folder::mixed().report(&specs(&[SPEC]));
    let unreadable: Vec<_> = report.unreadable().collect();
    assert_eq!(unreadable.len(), 1);
    assert_eq!(&*unreadable[0].0.name, "BROKEN");
    assert!(unreadable[0].1.contains("it is not a snapshot"), "{}", unreadable[0].1);
    assert_eq!(report.machines.len(), 11);
    assert_eq!(report.counts.outcomes.values().sum::<usize>(), 11);
    // Blocked and unknown have a higher code than unreadable.
    assert_eq!(report.exit_code, Exit::Blocked);
}

#[test]
fn the_exit_code_is_the_highest_of_all_machines() {
    let folder = Folder::new();
    let specs = specs(&[OTHER]);
    folder.machine("A", json!({ "Third": dword(3) }));
    assert_eq!(folder.report(&specs).exit_code, Exit::Done);
    folder.machine("B", json!({}));
    assert_eq!(folder.report(&specs).exit_code, Exit::Differences);
    folder.write("C.json", "");
    assert_eq!(folder.report(&specs).exit_code, Exit::Unusable);
}

#[test]
fn the_report_does_not_depend_on_the_order_of_machines() {
    let folder = Folder::mixed();
    let specs = specs(&[SPEC, OTHER]);
    let members = folder.members().each;
    let first = text(render::fleet::json, &report(&Members::new(members.clone(), Vec::new()), &specs));
    for turn in 1..4 {
        let mut members = members.clone();
        members.rotate_left(turn * 3);
        members.reverse();
        assert_eq!(text(render::fleet::json, &report(&Members::new(members, Vec::new()), &specs)), first);
    }
}

#[test]
fn every_machine_and_spec_is_counted_once() {
    let report = Folder::mixed().report(&specs(&[SPEC, OTHER]));
    for spec in &report.specs {
        assert_eq!(spec.outcomes.values().sum::<usize>(), 10, "{}", spec.id);
        let of_cases: usize = report.cases.iter().filter(|c| c.spec == spec.id).map(|c| c.machines.len()).sum();
        assert_eq!(of_cases, 10, "{}", spec.id);
    }
    for line in report.lines() {
        let wanted: &[&str] = if line.unreadable.is_some() { &[] } else { &["TWO-VALUES", "THIRD"] };
        assert_eq!(line.specs.iter().map(|spec| spec.spec).collect::<Vec<_>>(), wanted, "{}", line.name);
    }
}

#[test]
fn the_same_machine_twice_is_said() {
    let folder = Folder::new();
    folder.machine("A", json!({}));
    let mut twice = snapshot("A", json!({}));
    folder.write("B.json", &twice.to_string());
    // A clone has another name and the same MachineGuid.
    twice["facts"]["keys"][1] = snapshot("CLONE", json!({}))["facts"]["keys"][1].clone();
    folder.write("C.json", &twice.to_string());
    folder.machine("D", json!({}));
    let report = folder.report(&specs(&[OTHER]));
    let found: BTreeMap<_, _> = report.same_machines.iter().map(|same| (same.by, names(&same.machines))).collect();
    assert_eq!(found, BTreeMap::from([("machine_guid", vec!["A", "B", "C"]), ("computer_name", vec!["A", "B"])]));
    assert_eq!(report.diagnostics.len(), 2);
}

#[test]
fn sensitive_data_is_in_no_report() {
    let secret = SPEC.replace("Second: { type", "Second: { sensitive: true, type");
    let report = Folder::mixed().report(&specs(&[&secret]));
    let texts = [
        text(render::fleet::json, &report),
        text(render::fleet::lines, &report),
        render::fleet::human(&report, Paint { colour: false }),
    ];
    for text in texts {
        assert!(text.contains("hidden") || text.contains("TWO-VALUES"), "{text}");
        assert!(!text.contains("on purpose"), "{text}");
        assert!(!text.contains("6f006e0020007000"), "{text}");
    }
}

#[test]
fn the_text_for_people() {
    let report = Folder::mixed().report(&specs(&[SPEC, OTHER]));
    let why = report.unreadable().next().unwrap().1;
    let (file, _) = why.split_once(": it is").unwrap();
    insta::assert_snapshot!(render::fleet::human(&report, Paint { colour: false }).replace(file, "[FILE]"));
}
