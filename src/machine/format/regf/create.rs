//! Creates a new hive, which contains only a root key without subkeys and values.
//!
//! The version of the format is 1.5, which Windows XP and later read. Source: Suhanov's specification of the hive
//! format, "Base block", "Hive bin", "Key node", "Key security".

use super::{
    Error, Filetime, Hive, State,
    base::{self, NOWHERE},
    bytes::put,
    node, security,
};

/// The right to do everything with a key, in a security descriptor (KEY_ALL_ACCESS). [`READ`] is the right to read a
/// key.
const ALL_ACCESS: u32 = 0x000F_003F;
const READ: u32 = 0x0002_0019;

const SYSTEM: &[u32] = &[18];
const ADMINISTRATORS: &[u32] = &[32, 544];
const USERS: &[u32] = &[32, 545];

impl Hive {
    /// Creates a hive. The Administrators own its root key; they and the system have full access, and users may read.
    /// New keys below the root inherit these rights.
    pub fn create(now: Filetime) -> Result<Self, Error> {
        let mut file = vec![0; base::SIZE + 4096];
        let mut write = |at: usize, bytes: &[u8]| {
            let written = put(&mut file, at, bytes);
            debug_assert!(written, "the file has room for these bytes");
        };
        write(0, b"regf");
        for (at, number) in [
            (base::PRIMARY_SEQUENCE, 1),
            (base::SECONDARY_SEQUENCE, 1),
            (base::MAJOR, 1),
            (base::MINOR, 5),
            (base::FILE_FORMAT, 1),
            (base::ROOT, NOWHERE),
            (base::BINS_SIZE, 4096),
            (base::CLUSTERING, 1),
            (base::SIZE + 8, 4096),
            (base::SIZE + 32, 4096 - 32),
        ] {
            write(at, &u32::to_le_bytes(number));
        }
        write(base::LAST_WRITTEN, &now.0.to_le_bytes());
        write(base::SIZE, b"hbin");
        write(base::SIZE + 20, &now.0.to_le_bytes());
        base::seal(&mut file);

        let mut hive = Self::from_file(file, State::Clean)?;
        drop(hive.edit(now)?);
        let root = hive.allocate(&root_key(now))?;
        let record = hive.allocate(&security_record())?;
        for field in [security::NEXT, security::PREVIOUS] {
            hive.put_u32(record, field, record)?;
        }
        hive.put_u32(root, node::SECURITY, record)?;
        let file = hive.file_mut()?;
        base::put_u32(file, base::ROOT, root);
        base::seal(file);
        hive.root = root;
        hive.changed = true;
        Ok(hive)
    }
}

fn root_key(now: Filetime) -> Vec<u8> {
    let name = b"ROOT";
    let mut cell = vec![0; node::HEADER];
    let mut write = |at: usize, bytes: &[u8]| cell[at..at + bytes.len()].copy_from_slice(bytes);
    write(0, b"nk");
    let flags = node::FLAG_HIVE_ENTRY | node::FLAG_NO_DELETE | node::FLAG_COMP_NAME;
    write(node::FLAGS, &flags.to_le_bytes());
    write(node::LAST_WRITTEN, &now.0.to_le_bytes());
    for field in [node::PARENT, node::SUBKEY_LIST, node::VOLATILE_LIST, node::VALUE_LIST, node::CLASS] {
        write(field, &NOWHERE.to_le_bytes());
    }
    write(node::NAME_LENGTH, &(name.len() as u16).to_le_bytes());
    cell.extend(name);
    cell
}

/// Returns a security record that is used by one key. Its links to the next and previous record are not set.
///
/// Source for the descriptor: Microsoft, [MS-DTYP] 2.4.6 (SECURITY_DESCRIPTOR), 2.4.5 (ACL), 2.4.2 (SID).
fn security_record() -> Vec<u8> {
    let mut entries = Vec::new();
    for (who, mask) in [(SYSTEM, ALL_ACCESS), (ADMINISTRATORS, ALL_ACCESS), (USERS, READ)] {
        let sid = sid(who);
        // An entry that allows access and that keys below inherit.
        entries.extend([0, 2]);
        entries.extend((sid.len() as u16 + 8).to_le_bytes());
        entries.extend(mask.to_le_bytes());
        entries.extend(sid);
    }
    let (owner, group) = (sid(ADMINISTRATORS), sid(SYSTEM));
    let mut descriptor = vec![1, 0, 0x04, 0x80];
    let owner_at = 20;
    let group_at = owner_at + owner.len();
    let list_at = group_at + group.len();
    for at in [owner_at, group_at, 0, list_at] {
        descriptor.extend((at as u32).to_le_bytes());
    }
    descriptor.extend(owner);
    descriptor.extend(group);
    descriptor.extend([2, 0]);
    descriptor.extend((entries.len() as u16 + 8).to_le_bytes());
    descriptor.extend([3, 0, 0, 0]);
    descriptor.extend(entries);

    let mut cell = vec![0; security::HEADER];
    cell[..2].copy_from_slice(b"sk");
    cell[security::REFERENCES] = 1;
    cell[security::SIZE..security::HEADER].copy_from_slice(&(descriptor.len() as u32).to_le_bytes());
    cell.extend(descriptor);
    cell
}

/// Returns the bytes of the SID that begins with S-1-5 and continues with these numbers.
fn sid(numbers: &[u32]) -> Vec<u8> {
    let mut sid = vec![1, numbers.len() as u8, 0, 0, 0, 0, 0, 5];
    sid.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    sid
}
