use super::*;
use crate::registry::{Data, KeyPath, RootKey, ValueName, ValueType};

const KEY: &str = r"Software\Policies\Example";

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn entry(key: &str, name: &str, data: &Data) -> Vec<u8> {
    let numbers = [data.value_type.0.to_le_bytes(), (data.bytes.len() as u32).to_le_bytes()];
    let semicolon = utf16(";");
    let parts = [
        &utf16(&format!("[{key}\0;{name}\0;"))[..],
        &numbers[0],
        &semicolon,
        &numbers[1],
        &semicolon,
        &data.bytes,
        &utf16("]"),
    ];
    parts.concat()
}

fn file(entries: &[(&str, &str, Data)]) -> Vec<u8> {
    let mut bytes = b"PReg\x01\0\0\0".to_vec();
    entries.iter().for_each(|(key, name, data)| bytes.extend(entry(key, name, data)));
    bytes
}

fn parse(bytes: &[u8]) -> Document {
    Document::parse(bytes.to_vec(), RootKey::Hklm).unwrap()
}

fn of(entries: &[(&str, Data)]) -> Document {
    parse(&file(&entries.iter().map(|(name, data)| (KEY, *name, data.clone())).collect::<Vec<_>>()))
}

fn key(below: &str) -> KeyPath {
    KeyPath::from_parts(RootKey::Hklm, below).unwrap()
}

fn name(text: &str) -> ValueName {
    ValueName::new(text).unwrap()
}

fn one() -> Data {
    Data::dword(1)
}

fn two() -> Data {
    Data::dword(2)
}

/// Returns what the file makes of value A.
fn a(document: &Document) -> Setting<'_> {
    document.value(&key(&KEY.to_uppercase()), &name("a"))
}

#[test]
fn what_is_read_is_written() {
    let odd = Data::new(ValueType(0x99), [1, 2, 3]);
    let bytes = file(&[
        (KEY, "A;]", Data::sz("x")),
        (KEY, "", odd.clone()),
        ("software\\x", "é", one()),
        (KEY, "", Data::new(ValueType(0), [])),
    ]);
    let document = parse(&bytes);
    assert_eq!(document.to_bytes(), bytes);
    assert_eq!(document.value(&key(KEY), &name("a;]")), Setting::Data(&Data::sz("x")));
    assert_eq!(document.value(&key(KEY), &name("")), Setting::Data(&odd));
    assert_eq!(document.entries().nth(1).unwrap().offset(), Some(8 + entry(KEY, "A;]", &Data::sz("x")).len()));
    assert_eq!(document.entries().last().unwrap().instruction(), Ok(&Instruction::CreateKey));
    assert_eq!(document.keys().count(), 2);
    assert_eq!(parse(&file(&[])).to_bytes(), Document::empty().to_bytes());
}

#[test]
fn the_later_entry_wins() {
    let soft = || ("**Soft.A", two());
    let (set, del, all) = (|| ("A", one()), || ("**DEL.a", Data::sz(" ")), || ("**delvals.", Data::sz(" ")));
    let list = || ("**DeleteValues", Data::sz("B;a"));
    assert_eq!(a(&of(&[set(), ("a", two())])), Setting::Data(&two()));
    assert_eq!(a(&of(&[set(), del()])), Setting::Deleted);
    assert_eq!(a(&of(&[del(), set()])), Setting::Data(&one()));
    assert_eq!(a(&of(&[all(), set()])), Setting::Data(&one()));
    assert_eq!(a(&of(&[set(), all()])), Setting::Deleted);
    assert_eq!(a(&of(&[("**DelVals", Data::sz(" "))])), Setting::Deleted);
    assert_eq!(a(&of(&[set(), list()])), Setting::Deleted);
    assert_eq!(a(&of(&[("**DeleteValues B;A", Data::sz(""))])), Setting::Deleted);
    assert_eq!(a(&of(&[("**DeleteValues", Data::sz("B"))])), Setting::Nothing);
    assert_eq!(a(&of(&[soft()])), Setting::Soft(&two()));
    assert_eq!(a(&of(&[set(), soft()])), Setting::Data(&one()));
    assert_eq!(a(&of(&[soft(), set()])), Setting::Data(&one()));
    assert_eq!(a(&of(&[del(), soft()])), Setting::Data(&two()));
    assert_eq!(a(&of(&[all(), soft()])), Setting::Data(&two()));
    for other in ["**SecureKey", "**Comment:text", "**Unknown", "B", ""] {
        assert_eq!(a(&of(&[(other, one())])), Setting::Nothing, "{other}");
    }
    // A name that cannot be written as a value is not read as one.
    let unknown = of(&[("**A", one())]);
    assert_eq!(unknown.entries().next().unwrap().instruction(), Ok(&Instruction::Unknown("**A".to_owned())));
    assert_eq!(unknown.value(&key(KEY), &name("**A")), Setting::Nothing);
    assert!(!unknown.key(&key(KEY)).present && unknown.values(&key(KEY)).is_empty());
    let document = of(&[set(), del(), ("B", one())]);
    assert_eq!(document.values(&key(KEY)).len(), 2);
    assert_eq!(document.value(&key(r"Software\Policies\Other"), &name("A")), Setting::Nothing);
}

