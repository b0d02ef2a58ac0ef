//! Tests waivers: an accepted deviation stays visible and is counted separately.

use std::io::Cursor;

use kbfix::{
    diag::Diagnostic,
    fleet::{
        FleetCommand, FleetOutcome, FleetReport, Members, Waivers,
        bundle::{self, Draft, PlanLine},
        survey, survey_with_plans,
    },
    plan::Machine,
    render::{self, Paint},
    spec::Spec,
    targets::KeyChange,
};
use serde_json::{Value, json};

use super::support::{Folder, OTHER, SPEC, specs, text};

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 27);

fn read(text: &str, specs: &[Spec], members: &Members) -> Result<Waivers, Vec<Diagnostic>> {
    let text = format!("kbfix_waivers: 1\nwaivers:\n{text}");
    Waivers::read("waivers.yaml", text.as_bytes(), specs, members, TODAY).map(|(waivers, _)| waivers)
}

fn waiver(what: &str, whom: &str) -> String {
    format!("  - {{ spec: TWO-VALUES, {what} {whom}, reason: old application, by: Ada, expires: 2026-11-27 }}\n")
}

fn report(folder: &Folder, specs: &[Spec], waivers: &Waivers) -> FleetReport {
    let members = folder.members();
    let which = vec![0; members.each.len()];
    let found = survey(&members, &[specs.to_vec()], &which, waivers, &mut ());
    FleetReport { waivers: waivers.list.clone(), ..FleetReport::of(found, specs, FleetCommand::Diff) }
}

fn of<'r>(report: &'r FleetReport, machine: &str) -> &'r kbfix::fleet::Case {
    report
        .cases
        .iter()
        .find(|case| case.spec == "TWO-VALUES" && case.machines.iter().any(|name| **name == *machine))
        .unwrap()
}

#[test]
fn a_spec_is_waived_where_it_is_pending_or_blocked_and_nowhere_else() {
    let (folder, specs) = (Folder::mixed(), specs(&[SPEC, OTHER]));
    let all = "machines: [HALF, OLD, DENIED, DESIRED, BROKEN, OTHER]";
    let waivers = read(&waiver("", all), &specs, &folder.members()).unwrap();
    let report = report(&folder, &specs, &waivers);
    for (machine, outcome) in [
        ("HALF", FleetOutcome::Waived),
        ("OLD", FleetOutcome::Waived),
        ("DENIED", FleetOutcome::Unknown),
        ("DESIRED", FleetOutcome::InDesiredState),
        ("OTHER", FleetOutcome::NotApplicable),
        ("PENDING0", FleetOutcome::ChangesPending),
    ] {
        assert_eq!(of(&report, machine).outcome, outcome, "{machine}");
    }
    assert_eq!(report.unreadable().count(), 1);
    assert_eq!(report.specs[0].outcomes[&FleetOutcome::Waived], 2);
    let old = of(&report, "OLD").waived.as_ref().unwrap();
    assert_eq!(old.outcome, FleetOutcome::Blocked);
    for text in [
        render::fleet::human(&report, Paint { colour: false }),
        render::fleet::markdown(&report),
        render::fleet::html(&report),
        text(render::fleet::csv, &report),
        text(render::fleet::junit, &report),
        text(render::fleet::sarif, &report),
        text(render::fleet::lines, &report),
    ] {
        assert!(text.contains("old application") && text.contains("Ada") && text.contains("2026-11-27"), "{text}");
    }
}

