//! Plans, snapshots and journals that are not as kbfix wrote them: a byte changed, a part cut out, a field of another
//! kind. Each gets an exit code that means what it says, never a panic; what is refused changes nothing.

use std::fs;

use serde_json::{Value, json};

use crate::{
    harness::{Machine, Run},
    numbers::Numbers,
};

/// `FUZZ_ROUNDS` makes it longer than CI needs.
fn rounds() -> usize {
    let few = if cfg!(windows) { 8 } else { 80 };
    std::env::var("FUZZ_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(few)
}

impl Numbers {
    /// The text with some bytes replaced, cut out or doubled.
    fn mangle(&mut self, text: &str) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len());
            let end = (at + self.below(40)).min(bytes.len());
            match self.below(4) {
                0 => bytes[at] = b"{}[],:\"\\0a-.\x00\xFFeE"[self.below(16)],
                1 => drop(bytes.drain(at..end)),
                2 => bytes.truncate(at),
                _ => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
            }
            if bytes.is_empty() {
                break;
            }
        }
        bytes
    }

    /// The document with one of its parts replaced, left out or doubled.
    fn alter(&mut self, document: &Value) -> Value {
        let mut document = document.clone();
        let at = self.below(count(&document));
        self.alter_part(&mut document, &mut { at });
        document
    }

    fn alter_part(&mut self, value: &mut Value, left: &mut usize) -> bool {
        if *left == 0 {
            let others = [
                json!(null),
                json!(-1),
                json!(1.5),
                json!(u64::MAX),
                json!(""),
                json!("HKLM"),
                json!(r"HKLM\SOFTWARE\\x"),
                json!("REG_DWORD"),
                json!("zz"),
                json!("\u{0}\n"),
                json!([]),
                json!({}),
                json!(true),
                json!("x".repeat(70_000)),
            ];
            *value = others[self.below(others.len())].clone();
            return true;
        }
        *left -= 1;
        match value {
            Value::Array(items) => {
                if *left < 2 && !items.is_empty() {
                    let at = self.below(items.len());
                    if self.below(2) == 0 {
                        drop(items.remove(at))
                    } else {
                        items.push(items[at].clone())
                    }
                    return true;
                }
                items.iter_mut().any(|item| self.alter_part(item, left))
            }
            Value::Object(fields) => {
                if *left < 2 && !fields.is_empty() {
                    let name = fields.keys().nth(self.below(fields.len())).cloned().unwrap();
                    let field = fields.remove(&name).unwrap();
                    if self.below(2) == 0 {
                        fields.insert(format!("{name}x"), field);
                    }
                    return true;
                }
                fields.values_mut().any(|field| self.alter_part(field, left))
            }
            _ => false,
        }
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// Each round's document: every second one mangled as text, every other one altered in its parts.
fn damaged(text: &str, seed: u64) -> impl Iterator<Item = Vec<u8>> {
    let (text, document): (_, Value) = (text.to_owned(), serde_json::from_str(text).unwrap());
    let mut numbers = Numbers(seed);
    (0..rounds()).map(move |round| match round % 2 {
        0 => numbers.mangle(&text),
        _ => format!("{}\n", numbers.alter(&document)).into_bytes(),
    })
}

/// The document with a digest that fits it, as somebody makes it who knows how.
fn with_digest(document: &[u8]) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(document).ok()?;
    value.as_object_mut()?.remove("digest");
    value["digest"] = kbfix::plan::file::digest(&value).into();
    Some(value.to_string().into_bytes())
}

#[track_caller]
fn sound(run: &Run, codes: &[i32], document: &[u8]) {
    let text = String::from_utf8_lossy(&document[..document.len().min(6000)]);
    assert!(codes.contains(&run.code), "{run:#?}\nof\n{text}");
    assert!(!run.stderr.contains("panicked") && !run.stderr.contains("[internal]"), "{run:#?}\nof\n{text}");
    assert!(![2, 3, 5].contains(&run.code) || run.stderr.contains("error["), "{run:#?}\nof\n{text}");
}

/// A server on which a value is replaced, one created, and one deleted with its key.
fn machine() -> Machine {
    let machine = Machine::with_dav("\"DisableRealmHint\"=hex(4):01,00,00");
    let keys = "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - { key: HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSExchangeWEB\\OWA, ensure: absent }\n";
    machine.write("t.yaml", keys);
    machine
}

/// Each document has the code of a document that is damaged, and the message names the first wrong byte.
#[test]
fn documents_that_are_not_utf_8() {
    let machine = machine();
    fs::write(machine.path("d.json"), b"{\"a\":\xFF}").unwrap();
    fs::write(machine.path("p.json"), b"{\"kbfix_fleet_plan\":\xFF}\n").unwrap();
    fs::create_dir(machine.path("fleet")).unwrap();
    fs::copy(machine.path("d.json"), machine.path("fleet/FE1.json")).unwrap();
    for (line, code, message) in [
        ("apply --plan @/d.json @target @state", 2, "plan-invalid]: [DIR]/d.json: "),
        ("diff --plan @/d.json @target", 2, "plan-invalid]: [DIR]/d.json: "),
        ("diff --plan @/p.json @target", 2, "plan-invalid]: [DIR]/p.json: "),
        ("diff KB909094 --target snapshot:@/d.json", 3, "target-malformed]: [DIR]/d.json: "),
        ("rollback @/d.json @state", 2, "journal-malformed]: [DIR]/d.json, line 1: "),
        ("fleet diff KB909094 --snapshots @/fleet", 3, "[DIR]/fleet/FE1.json: "),
    ] {
        let at = if line.contains("p.json") { 21 } else { 6 };
        let run = machine.run(line).code(code).says(message);
        run.says(&format!("it is not UTF-8 text: byte {at} is 0xFF"));
    }
    for line in ["fleet diff KB909094 --fleet @/d.json", "validate @/d.json"] {
        machine.run(line).code(2).says("[not-utf8]: the byte 0xFF is not UTF-8").says("d.json:1:6");
    }
    assert!(machine.journals().is_empty());
}

