//! Generates random machines, and random specs about the same few keys and values, so that the specs affect the
//! machines.

use kbfix::registry::{Data, Key, ValueName, ValueType, notation};
use proptest::{collection::vec, prelude::*, sample::select};

/// The keys of a machine with their values. The first key is the parent of all others.
pub(crate) type Machine = Vec<(Key, Vec<(ValueName, Data)>)>;

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) machine: Machine,
    pub(crate) spec: String,
}

const ROOT: &str = r"HKLM\SOFTWARE\Random";
const BELOW: [&str; 8] = ["", r"\a", r"\a\b", r"\a\b\c", r"\a b", r"\Größe\日本", r"\[x]", r"\Größe"];
const NAMES: [&str; 9] = ["", "v", "W", r"\\*\SYSVOL", "a \"quoted\" one", "日本", "Größe", "123", "yes"];
const STRINGS: [&str; 9] = ["", "1", "text", "a,b", "C:\\x y\\", "\"", "日本 😀", "on", "line\nbreak"];
const TYPES: [u32; 9] = [0, 1, 2, 3, 4, 5, 7, 11, 0x99];

fn string() -> impl Strategy<Value = String> {
    select(&STRINGS[..]).prop_map(str::to_owned)
}

fn data() -> impl Strategy<Value = Data> {
    prop_oneof![
        2 => select(&[0_u32, 1, 2, 3, 0xFFFF_FFFF][..]).prop_map(Data::dword),
        1 => any::<u64>().prop_map(Data::qword),
        2 => string().prop_map(|text| Data::sz(&text)),
        1 => string().prop_map(|text| Data::text(ValueType::EXPAND_SZ, &text)),
        2 => vec(string(), 0..4).prop_map(Data::multi_sz),
        // Any bytes with any type: an odd number of bytes, too few, without a NUL.
        3 => (select(&TYPES[..]), vec(any::<u8>(), 0..9)).prop_map(|(t, bytes)| Data::new(ValueType(t), bytes)),
    ]
}

pub(crate) fn machine() -> impl Strategy<Value = Machine> {
    let name = select(&NAMES[..]).prop_map(|name| ValueName::new(name).unwrap());
    let key = (select(&BELOW[..]), vec((name, data()), 0..5));
    vec(key, 0..7).prop_map(|keys| {
        let mut machine: std::collections::BTreeMap<Key, std::collections::BTreeMap<ValueName, Data>> =
            Default::default();
        machine.insert(ROOT.parse().unwrap(), Default::default());
        for (below, values) in keys {
            let key: Key = format!("{ROOT}{below}").parse().unwrap();
            // An export lists every key, also one that only has subkeys.
            let mut above = key.parent();
            while let Some(parent) = above.filter(|p| p.path.depth() > 1) {
                machine.entry(parent.clone()).or_default();
                above = parent.parent();
            }
            machine.entry(key).or_default().extend(values);
        }
        machine.into_iter().map(|(key, values)| (key, values.into_iter().collect())).filter(covered).collect()
    })
}

fn covered((key, _): &(Key, Vec<(ValueName, Data)>)) -> bool {
    key.path.is_within(&ROOT.parse().unwrap())
}

/// Returns the text as a JSON string, which YAML accepts everywhere.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn list(items: &[String]) -> String {
    serde_json::to_string(items).unwrap()
}

