//! Tests `fleet::impact` and `fleet::drift`.

use kbfix::{
    fleet::{DifferenceKind, FleetComparison, FleetOutcome, drift, impact},
    render::{self, Paint, fleet::MOST_MARKDOWN},
    spec::Spec,
};
use serde_json::json;

use super::support::{Folder, OTHER, SPEC, dword, snapshot, specs, sz};

fn impact_of(folder: &Folder, before: &[Spec], after: &[Spec]) -> FleetComparison {
    let members = folder.members();
    impact(&members, &[before.to_vec()], &[after.to_vec()], &vec![0; members.each.len()], &mut ())
}

/// Returns the kind, the spec and the number of machines of each difference.
fn told(comparison: &FleetComparison) -> Vec<(DifferenceKind, &str, usize)> {
    comparison.differences.iter().map(|one| (one.kind, &*one.spec, one.machines.len())).collect()
}

#[test]
fn the_same_specs_change_nothing() {
    let folder = Folder::mixed();
    let specs = specs(&[SPEC, OTHER]);
    let comparison = impact_of(&folder, &specs, &specs);
    assert_eq!((comparison.compared, comparison.different), (10, 0));
    assert!(comparison.differences.is_empty());
    assert_eq!(comparison.unreadable.len(), 1);
    assert_eq!(comparison.exit_code.code(), 3);
}

#[test]
fn outcomes_and_changes_come_go_and_differ() {
    let folder = Folder::mixed();
    let newer = SPEC.replace("data: 1 }", "data: 5 }");
    let comparison = impact_of(&folder, &specs(&[SPEC]), &specs(&[&newer, OTHER]));
    assert_eq!(comparison.specs.come, ["THIRD"]);
    assert_eq!(comparison.specs.differ, ["TWO-VALUES"]);
    let found = told(&comparison);
    for wanted in [
        (DifferenceKind::Comes, "THIRD", 10),
        // DESIRED is no longer in desired state.
        (DifferenceKind::Comes, "TWO-VALUES", 1),
        (DifferenceKind::Differs, "TWO-VALUES", 5),
        (DifferenceKind::Differs, "TWO-VALUES", 1),
    ] {
        assert!(found.contains(&wanted), "{found:?}");
    }
    assert_eq!(found.len(), 4);
    let gone = impact_of(&folder, &specs(&[SPEC, OTHER]), &specs(&[SPEC]));
    assert_eq!(gone.specs.go, ["THIRD"]);
    assert_eq!(told(&gone), [(DifferenceKind::Goes, "THIRD", 10)]);
    let text = render::fleet::comparison_human(&gone, Paint { colour: false });
    assert!(text.contains("specs that were removed: THIRD") && text.contains("+\"Third\"=dword:00000003"), "{text}");
    // The diff of the earlier state must not look like changes that are still to be made.
    let head = "the following changes are no longer to be made:";
    assert!(text.contains(&format!("  {head}\n@@ ")), "{text}");
    let text = render::fleet::comparison_markdown(&gone);
    assert!(text.contains(&format!("\n{head}\n\n```diff\n@@ ")), "{text}");
    let comes = impact_of(&folder, &specs(&[SPEC]), &specs(&[SPEC, OTHER]));
    assert!(!render::fleet::comparison_human(&comes, Paint { colour: false }).contains(head));
}

