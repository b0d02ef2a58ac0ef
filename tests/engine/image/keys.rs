//! Tests where each key is: control sets, views, classes, users and links.

use std::fs;

use kbfix::{
    example::USER,
    format::regf::Hive,
    registry::{Data, Key, ValueType, View},
    targets::{Address, Answer, ChangeAction, KeyChange, KeyQuery, Reason, Target, ValueChange, ValueSelection, open},
};

use super::support::{Machine, NTUSER, SOFTWARE, SYSTEM, ask, exists, hivexget, key, name, reason, subkeys, value};

fn set(target: &mut dyn Target, path: Key, text: &str, number: u32, action: ChangeAction) {
    let value = ValueChange { name: name(text), before: None, after: Some(Data::dword(number)) };
    target.write(&[KeyChange::new(path, action, vec![value])]).unwrap();
}

#[test]
fn the_current_control_set_is_the_one_that_select_names() {
    let machine = Machine::new();
    let mut target = machine.target();
    let computer = r"Control\ComputerName\ComputerName";
    for set in ["CurrentControlSet", "controlset001"] {
        let path = key(&format!(r"HKLM\SYSTEM\{set}\{computer}"));
        assert_eq!(value(target.as_mut(), path, "computername"), Answer::Present(Data::sz("FRONTEND1")));
    }
    assert_eq!(subkeys(target.as_mut(), r"HKLM\SYSTEM"), ["ControlSet001", "Select"]);
    assert_eq!(subkeys(target.as_mut(), r"HKLM\SYSTEM\CurrentControlSet"), ["Control", "Services"]);
    assert_eq!(exists(target.as_mut(), r"HKLM\SYSTEM\ControlSet002"), Answer::Absent);

    machine.edit(SYSTEM, |editor| {
        editor.create_key(r"ControlSet002\Control").unwrap();
        editor.set_value("Select", "Current", &Data::dword(2)).unwrap();
    });
    let mut target = machine.target();
    assert_eq!(subkeys(target.as_mut(), r"HKLM\SYSTEM\CurrentControlSet"), ["Control"]);
    set(target.as_mut(), key(r"HKLM\SYSTEM\CurrentControlSet\Control"), "x", 1, ChangeAction::Update);
    assert_eq!(value(target.as_mut(), key(r"HKLM\SYSTEM\ControlSet002\Control"), "x"), Answer::Present(Data::dword(1)));

    machine.edit(SYSTEM, |editor| assert!(editor.delete_value("Select", "Current").unwrap()));
    let answer = exists(machine.target().as_mut(), r"HKLM\SYSTEM\CurrentControlSet");
    assert_eq!(reason(&answer), Some(Reason::Malformed));
}

