//! Tests recovery with logs that the tests write, because no real logs of the old format are available.

use kbfix::{
    format::regf::{Error, Filetime, Hive, LogFormat, Recovery, State},
    registry::Data,
};

const NOW: Filetime = Filetime(0x01DB_0000_0000_0000);
const BASE: usize = 4096;

/// Returns a hive before and after some edits. The second is larger.
fn before_and_after() -> (Vec<u8>, Vec<u8>) {
    let mut hive = Hive::create(NOW).unwrap();
    hive.edit(NOW).unwrap().create_key("before").unwrap();
    let before = hive.to_bytes(NOW).unwrap();
    let mut editor = hive.edit(NOW).unwrap();
    for i in 0..300 {
        editor.create_key(&format!(r"before\after {i}")).unwrap();
    }
    editor.set_value("before", "value", &Data::sz("new")).unwrap();
    drop(editor);
    let after = hive.to_bytes(NOW).unwrap();
    assert!(after.len() > before.len());
    (before, after)
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn put(bytes: &mut [u8], at: usize, number: u32) {
    bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

fn seal(bytes: &mut [u8]) {
    let sum = bytes[..508].chunks_exact(4).fold(0, |sum, word| sum ^ number(word, 0));
    put(bytes, 508, sum);
}

/// Returns the numbers of the 4096-byte pages in which the hive bins differ.
fn pages(before: &[u8], after: &[u8]) -> Vec<usize> {
    (BASE..after.len()).step_by(4096).filter(|at| before.get(*at..at + 4096) != Some(&after[*at..at + 4096])).collect()
}

/// Returns a log of the old format that turns `before` into `after`.
fn old_log(before: &[u8], after: &[u8]) -> Vec<u8> {
    let mut log = after[..512].to_vec();
    put(&mut log, 28, 1);
    seal(&mut log);
    log.extend(b"DIRT");
    let dirty = pages(before, after);
    log.extend((BASE..after.len()).step_by(4096).map(|at| if dirty.contains(&at) { 0xFF } else { 0 }));
    log.resize(log.len().next_multiple_of(512), 0);
    dirty.iter().for_each(|at| log.extend(&after[*at..at + 4096]));
    log
}

/// Returns the hash of a log entry. It is implemented here a second time from its description.
fn marvin(bytes: &[u8]) -> u64 {
    let mut state = (0x7A4E_55C5_u32, 0x82EF_4D88_u32);
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(4), 0);
    let words = padded.chunks_exact(4).map(|word| number(word, 0)).chain([0]);
    for word in words {
        state.0 = state.0.wrapping_add(word);
        state.1 ^= state.0;
        state.0 = state.0.rotate_left(20).wrapping_add(state.1);
        state.1 = state.1.rotate_left(9) ^ state.0;
        state.0 = state.0.rotate_left(27).wrapping_add(state.1);
        state.1 = state.1.rotate_left(19);
    }
    u64::from(state.1) << 32 | u64::from(state.0)
}

/// Returns a log of the new format with a base block and no entries.
fn new_log(base: &[u8], sequence: u32) -> Vec<u8> {
    let mut log = base[..512].to_vec();
    put(&mut log, 4, sequence);
    put(&mut log, 8, sequence);
    put(&mut log, 28, 6);
    seal(&mut log);
    log
}

/// Adds an entry to a log, with these pages of `after`.
fn add_entry(log: &mut Vec<u8>, sequence: u32, after: &[u8], pages: &[usize]) {
    let size = (40 + pages.len() * (8 + 4096)).next_multiple_of(512);
    let mut entry = b"HvLE".to_vec();
    for n in [size as u32, 0, sequence, (after.len() - BASE) as u32, pages.len() as u32] {
        entry.extend(n.to_le_bytes());
    }
    entry.resize(40, 0);
    for at in pages {
        entry.extend(((at - BASE) as u32).to_le_bytes());
        entry.extend(4096_u32.to_le_bytes());
    }
    pages.iter().for_each(|at| entry.extend(&after[*at..at + 4096]));
    entry.resize(size, 0);
    let hash = marvin(&entry[40..]);
    entry[24..32].copy_from_slice(&hash.to_le_bytes());
    let hash = marvin(&entry[..32]);
    entry[32..40].copy_from_slice(&hash.to_le_bytes());
    log.extend(entry);
}

/// Returns `before` as it is on disk after a write has begun.
fn dirty(before: &[u8]) -> Vec<u8> {
    let mut dirty = before.to_vec();
    let sequence = number(before, 4);
    put(&mut dirty, 4, sequence + 1);
    seal(&mut dirty);
    dirty
}

fn assert_recovered(primary: Vec<u8>, logs: &[Vec<u8>], after: &[u8]) -> Recovery {
    let hive = Hive::open(primary, logs).unwrap();
    assert_eq!(hive.check(), []);
    let mut hive = hive;
    let State::Recovered(recovery) = *hive.state() else { panic!("{:?}", hive.state()) };
    assert_eq!(hive.to_bytes(NOW).unwrap()[BASE..], after[BASE..], "the bins are others");
    recovery
}

#[test]
fn an_old_log_completes_the_hive_it_belongs_to() {
    let (before, after) = before_and_after();
    let log = old_log(&before, &after);
    let recovery = assert_recovered(dirty(&before), &[vec![], log.clone()], &after);
    assert_eq!(recovery.format, LogFormat::Vector);

    // A base block that was written in part is taken from the log. The time in the first bin shows that the log belongs
    // to the hive.
    let mut torn = dirty(&before);
    torn[100] ^= 0xFF;
    assert!(assert_recovered(torn, std::slice::from_ref(&log), &after).base_block);

    // A log with another time is not used, and neither is a log that was cut short or written in part.
    let mut other = log.clone();
    other[12] ^= 1;
    seal(&mut other);
    assert!(matches!(Hive::open(dirty(&before), &[other]), Err(Error::Dirty { .. })));
    let short = log[..log.len() - 1].to_vec();
    assert!(matches!(Hive::open(dirty(&before), &[short]), Err(Error::Dirty { .. })));
    let mut half = log;
    half[4] ^= 1;
    seal(&mut half);
    assert!(matches!(Hive::open(dirty(&before), &[half]), Err(Error::Dirty { .. })));
}

#[test]
fn a_clean_hive_ignores_its_logs() {
    let (before, after) = before_and_after();
    let hive = Hive::open(before.clone(), &[old_log(&before, &after)]).unwrap();
    assert_eq!(hive.state(), &State::Clean);
    assert_eq!(hive.find(r"before\after 1"), Ok(None));
}

#[test]
fn entries_of_two_logs_are_applied_in_their_order() {
    let (before, after) = before_and_after();
    let all = pages(&before, &after);
    let sequence = number(&before, 8);
    let (mut first, mut second) = (new_log(&before, sequence), new_log(&before, sequence + 2));
    add_entry(&mut first, sequence, &after, &all[..1]);
    add_entry(&mut first, sequence + 1, &after, &all[1..2]);
    add_entry(&mut second, sequence + 2, &after, &all[2..]);
    // An entry that does not have the next sequence number is old, and is not applied.
    add_entry(&mut second, sequence - 1, &before, &pages(&[], &before));

    let recovery = assert_recovered(dirty(&before), &[second.clone(), first.clone()], &after);
    assert_eq!((recovery.entries, recovery.sequence), (3, sequence + 2));

    // Entries that the hive has already are not applied.
    let mut newer = dirty(&before);
    put(&mut newer, 4, sequence + 9);
    put(&mut newer, 8, sequence + 8);
    seal(&mut newer);
    assert!(matches!(Hive::open(newer, &[first.clone(), second.clone()]), Err(Error::Dirty { .. })));

    // Recovery ends before an entry that does not match its hash. The result may have only a part of the edits, but
    // Windows would have the same result.
    let mut torn = first.clone();
    let last = torn.len() - 700;
    torn[last] ^= 1;
    let hive = Hive::open_dirty(dirty(&before), &[torn]);
    if let Ok(hive) = hive {
        let State::Recovered(recovery) = hive.state() else { panic!("{:?}", hive.state()) };
        assert_eq!(recovery.entries, 1);
    }
}

#[test]
fn entries_that_take_more_than_their_bytes_are_bounded() {
    let (before, _) = before_and_after();
    let sequence = number(&before, 4);
    // Thousands of entries without pages: they are counted, and the bins are not changed.
    let mut log = new_log(&before, sequence);
    (0..2000).for_each(|n| add_entry(&mut log, sequence + n, &before, &[]));
    assert_eq!(assert_recovered(dirty(&before), &[log], &before).entries, 2000);
    // The same, but every second entry makes the hive one megabyte larger.
    let mut log = new_log(&before, sequence);
    let mut larger = before.clone();
    larger.resize(before.len() + (1 << 20), 0);
    (0..2000).for_each(|n| add_entry(&mut log, sequence + n, if n % 2 == 0 { &larger } else { &before }, &[]));
    let refused = Hive::open(dirty(&before), &[log]).map(|hive| hive.state().clone());
    let said = format!("{refused:?}");
    assert!(said.contains("shrink and grow the hive too often"), "{said}");
    // An entry with more pages than the log can contain is not an entry.
    let mut log = new_log(&before, sequence);
    larger.resize(64 << 20, 0);
    add_entry(&mut log, sequence, &larger, &[]);
    let said = format!("{:?}", Hive::open(dirty(&before), &[log]).map(|hive| hive.state().clone()));
    assert!(said.contains("none of the logs contains a valid entry"), "{said}");
}

#[test]
fn a_torn_base_block_is_taken_from_the_latest_log() {
    let (before, after) = before_and_after();
    let sequence = number(&before, 8);
    let mut log = new_log(&before, sequence + 5);
    add_entry(&mut log, sequence + 5, &after, &pages(&before, &after));
    let mut old = new_log(&before, sequence);
    add_entry(&mut old, sequence, &before, &[]);
    let mut torn = dirty(&before);
    torn[100] ^= 0xFF;
    let recovery = assert_recovered(torn, &[old, log], &after);
    assert!(recovery.base_block);
    assert_eq!(recovery.sequence, sequence + 5);
}

#[test]
fn a_saved_hive_is_newer_than_what_was_applied_to_it() {
    let (before, after) = before_and_after();
    let sequence = number(&before, 8);
    let mut log = new_log(&before, sequence);
    add_entry(&mut log, sequence, &after, &pages(&before, &after));
    let mut hive = Hive::open(dirty(&before), &[log.clone()]).unwrap();
    hive.edit(NOW).unwrap().create_key("mine").unwrap();
    let saved = hive.to_bytes(NOW).unwrap();
    assert_eq!(number(&saved, 4), number(&saved, 8));
    assert!(number(&saved, 4) > sequence);
    let advice = hive.logs_after_save();
    assert_eq!((advice.sequence, advice.empty), (number(&saved, 4), true));
    // If the program ends before it has emptied the log, the log is not applied later: neither to the clean file, nor
    // to a file that a later writer wrote in part.
    assert_eq!(Hive::open(saved.clone(), &[log.clone()]).unwrap().state(), &State::Clean);
    assert!(matches!(Hive::open(dirty(&saved), &[log]), Err(Error::Dirty { .. })));
}
