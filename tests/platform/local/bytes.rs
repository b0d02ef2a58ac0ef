//! Tests that every byte and every type number is written unchanged.

use kbfix::{
    registry::{Data, Decoded, ValueType, notation},
    targets::{Answer, ChangeAction, Target, ValueSelection, local::LocalTarget},
};

use crate::local::scratch::{Scratch, change, name, query, read, reg_export, reg_import, reg_ok, value};

/// Returns names and data that other tools are known to damage.
fn cases() -> Vec<(String, Data)> {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let multi = |text: &str| Data::new(ValueType::MULTI_SZ, utf16(text));
    let case = |name: &str, data| (name.to_owned(), data);
    vec![
        case("", Data::sz("the default value")),
        case("string", Data::sz(r#"C:\a "b""#)),
        case("string non-ASCII", Data::sz("Größe 日本 😀")),
        case("string empty", Data::sz("")),
        case("string no bytes", Data::new(ValueType::SZ, [])),
        case("string without NUL", Data::new(ValueType::SZ, utf16("abc"))),
        case("string of odd length", Data::new(ValueType::SZ, [0x61, 0, 0x62])),
        case("string with NUL inside", Data::new(ValueType::SZ, utf16("a\0b\0"))),
        case("string with two NULs", Data::new(ValueType::SZ, utf16("a\0\0"))),
        case("expand", Data::new(ValueType::EXPAND_SZ, utf16("%SystemRoot%\\x\0"))),
        case("expand without NUL", Data::new(ValueType::EXPAND_SZ, utf16("%SystemRoot%"))),
        case("list", Data::multi_sz(["b", "a"])),
        case("list with empty string inside", Data::multi_sz(["a", "", "b"])),
        case("list beginning with empty string", Data::multi_sz(["", "a"])),
        case("list of none", Data::multi_sz([""; 0])),
        case("list of no bytes", Data::new(ValueType::MULTI_SZ, [])),
        case("list lacking final NUL", multi("a\0b\0")),
        case("list lacking both NULs", multi("a\0b")),
        case("dword", Data::dword(0xDEAD_BEEF)),
        case("dword of 3 bytes", Data::new(ValueType::DWORD, [1, 0, 0])),
        case("dword of 5 bytes", Data::new(ValueType::DWORD, [1, 2, 3, 4, 5])),
        case("dword of no bytes", Data::new(ValueType::DWORD, [])),
        case("big-endian", Data::new(ValueType::DWORD_BIG_ENDIAN, [0, 0, 0, 1])),
        case("qword above 2^63", Data::qword((1 << 63) + 1)),
        case("qword of 4 bytes", Data::new(ValueType::QWORD, [1, 0, 0, 0])),
        case("binary of odd length", Data::new(ValueType::BINARY, [1, 2, 3])),
        case("binary of no bytes", Data::new(ValueType::BINARY, [])),
        case("none", Data::new(ValueType::NONE, [7])),
        case("none of no bytes", Data::new(ValueType::NONE, [])),
        case("resource list", Data::new(ValueType::RESOURCE_LIST, [9; 16])),
        case("type 0x99", Data::new(ValueType(0x99), [1, 2, 3])),
        case("type 0xffffffff", Data::new(ValueType(u32::MAX), [1])),
        case(r"\\*\SYSVOL", Data::dword(1)),
        case(r#"quote " inside"#, Data::dword(2)),
        case("123", Data::dword(3)),
        case(" blank ", Data::dword(4)),
        case("Größe 日本", Data::dword(5)),
        (format!("N{}", "ä".repeat(254)), Data::dword(6)),
        ("n".repeat(16_383), Data::dword(7)),
        // Sizes near the buffer size of the first read, and much larger ones.
        case("4095 bytes", Data::new(ValueType::BINARY, vec![0xA5; 4095])),
        case("4096 bytes", Data::new(ValueType::BINARY, vec![0xA5; 4096])),
        case("4097 bytes", Data::new(ValueType::BINARY, vec![0xA5; 4097])),
        case("1 MiB", Data::new(ValueType::BINARY, (0..1 << 20).map(|i| (i % 251) as u8).collect::<Vec<u8>>())),
    ]
}

#[test]
fn what_is_written_is_what_is_read() {
    for scratch in [Scratch::machine("written"), Scratch::user("written")] {
        let values = cases().into_iter().map(|(name, data)| value(&name, None, Some(data)));
        LocalTarget::new().write(&[change(&scratch.key, ChangeAction::Update, values)]).unwrap();

        let all = query(&scratch.key, ValueSelection::All, false).known().unwrap().unwrap().values;
        let names = cases().iter().map(|(n, _)| name(n)).collect();
        let named = query(&scratch.key, ValueSelection::Names(names), false).known().unwrap().unwrap().values;
        for (value_name, data) in cases() {
            assert_eq!(all.get(&name(&value_name)), Some(&Answer::Present(data.clone())), "{value_name:.40}");
            assert_eq!(read(&scratch.key, &value_name), Answer::Present(data), "{value_name:.40}");
        }
        assert_eq!(all.len(), cases().len());
        assert_eq!(all, named);
    }
}

#[test]
fn what_kbfix_writes_reg_exe_exports() {
    let scratch = Scratch::machine("exports");
    let values = cases().into_iter().map(|(name, data)| value(&name, None, Some(data)));
    LocalTarget::new().write(&[change(&scratch.key, ChangeAction::Update, values)]).unwrap();

    let lines = reg_export(&scratch.path());
    for (value_name, data) in cases() {
        // Wine's reg.exe writes every REG_SZ as text and every REG_DWORD as a number, even if the bytes are not valid
        // for the type. In that case its output proves nothing.
        let shown_as_it_is = ![ValueType::SZ, ValueType::DWORD].contains(&data.value_type);
        if !shown_as_it_is && notation::data(&data).starts_with("hex") {
            continue;
        }
        let line = format!("{}={}", notation::value_name(&name(&value_name)), notation::data(&data));
        assert!(lines.contains(&line), "{line:.100} is not in {lines:.100?}");
    }
}

#[test]
fn what_reg_exe_imports_kbfix_reads() {
    let scratch = Scratch::user("imports");
    // Wine's reg.exe adds missing NULs to a string, and that of Windows does not.
    let lacks_nul = |data: &Data| data.value_type.is_text() && matches!(data.decode(), Decoded::Malformed(_));
    let cases: Vec<_> = cases().into_iter().filter(|(_, d)| d.bytes.len() <= 4097 && !lacks_nul(d)).collect();
    let line = |(value_name, data): &(String, Data)| {
        format!("{}={}", notation::value_name(&name(value_name)), notation::data(data))
    };
    reg_import(&scratch.key, &cases.iter().map(line).collect::<Vec<_>>());
    for (value_name, data) in cases {
        let found = read(&scratch.key, &value_name);
        assert_eq!(found, Answer::Present(data), "{value_name:.40}");
    }
}

#[test]
fn what_reg_exe_adds_kbfix_reads_and_back() {
    let scratch = Scratch::machine("adds");
    let path = scratch.path();
    reg_ok(&["add", &path, "/v", "DisableRealmHint", "/t", "REG_DWORD", "/d", "1", "/f"]);
    reg_ok(&["add", &path, "/ve", "/d", "text", "/f"]);
    reg_ok(&["add", &path, "/v", "list", "/t", "REG_MULTI_SZ", "/d", r"b\0a", "/f"]);
    assert_eq!(read(&scratch.key, "disablerealmhint"), Answer::Present(Data::dword(1)));
    assert_eq!(read(&scratch.key, ""), Answer::Present(Data::sz("text")));
    assert_eq!(read(&scratch.key, "list"), Answer::Present(Data::multi_sz(["b", "a"])));

    let to_zero = value("DisableRealmHint", Some(Data::dword(1)), Some(Data::dword(0)));
    LocalTarget::new().write(&[change(&scratch.key, ChangeAction::Update, [to_zero])]).unwrap();
    let shown = reg_ok(&["query", &path, "/v", "DisableRealmHint"]);
    assert!(shown.contains("REG_DWORD    0x0"), "{shown}");
}

#[test]
fn a_value_of_the_wrong_type_is_replaced() {
    let scratch = Scratch::machine("type");
    reg_ok(&["add", &scratch.path(), "/v", "DisableRealmHint", "/t", "REG_SZ", "/d", "1", "/f"]);
    let replace = value("DisableRealmHint", Some(Data::sz("1")), Some(Data::dword(1)));
    LocalTarget::new().write(&[change(&scratch.key, ChangeAction::Update, [replace])]).unwrap();
    let shown = reg_ok(&["query", &scratch.path(), "/v", "DisableRealmHint"]);
    assert!(shown.contains("REG_DWORD    0x1"), "{shown}");
}

#[test]
fn names_print_as_they_were_found() {
    let scratch = Scratch::machine("spelling");
    let path = scratch.path();
    for name in ["DisableRealmHint", "Other", "Third", "Fourth", "Fifth", "Sixth"] {
        reg_ok(&["add", &path, "/v", name, "/d", "x", "/f"]);
    }
    let spelled = |wanted: &[&str]| -> Vec<String> {
        let wanted = ValueSelection::Names(wanted.iter().map(|n| name(n)).collect());
        let facts = query(&scratch.key, wanted, false).known().unwrap().unwrap();
        facts.values.keys().map(ToString::to_string).collect()
    };
    // The values are looked up one by one, and listed.
    assert_eq!(spelled(&["DISABLEREALMHINT", "absent"]), ["absent", "DisableRealmHint"]);
    assert_eq!(
        spelled(&["DISABLEREALMHINT", "other", "third", "absent"]),
        ["absent", "DisableRealmHint", "Other", "Third"]
    );
}