#[test]
fn keys_are_deleted_with_all_below() {
    let above = r"Software\Policies";
    let del = ("**DeleteKeys", Data::sz(r"Example;Other\Deep"));
    let with = |before: &str, after: &str| {
        parse(&file(&[(before, "A", one()), (above, del.0, del.1.clone()), (after, "B", one())]))
    };
    let document = with(KEY, r"Software\Policies\Example\Below");
    assert_eq!(a(&document), Setting::Deleted);
    let state = document.key(&key(KEY));
    assert!(state.key_deleted && state.present && state.values_deleted);
    let below = key(r"Software\Policies\Example\Below");
    assert_eq!(document.value(&below, &name("B")), Setting::Data(&one()));
    assert_eq!(document.value(&below, &name("C")), Setting::Deleted);
    let other = document.key(&key(r"Software\Policies\Other\Deep\X"));
    assert!(other.key_deleted && !other.present);
    assert_eq!(document.key(&key(r"Software\Policies\Other")), KeySetting::default());
    assert!(document.key(&key(above)).present);
}

#[test]
fn damage_is_an_error_with_its_place() {
    let good = file(&[(KEY, "A", Data::sz("text"))]);
    let kind = |bytes: &[u8]| Document::parse(bytes.to_vec(), RootKey::Hklm).unwrap_err();
    for length in 0..good.len() {
        let error = match Document::parse(good[..length].to_vec(), RootKey::Hklm) {
            Ok(document) => {
                assert_eq!((length, document.entries().count()), (8, 0));
                continue;
            }
            Err(error) => error,
        };
        let expected = if length < 4 { PolErrorKind::Signature } else { PolErrorKind::Unfinished };
        assert_eq!(error.kind, expected, "{length}: {error}");
        assert!(error.offset <= length);
    }
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        kind(&bytes)
    };
    assert_eq!(changed(0, b'p').kind, PolErrorKind::Signature);
    assert_eq!(changed(4, 2).to_string(), "file offset 0x4: expected version 1 of the format, found 2");
    assert_eq!(changed(8, b'(').kind, PolErrorKind::Syntax);
    let size = good.len() - 2 - 10 - 2 - 4;
    assert_eq!(good[size], 10);
    assert_eq!(changed(size, 8).kind, PolErrorKind::Syntax);
    assert_eq!(changed(size + 3, 0xFF).kind, PolErrorKind::Unfinished);
    assert_eq!(kind(&[&good[..], b"x"].concat()).kind, PolErrorKind::Unfinished);
    assert_eq!(kind(&[&good[..], b"xx"].concat()).kind, PolErrorKind::Syntax);
    assert_eq!(kind(&vec![0; MAX_FILE + 1]).kind, PolErrorKind::TooLarge);
}

#[test]
fn an_entry_with_a_name_that_is_not_valid_is_kept_and_reported() {
    let long = "n".repeat(300);
    for (key, name) in [("", "A"), (r"A\\B", "A"), (r"\A", "A"), (KEY, "A"), (long.as_str(), "A")]
        .into_iter()
        .filter(|(key, _)| *key != KEY)
    {
        let bytes = file(&[(KEY, "A", one()), (key, name, one())]);
        let document = parse(&bytes);
        assert!(document.unreadable().unwrap().starts_with("file offset 0x"), "{key:?}");
        assert_eq!((document.to_bytes(), a(&document)), (bytes, Setting::Data(&one())));
    }
    let mut bytes = file(&[(KEY, "A", one())]);
    bytes[11] = 0xD8;
    assert!(parse(&bytes).unreadable().unwrap().contains("UTF-16"));
    assert_eq!(of(&[("A", one())]).unreadable(), None);
}

