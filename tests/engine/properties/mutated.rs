//! Tests plans whose parts contradict each other. Somebody can write such a plan and compute its digest.

use kbfix::{
    operation,
    plan::{
        Outcome, Plan,
        file::{PlanError, digest},
    },
    targets::Target,
};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use crate::properties::{
    config,
    generate::{Case, case},
    load,
    model::Model,
};

/// Alters a plan. Returns `None` if the plan does not contain what the mutation is about. `pick` chooses one of several
/// positions.
type Mutation = fn(&mut Value, pick: &Index) -> Option<()>;

fn read(plan: &Value) -> Result<Plan, PlanError> {
    let mut plan = plan.clone();
    plan.as_object_mut().unwrap().remove("digest");
    plan["digest"] = digest(&plan).into();
    Plan::from_text(&plan.to_string(), None)
}

/// Returns an index in a list of this length; `None` if the list is empty.
fn at(pick: &Index, length: usize) -> Option<usize> {
    (length > 0).then(|| pick.index(length))
}

fn one<'a>(list: &'a mut Value, pick: &Index) -> Option<&'a mut Value> {
    let list = list.as_array_mut()?;
    let at = at(pick, list.len())?;
    list.get_mut(at)
}

fn change<'a>(plan: &'a mut Value, pick: &Index) -> Option<&'a mut Value> {
    one(plan["specs"][0].get_mut("changes")?, pick)
}

fn of_action<'a>(plan: &'a mut Value, action: &str) -> Option<&'a mut Value> {
    let changes = plan["specs"][0].get_mut("changes")?.as_array_mut()?;
    changes.iter_mut().find(|change| change["action"] == action)
}

fn other_data() -> Value {
    json!({ "type": "REG_BINARY", "bytes": "6d7574", "text": "hex:6d,75,74" })
}

