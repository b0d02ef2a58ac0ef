//! Security identifiers (SIDs), which are in the names of user profiles and of the users' hives below `HKU`.
//!
//! Sources: Microsoft, "SID Strings" (`S-1-` and numbers), "Well-known SIDs" (S-1-5-21: accounts of a machine or
//! domain), "[MS-DTYP] 2.4.2.4" and "Microsoft Entra object ID to SID" (S-1-12-1: accounts of Entra ID).

/// The suffix in the name of a key such as `HKU\S-1-…_Classes`, where Windows mounts the hive of a user's classes. The
/// user's `Software\Classes` is a link to that key.
pub const CLASSES: &str = "_Classes";

/// The name below `HKU` that kbfix uses for the hive of the Default profile, which Windows copies for every new user.
///
/// Windows never loads that hive; `.DEFAULT` is the hive of the system's own account.
///
/// Source: Microsoft, "Customize the default user profile".
pub const DEFAULT_PROFILE: &str = "DefaultProfile";

/// Returns whether `name` is the name below `HKU` of the Default profile's hive, or of the hive of its classes.
pub fn is_default_profile(name: &str) -> bool {
    let (start, end) = (name.get(..DEFAULT_PROFILE.len()), name.get(DEFAULT_PROFILE.len()..).unwrap_or_default());
    start.is_some_and(|start| start.eq_ignore_ascii_case(DEFAULT_PROFILE))
        && (end.is_empty() || end.eq_ignore_ascii_case(CLASSES))
}

/// Returns whether `text` is a SID: `S-1-` and numbers. The name of a profile that Windows no longer uses (`S-1-….bak`)
/// is not a SID.
pub fn is_sid(text: &str) -> bool {
    let (start, numbers) = (text.get(..4), text.get(4..).unwrap_or_default());
    start.is_some_and(|start| start.eq_ignore_ascii_case("S-1-"))
        && numbers.split('-').all(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Returns whether `text` is the SID of an account of a machine or domain (`S-1-5-21-…`) or of Entra ID (`S-1-12-1-…`),
/// and not of the system or a service.
pub fn is_person(text: &str) -> bool {
    is_sid(text) && ["5-21-", "12-1-"].iter().any(|authority| text[4..].starts_with(authority))
}

/// Returns the SID in the name of a key for a user's classes (`S-1-…_Classes`). Returns `None` for any other name.
pub fn of_classes(name: &str) -> Option<&str> {
    let at = name.len().checked_sub(CLASSES.len())?;
    let (sid, end) = (name.get(..at)?, name.get(at..)?);
    (is_sid(sid) && end.eq_ignore_ascii_case(CLASSES)).then_some(sid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_from_services_and_from_what_is_no_sid() {
        for person in ["S-1-5-21-1-2-3-1001", "s-1-5-21-7", "S-1-12-1-1-2-3-4"] {
            assert!(is_sid(person) && is_person(person), "{person}");
        }
        for service in ["S-1-5-18", "S-1-5-19", "S-1-5-80-1", "S-1-5-210-1", "S-1-12-11-1"] {
            assert!(is_sid(service) && !is_person(service), "{service}");
        }
        for other in ["S-1-5-21-1-2-3-1001.bak", "S-1-12-1-1_Classes", ".DEFAULT", "S-1-", "S-1-5-", "é-1-5-21-1", ""]
        {
            assert!(!is_sid(other) && !is_person(other), "{other}");
        }
        assert_eq!(of_classes("s-1-12-1-7_CLASSES"), Some("s-1-12-1-7"));
        assert_eq!(of_classes("S-1-5-19_Classes"), Some("S-1-5-19"));
        assert_eq!(of_classes("a_Classes"), None);
        assert_eq!(of_classes("é"), None);
        for (name, is) in [
            ("defaultprofile", true),
            ("DefaultProfile_classes", true),
            (".DEFAULT", false),
            ("DefaultProfile2", false),
        ] {
            assert_eq!(is_default_profile(name), is, "{name}");
        }
    }
}
