//! Interprets the link `HKLM\SYSTEM\CurrentControlSet` of a running Windows, which leads to a control set.
//!
//! The link itself is read, not the key `HKLM\SYSTEM\Select`: Windows creates the link at startup, and `Select` may
//! have been changed since then.

use crate::registry::{self, Data, control_set};

use super::{Answer, Reason};

/// Returns the number of the control set to which a link leads. `value` is the data of the value `SymbolicLinkValue` of
/// the link. The answer is absent if the type of `value` is not REG_LINK, and malformed if the link does not lead to a
/// control set.
pub(super) fn of_link(value: &Data) -> Answer<u16> {
    let to = match registry::link_target(value) {
        None => return Answer::Absent,
        Some(Ok(path)) if path.depth() == 2 => match control_set::number_of(&path) {
            Some(number) => return Answer::Present(number),
            None => path.to_string(),
        },
        Some(Ok(path)) => path.to_string(),
        Some(Err(text)) => text,
    };
    let detail = format!(r"HKLM\SYSTEM\CurrentControlSet is a link to {to}, which is not a control set");
    Answer::unread(Reason::Malformed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::ValueType;

    fn link(to: &str) -> Data {
        Data::new(ValueType::LINK, to.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
    }

    #[test]
    fn the_link_names_the_set_by_its_number() {
        assert_eq!(of_link(&link(r"\Registry\Machine\System\ControlSet002")), Answer::Present(2));
        assert_eq!(of_link(&Data::sz(r"\Registry\Machine\System\ControlSet002")), Answer::Absent);
        for other in [
            r"\Registry\Machine\System\ControlSet002\Services",
            r"\Registry\Machine\Software\ControlSet002",
            r"\Registry\Machine\System\CurrentControlSet",
            r"\Device\x",
        ] {
            assert!(matches!(of_link(&link(other)), Answer::Unread(_)), "{other}");
        }
    }
}
