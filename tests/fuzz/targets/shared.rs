//! What the targets for hives share: reading all of a hive, and editing it.

use kbfix::{
    format::regf::{Filetime, Hive},
    registry::{Data, ValueType},
};

const NOW: Filetime = Filetime(0x01DB_0000_0000_0000);
const KEYS: [&str; 6] = ["", "Microsoft", r"Microsoft\Exchange\Setup", r"k\new", r"Microsoft\Windows", "ControlSet001"];

/// Makes the base block's checksum right, so that more than the base block is tried.
pub fn seal(bytes: &mut [u8]) {
    if bytes.len() >= 512 {
        let words = bytes[..508].chunks_exact(4);
        let sum = words.fold(0_u32, |sum, word| sum ^ u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        bytes[508..512].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Every key and value, as text and bytes.
pub fn content(hive: &Hive) -> Vec<String> {
    let mut all = Vec::new();
    for (depth, key) in hive.walk(hive.root()) {
        let Ok(key) = key else { continue };
        let class = hive.class(key.node()).ok().flatten().map(|class| class.lossy());
        let security = hive.security_descriptor(key.node()).ok();
        all.push(format!("{depth} {} {:?} {class:?} {security:?}", key.name().lossy(), key.flags()));
        for value in hive.values(key.node()).into_iter().flatten().flatten() {
            all.push(format!("{} {} {:?}", value.name().lossy(), value.value_type().0, hive.bytes(&value).ok()));
        }
    }
    all
}

/// Carries out a program of edits, writes the hive out, and reads it again: it must hold the same.
pub fn edit(hive: &mut Hive, program: &[u8]) {
    let Ok(mut editor) = hive.edit(NOW) else { return };
    for step in program.chunks(3).take(24) {
        let [what, key, more] = [0, 1, 2].map(|at| step.get(at).copied().unwrap_or_default());
        let key = KEYS[usize::from(key) % KEYS.len()];
        let name = ["", "v", "Services"][usize::from(more) % 3];
        let _ = match what % 6 {
            0 => editor.create_key(key),
            1 => editor.delete_key(key),
            2 => editor.delete_tree(key),
            3 => editor.delete_value(key, name),
            _ => {
                let data = Data::new(ValueType::BINARY, vec![more; [3, 30, 3000, 20_000][usize::from(more) % 4]]);
                editor.set_value(key, name, &data)
            }
        };
    }
    drop(editor);
    let before = content(hive);
    if let Ok(bytes) = hive.to_bytes(NOW) {
        let again = Hive::open(bytes, &[]).expect("a hive that was written out opens");
        assert!(content(&again) == before, "writing it out changed what it holds");
    }
}
