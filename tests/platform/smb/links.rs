//! Registry links over MS-RRP. Samba has none: a key with the value of a link stands in for one, and is not followed by the server.

use super::{
    machine::{Run, listing},
    server::{Server, Speaks},
};

/// `\Registry\Machine\Software\Precious`, in the hex digits of an export.
fn target() -> String {
    let units = r"\Registry\Machine\Software\Precious".encode_utf16();
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
        target()
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
