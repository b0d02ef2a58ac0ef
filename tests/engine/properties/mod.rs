//! Tests properties of every machine and every spec. Both are generated at random. The spec is generated as YAML text,
//! so that the reader of specs is tested too.
//!
//! Machines are exports. Faults are tested on a model in memory that can fail at a chosen step.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

mod faults;
pub(crate) mod generate;
pub(crate) mod model;
mod mutated;
mod retire;

use kbfix::{
    journal::{self, Store},
    observe::observe,
    operation::{self, Applied},
    plan::{Outcome, Plan},
    spec::{self, Settings, Spec},
    targets::{Address, ChangeAction, KeyChange, RegTarget, Target, ValueChange},
};
use proptest::prelude::*;

use generate::{Case, case};
use model::Model;

/// Loads a spec; `None` if the spec contradicts itself, which the generator does not always avoid.
pub(crate) fn load(text: &str) -> Option<Vec<Spec>> {
    let source = spec::Source { name: "random.yaml", bytes: text.as_bytes() };
    spec::load_all(&[source], &Settings::new()).into_specs().ok()
}

/// Applies a plan to a target of the tests.
pub(crate) fn execute(plan: &Plan, target: &mut dyn Target, store: &Store) -> Applied {
    let address = Address::new("local", None, None).unwrap();
    operation::execute(plan, journal::Operation::Apply, address, target, store).unwrap()
}

/// Rolls back changes as the command does.
pub(crate) fn roll_back(changes: &[KeyChange], target: &mut dyn Target) {
    let mut undo = journal::Rollback::default();
    observe(target, |reader| undo = journal::plan_rollback(changes, false, reader)).unwrap();
    assert!(undo.conflicts.is_empty() && undo.unread.is_empty(), "{undo:?}");
    target.write(&undo.changes).unwrap();
}

fn config() -> ProptestConfig {
    // 256 cases, or PROPTEST_CASES. A failing case is printed completely, so no file of regressions is needed.
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn apply_then_diff_is_empty_and_rollback_restores(case in case()) {
        let Case { machine, spec } = case;
        let Some(specs) = load(&spec) else { return Err(TestCaseError::reject("contradiction")) };
        let folder = tempfile::tempdir().unwrap();
        let state = Store::new(Some(folder.path())).unwrap();
        let mut target = Model::new(&machine);
        let before = target.keys.clone();

        let plan = operation::make_plan(&mut target, &specs).unwrap();
        prop_assert!(target.keys == before, "planning changed something");
        let changes: Vec<_> = plan.changes().cloned().collect();
        if plan.outcome() == Outcome::Unknown {
            // Bits or strings are to be kept of data that is no number and no list: nothing is changed.
            let reasons: Vec<_> = plan.specs.iter().flat_map(|spec| &spec.reasons).collect();
            prop_assert!(reasons.iter().all(|reason| reason.ends_with("change only a part of the data")), "{plan:?}");
            prop_assert!(changes.is_empty() && !reasons.is_empty(), "{plan:?}");
            return Ok(());
        }
        prop_assert!(matches!(plan.outcome(), Outcome::InDesiredState | Outcome::ChangesPending), "{plan:?}");
        let nothing = changes.is_empty();
        match execute(&plan, &mut target, &state) {
            Applied::Nothing => prop_assert!(nothing),
            Applied::Done(journal) => prop_assert_eq!(&journal.header.changes, &changes),
            other => prop_assert!(false, "{other:?}"),
        }
        let again = operation::make_plan(&mut target, &specs).unwrap();
        prop_assert_eq!(again.changes().count(), 0, "{:?}", again);
        prop_assert_eq!(again.outcome(), Outcome::InDesiredState);

        roll_back(&changes, &mut target);
        prop_assert!(target.keys == before, "{:?}\n{:?}", target.keys, before);
    }

    /// The same on a file, with its bytes, which the model does not have. If a spec only creates keys and values, a
    /// rollback restores every byte.
    #[test]
    fn exports_keep_every_byte_that_no_change_is_about(case in case()) {
        let Case { machine, spec } = case;
        let Some(specs) = load(&spec) else { return Err(TestCaseError::reject("contradiction")) };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("machine.reg");
        let before = generate::export(&machine);
        std::fs::write(&file, &before).unwrap();
        let mut target = RegTarget::open(&file, None, None).unwrap();

        let plan = operation::make_plan(&mut target, &specs).unwrap();
        let model = operation::make_plan(&mut Model::new(&machine), &specs).unwrap();
        let changes: Vec<_> = plan.changes().cloned().collect();
        prop_assert_eq!(&changes, &model.changes().cloned().collect::<Vec<_>>(), "an export says otherwise than the machine");
        target.write(&changes).unwrap();
        let mut reopened = RegTarget::open(&file, None, None).unwrap();
        prop_assert_eq!(operation::make_plan(&mut reopened, &specs).unwrap().changes().count(), 0);

        roll_back(&changes, &mut reopened);
        let after = std::fs::read(&file).unwrap();
        let mut restored = RegTarget::open(&file, None, None).unwrap();
        let again = operation::make_plan(&mut restored, &specs).unwrap();
        prop_assert_eq!(&again.facts, &plan.facts);
        // A value that was replaced comes back as kbfix writes it, a deleted one at the end of its key.
        let touches = |c: &KeyChange, which: fn(&ValueChange) -> bool| c.action == ChangeAction::Delete || c.values.iter().any(which);
        if !changes.iter().any(|c| touches(c, |v| v.before.is_some())) {
            prop_assert!(after == before, "{}", generate::text(&after));
        } else if !changes.iter().any(|c| touches(c, |v| v.after.is_none())) {
            let tidy = |bytes: &[u8]| generate::text(bytes).replace("\\\r\n  ", "").to_ascii_lowercase();
            prop_assert_eq!(tidy(&after), tidy(&before));
        }
    }

    #[test]
    fn a_plan_round_trips_and_its_digest_is_stable(case in case()) {
        let Case { machine, spec } = case;
        let Some(specs) = load(&spec) else { return Err(TestCaseError::reject("contradiction")) };
        let plan = operation::make_plan(&mut Model::new(&machine), &specs).unwrap();
        let text = plan.to_text();
        let digest = plan.digest();
        let read = Plan::from_text(&text, Some(&digest)).unwrap();
        prop_assert_eq!(&read, &plan);
        prop_assert_eq!(read.digest(), digest.clone());
        prop_assert_eq!(read.to_text(), text.clone());
        // A new plan for the same machine is the same plan.
        prop_assert_eq!(operation::make_plan(&mut Model::new(&machine), &specs).unwrap().digest(), digest.clone());
        operation::check_plan(&read, &mut Model::new(&machine)).unwrap();
        // If one character of the text is changed, the text is not a plan, or has another digest.
        let at = digest.bytes().map(usize::from).sum::<usize>() * 31 % text.len();
        if text.is_char_boundary(at) && text.is_char_boundary(at + 1) && !text[at..=at].trim().is_empty() {
            let altered = format!("{}{}{}", &text[..at], if &text[at..=at] == "7" { "8" } else { "7" }, &text[at + 1..]);
            prop_assert!(Plan::from_text(&altered, Some(&digest)).is_err(), "altered at {at}");
        }
    }

    #[test]
    fn any_export_of_a_machine_round_trips(case in case()) {
        let bytes = generate::export(&case.machine);
        let document = kbfix::format::reg::Document::parse(bytes.clone(), None).unwrap();
        prop_assert!(document.to_bytes() == bytes);
    }
}

