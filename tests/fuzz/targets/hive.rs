//! A hive file is read, checked, edited and written out. In: the hive, and behind its bins a program of edits.
#![no_main]

#[path = "shared.rs"]
mod shared;

use kbfix::format::regf::Hive;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (program, hive) = data.split_at(data.len().min(72));
    let mut bytes = hive.to_vec();
    shared::seal(&mut bytes);
    let Ok(mut hive) = Hive::open_dirty(bytes, &[]) else { return };
    let _ = (shared::content(&hive), hive.check());
    shared::edit(&mut hive, program);
});
