//! Finds, in the text form (SDDL) of the security descriptor of a folder or file, an account that can write to it.
//!
//! Source: Microsoft, "Security Descriptor String Format", "ACE Strings" and "File Security and Access Rights".

/// Access rights with which one cannot change a folder: GENERIC_READ, GENERIC_EXECUTE, READ_CONTROL, FILE_GENERIC_READ,
/// FILE_GENERIC_EXECUTE, and (in the letters for directory objects) list, read extended attributes, traverse, read
/// attributes.
const HARMLESS: [&str; 9] = ["GR", "GX", "RC", "FR", "FX", "CC", "SW", "WP", "LO"];

/// Access rights with which one cannot change a folder, as bits: FILE_LIST_DIRECTORY, FILE_READ_EA, FILE_TRAVERSE,
/// FILE_READ_ATTRIBUTES, READ_CONTROL, SYNCHRONIZE, GENERIC_EXECUTE, GENERIC_READ.
const HARMLESS_BITS: u32 = 0x01 | 0x08 | 0x20 | 0x80 | 0x2_0000 | 0x10_0000 | 0x2000_0000 | 0x8000_0000;

/// Accounts whose write access does not make a folder untrusted: the group Administrators, the system, and the built-in
/// account Administrator.
const TRUSTED: [&str; 5] = ["BA", "SY", "LA", "S-1-5-32-544", "S-1-5-18"];

/// Names that mean the owner of an object: CREATOR OWNER and OWNER RIGHTS. The owner is checked separately.
const OWNER_ALIASES: [&str; 4] = ["CO", "OW", "S-1-3-0", "S-1-3-4"];

/// Returns the reason why an object is unsafe, as a sentence; `None` if the object is safe. `sddl` is the owner and the
/// DACL of its security descriptor.
///
/// The object is unsafe if an account can write to it or to new files in it, or can give itself the right to do so.
/// Administrators, the system and the accounts in `also` (SIDs) are excepted. An object is also unsafe if this cannot
/// be seen in `sddl`.
pub(super) fn fault(sddl: &str, also: &[String]) -> Option<String> {
    let trusted = |sid: &str| TRUSTED.contains(&sid) || also.iter().any(|own| own == sid);
    let (before, dacl) = sddl.split_once("D:").unwrap_or((sddl, "NO_ACCESS_CONTROL"));
    let owner = before.strip_prefix("O:").map(|rest| rest.split("G:").next().unwrap_or(rest));
    match owner {
        None => return Some("it has no owner".to_owned()),
        Some(owner) if !trusted(owner) => {
            return Some(format!("its owner is {owner}, not the group Administrators or the system"));
        }
        Some(_) => {}
    }
    let (flags, entries) = dacl.split_at(dacl.find('(').unwrap_or(dacl.len()));
    if flags.contains("NO_ACCESS_CONTROL") {
        return Some("it has no access list, so everyone can write to it".to_owned());
    }
    entries.split_terminator(')').find_map(|entry| entry_fault(entry.trim_start_matches('('), &trusted))
}

fn entry_fault(entry: &str, trusted: &impl Fn(&str) -> bool) -> Option<String> {
    let fields: Vec<&str> = entry.split(';').collect();
    match fields.as_slice() {
        // A deny entry only takes rights away.
        ["D" | "OD", ..] => None,
        ["A", _, rights, _, _, sid] => {
            let allowed = trusted(sid) || OWNER_ALIASES.contains(sid) || is_harmless(rights);
            (!allowed).then(|| format!("{sid} has the rights {rights} (in SDDL) on it or on new files in it"))
        }
        _ => Some(format!("its access list has an entry of a kind that kbfix does not know: ({entry})")),
    }
}

fn is_harmless(rights: &str) -> bool {
    if let Some(hex) = rights.strip_prefix("0x") {
        return u32::from_str_radix(hex, 16).is_ok_and(|bits| bits & !HARMLESS_BITS == 0);
    }
    rights.is_ascii()
        && rights.len().is_multiple_of(2)
        && rights.as_bytes().chunks_exact(2).all(|pair| HARMLESS.iter().any(|code| code.as_bytes() == pair))
}

#[cfg(test)]
mod tests {
    use crate::targets::local::sddl::*;

    #[test]
    fn what_only_administrators_write_is_well() {
        for sddl in [
            "O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)",
            "O:SYG:SYD:PAI(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)(A;;FR;;;WD)",
            "O:BAD:(A;OICIIO;GA;;;CO)(D;;FA;;;BU)",
            "O:S-1-5-32-544G:DUD:AI(A;;FA;;;S-1-5-18)",
            "O:BAD:P",
        ] {
            assert_eq!(fault(sddl, &[]), None, "{sddl}");
        }
    }

    #[test]
    fn what_others_write_or_own_is_not() {
        for (sddl, told) in [
            ("O:BUD:(A;;FA;;;BA)", "owner is BU"),
            ("O:S-1-5-21-1-2-3-1001G:BAD:P(A;;FA;;;BA)", "owner is S-1-5-21-1-2-3-1001"),
            ("D:(A;;FA;;;BA)", "no owner"),
            ("O:BA", "everyone"),
            ("O:BAD:NO_ACCESS_CONTROL", "everyone"),
            // A folder that somebody created below C:\ProgramData inherits these permissions.
            ("O:BAD:AI(A;OICIID;FA;;;SY)(A;CIID;DCLCRPCR;;;BU)", "BU has the rights DCLCRPCR"),
            ("O:BAD:(A;;0x1301bf;;;AU)", "AU has the rights 0x1301bf"),
            ("O:BAD:(A;OICIIO;GW;;;WD)", "WD has the rights GW"),
            ("O:BAD:(XA;;FR;;;BU;(x == 1))", "does not know"),
            ("O:BAD:(OA;;CR;1;;BU)", "does not know"),
        ] {
            let found = fault(sddl, &[]).unwrap();
            assert!(found.contains(told), "{sddl}: {found}");
        }
    }

    #[test]
    fn the_administrator_who_runs_kbfix_may_own_it() {
        let own = ["S-1-5-21-0-0-0-1000".to_owned()];
        assert_eq!(fault("O:S-1-5-21-0-0-0-1000D:(A;;FA;;;S-1-5-21-0-0-0-1000)", &own), None);
        assert!(fault("O:S-1-5-21-0-0-0-1001D:", &own).is_some());
    }
}
