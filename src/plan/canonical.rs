//! Finds the canonical name of each key on the target.
//!
//! Several names can lead to one key: HKCR is HKLM\SOFTWARE\Classes, the current control set also has a number, and
//! 32-bit Windows has only one view. The plan reads and changes every key under one name, its canonical name. Otherwise
//! one change could be planned twice, or a later spec could overlook the change of an earlier one. Most canonical names
//! are known without reading anything ([`Key::one_name`]). The others depend on facts of the machine. Links that are
//! stored in a hive are not resolved here. If a key was planned twice because of such a link, the target refuses the
//! changes.

use super::lookup;
use crate::{
    observe::Reader,
    registry::{Decoded, Key, View, control_set},
    targets::{Answer, Reason, Unread},
};

/// Returns the canonical name of the key.
///
/// # Errors
/// Returns the reason if a fact on which the name depends could not be read.
pub(super) fn one_name(key: &Key, reader: &Reader<'_>) -> Result<Key, Unread> {
    let named = key.one_name(false);
    // Most keys have this name on 32-bit Windows too, so nothing need be read for them.
    if named.view == View::Bits32 || named.path != key.path {
        let in_one_view = key.one_name(true);
        if in_one_view != named && has_one_view(reader) {
            return Ok(in_one_view);
        }
    }
    let Some(number) = control_set::number_of(&named.path) else { return Ok(named) };
    let current = match lookup::hklm_value(r"SYSTEM\Select", "Current", reader)? {
        Some(data) => data.decode(),
        None => return Ok(named),
    };
    match current {
        Decoded::Number(current) if current == u64::from(number) => Ok(named.in_current_set(number)),
        Decoded::Number(_) => Ok(named),
        _ => {
            let why = r"the value Current of HKLM\SYSTEM\Select is not the number of a control set";
            Err(Unread::new(Reason::Malformed, why))
        }
    }
}

/// Returns whether the target is 32-bit Windows, which has only one registry view.
///
/// The target is 32-bit Windows if its environment says so, or if it lacks the key that every 64-bit Windows has for
/// the 32-bit view. If neither is known, `false` is returned, so that keys in the 32-bit view are read separately.
fn has_one_view(reader: &Reader<'_>) -> bool {
    let environment = r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment";
    let architecture = lookup::hklm_value(environment, "PROCESSOR_ARCHITECTURE", reader).ok().flatten();
    let says_so =
        architecture.and_then(|data| data.as_read_text()).is_some_and(|text| text.eq_ignore_ascii_case("x86"));
    let node = reader.key(&lookup::hklm(r"SOFTWARE\Wow6432Node"));
    says_so || node == Answer::Absent
}