#[test]
fn what_left_the_desired_state_and_who_came_and_went() {
    let (old, new) = (Folder::new(), Folder::new());
    let desired = json!({ "Product": sz("x"), "Version": dword(2), "First": dword(1), "Second": sz("on purpose") });
    for name in ["A", "B", "STAYS", "WENT"] {
        old.machine(name, desired.clone());
    }
    for name in ["A", "B", "CAME", "STAYS"] {
        let mut values = desired.clone();
        if name == "A" || name == "B" {
            values["First"] = dword(7);
        }
        new.machine(name, values);
    }
    let specs = specs(&[SPEC]);
    let comparison = drift(&old.members(), &new.members(), &specs, &mut ());
    assert_eq!(comparison.machines_come.iter().map(|name| &**name).collect::<Vec<_>>(), ["CAME"]);
    assert_eq!(comparison.machines_go.iter().map(|name| &**name).collect::<Vec<_>>(), ["WENT"]);
    assert_eq!((comparison.compared, comparison.different), (3, 2));
    assert_eq!(told(&comparison), [(DifferenceKind::Comes, "TWO-VALUES", 2)]);
    let [fact] = comparison.facts.as_slice() else { panic!("{:#?}", comparison.facts) };
    assert_eq!(fact.place, r#"HKLM\SOFTWARE\Vendor "First""#);
    assert!(fact.was.contains("00000001") && fact.is.contains("00000007"), "{fact:?}");
    assert_eq!(fact.machines.len(), 2);
    assert_eq!(comparison.exit_code.code(), 1);
    assert_eq!(drift(&old.members(), &old.members(), &specs, &mut ()).exit_code.code(), 0);
}

#[test]
fn what_one_snapshot_does_not_know_has_not_moved() {
    let (old, new) = (Folder::new(), Folder::new());
    old.machine("A", json!({ "Product": sz("x"), "Version": dword(2) }));
    let mut less = snapshot("A", json!({ "Product": sz("x"), "Version": dword(2) }));
    less["facts"]["keys"][2]["found"]["present"]["values"].as_object_mut().unwrap().remove("Second");
    new.write("A.json", &less.to_string());
    let comparison = drift(&old.members(), &new.members(), &specs(&[SPEC]), &mut ());
    assert!(comparison.facts.is_empty(), "{:?}", comparison.facts);
    // The outcome changed from pending to unknown.
    assert_eq!(told(&comparison), [(DifferenceKind::Differs, "TWO-VALUES", 1)]);
    assert_eq!(comparison.exit_code.code(), 4);
}

#[test]
fn what_no_spec_needs_has_not_moved() {
    let renamed = |specs: &[Spec], without: &str| {
        let (old, new) = (Folder::new(), Folder::new());
        for (folder, name) in [(&old, "before"), (&new, "after")] {
            let mut machine = snapshot(name, json!({ "Product": sz("x"), "Version": dword(2) }));
            machine["facts"]["keys"][2]["found"]["present"]["values"].as_object_mut().unwrap().remove(without);
            folder.write("A.json", &machine.to_string());
        }
        let comparison = drift(&old.members(), &new.members(), specs, &mut ());
        assert_eq!((comparison.compared, comparison.different), (1, 0), "{:?}", comparison.facts);
        assert!(comparison.facts.is_empty(), "{:?}", comparison.facts);
    };
    let secret = SPEC.replace("Second: { type", "Second: { sensitive: true, type");
    renamed(&specs(&[&secret]), "");
    renamed(&specs(&[SPEC]), "");
    renamed(&specs(&[SPEC]), "Second");
}

#[test]
fn sensitive_data_is_not_in_a_comparison() {
    let (old, new) = (Folder::new(), Folder::new());
    let secret = SPEC.replace("Second: { type", "Second: { sensitive: true, type");
    old.machine("A", json!({ "Product": sz("x"), "Version": dword(2), "Second": sz("secret one") }));
    new.machine("A", json!({ "Product": sz("x"), "Version": dword(2), "Second": sz("secret two") }));
    let comparison = drift(&old.members(), &new.members(), &specs(&[&secret]), &mut ());
    assert_eq!(comparison.facts.len(), 1, "{:?}", comparison.facts);
    for text in [
        render::fleet::comparison_json(&comparison),
        render::fleet::comparison_human(&comparison, Paint { colour: false }),
        render::fleet::comparison_markdown(&comparison),
    ] {
        assert!(!text.contains("secret one") && !text.contains("secret two"), "{text}");
    }
}

#[test]
fn markdown_says_how_many_reasons_it_leaves_out() {
    let folder = Folder::mixed();
    let reasons: Vec<String> = (1..=8).map(|at| format!("the reason {at}")).collect();
    let mut report = folder.report(&specs(&[SPEC]));
    let pending = |outcome| outcome == FleetOutcome::ChangesPending;
    report.cases.iter_mut().filter(|case| pending(case.outcome)).for_each(|case| case.reasons = reasons.clone());
    let mut comparison = impact_of(&folder, &specs(&[OTHER]), &specs(&[SPEC]));
    let after = comparison.differences.iter_mut().filter_map(|one| one.after.as_mut());
    after.for_each(|case| case.reasons = reasons.clone());
    for text in [render::fleet::markdown(&report), render::fleet::comparison_markdown(&comparison)] {
        assert!(text.contains("the reason 5") && !text.contains("the reason 6"), "{text}");
        assert!(text.contains("**3 more reasons not shown here**"), "{text}");
    }
}

#[test]
fn the_markdown_of_a_comparison_fits() {
    let folder = Folder::new();
    for at in 0..120 {
        let second = sz(&format!("{at} {}", "x".repeat(3000)));
        folder.machine(&format!("M{at:03}"), json!({ "Product": sz("x"), "Version": dword(2), "Second": second }));
    }
    let comparison = impact_of(&folder, &specs(&[OTHER]), &specs(&[SPEC, OTHER]));
    let text = render::fleet::comparison_markdown(&comparison);
    assert!(text.len() <= MOST_MARKDOWN && text.len() > MOST_MARKDOWN / 2, "{}", text.len());
    assert_eq!(comparison.differences.len(), 120);
    assert!(text.contains("Not shown here"), "{text}");
}
