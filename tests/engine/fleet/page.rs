//! Tests the page of a fleet in a real browser, with and without its script.

use std::{path::PathBuf, process::Command, sync::Arc};

use kbfix::{
    diag::{Code, Diagnostic},
    fleet::FleetReport,
    render::fleet::html,
};

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

/// Returns the report of a fleet with a machine for each outcome. Each machine is in the group `even` or `odd`, and one
/// also in a group with a comma in its name.
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

/// Returns a report of the same fleet with this number of machines.
pub(super) fn large(machines: usize) -> FleetReport {
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

/// Returns the report of a fleet in which each case has only one machine, and in which names, groups, reasons and
/// warnings are long.
fn worst(machines: usize) -> FleetReport {
    let mut report = grouped();
    let (rows, templates) = (std::mem::take(&mut report.machines), std::mem::take(&mut report.cases));
    let long = "<a href=\"x\">&amp;".repeat(200);
    for at in 0..machines {
        let mut row = rows[at % rows.len()].clone();
        row.name = Arc::from(format!("M{at:06}{}", &long[..200]));
        row.groups = (0..5).map(|group| format!("group {group} of {at} {}", &long[..100])).collect();
        row.unreadable = row.unreadable.map(|why| format!("{why} {long}"));
        for id in &mut row.cases {
            let mut case = templates.iter().find(|case| case.id == *id).unwrap().clone();
            case.id = format!("{id}-{at}").into();
            case.machines = vec![row.name.clone()];
            if case.asks() && at % 100 == 0 {
                case.reasons = vec![long.clone(); 50];
                case.changes = vec![case.changes; 100].concat();
            }
            *id = case.id.clone();
            report.cases.push(case);
        }
        report.machines.push(row);
    }
    report.counts.machines = machines;
    report.ignored = report.machines.iter().map(|row| row.name.to_string()).collect();
    report.diagnostics = (0..machines).map(|_| Diagnostic::warning(Code::FLEET_SAME_MACHINE, long.clone())).collect();
    report
}

#[test]
fn a_page_of_machines_of_which_no_two_are_alike_is_no_larger_and_counts_what_it_leaves_out() {
    let report = worst(10_000);
    let page = html(&report);
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    let more = |what: &str| -> usize {
        let sentences = page.split("Not shown on this page: ").skip(1).filter_map(|rest| rest.split_once(" more "));
        let of = sentences.filter(|(_, rest)| rest.starts_with(what));
        of.map(|(count, _)| count.parse::<usize>().unwrap()).sum()
    };
    let shown = |start: &str| page.matches(start).count();
    let unreadable = report.unreadable().count();
    let listed = page.split("<h2 id=\"unreadable\">").nth(1).unwrap().split("</table>").next().unwrap();
    let listed = listed.matches("<tr><td>").count();
    assert_eq!(shown("<tr data-o=") + more("machine") + listed, 10_000 + unreadable);
    assert_eq!(shown("<details id=\"c") + more("case"), report.cases.iter().filter(|case| case.is_shown()).count());
    assert_eq!(shown("<details id=\"p") + more("group"), 10_000 - unreadable);
    assert_eq!(more("warning"), 10_000 - 20);
    assert!(page.contains(" and 9980 more"));
    let groups = page.split_once(" more groups</option>").unwrap().0.rsplit('>').next().unwrap();
    assert_eq!(shown("<option value=") - 1 + groups.parse::<usize>().unwrap(), 50_000);
    let least = [shown("<tr data-o="), shown("<details id=\"c"), shown("<details id=\"p"), listed];
    assert!(least.iter().all(|count| *count > 20), "{least:?}");
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
    for (name, report) in
        [("mixed", grouped()), ("hostile", hostile), ("large", large(10_000)), ("worst", worst(10_000))]
    {
        folder.write(&format!("{name}.html"), &html(&report));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engine/fleet/page.py");
    let run = Command::new(python).arg(script).arg(chromium).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{}{said}", String::from_utf8_lossy(&run.stdout));
    println!("{said}");
}
