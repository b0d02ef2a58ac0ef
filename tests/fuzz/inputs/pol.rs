//! Reads and writes policy files: the bytes must be equal, and every edit must read back.

use kbfix::{
    convert::import::{About, Reading, import},
    format::{
        gpt_ini::{self, Side},
        pol::{Document, Instruction, Setting},
    },
    registry::{Data, KeyPath, RootKey, ValueName},
};

/// Input: the edit, and the file.
pub(crate) fn pol(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else { return };
    let side = if first & 4 == 0 { Side::Machine } else { Side::User };
    if let Ok(raised) = gpt_ini::raise(bytes, side) {
        assert!(gpt_ini::versions(&raised).is_ok_and(|now| Ok(now) != gpt_ini::versions(bytes)));
    }
    let Ok(document) = Document::parse(bytes.to_vec(), RootKey::Hklm) else { return };
    assert_eq!(document.to_bytes(), bytes);
    let _ = import("t", bytes, Reading::default(), About { id: "T", title: "t", summary: None });
    let named = document.entries().find_map(|entry| match entry.instruction() {
        Ok(Instruction::Set { name, .. } | Instruction::Soft { name, .. } | Instruction::Delete(name)) => {
            Some((entry.key().ok()?.clone(), name.clone()))
        }
        _ => None,
    });
    let (key, name) = named.unwrap_or_else(|| {
        let key = KeyPath::from_parts(RootKey::Hklm, "Software\\A").expect("it is a key");
        (key, ValueName::new("B").expect("it is a name"))
    });
    let _ = (document.key(&key), document.values(&key), document.unreadable());
    let one = Data::dword(1);
    let mut edited = document.clone();
    let made = match first % 4 {
        _ if first & 8 != 0 => edited.delete_key(&key).map(|()| None),
        0 => edited.set(&key, &name, &one).map(|()| Some(Setting::Data(&one))),
        1 => edited.delete(&key, &name).map(|()| Some(Setting::Deleted)),
        2 => edited.forget(&key, &name).map(|()| Some(Setting::Nothing)),
        _ => edited.delete_all_values(&key).map(|()| None),
    };
    let again = Document::parse(edited.to_bytes(), RootKey::Hklm).expect("what is written is read");
    assert_eq!(again.unreadable().is_some(), document.unreadable().is_some());
    match made {
        Ok(Some(setting)) => assert_eq!(again.value(&key, &name), setting),
        Ok(None) if first & 8 != 0 => {
            assert_eq!((again.key(&key).key_deleted, again.key(&key).present), (true, false));
        }
        Ok(None) => assert!(again.key(&key).values_deleted),
        Err(_) => assert_eq!(edited.to_bytes(), bytes),
    }
}