#[test]
fn of_a_spec_one_value_is_waived() {
    let (folder, specs) = (Folder::mixed(), specs(&[SPEC]));
    let text =
        waiver("value: First,", "machines: [PENDING0, HALF]") + &waiver("value: second,", "machines: [PENDING1, HALF]");
    let waivers = read(&text, &specs, &folder.members()).unwrap();
    let report = report(&folder, &specs, &waivers);
    let names = |machine: &str| {
        let case = of(&report, machine);
        let names = |changes: &[kbfix::targets::KeyChange]| {
            let values = changes.iter().flat_map(|change| &change.values);
            values.map(|value| value.name.as_str().to_owned()).collect::<Vec<_>>()
        };
        (
            case.outcome,
            names(&case.changes),
            case.waived.as_ref().map(|waived| names(&waived.changes)).unwrap_or_default(),
        )
    };
    let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(names("PENDING0"), (FleetOutcome::ChangesPending, strings(&["Second"]), strings(&["First"])));
    assert_eq!(names("PENDING1"), (FleetOutcome::ChangesPending, strings(&["First"]), strings(&["Second"])));
    assert_eq!(names("PENDING2"), (FleetOutcome::ChangesPending, strings(&["First", "Second"]), vec![]));
    // The value First of this machine is already in desired state.
    assert_eq!(names("HALF"), (FleetOutcome::Waived, vec![], strings(&["Second"])));
}

#[test]
fn a_fleet_that_is_waived_is_done_and_a_fleet_plan_leaves_it_out() {
    let folder = Folder::new();
    folder.machine("A", json!({}));
    folder.machine("B", json!({}));
    let specs = specs(&[OTHER, SPEC]);
    let text = "  - { spec: THIRD, value: Third, machines: [a], reason: test, by: Ada, expires: 2099-01-01 }\n";
    let waivers = read(text, &specs, &folder.members()).unwrap();
    assert_eq!(of_third(&report(&folder, &specs, &waivers), "A"), FleetOutcome::Waived);
    let members = folder.members();
    let mut draft = Draft::new(Cursor::new(Vec::new()), 2);
    let found = survey_with_plans(
        &members,
        std::slice::from_ref(&specs),
        &[0, 0],
        &waivers,
        PlanLine::of,
        |at, line| draft.add(at, line),
        &mut (),
    );
    let bundle = draft.bundle(&members, &found, &specs).unwrap();
    assert_eq!(bundle.machines[0].waived, ["THIRD"]);
    assert_eq!((bundle.machines[0].changes, bundle.machines[1].changes), (0, 1));
    let mut bytes = Vec::new();
    draft.write(&bundle, &mut bytes).unwrap();
    let machine = Machine { computer_name: Some("A".to_owned()), machine_guid: Some("guid of A".to_owned()) };
    let plan = bundle::read(&*bytes, None, |bundle| bundle::choose(bundle, &machine, "local")).unwrap();
    assert_eq!(plan.changes().count(), 0);
}

#[test]
fn a_waiver_that_does_not_expire_on_a_date_shows_one() {
    for (date, hint) in [("May", "for example 2027-01-31"), ("2027-02-30", "for example 2027-01-31")] {
        let text = waiver("", "machines: [a]").replace("2026-11-27", date);
        let found = read(&text, &specs(&[SPEC]), &Folder::new().members()).unwrap_err();
        assert!(found[0].hint.as_ref().unwrap().to_string().ends_with(hint), "{found:#?}");
    }
}

/// Returns the outcome of THIRD on a machine.
fn of_third(report: &FleetReport, machine: &str) -> FleetOutcome {
    let has = |case: &&kbfix::fleet::Case| case.spec == "THIRD" && case.machines.iter().any(|name| **name == *machine);
    report.cases.iter().find(has).unwrap().outcome
}

#[test]
fn a_machine_of_which_all_is_waived_has_no_plan_and_nothing_to_do() {
    let folder = Folder::new();
    folder.machine("A", json!({}));
    let specs = specs(&[OTHER]);
    let text = "  - { spec: THIRD, machines: [A], reason: test, by: Ada, expires: 2099-01-01 }\n";
    let waivers = read(text, &specs, &folder.members()).unwrap();
    assert_eq!(report(&folder, &specs, &waivers).exit_code.code(), 0);
    let mut draft = Draft::new(Cursor::new(Vec::new()), 1);
    let members = folder.members();
    let found = survey_with_plans(
        &members,
        std::slice::from_ref(&specs),
        &[0],
        &waivers,
        PlanLine::of,
        |at, line| draft.add(at, line),
        &mut (),
    );
    let bundle = draft.bundle(&members, &found, &specs).unwrap();
    assert_eq!((bundle.machines.len(), bundle.waived.as_slice()), (0, &["A".to_owned()][..]));
}

