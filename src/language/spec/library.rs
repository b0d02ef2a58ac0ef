//! The built-in specs: the files in the folder `specs/`, which are compiled into kbfix.

use super::{LoadedAll, Settings, Source, load_all};

/// Expands to a pair: the id of a built-in spec, and the content of the file with this name.
macro_rules! spec {
    ($id:literal) => {
        ($id, include_bytes!(concat!("../../../specs/", $id, ".yaml")))
    };
}

/// The id of each built-in spec with the content of its file, sorted by id. A test compares this table with the folder
/// `specs/`.
const SPECS: &[(&str, &[u8])] = &[
    spec!("ADV170021"),
    spec!("ADV4053440"),
    spec!("CREDENTIAL-GUARD"),
    spec!("CVE-2013-3900"),
    spec!("CVE-2015-6161"),
    spec!("CVE-2022-30190"),
    spec!("DC-PASSWORD-CHANGE"),
    spec!("HVCI"),
    spec!("KB154596"),
    spec!("KB172931"),
    spec!("KB2013544"),
    spec!("KB2020943"),
    spec!("KB216893"),
    spec!("KB224196"),
    spec!("KB239869"),
    spec!("KB240797"),
    spec!("KB244474"),
    spec!("KB245030"),
    spec!("KB254632"),
    spec!("KB2696547"),
    spec!("KB2871997"),
    spec!("KB2960358"),
    spec!("KB299656"),
    spec!("KB3000483"),
    spec!("KB3009008"),
    spec!("KB3035277"),
    spec!("KB3059008"),
    spec!("KB3140245"),
    spec!("KB3181029"),
    spec!("KB3194197"),
    spec!("KB327825"),
    spec!("KB328890"),
    spec!("KB4034879"),
    spec!("KB4043463"),
    spec!("KB4046019"),
    spec!("KB4072698"),
    spec!("KB4295591"),
    spec!("KB4494803"),
    spec!("KB4563239"),
    spec!("KB4569509"),
    spec!("KB5004442"),
    spec!("KB5005652"),
    spec!("KB816085"),
    spec!("KB818024"),
    spec!("KB872897"),
    spec!("KB884776"),
    spec!("KB906305"),
    spec!("KB907747"),
    spec!("KB909094"),
    spec!("KB926642"),
    spec!("KB929852"),
    spec!("KB938449"),
    spec!("KB939999"),
    spec!("KB943280"),
    spec!("KB951016"),
    spec!("KB967715"),
    spec!("KB968372"),
    spec!("KB982697"),
    spec!("LAPS-POLICY"),
    spec!("LONG-PATHS"),
    spec!("MDI-1644"),
    spec!("OPEN-WITH-PROGIDS"),
    spec!("PRINT-RPC-NAMED-PIPES"),
    spec!("PRINT-RPC-W11"),
    spec!("RESTRICT-REMOTE-SAM"),
    spec!("RESTRICTED-ADMIN"),
    spec!("RUNASPPL"),
    spec!("SMB-SIGNING"),
    spec!("SQL-4KB-SECTOR"),
    spec!("UNTRUSTED-FONTS"),
    spec!("WER-LOCALDUMPS"),
];

/// Returns the content of the file of the built-in spec with this id, in any letter case; `None` if there is no such
/// spec.
pub fn find(id: &str) -> Option<&'static [u8]> {
    SPECS.iter().find(|(name, _)| name.eq_ignore_ascii_case(id)).map(|(_, bytes)| *bytes)
}

/// Returns the ids of the built-in specs, sorted.
pub fn ids() -> impl Iterator<Item = &'static str> {
    SPECS.iter().map(|(id, _)| *id)
}

/// Loads all built-in specs as one run. Parameters without a default stay unset.
pub fn load() -> LoadedAll {
    let names: Vec<String> = ids().map(|id| format!("built-in {id}")).collect();
    let sources = SPECS.iter().zip(&names).map(|((_, bytes), name)| Source { name, bytes });
    load_all(&sources.collect::<Vec<_>>(), &Settings::for_validation())
}
