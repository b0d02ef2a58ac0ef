//! Reads an event log from its file, which is in the old or the new format.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek},
};

use super::{EventFacts, EventQuery, Tally};
use crate::{
    files::read::read_open,
    format::{event::Damage, evt, evtx},
    targets::{Answer, Reason},
};

/// The size in bytes of the largest log that kbfix reads in the format before Windows Vista (`.evt`). Such a log is
/// read completely into memory. In practice, the logs of Windows Server 2003 are smaller.
const MOST_EVT: u64 = 512 << 20;
/// The size in bytes of the largest log that kbfix reads in the format since Windows Vista (`.evtx`). Reading a log of
/// this size takes minutes.
const MOST_EVTX: u64 = 4 << 30;

/// Returns the facts for each query, in the same order. All queries must be about the log in this file.
pub(in crate::targets) fn facts(file: File, queries: &[&EventQuery]) -> Answer<Vec<EventFacts>> {
    let mut tally = Tally::new(queries);
    match read(file, &mut tally) {
        Ok(damage) => Answer::Present(tally.facts(&damage)),
        Err((reason, detail)) => {
            let log = queries.first().map_or("", |query| &query.log);
            Answer::unread(reason, format!("the file of the log {log}: {detail}"))
        }
    }
}

fn read(mut file: File, tally: &mut Tally<'_>) -> Result<Damage, (Reason, String)> {
    let io = |error: io::Error| (Reason::Malformed, format!("the file cannot be read: {error}"));
    let malformed = |error: &dyn std::error::Error| (Reason::Malformed, error.to_string());
    let size = file.metadata().map_err(io)?.len();
    let mut start = Vec::new();
    (&mut file).take(8).read_to_end(&mut start).map_err(io)?;
    file.rewind().map_err(io)?;
    if start == b"ElfFile\0" {
        within(size, MOST_EVTX)?;
        return evtx::read(BufReader::new(file), size, |event| tally.add(&event)).map_err(|e| malformed(&e));
    }
    within(size, MOST_EVT)?;
    let bytes = read_open(file, MOST_EVT).map_err(io)?;
    evt::read(&bytes, |event| tally.add(&event)).map_err(|e| malformed(&e))
}

fn within(size: u64, most: u64) -> Result<(), (Reason, String)> {
    match size <= most {
        true => Ok(()),
        false => {
            Err((Reason::Unsupported, format!("the file has {size} bytes, more than the {most} that kbfix reads")))
        }
    }
}
