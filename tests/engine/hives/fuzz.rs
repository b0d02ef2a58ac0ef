//! Mutation loops: damaged hives and logs are read, recovered, checked and edited. Nothing may panic, hang, or use too
//! much memory. These tests do not ask whether an edit made a damaged hive worse, because the check before a save finds
//! that.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::{Duration, Instant},
};

use kbfix::{
    format::regf::{Filetime, Hive},
    registry::Data,
};

use super::{
    on_demand::Memory,
    support::{Random, real_file, setting},
};

const NOW: Filetime = Filetime(0x01DB_0000_0000_0000);

/// Returns a hive with structures of every kind, which is small enough for many rounds per second.
fn small() -> Vec<u8> {
    let mut hive = Hive::create(NOW).unwrap();
    let mut editor = hive.edit(NOW).unwrap();
    for i in 0..40 {
        let key = format!(r"k{}\{i} ключ\deep", i % 5);
        editor.create_key(&key).unwrap();
        editor.set_value(&key, &format!("v{i}"), &Data::sz("some text")).unwrap();
        editor.set_value(&key, "", &Data::dword(i)).unwrap();
    }
    for i in 0..600 {
        editor.create_key(&format!(r"many\{i}")).unwrap();
    }
    editor.set_value("k1", "big", &Data::new(kbfix::registry::ValueType::BINARY, vec![7; 40_000])).unwrap();
    drop(editor);
    hive.to_bytes(NOW).unwrap()
}

/// Changes some bytes: anywhere, in the base block, or where structures begin.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    const NUMBERS: [u32; 8] = [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x20, 0x1000, 0xFFFF];
    for _ in 0..1 + random.below(8) {
        if bytes.len() < 8 {
            return;
        }
        let mut at = match random.below(8) {
            0 => random.below(512.min(bytes.len() - 4)),
            _ => random.below(bytes.len() - 4),
        };
        if random.one_in(2) {
            // Continues to a byte in the next structure.
            let starts = |w: &[u8]| [b"nk", b"vk", b"lh", b"lf", b"li", b"ri", b"sk", b"db"].iter().any(|s| w == *s);
            if let Some(next) = bytes[at..].windows(2).position(starts) {
                at = (at + next + random.below(80)).min(bytes.len() - 4);
                at -= at % 4;
            }
        }
        match random.below(6) {
            0 => bytes[at] = random.next() as u8,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at..at + 4].copy_from_slice(&NUMBERS[random.below(8)].to_le_bytes()),
            // A copy of another number in the file: an offset that points to a wrong structure.
            3 | 4 => {
                let from = random.below(bytes.len() - 4) & !3;
                bytes.copy_within(from..from + 4, at);
            }
            _ if random.one_in(20) => bytes.truncate(at),
            _ => {
                let from = random.below(bytes.len());
                let len = random.below(64).min(bytes.len() - from.max(at));
                bytes.copy_within(from..from + len, at);
            }
        }
    }
}

