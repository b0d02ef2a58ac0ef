//! Tests that machines with the same facts are planned once, and that the report is the same as if each machine had
//! been planned.

use kbfix::fleet::FleetOutcome;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    shared::check,
    support::{Folder, OTHER, SPEC, dword, snapshot, specs, sz},
};

/// A spec for one machine, which the spec recognizes by the MachineGuid.
const BY_GUID: &str = r"
kbfix: 1
id: BY-GUID
title: One machine
applicable: { registry: { key: HKLM\SOFTWARE\Microsoft\Cryptography, name: MachineGuid, equals: guid of A } }
registry:
  - key: HKLM\SOFTWARE\Vendor
    values: { Third: { type: REG_DWORD, data: 3 } }
";

/// A spec with a value that Group Policy may own.
const POLICY: &str = r"
kbfix: 1
id: POLICY
title: A value of Group Policy
registry:
  - key: HKLM\SOFTWARE\Policies\Vendor
    values: { Allowed: { type: REG_DWORD, data: 1 } }
";

/// A spec for every key below another key.
const STAR: &str = r"
kbfix: 1
id: STAR
title: Every product
registry:
  - key: HKLM\SOFTWARE\Vendor\*
    values: { First: { type: REG_DWORD, data: 1 } }
";
const SECRET: &str = r"
kbfix: 1
id: SECRET
title: A secret
registry:
  - key: HKLM\SOFTWARE\Vendor
    values: { Second: { type: REG_SZ, data: secret, sensitive: true } }
";

#[test]
fn a_spec_that_asks_which_machine_it_is_is_planned_on_each() {
    for by in [
        BY_GUID.to_owned(),
        BY_GUID
            .replace(
                r"HKLM\SOFTWARE\Microsoft\Cryptography",
                r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName",
            )
            .replace("name: MachineGuid, equals: guid of A", "name: ComputerName, equals: A"),
    ] {
        let folder = Folder::new();
        for name in ["A", "B", "C"] {
            folder.machine(name, json!({}));
        }
        let specs = specs(&[&by]);
        check(&folder.members(), &specs);
        let report = folder.report(&specs);
        let outcomes: Vec<_> = report.machines.iter().map(|machine| machine.outcome).collect();
        let not = FleetOutcome::NotApplicable;
        assert_eq!(outcomes, [FleetOutcome::ChangesPending, not, not], "{by}");
    }
}

/// Generates a snapshot. Each value has one of a few states, so that many machines are alike and some are almost alike.
fn machine() -> impl Strategy<Value = (Value, &'static str, bool, Vec<&'static str>)> {
    let state = prop::sample::select(vec![
        json!("absent"),
        dword(1),
        dword(3),
        sz("on purpose"),
        json!({ "unread": { "reason": "denied", "detail": "no right" } }),
    ]);
    let values = prop::collection::vec(state, 3).prop_map(|states| {
        json!({ "Product": sz("x"), "Version": dword(2), "First": states[0], "Second": states[1], "Third": states[2] })
    });
    let subkeys = prop::sample::select(vec![vec![], vec!["a"], vec!["a", "b"], vec!["not covered"]]);
    (values, prop::sample::select(vec!["local", "image:x", "reg:x.reg"]), any::<bool>(), subkeys)
}

proptest! {
    // Each case writes and opens files, which takes long under Wine.
    #![proptest_config(ProptestConfig::with_cases(if cfg!(windows) { 8 } else { 48 }))]
    #[test]
    fn machines_that_share_a_plan_have_the_results_of_their_own(
        machines in prop::collection::vec(machine(), 1..12),
        with_identity in any::<bool>(),
        with_secret in any::<bool>(),
    ) {
        let folder = Folder::new();
        for (at, (values, taken_of, lower, subkeys)) in machines.iter().enumerate() {
            let name = ["A", "B", "C"].get(at).map_or_else(|| format!("M{at}"), |name| (*name).to_owned());
            let mut snapshot = snapshot(&name, values.clone());
            snapshot["taken_of"] = (*taken_of).into();
            snapshot["taken"] = format!("2026-11-27T12:00:{at:02}.000Z").into();
            let keys = snapshot["facts"]["keys"].as_array_mut().unwrap();
            if *subkeys != ["not covered"] {
                keys[2]["found"]["present"]["subkeys"] = json!(subkeys);
            }
            for subkey in subkeys.iter().filter(|_| at % 3 > 0) {
                let key = format!(r"HKLM\SOFTWARE\Vendor\{subkey}");
                keys.push(json!({ "key": key, "found": { "present": { "values": { "First": dword(at as u32 % 2) } } } }));
            }
            if at % 4 == 3 {
                snapshot["facts"].as_object_mut().unwrap().remove("policies");
            }
            let mut text = snapshot.to_string();
            if *lower {
                // The same key in another case: kbfix shows it differently.
                text = text.replace("Vendor", "VENDOR").replace("\"Third\"", "\"THIRD\"");
            }
            folder.write(&format!("{name}.json"), &text);
        }
        let mut texts = vec![SPEC, OTHER, POLICY, STAR];
        if with_secret {
            texts.push(SECRET);
        }
        if with_identity {
            texts.push(BY_GUID);
        }
        check(&folder.members(), &specs(&texts));
    }
}
