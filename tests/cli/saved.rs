//! Tests saved plans, journals and snapshots: files of an earlier kbfix are read, and files that somebody edited are
//! refused.

use kbfix::{
    journal::{Operation, Status, Store},
    plan::{Plan, file},
    targets::{KeyQuery, SnapshotTarget, Target, ValueSelection},
};
use serde_json::{Value, json};

use crate::harness::Machine;

/// The plan was made at commit fe40aaa, the last commit before the parts of a plan were checked against each other. It
/// contains KB909094, a spec with each kind of change, and a spec that depends on that one.
const PLAN: &str = include_str!("../fixtures/documents/plan.json");
const OF_SNAPSHOT: &str = include_str!("../fixtures/documents/plan-of-snapshot.json");
const IN_PLACE: &str = include_str!("../fixtures/documents/in-place.json");
const SNAPSHOT: &str = include_str!("../fixtures/documents/snapshot.json");
const DONE: &str = include_str!("../fixtures/documents/done.jsonl");
const ROLLED_BACK: &str = include_str!("../fixtures/documents/rolled-back.jsonl");
const ROLLBACK: &str = include_str!("../fixtures/documents/rollback.jsonl");

#[test]
fn plans_of_an_earlier_kbfix_are_read() {
    for text in [PLAN, OF_SNAPSHOT, IN_PLACE] {
        let value: Value = serde_json::from_str(text).unwrap();
        let digest = value["digest"].as_str().unwrap();
        let plan = Plan::from_text(text, Some(digest)).unwrap();
        assert_eq!(plan.specs.len(), 3);
        assert_eq!(plan.digest(), digest);
        assert_eq!(plan.to_text(), text);
    }
}

#[test]
fn a_snapshot_of_an_earlier_kbfix_is_read() {
    let machine = Machine::new();
    machine.write("snapshot.json", SNAPSHOT);
    let mut target = SnapshotTarget::open(machine.path("snapshot.json")).unwrap();
    let key = r"HKLM\SOFTWARE\Vendor\Gone".parse().unwrap();
    let found = target.read_keys(&[KeyQuery { key, values: ValueSelection::All, subkeys: true }]).unwrap().remove(0);
    assert_eq!(found.known().unwrap().unwrap().values.len(), 1);
}

#[test]
fn journals_of_an_earlier_kbfix_are_read() {
    let machine = Machine::new();
    let ids = ["20261127T201302.089Z-17614", "20261127T201302.201Z-17623", "20261127T201302.242Z-17628"];
    for (id, text) in ids.iter().zip([DONE, ROLLED_BACK, ROLLBACK]) {
        machine.write_journal(id, text);
    }
    let (journals, damaged) = Store::new(Some(&machine.path("state"))).unwrap().list().unwrap();
    assert!(damaged.is_empty(), "{damaged:?}");
    assert_eq!(journals.iter().map(|j| j.header.id.as_str()).collect::<Vec<_>>(), ids);
    assert_eq!(
        journals.iter().map(|j| j.status()).collect::<Vec<_>>(),
        [Status::Done, Status::RolledBack, Status::Done]
    );
    assert_eq!(journals[2].header.action, Operation::Rollback(ids[1].to_owned()));
    assert_eq!(journals[1].header.changes.len(), 9);
}

/// Returns the plan after `alter`, with the digest of its new content.
fn altered(alter: impl FnOnce(&mut Value)) -> String {
    let mut plan: Value = serde_json::from_str(PLAN).unwrap();
    plan.as_object_mut().unwrap().remove("digest");
    alter(&mut plan);
    plan["digest"] = file::digest(&plan).into();
    plan.to_string()
}