#[test]
fn a_key_that_is_only_made_for_a_waived_value_is_waived_too() {
    let folder = Folder::new();
    let mut machine = super::support::snapshot("A", json!({}));
    machine["facts"]["keys"].as_array_mut().unwrap().push(json!({ "key": r"HKLM\SOFTWARE\New", "found": "absent" }));
    machine["facts"]["keys"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "key": r"HKLM\SOFTWARE", "found": { "present": {} } }));
    folder.write("A.json", &machine.to_string());
    let spec = OTHER.replace(r"HKLM\SOFTWARE\Vendor", r"HKLM\SOFTWARE\New\Below");
    let specs = specs(&[&spec]);
    let text = "  - { spec: THIRD, value: Third, machines: [A], reason: test, by: Ada, expires: 2099-01-01 }\n";
    let waivers = read(text, &specs, &folder.members()).unwrap();
    let report = report(&folder, &specs, &waivers);
    assert_eq!(report.cases[0].outcome, FleetOutcome::Waived, "{:#?}", report.cases);
    assert_eq!(report.cases[0].waived.as_ref().unwrap().changes.len(), 2);
}

#[test]
fn expired_and_unknown_waivers_are_errors() {
    let (folder, specs) = (Folder::mixed(), specs(&[SPEC]));
    let whom = "machines: [HALF]";
    for (text, code) in [
        (waiver("", whom).replace("2026-11-27", "2026-11-26"), "waiver-expired"),
        (waiver("", whom).replace("2026-11-27", "soon"), "waiver-expired"),
        (waiver("", whom).replace("TWO-VALUES", "THREE-VALUES"), "waiver-unknown"),
        (waiver("value: Fourth,", whom), "waiver-unknown"),
        (waiver("key: 'HKLM\\SOFTWARE\\Elsewhere',", whom), "waiver-unknown"),
        (waiver("rule: no-such-rule,", whom), "waiver-unknown"),
        (waiver("", "machines: [NOBODY]"), "waiver-unknown"),
        (waiver("", "groups: [nobody]"), "waiver-unknown"),
        (waiver("", "machines: []"), "waiver-unknown"),
        (waiver("", whom).replace("reason: old application, ", ""), "missing-field"),
        (waiver("", whom).replace("by: Ada", "by: ''"), "empty"),
        (waiver("outcome: unknown,", whom), "unknown-field"),
    ] {
        let found = read(&text, &specs, &folder.members()).unwrap_err();
        assert_eq!(found[0].code.as_str(), code, "{text}{found:#?}");
        assert_eq!(found[0].place.as_ref().unwrap().line, 3, "{text}");
    }
    for (machine, hint) in [("HALV", "did you mean `HALF`?"), ("NOBODY", "name one of these: ")] {
        let found = read(&waiver("", &format!("machines: [{machine}]")), &specs, &folder.members()).unwrap_err();
        let text = format!("{:?}", found[0].hint);
        assert!(text.contains(hint) && text.contains("HALF"), "{text}");
    }
    let mut nobody = folder.members();
    nobody.each.clear();
    let found = read(&waiver("", whom), &specs, &nobody).unwrap_err();
    assert_eq!(found[0].hint.as_deref(), Some("there is none in this run; remove the name"));
    assert!(read(&waiver("key: 'HKLM\\SOFTWARE\\Vendor', value: first,", whom), &specs, &folder.members()).is_ok());
}

