//! Tests new hives, and new hives with small damages.

use kbfix::{
    format::regf::{Error, Filetime, Hive, Severity, State, worse},
    registry::{Data, ValueType},
};

use super::{readers, support::on_disk};

const NOW: Filetime = Filetime(0x01DB_0000_0000_0000);

fn hive() -> Hive {
    Hive::create(NOW).unwrap()
}

#[test]
fn a_new_hive_is_sound_and_readable() {
    let mut hive = hive();
    assert_eq!(hive.check(), []);
    let mut editor = hive.edit(NOW).unwrap();
    assert_eq!(editor.create_key(r"Select"), Ok(true));
    assert_eq!(editor.create_key(r"ControlSet001\Services\Größe\ключ"), Ok(true));
    assert_eq!(editor.create_key(r"controlset001\SERVICES\größe"), Ok(false));
    assert_eq!(editor.set_value("Select", "Current", &Data::dword(1)), Ok(true));
    for (name, len) in [("", 0), ("five", 5), ("ü", 16_344), ("б", 16_345), ("c", 40_000), ("d", 1 << 20)] {
        let data = Data::new(ValueType::BINARY, (0..len).map(|i| i as u8).collect::<Vec<_>>());
        assert_eq!(editor.set_value(r"ControlSet001\Services", name, &data), Ok(true));
        let node = editor.hive().find(r"CONTROLSET001\services").unwrap().unwrap();
        assert_eq!(editor.hive().value(node, name), Ok(Some(data)));
    }
    drop(editor);
    assert_eq!(hive.check(), []);
    let bytes = hive.to_bytes(NOW).unwrap();
    let opened = Hive::open(bytes.clone(), &[]).unwrap();
    assert_eq!(opened.check(), []);
    let (_folder, file) = on_disk(&bytes);
    readers::compare(&opened, &file, "new");
}

/// The editor keeps the value names of one key that has many values.
#[test]
fn a_value_deleted_from_one_key_stays_in_another() {
    let mut hive = hive();
    let mut editor = hive.edit(NOW).unwrap();
    editor.create_key("many").unwrap();
    editor.create_key("few").unwrap();
    editor.set_value("few", "v1", &Data::dword(1)).unwrap();
    for i in 0..20 {
        editor.set_value("many", &format!("v{i}"), &Data::dword(i)).unwrap();
    }
    assert_eq!(editor.delete_value("few", "v1"), Ok(true));
    assert_eq!(editor.set_value("many", "v1", &Data::dword(100)), Ok(true));
    drop(editor);
    assert_eq!(hive.check(), []);
    let many = hive.find("many").unwrap().unwrap();
    assert_eq!(hive.values(many).unwrap().count(), 20);
    assert_eq!(hive.value(many, "v1").unwrap(), Some(Data::dword(100)));
}

#[test]
fn deleting_all_leaves_what_was_created() {
    let mut hive = hive();
    let empty = hive.to_bytes(NOW).unwrap();
    let mut editor = hive.edit(NOW).unwrap();
    for i in 0..3000 {
        editor.create_key(&format!(r"many\key number {}", (i * 7919) % 3000)).unwrap();
        editor.set_value("many", &format!("{i}"), &Data::dword(i)).unwrap();
    }
    assert_eq!(editor.delete_key("many"), Err(Error::HasSubkeys("many".to_owned())));
    assert_eq!(editor.hive().check(), []);
    for i in 0..3000 {
        assert_eq!(editor.delete_key(&format!(r"MANY\KEY NUMBER {i}")), Ok(true));
        assert_eq!(editor.delete_value("many", &i.to_string()), Ok(true));
    }
    assert_eq!(editor.delete_key("many"), Ok(true));
    assert_eq!(editor.delete_key("many"), Ok(false));
    assert!(matches!(editor.delete_tree(""), Err(Error::Protected(_))));
    drop(editor);
    assert_eq!(hive.check(), []);
    assert_eq!(hive.to_bytes(NOW).unwrap().len(), empty.len());
}

#[test]
fn names_at_the_limits_hold_and_beyond_are_refused() {
    let mut hive = hive();
    let mut editor = hive.edit(NOW).unwrap();
    let (long, longer) = ("ж".repeat(255), "ж".repeat(256));
    assert_eq!(editor.create_key(&long), Ok(true));
    assert!(matches!(editor.create_key(&longer), Err(Error::Name(_))));
    assert!(matches!(editor.create_key(r"a\\b"), Err(Error::Name(_))));
    assert_eq!(editor.set_value(&long, &"n".repeat(16_383), &Data::dword(1)), Ok(true));
    assert!(matches!(editor.set_value(&long, &"n".repeat(16_384), &Data::dword(1)), Err(Error::Name(_))));
    assert!(matches!(editor.set_value("none", "n", &Data::dword(1)), Err(Error::NoSuchKey(_))));
    assert_eq!(editor.create_key(&vec!["d"; 512].join("\\")), Ok(true));
    assert_eq!(editor.create_key(&vec!["d"; 513].join("\\")), Err(Error::TooDeep));
    drop(editor);
    assert_eq!(hive.check(), []);
}

