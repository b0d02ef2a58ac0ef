//! A key's class name and security descriptor, which contains the owner and the permissions of the key.
//!
//! kbfix does not change them. If kbfix deletes a key, both are lost; a rollback restores them, if the target stores
//! them at all (an export and a policy file do not).
//!
//! Source: Microsoft, [MS-DTYP] "Windows Data Types", 2.4.6 `SECURITY_DESCRIPTOR`, 2.4.2 `SID`, 2.4.5 `ACL`.

use std::{borrow::Cow, cell::RefCell, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::notation::{hex_digits, parse_hex_digits};

const HEADER: usize = 20;
const CONTROL: usize = 2;
/// The offsets, in the header of a security descriptor, of the fields for owner, group, SACL and DACL.
const PARTS: [usize; 4] = [4, 8, 12, 16];
/// The control bit of a security descriptor whose parts follow the header in the same bytes (self-relative form).
const SELF_RELATIVE: u16 = 0x8000;
/// The control bit of a security descriptor that has a DACL.
const DACL_PRESENT: u16 = 0x0004;
/// The control bit of a security descriptor whose DACL inherits nothing from the key above (protected).
const DACL_PROTECTED: u16 = 0x1000;

/// The properties of a key other than its values and subkeys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyProperties {
    /// The class name: a text that a program can give a key when it creates the key. Few keys have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The security descriptor.
    pub security: SecurityDescriptor,
}

impl KeyProperties {
    /// Returns whether two keys have the same class name, and security descriptors that grant the same access
    /// ([`SecurityDescriptor::grants_as`]).
    pub fn same(&self, other: &Self) -> bool {
        self.class == other.class && self.security.grants_as(&other.security)
    }
}

/// Prints the class name, and the descriptor in hex digits, for messages.
impl std::fmt::Display for KeyProperties {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(class) = &self.class {
            write!(f, "class {class:?}, ")?;
        }
        write!(f, "security descriptor {}", hex_digits(self.security.bytes()))
    }
}

/// A security descriptor in self-relative form, exactly as it was found.
// Cloning is cheap, and the same descriptor of many keys is stored once: see `SecurityDescriptor::new`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityDescriptor(Arc<[u8]>);

impl SecurityDescriptor {
    /// Returns a security descriptor from bytes in the self-relative form that hives, Windows and MS-RRP use.
    ///
    /// # Errors
    /// Returns what is wrong with the bytes.
    #[allow(clippy::missing_const_for_thread_local, reason = "clippy for Windows does not see that it is const")]
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, &'static str> {
        thread_local! {
            // Most keys have the same descriptor as the key that was read before.
            static LAST: RefCell<Option<SecurityDescriptor>> = const { RefCell::new(None) };
        }
        let bytes = bytes.as_ref();
        LAST.with_borrow_mut(|last| match last {
            Some(last) if last.bytes() == bytes => Ok(last.clone()),
            last => Ok(last.insert(Self::checked(bytes)?).clone()),
        })
    }

    fn checked(bytes: &[u8]) -> Result<Self, &'static str> {
        let header = bytes.get(..HEADER).ok_or("the security descriptor is shorter than its header")?;
        let control = u16::from_le_bytes([header[CONTROL], header[CONTROL + 1]]);
        if header[0] != 1 || control & SELF_RELATIVE == 0 {
            return Err("the security descriptor is not of revision 1 in self-relative form");
        }
        let outside = |number: &usize| offset(bytes, PARTS[*number]) != 0 && part(bytes, *number).is_none();
        if (0..PARTS.len()).any(|number| outside(&number)) {
            return Err("a part of the security descriptor lies outside of it");
        }
        Ok(Self(bytes.into()))
    }

    /// Returns the bytes, in self-relative form.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns true if two security descriptors have the same owner, group and DACL (byte for byte, or none), and if
    /// both DACLs or none of them are protected from inheritance.
    ///
    /// Not compared are other flags of the descriptor, such as whether the system inherited the DACL, and the audit
    /// entries, which not every account may read or set.
    pub fn grants_as(&self, other: &Self) -> bool {
        let compared = |one: &Self| one.control() & (DACL_PRESENT | DACL_PROTECTED);
        compared(self) == compared(other) && [0, 1, 3].iter().all(|n| part(&self.0, *n) == part(&other.0, *n))
    }

    fn control(&self) -> u16 {
        u16::from_le_bytes([self.0[CONTROL], self.0[CONTROL + 1]])
    }
}

