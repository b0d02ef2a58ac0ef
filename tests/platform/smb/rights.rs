//! Tests an account with few rights. Samba gives root every right, so only another account shows which rights kbfix
//! requests.

use super::{
    machine::{Run, listing},
    server::{PASSWORD, Server, Speaks},
};

const KEY: &str = r"HKLM\SOFTWARE\Rights";
const SPEC: &str = "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\SOFTWARE\\Rights\n    values:\n      \
                    number: { type: REG_DWORD, data: 1 }\n      list: { type: REG_MULTI_SZ, data: [a, b] }\n";

/// Who may do what with the key, in SDDL: everybody reads; everybody writes; administrators only.
const READ: &str = "O:BAG:SYD:(A;;RPCCRCSW;;;WD)(A;;RPWPCCDCLCRCWOWDSDSW;;;BA)";
const WRITE: &str = "O:BAG:SYD:(A;;RPWPCCDCLCRCWOWDSDSW;;;WD)";
const NOTHING: &str = "O:BAG:SYD:(A;;RPWPCCDCLCRCWOWDSDSW;;;BA)";

#[test]
fn reading_asks_for_read_rights_and_writing_for_no_more_than_it_needs() {
    let Some(server) = Server::start(Speaks::Smb3) else { return };
    if !server.is_root() {
        return println!("SKIPPED: only root can have a server with another account");
    }
    server.account("nobody", "nobody", PASSWORD);
    server.import(
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Rights]\r\n\"there\"=\"x\"\r\n",
    );
    std::fs::write(server.path("spec.yaml"), SPEC).unwrap();
    let uri = server.uri();
    let spec = server.path("spec.yaml").display().to_string();
    let kbfix = |arguments: &[&str]| {
        let mut command = server.kbfix(&[arguments, &["--target", &uri]].concat());
        Run::of(command.env("KBFIX_SMB_AUTH_FILE", server.path("nobody")).output().unwrap())
    };
    let allow = |rights: &str| {
        let set = server.on_disk(&["setsd_sddl", KEY, rights]);
        assert!(set.status.success(), "{set:?}");
    };
    let before = listing(&server.export(KEY).unwrap());
    allow(READ);
    kbfix(&["diff", &spec]).code(1).says("2 values to create");
    kbfix(&["apply", &spec]).code(5).says("access denied").says(KEY);
    assert_eq!(listing(&server.export(KEY).unwrap()), before);
    allow(NOTHING);
    kbfix(&["diff", &spec]).code(4).says("unknown").says("access denied");
    allow(WRITE);
    kbfix(&["apply", &spec]).code(0).says("2 values created");
    let found = listing(&server.export(KEY).unwrap()).join("\n");
    assert!(found.contains("number=REG_DWORD dword:00000001"), "{found}");
    assert!(found.contains("list=REG_MULTI_SZ hex(7):61,00,00,00,62,00,00,00,00,00"), "{found}");
    kbfix(&["rollback", "--last"]).code(0);
    assert_eq!(listing(&server.export(KEY).unwrap()), before);
}
