//! The content of a machine as text: one line for each key, value and fact.

use std::fs;

use kbfix::{
    format::{pol, reg::Document, regf::Hive},
    registry::{RootKey, notation},
};

use crate::scenario::machine::{Kind, LOCAL_POLICY, Machine};

/// Returns the present content of the machine. If the target is a file, it is read without the target.
pub(crate) fn content(machine: &Machine) -> String {
    let mut lines = match machine.kind {
        Kind::Reg => of_export(&Document::parse(fs::read(machine.file()).unwrap(), None).unwrap()),
        Kind::Snapshot => of_snapshot(&fs::read_to_string(machine.file()).unwrap()),
        Kind::Pol => of_policy(&pol::Document::parse(fs::read(machine.file()).unwrap(), RootKey::Hklm).unwrap()),
        Kind::Through => {
            // A policy file without entries means the same as no policy file.
            let bytes = fs::read(machine.file().join(LOCAL_POLICY)).unwrap_or_else(|_| b"PReg\x01\0\0\0".to_vec());
            let policy = of_policy(&pol::Document::parse(bytes, RootKey::Hklm).unwrap());
            machine.hives.iter().flat_map(|path| of_hive(fs::read(path).unwrap())).chain(policy).collect()
        }
        Kind::Image | Kind::Hive => machine.hives.iter().flat_map(|path| of_hive(fs::read(path).unwrap())).collect(),
        #[cfg(windows)]
        Kind::Local => machine.prepared.as_ref().unwrap().content(),
    };
    lines.sort();
    lines.join("\n")
}

fn of_export(document: &Document) -> Vec<String> {
    let mut lines = Vec::new();
    for key in document.keys() {
        lines.push(key.to_string());
        for (name, data) in document.values(key).iter().flat_map(|values| values.iter()) {
            lines.push(format!("{key} {}={}", notation::value_name(name), notation::data(data.unwrap())));
        }
    }
    lines
}

/// Returns the state of each key and value that the policy names.
fn of_policy(document: &pol::Document) -> Vec<String> {
    let mut lines = Vec::new();
    for key in document.keys().filter(|key| document.key(key).present) {
        lines.push(format!("{key} {:?}", document.key(key)));
        for (name, setting) in document.values(key) {
            lines.push(format!("{key} {}={setting:?}", notation::value_name(name)));
        }
    }
    lines
}

/// Returns the facts without the time, and without the note that class and security are not known, which a snapshot of
/// an export may contain.
fn of_snapshot(text: &str) -> Vec<String> {
    let snapshot: serde_json::Value = serde_json::from_str(text).unwrap();
    let facts = ["keys", "files"].map(|what| snapshot["facts"][what].as_array().unwrap().clone());
    let mut facts = facts.concat();
    for fact in &mut facts {
        let Some(present) = fact["found"].get_mut("present").and_then(|present| present.as_object_mut()) else {
            continue;
        };
        if present.get("properties").is_some_and(|properties| properties["unread"]["reason"] == "unknown") {
            present.remove("properties");
        }
    }
    facts.iter().map(ToString::to_string).collect()
}

fn of_hive(bytes: Vec<u8>) -> Vec<String> {
    let hive = Hive::open(bytes, &[]).unwrap();
    let mut lines = Vec::new();
    let mut path: Vec<String> = Vec::new();
    for (depth, key) in hive.walk(hive.root()) {
        let key = key.unwrap();
        path.truncate(depth.saturating_sub(1));
        if depth > 0 {
            path.push(key.name_text().unwrap());
        }
        let path = path.join("\\");
        for value in hive.values(key.node()).unwrap() {
            let value = value.unwrap();
            let data = hive.data(&value).unwrap();
            lines.push(format!("{path} {:?}={}", value.name_text().unwrap(), notation::data(&data)));
        }
        let class = hive.class(key.node()).unwrap().map(|class| class.lossy()).unwrap_or_default();
        let security = notation::hex_digits(hive.security_descriptor(key.node()).unwrap());
        lines.push(format!("{path} {class} {security}"));
    }
    lines
}
