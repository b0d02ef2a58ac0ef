//! Tests registry links over MS-RRP. Samba has no links, so a key with the value of a link is used, which the server
//! does not follow.

use super::{
    machine::{Run, front_end, listing, run},
    server::{Server, Speaks},
};

/// Returns the path of a key in hexadecimal digits, as in an export.
fn link_to(path: &str) -> String {
    let units = path.encode_utf16();
    let bytes: Vec<String> = units.flat_map(u16::to_le_bytes).map(|byte| format!("{byte:02x}")).collect();
    bytes.join(",")
}

#[test]
fn what_is_a_link_or_below_one_is_neither_read_nor_changed() {
    let Some(server) = Server::start(Speaks::Smb3) else { return };
    server.import(&format!(
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Vendor]\r\n\"a\"=\"b\"\r\n\r\n\
         [HKEY_LOCAL_MACHINE\\SOFTWARE\\Vendor\\Link]\r\n\"SymbolicLinkValue\"=hex(6):{}\r\n\r\n\
         [HKEY_LOCAL_MACHINE\\SOFTWARE\\Vendor\\Link\\Sub]\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Vendor\\Other]\r\n",
        link_to(r"\Registry\Machine\Software\Precious")
    ));
    let key = r"HKLM\SOFTWARE\Vendor";
    let before = listing(&server.export(key).unwrap());
    let uri = server.uri();
    let apply = |rule: &str| {
        let spec = server.path("spec.yaml");
        std::fs::write(&spec, format!("kbfix: 1\nid: T\ntitle: T\nregistry:\n  - {{ {rule} }}\n")).unwrap();
        Run::of(server.kbfix(&["apply", spec.to_str().unwrap(), "--target", &uri]).output().unwrap())
    };
    for rule in [
        r"key: HKLM\SOFTWARE\Vendor, ensure: absent",
        r"key: HKLM\SOFTWARE\Vendor\Link, ensure: absent",
        r"key: HKLM\SOFTWARE\Vendor\Link\Sub, ensure: absent",
        r"key: HKLM\SOFTWARE\Vendor\Link\New, ensure: present",
        r"key: HKLM\SOFTWARE\Vendor\Link\Sub, values: { v: { type: REG_DWORD, data: 1 } }",
    ] {
        apply(rule).code(4).says(r"HKLM\SOFTWARE\Vendor\Link is a link to HKLM\Software\Precious");
        assert_eq!(listing(&server.export(key).unwrap()), before, "{rule}");
    }
    apply(r"key: HKLM\SOFTWARE\Vendor\Other, ensure: absent").code(0).says("1 key deleted");
}

#[test]
fn a_rollback_stays_in_the_control_set_that_the_link_led_to() {
    let Some(server) = front_end(Speaks::Smb3) else { return };
    let current = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet";
    let leads_to = |set: &str| {
        let target = link_to(&format!(r"\Registry\Machine\System\{set}"));
        server.import(&format!(
            "Windows Registry Editor Version 5.00\r\n\r\n[{current}]\r\n\"SymbolicLinkValue\"=hex(6):{target}\r\n"
        ));
    };
    leads_to("ControlSet001");
    run(&server, "apply KB909094 --target @target").code(0);
    // The server follows no link, so the test writes the result of the apply into the control set that Windows would
    // have changed.
    let dav = r"SYSTEM\ControlSet001\Services\MSExchangeWEB\DAV";
    let name = r"SYSTEM\ControlSet001\Control\ComputerName\ComputerName";
    server.import(&format!(
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\{dav}]\r\n\"DisableRealmHint\"=dword:00000001\r\n\r\n\
         [HKEY_LOCAL_MACHINE\\{name}]\r\n\"ComputerName\"=\"FRONTEND1\"\r\n"
    ));
    let both = || {
        let services = |set: &str| listing(&server.export(&format!(r"HKLM\SYSTEM\{set}\Services")).unwrap()).len();
        (services("CurrentControlSet"), services("ControlSet001"))
    };
    let (of_current, of_first) = both();
    leads_to("ControlSet002");
    run(&server, "rollback --last").code(0).says("other-control-set").says("1 key deleted, 1 value deleted");
    assert_eq!(both(), (of_current, of_first - 1));
}
