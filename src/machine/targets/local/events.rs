//! Reads the event logs of this machine through the Windows API.
//!
//! The Windows Event Log API reads every log since Windows Vista. Where this API is not implemented, the older Event
//! Logging API is used, which has only the logs with a key below `EventLog`.
//!
//! Sources: Microsoft, "EvtQuery", "EvtNext", "EvtRender", "Consuming Events", "OpenEventLogW", "ReadEventLogW".
#![allow(unsafe_code)]

use std::{io, ptr::null};

use windows_sys::Win32::{
    Foundation::{
        ERROR_CALL_NOT_IMPLEMENTED, ERROR_EVENTLOG_FILE_CHANGED, ERROR_EVENTLOG_FILE_CORRUPT,
        ERROR_EVT_CHANNEL_NOT_FOUND, ERROR_HANDLE_EOF, ERROR_INSUFFICIENT_BUFFER, ERROR_NO_MORE_ITEMS, HANDLE,
        SetLastError,
    },
    System::EventLog::{
        CloseEventLog, EVENTLOG_SEQUENTIAL_READ, EVT_HANDLE, EvtClose, EvtNext, EvtQuery, EvtQueryChannelPath,
        EvtQueryForwardDirection, EvtQueryReverseDirection, EvtRender, EvtRenderEventXml, OpenEventLogW, ReadEventLogW,
    },
};

use super::error::Code;
use crate::{
    format::{
        event::{Damage, Event},
        event_xml::of_xml,
        evt,
    },
    targets::{
        Answer, EventFacts, EventQuery, KeyQuery, Reason, TargetError, Unread, ValueSelection,
        events::{self, Tally},
    },
};

/// The maximum number of events that one call of EvtNext requests.
const BATCH: usize = 64;
/// The time limit for one call of EvtNext, in milliseconds.
const BATCH_LIMIT: u32 = 60_000;
/// The size in bytes at which the buffer for the XML of one event stops growing. An event that does not fit is not
/// read.
const LARGEST: usize = 4 << 20;
/// The maximum number of event IDs in one query of the Windows Event Log API, which allows 32 terms. For more IDs,
/// kbfix reads all events of the log.
const MOST_IDS: usize = 20;
/// The flag that makes ReadEventLogW read from the oldest event to the newest.
const FORWARDS: u32 = 4;
/// The size in bytes of the largest buffer that ReadEventLogW accepts.
const LARGEST_READ: usize = 0x7_FFFF;

/// Answers each query about events, in the same order.
pub(super) fn answers(queries: &[EventQuery]) -> Result<Vec<Answer<EventFacts>>, TargetError> {
    events::answers(queries, |asked| Ok(of_log(asked)))
}

fn of_log(asked: &[&EventQuery]) -> Answer<Vec<EventFacts>> {
    let log = &asked[0].log;
    if log.is_empty() || log.contains('\0') {
        return Answer::unread(Reason::Unsupported, format!("`{log}` is not the name of a log"));
    }
    let (mut tally, mut damage) = (Tally::new(asked), Damage::default());
    let mut read = new_api(asked, &mut tally, &mut damage);
    if read == Err(Code(ERROR_CALL_NOT_IMPLEMENTED)) {
        if let Err(answer) = is_registered(log) {
            return answer;
        }
        read = old_api(log, &mut tally, &mut damage);
    }
    match read {
        Ok(()) => Answer::Present(tally.facts(&damage)),
        Err(Code(ERROR_EVT_CHANNEL_NOT_FOUND)) => Answer::Absent,
        Err(Code(ERROR_EVENTLOG_FILE_CORRUPT)) => {
            Answer::unread(Reason::Malformed, format!("the log {log} is corrupt"))
        }
        Err(code) => match code.answer::<()>() {
            Answer::Unread(Unread { reason, detail }) => Answer::unread(reason, format!("the log {log}: {detail}")),
            // Only a log that is not found is absent. If something else is not found, the answer is not known.
            _ => Answer::unread(Reason::Unknown, format!("the log {log}: {}", code.message())),
        },
    }
}