/// Returns a spec with these rules.
fn with_rules(id: &str, rules: &str) -> String {
    format!("kbfix: 1\nid: {id}\ntitle: {id}\nregistry:\n{rules}")
}

/// A folder with the machine A, a 64-bit Windows with the key `HKLM\SOFTWARE` and these keys in it.
fn folder_64(present: &[Value], absent: &[&str]) -> Folder {
    let folder = Folder::new();
    let mut machine = super::support::snapshot("A", json!({}));
    let keys = machine["facts"]["keys"].as_array_mut().unwrap();
    let environment = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment";
    let amd64 = json!({ "PROCESSOR_ARCHITECTURE": super::support::sz("AMD64") });
    keys.push(json!({ "key": environment, "found": { "present": { "values": amd64 } } }));
    keys.push(json!({ "key": r"HKLM\SOFTWARE", "found": { "present": {} } }));
    keys.extend(present.iter().cloned());
    keys.extend(absent.iter().map(|key| json!({ "key": key, "found": "absent" })));
    folder.write("A.json", &machine.to_string());
    folder
}

/// Returns, for the one case of the report, its outcome, and the keys and values that are left and that are waived.
fn parts(report: &FleetReport) -> (FleetOutcome, [Vec<String>; 2]) {
    let words = |changes: &[KeyChange]| {
        let word = |change: &KeyChange| {
            let names: Vec<_> = change.values.iter().map(|value| value.name.as_str().to_owned()).collect();
            format!("{:?} {} {}", change.action, change.key, names.join(","))
        };
        changes.iter().map(word).collect::<Vec<_>>()
    };
    let case = &report.cases[0];
    (case.outcome, [words(&case.changes), words(&case.waived.as_ref().unwrap().changes)])
}

#[test]
fn a_spec_that_is_waived_only_without_the_changes_of_another_is_not_planned() {
    let folder = Folder::new();
    folder.machine("A", json!({}));
    let specs = specs(&[OTHER, &OTHER.replace("id: THIRD", "id: FOURTH")]);
    let one = |spec: &str| {
        format!("  - {{ spec: {spec}, value: Third, machines: [A], reason: r, by: Ada, expires: 2099-01-01 }}\n")
    };
    let waivers = read(&(one("THIRD") + &one("FOURTH")), &specs, &folder.members()).unwrap();
    let mut draft = Draft::new(Cursor::new(Vec::new()), 1);
    let members = folder.members();
    let list = std::slice::from_ref(&specs);
    let found =
        survey_with_plans(&members, list, &[0], &waivers, PlanLine::of, |at, line| draft.add(at, line), &mut ());
    assert!(found.cases.iter().all(|case| case.outcome == FleetOutcome::Waived), "{:#?}", found.cases);
    let bundle = draft.bundle(&members, &found, &specs).unwrap();
    assert_eq!((bundle.machines.len(), bundle.waived.as_slice()), (0, &["A".to_owned()][..]));
}

#[test]
fn a_key_that_a_rule_requires_is_waived_only_by_a_waiver_for_the_key() {
    let folder = folder_64(&[], &[r"HKLM\SOFTWARE\P"]);
    let rules = "  - { key: HKLM\\SOFTWARE\\P, ensure: present }\n  - { key: HKLM\\SOFTWARE\\P\\Q, \
                 ensure: present, values: { V: { type: REG_DWORD, data: 1 } } }\n";
    let specs = specs(&[&with_rules("P", rules)]);
    let waived = |what: &str| {
        let text = format!("  - {{ spec: P, {what}, machines: [A], reason: r, by: Ada, expires: 2099-01-01 }}\n");
        let waivers = read(&text, &specs, &folder.members()).unwrap();
        parts(&report(&folder, &specs, &waivers))
    };
    let [p, q] = [r"Create HKLM\SOFTWARE\P ", r"Create HKLM\SOFTWARE\P\Q "].map(str::to_owned);
    let with_value = format!("{q}V");
    let pending = FleetOutcome::ChangesPending;
    assert_eq!(waived(r"key: HKLM\SOFTWARE\P\Q"), (pending, [vec![p.clone()], vec![with_value]]));
    let value = r"Update HKLM\SOFTWARE\P\Q V".to_owned();
    assert_eq!(waived("value: V"), (pending, [vec![p, q], vec![value]]));
}