/// The mutations after which a plan must be refused.
const REFUSED: &[(&str, Mutation)] = &[
    ("another outcome", |plan, pick| {
        let outcomes =
            ["in_desired_state", "not_applicable", "blocked", "unknown", "changes_pending", "changed", "failed"];
        let outcome = &mut plan["specs"][0]["outcome"];
        // The reasons for blocked and unknown are not always in the parts of the plan.
        let gone = matches!(outcome.as_str()?, "blocked" | "unknown");
        let others: Vec<_> =
            outcomes.iter().filter(|o| **o != *outcome && !(gone && matches!(**o, "blocked" | "unknown"))).collect();
        // Without changes and reasons, nothing in the plan shows that the spec was blocked.
        let other = *others[pick.index(others.len())];
        let idle = *outcome == "in_desired_state" || gone;
        (!(idle && matches!(other, "blocked" | "unknown" | "in_desired_state"))).then(|| *outcome = other.into())
    }),
    ("no facts", |plan, _| {
        plan["facts"] = json!({ "keys": [], "files": [] });
        Some(())
    }),
    ("the fact of a changed key is dropped", |plan, pick| {
        let key = change(plan, pick)?["key"].as_str()?.to_lowercase();
        let above = key.rsplit_once('\\')?.0.to_owned();
        let keys = plan["facts"]["keys"].as_array_mut()?;
        // What is below an absent key is absent.
        keys.retain(|fact| {
            let fact = fact["key"].as_str().unwrap().to_lowercase();
            fact != key && fact != above && !above.starts_with(&format!("{fact}\\"))
        });
        Some(())
    }),
    ("data before a change is other data", |plan, pick| {
        let value = one(change(plan, pick)?.get_mut("values")?, pick)?;
        value["before"] = other_data();
        Some(())
    }),
    ("a value is absent before that is there", |plan, pick| {
        let value = one(change(plan, pick)?.get_mut("values")?, pick)?;
        (!value["before"].is_null()).then(|| value["before"] = Value::Null)
    }),
    ("nothing changes", |plan, pick| {
        let value = one(change(plan, pick)?.get_mut("values")?, pick)?;
        value["after"] = value["before"].clone();
        Some(())
    }),
    ("a change is given twice", |plan, pick| {
        let again = change(plan, pick)?.clone();
        plan["specs"][0]["changes"].as_array_mut()?.push(again);
        Some(())
    }),
    ("a value is given twice in other letters", |plan, pick| {
        let values = change(plan, pick)?.get_mut("values")?.as_array_mut()?;
        let mut again = values.iter().find(|v| v["name"].as_str().is_some_and(|n| n == "v" || n == "W"))?.clone();
        again["name"] = if again["name"] == "v" { "V" } else { "w" }.into();
        values.push(again);
        Some(())
    }),
    ("a change that nothing supports", |plan, _| {
        let evil = json!({
            "key": "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Evil", "action": "create",
            "values": [{ "name": "ImagePath", "before": null, "after": other_data() }],
        });
        plan["specs"][0].get_mut("changes")?.as_array_mut()?.push(evil);
        Some(())
    }),
    ("a further value that nothing supports", |plan, _| {
        let update = of_action(plan, "update")?;
        let more = json!({ "name": "unheard of", "before": null, "after": other_data() });
        update["values"].as_array_mut()?.push(more);
        Some(())
    }),
    ("a security descriptor of a created key", |plan, _| {
        of_action(plan, "create")?["properties"] = json!({ "security": format!("01000080{}", "00".repeat(16)) });
        Some(())
    }),
    ("a class name of an updated key", |plan, _| {
        of_action(plan, "update")?["properties"] =
            json!({ "class": "c", "security": format!("01000080{}", "00".repeat(16)) });
        Some(())
    }),
    ("a deleted key loses a value that is not named", |plan, pick| {
        let changes = plan["specs"][0].get_mut("changes")?.as_array_mut()?;
        let full = |c: &&mut Value| c["action"] == "delete" && c["values"].as_array().is_some_and(|v| !v.is_empty());
        let values = changes.iter_mut().find(full)?["values"].as_array_mut()?;
        let at = at(pick, values.len())?;
        values.remove(at);
        Some(())
    }),
    ("a key that is absent before is there, or the other way round", |plan, pick| {
        let change = change(plan, pick)?;
        change["action"] = match change["action"].as_str()? {
            "create" => ["update", "delete"][pick.index(2)],
            _ => "create",
        }
        .into();
        Some(())
    }),
    ("what is already there is something else", |plan, pick| {
        let one = one(plan["specs"][0].get_mut("satisfied")?, pick)?;
        one.get("name")?;
        one["data"] = other_data();
        Some(())
    }),
    ("what is already there is planned", |plan, pick| {
        one(plan["specs"][0].get_mut("satisfied")?, pick)?["planned_by"] = "RANDOM".into();
        Some(())
    }),
    ("another machine", |plan, _| {
        plan["machine"]["computer_name"] = "OTHER".into();
        Some(())
    }),
    ("more changes by a star than there are", |plan, _| {
        plan["specs"][0].get_mut("changes")?;
        plan["specs"][0]["by_star"] = 1_000_000.into();
        Some(())
    }),
    ("the last spec requires more after later specs", |plan, _| {
        let last = plan["specs"].as_array()?.last()?["id"].clone();
        plan["unsettled"] = json!([last]);
        Some(())
    }),
    ("a spec is given twice", |plan, _| {
        let again = plan["specs"][0].clone();
        plan["specs"].as_array_mut()?.push(again);
        Some(())
    }),
    ("no spec, but specs to retire", |plan, _| {
        plan["specs"] = json!([]);
        plan["retires"] = json!({ "specs": ["A"], "journal": "x" });
        Some(())
    }),
    ("no digest of the spec", |plan, _| {
        plan["specs"][0]["sha256"] = "".into();
        Some(())
    }),
    ("a member that kbfix does not know, in a change", |plan, pick| {
        change(plan, pick)?["unheard_of"] = true.into();
        Some(())
    }),
    ("the same in a fact", |plan, pick| {
        one(plan["facts"].get_mut("keys")?, pick)?["unheard_of"] = true.into();
        Some(())
    }),
    ("the same in what is already there", |plan, pick| {
        one(plan["specs"][0].get_mut("satisfied")?, pick)?["unheard_of"] = Value::Null;
        Some(())
    }),
    ("a fact is given twice", |plan, pick| {
        let again = one(plan["facts"].get_mut("keys")?, pick)?.clone();
        plan["facts"]["keys"].as_array_mut()?.push(again);
        Some(())
    }),
    ("a key in another notation", |plan, pick| {
        let change = change(plan, pick)?;
        change["key"] = change["key"].as_str()?.replace("HKLM\\", "HKEY_LOCAL_MACHINE\\").into();
        Some(())
    }),
];

