//! Tests that each reason why another machine does not answer has its own message with what to do.

use std::{
    ffi::OsStr,
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use kbfix::{
    registry::{Data, ValueName},
    targets::{Answer, KeyQuery, Reason, Target as _, ValueSelection},
};

use super::{
    machine::{Run, command, dll, front_end, run},
    server::{PASSWORD, Server, Speaks},
};

/// Runs a diff with another variable in its environment.
fn diff(server: &Server, variable: &str, value: impl AsRef<OsStr>) -> Run {
    let mut command = command(server, "diff KB909094 --target @target");
    Run::of(command.env(variable, value).output().unwrap())
}

#[test]
fn credentials() {
    let Some(server) = front_end(Speaks::Smb3) else { return };
    let auth = |file: &std::path::Path| diff(&server, "KBFIX_SMB_AUTH_FILE", file);
    let wrong = server.credentials("root", "wrong", "not the password");
    auth(&wrong).code(3).says("error[target-logon]").says("NT_STATUS_LOGON_FAILURE").says("locked out");
    auth("/nonexistent".as_ref()).code(3).says("error[target-credentials]");
    auth("".as_ref()).code(3).says("no credentials are given").says("KBFIX_SMB_AUTH_FILE");
    fs::set_permissions(&wrong, fs::Permissions::from_mode(0o644)).unwrap();
    auth(&wrong).code(3).says("error[target-credentials]").says("chmod 600");
    // The user in the URI, with the password in the file.
    let user = fs::read_to_string(server.path("auth")).unwrap();
    let user = user.lines().next().unwrap().trim_start_matches("username = ");
    let other = server.credentials("somebody-else", "other", PASSWORD);
    auth(&other).code(3).says("error[target-logon]");
    let uri = server.uri().replace("smb://", &format!("smb://{user}@"));
    let named = server.kbfix(&["diff", "KB909094", "--target", &uri]).env("KBFIX_SMB_AUTH_FILE", &other).output();
    Run::of(named.unwrap()).code(1).says("6.5.7651.19");
    // There is no Kerberos ticket here.
    diff(&server, "KBFIX_SMB_KERBEROS", "1").code(3).says("error[target-logon]").says("Kerberos");
    diff(&server, "KBFIX_SMB_KERBEROS", "yes").code(3).says("neither 0 nor 1");
}

#[test]
fn addresses() {
    let Some(server) = Server::start(Speaks::Smb3) else { return };
    let on = |uri: &str| Run::of(server.kbfix(&["diff", "KB909094", "--target", uri]).output().unwrap());
    for uri in ["smb://root:geheim@host", "smb://geheim@", "smb://u:geheim", "smb://host?geheim"] {
        let refused = on(uri).code(2).says("error[target-address]");
        assert!(!refused.text.contains("geheim"), "{}", refused.text);
    }
    on("smb://nobody.invalid").code(3).says("error[target-unreachable]");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    on(&server.uri_at(closed)).code(3).says("error[target-unreachable]").says("refused");

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = server.uri_at(silent.local_addr().unwrap().port());
    let started = Instant::now();
    let mut kbfix = server.kbfix(&["diff", "KB909094", "--target", &uri]);
    Run::of(kbfix.env("KBFIX_SMB_LIMIT", "2").output().unwrap())
        .code(3)
        .says("error[target-silent]")
        .says("within 2 s");
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_machine_that_speaks_smb_1_alone_needs_leave() {
    let Some(server) = Server::start(Speaks::Smb1) else { return };
    let uri = server.uri().replace("?smb1", "");
    let run = Run::of(server.kbfix(&["diff", "KB909094", "--target", &uri]).output().unwrap());
    run.code(3).says("error[target-unreachable]").says("?smb1");
}

#[test]
fn programs() {
    let Some(server) = front_end(Speaks::Smb3) else { return };
    let python = |path: &str| diff(&server, "KBFIX_SMB_PYTHON", path);
    python("/nonexistent/python3").code(3).says("error[target-program]").says("python3-samba");
    // Without smbclient, the registry can be read and files cannot.
    diff(&server, "PATH", "/nonexistent").code(3).says("error[target-program]").says("smbclient");
}

#[test]
fn files_and_shares() {
    let Some(server) = front_end(Speaks::Smb3) else { return };
    dll(&server, "old");
    let folder = server.path("share/Größe/deep");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("no pe.txt"), b"12345").unwrap();
    let paths = [
        r"c:\PROGRAM FILES\exchsrvr\BIN\exprox.DLL",
        r"C:\Größe\deep\no pe.txt",
        r"C:\Größe\deep\missing.txt",
        r"C:\missing\missing.txt",
        r"C:\Größe\deep\no pe.txt\below.txt",
        r"C:\Größe\deep",
        r"D:\on\no\share.dll",
        r"C:\a;del b.txt",
        r"relative.dll",
    ];
    let answers = server.target().read_files(&paths.map(str::to_owned)).unwrap();
    let reason = |at: usize| match &answers[at] {
        Answer::Unread(why) => Some(why.reason),
        _ => None,
    };
    let Answer::Present(exprox) = &answers[0] else { panic!("{answers:?}") };
    assert_eq!(format!("{:?}", exprox.version), "Present(6.5.7638.1)");
    assert!(matches!(&answers[1], Answer::Present(facts) if facts.size == 5), "{answers:?}");
    assert!(answers[2..5].iter().all(|answer| *answer == Answer::Absent), "{answers:?}");
    let wanted = [Reason::Malformed, Reason::Unknown, Reason::Unsupported, Reason::Unsupported];
    assert_eq!([reason(5), reason(6), reason(7), reason(8)], wanted.map(Some), "{answers:?}");
    // A folder can be used for a drive whose share is absent.
    let line = format!("diff KB909094 --target @target --files {}", server.path("share").display());
    run(&server, &line).code(4).says("6.5.7638.1");
}

#[test]
fn of_a_key_with_many_values_those_are_read_that_are_asked_for() {
    let Some(server) = Server::start(Speaks::Smb3) else { return };
    let values: String = (0..200).map(|n| format!("\"value {n}\"=dword:{n:08x}\r\n")).collect();
    server.import(&format!(
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Many]\r\n{values}"
    ));
    let ask = |values| {
        let query = KeyQuery { key: r"HKLM\SOFTWARE\Many".parse().unwrap(), values, subkeys: false };
        server.target().read_keys(&[query]).unwrap().remove(0).known().unwrap().unwrap().values
    };
    let name = |text: &str| ValueName::new(text).unwrap();
    let found = ask(ValueSelection::Names(["VALUE 199", "value 7", "value 200"].map(name).into()));
    assert_eq!(found.get(&name("value 199")), Some(&Answer::Present(Data::dword(199))));
    assert_eq!(found.get(&name("value 7")), Some(&Answer::Present(Data::dword(7))));
    assert_eq!(found.get(&name("value 200")), Some(&Answer::Absent));
    assert_eq!((found.len(), ask(ValueSelection::All).len()), (3, 200));
}

#[test]
fn keys_that_the_machine_cannot_tell_of() {
    let Some(server) = Server::start(Speaks::Smb3) else { return };
    let ask = |key: &str| {
        let nothing = ValueSelection::Names(Default::default());
        let query = KeyQuery { key: key.parse().unwrap(), values: nothing, subkeys: false };
        server.target().read_keys(&[query]).unwrap().remove(0)
    };
    let unknown = |key: &str| ask(key).known().unwrap_err();
    assert_eq!(unknown(r"HKU\S-1-5-21-1-2-3-1001\Software").reason, Reason::Unknown);
    assert!(unknown(r"HKU\S-1-5-21-1-2-3-1001").detail.contains("not loaded"));
    assert_eq!(unknown("HKCU").reason, Reason::Unknown);
    assert_eq!(ask(r"HKLM\SOFTWARE\nobody has this"), Answer::Absent);
    server.import("Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Classes\\.kb]\r\n");
    assert!(matches!(ask(r"HKCR\.kb"), Answer::Present(_)));
    assert_eq!(ask(r"HKCR\.other"), Answer::Absent);
}