fn offset(bytes: &[u8], field: usize) -> usize {
    bytes.get(field..field + 4).and_then(|b| b.try_into().ok()).map_or(0, |b| u32::from_le_bytes(b) as usize)
}

/// Returns the bytes of one part of a security descriptor; `number` is its index in [`PARTS`].
///
/// The part is a SID, whose length depends on its number of sub-authorities, or an access control list, which contains
/// its own length. Returns `None` if the descriptor has no such part, or the part is not complete.
fn part(bytes: &[u8], number: usize) -> Option<&[u8]> {
    let from = bytes.get(Some(offset(bytes, PARTS[number])).filter(|at| *at != 0)?..)?;
    let length = match number {
        0 | 1 => 8 + 4 * usize::from(*from.get(1)?),
        _ => usize::from(u16::from_le_bytes([*from.get(2)?, *from.get(3)?])).max(8),
    };
    from.get(..length)
}

impl Serialize for SecurityDescriptor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex_digits(&self.0))
    }
}

impl<'de> Deserialize<'de> for SecurityDescriptor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'_, str>>::deserialize(deserializer)?;
        let bytes =
            parse_hex_digits(&text).ok_or_else(|| D::Error::custom("expected a security descriptor in hex digits"))?;
        Self::new(bytes).map_err(D::Error::custom)
    }
}

impl JsonSchema for SecurityDescriptor {
    fn schema_name() -> Cow<'static, str> {
        "SecurityDescriptor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^([0-9a-f]{2}){20,}$",
            "description": "A security descriptor in self-relative form ([MS-DTYP] 2.4.6), as hex digits.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a descriptor with owner S-1-5-32-`owner`, no group, a gap, and a list that grants the administrators
    /// everything.
    fn descriptor(owner: u32) -> Vec<u8> {
        let sid = |last: u32| [&[1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0][..], &last.to_le_bytes()].concat();
        let mut bytes = vec![1, 0, 4, 0x80];
        bytes.extend([0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0]);
        bytes.extend([2, 0, 32, 0, 1, 0, 0, 0, 0, 2, 24, 0, 0x3F, 0, 0xF, 0]);
        bytes.extend(sid(544));
        bytes.resize(0x38, 0);
        bytes.extend(sid(owner));
        bytes
    }

    fn new(bytes: Vec<u8>) -> SecurityDescriptor {
        SecurityDescriptor::new(bytes).unwrap()
    }

    #[test]
    fn json_is_the_bytes_in_hex() {
        let one = new(descriptor(544));
        let json = serde_json::to_string(&one).unwrap();
        assert!(json.starts_with("\"010004803800000000"), "{json}");
        assert_eq!(serde_json::from_str::<SecurityDescriptor>(&json).unwrap(), one);
        serde_json::from_str::<SecurityDescriptor>("\"0100048\"").unwrap_err();
    }

    #[test]
    fn what_is_granted_counts_and_how_it_came_about_does_not() {
        let one = new(descriptor(544));
        let with = |at: usize, bits: u8| {
            let mut bytes = descriptor(544);
            bytes[at] |= bits;
            new(bytes)
        };
        assert!(one.grants_as(&with(CONTROL + 1, 0x04)), "inherited by itself");
        assert!(one.grants_as(&with(0x34, 1)), "the gap");
        assert!(!one.grants_as(&with(CONTROL + 1, 0x10)), "protected");
        assert!(!one.grants_as(&with(0x20, 0x40)), "more rights");
        assert!(!one.grants_as(&new(descriptor(545))), "another owner");
    }

    #[test]
    fn what_is_cut_off_or_no_descriptor_is_refused() {
        let whole = descriptor(544);
        for end in 0..whole.len() {
            assert!(SecurityDescriptor::new(&whole[..end]).is_err(), "{end}");
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] = 0xFF;
            if let Ok(odd) = SecurityDescriptor::new(bytes) {
                assert!(odd.grants_as(&odd));
            }
        }
    }
}
