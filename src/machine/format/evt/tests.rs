use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::format::event::EventLevel;

/// A time that many minutes after the start of 2006.
fn time(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_136_073_600 + 60 * minutes).unwrap()
}

fn warning(minutes: i64, text: &'static [&'static str]) -> NewEvent<'static> {
    let (source, computer) = ("EXPROX", "FRONTEND1");
    NewEvent { time: time(minutes), source, id: 0x8004_03E8, level: EventLevel::Warning, computer, strings: text }
}

/// The minutes of the events that are read, and what could not be read.
fn minutes(log: &[u8]) -> (Vec<i64>, Option<String>) {
    let mut found = Vec::new();
    let damage = read(log, |event| {
        assert_eq!((event.source.as_str(), event.id, event.level), ("EXPROX", 1000, EventLevel::Warning));
        found.push((event.time.as_second() - 1_136_073_600) / 60);
    });
    (found, damage.unwrap().sentence())
}

/// A log of records of four sizes, so that the seam comes to stand at every place of one.
fn log_of(count: i64, size: usize) -> Vec<u8> {
    const TEXTS: [&[&str]; 4] = [&["BACKEND1"], &["BACKEND1", "xy"], &["BACKEND12", "12345"], &[]];
    let events: Vec<_> = (0..count).map(|n| warning(n, TEXTS[n as usize % TEXTS.len()])).collect();
    create(&events, size)
}

/// Makes of a closed log what a machine leaves that loses its power: a dirty header, that of the empty log.
fn lose_power(log: &mut [u8]) {
    for (at, number) in [(16, HEADER as u32), (20, HEADER as u32), (24, 1), (28, 0), (36, 1)] {
        log[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
}

#[test]
fn a_log_is_read_from_the_oldest_record_to_the_newest() {
    assert_eq!(minutes(&log_of(0, 0x1_0000)), (vec![], None));
    assert_eq!(minutes(&log_of(5, 0x1_0000)), (vec![0, 1, 2, 3, 4], None));
}

#[test]
fn a_log_has_room_for_its_largest_record() {
    for size in (0..400).step_by(4) {
        assert_eq!(minutes(&log_of(0, size)), (vec![], None), "{size}");
        assert_eq!(minutes(&log_of(1, size)), (vec![0], None), "{size}");
        let (found, damage) = minutes(&log_of(9, size));
        assert_eq!((found.last(), damage), (Some(&8), None), "{size}");
    }
}

#[test]
fn a_full_log_goes_on_after_its_header() {
    for size in (1000..1600).step_by(4) {
        for count in 1..40 {
            let mut log = log_of(count, size);
            let (found, damage) = minutes(&log);
            assert_eq!(damage, None, "{count} events in {size} bytes");
            assert!(found.len() as i64 == count || found.len() >= 3, "{found:?}");
            let last = count - found.len() as i64..count;
            assert_eq!(found, last.collect::<Vec<_>>(), "{count} events in {size} bytes");
            lose_power(&mut log);
            assert_eq!(minutes(&log), (found, None), "{count} events in {size} bytes, not closed");
        }
    }
}

#[test]
fn a_damaged_record_is_named_and_the_next_ones_are_read() {
    let whole = log_of(6, 0x1_0000);
    let records: Vec<usize> =
        (HEADER..whole.len() - 8).step_by(4).filter(|at| whole[at + 4..at + 8] == SIGNATURE.to_le_bytes()).collect();
    assert_eq!(records.len(), 6);
    for (at, what) in [
        (records[2], "the record has the impossible length 4294967295"),
        (records[2] + 4, "there is no record"),
        (records[3] - 4, "the record does not end with its length"),
    ] {
        let mut log = whole.clone();
        log[at..at + 4].fill(0xFF);
        assert_eq!(minutes(&log), (vec![0, 1, 3, 4, 5], Some(format!("at offset {:#x}: {what}", records[2]))));
    }
    let mut log = whole.clone();
    log[records[1]..records[1] + 4].fill(0);
    log[records[4]..records[4] + 4].fill(0);
    let what = format!("at offset {:#x}: the record has the impossible length 0, and 1 more", records[1]);
    assert_eq!(minutes(&log), (vec![0, 2, 3, 5], Some(what)));
    // The name of the source fills the record.
    let mut log = whole.clone();
    log[records[2] + FIXED..records[3] - 4].fill(0x41);
    let what =
        format!("at offset {:#x}: the source name of the record is too long, or has no NUL at its end", records[2]);
    assert_eq!(minutes(&log), (vec![0, 1, 3, 4, 5], Some(what)));
}

#[test]
fn a_log_without_an_end_is_read_and_named() {
    let whole = log_of(4, 0x1_0000);
    let end = (0..).find(|at| whole[at + 4..at + 8] == END_SIGNATURE[0].to_le_bytes()).unwrap();
    let what = "the log has no valid end record: it is incomplete or damaged";
    let mut log = whole.clone();
    log[end..end + END].fill(0);
    assert_eq!(minutes(&log), (vec![0, 1, 2, 3], Some(what.to_owned())));
    let cut = &whole[..end];
    assert_eq!(minutes(cut), (vec![0, 1, 2, 3], Some(what.to_owned())));
    let cut = &whole[..end - 10];
    assert_eq!(minutes(cut), (vec![0, 1, 2], Some(format!("{what}, and 1 more"))));
}

#[test]
fn what_is_no_log_is_refused() {
    let log = log_of(1, 0x1_0000);
    assert_eq!(read(b"", |_| {}), Err(EvtError::NoHeader));
    assert_eq!(read(&log[..47], |_| {}), Err(EvtError::NoHeader));
    assert_eq!(read(b"ElfFile\0", |_| {}), Err(EvtError::NoHeader));
    let mut newer = log;
    newer[8] = 2;
    assert_eq!(read(&newer, |_| {}), Err(EvtError::Version(2, 1)));
    // A header alone.
    assert_eq!(
        minutes(&log_of(0, 0x1000)[..48]).1.unwrap(),
        "the log has no valid end record: it is incomplete or damaged"
    );
}

#[test]
fn so_much_damage_that_reading_it_takes_long_is_not_read() {
    let mut log = log_of(1, 4 << 20);
    let record: Vec<u8> = [60, SIGNATURE].iter().flat_map(|n| n.to_le_bytes()).collect();
    for place in log[HEADER..].chunks_exact_mut(8) {
        place.copy_from_slice(&record);
    }
    let said = minutes(&log).1.unwrap();
    assert!(said.ends_with("and there are so many errors that the rest was not read"), "{said}");
}

proptest! {
    #[test]
    fn damage_is_never_taken_for_the_end(at in 0_usize..2000, byte: u8, size in 300_usize..500) {
        let mut log = log_of(20, size * 4);
        let whole = minutes(&log);
        let at = HEADER + at % (log.len() - HEADER);
        log[at] ^= byte;
        let mut found = 0;
        let damage = read(&log, |_| found += 1).unwrap();
        prop_assert!(found >= whole.0.len() || damage.sentence().is_some());
    }
}
