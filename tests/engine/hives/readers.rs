//! Compares what independent readers and kbfix read in a file.

use std::{io::Write as _, path::Path, process::Command};

use kbfix::{format::regf::Hive, registry::notation::hex_digits};
use serde_json::json;

/// Compares the hive with tests/engine/hives/compare.py and the Python in `KBFIX_PYTHON`. `KBFIX_READERS` chooses the
/// readers.
pub(crate) fn compare(hive: &Hive, file: &Path, name: &str) {
    let Ok(python) = std::env::var("KBFIX_PYTHON") else {
        println!("SKIPPED: {name} beside independent readers: KBFIX_PYTHON names no Python that has them");
        return;
    };
    let readers = std::env::var("KBFIX_READERS").unwrap_or_default();
    let mut lines = tempfile::NamedTempFile::new().unwrap();
    write_dump(hive, lines.as_file_mut());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engine/hives/compare.py");
    let mut command = Command::new(python);
    command.arg(script).arg(lines.path()).arg(file).args(readers.split_whitespace());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{name}:\n{text}");
    assert!(output.status.success(), "{name}:\n{text}{}", String::from_utf8_lossy(&output.stderr));
}

/// Writes one JSON document for each key, one on each line.
pub(crate) fn write_dump(hive: &Hive, out: &mut impl std::io::Write) {
    let mut out = std::io::BufWriter::new(out);
    let mut path: Vec<String> = Vec::new();
    for (depth, key) in hive.walk(hive.root()) {
        let key = key.unwrap();
        path.truncate(depth.saturating_sub(1));
        if depth > 0 {
            path.push(key.name_text().unwrap());
        }
        let class = hive.class(key.node()).unwrap();
        let class: Option<Vec<u8>> = class.map(|class| class.units().flat_map(u16::to_le_bytes).collect());
        let values: Vec<_> = hive
            .values(key.node())
            .unwrap()
            .map(|value| {
                let value = value.unwrap();
                let bytes = hive.bytes(&value).unwrap();
                json!([value.name_text().unwrap(), value.value_type().0, hex_digits(&bytes)])
            })
            .collect();
        let class = class.map(|class| hex_digits(&class));
        let line = json!({ "path": path, "time": key.last_written(), "class": class, "values": values });
        writeln!(out, "{line}").unwrap();
    }
    out.flush().unwrap();
}
