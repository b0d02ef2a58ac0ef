//! PEs that are built here byte by byte, their mutations, and real ones.

use super::*;

/// A version resource of one language.
pub(crate) struct Block {
    pub(crate) version: [u16; 4],
    pub(crate) signature: u32,
}

fn block(version: [u16; 4]) -> Block {
    Block { version, signature: 0xFEEF_04BD }
}

fn versioninfo(block: &Block) -> Vec<u8> {
    let [a, b, c, d] = block.version.map(u32::from);
    let mut out: Vec<u8> = [92_u16, 52, 0].iter().flat_map(|n| n.to_le_bytes()).collect();
    out.extend("VS_VERSION_INFO\0\0".encode_utf16().flat_map(u16::to_le_bytes));
    for number in [block.signature, 0x10000, a << 16 | b, c << 16 | d] {
        out.extend(number.to_le_bytes());
    }
    out.resize(92, 0);
    out
}

/// A PE of one section, at address 0x1000 and offset 0x200, that holds the resources.
fn pe(machine: u16, pe64: bool, type_id: u32, name_id: u32, blocks: &[Block]) -> Vec<u8> {
    const RVA: u32 = 0x1000;
    let directory = |ids: &[(u32, u32)]| {
        let mut out = vec![0; 14];
        out.extend((ids.len() as u16).to_le_bytes());
        ids.iter().for_each(|(id, at)| out.extend([id.to_le_bytes(), at.to_le_bytes()].concat()));
        out
    };
    let down = 0x8000_0000_u32;
    let count = blocks.len() as u32;
    let entries_at = 24 + 24 + 16 + 8 * count;
    let blocks_at = entries_at + 16 * count;
    let mut rsrc = directory(&[(type_id, down | 24)]);
    rsrc.extend(directory(&[(name_id, down | 48)]));
    rsrc.extend(directory(&(0..count).map(|i| (0x409 + i, entries_at + 16 * i)).collect::<Vec<_>>()));
    for i in 0..count {
        rsrc.extend([RVA + blocks_at + 92 * i, 92, 0, 0].iter().flat_map(|n| n.to_le_bytes()));
    }
    blocks.iter().for_each(|b| rsrc.extend(versioninfo(b)));

    let mut out = vec![0; 64];
    out[..2].copy_from_slice(b"MZ");
    out[60] = 64;
    out.extend(b"PE\0\0");
    let optional = if pe64 { 240_u16 } else { 224 };
    for number in [machine, 1, 0, 0, 0, 0, 0, 0, optional, 0x2102] {
        out.extend(number.to_le_bytes());
    }
    let start = out.len();
    out.extend(if pe64 { 0x20B_u16 } else { 0x10B }.to_le_bytes());
    out.resize(start + usize::from(optional), 0);
    let directories = start + usize::from(optional) - 128;
    out[directories - 4] = 16;
    out[directories + 16..directories + 20].copy_from_slice(&RVA.to_le_bytes());
    out[directories + 20..directories + 24].copy_from_slice(&(rsrc.len() as u32).to_le_bytes());
    out.extend(b".rsrc\0\0\0");
    for number in [rsrc.len() as u32, RVA, rsrc.len() as u32, 0x200, 0, 0, 0, 0x4000_0040] {
        out.extend(number.to_le_bytes());
    }
    out.resize(0x200, 0);
    out.extend(rsrc);
    out
}

fn version(blocks: &[Block]) -> Result<Option<FileVersion>, VersionError> {
    read(pe(0x14C, false, 16, 1, blocks).as_slice()).unwrap().version
}

#[test]
fn machine_and_version_are_read_from_both_formats() {
    for (machine, pe64) in [(0x14C, false), (0x8664, true), (0xAA64, true)] {
        let bytes = pe(machine, pe64, 16, 1, &[block([6, 5, 7651, 19])]);
        let expected = Pe { machine, version: Ok(Some(FileVersion([6, 5, 7651, 19]))) };
        assert_eq!(read(bytes.as_slice()), Ok(expected.clone()));
        let cached = object::ReadCache::new(std::io::Cursor::new(bytes));
        assert_eq!(read(&cached), Ok(expected));
    }
}

#[test]
fn no_version_is_not_an_error_and_an_odd_one_is() {
    let v = [6, 5, 7651, 19];
    assert_eq!(read(pe(0x14C, false, 16, 2, &[block(v)]).as_slice()).unwrap().version, Ok(None));
    assert_eq!(read(pe(0x14C, false, 10, 1, &[block(v)]).as_slice()).unwrap().version, Ok(None));
    assert_eq!(version(&[]), Ok(None));
    assert!(matches!(version(&[Block { version: v, signature: 1 }]), Err(VersionError::Damaged(_))));
}

#[test]
fn languages_that_disagree_are_ambiguous() {
    let (a, b) = ([6, 5, 7651, 19], [6, 5, 7638, 1]);
    assert_eq!(version(&[block(a), block(a)]), Ok(Some(FileVersion(a))));
    assert_eq!(version(&[block(a), block(b)]), Err(VersionError::Ambiguous(FileVersion(a), FileVersion(b))));
}

#[test]
fn another_file_is_no_pe_and_a_cut_one_is_damaged() {
    let bytes = pe(0x14C, false, 16, 1, &[block([1, 2, 3, 4])]);
    for other in [&b""[..], b"MZ", b"REGEDIT4\r\n", &[0; 4096], &bytes[..66]] {
        assert_eq!(read(other), Err(PeError::NotPe));
    }
    assert!(matches!(read(&bytes[..80]), Err(PeError::Damaged(_))));
    for cut in 0x200..bytes.len() - 36 {
        assert!(matches!(read(&bytes[..cut]).unwrap().version, Err(VersionError::Damaged(_))), "{cut}");
    }
}

#[test]
fn no_mutation_panics() {
    let original = pe(0x8664, true, 16, 1, &[block([1, 2, 3, 4]), block([1, 2, 3, 4])]);
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % limit as u64) as usize
    };
    for _ in 0..50_000 {
        let mut bytes = original.clone();
        for _ in 0..=next(6) {
            let at = next(bytes.len());
            bytes[at] = [0, 1, 0x7F, 0x80, 0xFF, next(256) as u8][next(6)];
        }
        let end = if next(4) == 0 { next(bytes.len()) } else { bytes.len() };
        let _ = read(&bytes[..end]);
    }
}

#[test]
fn real_files_have_a_machine() {
    let Some(folder) = std::env::var_os("KBFIX_TEST_DLLS") else { return };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "dll") {
            let cache = object::ReadCache::new(std::fs::File::open(&path).unwrap());
            let pe = read(&cache).unwrap();
            assert!([0x14C, 0x8664].contains(&pe.machine), "{}", path.display());
            eprintln!("{}: {:?}", path.display(), pe.version);
            assert!(pe.version.is_ok(), "{}", path.display());
        }
    }
}
