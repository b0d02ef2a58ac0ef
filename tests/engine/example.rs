//! `examples/apply.rs`, which shows how to use the library, does what it says.

use kbfix::{
    operation::{MOST_CHANGES, Request, diff},
    plan::Outcome,
    spec::{self, Settings, library},
    targets::{Address, open},
};

#[path = "../../examples/apply.rs"]
#[allow(dead_code, reason = "the test calls `run`, and not the `main` of the example")]
mod apply;

#[test]
fn it_applies_and_rolls_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut out = Vec::new();
    apply::run(folder.path(), &mut out).unwrap();

    let out = String::from_utf8(out).unwrap();
    let outcomes: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix("KB909094: ")).collect();
    assert_eq!(outcomes, ["changes pending", "changed", "changed"], "{out}");
    assert_eq!(out.matches("+\"DisableRealmHint\"").count(), 2, "{out}");
    assert_eq!(out.matches("-\"DisableRealmHint\"").count(), 1, "{out}");

    // The machine is as it was: the same change is pending.
    let spec = spec::load("KB909094", library::find("KB909094").unwrap(), &Settings::new()).spec.unwrap();
    let address = Address::new(&format!("image:{}", folder.path().join("machine").display()), None, None).unwrap();
    let mut target = open(&address).unwrap();
    let plan = diff(Request::Specs(vec![spec]), MOST_CHANGES, target.as_mut(), &mut ()).unwrap().plan;
    assert_eq!(plan.specs[0].outcome, Outcome::ChangesPending);
}
