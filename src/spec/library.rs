//! The specs that are built in: those of the folder `specs/`.

/// Each spec's id and its file.
const SPECS: &[(&str, &[u8])] = &[("KB909094", include_bytes!("../../specs/KB909094.yaml"))];

/// The file of the built-in spec with this id.
pub fn find(id: &str) -> Option<&'static [u8]> {
    SPECS.iter().find(|(name, _)| name.eq_ignore_ascii_case(id)).map(|(_, bytes)| *bytes)
}

/// The ids of the built-in specs.
pub fn ids() -> impl Iterator<Item = &'static str> {
    SPECS.iter().map(|(id, _)| *id)
}
