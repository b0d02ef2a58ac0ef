//! Tests that a file is not larger after keys and values were created and deleted again.

use kbfix::{
    format::regf::{Filetime, Hive},
    registry::Data,
};

use super::{
    edits::{Model, assert_no_worse, random_data},
    readers,
    support::{REAL, Random, dump, on_disk, real_hive, setting},
};

const NOW: Filetime = Filetime(0x01DB_0000_0000_0000);

/// Creates `count` keys and values below `under` keys each, and deletes them in another order. Returns the sizes of the
/// file before and after. With `saved`, the hive is written and opened again in between, as by an apply and its
/// rollback.
fn created_and_deleted(hive: &mut Hive, seed: u64, count: u64, under: usize, saved: bool) -> (usize, usize) {
    // The first save removes empty bins at the end, which Windows may have left.
    drop(hive.edit(NOW).unwrap());
    let size = hive.to_bytes(NOW).unwrap().len();
    let mut random = Random(seed);
    let mut model = Model { paths: dump(hive).into_keys().collect(), keys: dump(hive) };
    let places: Vec<String> = (0..under).map(|_| model.pick(&mut random)).collect();
    let mut created = Vec::new();
    let mut editor = hive.edit(NOW).unwrap();
    for _ in 0..count {
        let path = places[random.below(places.len())].clone();
        let name = format!("kbfix {}", random.next());
        if random.one_in(2) {
            let path = if path.is_empty() { name } else { format!("{path}\\{name}") };
            assert_eq!(editor.create_key(&path), Ok(true));
            created.push((path, None));
        } else {
            editor.set_value(&path, &name, &random_data(&mut random)).unwrap();
            created.push((path, Some(name)));
        }
    }
    drop(editor);
    if saved {
        *hive = Hive::open(hive.to_bytes(NOW).unwrap(), &[]).unwrap();
    }
    let mut editor = hive.edit(NOW).unwrap();
    while !created.is_empty() {
        let (path, value) = created.swap_remove(random.below(created.len()));
        let deleted = match value {
            None => editor.delete_tree(&path),
            Some(name) => editor.delete_value(&path, &name),
        };
        assert_eq!(deleted, Ok(true));
    }
    drop(editor);
    (size, hive.to_bytes(NOW).unwrap().len())
}

#[test]
fn what_was_created_and_deleted_again_leaves_no_larger_file() {
    for (name, logs) in REAL {
        let Some(hive) = real_hive(name, logs) else { continue };
        let keys = dump(&hive);
        let many = setting("KBFIX_EDITS", 150);
        for (seed, count, under) in [(1, 100, 1), (2, many, 1), (3, many, 8), (4, many / 10, 100)] {
            let mut hive = hive.clone();
            let (before, after) = created_and_deleted(&mut hive, seed, count, under, seed % 2 == 0);
            assert!(after <= before, "{name}: {before} bytes before, {after} after {count} below {under} keys");
            let left: Vec<String> = dump(&hive).into_keys().collect();
            assert!(left.iter().eq(keys.keys()), "{name}: the keys are others");
        }
    }
}

#[test]
fn edits_all_over_a_full_hive_leave_it_no_larger() {
    // SYSTEM has 4 KB of free cells in 11.8 MB. When thousands of its lists grow and shrink again, other cells use the
    // space.
    for (name, logs) in REAL {
        let Some(mut hive) = real_hive(name, logs) else { continue };
        let (keys, findings) = (dump(&hive), hive.check());
        let seed = setting("KBFIX_SEED", 7);
        let (before, after) = created_and_deleted(&mut hive, seed, 1500, 1500, seed.is_multiple_of(2));
        println!("{name}: {before} bytes before, {after} after");
        assert!(after <= before, "{name}: {before} bytes before, {after} after");
        assert_no_worse(&findings, &hive, name);
        // Everything is unchanged, except the times of keys that were changed.
        let mut left = dump(&hive);
        for (path, key) in &mut left {
            if key.time == NOW.0 {
                key.time = keys[path].time;
            }
        }
        assert!(left == keys, "{name}: something else changed");
        let (_folder, file) = on_disk(&hive.to_bytes(NOW).unwrap());
        readers::compare(&hive, &file, name);
    }
}

#[test]
fn for_one_value_little_moves() {
    for (name, logs) in REAL {
        let Some(mut hive) = real_hive(name, logs) else { continue };
        drop(hive.edit(NOW).unwrap());
        let before = hive.to_bytes(NOW).unwrap();
        let mut editor = hive.edit(NOW).unwrap();
        editor.create_key(r"kbfix\DAV").unwrap();
        editor.set_value(r"kbfix\DAV", "DisableRealmHint", &Data::dword(1)).unwrap();
        drop(editor);
        let mut hive = Hive::open(hive.to_bytes(NOW).unwrap(), &[]).unwrap();
        hive.edit(NOW).unwrap().delete_tree("kbfix").unwrap();
        let after = hive.to_bytes(NOW).unwrap();
        assert!(after.len() <= before.len(), "{name}: {} bytes before, {} after", before.len(), after.len());
        let others = before.chunks(4096).zip(after.chunks(4096)).filter(|(before, after)| before != after).count();
        println!("{name}: {others} pages of {} are others", after.len() / 4096);
        assert!(others <= 64, "{name}: {others} pages are others");
    }
}
