//! Reads, checks, edits and writes a hive. A dirty hive is first completed from a log.

use kbfix::{
    format::regf::{Filetime, Hive},
    registry::{Data, ValueType},
};

const NOW: Filetime = Filetime(0x01DB_0000_0000_0000);
/// The bytes of a program: 24 steps of three.
const PROGRAM: usize = 72;
const KEYS: [&str; 6] = ["", "Microsoft", r"Microsoft\Exchange\Setup", r"k\new", r"Microsoft\Windows", "ControlSet001"];

/// Input: a program of edits, and a hive.
pub(crate) fn hive(data: &[u8]) {
    let (program, hive) = data.split_at(data.len().min(PROGRAM));
    let mut bytes = hive.to_vec();
    seal(&mut bytes);
    let Ok(mut hive) = Hive::open_dirty(bytes, &[]) else { return };
    let _ = (content(&hive), hive.check());
    edit(&mut hive, program);
}

/// Input: a program of edits, the number of pages of the hive, the hive, and the log.
pub(crate) fn logs(data: &[u8]) {
    let (program, rest) = data.split_at(data.len().min(PROGRAM));
    let Some((pages, rest)) = rest.split_first() else { return };
    let (hive, log) = rest.split_at((usize::from(*pages) * 4096).min(rest.len()));
    let (mut primary, mut log) = (hive.to_vec(), log.to_vec());
    // The hive is made dirty: its sequence numbers differ.
    if let Some(number) = primary.get_mut(4) {
        *number ^= 1;
    }
    seal(&mut primary);
    seal(&mut log);
    let Ok(mut hive) = Hive::open_dirty(primary, &[log]) else { return };
    let _ = content(&hive);
    edit(&mut hive, program);
}

/// Corrects the checksum of the base block, so that the rest of the hive is read too.
fn seal(bytes: &mut [u8]) {
    if bytes.len() >= 512 {
        let words = bytes[..508].chunks_exact(4);
        let sum = words.fold(0_u32, |sum, word| sum ^ u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        bytes[508..512].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Returns every key and value as text.
fn content(hive: &Hive) -> Vec<String> {
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
fn edit(hive: &mut Hive, program: &[u8]) {
    let Ok(mut editor) = hive.edit(NOW) else { return };
    for step in program.chunks(3).take(24) {
        let [what, key, more] = [0, 1, 2].map(|at| step.get(at).copied().unwrap_or_default());
        let key = KEYS[usize::from(key) % KEYS.len()];
        let name = ["", "v", "Services"][usize::from(more) % 3];
        let _ = match what % 8 {
            0 => editor.create_key(key),
            1 => editor.delete_key(key),
            2 => editor.delete_tree(key),
            3 => editor.delete_value(key, name),
            4 => editor.set_class(key, Some(name)),
            5 => editor.set_security(key, &vec![more; 20 + usize::from(more) % 2 * 4]),
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