/// A plan from the facts that were read so far would be incomplete.
#[test]
fn questions_that_do_not_end_are_an_error() {
    let mut target = Model::new(&[]);
    let mut asked = 0;
    let error = observe(&mut target, |reader| {
        asked += 1;
        drop(reader.key(&format!(r"HKLM\SOFTWARE\{asked}").parse().unwrap()));
    });
    assert!(error.unwrap_err().to_string().contains("after 600 rounds of reading, the specs still needed more facts"));
}

/// Found by the first property: a key that must be absent, and another such key below it.
#[test]
fn a_key_that_goes_with_the_one_above_goes_once() {
    let key = |text: &str| (text.parse().unwrap(), Vec::new());
    let machine = vec![key(r"HKLM\SOFTWARE\Random"), key(r"HKLM\SOFTWARE\Random\a"), key(r"HKLM\SOFTWARE\Random\a\b")];
    let rule = |below: &str| format!("  - key: HKLM\\SOFTWARE\\Random\\{below}\n    ensure: absent\n");
    let spec = format!("kbfix: 1\nid: T\ntitle: T\nregistry:\n{}{}", rule("a"), rule(r"a\b"));
    let mut target = Model::new(&machine);
    let plan = operation::make_plan(&mut target, &load(&spec).unwrap()).unwrap();
    target.write(&plan.changes().cloned().collect::<Vec<_>>()).unwrap();
    assert_eq!(target.keys.len(), 1);
}

/// The properties above test nothing if the generated specs change nothing.
#[test]
fn the_generator_makes_specs_that_load_and_that_change_something() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut loaded, mut changing, mut deleting) = (0, 0, 0);
    for _ in 0..200 {
        let case = case().new_tree(&mut runner).unwrap().current();
        let Some(specs) = load(&case.spec) else { continue };
        loaded += 1;
        let plan = operation::make_plan(&mut Model::new(&case.machine), &specs).unwrap();
        changing += usize::from(plan.changes().count() > 1);
        deleting += usize::from(plan.changes().any(|c| c.action == ChangeAction::Delete));
    }
    println!("of 200: {loaded} load, {changing} change more than one key, {deleting} delete one");
    assert!(loaded > 120 && changing > 40 && deleting > 10, "{loaded} {changing} {deleting}");
}
