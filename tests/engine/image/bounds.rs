//! Tests files of a few megabytes that could need gigabytes of memory or minutes to read. kbfix must answer each within
//! a memory limit and soon.
//!
//! The shell limits the address space of the process. No time is measured, but no process may hang.

use std::{
    fmt::Write as _,
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use kbfix::{
    format::regf::{Editor, Filetime, Hive},
    registry::{Data, ValueType},
};

use super::support::Run;

const NOW: Filetime = Filetime(0x01DB_0000_0000_0000);
/// The maximum address space, in KiB, of a process that reads files of at most 3 MB. For a file of 10 MB it is three
/// times as much, about 1 GB.
const MOST: usize = 350 << 10;
/// The time limit for each process. No process needs that long, even in a slow build on a busy machine.
const SECONDS: &str = "120";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write(
            "spec.yaml",
            b"kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\SOFTWARE\\top\n    ensure: absent\n",
        );
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Runs kbfix within these limits.
    fn kbfix(&self, arguments: &[&str]) -> Run {
        let script = format!("ulimit -v {MOST}; exec timeout {SECONDS} \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_kbfix")]).args(arguments).current_dir(self.0.path());
        // With one arena, because further arenas only reserve address space.
        command.env("MALLOC_ARENA_MAX", "1").env("KBFIX_STATE_DIR", self.path("state")).env("RUST_BACKTRACE", "0");
        let output: Output = command.output().unwrap();
        assert!(output.status.code().is_some_and(|code| code <= 8), "{output:?}");
        Run(output)
    }

    fn diff(&self, target: &str) -> Run {
        self.kbfix(&["diff", "spec.yaml", "--target", target, "--format", "json"])
    }

    fn hive(&self, bytes: &[u8]) -> Run {
        self.write("hive", bytes);
        self.diff(r"hive:hive=HKLM\SOFTWARE")
    }
}

