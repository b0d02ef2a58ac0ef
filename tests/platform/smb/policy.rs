//! Tests the policy stores and pending restarts of another machine: files of its share and keys of its registry.

use std::fs;

use kbfix::registry::Data;

use crate::policy_file;

use super::{
    machine::{dll, exprox, front_end, run},
    server::Speaks,
};

const DAV: &str = r"System\CurrentControlSet\Services\MSExchangeWEB\DAV";

/// Returns a policy file with one number.
fn pol(key: &str, name: &str, number: u32) -> Vec<u8> {
    policy_file::file([policy_file::entry(key, name, &Data::dword(number))])
}

#[test]
fn the_policy_stores_of_the_share_are_read() {
    let Some(server) = front_end(Speaks::Smb3) else { return };
    let folder = server.path("share/WINDOWS/System32/GroupPolicy/Machine");
    fs::create_dir_all(&folder).unwrap();
    let store = folder.join("Registry.pol");
    fs::write(&store, pol(DAV, "DisableRealmHint", 0)).unwrap();
    let owned = r"GroupPolicy\Machine\Registry.pol) sets it to REG_DWORD dword:00000000";
    run(&server, "diff KB909094 --target @target").code(1).says("policy-owned").says(owned);
    run(&server, "apply KB909094 --target @target --fail-on policy-owned").code(4).says(owned);
    run(&server, "snapshot KB909094 --target @target --out @/snapshot.json").code(0);
    run(&server, "diff KB909094 --target snapshot:@/snapshot.json").code(1).says(owned);
    fs::write(&store, pol(DAV, "DisableRealmHint", 1)).unwrap();
    let kept = run(&server, "diff KB909094 --target @target").code(1).says("as this spec requires");
    assert!(!kept.text.contains("policy-owned"), "{}", kept.text);
    fs::write(&store, "no policy").unwrap();
    run(&server, "diff KB909094 --target @target --fail-on policy-unknown").code(4).says("Registry.pol");
    run(&server, "apply KB909094 --target @target").code(0).says("policy-unknown");
}

#[test]
fn a_pending_restart_of_the_server_is_seen() {
    let Some(server) = front_end(Speaks::Smb3) else { return };
    let windows = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion";
    let signs = [r"Component Based Servicing\RebootPending", r"WindowsUpdate\Auto Update\RebootRequired"];
    for sign in signs {
        server.import(&format!("Windows Registry Editor Version 5.00\r\n\r\n[{windows}\\{sign}]\r\n\r\n"));
    }
    let run_diff = || run(&server, "diff KB909094 --target @target");
    let seen = run_diff().code(1);
    for sign in signs {
        assert!(seen.text.contains(&format!("{sign} exists")), "{}", seen.text);
    }
    // The file of the hotfix is in the same folder as the old one, which it replaces at the next start.
    let waiting = exprox(&server).with_file_name("SET42.tmp");
    fs::rename(exprox(&server), &waiting).unwrap();
    dll(&server, "old");
    run_diff().code(4).says("KB909094: blocked");
    let bin = r"\??\C:\Program Files\Exchsrvr\bin";
    let moves = Data::multi_sz([format!(r"{bin}\SET42.tmp"), format!(r"!{bin}\exprox.dll")]);
    let bytes: Vec<_> = moves.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let manager = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Session Manager";
    let value = format!("\"PendingFileRenameOperations\"=hex(7):{}", bytes.join(","));
    server.import(&format!("Windows Registry Editor Version 5.00\r\n\r\n[{manager}]\r\n{value}\r\n\r\n"));
    run_diff().code(4).says("KB909094: pending restart").says("SET42.tmp, which is 6.5.7651.19 (x86)");
}
