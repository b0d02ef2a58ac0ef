//! Makes random edits on copies of every real hive and on a model. Everything that was not edited must stay unchanged
//! in every field.

use std::collections::BTreeMap;

use kbfix::{
    format::regf::{Editor, Filetime, Finding, Hive, worse},
    registry::{Data, ValueType, name},
};

use super::{
    readers,
    support::{KeyDump, REAL, Random, dump, on_disk, real_hive, setting},
};

const NOW: Filetime = Filetime(0x01DB_0000_0000_0000);

/// The expected content of the hive.
pub(crate) struct Model {
    pub(crate) keys: BTreeMap<String, KeyDump>,
    /// Paths to choose from. Keys at some of them may have been deleted.
    pub(crate) paths: Vec<String>,
}

impl Model {
    pub(crate) fn pick(&mut self, random: &mut Random) -> String {
        loop {
            // The latest paths are chosen more often, so that edits affect what was edited before.
            let from = if random.one_in(2) { self.paths.len().saturating_sub(400) } else { 0 };
            let i = from + random.below(self.paths.len() - from);
            if self.keys.contains_key(&self.paths[i]) {
                return self.paths[i].clone();
            }
            self.paths.swap_remove(i);
        }
    }

    fn below(&self, path: &str) -> Vec<String> {
        let from = format!("{path}\\");
        self.keys.range(from.clone()..).map(|(path, _)| path).take_while(|p| p.starts_with(&from)).cloned().collect()
    }

    fn has_child(&self, path: &str, name: &str) -> bool {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}\\") };
        let same = |p: &String| {
            p.strip_prefix(&prefix).is_some_and(|rest| !rest.contains('\\') && name::compare(rest, name).is_eq())
        };
        self.keys.range(prefix.clone()..).map(|(p, _)| p).take_while(|p| p.starts_with(&prefix)).any(same)
    }

    fn create(&mut self, parent: &str, name: &str) -> String {
        let path = if parent.is_empty() { name.to_owned() } else { format!("{parent}\\{name}") };
        let above = self.keys.get_mut(parent).unwrap();
        above.time = NOW.0;
        let key = KeyDump {
            name: name.to_owned(),
            time: NOW.0,
            class: None,
            security: above.security.clone(),
            values: vec![],
        };
        self.keys.insert(path.clone(), key);
        self.paths.push(path.clone());
        path
    }

    fn delete(&mut self, path: &str) {
        for path in self.below(path) {
            self.keys.remove(&path);
        }
        self.keys.remove(path);
        let parent = path.rsplit_once('\\').map_or("", |(above, _)| above);
        self.keys.get_mut(parent).unwrap().time = NOW.0;
    }
}

/// Returns a random name in one of the first `alphabets` alphabets. Two of these are in Latin-1.
fn random_name(random: &mut Random, alphabets: usize) -> String {
    const ALPHABETS: [&str; 4] = ["abcXYZ019 _-{}", "äöüßÄÿµÿéè", "ключЖЯабв", "日本😀ǅıſĲσς"];
    let alphabet: Vec<char> = ALPHABETS[random.below(alphabets)].chars().collect();
    let len = if random.one_in(40) { 120 } else { 1 + random.below(20) };
    (0..len).map(|_| alphabet[random.below(alphabet.len())]).collect()
}

pub(crate) fn random_data(random: &mut Random) -> Data {
    let len = match random.below(400) {
        0 => random.below(1 << 20) + 1,
        1..=8 => random.below(60_000),
        9..=14 => 16_340 + random.below(10),
        15..=100 => random.below(8),
        101..=200 => 4,
        _ => random.below(200),
    };
    match random.below(5) {
        0 => Data::sz(&"Größe 日本 ".chars().cycle().take(len / 2).collect::<String>()),
        1 => Data::dword(random.next() as u32),
        2 => Data::multi_sz(["ключ"; 3].iter().cycle().take(len / 10)),
        3 => Data::new(ValueType(0x1234), random.bytes(len)),
        _ => Data::new(ValueType::BINARY, random.bytes(len)),
    }
}