#[test]
fn an_edit_changes_one_entry() {
    let others = || [("Z", one()), ("**Comment:x", one())];
    let before = [&[("a", one())][..], &others()].concat();
    let mut document = of(&before);
    let original = document.to_bytes();
    let (path, value) = (key(&KEY.to_lowercase()), name("A"));
    document.set(&path, &value, &two()).unwrap();
    assert_eq!(document.to_bytes(), of(&[&[("a", two())][..], &others()].concat()).to_bytes());
    document.delete(&path, &value).unwrap();
    assert_eq!(document.to_bytes(), of(&[&[("**del.a", Data::sz(" "))][..], &others()].concat()).to_bytes());
    document.set(&path, &value, &one()).unwrap();
    assert_eq!(document.to_bytes(), original);
    document.set(&path, &name("New"), &two()).unwrap();
    let added = document.to_bytes();
    assert_eq!(added, [&original[..], &entry(&KEY.to_lowercase(), "New", &two())].concat());
    document.forget(&path, &name("NEW")).unwrap();
    assert_eq!(document.to_bytes(), original);
    document.forget(&path, &value).unwrap();
    assert_eq!(document.to_bytes(), of(&others()).to_bytes());
}

#[test]
fn an_edit_takes_effect_whatever_stands_in_the_file() {
    let pool = [
        ("A", one()),
        ("a", Data::dword(3)),
        ("**del.A", Data::sz(" ")),
        ("**soft.A", Data::dword(4)),
        ("**delvals.", Data::sz(" ")),
        ("**DeleteValues", Data::sz("A;B")),
        ("B", one()),
    ];
    let (path, value, other) = (key(KEY), name("A"), name("B"));
    for code in 0..pool.len().pow(4) {
        let picked: Vec<_> = (0..4).map(|place| pool[code / pool.len().pow(place) % pool.len()].clone()).collect();
        let document = of(&picked);
        let beside = document.value(&path, &other);
        let mut set = document.clone();
        set.set(&path, &value, &two()).unwrap();
        assert_eq!(a(&set), Setting::Data(&two()), "{picked:?}");
        let mut delete = document.clone();
        delete.delete(&path, &value).unwrap();
        assert_eq!(a(&delete), Setting::Deleted, "{picked:?}");
        let mut forget = document.clone();
        match forget.forget(&path, &value) {
            Ok(()) => assert_eq!(a(&forget), Setting::Nothing, "{picked:?}"),
            Err(error) => {
                assert_eq!(error, EditError::DeletesAll(path.clone()));
                assert_eq!(forget.to_bytes(), document.to_bytes());
            }
        }
        for edited in [&set, &delete, &forget] {
            let again = parse(&edited.to_bytes());
            assert_eq!(again.value(&path, &other), beside, "{picked:?}");
            assert_eq!(a(&again), a(edited), "{picked:?}");
        }
    }
}

#[test]
fn what_group_policy_cannot_hold_is_refused() {
    let mut document = Document::empty();
    let mut set = |name: &str, data: Data| document.set(&key(KEY), &ValueName::new(name).unwrap(), &data);
    assert_eq!(set("A", Data::new(ValueType::NONE, [])), Err(EditError::Type(ValueType::NONE)));
    assert_eq!(set("A", Data::new(ValueType::BINARY, vec![0; 65_536])), Err(EditError::DataTooLong(65_536)));
    assert_eq!(set("**del.A", one()), Err(EditError::Reserved));
    assert_eq!(set(&"n".repeat(260), one()), Err(EditError::NameTooLong(260)));
    assert!(set(&"n".repeat(259), one()).is_ok());
    assert_eq!(document.delete(&key(KEY), &name("**")), Err(EditError::Reserved));
    assert_eq!(document.delete(&key(KEY), &name(&"n".repeat(254))), Err(EditError::NameTooLong(260)));
    assert!(matches!(document.set(&KeyPath::root_key(RootKey::Hklm), &name("A"), &one()), Err(EditError::Key(..))));
    assert_eq!(document.entries().count(), 1);
}
