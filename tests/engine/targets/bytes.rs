//! Tests that every byte, every type number and every legal name is written unchanged, including those that other tools
//! damage.

use kbfix::{
    registry::{Data, Decoded, Key, ValueType, notation},
    targets::{Answer, ChangeAction, ValueSelection, WriteError},
};

use crate::targets::kinds::{Kind, Machine, change, each, name, utf16, value};

fn cases() -> Vec<(String, Data)> {
    let multi = |text: &str| Data::new(ValueType::MULTI_SZ, utf16(text));
    let case = |name: &str, data| (name.to_owned(), data);
    vec![
        case("", Data::sz("the default value")),
        case("string", Data::sz(r#"C:\a "b""#)),
        case("string empty", Data::sz("")),
        case("string no bytes", Data::new(ValueType::SZ, [])),
        case("string without NUL", Data::new(ValueType::SZ, utf16("abc"))),
        case("string of odd length", Data::new(ValueType::SZ, [0x61, 0, 0x62])),
        case("string with NUL inside", Data::new(ValueType::SZ, utf16("a\0b\0"))),
        case("string with line breaks", Data::sz("a\r\nb\n[HKEY_LOCAL_MACHINE]\n")),
        case("expand", Data::new(ValueType::EXPAND_SZ, utf16("%SystemRoot%\\x\0"))),
        case("expand without NUL", Data::new(ValueType::EXPAND_SZ, utf16("%SystemRoot%"))),
        case("list", Data::multi_sz(["b", "a"])),
        case("list in another order", Data::multi_sz(["a", "b"])),
        case("list with empty string inside", Data::multi_sz(["a", "", "b"])),
        case("list beginning with empty string", Data::multi_sz(["", "a"])),
        case("list of none", Data::multi_sz([""; 0])),
        case("list of no bytes", Data::new(ValueType::MULTI_SZ, [])),
        case("list lacking final NUL", multi("a\0b\0")),
        case("list lacking both NULs", multi("a\0b")),
        case("dword", Data::dword(0xDEAD_BEEF)),
        case("dword of 3 bytes", Data::new(ValueType::DWORD, [1, 0, 0])),
        case("dword of no bytes", Data::new(ValueType::DWORD, [])),
        case("big-endian", Data::new(ValueType::DWORD_BIG_ENDIAN, [0, 0, 0, 1])),
        case("qword above 2^63", Data::qword((1 << 63) + 1)),
        case("qword of 4 bytes", Data::new(ValueType::QWORD, [1, 0, 0, 0])),
        case("binary of odd length", Data::new(ValueType::BINARY, [1, 2, 3])),
        case("binary of no bytes", Data::new(ValueType::BINARY, [])),
        case("none", Data::new(ValueType::NONE, [7])),
        case("none of no bytes", Data::new(ValueType::NONE, [])),
        case("link", Data::new(ValueType::LINK, utf16(r"\Registry\Machine"))),
        case("resource list", Data::new(ValueType::RESOURCE_LIST, [9; 17])),
        case("type 0x99", Data::new(ValueType(0x99), [1, 2, 3])),
        case("type 0x99 of no bytes", Data::new(ValueType(0x99), [])),
        case("type 0xffffffff", Data::new(ValueType(u32::MAX), [1])),
        case(r"\\*\SYSVOL", Data::dword(1)),
        case(r#"quote " inside"#, Data::dword(2)),
        case("123", Data::dword(3)),
        case(" blank ", Data::dword(4)),
        case("@", Data::dword(5)),
        case("a=b;c]", Data::dword(6)),
        ("n".repeat(255), Data::dword(7)),
        case("Größe", Data::dword(8)),
        (format!("N{}", "ä".repeat(254)), Data::dword(9)),
    ]
}

/// Returns names and data with characters that code page 1252 does not have.
fn unicode_cases() -> Vec<(String, Data)> {
    vec![("日本".to_owned(), Data::dword(1)), ("emoji".to_owned(), Data::sz("😀 日本"))]
}

fn cases_of(kind: Kind) -> Vec<(String, Data)> {
    let unicode = if kind.holds_unicode() { unicode_cases() } else { Vec::new() };
    let fits = |(name, data): &(String, Data)| !lacks(kind, data) && name.len() <= kind.longest_name();
    cases().into_iter().chain(unicode).filter(fits).collect()
}

/// Returns whether this kind of target cannot hold the data. Version 4 of the export format writes strings in ANSI,
/// which has no form for half a UTF-16 unit, and Group Policy sets data of some types only.
fn lacks(kind: Kind, data: &Data) -> bool {
    const OTHER: [ValueType; 3] = [ValueType::NONE, ValueType::LINK, ValueType::RESOURCE_LIST];
    if kind == Kind::Pol {
        return OTHER.contains(&data.value_type) || data.value_type.0 > 11;
    }
    kind.is_version_4() && data.value_type.is_text() && data.bytes.len() % 2 == 1
}

/// Writes every case into the machine's key. Each value is absent before.
fn write_all(machine: &Machine, cases: &[(String, Data)]) {
    let values = cases.iter().map(|(name, data)| value(name, None, Some(data.clone())));
    machine.write(&[change(&machine.base, ChangeAction::Update, values)]).unwrap();
}

fn assert_holds(machine: &Machine, cases: &[(String, Data)]) {
    let all = machine.query(&machine.base, ValueSelection::All, false).known().unwrap().unwrap().values;
    let names = cases.iter().map(|(n, _)| name(n)).collect();
    let named = machine.query(&machine.base, ValueSelection::Names(names), false).known().unwrap().unwrap().values;
    for (value_name, data) in cases {
        let found = all.get(&name(value_name));
        assert_eq!(found, Some(&Answer::Present(data.clone())), "{value_name:.40}");
    }
    assert_eq!(all.len(), cases.len());
    assert!(all == named, "asked by name, another answer than asked for all");
}

#[test]
fn what_is_written_is_what_is_read() {
    each(|machine| {
        let cases = cases_of(machine.kind);
        write_all(machine, &cases);
        assert_holds(machine, &cases);
    });
}

#[test]
fn data_of_1_mib_is_written_read_and_deleted() {
    each(|machine| {
        // An entry of a policy file has at most 65,535 bytes of data.
        let size = if machine.kind == Kind::Pol { 65_535 } else { 1 << 20 };
        let large: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
        let cases = [("1 MiB".to_owned(), Data::new(ValueType::BINARY, large))];
        write_all(machine, &cases);
        assert_holds(machine, &cases);
        let [(value_name, data)] = cases;
        machine.write(&[change(&machine.base, ChangeAction::Update, [value(&value_name, Some(data), None)])]).unwrap();
        assert_holds(machine, &[]);
    });
}

#[test]
fn every_data_is_replaced_exactly_and_comes_back_exactly() {
    each(|machine| {
        let cases = cases_of(machine.kind);
        write_all(machine, &cases);
        let other = |data: &Data| if *data == Data::dword(7) { Data::sz("7") } else { Data::dword(7) };
        let there = cases.iter().map(|(name, data)| value(name, Some(data.clone()), Some(other(data))));
        let there = change(&machine.base, ChangeAction::Update, there);
        let back = there.inverse();
        machine.write(&[there]).unwrap();
        let replaced: Vec<_> = cases.iter().map(|(name, data)| (name.clone(), other(data))).collect();
        assert_holds(machine, &replaced);
        machine.write(&[back]).unwrap();
        assert_holds(machine, &cases);
        let gone = cases.iter().map(|(name, data)| value(name, Some(data.clone()), None));
        machine.write(&[change(&machine.base, ChangeAction::Update, gone)]).unwrap();
        assert_holds(machine, &[]);
    });
}

#[test]
fn data_that_differs_in_a_byte_or_in_type_only_is_not_taken_for_the_same() {
    each(|machine| {
        let cases = cases_of(machine.kind);
        write_all(machine, &cases);
        let mut target = machine.open();
        for (value_name, data) in &cases {
            let other_type = Data::new(ValueType(data.value_type.0 ^ 0x1000), data.bytes.clone());
            let longer = Data::new(data.value_type, [data.bytes.as_slice(), &[0]].concat());
            for wrong in [other_type, longer] {
                let stale = value(value_name, Some(wrong), Some(Data::dword(0xBAD)));
                let refused =
                    target.write(&[change(&machine.base, ChangeAction::Update, [stale])]).map_err(|f| f.error);
                assert!(matches!(refused, Err(WriteError::Stale { .. })), "{value_name:.40}: {refused:?}");
            }
        }
        assert_holds(machine, &cases);
    });
}

#[test]
fn key_names_of_every_kind_are_kept() {
    each(|machine| {
        let mut names = vec!["k".repeat(255), "a b/c".into(), "123".into(), "[x]".into(), "Größe".into(), "-".into()];
        if machine.kind.holds_unicode() {
            names.extend(["日本".into(), "ä".repeat(255)]);
        }
        names.retain(|name| name.len() <= machine.kind.longest_name());
        let create =
            |n: &String| change(&machine.below(n), ChangeAction::Create, [value("v", None, Some(Data::sz(n)))]);
        machine.write(&names.iter().map(create).collect::<Vec<_>>()).unwrap();
        for name in &names {
            assert_eq!(machine.read(&machine.below(name), "v"), Answer::Present(Data::sz(name)), "{name:.40}");
        }
        let found = machine.query(&machine.base, ValueSelection::All, true).known().unwrap().unwrap().subkeys;
        let mut found: Vec<_> =
            found.unwrap().known().unwrap().unwrap().iter().map(|n| n.as_str().to_owned()).collect();
        found.sort();
        names.sort();
        assert_eq!(found, names);
    });
}

#[test]
fn a_list_of_subkeys_has_each_subkey_once_with_whatever_is_below_it() {
    each(|machine| {
        // A key of many keys, of a chain of keys, of one key, of none; and names that sort between a key and its
        // subkeys.
        let many = (0..30).map(|number| format!(r"Many\K{number}"));
        let chain = (1..20).map(|depth| format!("Chain{}", r"\d".repeat(depth)));
        let top = ["Chain", "Many", "Many 2", "Many-", "None", "One", "many1"].map(str::to_owned);
        let keys: Vec<String> = top.iter().cloned().chain(many).chain(chain).chain([r"One\K".to_owned()]).collect();
        let create = |key: &String| change(&machine.below(key), ChangeAction::Create, []);
        machine.write(&keys.iter().map(create).collect::<Vec<_>>()).unwrap();
        let subkeys = |key: &Key| {
            let found = machine.query(key, ValueSelection::Names([].into()), true).known().unwrap().unwrap();
            let mut names: Vec<String> =
                found.subkeys.unwrap().known().unwrap().unwrap().iter().map(|name| name.as_str().to_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(subkeys(&machine.base), top);
        assert_eq!(subkeys(&machine.below("Many")).len(), 30);
        assert_eq!(subkeys(&machine.below(r"Chain\d\d")), ["d"]);
    });
}

#[test]
fn what_the_format_lacks_is_refused_and_nothing_is_written() {
    each(|machine| {
        let lacking = cases().into_iter().filter(|(_, data)| lacks(machine.kind, data));
        let unicode = if machine.kind.holds_unicode() { Vec::new() } else { unicode_cases() };
        let before = machine.file();
        for (value_name, data) in lacking.chain(unicode) {
            let good = value("good", None, Some(Data::dword(1)));
            let bad = value(&value_name, None, Some(data));
            let refused = machine.write(&[change(&machine.base, ChangeAction::Update, [good, bad])]);
            assert!(matches!(refused, Err(WriteError::Unsupported { .. })), "{value_name}: {refused:?}");
            assert_eq!(machine.file(), before);
        }
    });
}

/// Checks with a reader that does not use kbfix's parser: each value must be on one line of the file, after lines that
/// end in a backslash are joined.
#[test]
fn exports_hold_each_value_in_the_notation_of_reg_files() {
    each(|machine| {
        if !machine.address.uri.starts_with("reg:") {
            return;
        }
        let cases = cases_of(machine.kind);
        write_all(machine, &cases);
        let bytes = machine.file().unwrap();
        let text = match machine.kind {
            Kind::RegUtf16 | Kind::Reg4Utf16 => {
                let units: Vec<u16> = bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
                String::from_utf16(&units).unwrap()
            }
            Kind::RegUtf8 => String::from_utf8(bytes).unwrap(),
            // In code page 1252, the characters of the cases have the same numbers as in Unicode.
            _ => bytes.iter().map(|b| char::from(*b)).collect(),
        };
        let joined = text.replace("\\\r\n  ", "");
        let lines: std::collections::HashSet<&str> = joined.split("\r\n").collect();
        for (value_name, data) in &cases {
            // Version 4 writes the bytes of strings in ANSI.
            let in_hex = notation::data(data).starts_with("hex");
            if machine.kind.is_version_4() && data.value_type.is_text() && in_hex {
                continue;
            }
            let line = format!("{}={}", notation::value_name(&name(value_name)), notation::data(data));
            assert!(lines.contains(line.as_str()), "{line:.100} is not in the file");
        }
    });
}

#[test]
fn a_dword_of_3_bytes_is_shown_as_its_bytes_and_replaced() {
    each(|machine| {
        let short = Data::new(ValueType::DWORD, [1, 0, 0]);
        assert!(matches!(short.decode(), Decoded::Malformed(_)));
        machine.set(&[("Short", short)]);
        let spec = machine.spec("Short: { type: REG_DWORD, data: 1 }");
        let shown = machine.kbfix("diff", &spec);
        assert_eq!(shown.status.code(), Some(1), "{shown:?}");
        let text = String::from_utf8(shown.stdout).unwrap();
        assert!(text.contains("\n-\"Short\"=hex(4):01,00,00\n"), "{text}");
        assert!(text.contains("malformed: a REG_DWORD must have 4 bytes"), "{text}");
        assert!(text.contains("\n+\"Short\"=dword:00000001\n"), "{text}");

        let applied = machine.kbfix("apply", &spec);
        assert_eq!(applied.status.code(), Some(0), "{applied:?}");
        assert_eq!(machine.read(&machine.base, "Short"), Answer::Present(Data::dword(1)));
    });
}
