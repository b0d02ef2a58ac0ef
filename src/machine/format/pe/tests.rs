//! Tests with PE files that are built byte by byte, mutations of them, and real files.

use super::*;

use super::minimal::{Block, block, pe};

fn version(blocks: &[Block]) -> Result<Option<FileVersion>, VersionError> {
    read(pe(0x14C, false, 16, 1, blocks).as_slice()).unwrap().version
}

#[test]
fn machine_and_version_are_read_from_both_formats() {
    for (machine, pe64) in [(0x14C, false), (0x8664, true), (0xAA64, true)] {
        let bytes = pe(machine, pe64, 16, 1, &[block([6, 5, 7651, 19])]);
        let expected = Pe { machine, version: Ok(Some(FileVersion([6, 5, 7651, 19]))) };
        assert_eq!(read(bytes.as_slice()), Ok(expected.clone()));
        assert_eq!(read_file(io::Cursor::new(bytes)).unwrap(), Ok(expected));
    }
}

/// A file of which the first reads succeed, and every later one fails.
struct Failing {
    file: io::Cursor<Vec<u8>>,
    left: usize,
}

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(1).ok_or_else(|| io::Error::other("a bad sector"))?;
        self.file.read(buffer)
    }
}

impl Seek for Failing {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[test]
fn a_file_that_cannot_be_read_is_not_a_file_without_a_version() {
    let bytes = pe(0x14C, false, 16, 1, &[block([6, 5, 7651, 19])]);
    let mut failed = 0;
    while let Err(error) = read_file(Failing { file: io::Cursor::new(bytes.clone()), left: failed }) {
        assert_eq!(error.to_string(), "a bad sector");
        failed += 1;
    }
    assert!(failed > 3, "{failed}");
    // A truncated file can be read.
    assert_eq!(read_file(io::Cursor::new(b"MZ")).unwrap(), Err(PeError::NotPe));
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
            let pe = read_file(std::fs::File::open(&path).unwrap()).unwrap().unwrap();
            assert!([0x14C, 0x8664].contains(&pe.machine), "{}", path.display());
            eprintln!("{}: {:?}", path.display(), pe.version);
            assert!(pe.version.is_ok(), "{}", path.display());
        }
    }
}
