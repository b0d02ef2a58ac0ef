//! The page of a fleet in a real browser: what its script does, and what remains without it.

use std::{path::PathBuf, process::Command, sync::Arc};

use kbfix::{fleet::FleetReport, render::fleet::html};

use super::{
    formats::hostile,
    support::{Folder, OTHER, SPEC, report, specs},
};

/// A spec that applies nowhere.
const QUIET: &str = r"
kbfix: 1
id: QUIET
title: Nothing to do
applicable: { registry: { key: HKLM\SOFTWARE\Vendor, name: Version, at_least: 99 } }
registry:
  - key: HKLM\SOFTWARE\Vendor
    values: { First: { type: REG_DWORD, data: 1 } }
";

/// A machine for each outcome; each is in the group `even` or `odd`, and one in a group with a comma as well.
fn grouped() -> FleetReport {
    let folder = Folder::mixed();
    let mut members = folder.members();
    for (at, member) in members.each.iter_mut().enumerate() {
        member.groups.push(["even", "odd"][at % 2].to_owned());
        if member.name == "PENDING1" {
            member.groups.push("a, b".to_owned());
        }
    }
    report(&members, &specs(&[SPEC, OTHER, QUIET]))
}

/// The same fleet with so many machines.
fn large(machines: usize) -> FleetReport {
    let mut report = grouped();
    let rows = std::mem::take(&mut report.machines);
    report.cases.iter_mut().for_each(|case| case.machines.clear());
    for at in 0..machines {
        let mut row = rows[at % rows.len()].clone();
        row.name = Arc::from(format!("EXCHANGE-{at:06}"));
        for case in report.cases.iter_mut().filter(|case| row.cases.contains(&case.id)) {
            case.machines.push(row.name.clone());
        }
        report.machines.push(row);
    }
    report.counts.machines = machines;
    report
}

#[test]
fn ten_thousand_machines_have_less_than_5_mb() {
    let page = html(&large(10_000));
    assert!(page.matches("<tr data-o=").count() == 10_000 && page.len() < 5_000_000, "{} bytes", page.len());
}

#[cfg_attr(windows, ignore = "the browser runs on Linux")]
#[test]
fn the_page_in_a_browser() {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|_| !cfg!(windows));
    let (Some(python), Some(chromium)) = (variable("KBFIX_PYTHON"), variable("KBFIX_CHROMIUM")) else {
        println!("SKIPPED: KBFIX_CHROMIUM or KBFIX_PYTHON is not set; tests/run sets them");
        return;
    };
    let folder = Folder::new();
    let (_snapshots, hostile) = hostile();
    for (name, report) in [("mixed", grouped()), ("hostile", hostile), ("large", large(10_000))] {
        folder.write(&format!("{name}.html"), &html(&report));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engine/fleet/page.py");
    let run = Command::new(python).arg(script).arg(chromium).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{}{said}", String::from_utf8_lossy(&run.stdout));
    println!("{said}");
}
