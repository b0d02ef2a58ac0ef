use super::*;
use crate::format::event::Damage;

fn query(source: &str, level: Option<EventLevel>) -> EventQuery {
    EventQuery { log: "System".to_owned(), source: source.to_owned(), id: 13, level }
}

fn event(source: &str, second: i64) -> Event {
    let time = Timestamp::from_second(second).unwrap();
    Event { source: source.to_owned(), old_source: None, id: 13, level: EventLevel::Warning, time }
}

#[test]
fn a_source_is_found_by_each_of_its_names() {
    let mut logged = event("Microsoft-Windows-Wininit", 0);
    logged.old_source = Some("WinInitOld".to_owned());
    for name in ["Microsoft-Windows-Wininit", "wininit", "WININITOLD"] {
        assert!(query(name, None).fits(&logged), "{name}");
    }
    for name in ["Windows-Wininit", "Wini", "", "Microsoft-Windows-"] {
        assert!(!query(name, None).fits(&logged), "{name}");
    }
    assert!(query("wininit", Some(EventLevel::Warning)).fits(&logged));
    assert!(!query("wininit", Some(EventLevel::Error)).fits(&logged));
    assert!(!EventQuery { id: 14, ..query("wininit", None) }.fits(&logged));
    // A name of which the maker's ends inside a character.
    assert!(!query("x", None).fits(&event("Microsoft-Windowsé", 0)));
}

#[test]
fn events_are_counted_in_any_order_and_the_newest_times_are_kept() {
    let (asked, other) = (query("A", None), query("B", None));
    let mut tally = Tally::new(&[&asked, &other]);
    let order = (0..1500).map(|n| 10 + n * 7 % 1500);
    order.for_each(|second| tally.add(&event("a", second)));
    tally.add(&event("c", 3));
    let facts = tally.facts(&Damage::default());
    let at = |second| Timestamp::from_second(second).ok();
    assert_eq!((facts[0].count, facts[0].first, facts[0].last), (1500, at(10), at(1509)));
    assert_eq!((facts[0].times.len(), facts[0].times[999]), (1000, at(510).unwrap()));
    assert_eq!((facts[1].count, facts[1].first, facts[1].times.len()), (0, None, 0));
    assert!(facts.iter().all(|facts| facts.log_begins == at(3) && facts.damage.is_none()));
    let since = |second| facts[0].since(at(second).unwrap());
    assert_eq!(since(1510), Since { count: 0, or_more: false });
    assert_eq!(since(1509), Since { count: 1, or_more: false });
    assert_eq!(since(511), Since { count: 999, or_more: false });
    assert_eq!(since(500), Since { count: 1000, or_more: true });
    // The second counts as a whole: an event of which the log keeps no fraction may be later.
    let late = at(1509).unwrap() + jiff::SignedDuration::from_millis(900);
    assert_eq!(facts[0].since(late), Since { count: 1, or_more: false });
}