fn last_error() -> Code {
    Code(io::Error::last_os_error().raw_os_error().unwrap_or_default().cast_unsigned())
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// A handle of the Windows Event Log API, for a result set or an event. Dropping the value closes the handle.
struct Handle(EVT_HANDLE);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and is used nowhere else.
        unsafe { EvtClose(self.0) };
    }
}

/// Reads the events that match the queries, and the times of the oldest and newest event, with the Windows Event Log
/// API.
fn new_api(asked: &[&EventQuery], tally: &mut Tally<'_>, damage: &mut Damage) -> Result<(), Code> {
    let log = wide(&asked[0].log);
    let mut ids: Vec<u32> = asked.iter().map(|query| query.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let terms: Vec<String> = ids.iter().map(|id| format!("EventID={id}")).collect();
    let selected = match ids.len() <= MOST_IDS {
        true => format!("*[System[{}]]", terms.join(" or ")),
        false => "*".to_owned(),
    };
    each(&log, &selected, EvtQueryForwardDirection, usize::MAX, damage, |event| tally.add(event))?;
    for direction in [EvtQueryForwardDirection, EvtQueryReverseDirection] {
        each(&log, "*", direction, 1, damage, |event| tally.span(event.time))?;
    }
    Ok(())
}

/// Reads, in this direction, at most `most` of the events that the XPath `query` selects, and calls `on` for each
/// event. For an event that cannot be read, adds a description to `damage` instead.
fn each(
    log: &[u16],
    query: &str,
    direction: u32,
    most: usize,
    damage: &mut Damage,
    mut on: impl FnMut(&Event),
) -> Result<(), Code> {
    let query = wide(query);
    // A system that only has a stub of the function (Wine) sets no error. SAFETY: both strings end with a NUL; 0 is
    // this machine.
    let set = unsafe {
        SetLastError(ERROR_CALL_NOT_IMPLEMENTED);
        EvtQuery(0, log.as_ptr(), query.as_ptr(), EvtQueryChannelPath | direction)
    };
    if set == 0 {
        return Err(last_error());
    }
    let set = Handle(set);
    let (mut buffer, mut left) = (vec![0_u16; 4096], most);
    while left > 0 && !damage.leaves_rest() {
        let (mut found, mut count) = ([0; BATCH], 0);
        let wanted = left.min(BATCH);
        // SAFETY: there is room for as many handles as are requested.
        let done = unsafe { EvtNext(set.0, wanted as u32, found.as_mut_ptr(), BATCH_LIMIT, 0, &raw mut count) };
        if done == 0 {
            return match last_error() {
                Code(ERROR_NO_MORE_ITEMS) => Ok(()),
                code => Err(code),
            };
        }
        let events: Vec<Handle> = found[..(count as usize).min(wanted)].iter().map(|event| Handle(*event)).collect();
        for event in &events {
            match render(event, &mut buffer).and_then(|xml| of_xml(&xml)) {
                Ok(event) => on(&event),
                Err(why) => damage.add(|| format!("an event: {why}")),
            }
        }
        left = left.saturating_sub(events.len());
    }
    Ok(())
}

/// Returns the XML of an event.
fn render(event: &Handle, buffer: &mut Vec<u16>) -> Result<String, String> {
    loop {
        let (size, mut used, mut properties) = ((buffer.len() * 2) as u32, 0, 0);
        // SAFETY: the buffer has the given size, in bytes.
        let done = unsafe {
            EvtRender(
                0,
                event.0,
                EvtRenderEventXml,
                size,
                buffer.as_mut_ptr().cast(),
                &raw mut used,
                &raw mut properties,
            )
        };
        if done != 0 {
            let units = &buffer[..(used as usize / 2).min(buffer.len())];
            return Ok(String::from_utf16_lossy(units.split(|unit| *unit == 0).next().unwrap_or_default()));
        }
        match last_error() {
            Code(ERROR_INSUFFICIENT_BUFFER) if buffer.len() * 2 < LARGEST => {
                buffer.resize((used as usize / 2 + 1).max(buffer.len() * 2), 0);
            }
            code => return Err(format!("it cannot be rendered: {}", code.message())),
        }
    }
}

/// Returns an error, the answer about the log, if the event log has no key in the registry or the key cannot be read.
/// For a log without a key, OpenEventLogW would open the log Application instead.
fn is_registered(log: &str) -> Result<(), Answer<Vec<EventFacts>>> {
    let unsupported = |what: String| Answer::unread(Reason::Unsupported, what);
    let key = format!(r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\{log}");
    let key = key.parse().map_err(|_| unsupported(format!("`{log}` is not the name of a log")))?;
    let query = KeyQuery { key, values: ValueSelection::Names([].into()), subkeys: false };
    match super::read::key_facts(&query, &mut super::read::Questions::new()) {
        Answer::Present(_) => Ok(()),
        Answer::Absent => Err(Answer::Absent),
        Answer::Unread(why) => Err(Answer::Unread(why)),
    }
}

/// A handle of the Event Logging API for an event log. Dropping the value closes the handle.
struct Log(HANDLE);

impl Drop for Log {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and is used nowhere else.
        unsafe { CloseEventLog(self.0) };
    }
}

/// Reads the events of the log with the Event Logging API.
fn old_api(log: &str, tally: &mut Tally<'_>, damage: &mut Damage) -> Result<(), Code> {
    let log = wide(log);
    // SAFETY: the name ends with a NUL. Without a server name, the log is one of this machine.
    let handle = unsafe { OpenEventLogW(null(), log.as_ptr()) };
    if handle.is_null() {
        return Err(last_error());
    }
    let log = Log(handle);
    let mut buffer = vec![0_u8; 64 << 10];
    while !damage.leaves_rest() {
        let (size, mut used, mut needed) = (buffer.len() as u32, 0, 0);
        let flags = EVENTLOG_SEQUENTIAL_READ | FORWARDS;
        // SAFETY: the buffer has the given size.
        let done =
            unsafe { ReadEventLogW(log.0, flags, 0, buffer.as_mut_ptr().cast(), size, &raw mut used, &raw mut needed) };
        if done != 0 {
            records(&buffer[..(used as usize).min(buffer.len())], tally, damage);
            continue;
        }
        match last_error() {
            Code(ERROR_HANDLE_EOF) => return Ok(()),
            Code(ERROR_INSUFFICIENT_BUFFER) if buffer.len() < LARGEST_READ => buffer.resize(LARGEST_READ, 0),
            Code(ERROR_EVENTLOG_FILE_CHANGED) => {
                damage.add(|| "the log was cleared while kbfix read it".to_owned());
                return Ok(());
            }
            code => return Err(code),
        }
    }
    Ok(())
}

/// Counts the records that one call of ReadEventLogW returned.
fn records(mut bytes: &[u8], tally: &mut Tally<'_>, damage: &mut Damage) {
    while let Some(length) = bytes.first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        let Some((record, rest)) = bytes.split_at_checked(length).filter(|_| length > 0) else {
            return damage.add(|| format!("a record has the impossible length {length}"));
        };
        match evt::of_record(record) {
            Ok(event) => tally.add(&event),
            Err(why) => damage.add(|| why),
        }
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::format::event::EventLevel;

    #[test]
    fn the_records_of_one_call_are_counted() {
        let event = |second, id| evt::NewEvent {
            time: Timestamp::from_second(second).unwrap(),
            source: "EXPROX",
            id,
            level: EventLevel::Warning,
            computer: "PC",
            strings: &["x"],
        };
        let log = evt::create(&[event(10, 1000), event(20, 1000), event(30, 7)], 4096);
        let end = log.windows(4).position(|bytes| bytes == [0x11; 4]).unwrap() - 4;
        let (query, mut damage) = (
            EventQuery { log: "Application".into(), source: "exprox".into(), id: 1000, level: None },
            Damage::default(),
        );
        let counted = |bytes: &[u8], damage: &mut Damage| {
            let mut tally = Tally::new(&[&query]);
            records(bytes, &mut tally, damage);
            let facts = tally.facts(damage).remove(0);
            (facts.count, facts.log_ends.map(Timestamp::as_second))
        };
        assert_eq!(counted(&log[48..end], &mut damage), (2, Some(30)));
        assert_eq!(damage.sentence(), None);
        assert_eq!(counted(&log[48..end - 4], &mut damage), (2, Some(20)));
        assert!(damage.sentence().unwrap().contains("impossible length"));
    }
}