#[test]
fn nothing_is_written_where_nothing_differs() {
    let mut hive = hive();
    let mut editor = hive.edit(NOW).unwrap();
    editor.create_key("k").unwrap();
    editor.set_value("k", "Name", &Data::sz("text")).unwrap();
    drop(editor);
    let bytes = hive.to_bytes(NOW).unwrap();
    let mut editor = hive.edit(Filetime(NOW.0 + 1)).unwrap();
    for _ in 0..1000 {
        assert_eq!(editor.set_value("K", "NAME", &Data::sz("text")), Ok(false));
        assert_eq!(editor.create_key("K"), Ok(false));
    }
    drop(editor);
    assert!(!hive.is_changed());
    let again = hive.to_bytes(NOW).unwrap();
    // A save would change only the sequence numbers and the checksum of the base block.
    assert_eq!(bytes[512..], again[512..]);
}

#[test]
fn damage_is_found_and_named() {
    let mut hive = hive();
    let mut editor = hive.edit(NOW).unwrap();
    for name in ["a", "b", "c"] {
        editor.create_key(name).unwrap();
        editor.set_value(name, "v", &Data::sz("some text")).unwrap();
    }
    drop(editor);
    let good = hive.to_bytes(NOW).unwrap();
    let before = hive.check();
    let find =
        |what: &[u8], nth: usize| good.windows(what.len()).enumerate().filter(|(_, w)| *w == what).nth(nth).unwrap().0;

    // The first lists that were written lie in free cells now: the root key tells where the present one is.
    let offset = |at: usize| 4100 + u32::from_le_bytes(good[at..at + 4].try_into().unwrap()) as usize;
    let list = offset(offset(36) + 28);
    for (at, byte, code) in [
        (508, 0, "base-checksum"),
        (list + 8, 0, "subkey-hash"),
        (find(b"nk", 1) + 16, 0, "key-malformed"),
        (find(b"sk", 0) + 12, 9, "security-count"),
        (find(b"vk", 0) + 8, 4, "cell-reference"),
        (4096 + 32, 1, "cell-tiling"),
    ] {
        let mut bad = good.clone();
        bad[at] = byte;
        let bad = Hive::open_dirty(bad, &[]).unwrap();
        let found = worse(&before, &bad.check());
        assert!(found.iter().any(|f| f.code == code && f.severity == Severity::Error), "{code}: {found:#?}");
    }

    // Two keys are in the wrong order. Each is still found, and the next edit sorts the list.
    let mut bad = good.clone();
    let (first, second) = (good[list + 4..list + 12].to_vec(), good[list + 12..list + 20].to_vec());
    bad[list + 4..list + 12].copy_from_slice(&second);
    bad[list + 12..list + 20].copy_from_slice(&first);
    let mut bad = Hive::open(bad, &[]).unwrap();
    assert!(bad.check().iter().any(|f| f.code == "subkey-order"));
    for name in ["a", "B", "c"] {
        assert!(bad.find(name).unwrap().is_some(), "{name}");
    }
    assert_eq!(bad.find("d"), Ok(None));
    bad.edit(NOW).unwrap().create_key("aa").unwrap();
    assert_eq!(bad.check(), []);
}

#[test]
fn one_malformed_value_leaves_the_others_readable() {
    let mut hive = hive();
    let mut editor = hive.edit(NOW).unwrap();
    for name in ["first", "second"] {
        editor.set_value("", name, &Data::sz(name)).unwrap();
    }
    drop(editor);
    let mut bytes = hive.to_bytes(NOW).unwrap();
    let at = bytes.windows(2).position(|w| w == b"vk").unwrap();
    bytes[at] = b'x';
    let hive = Hive::open(bytes, &[]).unwrap();
    let values: Vec<_> = hive.values(hive.root()).unwrap().collect();
    assert!(matches!(&values[0], Err(Error::Malformed { structure: "value", .. })));
    assert_eq!(values[1].as_ref().unwrap().name_text().unwrap(), "second");
    assert_eq!(hive.value(hive.root(), "second"), Ok(Some(Data::sz("second"))));
    // The value that cannot be read may be the wanted one, so the answer must not be that the value is absent.
    assert!(hive.value(hive.root(), "third").is_err());
}

#[test]
fn what_is_no_hive_is_refused() {
    assert!(matches!(Hive::open(Vec::new(), &[]), Err(Error::NotAHive(_))));
    assert!(matches!(Hive::open(b"MZ".repeat(4096), &[]), Err(Error::NotAHive(_))));
    let mut hive = hive();
    let good = hive.to_bytes(NOW).unwrap();
    assert!(matches!(Hive::open(good[..4000].to_vec(), &[]), Err(Error::NotAHive(_))));
    // A file that was cut short may be read, but it is never edited, because the edit would hide the loss.
    assert!(matches!(Hive::open(good[..4096].to_vec(), &[]), Err(Error::Dirty { .. })));
    let mut short = Hive::open_dirty(good[..4096].to_vec(), &[]).unwrap();
    assert!(matches!(short.state(), State::Dirty { .. }));
    assert!(short.find("").is_err());
    assert!(short.check().iter().any(|f| f.code == "base-size"));
    assert!(short.edit(NOW).is_err());
}

