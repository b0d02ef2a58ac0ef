//! Reads text for LGPO.exe, writes and reads it again, compares, and makes a spec.

use kbfix::{
    convert::import::{About, Reading, import},
    format::{
        pol::{Instruction, TextAction, is_lgpo, lgpo, parse_lgpo},
        reg::CodePage,
    },
};

/// Input: the code page, and the file.
pub(crate) fn lgpo_text(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else { return };
    let code_page = [None, CodePage::new(1252), CodePage::new(932)][usize::from(*first) % 3];
    let about = About { id: "T", title: "t", summary: None };
    if is_lgpo(bytes) {
        let _ = import("t", bytes, Reading { code_page, ..Reading::default() }, about);
    }
    let Ok(entries) = parse_lgpo(bytes, code_page) else { return };
    for entry in entries {
        let (key, action) = match &entry.instruction {
            Instruction::Set { name, data } => (&entry.key, TextAction::Set(name, data)),
            Instruction::Delete(name) => (&entry.key, TextAction::Delete(name)),
            Instruction::DeleteAllValues => (&entry.key, TextAction::DeleteAllValues),
            Instruction::CreateKey => (&entry.key, TextAction::CreateKey),
            Instruction::DeleteKeys(keys) => match keys.as_slice() {
                [key] if key.parent().as_ref() == Some(&entry.key) => (key, TextAction::DeleteKey),
                _ => continue,
            },
            _ => continue,
        };
        let Ok(text) = lgpo(key, action) else { continue };
        let again = parse_lgpo(format!("\u{feff}{text}").as_bytes(), None).expect("what is written is read");
        assert_eq!(again.len(), 1);
        assert_eq!((&again[0].key, &again[0].instruction), (&entry.key, &entry.instruction));
    }
}
