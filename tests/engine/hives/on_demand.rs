//! Tests hives that are read on demand: they give the same answers as hives that were read as a whole, and an error if
//! a read fails.

use std::{
    fs::File,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use kbfix::{
    format::regf::{Error, Filetime, Hive, Source},
    registry::Data,
};

use super::{
    fuzz::transcript,
    support::{REAL, dump, on_disk, real_file, real_hive},
};

const NOW: Filetime = Filetime(0x01DB_0000_0000_0000);

/// A file in memory that counts how much of it is read, and that can have a part that cannot be read.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    bytes: Vec<u8>,
    bad: Option<u64>,
    read: AtomicUsize,
}

impl Memory {
    pub(crate) fn new(bytes: Vec<u8>) -> Arc<Self> {
        Arc::new(Self { bytes, ..Self::default() })
    }
}

impl Source for Memory {
    fn size(&self) -> io::Result<u64> {
        Ok(self.bytes.len() as u64)
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        let (start, end) = (offset as usize, offset as usize + into.len());
        if self.bad.is_some_and(|bad| (offset..end as u64).contains(&bad)) {
            return Err(io::Error::other("a bad sector"));
        }
        self.read.fetch_add(into.len(), Ordering::Relaxed);
        into.copy_from_slice(self.bytes.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

fn opened(bytes: Vec<u8>) -> Hive {
    Hive::open_on_demand(Memory::new(bytes)).unwrap().unwrap()
}

/// Returns a hive with enough keys for many windows, and with data of all sizes.
fn large() -> Vec<u8> {
    let mut hive = Hive::create(NOW).unwrap();
    let mut editor = hive.edit(NOW).unwrap();
    for i in 0..2000 {
        let key = format!(r"k{}\key {i}", i % 7);
        editor.create_key(&key).unwrap();
        editor.set_value(&key, "value", &Data::sz(&"text".repeat(i % 200))).unwrap();
    }
    editor.set_value("k1", "large", &Data::sz(&"text".repeat(100_000))).unwrap();
    drop(editor);
    hive.to_bytes(NOW).unwrap()
}

#[test]
fn real_hives_are_the_same_on_demand() {
    for (name, logs) in REAL {
        let Some(mut whole) = real_hive(name, logs) else { continue };
        // The hive itself if it is complete, and otherwise the hive with its logs applied.
        let bytes = if logs.is_empty() { real_file(name).unwrap() } else { whole.to_bytes(NOW).unwrap() };
        let whole = Hive::open(bytes.clone(), &[]).unwrap();
        let hive = opened(bytes.clone());
        assert!(dump(&hive) == dump(&whole), "{name}: the dumps differ");
        assert_eq!(transcript(&hive), transcript(&whole), "{name}");
        // Each look-up is in a hive that has not been read yet.
        let paths: Vec<String> = dump(&whole).into_keys().collect();
        for path in paths.iter().step_by(1 + paths.len() / 200) {
            for path in [path.clone(), format!(r"{path}\not there")] {
                assert_eq!(opened(bytes.clone()).find(&path), whole.find(&path), "{name}: {path}");
            }
        }
    }
}

#[test]
fn a_look_up_reads_a_part_of_the_file() {
    let Some(mut whole) = real_hive("regipy-SYSTEM", &[]) else { return };
    let memory = Memory::new(whole.to_bytes(NOW).unwrap());
    let hive = Hive::open_on_demand(memory.clone()).unwrap().unwrap();
    assert!(hive.find(r"ControlSet001\services\Tcpip\Parameters").unwrap().is_some());
    let few = memory.read.load(Ordering::Relaxed);
    assert!(few < 300_000, "{few} bytes of {} were read", memory.bytes.len());
    // A key that is absent is looked for among all its siblings.
    assert_eq!(hive.find(r"ControlSet001\services\MSExchangeWEB"), Ok(None));
    let more = memory.read.load(Ordering::Relaxed);
    assert!(more < memory.bytes.len() / 2, "{more} bytes of {} were read", memory.bytes.len());
}

#[test]
fn an_edit_of_a_hive_on_demand_writes_the_same_file() {
    let bytes = large();
    let edited = |mut hive: Hive| {
        let mut editor = hive.edit(NOW).unwrap();
        editor.create_key(r"k3\new").unwrap();
        editor.delete_value("k1", "large").unwrap();
        editor.delete_tree("k2").unwrap();
        drop(editor);
        hive.to_bytes(NOW).unwrap()
    };
    let hive = opened(bytes.clone());
    // Data read before an edit and data read in two copies must not be mixed.
    assert!(hive.find(r"k3\key 3").unwrap().is_some());
    let copy = hive.clone();
    assert_eq!(edited(hive), edited(Hive::open(bytes.clone(), &[]).unwrap()));
    assert_eq!(copy.find(r"k2\key 2").unwrap(), opened(bytes).find(r"k2\key 2").unwrap());
}

#[test]
fn a_place_that_cannot_be_read_is_an_error_that_names_it() {
    let bytes = large();
    let whole = Hive::open(bytes.clone(), &[]).unwrap();
    let good = dump(&whole);
    for bad in (4096..bytes.len()).step_by(bytes.len() / 30) {
        let memory = Memory { bytes: bytes.clone(), bad: Some(bad as u64), read: AtomicUsize::new(0) };
        let mut hive = Hive::open_on_demand(Arc::new(memory)).unwrap().unwrap();
        let mut failed = 0;
        for path in good.keys() {
            match hive.find(path) {
                Err(Error::Unreadable { offset, problem }) => {
                    assert!((bad - offset as usize) < 32 << 10, "{offset:#x} is not near {bad:#x}");
                    assert_eq!(problem, "a bad sector");
                    failed += 1;
                }
                found => assert_eq!(found, whole.find(path), "{path}"),
            }
        }
        transcript(&hive);
        assert!(failed == 0 || hive.failed_read().is_some());
        let findings = hive.check();
        assert_eq!((findings.len(), findings[0].code), (1, "file-unreadable"));
        assert!(matches!(hive.edit(NOW), Err(Error::Unreadable { .. })));
        assert!(matches!(hive.to_bytes(NOW), Err(Error::Unreadable { .. })));
    }
}

#[test]
fn a_file_that_becomes_shorter_is_an_error() {
    let bytes = large();
    let (_folder, path) = on_disk(&bytes);
    let hive = Hive::open_on_demand(Arc::new(File::open(&path).unwrap())).unwrap().unwrap();
    let good = Hive::open(bytes.clone(), &[]).unwrap();
    assert_eq!(hive.find("k1"), good.find("k1"));
    File::options().write(true).open(&path).unwrap().set_len(20_000).unwrap();
    let found: Vec<_> = dump(&good).keys().map(|path| hive.find(path)).collect();
    assert!(found.iter().any(|found| matches!(found, Err(Error::Unreadable { .. }))));
    let error = hive.failed_read().unwrap().to_string();
    assert!(error.ends_with("could not be read: the file has become shorter since it was opened"), "{error}");

    // After another file replaces it, the open hive is still the old one.
    std::fs::write(&path, &bytes).unwrap();
    let hive = Hive::open_on_demand(Arc::new(File::open(&path).unwrap())).unwrap().unwrap();
    let other = path.with_extension("new");
    std::fs::write(&other, Hive::create(NOW).unwrap().to_bytes(NOW).unwrap()).unwrap();
    std::fs::rename(&other, &path).unwrap();
    assert!(dump(&hive) == dump(&good));
}

#[test]
fn what_is_no_complete_hive_is_told_as_when_it_is_read_whole() {
    let good = large();
    let whole_and_on_demand = |bytes: &[u8]| {
        let hive = Hive::open_on_demand(Memory::new(bytes.to_vec()));
        (Hive::open(bytes.to_vec(), &[]).map(|hive| transcript(&hive)), hive.map(|hive| hive.map(|h| transcript(&h))))
    };
    for len in [0, 3, 100, 511, 512, 4095, 4096, 4100, 8192, 30_000, good.len() - 1] {
        match whole_and_on_demand(&good[..len]) {
            // The hive is then read as a whole, and refused.
            (Err(Error::Dirty { .. }), Ok(None)) => {}
            (Ok(whole), Ok(Some(on_demand))) => assert_eq!(whole, on_demand, "{len}"),
            (whole, on_demand) => assert_eq!(whole.map(Some), on_demand, "{len}"),
        }
    }
    // Bytes after the last bin do not belong to the hive.
    let longer = [good.clone(), vec![7; 100_000]].concat();
    let (whole, on_demand) = whole_and_on_demand(&longer);
    assert_eq!(whole.map(Some), on_demand);

    let mut dirty = good.clone();
    dirty[4] ^= 1;
    let sum = dirty[..508].chunks_exact(4).fold(0, |sum, w| sum ^ u32::from_le_bytes(w.try_into().unwrap()));
    dirty[508..512].copy_from_slice(&sum.to_le_bytes());
    assert!(matches!(Hive::open_on_demand(Memory::new(dirty)), Ok(None)));
    let mut torn = good;
    torn[100] ^= 1;
    assert!(matches!(Hive::open_on_demand(Memory::new(torn)), Ok(None)));
}

#[test]
fn cells_that_overlap_do_not_make_it_read_the_file_many_times() {
    // Every number from the second bin on is the size of a large allocated cell, and the root's list names all of them.
    let mut bytes = large();
    let len = bytes.len();
    for at in (8192..len - 65_536).step_by(8) {
        bytes[at..at + 4].copy_from_slice(&(-20_000_i32).to_le_bytes());
        bytes[at + 4..at + 8].copy_from_slice(b"vk\x01\0");
    }
    let offset = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize + 4100;
    let root = offset(36);
    let list: Vec<u8> = (4096..len as u32 - 73_728).step_by(8).flat_map(u32::to_le_bytes).collect();
    let at = len - 65_536;
    let count = (list.len() / 4).min(15_000);
    bytes[at..at + 4].copy_from_slice(&(-61_440_i32).to_le_bytes());
    bytes[at + 4..at + 4 + count * 4].copy_from_slice(&list[..count * 4]);
    bytes[root + 36..root + 40].copy_from_slice(&(count as u32).to_le_bytes());
    bytes[root + 40..root + 44].copy_from_slice(&((at - 4096) as u32).to_le_bytes());

    let memory = Memory::new(bytes.clone());
    let hive = Hive::open_on_demand(memory.clone()).unwrap().unwrap();
    assert_eq!(hive.values(hive.root()).unwrap().count(), count);
    assert_eq!(transcript(&hive), transcript(&Hive::open(bytes, &[]).unwrap()));
    let read = memory.read.load(Ordering::Relaxed);
    assert!(read <= len * 5, "{read} bytes of {len} were read");
}