/// Makes one random edit, in the hive and in the model.
fn edit(editor: &mut Editor<'_>, model: &mut Model, random: &mut Random, alphabets: usize) {
    let path = model.pick(random);
    match random.below(100) {
        0..20 => {
            let name = random_name(random, alphabets);
            let exists = model.has_child(&path, &name);
            let full = if path.is_empty() { name.clone() } else { format!("{path}\\{name}") };
            assert_eq!(editor.create_key(&full), Ok(!exists), "{full}");
            if !exists {
                model.create(&path, &name);
            }
        }
        20 if random.one_in(8) => {
            // A key with so many subkeys that its list is split.
            for _ in 0..600 + random.below(900) {
                let name = format!("{}{}", random_name(random, alphabets), random.next());
                let full = if path.is_empty() { name.clone() } else { format!("{path}\\{name}") };
                assert_eq!(editor.create_key(&full), Ok(true));
                model.create(&path, &name);
            }
        }
        20..75 => {
            let data = random_data(random);
            let key = model.keys.get_mut(&path).unwrap();
            let replace = !key.values.is_empty() && random.one_in(2);
            let value_name = match replace {
                true => key.values[random.below(key.values.len())].0.clone(),
                false if random.one_in(10) => String::new(),
                false => random_name(random, alphabets),
            };
            let place = key.values.iter().position(|(name, _)| name::compare(name, &value_name).is_eq());
            let same = place.is_some_and(|i| key.values[i].1 == data);
            assert_eq!(editor.set_value(&path, &value_name, &data), Ok(!same));
            assert_eq!(editor.set_value(&path, &value_name, &data), Ok(false));
            match place {
                Some(i) => key.values[i].1 = data,
                None => key.values.push((value_name, data)),
            }
            if !same {
                key.time = NOW.0;
            }
        }
        75..88 => {
            let key = model.keys.get_mut(&path).unwrap();
            if key.values.is_empty() {
                assert_eq!(editor.delete_value(&path, "not there at all"), Ok(false));
                return;
            }
            let (name, _) = key.values.remove(random.below(key.values.len()));
            key.time = NOW.0;
            assert_eq!(editor.delete_value(&path, &name), Ok(true));
        }
        88 => {
            // Class names and security descriptors, some of them shared.
            let class = ["", "67cd88ed", "ключ", "DynDRootClass"][random.below(4)];
            let class: Vec<u16> = class.encode_utf16().collect();
            let other = model.pick(random);
            let mut security = model.keys[&other].security.clone();
            if random.one_in(4) {
                let more = random.below(40);
                security.extend(random.bytes(more));
            }
            let key = model.keys.get_mut(&path).unwrap();
            let class = Some(class).filter(|class| !class.is_empty());
            let changed = (key.class != class, key.security != security);
            let text = class.as_ref().map(|class| String::from_utf16(class).unwrap());
            assert_eq!(editor.set_class(&path, text.as_deref()), Ok(changed.0));
            assert_eq!(editor.set_security(&path, &security), Ok(changed.1));
            (key.class, key.security) = (class, security);
            if changed.0 || changed.1 {
                key.time = NOW.0;
            }
        }
        89..98 => {
            if !path.is_empty() && model.below(&path).is_empty() {
                assert_eq!(editor.delete_key(&path), Ok(true), "{path}");
                model.delete(&path);
            } else {
                assert!(editor.delete_key(&path).is_err());
            }
        }
        _ => {
            let below = model.below(&path).len();
            if !path.is_empty() && (below < 50 || (below < 2000 && random.one_in(8))) {
                assert_eq!(editor.delete_tree(&path), Ok(true));
                model.delete(&path);
            }
        }
    }
}

fn assert_equal(hive: &Hive, model: &Model, after: &str) {
    let found = dump(hive);
    for (path, key) in &model.keys {
        assert_eq!(found.get(path), Some(key), "{after}: {path}");
    }
    let extra: Vec<_> = found.keys().filter(|path| !model.keys.contains_key(*path)).collect();
    assert!(extra.is_empty(), "{after}: {extra:?} should not be there");
}

#[test]
fn random_edits_leave_a_sound_hive_that_holds_what_was_written() {
    let count = setting("KBFIX_EDITS", 150);
    let seed = setting("KBFIX_SEED", 1);
    for (i, (name, logs)) in REAL.iter().enumerate() {
        let Some(mut hive) = real_hive(name, logs) else { continue };
        // reged reads only names in Latin-1, so every second hive has only such names.
        let alphabets = if i % 2 == 0 { 4 } else { 2 };
        let mut random = Random(seed);
        let keys = dump(&hive);
        let mut model = Model { paths: keys.keys().cloned().collect(), keys };
        let mut before = hive.check();
        let size = hive.file_len();
        let started = std::time::Instant::now();
        for done in 1..=count {
            let mut editor = hive.edit(NOW).unwrap();
            edit(&mut editor, &mut model, &mut random, alphabets);
            drop(editor);
            if done % 100 == 0 || done == count {
                let worse = worse(&before, &hive.check());
                assert!(worse.is_empty(), "{name}, after {done} edits: {worse:#?}");
            }
            if done % (count / 4).max(1) == 0 {
                assert_equal(&hive, &model, &format!("{name}, after {done} edits"));
                let bytes = hive.to_bytes(NOW).unwrap();
                hive = Hive::open(bytes, &[]).unwrap();
                assert_no_worse(&before, &hive, &format!("{name}, saved after {done} edits"));
                before = hive.check();
            }
        }
        let bytes = hive.to_bytes(NOW).unwrap();
        let (keys, len, time) = (model.keys.len(), bytes.len(), started.elapsed());
        println!("{name}: {count} edits, {keys} keys, {size} bytes before, {len} after, {time:?}");
        let (_folder, file) = on_disk(&bytes);
        readers::compare(&hive, &file, name);
    }
}

/// Checks that the hive has no more faults than before. After a hive was written, cells may have moved, so faults
/// cannot be compared by their offset as [`worse`] does.
pub(crate) fn assert_no_worse(before: &[Finding], hive: &Hive, what: &str) {
    let anywhere = |findings: &[Finding]| -> Vec<Finding> {
        findings.iter().map(|finding| Finding { offset: 0, ..finding.clone() }).collect()
    };
    let worse = worse(&anywhere(before), &anywhere(&hive.check()));
    assert!(worse.is_empty(), "{what}: {worse:#?}");
}

#[test]
fn equal_sets_write_nothing() {
    for (name, logs) in REAL {
        let Some(mut hive) = real_hive(name, logs) else { continue };
        let size = hive.file_len();
        let keys = dump(&hive);
        let values = keys.iter().flat_map(|(path, key)| key.values.iter().map(move |value| (path, value)));
        let mut editor = hive.edit(NOW).unwrap();
        for (path, (value, data)) in values.take(1000) {
            assert_eq!(
                editor.set_value(path, &value.to_uppercase(), data).or(Ok::<_, ()>(false)),
                Ok(false),
                "{path} {value}"
            );
            assert_eq!(editor.create_key(path), Ok(false));
        }
        drop(editor);
        assert!(!hive.is_changed());
        assert_eq!(hive.file_len(), size);
        assert_eq!(dump(&hive), keys);
    }
}
