//! Reads event logs in the format of Windows Vista and later, such as `Application.evtx`.
//!
//! The crate `evtx` reads them, one chunk of 64 KiB at a time, and converts the records to XML of limited size. A chunk
//! or record that `evtx` cannot read counts as damage, and so does a wrong checksum.

use std::io::{Read, Seek};

use evtx::{EvtxParser, ParserSettings, err::EvtxError};

use super::{
    event::{Damage, Event},
    event_xml::of_xml,
};

/// The size of a log's header in bytes.
const HEADER: u64 = 4096;
/// The size of a chunk in bytes; a log consists of its header and of chunks, which contain the records.
const CHUNK: u64 = 64 << 10;

/// The reason why the header of a log cannot be read: the file is not an event log of this format, or is truncated, or
/// the system returned an error.
#[derive(Debug, thiserror::Error)]
#[error("the file is not an event log, or cannot be read: {0}")]
pub struct EvtxFault(#[from] EvtxError);

/// Calls `each` for every readable event of a log of `size` bytes, in the order of the file. Returns the damaged parts.
///
/// If too many parts are damaged ([`Damage::leaves_rest`]), the rest is not read.
///
/// # Errors
///
/// Returns [`EvtxFault`] if the header of the log cannot be read.
pub fn read(file: impl Read + Seek, size: u64, mut each: impl FnMut(Event)) -> Result<Damage, EvtxFault> {
    let mut parser = EvtxParser::from_read_seek(file)?.with_configuration(ParserSettings::new().indent(false));
    let mut damage = Damage::default();
    if !parser.header().validate_checksum() {
        damage.add(|| "the checksum of the log's header is wrong".to_owned());
    }
    if !size.saturating_sub(HEADER).is_multiple_of(CHUNK) {
        damage.add(|| "the log ends inside a chunk, so it is incomplete".to_owned());
    }
    let settings = std::sync::Arc::new(ParserSettings::new().indent(false));
    for chunk in parser.chunks() {
        if damage.leaves_rest() {
            break;
        }
        let mut chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => {
                damage.add(|| said(&error));
                continue;
            }
        };
        let number = chunk.number.unwrap_or_default();
        if !chunk.validate_checksum() {
            // Read the events in it anyway: the newest chunk of a log that was not closed also has a wrong checksum.
            damage.add(|| format!("the checksum of chunk {number} is wrong: the log was changed, or not closed"));
        }
        match chunk.parse(settings.clone()) {
            Ok(mut chunk) => {
                for record in chunk.iter() {
                    let id = record.as_ref().ok().map(|record| record.event_record_id);
                    let event = record.and_then(|record| record.into_xml()).map_err(|error| said(&error));
                    match event.and_then(|record| of_xml(&record.data)) {
                        Ok(event) => each(event),
                        Err(why) => damage.add(|| match id {
                            Some(id) => format!("record {id} in chunk {number}: {why}"),
                            None => format!("a record in chunk {number}: {why}"),
                        }),
                    }
                }
            }
            Err(error) => damage.add(|| format!("chunk {number}: {error}")),
        }
    }
    Ok(damage)
}

/// Formats the error on one line.
fn said(error: &EvtxError) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
