//! Tests the event logs of this machine. `eventcreate` of Windows logs events, and kbfix counts them. Wine has no
//! `eventcreate` and logs nothing, so there the logs are only read.

use std::process::Command;

use kbfix::{
    format::event::EventLevel,
    targets::{Address, Answer, EventFacts, EventQuery, open},
};

use crate::start::run;

const SOURCE: &str = "kbfix-test";

fn ask(log: &str, source: &str, id: u32) -> Answer<EventFacts> {
    let level = Some(EventLevel::Warning);
    let query = EventQuery { log: log.to_owned(), source: source.to_owned(), id, level };
    let mut target = open(&Address::new("local", None, None).unwrap()).unwrap();
    target.read_events(&[query]).unwrap().remove(0)
}

#[test]
#[ignore = "Wine has no eventcreate; tests/windows/run runs it on Windows"]
fn what_is_logged_is_counted() {
    let before = match ask("Application", SOURCE, 77) {
        Answer::Present(facts) => facts.count,
        other => panic!("{other:?}"),
    };
    let arguments = ["/L", "Application", "/SO", SOURCE, "/T", "WARNING", "/ID", "77", "/D", "a test of kbfix"];
    let output = run(Command::new("eventcreate").args(arguments));
    assert!(output.status.success(), "{output:?}");
    let Answer::Present(facts) = ask("Application", SOURCE, 77) else { panic!() };
    assert_eq!(facts.count, before + 1);
    assert!(facts.last >= facts.first && facts.log_ends >= facts.last && facts.log_begins <= facts.first);
}

#[test]
fn a_log_that_is_not_there_is_absent() {
    assert_eq!(ask("kbfix-test-no-such-log", SOURCE, 77), Answer::Absent);
    assert!(matches!(ask("", SOURCE, 77), Answer::Unread(_)));
    assert!(matches!(ask("a\0b", SOURCE, 77), Answer::Unread(_)));
}