/// Generates a value rule.
fn rule() -> impl Strategy<Value = String> {
    let hex = |bytes: Vec<u8>| quoted(&notation::hex_list(&bytes));
    let strings = || vec(string(), 0..3);
    prop_oneof![
        4 => (0_u32..4).prop_map(|n| format!("type: REG_DWORD, data: {n}")),
        1 => any::<u64>().prop_map(|n| format!("type: REG_QWORD, data: \"{n:#x}\"")),
        1 => any::<u32>().prop_map(|n| format!("type: REG_DWORD_BIG_ENDIAN, data: {n}")),
        2 => string().prop_map(|text| format!("type: REG_SZ, data: {}", quoted(&text))),
        1 => string().prop_map(|text| format!("type: REG_EXPAND_SZ, data: {}", quoted(&text))),
        2 => strings().prop_map(|items| format!("type: REG_MULTI_SZ, data: {}", list(&items))),
        1 => vec(any::<u8>(), 0..6).prop_map(move |bytes| format!("type: REG_BINARY, data: {}", hex(bytes))),
        1 => vec(any::<u8>(), 0..6).prop_map(move |bytes| format!("type: REG_NONE, data: {}", hex(bytes))),
        3 => Just("ensure: absent".to_owned()),
        2 => (1_u32..16, 16_u32..256).prop_map(|(set, clear)| {
            format!("type: REG_DWORD, bits: {{ set: {set}, clear: {} }}", clear & 0xF0)
        }).prop_filter("bits to clear", |text| !text.contains("clear: 0 ")),
        1 => (string(), string()).prop_filter("add and remove differ, and are items", |(a, b)| {
            a.to_lowercase() != b.to_lowercase() && !a.is_empty() && !b.is_empty()
        }).prop_map(|(add, remove)| {
            format!("type: REG_MULTI_SZ, list: {{ add: {}, remove: {} }}", list(&[add]), list(&[remove]))
        }),
        1 => (0_u32..3, 0_u32..3).prop_map(|(n, absent)| format!("type: REG_DWORD, data: {n}, if_absent: {absent}")),
        1 => (0_u32..3).prop_map(|n| format!("type: REG_DWORD, data: {n}, keep: {{ at_least: {n} }}")),
        1 => Just("type: REG_SZ, data: \"1\", keep: any".to_owned()),
        1 => Just("type: REG_SZ, data: \"B=1, a=0\", compare: comma_set".to_owned()),
        1 => (0_u32..3).prop_map(|n| format!("type: [REG_DWORD, REG_SZ], data: \"{n}\"")),
    ]
}

fn key_rule() -> impl Strategy<Value = String> {
    let values = vec((select(&NAMES[..]), rule()), 1..5).prop_map(|values| {
        let unique: std::collections::BTreeMap<_, _> = values.into_iter().collect();
        let lines = unique.into_iter().map(|(name, rule)| format!("      {}: {{ {rule} }}\n", quoted(name)));
        format!("    values:\n{}", lines.collect::<String>())
    });
    prop_oneof![
        6 => values,
        1 => Just("    ensure: absent\n".to_owned()),
        1 => Just("    ensure: present\n".to_owned()),
    ]
}

fn spec() -> impl Strategy<Value = String> {
    vec((select(&BELOW[1..]), key_rule()), 1..4).prop_map(|rules| {
        // One rule for each key.
        let unique: std::collections::BTreeMap<_, _> = rules.into_iter().collect();
        let rules =
            unique.iter().map(|(below, rule)| format!("  - key: {}\n{rule}", quoted(&format!("{ROOT}{below}"))));
        format!("kbfix: 1\nid: RANDOM\ntitle: random\nregistry:\n{}", rules.collect::<String>())
    })
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    (machine(), spec()).prop_map(|(machine, spec)| Case { machine, spec })
}

/// Returns the machine as an export of regedit, with a comment and unusual spaces, which must be kept.
pub(crate) fn export(machine: &Machine) -> Vec<u8> {
    let mut text = "\u{FEFF}Windows Registry Editor Version 5.00\r\n; a comment\r\n\r\n".to_owned();
    for (key, values) in machine {
        text.push_str(&format!("[{}]\r\n", key.path.to_long()));
        for (name, data) in values {
            text.push_str(&format!("{}={}\r\n", notation::value_name(name), notation::data(data).to_uppercase_hex()));
        }
        text.push_str("\r\n");
    }
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Returns the text of an export.
pub(crate) fn text(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}

trait UppercaseHex {
    fn to_uppercase_hex(&self) -> String;
}

impl UppercaseHex for String {
    /// Changes hexadecimal digits to upper case, as only a person writes them. They must be kept if nothing changes.
    fn to_uppercase_hex(&self) -> String {
        match self.split_once(':') {
            Some((prefix, digits)) if prefix == "dword" || prefix.starts_with("hex") => {
                format!("{prefix}:{}", digits.to_uppercase())
            }
            _ => self.clone(),
        }
    }
}
