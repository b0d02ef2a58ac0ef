use super::{sentence::sentence, *};
use crate::targets::Reason;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn event() -> EventQuery {
    EventQuery { log: "Application".to_owned(), source: "EXPROX".to_owned(), id: 1000, level: None }
}

/// The facts of events at these times, in a log from the first to the second of `log`.
fn facts(times: &[&str], log: [&str; 2]) -> EventFacts {
    let times: Vec<_> = times.iter().map(|text| time(text)).collect();
    EventFacts {
        count: times.len() as u64,
        first: times.last().copied(),
        last: times.first().copied(),
        times,
        log_begins: log[0].parse().ok(),
        log_ends: log[1].parse().ok(),
        damage: None,
    }
}

/// Returns the sentence about the facts. `applied` is the time of the last apply, if there was one.
fn said(facts: &EventFacts, applied: Option<&str>) -> String {
    let last = applied.map(|text| LastApply { time: time(text), journal: "j".to_owned() });
    let around = last.as_ref().map(|last| AroundApply::of(facts, last.time));
    sentence(&event(), &Answer::Present(Seen::of(facts)), &last.into(), around, None)
}

const DAYS: [&str; 3] = ["2026-11-03T00:00:00Z", "2026-11-02T00:00:00Z", "2026-11-01T00:00:00Z"];

#[test]
fn what_was_seen_is_said() {
    let log = ["2026-10-01T00:00:00Z", "2026-11-09T00:00:00Z"];
    assert_eq!(said(&facts(&DAYS, log), None), "seen 3 times, last 2026-11-03T00:00:00Z");
    assert_eq!(said(&facts(&DAYS[2..], log), None), "seen once, 2026-11-01T00:00:00Z");
    assert_eq!(said(&facts(&[], log), None), "not seen; the log begins at 2026-10-01T00:00:00Z");
    assert_eq!(said(&facts(&[], ["", ""]), None), "not seen; the log is empty");
    let damaged = EventFacts { damage: Some("at offset 0x30: no".to_owned()), ..facts(&DAYS, log) };
    let words =
        "seen at least 3 times, last 2026-11-03T00:00:00Z; not all of the log could be read: at offset 0x30: no";
    assert_eq!(said(&damaged, None), words);
    let nothing = EventFacts { damage: Some("all".to_owned()), ..facts(&[], ["", ""]) };
    assert_eq!(said(&nothing, None), "not seen; not all of the log could be read: all");
}

#[test]
fn what_was_seen_around_an_apply_is_said() {
    let log = ["2026-10-01T00:00:00Z", "2026-11-09T00:00:00Z"];
    let all = facts(&DAYS, log);
    assert_eq!(said(&all, Some("2026-11-04T00:00:00.5Z")), "0 events since 2026-11-04T00:00:00Z, 3 before");
    assert_eq!(said(&all, Some("2026-11-03T00:00:00.9Z")), "1 event since 2026-11-03T00:00:00Z, 2 before");
    let cleared = facts(&DAYS[..1], ["2026-11-03T00:00:00Z", log[1]]);
    let words = "1 event since 2026-11-02T12:00:00Z, but the log begins at 2026-11-03T00:00:00Z, after the apply, so \
                 the number of events before the apply is not known";
    assert_eq!(said(&cleared, Some("2026-11-02T12:00:00Z")), words);
    let empty = facts(&[], ["", ""]);
    let words = "0 events since 2026-11-02T12:00:00Z; the log is empty, so the number of events before the apply is \
                 not known";
    assert_eq!(said(&empty, Some("2026-11-02T12:00:00Z")), words);
    let words = "0 events since 2026-11-10T00:00:00Z, 3 before; but nothing at all was logged since: the log ends at \
                 2026-11-09T00:00:00Z";
    assert_eq!(said(&all, Some("2026-11-10T00:00:00Z")), words);
    let damaged = EventFacts { damage: Some("x".to_owned()), ..all.clone() };
    let words = "at least 1 event since 2026-11-03T00:00:00Z, 2 before; not all of the log could be read: x";
    assert_eq!(said(&damaged, Some("2026-11-03T00:00:00Z")), words);
    let many = EventFacts { count: 5000, ..all };
    assert_eq!(said(&many, Some("2026-10-15T00:00:00Z")), "at least 3 events since 2026-10-15T00:00:00Z");
}

#[test]
fn what_is_not_known_is_never_a_number() {
    let unread = Answer::unread(Reason::Denied, "no right");
    let apply = Answer::Present(LastApply { time: time(DAYS[0]), journal: "j".to_owned() });
    assert_eq!(sentence(&event(), &unread, &apply, None, None), "not known: access denied: no right");
    assert_eq!(sentence(&event(), &Answer::Absent, &apply, None, None), "the target does not have the log Application");
    let seen = Answer::Present(Seen::of(&facts(&DAYS, [DAYS[2], DAYS[0]])));
    let unread = Answer::unread(Reason::Unknown, "a journal cannot be read: x");
    let words = "seen 3 times, last 2026-11-03T00:00:00Z; the number since the last apply is not known: a journal cannot \
                 be read: x";
    assert_eq!(sentence(&event(), &seen, &unread, None, None), words);
}
