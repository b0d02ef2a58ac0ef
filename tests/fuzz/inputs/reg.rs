//! Reads and edits a `.reg` file: the content must be kept, and a written key must read back.

use kbfix::{
    format::reg::{CodePage, Document},
    registry::{Data, KeyPath, ValueName},
};

/// Input: the code page, and the file.
pub(crate) fn reg(data: &[u8]) {
    let Some((page, bytes)) = data.split_first() else { return };
    let pages = [None, CodePage::new(1252), CodePage::new(932), CodePage::new(936)];
    let page = pages[usize::from(*page) % pages.len()];
    let Ok(mut document) = Document::parse(bytes.to_vec(), page) else { return };
    assert!(document.to_bytes() == bytes, "it does not come back byte for byte");
    let keys: Vec<KeyPath> = document.keys().cloned().collect();
    let name = ValueName::new("kbfix \\ \"name\"").expect("a name");
    for key in keys.iter().take(4) {
        let Some(mut editor) = document.edit(key) else { continue };
        if editor.set(&name, &Data::sz("data")).is_err() {
            continue;
        }
        let Ok(again) = Document::parse(document.to_bytes(), page) else { panic!("what was edited is not read") };
        let found = again.values(key).and_then(|values| values.get(&name).map(|data| data.cloned()));
        assert_eq!(found, Some(Ok(Data::sz("data"))));
    }
    if let Some(key) = keys.first() {
        document.delete_key(key);
        let Ok(again) = Document::parse(document.to_bytes(), page) else { panic!("what was edited is not read") };
        assert!(!again.lists(key), "{key} is still listed");
    }
}
