//! A dirty hive is completed from a log. In: a program of edits, the hive, and from where a number says on the log.
#![no_main]

#[path = "shared.rs"]
mod shared;

use kbfix::format::regf::Hive;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (program, rest) = data.split_at(data.len().min(72));
    let Some((pages, rest)) = rest.split_first() else { return };
    let (hive, log) = rest.split_at((usize::from(*pages) * 4096).min(rest.len()));
    let (mut primary, mut log) = (hive.to_vec(), log.to_vec());
    // Not complete: the sequence numbers differ.
    if let Some(number) = primary.get_mut(4) {
        *number ^= 1;
    }
    shared::seal(&mut primary);
    shared::seal(&mut log);
    let Ok(mut hive) = Hive::open_dirty(primary, &[log]) else { return };
    let _ = shared::content(&hive);
    shared::edit(&mut hive, program);
});