/// The mutations after which the parts of a plan may still agree.
const ANY: &[Mutation] = &[
    |plan, pick| {
        let changes = plan["specs"][0].get_mut("changes")?.as_array_mut()?;
        let at = at(pick, changes.len())?;
        changes.remove(at);
        Some(())
    },
    |plan, pick| {
        let changes = plan["specs"][0].get_mut("changes")?.as_array_mut()?;
        let at = at(pick, changes.len())?;
        changes.swap(0, at);
        Some(())
    },
    |plan, _| {
        plan["specs"][0].get_mut("changes")?.as_array_mut()?.reverse();
        Some(())
    },
    |plan, pick| {
        let keys = plan["facts"]["keys"].as_array_mut()?;
        let at = at(pick, keys.len())?;
        keys.remove(at);
        Some(())
    },
    |plan, pick| {
        let key = one(plan["facts"].get_mut("keys")?, pick)?;
        key["found"] = "absent".into();
        Some(())
    },
    |plan, pick| {
        let found = one(plan["facts"].get_mut("keys")?, pick)?.get_mut("found")?.get_mut("present")?;
        let values = found.get_mut("values")?.as_object_mut()?;
        let name = values.keys().nth(at(pick, values.len())?)?.clone();
        drop(values.remove(&name));
        Some(())
    },
    |plan, pick| {
        let found = one(plan["facts"].get_mut("keys")?, pick)?.get_mut("found")?.get_mut("present")?;
        found.as_object_mut()?.remove("subkeys").map(drop)
    },
    |plan, pick| {
        let value = one(change(plan, pick)?.get_mut("values")?, pick)?;
        value["after"] = other_data();
        Some(())
    },
    |plan, pick| {
        let value = one(change(plan, pick)?.get_mut("values")?, pick)?;
        value["name"] = "renamed".into();
        Some(())
    },
    |plan, pick| {
        let values = change(plan, pick)?.get_mut("values")?.as_array_mut()?;
        let at = at(pick, values.len())?;
        values.remove(at);
        Some(())
    },
];

proptest! {
    // Each case makes many plans.
    #![proptest_config(ProptestConfig { cases: config().cases / 4, ..config() })]

    #[test]
    fn a_plan_whose_parts_do_not_fit_is_refused(case in case(), pick: Index) {
        let Case { machine, spec } = case;
        let Some(specs) = load(&spec) else { return Err(TestCaseError::reject("contradiction")) };
        let plan = operation::make_plan(&mut Model::new(&machine), &specs).unwrap();
        let plan: Value = serde_json::from_str(&plan.to_text()).unwrap();
        prop_assert!(read(&plan).is_ok(), "{:?}", read(&plan));
        for (name, mutate) in REFUSED {
            let mut altered = plan.clone();
            if mutate(&mut altered, &pick).is_some() {
                prop_assert!(
                    matches!(read(&altered), Err(PlanError::Shape(_) | PlanError::Inconsistent(_))),
                    "{name}: {altered:#}"
                );
            }
        }
    }

    /// For every mutation: a plan that is accepted, and whose facts are those of the machine, can be carried out there
    /// and does what it says.
    #[test]
    fn what_an_accepted_plan_says_is_what_happens(case in case(), mutations in prop::collection::vec(any::<(Index, Index)>(), 1..4)) {
        let Case { machine, spec } = case;
        let Some(specs) = load(&spec) else { return Err(TestCaseError::reject("contradiction")) };
        let plan = operation::make_plan(&mut Model::new(&machine), &specs).unwrap();
        let mut altered: Value = serde_json::from_str(&plan.to_text()).unwrap();
        for (which, pick) in mutations {
            let _ = ANY[which.index(ANY.len())](&mut altered, &pick);
        }
        let Ok(plan) = read(&altered) else { return Ok(()) };
        let mut target = Model::new(&machine);
        if !matches!(operation::check_plan(&plan, &mut target), Ok(operation::PlanStatus::Current)) {
            return Ok(());
        }
        let changes: Vec<_> = plan.changes().cloned().collect();
        prop_assert_eq!(changes.is_empty(), plan.outcome() != Outcome::ChangesPending);
        prop_assert!(target.write(&changes).is_ok(), "{altered:#}");
        // The machine is then in the state of the plan's facts after its changes.
        let mut after = plan.clone();
        changes.iter().for_each(|change| after.facts.apply(change));
        prop_assert_eq!(after.facts.moved(&kbfix::observe::observe_again(&mut target, &after.facts).unwrap()), vec![]);
    }
}

/// The first property tests nothing about a mutation that does not apply to any generated plan.
#[test]
fn every_mutation_finds_its_place_in_some_plan() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut unused: Vec<&str> = REFUSED.iter().map(|(name, _)| *name).collect();
    for _ in 0..300 {
        let (case, pick) = (case(), any::<Index>()).new_tree(&mut runner).unwrap().current();
        let Some(specs) = load(&case.spec) else { continue };
        let plan = operation::make_plan(&mut Model::new(&case.machine), &specs).unwrap();
        let plan: Value = serde_json::from_str(&plan.to_text()).unwrap();
        unused.retain(|name| {
            let mutate = REFUSED.iter().find(|(other, _)| other == name).unwrap().1;
            mutate(&mut plan.clone(), &pick).is_none()
        });
        if unused.is_empty() {
            return;
        }
    }
    panic!("nowhere: {unused:?}");
}
