//! Reads a fleet plan, and returns the plan for one machine.

use std::io::{self, BufRead, Read};

use serde::Deserialize;
use serde_json::Number;

use super::{Bundle, BundleError};
use crate::{
    format::json,
    plan::{
        Plan,
        file::{same_digest, sha256},
    },
};

/// The bytes with which every fleet plan begins.
const START: &[u8] = b"{\"kbfix_fleet_plan\":";
/// The maximum number of bytes in the first line, enough for several hundred thousand machines.
const MOST_HEAD: u64 = 256 << 20;
/// The maximum number of bytes in one plan.
const MOST_PLAN: u64 = 256 << 20;

/// Returns whether a file that begins with these bytes is a fleet plan.
pub fn is_bundle(start: &[u8]) -> bool {
    start.starts_with(START)
}

/// Reads a fleet plan to its end, and returns the plan whose index `choose` returns. Checks every byte against the
/// digests in the file, and the digest of the file against `approved`, if this is given.
///
/// # Errors
/// Returns [`BundleError`] if the file cannot be read or trusted, or `choose` fails.
pub fn read(
    mut from: impl BufRead,
    approved: Option<&str>,
    choose: impl FnOnce(&Bundle) -> Result<usize, BundleError>,
) -> Result<Plan, BundleError> {
    let head = line(&mut from, MOST_HEAD)?.ok_or_else(|| BundleError::Shape("it is empty".to_owned()))?;
    let head = json::text(&head).map_err(BundleError::Shape)?;
    let shape = |error: serde_json::Error| BundleError::Shape(json::explain(&error));
    json::check(head).map_err(shape)?;
    // Another version may have other members, so its number is checked first.
    match serde_json::from_str::<Version>(head) {
        Ok(Version { kbfix_fleet_plan }) if kbfix_fleet_plan.as_u64() == Some(1) => {}
        _ => return Err(BundleError::Shape("`kbfix_fleet_plan` is not 1".to_owned())),
    }
    let bundle: Bundle = serde_json::from_str(head).map_err(shape)?;
    let content = bundle.content_digest();
    if content != bundle.digest {
        let written = &bundle.digest;
        return Err(BundleError::Altered(format!(
            "it contains the digest {written}, but the digest of its content is {content}"
        )));
    }
    if bundle.line() != head {
        return Err(BundleError::Altered("its first line is not formatted as kbfix formats it".to_owned()));
    }
    if let Some(wanted) = approved.filter(|wanted| !same_digest(wanted, &content)) {
        return Err(BundleError::Other { found: content, wanted: wanted.to_owned() });
    }
    let chosen = choose(&bundle);
    let mut plan = None;
    for (at, machine) in bundle.machines.iter().enumerate() {
        let altered = |what: &str| BundleError::Altered(format!("the plan of {} {what}", machine.name));
        let bytes = line(&mut from, MOST_PLAN)?.ok_or_else(|| altered("is missing"))?;
        if sha256(&bytes) != machine.sha256 {
            return Err(altered("does not match the digest in the first line"));
        }
        if matches!(chosen, Ok(chosen) if chosen == at) {
            plan = Some(bytes);
        }
    }
    if !from.fill_buf()?.is_empty() {
        return Err(BundleError::Altered("there is more text after the last plan".to_owned()));
    }
    // The error is returned only now, because an altered file must be reported as altered before anything else.
    let machine = &bundle.machines[chosen?];
    let plan = plan.ok_or_else(|| BundleError::Shape(format!("it contains no plan for {}", machine.name)))?;
    let plan = json::text(&plan).map_err(BundleError::Shape)?;
    Ok(Plan::from_text(plan, Some(&machine.plan))?)
}

/// The field of the first line that contains the version of the format.
#[derive(Deserialize)]
struct Version {
    kbfix_fleet_plan: Number,
}

/// Returns the next line without its line break; `None` at the end of the file. Returns an error if the line has more
/// than `most` bytes, or no line break at its end.
fn line(from: &mut impl BufRead, most: u64) -> Result<Option<Vec<u8>>, BundleError> {
    let mut bytes = Vec::new();
    let size = Read::take(&mut *from, most + 1).read_until(b'\n', &mut bytes)?;
    match bytes.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(bytes)),
        Some(_) if size as u64 > most => {
            let detail = format!("a line has more than {most} bytes, which is the maximum for kbfix");
            Err(io::Error::new(io::ErrorKind::FileTooLarge, detail).into())
        }
        Some(_) => Err(BundleError::Altered(
            "its last line has no line break at the end; the file may have been cut off".to_owned(),
        )),
    }
}