/// Corrects the checksum of the base block, so that the rest of the hive is read too.
fn seal(bytes: &mut [u8]) {
    if bytes.len() >= 512 {
        let sum = bytes[..508].chunks_exact(4).fold(0_u32, |sum, w| sum ^ u32::from_le_bytes(w.try_into().unwrap()));
        bytes[508..512].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Reads and checks everything. Returns a digest of all answers, including errors.
pub(crate) fn transcript(hive: &Hive) -> u64 {
    let mut hasher = DefaultHasher::new();
    let out = &mut hasher;
    for path in ["k1", r"k2\2 ключ", r"many\17", r"MANY\599", r"k3\not\there"] {
        format!("{:?}", hive.find(path)).hash(out);
    }
    for (depth, key) in hive.walk(hive.root()) {
        format!("{depth} {key:?}").hash(out);
        let Ok(key) = key else { continue };
        format!("{:?} {:?}", key.name_text(), hive.class(key.node())).hash(out);
        match hive.security_descriptor(key.node()) {
            Ok(bytes) => bytes.hash(out),
            Err(error) => format!("{error:?}").hash(out),
        }
        format!("{:?}", hive.value(key.node(), "big")).hash(out);
        let values = match hive.values(key.node()) {
            Ok(values) => values,
            Err(error) => {
                format!("{error:?}").hash(out);
                continue;
            }
        };
        for value in values {
            format!("{value:?}").hash(out);
            let Ok(value) = value else { continue };
            format!("{:?} {:?}", value.name_text(), value.value_type()).hash(out);
            match hive.bytes(&value) {
                Ok(bytes) => bytes.hash(out),
                Err(error) => format!("{error:?}").hash(out),
            }
        }
    }
    format!("{:?}", hive.check()).hash(out);
    hasher.finish()
}

/// Returns a digest of all content that can be read. It does not depend on offsets.
fn content(hive: &Hive) -> u64 {
    let mut hasher = DefaultHasher::new();
    let out = &mut hasher;
    for (depth, key) in hive.walk(hive.root()) {
        let Ok(key) = key else { continue };
        (depth, key.name().lossy(), key.last_written(), key.flags()).hash(out);
        hive.class(key.node()).ok().flatten().map(|class| class.lossy()).hash(out);
        hive.security_descriptor(key.node()).ok().hash(out);
        for value in hive.values(key.node()).into_iter().flatten().flatten() {
            (value.name().lossy(), value.value_type().0, hive.bytes(&value).ok()).hash(out);
        }
    }
    hasher.finish()
}

/// Reads a hive as a whole and on demand. Both must give the same answers.
fn read(hive: &Hive, bytes: Vec<u8>) {
    let whole = transcript(hive);
    if let Some(hive) = Hive::open_on_demand(Memory::new(bytes)).unwrap() {
        assert_eq!(transcript(&hive), whole, "on demand the hive is another");
    }
}

/// Makes some edits. If an edit fails because of damage, it must return an error.
fn edit(hive: &mut Hive, random: &mut Random) {
    let Ok(mut editor) = hive.edit(NOW) else { return };
    for _ in 0..1 + random.below(12) {
        let key = ["k1", r"k2\2 ключ", "many", r"many\17", "", r"k3\new\chain"][random.below(6)];
        let _ = match random.below(6) {
            0 => editor.create_key(key),
            1 => editor.delete_key(key),
            2 => editor.delete_tree(key),
            3 => editor.delete_value(key, ["big", "", "v1"][random.below(3)]),
            _ => {
                let len = [3, 30, 3000, 20_000][random.below(4)];
                let data = Data::new(kbfix::registry::ValueType::BINARY, vec![1; len]);
                editor.set_value(key, ["big", "", "new"][random.below(3)], &data)
            }
        };
    }
    drop(editor);
    let before = content(hive);
    match hive.to_bytes(NOW) {
        Ok(bytes) => {
            let hive = Hive::open(bytes.clone(), &[]).unwrap();
            assert_eq!(content(&hive), before, "writing it out changed what it holds");
            read(&hive, bytes);
        }
        Err(error) => assert!(!error.to_string().contains("after cells were moved"), "{error}"),
    }
}

/// Runs rounds until the time is over. Prints their number, and the seed with which the last round can be repeated.
fn rounds(name: &str, mut round: impl FnMut(&mut Random)) {
    let time = Duration::from_secs(setting("KBFIX_FUZZ_SECONDS", 2));
    let first = setting("KBFIX_FUZZ_SEED", 0);
    let started = Instant::now();
    let mut done = 0;
    while started.elapsed() < time {
        let seed = first + done;
        let begun = Instant::now();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| round(&mut Random(seed))));
        assert!(result.is_ok(), "{name}: panic; see it again with KBFIX_FUZZ_SEED={seed}");
        assert!(begun.elapsed() < Duration::from_secs(60), "{name}: slow; see it again with KBFIX_FUZZ_SEED={seed}");
        done += 1;
    }
    println!("{name}: {done} rounds, {} MB at most", peak_megabytes());
    assert!(peak_megabytes() < 2048, "{name}: runaway memory");
}

/// Returns the maximum memory of this process so far, in MB, or 0 if the system does not report it.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[test]
fn damaged_hives_are_read_and_edited_without_panic() {
    let good = small();
    rounds("small hive", |random| {
        let mut bytes = good.clone();
        mutate(&mut bytes, random);
        seal(&mut bytes);
        if let Ok(mut hive) = Hive::open_dirty(bytes.clone(), &[]) {
            read(&hive, bytes);
            edit(&mut hive, random);
        }
    });
}

#[test]
fn damaged_real_hives_are_read_and_edited_without_panic() {
    for name in ["regipy-BCD", "plaso-UsrClass-ri-li.dat"] {
        let Some(good) = real_file(name) else { continue };
        rounds(name, |random| {
            let mut bytes = good.clone();
            for _ in 0..1 + random.below(50) {
                mutate(&mut bytes, random);
            }
            seal(&mut bytes);
            if let Ok(mut hive) = Hive::open_dirty(bytes.clone(), &[]) {
                read(&hive, bytes);
                edit(&mut hive, random);
            }
        });
    }
}

#[test]
fn damaged_logs_are_applied_or_refused_without_panic() {
    let names = ["regipy-UsrClass.dat", "regipy-UsrClass.dat.LOG1", "regipy-UsrClass.dat.LOG2"];
    let Some(files) = names.iter().map(|name| real_file(name)).collect::<Option<Vec<_>>>() else { return };
    rounds("logs", |random| {
        let mut files = files.clone();
        for file in &mut files {
            if random.one_in(2) {
                mutate(file, random);
            }
            if random.one_in(2) {
                seal(file);
            }
        }
        let primary = files.remove(0);
        if let Ok(mut hive) = Hive::open_dirty(primary, &files) {
            transcript(&hive);
            edit(&mut hive, random);
        }
    });
}