fn edited(edit: impl FnOnce(&mut Editor<'_>)) -> Vec<u8> {
    let mut hive = Hive::create(NOW).unwrap();
    edit(&mut hive.edit(NOW).unwrap());
    hive.to_bytes(NOW).unwrap()
}

/// Returns the offsets of all cells that begin with this signature.
fn cells(bytes: &[u8], signature: &[u8]) -> Vec<usize> {
    let starts = (4096 + 32..bytes.len() - 8).step_by(8);
    starts.filter(|at| bytes[at + 4..].starts_with(signature)).map(|at| at + 4).collect()
}

fn long(at: usize, bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Returns a hive of a key with `small` values in keys of their own, and with one large value.
fn one_large(small: u32, large: usize) -> Vec<u8> {
    edited(|editor| {
        for i in 0..small {
            editor.create_key(&format!(r"top\{i}")).unwrap();
            editor.set_value(&format!(r"top\{i}"), "v", &Data::sz("small")).unwrap();
        }
        editor.create_key("large").unwrap();
        editor.set_value("large", "large", &Data::new(ValueType::BINARY, vec![7; large])).unwrap();
    })
}

#[test]
fn values_that_share_their_data_are_read_once() {
    for large in [16_000, 1_000_000] {
        let mut bytes = one_large(500, large);
        let records = cells(&bytes, b"vk");
        let shared = records.iter().copied().max_by_key(|at| long(at + 4, &bytes) & 0x7FFF_FFFF).unwrap();
        for at in records {
            bytes.copy_within(shared + 4..shared + 12, at + 4);
        }
        Folder::new().hive(&bytes).exits(4).says("two structures refer to the same cell");
    }
}

#[test]
fn a_segment_that_is_named_twice_is_none() {
    let mut bytes = one_large(1, 1_000_000);
    let record = cells(&bytes, b"db")[0];
    let list = 4096 + 4 + long(record + 4, &bytes) as usize;
    let first = bytes[list..list + 4].to_vec();
    bytes[list + 4..list + 8].copy_from_slice(&first);
    let spec = b"kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\SOFTWARE\\large\n    ensure: absent\n";
    let folder = Folder::new();
    folder.write("spec.yaml", spec);
    folder.hive(&bytes).exits(4).says("the list of data segments contains a segment twice");
}

#[test]
fn keys_that_share_their_lists_and_classes_are_read_once() {
    let good = edited(|editor| {
        for i in 0..300 {
            editor.create_key(&format!(r"top\{i}")).unwrap();
            editor.set_class(&format!(r"top\{i}"), Some(&"c".repeat(30_000 / (1 + i as usize * 100)))).unwrap();
            editor.set_value(&format!(r"top\{i}"), "v", &Data::dword(i)).unwrap();
        }
        for i in 0..1000 {
            editor.set_value(r"top\0", &format!("value {i}{}", "x".repeat(500)), &Data::dword(i)).unwrap();
        }
    });
    // The number and list of values; the class and its length.
    for fields in [vec![(36, 44)], vec![(48, 52), (74, 76)]] {
        let mut bytes = good.clone();
        let keys = cells(&bytes, b"nk");
        let of = |at: &usize| fields.iter().map(|field| long(at + field.0, &good)).max();
        let shared = keys
            .iter()
            .copied()
            .filter(|at| long(at + 48, &good) != u32::MAX && long(at + 36, &good) > 1)
            .max_by_key(of);
        let shared = shared.unwrap();
        for at in keys.into_iter().filter(|at| long(at + 48, &good) != u32::MAX) {
            for field in &fields {
                bytes.copy_within(shared + field.0..shared + field.1, at + field.0);
            }
        }
        Folder::new().hive(&bytes).exits(4).says("two structures refer to the same cell");
    }
}

#[test]
fn a_descriptor_that_all_keys_share_is_not_read_without_end() {
    let bytes = edited(|editor| {
        editor.create_key("top").unwrap();
        let mut descriptor = editor.hive().security_descriptor(editor.hive().root()).unwrap().to_vec();
        descriptor.resize(60_000, 0);
        editor.set_security("top", &descriptor).unwrap();
        for i in 0..2000 {
            editor.create_key(&format!(r"top\{i}")).unwrap();
        }
    });
    let run = Folder::new().hive(&bytes);
    assert!(matches!(run.0.status.code(), Some(1 | 4)), "{}", &run.text()[..300]);
}

#[test]
fn paths_that_are_long_because_they_are_deep_have_a_bound() {
    let chain = vec!["n".repeat(250); 200].join("\\");
    let bytes = edited(|editor| {
        for i in 0..1500 {
            editor.create_key(&format!(r"top\{chain}\{i}")).unwrap();
        }
    });
    assert!(bytes.len() < 1 << 20);
    Folder::new().hive(&bytes).exits(3).says("more than 67108864 bytes in the paths of keys");

    let folder = Folder::new();
    let mut export = String::from("Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n");
    for i in 0..30 {
        let _ = write!(export, "\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\top\\{i}\\{}]\r\n", vec!["n"; 40_000].join("\\"));
    }
    folder.write("export.reg", export.as_bytes());
    folder.diff("reg:export.reg").exits(3).says("levels");
}

#[test]
fn a_tree_of_many_levels_is_deleted_and_put_back() {
    let chain = vec!["n"; 400].join("\\");
    let folder = Folder::new();
    folder.write(
        "hive",
        &edited(|editor| {
            editor.create_key(&format!(r"top\{chain}")).unwrap();
        }),
    );
    let target = r"hive:hive=HKLM\SOFTWARE";
    folder.kbfix(&["apply", "spec.yaml", "--target", target]).exits(0).says("401 keys deleted");
    folder.kbfix(&["rollback", "--last"]).exits(0).says("401 keys created");
}

#[test]
fn thousands_of_keys_below_one_are_deleted_and_put_back() {
    let folder = Folder::new();
    let keys = |editor: &mut Editor<'_>| {
        editor.create_key("top").unwrap();
        for i in 0..10_000 {
            editor.create_key(&format!(r"top\{i}")).unwrap();
        }
    };
    folder.write("hive", &edited(keys));
    let target = r"hive:hive=HKLM\SOFTWARE";
    folder.kbfix(&["apply", "spec.yaml", "--target", target]).exits(0).says("10001 keys deleted");
    folder.kbfix(&["rollback", "--last"]).exits(0).says("10001 keys created");
}

#[test]
fn a_list_of_thousands_is_added_to_one_of_thousands() {
    let folder = Folder::new();
    let strings = |from: u32| (from..from + 10_000).map(|i| format!("string {i}")).collect::<Vec<_>>();
    let mut spec =
        String::from("kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\SOFTWARE\\top\n    values:\n      list:\n");
    let _ = write!(spec, "        type: REG_MULTI_SZ\n        list: {{ add: [{}] }}\n", strings(10_000).join(", "));
    folder.write("spec.yaml", spec.as_bytes());
    folder
        .hive(&edited(|editor| {
            editor.create_key("top").unwrap();
            editor.set_value("top", "list", &Data::multi_sz(strings(0))).unwrap();
        }))
        .exits(1);
}

#[test]
fn logs_that_are_longer_than_any_are_refused() {
    let folder = Folder::new();
    let mut dirty = edited(|editor| {
        editor.create_key("top").unwrap();
    });
    dirty[4] ^= 1;
    folder.write("hive", &dirty);
    for log in ["hive.LOG", "hive.LOG1", "hive.LOG2"] {
        let file = fs::File::create(folder.path(log)).unwrap();
        file.set_len(2 << 30).unwrap();
    }
    folder.diff(r"hive:hive=HKLM\SOFTWARE").exits(3).says("which is the limit for this kind of file");
    folder.kbfix(&["hive", "check", "hive"]).exits(3);
}

#[test]
fn documents_with_many_entries_or_levels_have_a_bound() {
    let folder = Folder::new();
    let nested = ["[".repeat(1_000_000), "]".repeat(1_000_000)].concat();
    let head = r#""taken_of": "x", "taken": "x", "specs""#;
    let deep = format!("{{\"kbfix_snapshot\": 1, {head}: {nested}}}");
    folder.write("snapshot.json", deep.as_bytes());
    folder.diff("snapshot:snapshot.json").exits(3);
    folder.write("plan.json", deep.replace("snapshot", "plan").as_bytes());
    folder.kbfix(&["apply", "--plan", "plan.json", "--target", "snapshot:snapshot.json"]).exits(2);
}

#[test]
fn dense_documents_of_each_kind_have_a_bound() {
    let folder = Folder::new();
    let changes = ["--max-changes", "100000"];
    // An export of 20,000 values, the plan that deletes them (3 MB), and its journal.
    let values: String = (0..20_000).fold(String::new(), |mut all, n| {
        write!(all, "\"{n:x}\"=hex:\r\n").unwrap();
        all
    });
    let top = r"[HKEY_LOCAL_MACHINE\SOFTWARE\top]";
    let export = format!("REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n\r\n{top}\r\n{values}");
    folder.write("export.reg", export.as_bytes());
    folder.kbfix(&["diff", "spec.yaml", "--target", "reg:export.reg", "--out", "plan.json"]).exits(1);
    folder.kbfix(&[&["apply", "--plan", "plan.json", "--target", "reg:export.reg"], &changes[..]].concat()).exits(0);
    folder.kbfix(&["rollback", "--last"]).exits(0);
    assert!(fs::read_to_string(folder.path("export.reg")).unwrap().contains("\"4e1f\"=hex:"));

    // A snapshot in which 100,000 values are absent, and which does not say whether the key has other values.
    let absent: Vec<String> = (0..100_000).map(|n| format!("\"{n:x}\":\"absent\"")).collect();
    let found = format!("{{\"present\":{{\"values\":{{{}}}}}}}", absent.join(","));
    let facts = format!(r#"{{"keys":[{{"key":"HKLM\\SOFTWARE\\top","found":{found}}}],"files":[]}}"#);
    let head = r#""kbfix_snapshot":1,"taken_of":"x","taken":"2026-01-01T00:00:00Z","specs":[]"#;
    folder.write("snapshot.json", format!("{{{head},\"facts\":{facts}}}").as_bytes());
    folder.diff("snapshot:snapshot.json").exits(4);

    // A policy file that sets one value 80,000 times (3 MB).
    let text = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let numbers = [text(";"), 4_u32.to_le_bytes().into(), text(";"), 0_u32.to_le_bytes().into(), text(";]")];
    let entry = [text("[SOFTWARE\\top\0;a\0"), numbers.concat()].concat();
    folder.write("Registry.pol", &[b"PReg\x01\0\0\0".to_vec(), entry.repeat(80_000)].concat());
    folder.write("spec.yaml", b"kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\SOFTWARE\\top\n    values: { a: { type: REG_DWORD, data: 1 } }\n");
    let policy = ["spec.yaml", "--target", "pol:Registry.pol=HKLM"];
    folder.kbfix(&[&["diff"], &policy[..]].concat()).exits(1);
    folder.kbfix(&[&["apply"], &policy[..]].concat()).exits(0);
    folder.kbfix(&[&["diff"], &policy[..]].concat()).exits(0);
}
