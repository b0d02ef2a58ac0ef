//! Tests connections that break and processes that are killed during changes: the changes can be rolled back.

use std::{fmt::Write as _, fs, process::Stdio, time::Duration};

use super::{
    machine::{Run, command, listing},
    proxy::Proxy,
    server::{Server, Speaks},
};

const KEY: &str = r"HKLM\SOFTWARE\Broken";
const VALUES: usize = 120;

/// Returns a server with a key that has a few of the values already, and a listing of the key. The spec `spec.yaml`
/// wants many more values.
fn server() -> Option<(Server, Vec<String>)> {
    let server = Server::start(Speaks::Smb3)?;
    let mut export =
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Broken]\r\n".to_owned();
    let mut spec = format!("kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: {KEY}\n    values:\n");
    for n in 0..VALUES {
        let _ = writeln!(spec, "      value {n:03}: {{ type: REG_SZ, data: data {n} }}");
    }
    for n in (0..VALUES).step_by(7) {
        let _ = write!(export, "\"value {n:03}\"=hex:0{}\r\n", n % 10);
    }
    server.import(&export);
    fs::write(server.path("spec.yaml"), spec).unwrap();
    let before = listing(&server.export(KEY).unwrap());
    Some((server, before))
}

fn values(server: &Server) -> Vec<String> {
    listing(&server.export(KEY).unwrap())
}

fn apply(server: &Server, proxy: &Proxy) -> Run {
    let line = format!("apply @/spec.yaml --target {}", server.uri_at(proxy.port()));
    Run::of(command(server, &line).output().unwrap())
}

#[test]
fn a_connection_that_breaks_is_undone_over_the_next() {
    let Some((server, before)) = server() else { return };
    let proxy = Proxy::start(server.port(), false);
    proxy.breaks_after(15_000);
    apply(&server, &proxy).code(5).says("the connection broke");
    assert!(proxy.broke() > 0);
    assert_eq!(values(&server), before);
    proxy.mends();
    apply(&server, &proxy).code(0).says("102 values created").says("18 values updated");
    Run::of(command(&server, "rollback --last").output().unwrap()).code(0);
    assert_eq!(values(&server), before);
}

#[test]
fn a_machine_that_dies_meanwhile_is_rolled_back_once_it_is_there_again() {
    let Some((mut server, before)) = server() else { return };
    let proxy = Proxy::start(server.port(), true);
    proxy.breaks_after(15_000);
    apply(&server, &proxy).code(6).says("the connection broke").says(".jsonl");
    server.kill();
    server.resume();
    let half = values(&server);
    assert!(half != before, "nothing was written before it died");
    let rollback = || Run::of(command(&server, "rollback --last").output().unwrap());
    rollback().code(3).says("target-unreachable");
    proxy.mends();
    rollback().code(0);
    assert_eq!(values(&server), before);
}

/// Samba notices that the client has gone, and writes nothing more.
#[test]
fn a_kbfix_that_is_killed_leaves_nobody_who_goes_on_writing() {
    let Some((server, before)) = server() else { return };
    let proxy = Proxy::start(server.port(), false);
    proxy.delays(40);
    let line = format!("apply @/spec.yaml --target {}", server.uri_at(proxy.port()));
    let mut kbfix = command(&server, &line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The process is killed after the first values were written.
    while values(&server) == before {
        assert!(kbfix.try_wait().unwrap().is_none(), "it ended before anything was written");
    }
    kbfix.kill().unwrap();
    kbfix.wait().unwrap();
    // Requests on the way still arrive. After that nothing more is written, and many values are missing.
    let mut half = values(&server);
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let now = values(&server);
        if std::mem::replace(&mut half, now.clone()) == now {
            break;
        }
    }
    proxy.mends();
    Run::of(command(&server, "diff @/spec.yaml --target @target").output().unwrap()).code(1);
    Run::of(command(&server, "rollback --last").output().unwrap()).code(0);
    assert_eq!(values(&server), before);
}