#[test]
fn a_waiver_for_a_deleted_key_covers_what_is_deleted_with_it() {
    let there = |key: &str, subkeys: &[&str]| {
        let present = json!({ "values": {}, "all_values": true, "subkeys": subkeys });
        json!({ "key": key, "found": { "present": present } })
    };
    let keys = [
        there(r"HKLM\SOFTWARE\D", &["S", "Own"]),
        there(r"HKLM\SOFTWARE\D\S", &["T"]),
        there(r"HKLM\SOFTWARE\D\S\T", &[]),
        there(r"HKLM\SOFTWARE\D\Own", &["U"]),
        there(r"HKLM\SOFTWARE\D\Own\U", &[]),
    ];
    let folder = folder_64(&keys, &[]);
    let deleted = |names: &[&str]| -> Vec<String> {
        names.iter().map(|name| format!(r"Delete HKLM\SOFTWARE\D{name} ")).collect()
    };
    let rules = "  - { key: HKLM\\SOFTWARE\\D, id: all, ensure: absent }\n  - { key: HKLM\\SOFTWARE\\D\\Own, id: own, \
                 ensure: absent }\n";
    let specs = specs(&[&with_rules("D", rules)]);
    for what in [r"key: HKLM\SOFTWARE\D", "rule: all"] {
        let text = format!("  - {{ spec: D, {what}, machines: [A], reason: r, by: Ada, expires: 2099-01-01 }}\n");
        let waivers = read(&text, &specs, &folder.members()).unwrap();
        let (outcome, [left, waived]) = parts(&report(&folder, &specs, &waivers));
        assert_eq!(outcome, FleetOutcome::ChangesPending, "{what}");
        assert_eq!(left, deleted(&[r"\Own\U", r"\Own"]), "{what}");
        assert_eq!(waived, deleted(&[r"\S\T", r"\S", ""]), "{what}");
    }
}

#[test]
fn a_waiver_for_a_rule_covers_only_the_registry_view_of_the_rule() {
    let present = |view: &str| json!({ "key": r"HKLM\SOFTWARE\R", "view": view, "found": { "present": { "values": { "V": "absent" } } } });
    let folder = folder_64(&[present("64"), present("32")], &[]);
    let values = "values: { V: { type: REG_DWORD, data: 1 } } }\n";
    let rules = format!(
        "  - {{ key: HKLM\\SOFTWARE\\R, id: in64, {values}  - {{ key: HKLM\\SOFTWARE\\R, view: 32, id: in32, {values}"
    );
    let specs = specs(&[&with_rules("R", &rules)]);
    let [in64, in32] = [r"Update HKLM\SOFTWARE\R V", r"Update HKLM\SOFTWARE\R [32-bit view] V"].map(str::to_owned);
    let (pending, all) = (FleetOutcome::ChangesPending, vec![in64.clone(), in32.clone()]);
    for (what, wanted) in [
        ("rule: in64", (pending, [vec![in32.clone()], vec![in64.clone()]])),
        ("rule: in32", (pending, [vec![in64], vec![in32]])),
        (r"key: HKLM\SOFTWARE\R", (FleetOutcome::Waived, [vec![], all])),
    ] {
        let text = format!("  - {{ spec: R, {what}, machines: [A], reason: r, by: Ada, expires: 2099-01-01 }}\n");
        let waivers = read(&text, &specs, &folder.members()).unwrap();
        assert_eq!(parts(&report(&folder, &specs, &waivers)), wanted, "{what}");
    }
}