#[test]
fn both_views_are_one_where_there_is_no_wow6432node() {
    let machine = Machine::new();
    let setup = |view| Key { path: r"HKLM\SOFTWARE\Microsoft\Exchange\Setup".parse().unwrap(), view };
    let version = |view| value(machine.target().as_mut(), setup(view), "Services Version");
    assert_eq!(version(View::Bits64), Answer::Present(Data::dword(65)));
    assert_eq!(version(View::Bits32), Answer::Present(Data::dword(65)));

    machine.edit(SOFTWARE, |editor| {
        editor.create_key(r"Wow6432Node\Microsoft\Exchange\Setup").unwrap();
        editor.create_key(r"Classes\Wow6432Node\CLSID\{1}").unwrap();
    });
    assert_eq!(version(View::Bits64), Answer::Present(Data::dword(65)));
    assert_eq!(version(View::Bits32), Answer::Absent);
    set(machine.target().as_mut(), setup(View::Bits32), "x", 32, ChangeAction::Update);
    let stored = key(r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Exchange\Setup");
    assert_eq!(value(machine.target().as_mut(), stored, "x"), Answer::Present(Data::dword(32)));
    if let Some(text) = hivexget(&machine.path(SOFTWARE), r"Wow6432Node\Microsoft\Exchange\Setup") {
        assert_eq!(text.trim(), r#""x"=dword:00000020"#);
    }
    let class = Key { path: r"HKCR\CLSID\{1}".parse().unwrap(), view: View::Bits32 };
    let query = KeyQuery { key: class, values: ValueSelection::All, subkeys: true };
    assert!(matches!(ask(machine.target().as_mut(), query), Answer::Present(_)));
    assert_eq!(exists(machine.target().as_mut(), r"HKCR\CLSID\{1}"), Answer::Absent);
}

/// On 32-bit Windows, these are keys like all others; 64-bit Windows makes links of them.
#[test]
fn a_key_below_wow6432node_has_its_own_name_where_there_is_one_view() {
    let machine = Machine::new();
    for (at, key) in
        [r"Wow6432Node\Classes\CLSID\{1}", r"Wow6432Node\Classes\AppID\x", r"Classes\Wow6432Node\TypeLib\x"]
            .into_iter()
            .enumerate()
    {
        let rule = format!("{{ key: 'HKLM\\SOFTWARE\\{key}', values: {{ A: {{ type: REG_DWORD, data: 1 }} }} }}");
        let spec = format!("kbfix: 1\nid: T{at}\ntitle: T\nregistry: [{rule}]\n");
        let spec = machine.beside(&format!("{at}.yaml"), &spec);
        let plan = spec.with_extension("json").display().to_string();
        let spec = spec.display().to_string();
        let run = machine.kbfix(&["diff", &spec, "--out", &plan]).exits(1);
        assert!(!run.says(&format!("+[HKEY_LOCAL_MACHINE\\SOFTWARE\\{key}]")).text().contains("cannot-apply"));
        machine.kbfix(&["apply", "--plan", &plan]).exits(0);
        machine.kbfix(&["diff", &spec]).exits(0);
        let stored = Key::new(format!(r"HKLM\SOFTWARE\{key}").parse().unwrap());
        assert_eq!(value(machine.target().as_mut(), stored, "A"), Answer::Present(Data::dword(1)));
        machine.kbfix(&["rollback", "--last"]).exits(0);
        machine.kbfix(&["diff", &spec]).exits(1);
    }
}

#[test]
fn classes_are_those_of_the_machine_and_of_each_user() {
    let machine = Machine::new();
    machine.edit(SOFTWARE, |editor| assert!(editor.create_key(r"Classes\ms-msdt").unwrap()));
    let mut target = machine.target();
    assert_eq!(subkeys(target.as_mut(), "HKCR"), ["ms-msdt"]);
    assert_eq!(exists(target.as_mut(), r"hkcr\MS-MSDT"), Answer::Present(()));

    machine.edit(NTUSER, |editor| assert!(editor.create_key("Software").unwrap()));
    let classes = format!(r"HKU\{USER}\Software\Classes");
    let mut target = machine.target();
    // Subkeys that Windows links there at logon do not belong to the key.
    assert_eq!(subkeys(target.as_mut(), &format!(r"HKU\{USER}\Software")), [""; 0]);
    assert_eq!(exists(target.as_mut(), &classes), Answer::Present(()));
    assert_eq!(subkeys(target.as_mut(), &classes), [""; 0]);
    set(target.as_mut(), key(&format!(r"{classes}\CLSID")), "x", 1, ChangeAction::Create);
    assert_eq!(subkeys(target.as_mut(), &format!(r"HKU\{USER}_Classes")), ["CLSID"]);
    let link = KeyChange::new(key(&classes), ChangeAction::Delete, vec![]);
    assert!(target.write(&[link]).is_err());
}

#[test]
fn the_classes_of_a_user_are_in_another_hive_than_the_users_own() {
    let machine = Machine::new();
    for (sid, unknown) in [(USER, true), ("S-1-12-1-1-2-3-4", true), ("S-1-5-80-1", false)] {
        let uri = format!(r"hive:{}=HKU\{sid}", machine.path(NTUSER).display());
        let mut hive = open(&Address::new(&uri, None, None).unwrap()).unwrap();
        let found = exists(hive.as_mut(), &format!(r"HKU\{sid}\Software\Classes\Foo"));
        assert_eq!(reason(&found), unknown.then_some(Reason::Unknown), "{sid}: {found:?}");
    }
}

#[test]
fn users_are_those_of_the_profile_list() {
    let machine = Machine::new();
    let mut target = machine.target();
    let sids = subkeys(target.as_mut(), "HKU");
    assert_eq!(sids, [".DEFAULT", USER, &format!("{USER}_Classes")]);
    for sid in [".DEFAULT", "S-1-5-18", USER] {
        let path = key(&format!(r"HKU\{sid}\Control Panel\International"));
        assert_eq!(value(target.as_mut(), path, "Locale"), Answer::Present(Data::sz("00000409")), "{sid}");
    }
    assert_eq!(exists(target.as_mut(), r"HKU\S-1-5-21-1-2-3-1000\Software"), Answer::Absent);

    // If the profile of a user is not on the volume, the user's settings are unknown, not absent.
    let profile = r"Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-1-2-3-1000";
    machine.edit(SOFTWARE, |editor| {
        editor.create_key(profile).unwrap();
        editor.set_value(profile, "ProfileImagePath", &Data::sz(r"D:\Users\b")).unwrap();
    });
    let mut target = machine.target();
    assert_eq!(reason(&exists(target.as_mut(), r"HKU\S-1-5-21-1-2-3-1000\Software")), Some(Reason::Unknown));
    let spec = machine.beside("user.yaml", HKCU);
    let spec = spec.to_str().unwrap();
    machine.kbfix(&["diff", spec]).exits(4).says("--drive D=DIR");

    let data = tempfile::tempdir().unwrap();
    fs::create_dir_all(data.path().join("users/B")).unwrap();
    fs::copy(machine.path(NTUSER), data.path().join("users/B/ntuser.dat")).unwrap();
    let drive = format!("D={}", data.path().display());
    machine.kbfix(&["apply", spec, "--drive", &drive]).exits(0).says("2 keys created, 2 values created");
    machine.kbfix(&["diff", spec, "--drive", &drive]).exits(0);
    // The journal contains the folder for the drive.
    machine.kbfix(&["rollback", "--last"]).exits(0).says("2 keys deleted, 2 values deleted");
}

/// Windows keeps the entry of a profile whose folder was deleted. kbfix reports the entry, and changes the other users.
#[test]
fn a_profile_without_a_hive_is_left_out() {
    let machine = Machine::new();
    let profile = r"Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-1-2-3-1000";
    machine.edit(SOFTWARE, |editor| {
        editor.create_key(profile).unwrap();
        editor.set_value(profile, "ProfileImagePath", &Data::sz(r"C:\Documents and Settings\gone")).unwrap();
    });
    assert_eq!(exists(machine.target().as_mut(), r"HKU\S-1-5-21-1-2-3-1000\Software"), Answer::Absent);
    let spec = machine.beside("user.yaml", HKCU);
    let spec = spec.to_str().unwrap();
    let told = "user S-1-5-21-1-2-3-1000 has a profile in ProfileList but no hive";
    machine.kbfix(&["diff", spec]).exits(1).says(told);
    machine.kbfix(&["apply", spec]).exits(0).says(told);
    machine.kbfix(&["diff", spec]).exits(0).says(told);
    // A mandatory profile has a hive, which kbfix does not read.
    let folder = machine.path("Documents and Settings/gone");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("ntuser.man"), b"").unwrap();
    machine.kbfix(&["diff", spec]).exits(4).says("NTUSER.DAT");
}

const HKCU: &str = r"kbfix: 1
id: KB1
title: Each user
registry:
  - key: HKCU\Control Panel\Desktop
    values:
      Number: { type: REG_DWORD, data: 7 }
";

#[test]
fn what_is_in_no_hive_is_unknown() {
    let machine = Machine::new();
    let mut target = machine.target();
    for path in [
        r"HKLM\HARDWARE\DESCRIPTION",
        r"HKLM\BCD00000000",
        r"HKCC\Software",
        r"HKLM\SYSTEM\CurrentControlSet\Hardware Profiles\Current\Software",
        &format!(r"HKU\{USER}\Volatile Environment"),
    ] {
        assert_eq!(reason(&exists(target.as_mut(), path)), Some(Reason::Unknown), "{path}");
    }
    assert_eq!(exists(target.as_mut(), "HKLM"), Answer::Present(()));
    let query = KeyQuery { key: key("HKLM"), values: ValueSelection::Names(Default::default()), subkeys: true };
    let subkeys = ask(target.as_mut(), query).and_then(|facts| facts.subkeys.unwrap());
    assert_eq!(reason(&subkeys), Some(Reason::Unknown));

    fs::remove_file(machine.path(SYSTEM)).unwrap();
    let mut target = machine.target();
    assert_eq!(reason(&exists(target.as_mut(), r"HKLM\SYSTEM\Select")), Some(Reason::Unknown));
    assert_eq!(reason(&exists(target.as_mut(), r"HKLM\SYSTEM\CurrentControlSet")), Some(Reason::Unknown));
    assert_eq!(exists(target.as_mut(), r"HKLM\SOFTWARE\Microsoft"), Answer::Present(()));
    machine.kbfix(&["diff", "KB909094"]).exits(4).says("the image has no hive file SYSTEM");
}

/// Creates a registry link in a hive.
fn link(machine: &Machine, file: &str, from: &str, to: &str) {
    let bytes: Vec<u8> = to.encode_utf16().flat_map(u16::to_le_bytes).collect();
    machine.edit(file, |editor| {
        editor.create_key(from).unwrap();
        editor.set_value(from, "SymbolicLinkValue", &Data::new(ValueType::LINK, bytes)).unwrap();
    });
    // The editor cannot set the flag, because only Windows creates links.
    let mut bytes = fs::read(machine.path(file)).unwrap();
    let node = Hive::open(bytes.clone(), &[]).unwrap().find(from).unwrap().unwrap();
    bytes[node.file_offset() as usize + 4 + 2] |= 0x10;
    fs::write(machine.path(file), bytes).unwrap();
}

#[test]
fn of_the_links_that_a_hive_holds_only_those_of_windows_are_followed() {
    let machine = Machine::new();
    link(&machine, SOFTWARE, "Link", r"\REGISTRY\Machine\SOFTWARE\Microsoft");
    link(&machine, SOFTWARE, "Circle", r"\Registry\Machine\Software\Circle");
    link(&machine, SOFTWARE, "Far", r"\Device\Somewhere");
    let counters = r"Microsoft\Windows NT\CurrentVersion\Perflib";
    machine.edit(SOFTWARE, |editor| {
        editor.create_key(&format!(r"{counters}\009")).unwrap();
        editor.set_value(&format!(r"{counters}\009"), "Counter", &Data::sz("1")).unwrap();
    });
    link(
        &machine,
        SOFTWARE,
        &format!(r"{counters}\CurrentLanguage"),
        &format!(r"\Registry\Machine\Software\{counters}\009"),
    );
    let mut target = machine.target();
    let counter = value(target.as_mut(), key(&format!(r"HKLM\SOFTWARE\{counters}\CurrentLanguage")), "Counter");
    assert_eq!(counter, Answer::Present(Data::sz("1")));
    assert_eq!(reason(&exists(target.as_mut(), r"HKLM\SOFTWARE\Circle\a")), Some(Reason::Malformed));
    for path in [r"Link\Exchange\Setup", "Link", r"Link\none", "Far"] {
        let answer = exists(target.as_mut(), &format!(r"HKLM\SOFTWARE\{path}"));
        assert_eq!(reason(&answer), Some(Reason::Unsupported), "{path}: {answer:?}");
    }
}

/// A link can lead to a key in another user's hive or to a protected key. That key is neither changed nor deleted
/// through the link.
#[test]
fn what_a_link_leads_to_is_not_changed_through_it() {
    let machine = Machine::new();
    link(&machine, NTUSER, r"Software\App\Link", r"\Registry\Machine\SOFTWARE\Microsoft");
    link(&machine, NTUSER, r"Software\App\Own", &format!(r"\Registry\User\{USER}\Control Panel"));
    link(&machine, SOFTWARE, r"App\Link", r"\Registry\Machine\SOFTWARE\Microsoft\Exchange");
    link(&machine, SOFTWARE, r"App\Set", r"\Registry\Machine\SYSTEM\ControlSet001");
    let before = machine.content();
    let (absent, set) = ("ensure: absent", "values: { v: { type: REG_DWORD, data: 1 } }");
    for (key, rule, why) in [
        (r"HKCU\Software\App", absent, r"\Software\App\Link is a link to HKLM\SOFTWARE\Microsoft"),
        (r"HKCU\Software\App\Link\x", set, r"\Software\App\Link is a link to HKLM\SOFTWARE\Microsoft"),
        (r"HKCU\Software\App\Own\x", set, r"\Software\App\Own is a link to HKU\"),
        (r"HKLM\SOFTWARE\App", absent, r"App\Link is a link to HKLM\SOFTWARE\Microsoft\Exchange"),
        (r"HKLM\SOFTWARE\App\Link", absent, r"App\Link is a link to HKLM\SOFTWARE\Microsoft\Exchange"),
        (r"HKLM\SOFTWARE\App\Link", set, r"App\Link is a link to HKLM\SOFTWARE\Microsoft\Exchange"),
        (r"HKLM\SOFTWARE\App\Link\new", set, r"App\Link is a link to HKLM\SOFTWARE\Microsoft\Exchange"),
        (r"HKLM\SOFTWARE\App\Set\Services", absent, r"App\Set is a link to HKLM\SYSTEM\ControlSet001"),
        (r"HKLM\SOFTWARE\App\S*\Services", absent, r"App\Set is a link to HKLM\SYSTEM\ControlSet001"),
    ] {
        let text = format!("kbfix: 1\nid: KB1\ntitle: t\nregistry:\n  - {{ key: {key}, {rule} }}\n");
        let spec = machine.beside("tree.yaml", &text);
        machine.kbfix(&["apply", spec.to_str().unwrap()]).exits(4).says(why);
        assert_eq!(machine.content(), before);
    }
}

/// kbfix creates `Software` in a hive that does not have it, and a rollback deletes it again. The user's classes are in
/// another hive.
#[test]
fn what_was_created_beside_a_users_classes_is_rolled_back() {
    let machine = Machine::new();
    let before = machine.content();
    let text = "kbfix: 1\nid: KB1\ntitle: t\nregistry:\n  - { key: HKCU\\Software\\App, values: { v: { type: REG_DWORD, data: 1 } } }\n  \
                - { key: HKCU\\Software\\Classes\\x, values: { v: { type: REG_DWORD, data: 1 } } }\n";
    let spec = machine.beside("user.yaml", text);
    machine.kbfix(&["apply", spec.to_str().unwrap()]).exits(0).says("3 keys created");
    machine.kbfix(&["diff", spec.to_str().unwrap()]).exits(0);
    machine.kbfix(&["rollback", "--last"]).exits(0).says("3 keys deleted");
    assert_eq!(machine.content(), before);
}

#[test]
fn one_hive_by_itself_knows_its_key_only() {
    let machine = Machine::new();
    let run = |arguments: &[&str], file: &str, key: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kbfix"));
        command.args(arguments).arg("--target").arg(format!("hive:{}={key}", machine.path(file).display()));
        super::support::Run(command.env("KBFIX_STATE_DIR", machine.path("state")).output().unwrap())
    };
    let spec = machine.beside("system.yaml", SYSTEM_ONLY);
    let spec = spec.to_str().unwrap();
    run(&["diff", spec], SYSTEM, r"HKLM\SYSTEM").exits(1).says("FRONTEND1");
    run(&["apply", spec], SYSTEM, r"HKLM\SYSTEM").exits(0).says("1 value created");
    run(&["apply", spec], SYSTEM, r"HKLM\SYSTEM").exits(0).says("nothing was changed");
    run(&["diff", "KB909094"], SYSTEM, r"HKLM\SYSTEM").exits(4).says("does not contain");
    run(&["diff", spec], SYSTEM, r"HKLM\NOSUCH\..\x\").exits(2).says("is not a target");
    run(&["diff", spec], "Program Files/Exchsrvr/bin/exprox.dll", r"HKLM\SYSTEM").exits(3).says("not a registry hive");
}

const SYSTEM_ONLY: &str = r"kbfix: 1
id: KB2
title: One hive
registry:
  - key: HKLM\SYSTEM\CurrentControlSet\Services\MSExchangeWEB
    values:
      Number: { type: REG_DWORD, data: 7 }
";