#[track_caller]
fn refused(alter: impl FnOnce(&mut Value), why: &str) {
    let error = Plan::from_text(&altered(alter), None).unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn what_a_reviewer_reads_as_found_is_what_the_facts_say() {
    let evidence = |plan: &mut Value, spec: usize, check: usize, member: &str, text: Value| {
        plan["specs"][spec]["checks"][check]["evidence"][0][member] = text;
    };
    refused(|p| evidence(p, 0, 0, "found", "REG_DWORD 66 (0x42)".into()), "the plan says REG_DWORD 66 (0x42)");
    refused(|p| evidence(p, 0, 2, "found", "6.5.7651.20 (x86)".into()), "the plan says 6.5.7651.20 (x86)");
    refused(|p| evidence(p, 0, 0, "result", "unmet".into()), "does not match its evidence");
    refused(|p| evidence(p, 2, 0, "planned_by", Value::Null), "is not in the form that kbfix writes");
    refused(
        |p| drop(p["specs"][2]["checks"][0]["evidence"][0].as_object_mut().unwrap().remove("planned_by")),
        "is planned by MANY",
    );
    // A file that is in the evidence and not in the facts.
    refused(|p| p["facts"]["files"] = json!([]), r"C:\Program Files\Exchsrvr\bin\exprox.dll");
    refused(
        |p| {
            p["specs"][0]["checks"][0]["result"] = "unmet".into();
            p["specs"][0]["checks"][0]["evidence"][0]["result"] = "unmet".into();
        },
        "KB909094: its outcome is changes_pending, but its checks lead to another",
    );
}

#[test]
fn a_protected_key_is_not_deleted() {
    // The same, although the facts agree.
    refused(
        |plan| {
            let facts = plan["facts"]["keys"].as_array_mut().unwrap();
            facts.retain(|fact| fact["key"] != r"HKLM\SYSTEM\Select");
            let key = r"HKLM\SYSTEM\Select";
            facts.push(json!({ "key": key, "found": { "present": { "all_values": true, "subkeys": [] } } }));
            facts.sort_by_key(|fact| fact["key"].as_str().unwrap().replace('\\', "\u{1}").to_uppercase());
            plan["specs"][1]["checks"] = json!([]);
            plan["specs"][1].as_object_mut().unwrap().remove("checks");
            let delete = json!({ "key": key, "action": "delete", "values": [] });
            plan["specs"][1]["changes"].as_array_mut().unwrap().push(delete);
        },
        r"MANY: it deletes HKLM\SYSTEM\Select, a key that Windows needs",
    );
}

#[test]
fn diff_and_apply_refuse_the_same_with_the_same_code() {
    let machine = Machine::new();
    machine.run("diff KB909094 @target --out @/plan.json").code(1);
    let plan: Value = serde_json::from_str(&machine.read("plan.json")).unwrap();
    let before = machine.export();
    let alter = |alter: &dyn Fn(&mut Value)| {
        let mut plan = plan.clone();
        plan.as_object_mut().unwrap().remove("digest");
        alter(&mut plan);
        plan["digest"] = file::digest(&plan).into();
        plan.to_string()
    };
    let outcome = alter(&|p| p["specs"][0]["outcome"] = "in_desired_state".into());
    let facts = alter(&|p| p["facts"] = json!({ "keys": [], "files": [] }));
    let security = format!("01000080{}", "00".repeat(16));
    let properties = alter(&|p| p["specs"][0]["changes"][0]["properties"] = json!({ "security": security }));
    let unknown = alter(&|p| p["specs"][0]["changes"][0]["more"] = 1.into());
    let protected = alter(&|p| {
        let facts = p["facts"]["keys"].as_array_mut().unwrap();
        let key = r"HKLM\SYSTEM\Select";
        facts.retain(|fact| fact["key"] != key);
        facts.push(json!({ "key": key, "found": { "present": { "all_values": true, "subkeys": [] } } }));
        facts.sort_by_key(|fact| fact["key"].as_str().unwrap().replace('\\', "\u{1}").to_uppercase());
        let delete = json!({ "key": key, "action": "delete", "values": [] });
        p["specs"][0]["changes"].as_array_mut().unwrap().push(delete);
    });
    let twice = plan.to_string().replacen("\"target\":", "\"target\":\"image:other\",\"target\":", 1);
    for (text, code, why) in [
        (outcome, "plan-inconsistent", "KB909094: its outcome is in_desired_state, but it has changes"),
        (facts, "plan-inconsistent", "HKLM"),
        (properties, "plan-inconsistent", "the class name or security descriptor of the new key"),
        (protected, "plan-inconsistent", r"it deletes HKLM\SYSTEM\Select, a key that Windows needs"),
        (unknown, "plan-invalid", "the member `more` is not known"),
        (twice, "plan-invalid", "the member `target` is given twice"),
    ] {
        machine.write("plan.json", &text);
        machine.run("diff --plan @/plan.json @target").code(2).says(code).says(why).says("[DIR]/plan.json: ");
        machine.run("apply --plan @/plan.json @target @state").code(2).says(code).says(why);
        machine.run("apply --check --plan @/plan.json @target @state").code(2).says(code).says(why);
    }
    assert_eq!((machine.export(), machine.journals()), (before, Vec::new()));
}

#[test]
fn snapshots_and_journals_with_a_member_that_is_given_twice_or_unknown_are_refused() {
    let machine = Machine::new();
    for (from, to, why) in [
        ("\"taken_of\":", "\"taken_of\": \"x\", \"taken_of\":", "the member `taken_of` is given twice"),
        ("\"found\": \"absent\"", "\"found\": \"absent\", \"more\": 1", "the member `more` is not known"),
        ("\"ServicePackNumber\":", "\"servicepacknumber\": \"absent\", \"ServicePackNumber\":", "is given twice"),
    ] {
        let text = SNAPSHOT.replacen(from, to, 1);
        assert_ne!(text, SNAPSHOT, "{from}");
        machine.write("snapshot.json", &text);
        machine.run("diff KB909094 --target snapshot:@/snapshot.json").code(3).says("target-malformed").says(why);
    }
    for (from, to, why) in [
        ("\"made\":", "\"made\":\"x\",\"made\":", "the member `made` is given twice"),
        ("{\"time\":", "{\"more\":1,\"time\":", "the member `more` is not known"),
        ("{\"time\":", "{\"time\":\"x\",\"time\":", "the member `time` is given twice"),
    ] {
        let text = DONE.replacen(from, to, 1);
        assert_ne!(text, DONE, "{from}");
        machine.write_journal("1", &text);
        machine.run("journal show 1 @state").code(2).says("journal-malformed").says(why);
    }
}
