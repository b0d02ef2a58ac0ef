//! Compares policy files with an independent reader and writer, Samba's `preg` (policies.py), after each of 10,000
//! random edits.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::Write as _,
    process::{Command, Stdio},
};

use kbfix::{
    format::pol::{Document, Instruction, Setting},
    registry::{Data, KeyPath, RootKey, ValueName, notation},
};
use serde_json::{Value, json};

use crate::policy_file;

mod import;
mod through;
#[path = "../../support/numbers.rs"]
mod numbers;
use numbers::Numbers;

const KEYS: [&str; 3] = [r"Software\Policies\One", r"Software\Policies\Two Words", r"Software\One"];
const NAMES: [&str; 5] = ["A", "Second;name]", "", "Long name", "[x"];

fn entry(numbers: &mut Numbers) -> (String, String, Data) {
    let (at, called) = (numbers.below(KEYS.len()), numbers.below(NAMES.len()));
    let key = spelled(numbers, KEYS[at]);
    let name = spelled(numbers, NAMES[called]);
    let (name, data) = match numbers.below(12) {
        0 => (format!("**del.{name}"), Data::sz(" ")),
        1 => ("**delvals.".to_owned(), Data::sz(" ")),
        2 => (format!("**soft.{name}"), data(numbers)),
        3 => ("**DeleteValues".to_owned(), Data::sz("A;Long name")),
        4 => ("**Comment:text".to_owned(), Data::sz("")),
        _ => (name, data(numbers)),
    };
    (key, name, data)
}

/// Returns the name, sometimes in another case.
fn spelled(numbers: &mut Numbers, name: &str) -> String {
    if numbers.below(3) == 0 { name.to_uppercase() } else { name.to_owned() }
}

fn data(numbers: &mut Numbers) -> Data {
    match numbers.below(5) {
        0 => Data::dword(numbers.below(1000) as u32),
        1 => Data::qword(numbers.below(1000) as u64),
        2 => Data::sz(["", "text", "[a;b]"][numbers.below(3)]),
        3 => Data::multi_sz(["one", "two"]),
        _ => Data::new(kbfix::registry::ValueType::BINARY, (0..numbers.below(9)).map(|n| n as u8).collect::<Vec<_>>()),
    }
}

fn file(numbers: &mut Numbers) -> Vec<u8> {
    let entries: Vec<Vec<u8>> = (0..numbers.below(14))
        .map(|_| {
            let (key, name, data) = entry(numbers);
            policy_file::entry(&key, &name, &data)
        })
        .collect();
    policy_file::file(entries)
}

fn parse(bytes: &[u8]) -> Document {
    Document::parse(bytes.to_vec(), RootKey::Hklm).unwrap()
}

/// Returns the bytes of the entries that cannot be about the value, in order.
fn others<'a>(bytes: &'a [u8], document: &Document, key: &KeyPath, name: &ValueName) -> Vec<&'a [u8]> {
    let starts: Vec<usize> = document.entries().map(|entry| entry.offset().unwrap()).collect();
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    let parts = starts.iter().zip(ends).map(|(start, end)| &bytes[*start..end]);
    let is_other = |instruction: &Instruction| match instruction {
        Instruction::Set { name: other, .. } | Instruction::Soft { name: other, .. } | Instruction::Delete(other) => {
            other != name
        }
        // The name may be removed from a list.
        Instruction::DeleteValues(_) => false,
        _ => true,
    };
    let concerns = document.entries().map(|entry| entry.key() != Ok(key) || is_other(entry.instruction().unwrap()));
    parts.zip(concerns).filter(|(_, other)| *other).map(|(part, _)| part).collect()
}

/// Returns what kbfix reads in the file, in the form of policies.py.
fn model(document: &Document) -> BTreeMap<String, Value> {
    let mut out = BTreeMap::new();
    for key in KEYS {
        let path = KeyPath::from_parts(RootKey::Hklm, key).unwrap();
        for name in NAMES {
            let of = |data: &Data| vec![json!(data.value_type.0), json!(notation::hex_digits(&data.bytes))];
            let state = match document.value(&path, &ValueName::new(name).unwrap()) {
                Setting::Data(data) => json!(of(data)),
                Setting::Soft(data) => json!([vec![json!("soft")], of(data)].concat()),
                Setting::Deleted => json!("deleted"),
                Setting::Nothing => continue,
            };
            out.insert(format!("{key}\0{name}").to_uppercase(), state);
        }
    }
    out
}

/// Returns what Samba reads in the file. It includes values that are deleted only by an entry for all values.
fn of_samba(answer: &Value) -> BTreeMap<String, Value> {
    let values = answer["values"].as_object().unwrap();
    let mut out: BTreeMap<String, Value> = values.iter().map(|(at, state)| (at.clone(), state.clone())).collect();
    for key in answer["cleared"].as_array().unwrap() {
        for name in NAMES {
            let at = format!("{}\0{}", key.as_str().unwrap(), name.to_uppercase());
            out.entry(at).or_insert_with(|| json!("deleted"));
        }
    }
    out
}

#[cfg_attr(windows, ignore = "Samba runs on Linux")]
#[test]
fn samba_reads_the_same_after_each_of_10_000_edits() {
    let mut numbers = Numbers(909_094);
    let (mut asked, mut models) = (String::new(), Vec::new());
    let mut bytes = file(&mut numbers);
    for edit in 0..10_000 {
        if edit % 8 == 0 {
            bytes = file(&mut numbers);
        }
        let before = parse(&bytes);
        let key = KeyPath::from_parts(RootKey::Hklm, KEYS[numbers.below(KEYS.len())]).unwrap();
        let name = ValueName::new(NAMES[numbers.below(NAMES.len())]).unwrap();
        let mut after = before.clone();
        let wanted = data(&mut numbers);
        let made = match numbers.below(3) {
            0 => after.set(&key, &name, &wanted).map(|()| Setting::Data(&wanted)),
            1 => after.delete(&key, &name).map(|()| Setting::Deleted),
            _ => after.forget(&key, &name).map(|()| Setting::Nothing),
        };
        let edited = after.to_bytes();
        let after = parse(&edited);
        match made {
            Ok(setting) => assert_eq!(after.value(&key, &name), setting, "edit {edit}"),
            Err(_) => assert_eq!(edited, bytes, "edit {edit}"),
        }
        assert_eq!(others(&edited, &after, &key, &name), others(&bytes, &before, &key, &name), "edit {edit}");
        writeln!(asked, "{}", notation::hex_digits(&edited)).unwrap();
        models.push(model(&after));
        bytes = edited;
    }
    samba_agrees(asked, &models);
}

/// Checks that Samba reads these models from the files in `asked`, one file in hexadecimal digits on each line.
fn samba_agrees(asked: String, models: &[BTreeMap<String, Value>]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engine/policies.py");
    let python = "/usr/bin/python3";
    let has_samba = Command::new(python).args(["-I", "-c", "import samba.dcerpc.preg"]).output();
    if !has_samba.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: policy files beside Samba: {python} has no samba.dcerpc.preg (python3-samba)");
        return;
    }
    let mut child =
        Command::new(python).args(["-I", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(asked.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), models.len());
    for (edit, (line, model)) in answers.lines().zip(models).enumerate() {
        let answer: Value = serde_json::from_str(line).unwrap();
        assert_eq!(answer["same"], json!(true), "edit {edit}: Samba writes other bytes");
        assert_eq!(of_samba(&answer), *model, "edit {edit}");
    }
}
