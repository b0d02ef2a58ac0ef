//! Reads the file of a log, in either format.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, Read, Seek},
};

use super::{EventFacts, EventQuery, Tally};
use crate::{
    files::read::read_open,
    format::{event::Damage, evt, evtx},
    targets::{Answer, Reason, TargetError, Unread},
};

/// The largest log in the old format that is read, in bytes. It is read as a whole; Windows Server 2003 has no larger
/// ones.
const MOST_EVT: u64 = 512 << 20;
/// The largest log in the new format that is read, in bytes. It takes minutes.
const MOST_EVTX: u64 = 4 << 30;

/// Answers each question, in the same order. `open` finds and opens the file of a log; each is opened once.
///
/// # Errors
/// Returns an error only where the target as a whole cannot be read.
pub(in crate::targets) fn answers(
    queries: &[EventQuery],
    mut open: impl FnMut(&str) -> Result<Answer<File>, TargetError>,
) -> Result<Vec<Answer<EventFacts>>, TargetError> {
    let mut logs: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, query) in queries.iter().enumerate() {
        logs.entry(query.log.to_ascii_lowercase()).or_default().push(at);
    }
    let mut answers = vec![Answer::Absent; queries.len()];
    for places in logs.values() {
        let asked: Vec<&EventQuery> = places.iter().map(|at| &queries[*at]).collect();
        let found = match open(&asked[0].log)? {
            Answer::Present(file) => facts(file, &asked).map(|facts| facts.into_iter().map(Answer::Present).collect()),
            Answer::Absent => Ok(vec![Answer::Absent; asked.len()]),
            Answer::Unread(why) => Err(why),
        };
        let found = found.unwrap_or_else(|why| vec![Answer::Unread(why); asked.len()]);
        for (at, answer) in places.iter().zip(found) {
            answers[*at] = answer;
        }
    }
    Ok(answers)
}

/// Returns the facts for questions about one log.
fn facts(file: File, queries: &[&EventQuery]) -> Result<Vec<EventFacts>, Unread> {
    let log = &queries[0].log;
    let mut tally = Tally::new(queries);
    let damage = read(file, &mut tally)
        .map_err(|(reason, detail)| Unread::new(reason, format!("the file of the log {log}: {detail}")))?;
    Ok(tally.facts(&damage))
}

fn read(mut file: File, tally: &mut Tally<'_>) -> Result<Damage, (Reason, String)> {
    let io = |error: io::Error| (Reason::Malformed, format!("it cannot be read: {error}"));
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
        false => Err((Reason::Unsupported, format!("it has {size} bytes, more than the {most} that kbfix reads"))),
    }
}