/// The message names the lock file of a hive, and not the hive.
#[test]
fn a_lock_file_of_a_hive_that_is_not_a_lock_is_named() {
    let machine = Machine::new();
    machine.run("example @/image").code(0);
    let lock = "Windows/System32/config/.kbfix-SYSTEM.lock";
    machine.write(&format!("image/{lock}"), "x");
    let run = machine.run("apply KB909094 --target image:@/image @state").code(5).says("write-failed");
    run.says(&format!("[DIR]/image/{lock}: the lock file is a file with content"));
}

/// The process ended while it was adding an event, within a character.
#[test]
fn a_journal_that_ends_within_a_character_is_rolled_back() {
    let machine = machine();
    machine.run("apply KB909094 @target @state").code(0);
    let path = machine.path("state/journal").join(machine.journals().remove(0));
    let mut journal = fs::read(&path).unwrap();
    journal.extend(b"{\"at\":\"\xC3");
    fs::write(&path, &journal).unwrap();
    machine.run("rollback --last --check @state").code(1);
    // In a complete line, the same is damage, and the message names the line.
    let line = journal.iter().filter(|byte| **byte == b'\n').count() + 1;
    journal.push(b'\n');
    fs::write(&path, &journal).unwrap();
    machine.run("rollback --last --check @state").code(2).says(&format!("line {line}: it is not UTF-8 text: byte 8"));
}

#[test]
fn snapshots_never_panic() {
    let machine = machine();
    machine.run("snapshot KB909094 @/t.yaml @target --out @/s.json").code(0);
    for document in damaged(&machine.read("s.json"), 1) {
        fs::write(machine.path("d.json"), &document).unwrap();
        let run = machine.run("diff KB909094 @/t.yaml --target snapshot:@/d.json");
        sound(&run, &[0, 1, 3, 4], &document);
    }
}

#[test]
fn plans_are_carried_out_only_with_the_digest_that_was_approved() {
    let machine = machine();
    machine.run("diff KB909094 @/t.yaml @target --out @/p.json").code(1);
    let plan = machine.read("p.json");
    let before = machine.export();
    let digest = kbfix::plan::Plan::from_text(&plan, None).unwrap().digest();
    for document in damaged(&plan, 2) {
        fs::write(machine.path("d.json"), &document).unwrap();
        sound(&machine.run("diff --plan @/d.json @target"), &[0, 1, 2, 3, 4], &document);
        // The same plan in another spelling has the same digest.
        let same = std::str::from_utf8(&document)
            .is_ok_and(|text| kbfix::plan::Plan::from_text(text, None).is_ok_and(|plan| plan.digest() == digest));
        if !same {
            let run = machine.run(&format!("apply --plan @/d.json --digest {digest} @target @state"));
            sound(&run, &[2], &document);
            assert_eq!(machine.export(), before);
        }
        if let Some(forged) = with_digest(&document) {
            fs::write(machine.path("d.json"), &forged).unwrap();
            sound(&machine.run("diff --plan @/d.json @target"), &[0, 1, 2, 3, 4], &forged);
            let run = machine.run("apply --plan @/d.json @target @state");
            sound(&run, &[0, 2, 3, 4, 5, 7], &forged);
            if ![0, 7].contains(&run.code) {
                assert_eq!(machine.export(), before, "{run:#?}");
            }
            machine.set_export(&before);
        }
    }
}

#[test]
fn journals_are_rolled_back_or_refused() {
    let machine = machine();
    machine.run("apply KB909094 @/t.yaml @target @state").code(0);
    let (name, after) = (machine.journals().remove(0), machine.export());
    let journal = machine.read(&format!("state/journal/{name}"));
    let (entry, events) = journal.split_once('\n').unwrap();
    let rollback = |entry: &[u8], codes: &[i32]| {
        let document = [entry.trim_ascii_end(), b"\n", events.as_bytes()].concat();
        fs::write(machine.path("d.jsonl"), &document).unwrap();
        let run = machine.run("rollback @/d.jsonl --state-dir @/other");
        sound(&run, codes, &document);
        if ![0, 6].contains(&run.code) {
            assert_eq!(machine.export(), after, "{run:#?}");
        }
        machine.set_export(&after);
        let _ = fs::remove_dir_all(machine.path("other"));
    };
    let whole: Value = serde_json::from_str(entry).unwrap();
    for damaged in damaged(entry, 3) {
        // What damage left with the same meaning is as good as before. A member given twice has no meaning, though
        // serde_json takes the last; only then is the compact text longer than that of what it reads.
        let same = serde_json::from_slice::<Value>(&damaged)
            .is_ok_and(|value| value == whole && damaged.trim_ascii().len() == value.to_string().len());
        rollback(&damaged, if same { &[0] } else { &[2] });
        if let Some(forged) = with_digest(&damaged) {
            rollback(&forged, &[0, 2, 3, 4, 5, 6]);
        }
    }
}
