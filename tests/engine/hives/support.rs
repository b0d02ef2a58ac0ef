//! Hives to test on, dumps of them, and random numbers.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use kbfix::{format::regf::Hive, registry::Data};

/// The real hives: a name, and the logs that lie beside it.
pub(crate) const REAL: &[(&str, &[&str])] = &[
    ("regipy-BCD", &[]),
    ("regipy-SYSTEM", &[]),
    ("regipy-SYSTEM_B", &["regipy-SYSTEM_B.LOG1", "regipy-SYSTEM_B.LOG2"]),
    ("regipy-UsrClass.dat", &["regipy-UsrClass.dat.LOG1", "regipy-UsrClass.dat.LOG2"]),
    ("plaso-UsrClass-ri-li.dat", &[]),
];

/// Returns a file from the folder of real hives. Prints the reason if there is none.
pub(crate) fn real_file(name: &str) -> Option<Vec<u8>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/hives").join(format!("{name}.xz"));
    if !file.exists() {
        println!("SKIPPED: there is no {}", file.display());
        return None;
    }
    match Command::new("xz").arg("-dc").arg(&file).stderr(Stdio::inherit()).output() {
        Ok(output) if output.status.success() => Some(output.stdout),
        _ => {
            println!("SKIPPED: xz does not unpack {}", file.display());
            None
        }
    }
}

/// Returns a real hive with its logs applied.
pub(crate) fn real_hive(name: &str, logs: &[&str]) -> Option<Hive> {
    let primary = real_file(name)?;
    let logs: Vec<Vec<u8>> = logs.iter().map(|log| real_file(log)).collect::<Option<_>>()?;
    Some(Hive::open(primary, &logs).unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// A key with all its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyDump {
    pub(crate) name: String,
    pub(crate) time: u64,
    pub(crate) class: Option<Vec<u16>>,
    pub(crate) security: Vec<u8>,
    /// In the order of the list.
    pub(crate) values: Vec<(String, Data)>,
}

/// Returns all keys of a hive by their paths. Fails if something cannot be read.
pub(crate) fn dump(hive: &Hive) -> BTreeMap<String, KeyDump> {
    let mut keys = BTreeMap::new();
    let mut path: Vec<String> = Vec::new();
    for (depth, key) in hive.walk(hive.root()) {
        let key = key.unwrap();
        path.truncate(depth.saturating_sub(1));
        if depth > 0 {
            path.push(key.name_text().unwrap());
        }
        let values = hive.values(key.node()).unwrap().map(|value| {
            let value = value.unwrap();
            (value.name_text().unwrap(), hive.data(&value).unwrap())
        });
        let dump = KeyDump {
            name: key.name_text().unwrap(),
            time: key.last_written(),
            class: hive.class(key.node()).unwrap().map(|class| class.units().collect()),
            security: hive.security_descriptor(key.node()).unwrap().to_vec(),
            values: values.collect(),
        };
        let previous = keys.insert(path.join("\\"), dump);
        assert!(previous.is_none(), "two keys are {path:?}");
    }
    keys
}

/// Returns how many keys and values a hive has.
pub(crate) fn counts(hive: &Hive) -> (usize, usize) {
    let keys: Vec<_> = hive.walk(hive.root()).map(|(_, key)| key.unwrap()).collect();
    (keys.len(), keys.iter().map(|key| hive.values(key.node()).unwrap().map(Result::unwrap).count()).sum())
}

/// Returns a number from an environment variable, or the default.
pub(crate) fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Writes a file for other programs. The file is deleted when the folder is dropped.
pub(crate) fn on_disk(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hive");
    std::fs::write(&file, bytes).unwrap();
    (folder, file)
}

/// Random numbers that are the same in each run (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}