#[test]
fn a_base_block_that_does_not_hold_says_so_whatever_its_version() {
    let good = hive().to_bytes(NOW).unwrap();
    // The numbers of the version, and the type of the file.
    for at in [20, 24, 28] {
        let mut torn = good.clone();
        torn[at] = 9;
        let error = Hive::open(torn, &[]).unwrap_err().to_string();
        assert!(error.contains("there is no log"), "{error}");
        assert!(!error.contains("not supported"), "{error}");
    }
}

/// The place in `bytes` of the cell that the number at `at` points to.
fn target(bytes: &[u8], at: usize) -> usize {
    4100 + u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

#[test]
fn keys_below_themselves_end() {
    let mut hive = hive();
    hive.edit(NOW).unwrap().create_key(r"a\b").unwrap();
    let good = hive.to_bytes(NOW).unwrap();
    let root = target(&good, 36);
    let a = target(&good, target(&good, root + 28) + 4);
    let offset = |place: usize| ((place - 4100) as u32).to_le_bytes();

    // `a` is its own subkey, and its own parent.
    let list = target(&good, a + 28);
    let mut bad = good.clone();
    bad[list + 4..list + 8].copy_from_slice(&offset(a));
    bad[a + 16..a + 20].copy_from_slice(&offset(a));
    assert_ends(bad);
    // `a` has the root's list, so that each is below the other.
    let mut bad = good.clone();
    bad[a + 28..a + 32].copy_from_slice(&good[root + 28..root + 32]);
    assert_ends(bad);
    // The root is its own subkey.
    let list = target(&good, root + 28);
    let mut bad = good.clone();
    bad[list + 4..list + 8].copy_from_slice(&offset(root));
    bad[root + 16..root + 20].copy_from_slice(&offset(root));
    assert_ends(bad);
}

fn assert_ends(bad: Vec<u8>) {
    let mut hive = Hive::open(bad, &[]).unwrap();
    assert!(hive.walk(hive.root()).count() < 10);
    assert!(hive.walk(hive.root()).any(|(_, key)| key.is_err()));
    assert!(hive.check().iter().any(|f| f.severity == Severity::Error));
    let mut editor = hive.edit(NOW).unwrap();
    assert!(editor.delete_tree("a").is_err());
    let _ = editor.create_key(r"a\a\a\a");
}

#[test]
fn a_name_that_is_no_text_is_an_error_only_where_text_is_asked_for() {
    let mut hive = hive();
    let mut editor = hive.edit(NOW).unwrap();
    editor.create_key("ключ").unwrap();
    editor.set_value("", "имя", &Data::dword(1)).unwrap();
    drop(editor);
    let mut bytes = hive.to_bytes(NOW).unwrap();
    for name in ["ключ", "имя"] {
        let stored: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let at = bytes.windows(stored.len()).position(|w| w == stored).unwrap();
        bytes[at..at + 2].copy_from_slice(&0xDC00_u16.to_le_bytes());
    }
    let hive = Hive::open(bytes, &[]).unwrap();
    let (_, key) = hive.walk(hive.root()).nth(1).unwrap();
    let key = key.unwrap();
    assert!(matches!(key.name_text(), Err(Error::NotUnicode { .. })));
    assert_eq!(key.name().units().next(), Some(0xDC00));
    assert_eq!(key.name().lossy(), "\u{FFFD}люч");
    let value = hive.values(hive.root()).unwrap().next().unwrap().unwrap();
    assert!(matches!(value.name_text(), Err(Error::NotUnicode { .. })));
    assert_eq!(hive.data(&value), Ok(Data::dword(1)));
}

/// Oddities that are too many to be listed do not become an error.
#[test]
fn a_very_large_number_of_oddities_is_an_oddity() {
    let mut bytes = hive().to_bytes(NOW).unwrap();
    let start = bytes.len() - 4096;
    // One bin whose cells have 8 bytes each; they are allocated, and nothing refers to them.
    let size: u32 = 0x3_0000;
    let mut bin = vec![0; size as usize];
    bin[..4].copy_from_slice(b"hbin");
    bin[4..8].copy_from_slice(&(start as u32).to_le_bytes());
    bin[8..12].copy_from_slice(&size.to_le_bytes());
    bin[32..].chunks_mut(8).for_each(|cell| cell[..4].copy_from_slice(&(-8_i32).to_le_bytes()));
    bytes.extend(bin);
    bytes[40..44].copy_from_slice(&(start as u32 + size).to_le_bytes());
    let words = bytes[..508].chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap()));
    let checksum = words.fold(0, |sum, word| sum ^ word);
    bytes[508..512].copy_from_slice(&checksum.to_le_bytes());
    let findings = Hive::open(bytes, &[]).unwrap().check();
    assert!(findings.iter().all(|one| one.severity == Severity::Oddity), "{:?}", findings.first());
    let more = findings.iter().find(|one| one.code == "more-oddities").unwrap();
    assert_eq!(more.message, format!("{} more findings are cell-leaked", (size as usize - 32) / 8 - 20_000));
}
